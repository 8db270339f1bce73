package consumer

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/soap"
	"github.com/semeco/go-sdc/soap/dpws"
	"github.com/semeco/go-sdc/soap/eventing"
)

// Device is a connection to one device and the mirror of its MDIB. Its methods
// may be used by several goroutines.
type Device struct {
	consumer     *Consumer
	ownsConsumer bool
	log          *slog.Logger

	bound       bound
	senders     *eventing.Senders // the certificates that the device is known by
	invocations invocations
	updates     *stream[Update]
	snapshot    atomic.Pointer[mdib.Snapshot]

	ctx    context.Context // ends with the device
	cancel context.CancelFunc
	ended  chan struct{} // closed once the device is lost or closed
	wake   chan struct{} // one token: the link is not live and has to be healed
	hints  chan struct{} // one token: there are news of the device
	wg     sync.WaitGroup
	once   sync.Once

	mu       sync.Mutex // held while a report is applied: reports come from several connections
	target   discovery.Endpoint
	xaddr    string
	metadata *dpws.Metadata
	services map[string]places // by port type
	mirror   *mdib.Mirror
	subs     []*eventing.Subscription
	link     Link

	// The reading of the MDIB.
	reading  bool
	buffered []received
	overrun  bool // reports were lost during the reading, or more arrived than may be buffered

	// What healing needs to know.
	broken     bool // a subscription has ended, or the device cannot be reached where it was
	generation int  // of the subscriptions; notifications of former ones are ignored
	retired    []*eventing.Subscription
	reported   string       // the MDIB sequence that the subscriptions told of last
	subscribed time.Time    // when they were made
	former     mdib.Version // of the sequence before this one
	contexts   uint64       // the MDIB version of the context states, if they were read apart from the MDIB
	found      []string     // addresses told by locators, the latest first

	// What is known of the freshness.
	complete    bool      // all reports are subscribed to: a version that is left out is a loss
	covered     kinds     // of changes that are told by the reports subscribed to
	confirmed   time.Time // when the snapshot was last known to be what the device has
	read        time.Time // when the MDIB was read
	asked       time.Time // when the device was last asked for a sign of life
	owed        owed
	lag         time.Duration // how long reports are under way, as measured last
	lastReport  time.Time     // when a report was applied last
	tellsStatus bool          // the device has answered a GetStatus
	clock       Clock         // of the device
	clockTold   Clock         // what the readers of updates know of it
}

// received is a report with the time of its arrival.
type received struct {
	report msg.Report
	at     time.Time
}

// Update is one step of a Device: a report that was applied, or a change of the link.
type Update struct {
	// Time is when the report arrived or the link changed.
	Time time.Time
	// Link is the link after the update. Only with Live is Snapshot what the device has.
	Link Link
	// Report is what arrived, already applied; nil if the update is no report.
	Report msg.Report
	// Before and Snapshot are the MDIB before and after. Before is nil in the first update.
	Before, Snapshot *mdib.Snapshot
	// Change tells which states and descriptors the report changed; nil if the update
	// is no report. After a Gap compare the snapshots.
	Change *mdib.Change
	// Gap is set when the MDIB was read anew: updates between Before and Snapshot
	// may be missing.
	Gap *Gap
	// Clock is set when the device's clock was found to have drifted from this host's by more than Config.ClockTolerance, or no longer to, or that one of the
	// two was set (SDPi R1601, R1603). What to do about it is up to the application, which may close the device (SDPi R1600).
	Clock *Clock
}

func newDevice(c *Consumer, target discovery.Endpoint) *Device {
	ctx, cancel := context.WithCancel(context.Background())
	return &Device{
		consumer: c, target: target, senders: eventing.NewSenders(),
		log:     c.cfg.Logger.With("device", name(target)),
		updates: newStream[Update](c.cfg.UpdateQueue),
		ctx:     ctx, cancel: cancel,
		ended:    make(chan struct{}),
		wake:     make(chan struct{}, 1),
		hints:    make(chan struct{}, 1),
		mirror:   mdib.NewMirror(mdib.MirrorConfig{AllReports: c.cfg.Actions == nil}),
		complete: c.cfg.Actions == nil,
		link:     Link{State: Connecting, Since: time.Now()},
	}
}

// EPR is the stable address of the device.
func (d *Device) EPR() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.target.EPR
}

// XAddr is the transport address in use.
func (d *Device) XAddr() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.xaddr
}

// Metadata is what the device said of itself when it was connected. It is shared and read-only.
func (d *Device) Metadata() *dpws.Metadata {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.metadata
}

// MDIB is the newest snapshot. It is never nil; whether it is what the device has
// now is told by Link.
func (d *Device) MDIB() *mdib.Snapshot { return d.snapshot.Load() }

// Link is the state of the connection; see View.
func (d *Device) Link() Link {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.shown(time.Now())
}

