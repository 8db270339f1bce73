package consumer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/soap"
	"github.com/semeco/go-sdc/soap/eventing"
)

// A link is live on evidence only. Reports in order are evidence, and cost nothing. From a device that has been silent for
// Config.ProofInterval evidence is asked for: which MDIB version it has, and whether it still knows the subscriptions. A
// version that the mirror does not reach within another interval is a loss, although nothing came that could show a gap.

// SilenceError says that a device was silent and did not answer when it was asked for a sign of life.
type SilenceError struct {
	// Since is the last sign of life.
	Since time.Time
	// Err is why asking failed.
	Err error
}

func (e *SilenceError) Error() string {
	return fmt.Sprintf("no sign of life since %s: %v", e.Since.Format(time.TimeOnly), e.Err)
}

// Unwrap returns why asking failed.
func (e *SilenceError) Unwrap() error { return e.Err }

// owed is an MDIB version that the device has and the mirror has not.
type owed struct {
	version uint64
	since   time.Time // zero: nothing is owed
}

// confirm notes that the snapshot was what the device had. The caller holds d.mu.
func (d *Device) confirm(at time.Time) {
	if at.After(d.confirmed) {
		d.confirmed = at
	}
}

// untilProof is how long the device may stay silent before it is asked.
func (d *Device) untilProof() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	due := d.confirmed.Add(d.consumer.cfg.ProofInterval)
	if next := d.asked.Add(d.consumer.cfg.ProofInterval); next.After(due) {
		due = next
	}
	if d.link.State != Live {
		return d.consumer.cfg.ProofInterval
	}
	return max(time.Until(due), 0)
}

// prove asks a live device for a sign of life, and turns the link stale if there is none. It is given up, without consequences, when
// ctx ends.
func (d *Device) prove(ctx context.Context) {
	d.mu.Lock()
	began, limit := time.Now(), min(d.consumer.cfg.ProofInterval, d.consumer.cfg.RequestTimeout)
	live, subs, silent := d.link.State == Live, d.subs, d.confirmed
	d.asked = began
	d.mu.Unlock()
	if !live {
		return
	}
	asking, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var wg sync.WaitGroup
	for _, s := range subs {
		wg.Go(func() {
			d.checkStatus(asking, s)
		})
	}
	err := d.proveVersion(asking, began)
	wg.Wait()
	if err == nil || ctx.Err() != nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.link.State == Live && !d.confirmed.After(began) { // otherwise reports came meanwhile
		d.log.Warn("no sign of life", "since", silent, "error", err)
		d.goStale(&SilenceError{Since: silent, Err: err})
	}
}

// proveVersion asks for as little as carries the version of the MDIB.
func (d *Device) proveVersion(ctx context.Context, began time.Time) error {
	answer, err := d.call(ctx, sdc.GetService, sdc.ActionGetMdState, &msg.GetMdState{HandleRef: d.smallest()})
	var fault *soap.Fault
	if errors.As(err, &fault) {
		// It lives, and that is all there is to learn from it.
		return d.unproven(began)
	}
	if err != nil {
		return err
	}
	resp, ok := answer.(*msg.GetMdStateResponse)
	if !ok {
		return d.unproven(began)
	}
	got := mdib.VersionOf(resp.MdibVersionGroup)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.link.State != Live {
		return nil
	}
	have := d.snapshot.Load().Version()
	switch {
	case !got.SameSequence(have):
		d.goStale(&mdib.SequenceError{Have: have, Got: got})
	case !d.complete:
		// The versions in between may be those of reports that nobody has subscribed to.
		d.confirm(began)
	case got.MdibVersion <= have.MdibVersion:
		d.confirm(began)
		d.owed = owed{}
	case d.owed.since.IsZero() || have.MdibVersion >= d.owed.version:
		d.owed = owed{version: got.MdibVersion, since: began} // it may be on its way
	case began.Sub(d.owed.since) >= d.consumer.cfg.ProofInterval:
		d.goStale(&mdib.GapError{Have: have.MdibVersion, Got: got.MdibVersion})
	}
	return nil
}

// unproven takes an answer without a version for a sign of life.
func (d *Device) unproven(began time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.confirm(began)
	return nil
}

// smallest is a handle whose state is small to ask for: that of an MDS would stand for everything in it.
func (d *Device) smallest() []string {
	s := d.snapshot.Load()
	for root := range s.Roots() {
		for h := range s.Children(root) {
			return []string{h}
		}
		return []string{root}
	}
	return nil
}

// checkStatus asks whether the device still knows a subscription. A refusal counts only from a device that has answered the question before: some know
// GetStatus by name only. Whether the device can be reached at all is shown by the other question.
func (d *Device) checkStatus(ctx context.Context, s *eventing.Subscription) {
	_, err := s.GetStatus(ctx)
	var fault *soap.Fault
	switch {
	case err == nil:
		d.mu.Lock()
		d.tellsStatus = true
		d.mu.Unlock()
	case errors.As(err, &fault) && fault.Status != 503:
		d.mu.Lock()
		counts := d.tellsStatus
		d.mu.Unlock()
		if counts {
			d.subscriptionBroken(s, fmt.Errorf("the device has forgotten a subscription: %w", err))
		}
	}
}
