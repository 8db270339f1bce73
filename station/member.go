package station

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/soap/dpws"
)

// Times of connecting again to a device that does not answer.
const (
	firstRetry = time.Second
	maxRetry   = 30 * time.Second
	// goodbye bounds the disconnecting from one device.
	goodbye = 5 * time.Second
)

// member is a device that the station follows. Its run owns everything but the atomics and the news.
type member struct {
	station    *Station
	log        *slog.Logger
	epr        string
	sender     netip.Addr // who told of it
	since      time.Time  // when it was first heard
	rule       Rule
	tracker    tracker
	shown      atomic.Pointer[Device]
	connection atomic.Pointer[consumer.Device]

	mu     sync.Mutex
	last   news
	proven []string // addresses at which the device has answered, the last first
	wake   chan struct{}
}

// news is what discovery told last of a device. Of several pieces of news the newest counts, and a restart is not forgotten.
type news struct {
	endpoint  discovery.Endpoint
	fresh     bool // not looked at yet
	restarted bool // a new life: the connection is dead
	gone      bool // it said goodbye
	released  bool // no rule takes it any more
}

func newMember(s *Station, e waiter, r Rule) *member {
	m := &member{
		station: s, log: s.log.With("device", e.EPR), epr: e.EPR, sender: e.sender, since: e.since, rule: r,
		wake: make(chan struct{}, 1), last: news{endpoint: e.Endpoint.Clone()},
		tracker: tracker{epr: e.EPR, history: s.history, about: Device{Rule: r.Name}, link: Link{State: LinkConnecting, Since: time.Now()}},
	}
	m.shown.Store(m.tracker.device())
	return m
}

// tell passes news on. It never blocks.
func (m *member) tell(n news) {
	m.mu.Lock()
	n.endpoint, n.fresh = n.endpoint.Clone(), true
	n.restarted = n.restarted || m.last.fresh && m.last.restarted
	if len(n.endpoint.XAddrs) == 0 {
		n.endpoint.XAddrs = m.last.endpoint.XAddrs
	}
	m.last = n
	m.mu.Unlock()
	signal(m.wake)
}

// look returns the newest news and takes note of it.
func (m *member) look() news {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.last
	m.last.fresh, m.last.restarted = false, false
	return n
}

// run follows the device until ctx ends, no rule takes it, it has been away for too long, or it gives its place to another: then it tells whether
// the device is to wait for another turn.
func (m *member) run(ctx context.Context) (again bool) {
	retry := firstRetry
	away := m.since
	turns := 0
	asked := false // whatever was told
	for ctx.Err() == nil {
		n := m.look()
		if n.released {
			return false
		}
		if turns > 0 && m.station.wanted(m) {
			return !n.gone
		}
		turns++
		if !n.gone || asked {
			live, err := m.session(ctx, n.endpoint)
			if live {
				retry, away = firstRetry, time.Now()
			}
			if ctx.Err() != nil {
				return false
			}
			if err != nil {
				m.log.Warn("device is not connected", "error", err)
			}
			m.show(m.afterwards(err))
		}
		left := m.station.cfg.Forget - time.Since(away)
		if left <= 0 {
			m.log.Info("device is forgotten")
			return false
		}
		// Jitter keeps stations apart that lost a device at the same time.
		wait := min(left, retry/2+rand.N(retry))
		if m.gone() {
			// Anybody can say goodbye in its name, so it is asked now and then all the same.
			wait = min(left, maxRetry/2+rand.N(maxRetry))
		}
		switch {
		case m.station.wanted(m):
			wait = min(left, firstRetry/2+rand.N(firstRetry)) // then the turn is over
		case !m.hasProof():
			wait = min(wait, turn) // by then another may want the place
		}
		retry = min(2*retry, maxRetry)
		timer := time.NewTimer(wait)
		asked = false
		select {
		case <-m.wake:
		case <-timer.C:
			asked = true
		case <-ctx.Done():
		}
		timer.Stop()
	}
	return false
}

// waiter is the device as it waits for its next turn.
func (m *member) waiter() waiter {
	m.mu.Lock()
	defer m.mu.Unlock()
	return waiter{Endpoint: m.last.endpoint.Clone(), sender: m.sender, since: m.since}
}

// hasProof reports whether the device has ever been connected.
func (m *member) hasProof() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.proven) > 0
}

// errTurn says why a device is not tried any longer.
var errTurn = errors.New("it has not answered in its turn, and other devices wait")

// connect connects to the device. One that has not proved who it is may take longer than its turn only while nobody else waits.
func (m *member) connect(ctx context.Context, e discovery.Endpoint) (*consumer.Device, error) {
	connect := m.station.cfg.Consumer.ConnectDiscovered
	if m.station.cfg.Immediately {
		connect = m.station.cfg.Consumer.Connect
	}
	ctx, cancel := context.WithCancelCause(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel(nil)
	wg.Go(func() {
		look := time.NewTimer(turn)
		defer look.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-look.C:
			}
			if m.station.wanted(m) {
				cancel(errTurn)
				return
			}
			look.Reset(time.Second)
		}
	})
	dev, err := connect(ctx, m.reachable(e))
	if err != nil && context.Cause(ctx) == errTurn { //nolint:errorlint // it is set here
		err = fmt.Errorf("%w: %w", errTurn, err)
	}
	return dev, err
}

