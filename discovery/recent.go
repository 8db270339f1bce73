package discovery

// recent remembers the last message ids, to ignore repeated messages and one's own
// (WSD-3). Its memory is bounded: the oldest id makes place for a new one.
type recent struct {
	ids  map[string]struct{}
	ring []string
	next int
}

// maxRecent is how many ids are remembered: copies come within two seconds, so this
// is right up to some 500 messages a second.
const maxRecent = 1024

func newRecent() *recent {
	return &recent{ids: make(map[string]struct{}, maxRecent), ring: make([]string, maxRecent)}
}

// add remembers an id; false if it is known already.
func (r *recent) add(id string) bool {
	if _, known := r.ids[id]; known {
		return false
	}
	delete(r.ids, r.ring[r.next])
	r.ids[id] = struct{}{}
	r.ring[r.next] = id
	r.next = (r.next + 1) % len(r.ring)
	return true
}
