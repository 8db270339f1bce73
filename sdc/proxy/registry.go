package proxy

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/soap"
)

// entry is one device that is listed.
type entry struct {
	endpoint discovery.Endpoint
	sequence *discovery.Sequence // of its last Hello, if that had one
	owner    string              // who announced it
	heard    time.Time           // last sign of life

	due    time.Time // of the next check
	index  int       // in the queue of checks; -1 while it is not in there
	failed bool      // the last check
	gone   bool
}

// registry is the list of devices, with the order in which they are to be checked. It is guarded by its owner's lock.
type registry struct {
	max, perOwner int
	every, silent time.Duration
	entries       map[string]*entry // by EPR
	owned         map[string]int    // entries of each owner
	queue         checkQueue
}

func newRegistry(cfg *Config) *registry {
	return &registry{
		max: cfg.MaxEntries, perOwner: cfg.MaxPerPeer, every: cfg.CheckEvery, silent: cfg.SilentAfter,
		entries: map[string]*entry{}, owned: map[string]int{},
	}
}

// Bounds of one entry.
const (
	maxXAddrs   = 16
	maxEndpoint = 8 << 10 // bytes of all its texts
)

// news says what a Hello has changed.
type news uint8

const (
	nothing   news = iota // old, or nothing but a sign of life
	changed               // a new device, or other metadata
	restarted             // a new life of a device that was listed
)

// hello takes a Hello. The error is a fault that says why it is refused; then nothing has changed.
func (r *registry) hello(a discovery.Announcement, owner string, now time.Time) (news, error) {
	e := a.Endpoint
	size := len(e.EPR)
	for _, s := range slices.Concat(e.Scopes, e.XAddrs) {
		size += len(s)
	}
	for _, t := range e.Types {
		size += len(t.Space) + len(t.Local)
	}
	switch {
	case !strings.Contains(e.EPR, ":"):
		return nothing, soap.InvalidMessage("the endpoint reference is no URI")
	case len(e.XAddrs) > maxXAddrs || size > maxEndpoint:
		return nothing, soap.InvalidMessage(fmt.Sprintf("more than %d addresses or %d bytes of metadata", maxXAddrs, maxEndpoint))
	}
	known := r.entries[e.EPR]
	if known == nil {
		switch {
		case len(r.entries) >= r.max:
			return nothing, soap.EndpointUnavailable("the discovery proxy has too many devices", time.Minute)
		case r.owned[owner] >= r.perOwner:
			return nothing, soap.EndpointUnavailable("the discovery proxy has too many devices of this peer", time.Minute)
		}
		r.insert(&entry{endpoint: e, sequence: a.Sequence, owner: owner, heard: now})
		return changed, nil
	}
	if known.owner != owner {
		// Perhaps the device has moved to another certificate holder. Then the former does not answer any more.
		r.schedule(known, now)
		return nothing, errOwner
	}
	what := nothing
	switch s, was := a.Sequence, known.sequence; {
	case s == nil || was == nil:
	case s.Instance == was.Instance && s.Number <= was.Number:
		return nothing, nil // a repetition, or overtaken
	case s.Instance != was.Instance:
		what = restarted
	}
	if what == nothing && !known.endpoint.Equal(e) {
		what = changed
	}
	known.endpoint, known.sequence = e, a.Sequence
	r.alive(known, now)
	return what, nil
}

// errOwner refuses what another than the one who announced a device says of it.
var errOwner = soap.NewFault(soap.CodeSender, "the endpoint is announced by another certificate holder")

// bye takes a Bye; false when there is nothing to be said of it.
func (r *registry) bye(a discovery.Announcement, owner string) (bool, error) {
	known := r.entries[a.Endpoint.EPR]
	switch {
	case known == nil:
		return false, nil
	case known.owner != owner:
		return false, errOwner
	}
	if s, was := a.Sequence, known.sequence; s != nil && was != nil && s.Instance == was.Instance && s.Number <= was.Number {
		return false, nil // a Bye that has been overtaken by a Hello
	}
	r.remove(known)
	return true, nil
}

func (r *registry) insert(e *entry) {
	r.entries[e.endpoint.EPR] = e
	r.owned[e.owner]++
	e.index = -1
	r.alive(e, e.heard)
}

func (r *registry) remove(e *entry) {
	delete(r.entries, e.endpoint.EPR)
	if r.owned[e.owner]--; r.owned[e.owner] == 0 {
		delete(r.owned, e.owner)
	}
	e.gone = true
	if e.index >= 0 {
		heap.Remove(&r.queue, e.index)
	}
}

// alive notes a sign of life and puts the next check off.
func (r *registry) alive(e *entry, now time.Time) {
	e.heard, e.failed = now, false
	if len(e.endpoint.XAddrs) == 0 {
		r.schedule(e, now.Add(r.silent))
		return
	}
	// Spread, so that devices that came together are not asked together for ever.
	r.schedule(e, now.Add(r.every*3/4+rand.N(r.every/2+1)))
}

func (r *registry) schedule(e *entry, due time.Time) {
	e.due = due
	if e.index < 0 {
		heap.Push(&r.queue, e)
		return
	}
	heap.Fix(&r.queue, e.index)
}

// next takes out the device to be checked first if its time has come; otherwise it says when that will be.
func (r *registry) next(now time.Time) (e *entry, due time.Time) {
	if len(r.queue) == 0 {
		return nil, now.Add(r.every)
	}
	if first := r.queue[0]; first.due.After(now) {
		return nil, first.due
	}
	return heap.Pop(&r.queue).(*entry), now
}

// match returns the devices that are looked for, in the order of their EPRs.
func (r *registry) match(f discovery.Filter) []discovery.Endpoint {
	out := []discovery.Endpoint{}
	for _, e := range r.entries {
		if f.Match(e.endpoint) {
			out = append(out, e.endpoint)
		}
	}
	slices.SortFunc(out, func(a, b discovery.Endpoint) int { return strings.Compare(a.EPR, b.EPR) })
	return out
}

// checkQueue is a heap of entries, the one due first at its top.
type checkQueue []*entry

func (q checkQueue) Len() int           { return len(q) }
func (q checkQueue) Less(i, j int) bool { return q[i].due.Before(q[j].due) }
func (q checkQueue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

// Push implements heap.Interface.
func (q *checkQueue) Push(x any) {
	e := x.(*entry)
	e.index = len(*q)
	*q = append(*q, e)
}

// Pop implements heap.Interface.
func (q *checkQueue) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	e.index = -1
	return e
}
