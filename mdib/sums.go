package mdib

import "github.com/semeco/go-sdc/internal/pmap"

// sums is roughly a set of keys: a bit for some of each hash. It tells at once of most keys that they are not in it, which saves a transaction and a report
// an index of what they have come to.
type sums [8]uint64

func (s *sums) bit(k pmap.Key) (word *uint64, bit uint64) {
	return &s[k.Sum()>>6%uint64(len(s))], 1 << (k.Sum() % 64)
}

// add puts a key in.
func (s *sums) add(k pmap.Key) {
	word, bit := s.bit(k)
	*word |= bit
}

// lacks tells that a key is not in the set; if not, it may be.
func (s *sums) lacks(k pmap.Key) bool {
	word, bit := s.bit(k)
	return *word&bit == 0
}
