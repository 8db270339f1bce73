package pm

import (
	"bytes"
	"encoding/binary"
	"fmt"

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
	form := noForm
	for i := 0; i < len(b); {
		if isSpace(b[i]) {
			i++
			continue
		}
		from := i
		neg := b[i] == '-'
		if neg {
			i++
		}
		// Nearly all samples have as many digits before and behind the point as the one before them.
		if i+8 <= len(b) && len(out) < cap(out) {
			if x := binary.LittleEndian.Uint64(b[i:]); form.fits(x) {
				coef := form.number(x)
				if neg {
					coef = -coef
				}
				i += form.length
				out = out[:len(out)+1]
				out[len(out)-1].packed = coef<<scaleBits | form.scale // not the text, which is zero: to write a pointer costs more
				continue
			}
		}
		// The common form, [-]digits[.digits] of at most maxDigits digits, is read here; all else goes to parseDecimal.
		var coef int64
		digits := i
		for i < len(b) && b[i]-'0' <= 9 {
			coef = coef*10 + int64(b[i]-'0')
			i++
		}
		digits = i - digits
		scale := 0
		if i < len(b) && b[i] == '.' {
			i++
			point := i
			for i < len(b) && b[i]-'0' <= 9 {
				coef = coef*10 + int64(b[i]-'0')
				i++
			}
			scale = i - point
			digits += scale
		}
		if i < len(b) && !isSpace(b[i]) || digits == 0 || digits > maxDigits {
			for i < len(b) && !isSpace(b[i]) {
				i++
			}
			d, ok := parseDecimal(b[from:i])
			if !ok {
				return nil, fmt.Errorf("sample %d: %w: %q", len(out), errDecimal, clip(string(b[from:i])))
			}
			out = append(out, d)
			continue
		}
		if i+8 <= len(b) {
			form = formOf(digits-scale, scale)
		}
		if neg {
			coef = -coef
		}
		out = append(out, shortDecimal(coef, scale))
	}
	if len(out) == 0 {
		return nil, nil
	}
	return out, nil
}

// sampleForm is what the text of unsigned samples with the same number of digits has in common: how many there are before the point
// and behind it. Such a text, with the space behind it, is read from eight characters at once, the first of them in the lowest byte.
type sampleForm struct {
	digits uint64 // the highest bit of each byte that must hold a digit
	marks  uint64 // the bytes that must hold the point and the space
	marked uint64 // what these hold
	whole  uint64 // the bytes before the point
	shift  int    // brings the last digit to the highest byte
	length int    // with the space
	scale  int64
}

// noForm is that of no sample.
var noForm = sampleForm{marked: 1}

// formOf returns the form of samples with so many digits before the point and behind it, noForm if they are too long.
func formOf(whole, scale int) sampleForm {
	n := whole + scale
	if scale > 0 {
		n++
	}
	if n > 7 {
		return noForm
	}
	const highs = 0x8080808080808080
	f := sampleForm{whole: 1<<(8*whole) - 1, shift: 64 - 8*(whole+scale), length: n + 1, scale: int64(scale)}
	f.digits = highs & (1<<(8*n) - 1)
	f.marks, f.marked = 0xFF<<(8*n), ' '<<(8*n)
	if scale > 0 {
		f.digits &^= 0xFF << (8 * whole)
		f.marks |= 0xFF << (8 * whole)
		f.marked |= '.' << (8 * whole)
	}
	return f
}

// fits reports whether the word begins with a text of this form.
func (f *sampleForm) fits(x uint64) bool {
	d := x ^ zeros
	return (d|(d+0x7676767676767676))&f.digits == 0 && x&f.marks == f.marked
}

// number returns the digits of a text of this form as one number.
func (f *sampleForm) number(x uint64) int64 {
	x ^= zeros                    // digits are 0 to 9 now
	x = x&f.whole | x>>8&^f.whole // without the point
	x <<= f.shift & 63            // with zeros before the digits
	x = x*10 + x>>8               // pairs, in the even bytes
	return int64((x&0x000000FF000000FF*(100<<0+1000000<<32) + x>>16&0x000000FF000000FF*(1+10000<<32)) >> 32)
}

const zeros = 0x3030303030303030 // eight times '0'

// AppendText appends the samples separated by single spaces; it never fails.
func (s Samples) AppendText(b []byte) ([]byte, error) { return s.append(b), nil }

func (s Samples) append(b []byte) []byte {
	for i := range s {
		if i > 0 {
			b = append(b, ' ')
		}
		b = s[i].append(b)
	}
	return b
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }
