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
	size     int                 // bytes of what is told of it

	due      time.Time // of the next check
	index    int       // in the queue of checks; -1 while it is not in there
	checking bool      // a check is under way
	failed   bool      // the last check
	gone     bool
}

// peer is what is known of one who announces devices.
type peer struct {
	entries  int
	bytes    int // of all of them
	checking int // checks of them under way
	news     int // what may still be told to subscribers on its behalf
	at       time.Time
}

// registry is the list of devices, with the order in which they are to be checked. It is guarded by its owner's lock.
type registry struct {
	max, perOwner int
	every, silent time.Duration
	entries       map[string]*entry // by EPR
	peers         map[string]*peer  // by owner
	bytes         int               // of all entries
	queue         checkQueue
}

func newRegistry(cfg *Config) *registry {
	return &registry{
		max: cfg.MaxEntries, perOwner: cfg.MaxPerPeer, every: cfg.CheckEvery, silent: cfg.SilentAfter,
		entries: map[string]*entry{}, peers: map[string]*peer{},
	}
}

// Bounds of one entry.
const (
	maxXAddrs   = 16
	maxTexts    = 256     // types, scopes and addresses
	maxEndpoint = 8 << 10 // bytes as they are told
)

// maxMetadata bounds the bytes that are told of all devices together, of which one peer may have a quarter, or more if MaxPerPeer is more than a quarter of MaxEntries: all of them must fit into one answer, of which consumers take 16 MiB.
const maxMetadata = 12 << 20

// fits tells whether there is room for so many bytes more of a peer.
func (r *registry) fits(from *peer, bytes int) bool {
	share := max(maxMetadata/4, min(maxMetadata*r.perOwner/r.max, maxMetadata))
	return bytes <= 0 || r.bytes+bytes <= maxMetadata && from.bytes+bytes <= share
}

// newsEvery is how often a peer has something told to subscribers, in the long run. So that a site can restart at once it is 2 for each of its MaxPerPeer devices before.
const newsEvery = 100 * time.Millisecond

// peerOf returns what is known of an owner, as of now.
func (r *registry) peerOf(owner string, now time.Time) *peer {
	p := r.peers[owner]
	if p == nil {
		p = &peer{news: 2 * r.perOwner, at: now}
		r.peers[owner] = p
	}
	if n := now.Sub(p.at) / newsEvery; n > 0 {
		p.news = int(min(n+time.Duration(p.news), time.Duration(2*r.perOwner)))
		p.at = p.at.Add(n * newsEvery)
	}
	return p
}

// forget drops what is known of an owner once that is nothing.
func (r *registry) forget(owner string, now time.Time) {
	if p := r.peerOf(owner, now); p.entries == 0 && p.checking == 0 && p.news >= 2*r.perOwner {
		delete(r.peers, owner)
	}
}

// tidy forgets owners without devices when there are many.
func (r *registry) tidy(now time.Time) {
	if len(r.peers) > 2*r.max {
		for owner := range r.peers {
			r.forget(owner, now)
		}
	}
}

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
	size := sizeOf(e)
	switch {
	case !strings.Contains(e.EPR, ":"):
		return nothing, soap.InvalidMessage("the endpoint reference is no URI")
	case len(e.XAddrs) > maxXAddrs || len(e.Types)+len(e.Scopes)+len(e.XAddrs) > maxTexts || size > maxEndpoint:
		return nothing, soap.InvalidMessage(fmt.Sprintf("more than %d addresses, %d types, scopes and addresses, or %d bytes of metadata", maxXAddrs, maxTexts, maxEndpoint))
	}
	r.tidy(now)
	from := r.peerOf(owner, now)
	defer r.forget(owner, now) // it may have been refused
	known := r.entries[e.EPR]
	if known == nil {
		switch {
		case len(r.entries) >= r.max:
			return nothing, soap.EndpointUnavailable("the discovery proxy has too many devices", time.Minute)
		case from.entries >= r.perOwner:
			return nothing, soap.EndpointUnavailable("the discovery proxy has too many devices of this peer", time.Minute)
		case !r.fits(from, size):
			return nothing, errRoom
		case from.news < 2:
			return nothing, errNews
		}
		from.news -= 2 // Bye will follow
		r.insert(&entry{endpoint: e, sequence: a.Sequence, owner: owner, heard: now})
		return changed, nil
	}
	if known.owner != owner {
		// Perhaps the device has moved to another certificate holder. Then the former does not answer any more. It is not asked more often because of that than it would be because of a failure,
		// and one that has told no address cannot be asked.
		if due := later(now, known.heard.Add(hurry)); len(known.endpoint.XAddrs) > 0 && due.Before(known.due) {
			r.schedule(known, due)
		}
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
	cost := 0
	switch what {
	case changed:
		cost = 1
	case restarted:
		cost = 2 // Bye and Hello
	}
	switch {
	case !r.fits(from, size-known.size):
		return nothing, errRoom
	case from.news < cost:
		return nothing, errNews
	}
	from.news -= cost
	r.resize(known, size)
	known.endpoint, known.sequence = e, a.Sequence
	r.alive(known, now)
	return what, nil
}