// Ended is closed once the Device is lost or closed. Requests end with [ErrLost] or [ErrClosed] from then on, and nothing of them is sent.
func (d *Device) Ended() <-chan struct{} { return d.ended }

// Updates iterates over everything that happens from now on, in order and without
// loss. The first update holds the current snapshot and link and no report. The
// loop ends when ctx is done; with ErrSlowReader when the loop's body is slower
// than the device for longer than Config.UpdateQueue can bridge; with ErrLost or
// ErrClosed when the Device has ended. A missed report is never silent: the
// update after it carries a Gap.
func (d *Device) Updates(ctx context.Context) iter.Seq2[Update, error] {
	return d.updates.all(ctx, func() *reader[Update] {
		d.mu.Lock() // no update can come between the first and the next
		defer d.mu.Unlock()
		return d.updates.join(Update{Time: time.Now(), Link: d.link, Snapshot: d.snapshot.Load()})
	})
}

// service returns where a port type is offered.
func (d *Device) service(portType string) (places, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	e, ok := d.services[portType]
	return e, ok
}

// Services lists the port types the device offers.
func (d *Device) Services() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []string
	for _, s := range sdc.Services() {
		if _, ok := d.services[s.Name]; ok {
			out = append(out, s.Name)
		}
	}
	if _, ok := d.services[sdc.HistoryService]; ok {
		out = append(out, sdc.HistoryService)
	}
	return out
}

// admit refuses notifications of somebody who is not the device any more.
func (d *Device) admit(r *soap.Request) error {
	if err := d.showed(r.Peer); err != nil {
		return &soap.Fault{Code: soap.CodeSender, Reason: err.Error(), Status: http.StatusForbidden, Cause: err}
	}
	return nil
}

// notify takes one notification. The device, or what it sends next, waits for it, so it
// does nothing but decode, apply and queue (EVT-5).
func (d *Device) notify(r *soap.Request, numbers *reportSequence, generation int) error {
	repeated, lost := numbers.check(&r.Header)
	if repeated {
		return nil // delivered before; the device has not seen our answer (SDPi R1033)
	}
	if r.Confirmed {
		// The device will not hear of anything that goes wrong from here on.
		defer func() {
			if p := recover(); p != nil {
				d.stale(fmt.Errorf("a report could not be handled: %v", p), generation)
				panic(p)
			}
		}()
	}
	m, err := soap.Decode(r.Envelope, r.Envelope.BodyName(), d.consumer.cfg.decode().Decode)
	if err != nil {
		// A refusal would make the device end the subscription. What the report
		// told is lost, so the MDIB is read again; if that is unusable too, the
		// device ends up lost.
		d.log.Warn("unusable report", "action", r.Envelope.Header.Action, "error", err)
		d.stale(err, generation)
		return nil
	}
	report, ok := m.(msg.Report)
	if !ok {
		refusal := soap.InvalidMessage(m.BodyName().Local + " is no report")
		if r.Confirmed {
			d.stale(refusal, generation)
		} else {
			numbers.refused()
		}
		return refusal
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if generation != d.generation {
		return nil // of a subscription that has been given up; a refusal would end it with a quarrel
	}
	if lost != nil {
		d.log.Warn("a notification was lost", "error", lost)
		d.goStale(lost)
	}
	if op, ok := report.(*msg.OperationInvokedReport); ok {
		// Of no matter to the MDIB: it counts even while that is being read.
		d.invocations.report(op)
	}
	in := received{report, time.Now()}
	d.notice(in.at)
	d.reported = report.Version().SequenceId
	switch {
	case d.link.State == Live:
		d.apply(in)
	case !d.reading:
		d.stir() // it is told by the next reading, and shows that one may succeed now
	case len(d.buffered) == d.consumer.cfg.ReportQueue:
		d.overrun = true
	default:
		d.buffered = append(d.buffered, in)
	}
	return nil
}

// apply brings one report into the mirror. The caller holds d.mu.
func (d *Device) apply(in received) {
	before := d.snapshot.Load()
	in.report = d.besidesRead(in.report)
	change, err := d.mirror.Apply(in.report)
	switch {
	case errors.Is(err, mdib.ErrOld):
		return // told by the MDIB already (CONS-1)
	case err != nil && d.isFormer(err):
		d.log.Debug("a report of a former sequence", "report", in.report.BodyName().Local, "error", err)
		d.stir()
		return
	case err != nil:
		d.log.Warn("report not applied", "report", in.report.BodyName().Local, "error", err)
		d.goStale(err)
		return
	}
	if gap := stateGap(change); gap != nil {
		d.log.Warn("a report was missed", "error", gap)
		d.goStale(gap)
	} else {
		d.heard(in.at, change.After.Version().MdibVersion)
	}
	d.snapshot.Store(change.After)
	d.updates.send(Update{
		Time: in.at, Link: d.link, Report: in.report, Before: before, Snapshot: change.After, Change: change,
	})
}

// isFormer tells whether a report was refused because it is of the sequence before the one that was read: one that was under way for long, by a subscription of its
// own. A device does not go back to a sequence it has left; one that does all the same is found out at once, because it is asked. The caller holds d.mu.
func (d *Device) isFormer(err error) bool {
	var other *mdib.SequenceError
	return errors.As(err, &other) && d.former.SequenceID != "" && other.Got.SameSequence(d.former)
}

// stale notes that something was or may have been missed by subscriptions of a generation.
func (d *Device) stale(cause error, generation int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if generation == d.generation {
		d.goStale(cause)
	}
}

// goStale notes that something was or may have been missed. The caller holds d.mu.
func (d *Device) goStale(cause error) {
	if d.link.State != Live {
		d.overrun = true // the reading under way cannot be trusted
		return
	}
	d.owed = owed{}
	d.setLink(Stale, cause)
	d.signal()
}

// goLive installs a freshly read MDIB and replays what arrived meanwhile. began is when reading began.
func (d *Device) goLive(resp *msg.GetMdibResponse, contexts uint64, gap *Gap, began time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.ctx.Err() != nil:
		return d.link.Cause
	case d.overrun:
		return fmt.Errorf("%w: reports were lost while it was being read", errRead)
	case d.broken:
		return fmt.Errorf("%w: a subscription ended while it was being read", errRead)
	}
	if known := d.snapshot.Load(); gap != nil && resp.SequenceId != known.Version().SequenceID && resp.SequenceId != d.reported && !d.subscribed.After(d.read) {
		return errRestarted // subscriptions do not outlive the device, so these may tell nothing any more
	}
	snapshot, err := d.mirror.Reset(resp)
	if err != nil {
		return fmt.Errorf("%w: %w", errRead, err)
	}
	before := d.snapshot.Swap(snapshot)
	if gap != nil {
		gap.From, gap.To = before.Version(), snapshot.Version()
		if !gap.From.SameSequence(gap.To) {
			d.former = gap.From
		}
	}
	d.contexts = contexts
	d.confirmed, d.read, d.owed, d.lag = began, began, owed{}, 0
	d.link = Link{State: Live, Since: time.Now()}
	d.updates.send(Update{Time: d.link.Since, Link: d.link, Before: before, Snapshot: snapshot, Gap: gap, Clock: d.clockNews()})
	for _, in := range d.buffered {
		if d.link.State != Live {
			break // a gap within the replay: the keeper starts over
		}
		d.apply(in)
	}
	return nil
}

