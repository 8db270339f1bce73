package oracle

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/consumer"
)

// Verdict is what an Observer found.
type Verdict struct {
	// Committed is how many versions the device has had since the Observer began, Seen how many of them were seen one by one.
	Committed, Seen int
	// Announced is how many were not seen but lie within gaps, Unannounced how many are missing without any.
	Announced, Unannounced int
	// Gaps is how many gaps there were.
	Gaps int
	// Wrong lists everything that is not as it must be, the first few; with Unannounced 0 and nothing wrong the consumer has kept its promise.
	Wrong []string
}

// Observer follows one application's view of the device.
type Observer struct {
	h *History

	mu      sync.Mutex
	verdict Verdict
	started bool
	start   int
	at      int // position in the history
	last    *mdib.Snapshot
	link    consumer.Link
	changed chan struct{} // closed and replaced with every update
}

// NewObserver returns an observer that has seen nothing.
func NewObserver(h *History) *Observer { return &Observer{h: h, changed: make(chan struct{})} }

// Follow takes the updates of a device until they end, and returns why.
func (o *Observer) Follow(ctx context.Context, d *consumer.Device) error {
	for u, err := range d.Updates(ctx) {
		if err != nil {
			return err
		}
		o.Take(u)
	}
	return nil
}

// maxWrong bounds Verdict.Wrong.
const maxWrong = 10

func (o *Observer) wrong(format string, args ...any) {
	if len(o.verdict.Wrong) < maxWrong {
		o.verdict.Wrong = append(o.verdict.Wrong, fmt.Sprintf(format, args...))
	}
}

// Take judges one update.
func (o *Observer) Take(u consumer.Update) {
	o.h.mu.Lock()
	defer o.h.mu.Unlock()
	o.mu.Lock()
	defer o.mu.Unlock()
	defer func() {
		close(o.changed)
		o.changed = make(chan struct{})
	}()
	o.link = u.Link
	at, known := o.h.find(u.Snapshot)
	if !known {
		o.wrong("version %v never was", u.Snapshot.Version())
		return
	}
	was := o.last
	o.last = u.Snapshot
	if !o.started {
		o.started, o.start, o.at = true, at, at
		o.compare(u, at)
		return
	}
	if u.Before != was {
		o.wrong("the update to version %d does not begin where the one before ended", u.Snapshot.Version().MdibVersion)
	}
	missing := at - o.at - 1
	switch {
	case at < o.at:
		o.wrong("the view went back from version %v to %v", o.h.entries[o.at].version, u.Snapshot.Version())
	case u.Gap != nil:
		o.verdict.Gaps++
		o.verdict.Announced += max(missing, 0)
		if u.Gap.From != o.h.entries[o.at].version || u.Gap.To != u.Snapshot.Version() {
			o.wrong("a gap from %v to %v is announced as one from %v to %v", o.h.entries[o.at].version, u.Snapshot.Version(), u.Gap.From, u.Gap.To)
		}
		if missing >= 0 && o.h.entries[o.at+1].at.Before(u.Gap.Stale.Add(-transit)) {
			o.wrong("the gap is said to begin at %v, but the first missing change is from %v", u.Gap.Stale, o.h.entries[o.at+1].at)
		}
		if at > o.at {
			o.verdict.Seen++
		}
	case missing > 0:
		o.verdict.Unannounced += missing
		o.wrong("%d versions after %v are missing", missing, o.h.entries[o.at].version)
	case missing == 0:
		o.verdict.Seen++
	}
	o.at = at
	o.compare(u, at)
}

// transit is how wrong the moment of confirmation may be: data are known to be good when a report was sent, not when it arrived, and how long it was
// under way is measured once every interval of proof.
const transit = 6 * time.Second

// find returns the position of a snapshot. The caller holds h.mu.
func (h *History) find(s *mdib.Snapshot) (int, bool) {
	v := s.Version()
	i, ok := h.byKey[key{v.SequenceID, v.MdibVersion}]
	return i, ok
}

// compare checks the content of the snapshot: all of it after a reading, what has changed after a report.
func (o *Observer) compare(u consumer.Update, at int) {
	truth := o.h.entries[at].state
	if truth == nil {
		return
	}
	if u.Change == nil || at%64 == 0 {
		if !u.Snapshot.ContentEqual(truth) {
			o.wrong("the content of version %d is not the device's", u.Snapshot.Version().MdibVersion)
		}
		return
	}
	for _, c := range u.Change.States {
		if s, ok := truth.State(c.Handle); !ok || !pm.EqualState(s, c.After) {
			o.wrong("state %q in version %d is not the device's", c.Handle, u.Snapshot.Version().MdibVersion)
		}
	}
}

// Check judges what an application is shown at this moment: live data must not lack what the device did longer than bound ago, and must not be said to be
// confirmed later than that.
func (o *Observer) Check(v consumer.View, bound time.Duration) { o.CheckAt(v, time.Now(), bound) }

// CheckAt judges what an application was shown at a moment.
func (o *Observer) CheckAt(v consumer.View, now time.Time, bound time.Duration) {
	o.h.mu.Lock()
	defer o.h.mu.Unlock()
	o.mu.Lock()
	defer o.mu.Unlock()
	at, known := o.h.find(v.MDIB)
	if !known || at+1 == len(o.h.entries) {
		return
	}
	next := o.h.entries[at+1]
	if late := now.Sub(next.at); v.Live() && late > bound {
		o.wrong("version %d is shown as live %v after the next one", v.MDIB.Version().MdibVersion, late)
	}
	if v.Confirmed.After(next.at.Add(transit)) {
		o.wrong("version %d is said to be good at %v, but the next one is from %v", v.MDIB.Version().MdibVersion, v.Confirmed, next.at)
	}
}

// Caught waits until the view is live and has all that the device has done.
func (o *Observer) Caught(ctx context.Context) error {
	for {
		o.h.mu.Lock()
		n := len(o.h.entries)
		o.mu.Lock()
		done := o.started && o.at == n-1 && o.link.State == consumer.Live
		where, changed := fmt.Sprintf("at %d of %d, %s: %v", o.at, n-1, o.link.State, o.link.Cause), o.changed
		o.mu.Unlock()
		o.h.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("the view is %s: %w", where, context.Cause(ctx))
		}
	}
}

// SoFar is the verdict on what has been seen, without asking what has not: for an observer that leaves in the middle.
func (o *Observer) SoFar() Verdict {
	o.mu.Lock()
	defer o.mu.Unlock()
	v := o.verdict
	if o.started {
		v.Committed = o.at - o.start
	}
	return v
}

// Verdict sums up. To be called once the view has caught up: what it lacks then counts as lost without announcement.
func (o *Observer) Verdict() Verdict {
	o.h.mu.Lock()
	defer o.h.mu.Unlock()
	o.mu.Lock()
	defer o.mu.Unlock()
	v := o.verdict
	v.Committed = len(o.h.entries) - 1 - o.start
	v.Unannounced += len(o.h.entries) - 1 - o.at
	if sum := v.Seen + v.Announced + v.Unannounced; sum != v.Committed {
		o.wrong("%d versions were seen, announced or missed, of %d", sum, v.Committed)
		v.Wrong = o.verdict.Wrong
	}
	return v
}
