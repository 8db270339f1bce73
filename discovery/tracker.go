package discovery

import (
	"net/netip"
	"slices"
	"time"

	"github.com/semeco/go-sdc/internal/giveway"
)

// tracker is what one Watch knows: the latest state of each endpoint, what of it the
// reader has not been told, and what came out of order. It is not safe for concurrent use.
type tracker struct {
	filter  Filter
	max     int
	entries map[string]*entry
	order   []*entry // all entries, those known for longest first
	pending []*entry // with news, in order of the first news; at most one of each endpoint
	heard   uint64   // counts up; the clock of entry.heard

	displaced uint64 // counts those that have given way to another
	leaving   int    // of them those of which the reader has still to be told that they are gone
}

// entry is one endpoint. It outlives its Bye so that what was sent before is recognised.
type entry struct {
	endpoint   Endpoint
	sender     netip.Addr // who told of it first; not valid if not by datagram
	displaced  bool       // it is no entry any more
	present    bool       // has said Hello or answered, matches, and has an address
	told       bool       // the reader believes it present
	news       EventKind
	queued     bool
	unresolved bool     // its address was asked for
	partial    Endpoint // while unresolved: what it said without an address
	renewed    bool     // while unresolved: it has begun a new life
	heard      uint64

	// Order of what it sent. Numbers count within one instance.
	sequence    appSequence
	hasSequence bool
	bye         bool      // the last message of this instance was Bye
	former      []uint32  // instances it has left behind, the last few
	last        time.Time // when the last message came that was in order
}

// overtaking is for how long a message can be one that a later one has overtaken. Copies of datagrams come within half a second; what a proxy passes on, within [eventing.SourceConfig].NotifyTimeout.
const overtaking = 15 * time.Second

// maxFormer is how many former instances of an endpoint are remembered.
const maxFormer = 8

func newTracker(f Filter, limit int) *tracker {
	return &tracker{filter: f, max: limit, entries: make(map[string]*entry)}
}

// verdict says what became of a message.
type verdict uint8

const (
	ignored  verdict = iota // old, foreign, or nothing to do
	taken                   // there may be news
	resolve                 // the address must be asked for
	overflow                // no place for another endpoint
)

// apply takes over what a Hello, Bye or match says of an endpoint. sender is who said it, not valid if it did not come by datagram.
func (t *tracker) apply(k kind, e Endpoint, seq appSequence, hasSeq bool, sender netip.Addr) verdict {
	if e.EPR == "" {
		return ignored
	}
	x := t.entries[e.EPR]
	if k == kindResolveMatches && x != nil && x.unresolved {
		// The answer may hold the address alone.
		if len(e.Types) == 0 {
			e.Types = x.partial.Types
		}
		if len(e.Scopes) == 0 {
			e.Scopes = x.partial.Scopes
		}
	}
	if k == kindBye {
		if x == nil || !x.inOrder(k, e, seq, hasSeq) {
			return ignored
		}
		x.advance(seq, hasSeq)
		x.bye, x.unresolved = true, false
		t.leave(x)
		return taken
	}
	matches := t.filter.Match(e)
	if x == nil {
		if !matches {
			return ignored
		}
		if x = t.insert(e.EPR, sender); x == nil {
			return overflow
		}
	} else if !x.inOrder(k, e, seq, hasSeq) {
		return ignored
	}
	t.heard++
	x.heard = t.heard
	if x.advance(seq, hasSeq) {
		x.renewed = true
	}
	x.bye = false
	if !matches {
		x.endpoint, x.unresolved = e, false
		t.leave(x)
		return taken
	}
	if len(e.XAddrs) == 0 {
		if !x.present || x.renewed || x.unresolved || x.endpoint.MetadataVersion != e.MetadataVersion {
			x.partial, x.unresolved = e, true
			return resolve
		}
		e.XAddrs = x.endpoint.XAddrs
	}
	news := Alive
	switch {
	case x.renewed:
		news = Restarted
	case !x.endpoint.sameMetadata(e):
		news = Changed
	}
	x.endpoint, x.present, x.unresolved, x.renewed = e, true, false, false
	t.tell(x, news)
	return taken
}

