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

// A link is live on evidence only. Reports in order are evidence that nothing is missing, but not that they are recent: a network, or a
// device with a long queue, may deliver each of them late. So a device is asked for its MDIB version every Config.ProofInterval, and, when it has been
// silent for so long, whether it still knows the subscriptions. A version that the mirror does not reach within another interval
// is a loss or a delay that nobody should take for live, although nothing came that could show a gap.

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

// LagError says that what a device has done does not arrive, or arrives much too late, although something may arrive all the time.
type LagError struct {
	// Have is the MDIB version of the mirror, Owed the one that the device said it had.
	Have, Owed uint64
	// Since is when the device was asked.
	Since time.Time
}

func (e *LagError) Error() string {
	return fmt.Sprintf("reports are lost or late: the device had MDIB version %d at %s, have %d", e.Owed, e.Since.Format(time.TimeOnly), e.Have)
}

// How often asking is repeated when it fails without a time-out, and after what time.
const (
	proofRepeats = 2
	proofPause   = 250 * time.Millisecond
)

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

// heard takes a report that was applied for evidence. The caller holds d.mu.
func (d *Device) heard(at time.Time, version uint64) {
	d.lastReport = at
	if !d.owed.since.IsZero() && version >= d.owed.version {
		d.lag, d.owed = at.Sub(d.owed.since), owed{}
	}
	at = at.Add(-d.lag)
	if !d.owed.since.IsZero() && at.After(d.owed.since) {
		at = d.owed.since // by then the device had something else already
	}
	d.confirm(at)
}

// untilProof is how long it is until the device is to be asked.
func (d *Device) untilProof() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.link.State != Live {
		return d.consumer.cfg.ProofInterval
	}
	last := d.read
	if d.asked.After(last) {
		last = d.asked
	}
	return max(time.Until(last.Add(d.consumer.cfg.ProofInterval)), 0)
}

// prove asks a live device for a sign of life, and turns the link stale if there is none. It is given up, without consequences, when
// ctx ends.
func (d *Device) prove(ctx context.Context) {
	d.mu.Lock()
	began, limit := time.Now(), min(d.consumer.cfg.ProofInterval, d.consumer.cfg.RequestTimeout)
	d.notice(began)
	live, subs, silent := d.link.State == Live, d.subs, d.confirmed
	if began.Sub(d.lastReport) < d.consumer.cfg.ProofInterval {
		subs = nil // they deliver
	}
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
			d.checkStatus(asking, s, false)
		})
	}
	err := d.proveVersion(asking, began)
	for again := 0; again < proofRepeats && err != nil && asking.Err() == nil; again++ {
		// A connection that has broken shows nothing: only that none can be made does.
		if !pauseWithin(asking, proofPause) {
			break
		}
		err = d.proveVersion(asking, began)
	}
	wg.Wait()
	if err == nil || ctx.Err() != nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.link.State == Live && !d.lastReport.After(began) { // otherwise reports came meanwhile
		d.log.Warn("no sign of life", "since", silent, "error", err)
		d.goStale(&SilenceError{Since: silent, Err: err})
	}
}

// proveVersion asks for as little as carries the version of the MDIB.
func (d *Device) proveVersion(ctx context.Context, began time.Time) error {
	answer, err := d.call(ctx, sdc.GetService, sdc.ActionGetMdState, &msg.GetMdState{HandleRef: d.smallest()})
	var fault *soap.Fault
	var unusable *AnswerError
	if errors.As(err, &fault) || errors.As(err, &unusable) {
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
		d.lag, d.owed = 0, owed{}
	case d.owed.since.IsZero():
		d.owed = owed{version: got.MdibVersion, since: began} // it may be on its way
		if d.confirmed.After(began) {
			d.confirmed = began // reports were thought to be more recent than they were
		}
	case began.Sub(d.owed.since) >= d.consumer.cfg.ProofInterval:
		d.goStale(&LagError{Have: have.MdibVersion, Owed: d.owed.version, Since: d.owed.since})
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
// GetStatus by name only. After a loss it counts always, because subscribing anew does no harm then. Whether the device can be reached at all is shown by other
// questions.
func (d *Device) checkStatus(ctx context.Context, s *eventing.Subscription, afterLoss bool) {
	_, err := s.GetStatus(ctx)
	var fault *soap.Fault
	switch {
	case err == nil:
		d.mu.Lock()
		d.tellsStatus = true
		d.mu.Unlock()
	case errors.As(err, &fault) && fault.Status != 503:
		d.mu.Lock()
		counts := d.tellsStatus || afterLoss
		d.mu.Unlock()
		if counts {
			d.subscriptionBroken(s, fmt.Errorf("the device has forgotten a subscription: %w", err))
		}
	}
}