func (m *member) gone() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.last.gone
}

// afterwards is the link once a session has ended.
func (m *member) afterwards(err error) Link {
	l := Link{State: LinkLost, Since: time.Now()}
	switch {
	case m.gone():
		l.State, l.Cause = LinkGone, "the device said goodbye"
		return l
	case m.tracker.snap == nil:
		l.State = LinkConnecting
	}
	if err != nil {
		l.Cause = err.Error()
	}
	if was := m.tracker.link; was.State == l.State {
		l.Since = was.Since
	}
	return l
}

// show gives the link another state.
func (m *member) show(l Link) {
	m.tracker.setLink(l)
	m.shown.Store(m.tracker.device())
	m.station.changed(true)
}

// session connects and follows the device until the connection has ended. live tells whether it had been connected.
func (m *member) session(ctx context.Context, e discovery.Endpoint) (live bool, err error) {
	dev, err := m.connect(ctx, e)
	if err != nil {
		return false, err
	}
	m.answered(dev.XAddr())
	m.tracker.about = about(dev, m.rule)
	m.connection.Store(dev)
	ctx, cancel := context.WithCancelCause(ctx)
	defer func() {
		cancel(nil)
		m.connection.Store(nil)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbye)
		defer cancel()
		if err := dev.Close(ctx); err != nil {
			m.log.Debug("disconnecting", "error", err)
		}
	}()
	var wg sync.WaitGroup
	wg.Go(func() { m.listen(ctx, dev, e, cancel) })
	if m.rule.Ensemble.Root != "" {
		wg.Go(func() { m.keepEnsembles(ctx, dev) })
	}
	defer wg.Wait()
	defer cancel(nil)
	for {
		err := m.follow(ctx, dev)
		if !errors.Is(err, consumer.ErrSlowReader) {
			return true, err
		}
		// The next stream begins with the present snapshot.
		m.log.Warn("the station is too slow for the device: updates were missed")
	}
}

// errs that end a session on purpose.
var (
	errNews     = errors.New("the device has changed its address or been restarted")
	errReleased = errors.New("no rule asks for the device any more")
)

// maxProven is how many addresses are remembered at which a device has answered.
const maxProven = 2

// answered notes that the device is there, and where.
func (m *member) answered(xaddr string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.last.gone = false
	m.proven = append([]string{xaddr}, slices.DeleteFunc(m.proven, func(x string) bool { return x == xaddr })...)
	m.proven = m.proven[:min(len(m.proven), maxProven)]
}

// reachable is where the device has been, and then where it is said to be: whoever announces other addresses in its name must not keep it away.
func (m *member) reachable(e discovery.Endpoint) discovery.Endpoint {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := slices.Clone(m.proven)
	for _, x := range e.XAddrs {
		if !slices.Contains(all, x) {
			all = append(all, x)
		}
	}
	e.XAddrs = all
	return e
}

const (
	// doubt is how often the link is looked at while there are news that contradict it.
	doubt = 500 * time.Millisecond
	// disproof is how long a link has to be live after such news for them to be forgotten: the device has been asked meanwhile.
	disproof = 15 * time.Second
)

// listen ends a session when it has to. Discovery is not authenticated: that a device has said goodbye, has moved or been restarted makes the consumer ask it (consumer.Watcher), and is
// believed when the link is not live any more.
func (m *member) listen(ctx context.Context, dev *consumer.Device, e discovery.Endpoint, end context.CancelCauseFunc) {
	var look <-chan time.Time // while there is doubt
	var since time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-m.wake:
			since = time.Now()
		case <-look:
		}
		m.mu.Lock()
		n := m.last
		doubtful := n.gone || n.restarted || !slices.Equal(n.endpoint.XAddrs, e.XAddrs)
		live := dev.Link().State == consumer.Live
		if doubtful && live && time.Since(since) >= disproof {
			m.last.gone, m.last.restarted, m.last.endpoint.XAddrs = false, false, e.XAddrs
			doubtful = false
		}
		m.mu.Unlock()
		look = nil
		switch {
		case n.released:
			end(errReleased)
		case !doubtful:
			continue
		case live:
			look = time.After(doubt)
			continue
		case n.gone:
			end(nil)
		default:
			end(errNews)
		}
		signal(m.wake) // run looks at it, too
		return
	}
}

// follow applies updates until the stream ends.
func (m *member) follow(ctx context.Context, dev *consumer.Device) error {
	for u, err := range dev.Updates(ctx) {
		if err != nil {
			return err
		}
		urgent := m.tracker.apply(u)
		m.shown.Store(m.tracker.device())
		m.station.changed(urgent)
	}
	return context.Cause(ctx)
}

// about is what the metadata of a device say.
func about(dev *consumer.Device, r Rule) Device {
	d := Device{XAddr: dev.XAddr(), Rule: r.Name}
	meta := dev.Metadata()
	if meta == nil {
		return d
	}
	d.Name, d.Model, d.Manufacturer = localized(meta.ThisDevice.FriendlyName), localized(meta.ThisModel.ModelName), localized(meta.ThisModel.Manufacturer)
	d.Serial = meta.ThisDevice.SerialNumber
	return d
}

func localized(list []dpws.LocalizedString) string {
	first := ""
	for _, s := range list {
		if s.Lang == "en" {
			return s.Text
		}
		if first == "" {
			first = s.Text
		}
	}
	return first
}
