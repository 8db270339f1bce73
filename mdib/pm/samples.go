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

// appendSamples appends to the empty list out. No samples are no list.
func appendSamples(out Samples, b []byte) (Samples, error) {
	for i := 0; i < len(b); {
		if isSpace(b[i]) {
			i++
			continue
		}
		// The common form, [-]digits[.digits] of at most maxDigits digits, is read here; all else goes to parseDecimal.
		from := i
		neg := b[i] == '-'
		if neg {
			i++
		}
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
			if i+8 <= len(b) {
				if v, ok := eightDigits(b[i:]); ok {
					coef = coef*1e8 + v
					i += 8
				}
			}
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

// eightDigits reads eight digits at once.
func eightDigits(b []byte) (int64, bool) {
	v := binary.LittleEndian.Uint64(b)
	if v&0xF0F0F0F0F0F0F0F0 != 0x3030303030303030 || (v+0x0606060606060606)&0xF0F0F0F0F0F0F0F0 != 0x3030303030303030 {
		return 0, false
	}
	v &= 0x0F0F0F0F0F0F0F0F
	v = v*10 + v>>8 // pairs, in the even bytes
	v = v&0x00FF00FF00FF00FF*100 + v>>16&0x00FF00FF00FF00FF
	v = v&0x0000FFFF0000FFFF*10000 + v>>32&0x0000FFFF0000FFFF
	return int64(v & 0xFFFFFFFF), true
}
