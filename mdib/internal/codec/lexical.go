package codec

import (
	"math"

	"github.com/semeco/go-sdc/internal/xmlscan"
)

// String returns text as it is (xs:string).
func (d *Decoder) String(b []byte) (string, error) { return d.S.Intern(b), nil }

// NonEmpty returns text as it is; it must not be empty.
func (d *Decoder) NonEmpty(b []byte) (string, error) {
	if len(b) == 0 {
		return "", errEmpty
	}
	return d.S.Intern(b), nil
}

// Token returns text with white space collapsed (xs:anyURI).
func (d *Decoder) Token(b []byte) (string, error) { return d.S.Intern(Collapse(b)), nil }

// NonEmptyToken returns text with white space collapsed; nothing left is refused.
func (d *Decoder) NonEmptyToken(b []byte) (string, error) { return d.NonEmpty(Collapse(b)) }

// Language returns an xs:language.
func (d *Decoder) Language(b []byte) (string, error) {
	b = Collapse(b)
	n, first := 0, true
	for _, c := range b {
		switch {
		case c|0x20 >= 'a' && c|0x20 <= 'z', !first && c-'0' <= 9:
			n++
		case c == '-' && n > 0:
			n, first = 0, false
			continue
		default:
			return "", Quote(errLanguage, b)
		}
		if n > 8 {
			return "", Quote(errLanguage, b)
		}
	}
	if n == 0 {
		return "", Quote(errLanguage, b)
	}
	return d.S.Intern(b), nil
}

// Strings returns the words of a white-space separated list.
func (d *Decoder) Strings(b []byte) ([]string, error) {
	n := 0
	for i := range b {
		if !space(b[i]) && (i == 0 || space(b[i-1])) {
			n++
		}
	}
	if n == 0 {
		return nil, nil
	}
	out := make([]string, 0, n)
	for i := 0; i < len(b); {
		if space(b[i]) {
			i++
			continue
		}
		from := i
		for i < len(b) && !space(b[i]) {
			i++
		}
		out = append(out, d.S.Intern(b[from:i]))
	}
	return out, nil
}

// Bool reads an xs:boolean.
func (d *Decoder) Bool(b []byte) (bool, error) {
	b = Trim(b)
	switch string(b) {
	case "true", "1":
		return true, nil
	case "false", "0":
		return false, nil
	}
	return false, Quote(errBool, b)
}

// Uint64 reads an xs:unsignedLong.
func (d *Decoder) Uint64(b []byte) (uint64, error) {
	v, ok := ParseUint(Trim(b))
	if !ok {
		return 0, Quote(errUnsigned, b)
	}
	return v, nil
}

// Uint32 reads an xs:unsignedInt.
func (d *Decoder) Uint32(b []byte) (uint32, error) {
	v, ok := ParseUint(Trim(b))
	if !ok || v > math.MaxUint32 {
		return 0, Quote(errUnsigned, b)
	}
	return uint32(v), nil
}

// Int64 reads an xs:long.
func (d *Decoder) Int64(b []byte) (int64, error) {
	v, ok := ParseInt(Trim(b))
	if !ok {
		return 0, Quote(errInteger, b)
	}
	return v, nil
}

// Int32 reads an xs:int.
func (d *Decoder) Int32(b []byte) (int32, error) {
	v, ok := ParseInt(Trim(b))
	if !ok || v < math.MinInt32 || v > math.MaxInt32 {
		return 0, Quote(errInteger, b)
	}
	return int32(v), nil
}

// QName resolves an xs:QName in the scope of the current element.
func (d *Decoder) QName(b []byte) (xmlscan.Name, error) { return d.S.ResolveQNameBytes(b) }

// ParseUint reads digits with an optional sign, as the unsigned types of XML Schema allow: "+5" and "-0" too.
func ParseUint(b []byte) (uint64, bool) {
	neg := false
	if len(b) > 0 && (b[0] == '+' || b[0] == '-') {
		neg = b[0] == '-'
		b = b[1:]
	}
	if len(b) == 0 {
		return 0, false
	}
	var v uint64
	if len(b) < 20 { // cannot overflow
		for _, c := range b {
			c -= '0'
			if c > 9 {
				return 0, false
			}
			v = v*10 + uint64(c)
		}
		return v, !neg || v == 0
	}
	for _, c := range b {
		c -= '0'
		if c > 9 || v > math.MaxUint64/10 || v == math.MaxUint64/10 && c > math.MaxUint64%10 {
			return 0, false
		}
		v = v*10 + uint64(c)
	}
	return v, !neg || v == 0
}

// ParseInt reads digits with an optional sign.
func ParseInt(b []byte) (int64, bool) {
	if len(b) > 1 && b[0] == '-' && b[1] != '-' && b[1] != '+' {
		v, ok := ParseUint(b[1:])
		return int64(-v), ok && v <= 1<<63
	}
	v, ok := ParseUint(b)
	return int64(v), ok && v <= math.MaxInt64
}

// Trim cuts white space at both ends.
func Trim(b []byte) []byte {
	for len(b) > 0 && space(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && space(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

// Collapse cuts white space at both ends and turns each run within into one space. It copies only if it must.
func Collapse(b []byte) []byte {
	b = Trim(b)
	clean := true
	for i := range b {
		if b[i] <= ' ' && (b[i] != ' ' || space(b[i+1])) { // not the last byte: b is trimmed
			clean = false
			break
		}
	}
	if clean {
		return b
	}
	out := make([]byte, 0, len(b))
	for i := range b {
		if !space(b[i]) {
			out = append(out, b[i])
		} else if !space(b[i-1]) {
			out = append(out, ' ')
		}
	}
	return out
}

func space(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }
