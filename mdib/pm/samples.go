package pm

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/semeco/go-sdc/mdib/internal/codec"
)

// Samples is the list of numbers of a sample array, decoded in one go.
type Samples []Decimal

// Float64s appends the samples to dst as float64.
func (s Samples) Float64s(dst []float64) []float64 {
	for i := range s {
		dst = append(dst, s[i].Float64())
	}
	return dst
}

// MinMax returns the least and the greatest of the samples; both are 0 if there are none.
func (s Samples) MinMax() (least, greatest Decimal) {
	if len(s) == 0 {
		return least, greatest
	}
	least, greatest = s[0], s[0]
	for i := 1; i < len(s); {
		i += s[i:].alike(&least, &greatest)
		if i == len(s) {
			break
		}
		x := s[i]
		if x.Cmp(least) < 0 {
			least = x
		}
		if x.Cmp(greatest) > 0 {
			greatest = x
		}
		i++
	}
	return least, greatest
}

// alike looks through the samples that have as many digits after the point as the least and the greatest so far, and returns how many those are. Nearly always it is all of them,
// and one is compared in a nanosecond.
func (s Samples) alike(least, greatest *Decimal) (n int) {
	if !least.isShort() || !greatest.isShort() || least.scale() != greatest.scale() {
		return 0
	}
	scale, low, high := least.scale(), least.packed, greatest.packed
	for n < len(s) && s[n].isShort() && s[n].scale() == scale {
		low, high = min(low, s[n].packed), max(high, s[n].packed)
		n++
	}
	*least, *greatest = Decimal{packed: low}, Decimal{packed: high}
	return n
}

// UnmarshalText reads a white-space separated list of xs:decimal.
func (s *Samples) UnmarshalText(b []byte) (err error) {
	*s, err = appendSamples(make(Samples, 0, countSamples(b)), b)
	return err
}

// countSamples is right where the numbers are separated by single spaces, which they nearly always are.
func countSamples(b []byte) int { return bytes.Count(b, []byte{' '}) + 1 }

func decodeSamples(d *codec.Decoder, b []byte) (Samples, error) {
	return appendSamples(codec.SampleRoom[Decimal](d, slotDecimal, countSamples(b), len(b)), b)
}

// appendSamples appends to the empty list out, whose room must hold zeros. No samples are no list.
func appendSamples(out Samples, b []byte) (Samples, error) {
	form, _ := formOf(1, 0)
	for i := 0; i < len(b); {
		out, i = form.appendLike(out, b, i)
		start := i
		for i < len(b) && !isSpace(b[i]) {
			i++
		}
		if i > start {
			d, ok := parseDecimal(b[start:i])
			if !ok {
				return nil, fmt.Errorf("sample %d: %w: %q", len(out), errDecimal, clip(string(b[start:i])))
			}
			out = append(out, d)
			whole := i - start
			if b[start] == '-' {
				whole--
			}
			if d.scale() > 0 {
				whole -= 1 + d.scale()
			}
			if f, ok := formOf(whole, d.scale()); ok { // the next one looks like this, presumably
				form = f
			}
		}
		i++ // the space
	}
	if len(out) == 0 {
		return nil, nil
	}
	return out, nil
}

// appendLike appends samples of the text from i on as long as they are of this form and there is room for them. It returns where the next one begins.
func (f *sampleForm) appendLike(out Samples, b []byte, i int) (Samples, int) {
	room, n := out[:cap(out)], len(out)
	for ; n < len(room) && i+9 <= len(b); n++ {
		start, minus := i, int64(0)
		if b[i] == '-' {
			minus = -1
			start++
		}
		x := binary.LittleEndian.Uint64(b[start:])
		if !f.fits(x) {
			break
		}
		// Not the text, which is zero: to write a pointer costs more.
		room[n].packed = (f.number(x)^minus-minus)<<scaleBits | int64(f.scale)
		i = start + f.length
	}
	return room[:n], i
}

// AppendText appends the samples separated by single spaces; it never fails.
func (s Samples) AppendText(b []byte) ([]byte, error) { return s.append(b), nil }

