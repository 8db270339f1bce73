package discovery

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/semeco/go-sdc/soap"
)

// node is what Target and Client have in common: it sends messages with repetition and
// takes received ones apart. Whoever owns it calls close, which waits.
type node struct {
	transport Transport
	own       bool // the transport is ours to close
	timing    Timing
	askAlso   []netip.AddrPort // who gets the questions to the group, too; set before it is used
	journal   soap.Journal     // nil: none
	log       *slog.Logger

	mu    sync.Mutex
	known *recent
	seq   appSequence
	limit chan struct{} // one token for each delayed or repeated message under way
	owed  map[netip.Addr]*allowance
	swept time.Time // when owed was last searched for those that were quiet

	ctx    context.Context // ends delays and repetitions
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

// maxPending bounds the messages that wait to be sent or repeated. Beyond it answers are
// not sent and other messages not repeated, so that a flood of Probes costs no more.
const maxPending = 256

// What one address is answered, with each answer's repetitions: so many at once, and so many a second. An answer is several times as long as the question, whose sender may name a victim as the one who asks.
const (
	maxAnswers   = 100
	answersEvery = 20 * time.Millisecond
	maxAsking    = 1024 // addresses that are told apart; all others share one allowance
)

// allowance is what an address may still be answered.
type allowance struct {
	left int
	at   time.Time // when left was right
}

// refill brings an allowance up to now.
func (a *allowance) refill(now time.Time) {
	if n := now.Sub(a.at) / answersEvery; n > 0 {
		a.left = int(min(n+time.Duration(a.left), maxAnswers))
		a.at = a.at.Add(n * answersEvery)
	}
}

// mayAnswer takes one answer from the allowance of an address; false if there is none.
func (n *node) mayAnswer(to netip.Addr) bool {
	now := time.Now()
	n.mu.Lock()
	defer n.mu.Unlock()
	a := n.owed[to]
	if a == nil {
		if len(n.owed) >= maxAsking && now.Sub(n.swept) >= answersEvery {
			n.forgetQuiet(now)
		}
		if len(n.owed) >= maxAsking {
			to = netip.Addr{}
			a = n.owed[to]
		}
		if a == nil {
			a = &allowance{maxAnswers, now}
			n.owed[to] = a
		}
	}
	a.refill(now)
	if a.left == 0 {
		n.log.Debug("an address gets no more answers for now", "to", to)
		return false
	}
	a.left--
	return true
}

// forgetQuiet forgets the addresses that have their whole allowance. It goes through all there are, which each datagram of a flood from invented addresses
// must not cost: it is called at most once in answersEvery, the time in which an allowance grows by one. Under the lock.
func (n *node) forgetQuiet(now time.Time) {
	n.swept = now
	for addr, other := range n.owed {
		if other.refill(now); other.left == maxAnswers {
			delete(n.owed, addr)
		}
	}
}

func newNode(t Transport, udp UDPConfig, timing Timing, journal soap.Journal, log *slog.Logger, instance uint32) (*node, error) {
	n := &node{
		transport: t, journal: journal, timing: timing.withDefaults(), log: log, known: newRecent(),
		limit: make(chan struct{}, maxPending), owed: make(map[netip.Addr]*allowance),
	}
	if n.log == nil {
		n.log = slog.New(slog.DiscardHandler)
	}
	if _, silent := t.(*Silence); silent {
		n.journal = nil // nothing is sent
	}
	now := time.Now()
	if instance == 0 {
		instance = uint32(now.Unix())
	}
	// Two lives within one second share the instance id, so the second begins with higher numbers.
	n.seq = appSequence{InstanceID: instance, MessageNumber: uint32(now.Nanosecond() / 1000)}
	if n.transport == nil {
		var err error
		if n.transport, err = OpenUDP(udp, n.log); err != nil {
			return nil, err
		}
		n.own = true
	}
	n.ctx, n.cancel = context.WithCancel(context.Background())
	return n, nil
}

// close ends what is under way, waits for it and gives the transport back.
func (n *node) close() error {
	n.quiet()
	if n.own {
		return n.transport.Close()
	}
	return nil
}

// quiet ends the delays and repetitions under way and waits for them.
func (n *node) quiet() {
	n.mu.Lock()
	n.cancel()
	n.mu.Unlock()
	n.wg.Wait()
}

// serve receives until ctx ends; handle gets each message once, and none of our own.
func (n *node) serve(ctx context.Context, handle func(*message, Datagram)) error {
	return n.transport.Serve(ctx, func(d Datagram) {
		var m *message
		var fresh bool
		err := errOversize
		if d.Oversize == 0 {
			m, err = decodeDatagram(d.Data)
		}
		if err == nil {
			n.mu.Lock()
			fresh = n.known.add(m.id)
			n.mu.Unlock()
		}
		n.noteReceived(d, err, err == nil && !fresh)
		if err != nil {
			n.log.Debug("datagram ignored", "from", d.From, "bytes", max(len(d.Data), d.Oversize), "error", err)
			return
		}
		if fresh {
			m.setZone(d.Zone)
			handle(m, d)
		}
	})
}

// setZone completes the link-local addresses of a message from elsewhere by the interface that it came by.
func (m *body) setZone(zone string) {
	for i, e := range m.endpoints {
		m.endpoints[i].XAddrs = withZone(e.XAddrs, zone)
	}
}

// onLinks has fn called when interfaces have come; it must return soon. Call it before serve.
func (n *node) onLinks(fn func()) {
	if r, ok := n.transport.(*reach); ok {
		r.came = fn
	}
}

// ErrTooLong refuses what does not fit into a datagram of MaxDatagram bytes (WSD-3).
var ErrTooLong = errors.New("message does not fit into a datagram")

// encode writes a message of ours and remembers its id. Messages that carry an
// AppSequence get the next number here, at the moment of sending.
func (n *node) encode(h *soap.Header, m soap.Body, sequence bool) ([]byte, error) {
	n.mu.Lock()
	if sequence {
		h.Extra = append(h.Extra, n.nextLocked())
	}
	n.known.add(h.MessageID)
	n.mu.Unlock()
	data := soap.AppendEnvelope(make([]byte, 0, 2048), h, m)
	if len(data) > MaxDatagram {
		return nil, ErrTooLong
	}
	return data, nil
}

func (n *node) nextLocked() appSequence {
	n.seq.MessageNumber++
	return n.seq
}

// nextSequence numbers a message that goes another way than a datagram.
func (n *node) nextSequence() appSequence {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.nextLocked()
}

// multicast sends a message to the group at once and repeats it in the background.
// The error is that of encoding or of the first copy. before, unless nil, gets the id of
// the message before it is sent.
func (n *node) multicast(m body, before func(id string)) (id string, err error) {
	send, id, err := n.encodeMulticast(m)
	if err != nil {
		return "", err
	}
	if before != nil {
		before(id)
	}
	err = send(false)
	n.background(func(ctx context.Context) {
		for _, d := range n.timing.copies() {
			if !pause(ctx, d) {
				return
			}
			n.check(send(true))
		}
	})
	return id, err
}

// multicastAll is multicast that waits for the last copy. It works also after quiet.
func (n *node) multicastAll(m body) error {
	send, _, err := n.encodeMulticast(m)
	if err != nil {
		return err
	}
	err = send(false)
	for _, d := range n.timing.copies() {
		pause(context.Background(), d) // bounded by Timing.UpperDelay
		n.check(send(true))
	}
	return err
}

// encodeMulticast writes a message and returns what sends one copy of it, the first or one that repeats it. Over several links a Hello names first,
// on each, the address that is reached by it.
func (n *node) encodeMulticast(m body) (send func(repeated bool) error, id string, err error) {
	h := &soap.Header{To: To, Action: m.kind.action(), MessageID: soap.NewMessageID()}
	announces := m.kind == kindHello || m.kind == kindBye
	data, err := n.encode(h, m, announces)
	if err != nil {
		return nil, "", err
	}
	if len(n.askAlso) > 0 && (m.kind == kindProbe || m.kind == kindResolve) {
		return func(repeated bool) error {
			err := n.toGroup(data, repeated)
			for _, to := range n.askAlso {
				n.check(n.toOne(to, data, repeated))
			}
			return err
		}, h.MessageID, nil
	}
	links, ok := n.transport.(*reach)
	if !ok || m.kind != kindHello || len(m.endpoints[0].XAddrs) < 2 {
		return func(repeated bool) error { return n.toGroup(data, repeated) }, h.MessageID, nil
	}
	return func(repeated bool) error {
		err := links.multicastEach(func(local netip.Addr) []byte {
			m := body{kind: m.kind, endpoints: []Endpoint{forLink(m.endpoints[0], local)}}
			data := soap.AppendEnvelope(make([]byte, 0, len(data)), h, m)
			n.noteSent(netip.AddrPort{}, data, repeated)
			return data
		})
		n.noteUnsent(netip.AddrPort{}, err)
		return err
	}, h.MessageID, nil
}

// answer sends a message to one peer after a delay, and repeats it. build is called when
// the delay is over, so that the answer is true when it is sent; ok false sends nothing.
func (n *node) answer(to netip.AddrPort, relatesTo string, delay time.Duration, build func() (m body, ok bool)) {
	if !n.mayAnswer(to.Addr()) {
		return
	}
	n.background(func(ctx context.Context) {
		if !pause(ctx, delay) {
			return
		}
		m, ok := build()
		if !ok {
			return
		}
		h := &soap.Header{
			To: soap.Anonymous, Action: m.kind.action(), MessageID: soap.NewMessageID(), RelatesTo: relatesTo,
		}
		n.unicast(ctx, to, h, m, true)
	})
}

// fault answers with a fault.
func (n *node) fault(to netip.AddrPort, relatesTo string, f *soap.Fault) {
	if !n.mayAnswer(to.Addr()) {
		return
	}
	n.background(func(ctx context.Context) {
		h := f.Header(relatesTo)
		h.To = soap.Anonymous
		n.unicast(ctx, to, h, f, false)
	})
}

func (n *node) unicast(ctx context.Context, to netip.AddrPort, h *soap.Header, m soap.Body, sequence bool) {
	data, err := n.encode(h, m, sequence)
	if err != nil {
		n.log.Warn("answer not sent", "to", to, "action", h.Action, "error", err)
		return
	}
	n.check(n.toOne(to, data, false))
	for _, d := range n.timing.copies() {
		if !pause(ctx, d) {
			return
		}
		n.check(n.toOne(to, data, true))
	}
}

// background runs fn unless too much is under way or the node is closed.
func (n *node) background(fn func(ctx context.Context)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ctx.Err() != nil {
		return
	}
	select {
	case n.limit <- struct{}{}:
	default:
		n.log.Debug("too many messages under way, one is dropped")
		return
	}
	n.wg.Go(func() {
		defer func() { <-n.limit }()
		fn(n.ctx)
	})
}

func (n *node) check(err error) {
	if err != nil {
		n.log.Warn("discovery message not sent", "error", err)
	}
}