// inOrder reports whether a message is newer than what is known (WS-Discovery 1.1, 7).
//
// Numbers order Hello and Bye of one instance. Answers are asked for now, so their
// numbers matter only after a Bye, and otherwise their MetadataVersion: peers are known
// to number all answers 1. An instance that the endpoint has left is old; every other
// one is new, whether greater or not: peers are known to draw it at random.
//
// All that is so for a while only, except that a Bye must be in order always. Anybody can send a Hello in the name of a device, with the highest number or version there is, or of another
// instance. The device itself must not be taken for its own past for the rest of its life.
func (x *entry) inOrder(k kind, e Endpoint, seq appSequence, hasSeq bool) bool {
	if k != kindBye && time.Since(x.last) > overtaking {
		return true
	}
	if !hasSeq || !x.hasSequence {
		return x.bye || k == kindBye || e.MetadataVersion >= x.endpoint.MetadataVersion
	}
	if seq.InstanceID != x.sequence.InstanceID {
		return !slices.Contains(x.former, seq.InstanceID)
	}
	newer := seq.MessageNumber > x.sequence.MessageNumber
	if k == kindProbeMatches || k == kindResolveMatches {
		return newer || !x.bye && e.MetadataVersion >= x.endpoint.MetadataVersion
	}
	return newer
}

// advance notes the position of a message that was in order, and reports whether it
// begins a new life.
func (x *entry) advance(seq appSequence, hasSeq bool) (restarted bool) {
	late := time.Since(x.last) > overtaking
	x.last = time.Now()
	switch {
	case !hasSeq:
		return false
	case !x.hasSequence:
		x.sequence, x.hasSequence = seq, true
		return false
	case seq.InstanceID != x.sequence.InstanceID:
		if len(x.former) == maxFormer {
			x.former = slices.Delete(x.former, 0, 1)
		}
		x.former = append(x.former, x.sequence.InstanceID)
		x.sequence = seq
		return true
	}
	if x.sequence.MessageNumber < seq.MessageNumber || late {
		x.sequence.MessageNumber = seq.MessageNumber
	}
	return false
}

// insert makes place for an endpoint: that of one gone for longest if need be, or of one that gives way. nil: there is none.
func (t *tracker) insert(epr string, sender netip.Addr) *entry {
	if len(t.entries) >= t.max {
		out := -1
		for i, x := range t.order {
			if !x.present && !x.told && !x.unresolved && (out < 0 || x.heard < t.order[out].heard) {
				out = i
			}
		}
		// A reader that is far behind is told of those that have gone before more go.
		if out < 0 && t.leaving < t.max {
			if out = giveway.Pick(t.order, func(x *entry) netip.Addr { return x.sender }); out >= 0 {
				t.displace(t.order[out])
			}
		}
		if out < 0 {
			return nil
		}
		delete(t.entries, t.order[out].endpoint.EPR)
		t.order = slices.Delete(t.order, out, out+1)
	}
	x := &entry{endpoint: Endpoint{EPR: epr}, sender: sender}
	t.entries[epr] = x
	t.order = append(t.order, x)
	return x
}

// displace notes that an entry gives its place away. The reader is told, if it knows of it.
func (t *tracker) displace(x *entry) {
	t.displaced++
	x.displaced, x.present = true, false
	switch {
	case x.told:
		t.leaving++
		t.tell(x, Gone)
	case x.queued:
		t.pending = slices.DeleteFunc(t.pending, func(p *entry) bool { return p == x })
	}
}

func (t *tracker) leave(x *entry) {
	x.present = false
	t.tell(x, Gone)
}

// tell notes news for the reader, merged with what it has not been told yet.
func (t *tracker) tell(x *entry, news EventKind) {
	if x.news == Gone && news != Gone {
		x.news = Restarted // gone and back before the reader was told
	} else {
		x.news = max(x.news, news)
	}
	if !x.queued {
		x.queued = true
		t.pending = append(t.pending, x)
	}
}

// next takes the next event to tell the reader.
func (t *tracker) next() (Event, bool) {
	for len(t.pending) > 0 {
		x := t.pending[0]
		t.pending[0] = nil
		t.pending = t.pending[1:]
		x.queued = false
		news := x.news
		x.news = 0
		if x.displaced {
			t.leaving--
		}
		e := Event{Kind: news, Endpoint: x.endpoint.Clone(), Sender: x.sender}
		switch {
		case x.present && !x.told:
			x.told, e.Kind = true, Found
			return e, true
		case x.present:
			return e, true
		case x.told:
			x.told, e.Kind = false, Gone
			return e, true
		}
	}
	return Event{}, false
}
