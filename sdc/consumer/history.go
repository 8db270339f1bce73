package consumer

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/hm"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/soap"
	"github.com/semeco/go-sdc/soap/eventing"
)

// HistoryEvent is one step of a device's history.
type HistoryEvent struct {
	// Time is when the MDIB began to be so, by the clock of the device. Zero for an event that only has Status.
	Time time.Time
	// Version is the version of the MDIB it is about.
	Version mdib.Version
	// Initial tells that the event is the MDIB at the beginning of a sequence and no change.
	Initial bool
	// Report is what changed the MDIB; nil for other events.
	Report msg.Report
	// MDIB is the MDIB from then on. It is nil if that is not known: there was no MDIB to start from, or a change cannot be applied to what came before, as when the
	// device leaves some out.
	MDIB *mdib.Snapshot
	// Change is what Report did to the MDIB; nil where MDIB is.
	Change *mdib.Change
	// Texts are those the MDIB or report refers to that have not been told before.
	Texts []pm.LocalizedText
	// Status tells what of the query the device does not meet.
	Status []hm.Status
}

// ErrHistoryIncomplete is what a history ends with if the device broke off: what has been yielded is right, but not all.
var ErrHistoryIncomplete = errors.New("the history is incomplete")

// maxHistoryQueue bounds the bytes of the history that wait for a reader.
const maxHistoryQueue = 64 << 20

// History asks the device for a part of its history (SDPi DEV-32) and yields it in the order in which it happened. The sequence ends after the device has said that it is
// complete; with a *ServiceError if the device has no history service, a *soap.Fault if it refused the query, ErrHistoryIncomplete if it
// broke off, ErrSlowReader if more than 64 MiB wait for the reader, or the cause of ctx. A query that is answered with less than it
// asks for is no error: see HistoryEvent.Status.
//
// Only one error is yielded, last. The history has nothing to do with [Device.Updates] and [Device.MDIB], which go on.
func (d *Device) History(ctx context.Context, query *hm.Query) iter.Seq2[HistoryEvent, error] {
	return func(yield func(HistoryEvent, error) bool) {
		h := &historyReading{device: d, wake: make(chan struct{}, 1)}
		if err := h.read(ctx, query, yield); err != nil && !errors.Is(err, errStopped) {
			yield(HistoryEvent{}, fmt.Errorf("history: %w", err))
		}
	}
}

// errStopped says that the reader has seen enough.
var errStopped = errors.New("stopped")

// historyReading is one query under way.
type historyReading struct {
	device  *Device
	numbers reportSequence
	mirror  *mdib.Mirror
	known   bool // the mirror is what the device was at this point
	last    mdib.Version

	wake chan struct{} // one token: the queue has changed

	mu    sync.Mutex
	queue []*hm.Report
	bytes int
	sizes []int
	err   error
}

func (h *historyReading) read(ctx context.Context, query *hm.Query, yield func(HistoryEvent, error) bool) error {
	d := h.device
	if query == nil {
		return &RequestError{Msg: "there is no query"}
	}
	sub, err := d.subscribeAt(ctx, sdc.HistoryService, eventing.Request{
		Dialect: sdc.DialectHistory, Filter: query, Expires: d.consumer.cfg.SubscriptionLength, Notify: h.notify,
	})
	var ended *eventing.EndError
	switch {
	case err == nil:
		defer h.leave(ctx, sub)
	case errors.As(err, &ended) && h.complete():
		// A short history may be told to its end before the answer to Subscribe has been read.
	default:
		return err
	}
	for {
		report, err := h.next(ctx, sub)
		if err != nil {
			return err
		}
		if err := h.tell(report, yield); err != nil {
			return err
		}
		if report.Last {
			return nil
		}
	}
}

// leave waits a little for the device to end the subscription, as it should (SDPi R0525), and ends it otherwise.
func (h *historyReading) leave(ctx context.Context, sub *eventing.Subscription) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), h.device.consumer.cfg.RequestTimeout)
	defer cancel()
	if h.complete() {
		wait := time.NewTimer(time.Second)
		defer wait.Stop()
		select {
		case <-sub.Done():
		case <-wait.C:
		}
	}
	if err := sub.Unsubscribe(ctx); err != nil {
		h.device.log.Debug("unsubscribing from the history", "error", err)
	}
}

func (h *historyReading) complete() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return errors.Is(h.err, errComplete)
}

// errComplete says that the last report has arrived.
var errComplete = errors.New("complete")