func (s Samples) append(b []byte) []byte {
	if len(s) == 0 {
		return b
	}
	const together, longest = 16, 3 + maxDigits + 8 // sign, digits, zero before the point, point, and a word to be written at once
	form, _ := formOf(1, 0)
	for i := 0; i < len(s); {
		b = slices.Grow(b, together*longest)
		room, n := b[len(b):cap(b)], 0
		for end := min(i+together, len(s)); i < end; i++ {
			d := s[i]
			coef, scale := d.coef(), d.scale()
			minus := coef >> 63 // -1 or 0
			mag := uint64(coef ^ minus - minus)
			if !d.isShort() || mag-form.least >= form.span || scale != form.scale {
				f, ok := formOf(max(decimalDigits(mag)-scale, 1), scale)
				if !ok || !d.isShort() {
					b = append(d.append(b[:len(b)+n]), ' ')
					n = 0
					i++
					break
				}
				form = f
			}
			room[n] = '-'
			n += int(minus & 1)
			binary.LittleEndian.PutUint64(room[n:], form.text(mag))
			n += form.length
		}
		b = b[:len(b)+n]
	}
	return b[:len(b)-1]
}

// sampleForm is what the text of unsigned samples with the same number of digits has in common: how many there are before the point
// and behind it. Such a text, with the space behind it, is read and written as a word of eight characters, the first of them in the lowest
// byte. Samples mostly have the form of the one before, so that their loops need not look at single characters.
type sampleForm struct {
	zero   uint64 // zero in this form, 0.00 for example
	digits uint64 // the highest bit of each byte that holds a digit
	marks  uint64 // the bytes that hold point and space
	whole  uint64 // the bytes before the point
	shift  int    // moves the last digit from its place to the highest byte, once there is no point
	length int    // with the space
	scale  int
	least  uint64 // the lowest and
	span   uint64 // how many numbers are written in this form, in units of the last digit
}

// formOf returns the form of samples with so many digits before the point and behind it, ok if they are no more than a word takes.
func formOf(whole, scale int) (f sampleForm, ok bool) {
	n := whole + scale
	if n == 0 || n > 7 || scale > 0 && n > 6 {
		return f, false
	}
	f = sampleForm{whole: 1<<(8*whole) - 1, shift: 64 - 8*n, scale: scale, span: uint64(pow10[n])}
	if whole > 1 {
		f.least = uint64(pow10[n-1])
		f.span -= f.least
	}
	if scale > 0 {
		f.marks = 0xFF << (8 * whole)
		n++
	}
	f.digits = highs & (1<<(8*n) - 1) &^ f.marks
	f.zero = zeros & (1<<(8*n) - 1) &^ f.marks
	f.zero |= f.marks & (ones * '.')
	f.marks |= 0xFF << (8 * n)
	f.zero |= ' ' << (8 * n)
	f.length = n + 1
	return f, true
}

const (
	ones  = 0x0101010101010101
	zeros = ones * '0'
	highs = ones * 0x80
)

// fits reports whether the word begins with a text of this form.
func (f *sampleForm) fits(x uint64) bool {
	x ^= f.zero // digits are 0 to 9 now
	return (x|(x+ones*(0x80-10)))&f.digits == 0 && x&f.marks == 0
}

// number returns the digits of a text of this form as one number.
func (f *sampleForm) number(x uint64) int64 {
	x ^= zeros
	x = x&f.whole | x>>8&^f.whole // without the point
	x <<= f.shift & 63            // with zeros before the digits
	x = x*10 + x>>8               // pairs, in the even bytes
	return int64((x&0x000000FF000000FF*(100<<0+1000000<<32) + x>>16&0x000000FF000000FF*(1+10000<<32)) >> 32)
}

// text is the reverse of number, for numbers from least on.
func (f *sampleForm) text(v uint64) uint64 {
	// Halves, pairs, single digits: each time q is the left part, and x = q | (x - q*size) << bits.
	q := v / 10000
	x := v<<32 - q*(10000<<32-1)
	q = x * 10486 >> 20 & 0x0000007F0000007F // by 100
	x = x<<16 - q*(100<<16-1)
	q = x * 103 >> 10 & 0x000F000F000F000F // by 10
	x = x<<8 - q*(10<<8-1)
	x >>= f.shift & 63
	return x&f.whole | x&^f.whole<<8 | f.zero
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }
