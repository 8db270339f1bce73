package pm

import "fmt"

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
func (s *Samples) UnmarshalText(b []byte) error {
	n := 0
	inWord := false
	for _, c := range b {
		w := !isSpace(c)
		if w && !inWord {
			n++
		}
		inWord = w
	}
	if n == 0 {
		*s = nil
		return nil
	}
	out := make(Samples, n)
	i, k := 0, 0
	for {
		for i < len(b) && isSpace(b[i]) {
			i++
		}
		if i == len(b) {
			break
		}
		start := i
		for i < len(b) && !isSpace(b[i]) {
			i++
		}
		d, ok := parseDecimal(b[start:i])
		if !ok {
			return fmt.Errorf("sample %d: %w: %q", k, errDecimal, clip(string(b[start:i])))
		}
		out[k] = d
		k++
	}
	*s = out
	return nil
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