// hurry is for how long a sign of life is enough when somebody else announces a device.
const hurry = 10 * time.Second

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// sizeOf is how many bytes are told of a device.
func sizeOf(e discovery.Endpoint) int { return len(discovery.HelloBody(e).AppendXML(nil)) }

// resize notes the size of an entry.
func (r *registry) resize(e *entry, size int) {
	r.bytes += size - e.size
	r.peers[e.owner].bytes += size - e.size
	e.size = size
}

// errRoom refuses metadata for which there is no room.
var errRoom = soap.EndpointUnavailable("the discovery proxy has too much metadata, of all devices or of this peer", time.Minute)

// errNews refuses what would have every subscriber told more of a peer's devices than they need to hear.
var errNews = soap.EndpointUnavailable("too much news of this peer", time.Minute)

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
	r.peerOf(e.owner, e.heard).entries++
	r.resize(e, sizeOf(e.endpoint))
	e.index = -1
	r.alive(e, e.heard)
}

func (r *registry) remove(e *entry) {
	delete(r.entries, e.endpoint.EPR)
	r.resize(e, 0)
	r.peers[e.owner].entries--
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
	if e.checking { // what comes of it decides
		return
	}
	if e.index < 0 {
		heap.Push(&r.queue, e)
		return
	}
	heap.Fix(&r.queue, e.index)
}

// next takes out the device to be checked first if its time has come; otherwise it says when that will be. Peers of which fewer checks are under way come first: somebody whose devices
// take all the time there is for an answer delays his own. Call checked afterwards.
func (r *registry) next(now time.Time) (e *entry, due time.Time) {
	if len(r.queue) == 0 {
		return nil, now.Add(r.every)
	}
	if first := r.queue[0]; first.due.After(now) {
		return nil, first.due
	}
	for _, c := range r.queue {
		if c.due.After(now) {
			continue
		}
		if e == nil {
			e = c
		}
		if mine, least := r.peers[c.owner].checking, r.peers[e.owner].checking; mine < least || mine == least && c.due.Before(e.due) {
			e = c
		}
	}
	heap.Remove(&r.queue, e.index)
	e.checking = true
	r.peers[e.owner].checking++
	return e, now
}

// checked ends a check, of which the caller draws the consequences.
func (r *registry) checked(e *entry, now time.Time) {
	e.checking = false
	r.peers[e.owner].checking--
	if e.gone {
		r.forget(e.owner, now)
	}
}

// endpoints returns all devices, in no order.
func (r *registry) endpoints() []discovery.Endpoint {
	all := make([]discovery.Endpoint, 0, len(r.entries))
	for _, e := range r.entries {
		all = append(all, e.endpoint) // whose slices are replaced, never changed
	}
	return all
}

// match returns the devices that are looked for, in the order of their EPRs. It takes its time, so it is not called under the lock.
func match(f discovery.Filter, all []discovery.Endpoint) []discovery.Endpoint {
	out := f.Select(all)
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
