package codec

import "reflect"

// slabLen is how many values share an allocation at most. A value that is kept keeps its neighbours in memory,
// so this is also the most by which keeping one value of each of many documents can cost more than its own
// size. Values that share were read from one document.
const slabLen = 8

// maxSampleRoom is what slabLen is for plain numbers: 8 KiB of samples.
const maxSampleRoom = 512

// slab hands out zero values of one type from allocations it makes for several at a time.
type slab[T any] struct {
	all  []T
	used int
	at   int // bytes of the document that were left to read when all was made
	each int // bytes of a value
}

// take returns a list of n zero values without room for more. bytes is how much of the document each further
// list like this will take, 0 if only experience can tell; most is how many values one allocation may hold.
func (s *slab[T]) take(d *Decoder, n, bytes, most int) []T {
	if len(s.all)-s.used < n {
		rest := d.S.Rest()
		grow := 1 // no more than what the rest of the document can need if it goes on like this
		if bytes > 0 {
			grow += rest / bytes
		} else if k := len(s.all); k > 0 {
			grow = min(2*k, 1+rest*k/max(1, s.at-rest))
		}
		n := max(n, min(n*grow, most/n*n))
		d.S.Spend(n * s.each)
		s.all, s.used, s.at = make([]T, n), 0, rest
	}
	s.used += n
	return s.all[s.used-n : s.used : s.used]
}

func (s *slab[T]) forget() { *s = slab[T]{each: s.each} }

// slabOf returns the decoder's slab for T, which has the slot for itself; nil if the decoder has none.
func slabOf[T any](d *Decoder, slot int) *slab[T] {
	if slot < len(d.slabs) {
		if s, ok := d.slabs[slot].(*slab[T]); ok {
			return s
		}
	}
	if !d.batch {
		return nil
	}
	for slot >= len(d.slabs) {
		d.slabs = append(d.slabs, nil)
	}
	s := &slab[T]{each: sizeOf[T]()}
	d.slabs[slot] = s
	return s
}

// sizeOf is how many bytes a value takes, without what it refers to.
func sizeOf[T any]() int { return int(reflect.TypeFor[T]().Size()) }

// Make returns a pointer to a zero value, like new.
func Make[T any](d *Decoder, slot int) *T {
	s := slabOf[T](d, slot)
	if s == nil {
		d.S.Spend(sizeOf[T]())
		return new(T)
	}
	return &s.take(d, 1, 0, slabLen)[0]
}

// Extend appends a zero value to a list that is being read.
func Extend[T any](d *Decoder, slot int, list []T) []T {
	n := len(list)
	s := slabOf[T](d, slot)
	if s == nil || cap(list) > n || n >= slabLen {
		var zero T
		longer := append(list, zero) //nolint:gocritic // the list goes on in memory of its own
		if c := cap(longer); c > cap(list) {
			d.S.Spend(c * sizeOf[T]())
		}
		return longer
	}
	if n > 0 && s.used >= n && s.used < len(s.all) && &s.all[s.used-1] == &list[n-1] { // goes on where the list ends
		s.used++
		return s.all[s.used-n-1 : s.used : s.used]
	}
	longer := s.take(d, n+1, 0, slabLen)
	copy(longer, list)
	return longer
}

// SampleRoom returns an empty list with room for n numbers read from a text of the given length.
func SampleRoom[T any](d *Decoder, slot, n, text int) []T {
	s := slabOf[T](d, slot)
	if s == nil || n > maxSampleRoom/2 {
		d.S.Spend(n * sizeOf[T]())
		return make([]T, 0, n)
	}
	const around = 200 // what a waveform state has besides its samples
	return s.take(d, n, text+around, maxSampleRoom)[:0]
}
