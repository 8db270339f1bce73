package history

import (
	"iter"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
)

// Revision is a descriptor or a state as it was for a while.
type Revision struct {
	// Handle is that of the descriptor, for context states their own.
	Handle string
	// Descriptor is without its children; nil for a state.
	Descriptor pm.Descriptor
	// State is nil for a descriptor.
	State pm.State
	// From is when the revision began to hold, or the start of what is known. Until is when it ended; zero if it still holds.
	From, Until time.Time
}

// In tells whether the revision held at some time of a span, both ends included; a zero time is an open end.
func (r *Revision) In(start, end time.Time) bool {
	return (end.IsZero() || !r.From.After(end)) && (start.IsZero() || r.Until.IsZero() || r.Until.After(start))
}

// Descriptors yields the revisions of descriptors in the order they began in.
func (v View) Descriptors() iter.Seq[Revision] {
	return func(yield func(Revision) bool) {
		t := newTracker(v.count(func(c *mdib.Change) int { return len(c.Descriptors) }))
		for e := range v.Base.Entities() {
			t.begin(v.Start, Revision{Handle: e.Handle, Descriptor: e.Descriptor})
		}
		for _, e := range v.Entries {
			for i := range e.Change.Descriptors {
				d := &e.Change.Descriptors[i]
				if d.Type == msg.DescriptionModificationTypeDel {
					t.end(e.At, d.Handle)
				} else {
					t.begin(e.At, Revision{Handle: d.Handle, Descriptor: d.After})
				}
			}
		}
		t.yield(yield)
	}
}

// count is how many revisions there can be at most: what there was, and what each change began.
func (v View) count(of func(*mdib.Change) int) int {
	n := 0
	for range v.Base.Entities() {
		n++
	}
	for i := range v.Entries {
		n += of(v.Entries[i].Change)
	}
	return n
}

// States yields the revisions of states in the order they began in.
func (v View) States() iter.Seq[Revision] {
	return func(yield func(Revision) bool) {
		t := newTracker(v.count(func(c *mdib.Change) int { return len(c.States) }))
		for e := range v.Base.Entities() {
			if e.State != nil {
				t.begin(v.Start, Revision{Handle: e.Handle, State: e.State})
			}
			for _, c := range e.Contexts {
				t.begin(v.Start, Revision{Handle: c.BaseMulti().Handle, State: c})
			}
		}
		for _, e := range v.Entries {
			for i := range e.Change.Descriptors {
				d := &e.Change.Descriptors[i]
				if d.Type != msg.DescriptionModificationTypeDel {
					continue
				}
				t.end(e.At, d.Handle)
				for c := range e.Change.Before.ContextStates(d.Handle) {
					t.end(e.At, c.BaseMulti().Handle)
				}
			}
			for i := range e.Change.States {
				s := &e.Change.States[i]
				t.begin(e.At, Revision{Handle: s.Handle, State: s.After})
			}
		}
		t.yield(yield)
	}
}

// tracker collects revisions.
type tracker struct {
	revisions []Revision
	open      map[string]int // index of the one that holds, by handle
}

// newTracker makes room for as many as are expected: grown bit by bit, they would leave several times as much to the collector.
func newTracker(n int) *tracker {
	return &tracker{revisions: make([]Revision, 0, n), open: map[string]int{}}
}

func (t *tracker) begin(at time.Time, r Revision) {
	t.end(at, r.Handle)
	r.From = at
	t.open[r.Handle] = len(t.revisions)
	t.revisions = append(t.revisions, r)
}

func (t *tracker) end(at time.Time, handle string) {
	if i, ok := t.open[handle]; ok {
		t.revisions[i].Until = at
		delete(t.open, handle)
	}
}

func (t *tracker) yield(yield func(Revision) bool) {
	for _, r := range t.revisions {
		if !yield(r) {
			return
		}
	}
}