// setLink changes the link and tells the readers. The caller holds d.mu.
func (d *Device) setLink(state LinkState, cause error) {
	d.link = Link{State: state, Since: time.Now(), Cause: cause, StaleSince: d.confirmed}
	s := d.snapshot.Load()
	d.updates.send(Update{Time: d.link.Since, Link: d.link, Before: s, Snapshot: s})
}

// relink changes the link of a device that is being healed.
func (d *Device) relink(state LinkState, cause error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ctx.Err() == nil {
		d.setLink(state, cause)
	}
}

func (d *Device) signal() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

func (d *Device) subscriptionEnded(sub *eventing.Subscription) {
	d.subscriptionBroken(sub, sub.Err())
}

// subscriptionBroken notes that one of the subscriptions delivers no more.
func (d *Device) subscriptionBroken(sub *eventing.Subscription, cause error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if slices.Contains(d.subs, sub) && !d.broken {
		d.broken = true
		d.log.Warn("subscription ended", "error", cause)
		d.goStale(cause)
		d.stir()
	}
}

// end is the last thing that happens to a device.
func (d *Device) end(state LinkState, cause error) {
	d.once.Do(func() {
		d.mu.Lock()
		d.setLink(state, cause)
		d.buffered = nil
		d.updates.close(cause)
		close(d.ended)
		d.cancel()
		d.mu.Unlock()
	})
}

func (d *Device) endCause() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.link.Cause
}

// Close unsubscribes and ends the Device. ctx bounds the goodbyes. Closing twice
// does nothing.
func (d *Device) Close(ctx context.Context) error {
	d.end(Closed, ErrClosed)
	d.wg.Wait()
	d.mu.Lock()
	subs := append(d.subs, d.retired...)
	d.subs, d.retired = nil, nil
	d.mu.Unlock()
	var wg sync.WaitGroup
	errs := make([]error, len(subs))
	for i, s := range subs {
		wg.Go(func() { errs[i] = s.Unsubscribe(ctx) })
	}
	wg.Wait()
	d.consumer.forget(d)
	err := errors.Join(errs...)
	if d.ownsConsumer {
		err = errors.Join(err, d.consumer.Close(ctx))
	}
	return err
}