// notify takes one notification; like Device.notify it does nothing slow (EVT-5).
func (h *historyReading) notify(_ context.Context, r *soap.Request) error {
	repeated, lost := h.numbers.check(&r.Header)
	if repeated {
		return nil
	}
	size := 0
	report, err := soap.Decode(r.Envelope, hm.Name("ChangeSequenceReport"), func(s *xmlscan.Scanner) (*hm.Report, error) {
		size = s.Size()
		return hm.Decode(s, h.device.consumer.cfg.decode())
	})
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.err != nil:
		return nil // nothing that comes after the end counts
	case lost != nil:
		h.err = fmt.Errorf("%w: %w", ErrHistoryIncomplete, lost)
	case err != nil:
		h.err = fmt.Errorf("%w: %w", ErrHistoryIncomplete, err)
	case h.bytes+size > maxHistoryQueue && len(h.queue) > 0:
		h.err = ErrSlowReader
	default:
		h.queue, h.sizes, h.bytes = append(h.queue, report), append(h.sizes, size), h.bytes+size
		if report.Last {
			h.err = errComplete
		}
	}
	select {
	case h.wake <- struct{}{}:
	default:
	}
	return nil
}

// next waits for the next report.
func (h *historyReading) next(ctx context.Context, sub *eventing.Subscription) (*hm.Report, error) {
	var done <-chan struct{} // never, if everything has arrived already
	if sub != nil {
		done = sub.Done()
	}
	for ended := false; ; {
		h.mu.Lock()
		if len(h.queue) > 0 {
			r := h.queue[0]
			h.bytes -= h.sizes[0]
			h.queue, h.sizes = h.queue[1:], h.sizes[1:]
			h.mu.Unlock()
			return r, nil
		}
		err := h.err
		h.mu.Unlock()
		switch {
		case err != nil:
			return nil, err
		case ended: // and the queue was looked at afterwards
			return nil, fmt.Errorf("%w: %w", ErrHistoryIncomplete, sub.Err())
		}
		select {
		case <-h.wake:
		case <-done:
			ended = true
		case <-h.device.ctx.Done():
			return nil, fmt.Errorf("%w: %w", ErrHistoryIncomplete, h.device.endCause())
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// tell yields what one notification holds.
func (h *historyReading) tell(r *hm.Report, yield func(HistoryEvent, error) bool) error {
	status := r.Status
	give := func(e HistoryEvent) error {
		e.Status, status = status, nil
		if !yield(e, nil) {
			return errStopped
		}
		return nil
	}
	for i := range r.Sequences {
		c := &r.Sequences[i]
		var texts []pm.LocalizedText
		for _, t := range c.Texts {
			texts = append(texts, t.Text...)
		}
		if c.MDIB != nil {
			e := HistoryEvent{Time: c.MDIB.Time.Time(), Initial: true, Texts: texts}
			texts = nil
			h.mirror = mdib.NewMirror(mdib.MirrorConfig{})
			snapshot, err := h.mirror.Reset(c.MDIB.Response)
			if h.known = err == nil; h.known {
				e.MDIB = snapshot
			} else {
				h.device.log.Warn("a former MDIB is unusable", "error", err)
			}
			e.Version = mdib.VersionOf(c.MDIB.Response.MdibVersionGroup)
			h.last = e.Version
			if err := give(e); err != nil {
				return err
			}
		}
		for j := range c.Reports {
			e := HistoryEvent{Time: c.Reports[j].Time.Time(), Report: c.Reports[j].Report, Texts: texts}
			texts = nil
			e.Version = mdib.VersionOf(*e.Report.Version())
			if e.Version.SequenceID == h.last.SequenceID && e.Version.InstanceID == h.last.InstanceID && e.Version.MdibVersion < h.last.MdibVersion {
				return fmt.Errorf("%w: version %d is told after %d", ErrHistoryIncomplete, e.Version.MdibVersion, h.last.MdibVersion)
			}
			h.last = e.Version
			h.apply(&e)
			if err := give(e); err != nil {
				return err
			}
		}
	}
	if len(status) > 0 {
		return give(HistoryEvent{})
	}
	return nil
}

// apply makes the MDIB after a report, as far as that can be known.
func (h *historyReading) apply(e *HistoryEvent) {
	if !h.known {
		return
	}
	change, err := h.mirror.Apply(e.Report)
	if err != nil {
		h.known = false
		h.device.log.Debug("a report of the history cannot be applied", "report", e.Report.BodyName().Local, "error", err)
		return
	}
	e.MDIB, e.Change = change.After, change
}
