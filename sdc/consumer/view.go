package consumer

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
)

// View is a snapshot together with what is known of its freshness, taken in one step. Whoever shows values should take them from
// a View or by [Current]: with [Device.MDIB] and [Device.Link] one after the other, the link may have changed in between.
type View struct {
	// MDIB is the snapshot, nil while the device is being connected.
	MDIB *mdib.Snapshot
	// Link is the link as it was at that moment; only with Live is MDIB what the device has.
	Link Link
	// Confirmed is the last moment at which MDIB was known to be what the device has: when the last report arrived, less the time that reports
	// took when that was measured last (Config.ProofInterval), or when the device was asked. It stands still while the link is not live.
	Confirmed time.Time
	// Clock compares the device's clock with this host's.
	Clock Clock

	read    time.Time // when the MDIB was read
	covered kinds
}

// Live tells whether the snapshot is what the device has.
func (v View) Live() bool { return v.Link.State == Live }

// ConfirmedOf is Confirmed for one entity, by the handle of its state or descriptor. It is earlier than Confirmed, namely when the MDIB was read, for
// states whose reports are not subscribed to. The zero time is returned for handles that are not in the snapshot.
func (v View) ConfirmedOf(handle string) time.Time {
	if v.MDIB == nil {
		return time.Time{}
	}
	kind := mdib.KindDescription
	if s, ok := v.MDIB.State(handle); ok {
		kind = mdib.KindOf(s)
	} else if _, ok := v.MDIB.Descriptor(handle); !ok {
		return time.Time{}
	}
	if v.covered.has(kind) {
		return v.Confirmed
	}
	return v.read
}

// View returns snapshot, link and freshness as they are now. A link whose last evidence is older than twice Config.ProofInterval is shown as Stale even if
// nobody has noticed yet, as in the first moment after the process was stopped and continued.
func (d *Device) View() View {
	d.mu.Lock()
	defer d.mu.Unlock()
	return View{MDIB: d.snapshot.Load(), Link: d.shown(time.Now()), Confirmed: d.confirmed, Clock: d.clock, read: d.read, covered: d.covered}
}

// errNotAsked is why a link turns stale whose device could not be asked in time.
var errNotAsked = errors.New("this process stood still: the device was not asked")

// outdated tells whether the link is called live without recent evidence: asking for it needs a process that runs and was not just stopped for an hour.
// The caller holds d.mu.
func (d *Device) outdated(now time.Time) bool {
	return d.link.State == Live && now.Sub(d.confirmed) > 2*d.consumer.cfg.ProofInterval
}

// shown is the link as an application may see it. The caller holds d.mu.
func (d *Device) shown(now time.Time) Link {
	if !d.outdated(now) {
		return d.link
	}
	return Link{
		State: Stale, Since: d.confirmed.Add(2 * d.consumer.cfg.ProofInterval), StaleSince: d.confirmed,
		Cause: &SilenceError{Since: d.confirmed, Err: errNotAsked},
	}
}

// notice turns an outdated link stale. What arrives then, in order though it may be, has waited in the network while this process stood still,
// and is no evidence of the present. The caller holds d.mu.
func (d *Device) notice(now time.Time) {
	if d.outdated(now) {
		d.log.Warn("no evidence in time", "since", d.confirmed)
		d.goStale(&SilenceError{Since: d.confirmed, Err: errNotAsked})
	}
}

// Age tells how long ago the value shown for an entity was last known to be what the device has. It grows without end while the
// link is not live, and for states whose reports are not subscribed to. While live it stays below twice Config.ProofInterval. ok is false for
// handles that are not in the snapshot.
func (d *Device) Age(handle string) (age time.Duration, ok bool) {
	at := d.View().ConfirmedOf(handle)
	if at.IsZero() {
		return 0, false
	}
	return time.Since(at), true
}

// StaleError says that a value may be outdated.
type StaleError struct {
	// Handle is that of the value.
	Handle string
	// Link is the link at that moment.
	Link Link
	// Confirmed is the last moment at which the value was known to be what the device has.
	Confirmed time.Time
}

func (e *StaleError) Error() string {
	return fmt.Sprintf("%q may be outdated since %s: the link is %s", e.Handle, e.Confirmed.Format(time.RFC3339), e.Link.State)
}

// Unwrap returns the cause of the link's state.
func (e *StaleError) Unwrap() error { return e.Link.Cause }

// Current returns a state or descriptor as [mdib.Get] does, but only while the link is live. Otherwise the error is a *StaleError and the value is
// the last one known; for a handle that is not there, or not of type T, it wraps mdib.ErrUnknownHandle.
func Current[T any](d *Device, handle string) (T, error) {
	v := d.View()
	var value T
	ok := false
	if v.MDIB != nil {
		value, ok = mdib.Get[T](v.MDIB, handle)
	}
	switch {
	case !v.Live():
		return value, &StaleError{Handle: handle, Link: v.Link, Confirmed: v.ConfirmedOf(handle)}
	case !ok:
		return value, fmt.Errorf("%q as %T: %w", handle, value, mdib.ErrUnknownHandle)
	}
	return value, nil
}

// kinds is a set of kinds of changes.
type kinds uint32

func (k kinds) has(kind mdib.Kind) bool { return k&(1<<kind) != 0 }

// kindsTold tells of which kinds of changes the notifications subscribed to tell.
func kindsTold(actions []string) (k kinds) {
	for kind, action := range map[mdib.Kind]string{
		mdib.KindMetric:      sdc.ActionEpisodicMetricReport,
		mdib.KindWaveform:    sdc.ActionWaveformStream,
		mdib.KindAlert:       sdc.ActionEpisodicAlertReport,
		mdib.KindComponent:   sdc.ActionEpisodicComponentReport,
		mdib.KindContext:     sdc.ActionEpisodicContextReport,
		mdib.KindOperational: sdc.ActionEpisodicOperationalStateReport,
		mdib.KindDescription: sdc.ActionDescriptionModificationReport,
	} {
		if slices.Contains(actions, action) {
			k |= 1 << kind
		}
	}
	return k
}

// StateGapError says that the version of a state does not follow the one known: a report about it was missed (BICEPS R0038_0), or, if it has fallen, what is known or what
// was told is not what the device has (BICEPS R5003).
type StateGapError struct {
	// Handle is that of the state.
	Handle string
	// Have and Got are the state versions known and received.
	Have, Got uint64
}

func (e *StateGapError) Error() string {
	if e.Got < e.Have {
		return fmt.Sprintf("state version %d of %q came after %d: versions never fall", e.Got, e.Handle, e.Have)
	}
	return fmt.Sprintf("reports are missing: state version %d of %q follows %d", e.Got, e.Handle, e.Have)
}

// stateGap looks for a state whose version leaves some out, or has fallen. Periodic reports may leave some out: they tell of the last of several changes.
func stateGap(c *mdib.Change) error {
	if len(c.Notes) == 0 || c.Periodic {
		return nil // a jump is always noted
	}
	for _, s := range c.Ignored {
		return &StateGapError{Handle: s.Handle, Have: version(s.Before), Got: version(s.After)}
	}
	for i := range c.States {
		before, after := c.States[i].Before, c.States[i].After
		if before == nil {
			continue
		}
		if have, got := version(before), version(after); got > have+1 {
			return &StateGapError{Handle: c.States[i].Handle, Have: have, Got: got}
		}
	}
	return nil
}

func version(s pm.State) uint64 { return s.BaseState().StateVersion }
