package xmlscan

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"strings"
	"unicode/utf8"
)

// Byte-parallel tests on eight bytes at a time. below and equals may set
// further bits above the lowest true one (borrow), so only the lowest set bit
// counts; that is all the scan functions look at.
const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// below marks bytes less than n (n <= 0x80) in x.
func below(x uint64, n uint64) uint64 { return (x - ones*n) &^ x & highs }

// equals marks bytes equal to c.
func equals(x uint64, c uint64) uint64 { return below(x^(ones*c), 1) }

func load64(b []byte, i int) uint64 { return binary.LittleEndian.Uint64(b[i:]) }

func lowest(m uint64) int { return bits.TrailingZeros64(m) >> 3 }

// scanName returns the index of the first byte at or after i that ends a name
// candidate: white space, '<', '=', '>' or '/'. What lies before it may still
// not be a name; checkName decides.
func scanName(d []byte, i int) int {
	for ; i+8 <= len(d); i += 8 {
		x := load64(d, i)
		if m := below(x, 0x21) | below(x^(ones*'<'), 3) | equals(x, '/'); m != 0 {
			return i + lowest(m)
		}
	}
	for ; i < len(d); i++ {
		switch c := d[i]; {
		case c <= ' ', c == '<', c == '=', c == '>', c == '/':
			return i
		}
	}
	return i
}

// endsName reports whether scanName stops at c.
func endsName(c byte) bool { return c <= ' ' || c >= '<' && c <= '>' || c == '/' }

// scanText returns the index of the first '<', '&', ']' or CR at or after i, or len(d).
func scanText(d []byte, i int) int {
	for ; i+8 <= len(d); i += 8 {
		x := load64(d, i)
		if m := equals(x, '<') | equals(x, '&') | equals(x, ']') | equals(x, '\r'); m != 0 {
			return i + lowest(m)
		}
	}
	for ; i < len(d); i++ {
		switch d[i] {
		case '<', '&', ']', '\r':
			return i
		}
	}
	return i
}

// scanAttr returns the index of the first q, which is a quote, or '<', '&',
// TAB, LF or CR at or after i, or len(d). breaks is false if there are no TAB, LF and CR in d.
func scanAttr(d []byte, i int, q byte, breaks bool) int {
	bit, with := uint64(ones*('&'^'"')), uint64(ones*('&'|'"')) // either quote differs from '&' in one bit
	if q == '\'' {
		bit, with = ones*('&'^'\''), ones*('&'|'\'')
	}
	for end := i + 32; i+8 <= len(d); i += 8 {
		x := load64(d, i)
		if m := below(x, 0x20) | below((x|bit)^with, 1) | equals(x, '<'); m != 0 {
			return i + lowest(m)
		}
		if i == end {
			return scanLongAttr(d, i, q, breaks)
		}
	}
	for ; i < len(d); i++ {
		switch c := d[i]; {
		case c < ' ', c == q, c == '<', c == '&':
			return i
		}
	}
	return i
}

// scanLongAttr is scanAttr for values that are long, such as lists of samples: the vector instructions behind
// IndexByte pay for themselves then. It goes on piece by piece, so that no byte is looked at over and over again.
func scanLongAttr(d []byte, i int, q byte, breaks bool) int {
	const piece = 1024
	for ; i < len(d); i += piece {
		b := d[i:min(i+piece, len(d))]
		whole := len(b)
		for _, c := range [...]byte{q, '<', '&'} {
			if k := bytes.IndexByte(b, c); k >= 0 {
				b = b[:k]
			}
		}
		if breaks {
			b = b[:scanControl(b)]
		}
		if len(b) < whole {
			return i + len(b)
		}
	}
	return len(d)
}

// scanControl returns the index of the first control character, or len(d).
func scanControl(d []byte) int {
	i := 0
	for i+32 <= len(d) {
		if below(load64(d, i), 0x20)|below(load64(d, i+8), 0x20)|below(load64(d, i+16), 0x20)|below(load64(d, i+24), 0x20) != 0 {
			break
		}
		i += 32
	}
	for i < len(d) && d[i] >= 0x20 {
		i++
	}
	return i
}

// scanChars returns the index of the first byte that is not part of a legal
// XML 1.0 character in valid UTF-8, or len(d); and the index of the first byte
// outside ASCII before that, or -1; and whether there is a TAB, LF or CR before it.
func scanChars(d []byte) (bad, nonASCII int, breaks bool) {
	nonASCII = -1
	i := 0
	for i < len(d) {
		for i+32 <= len(d) && printable(load64(d, i), load64(d, i+8), load64(d, i+16), load64(d, i+24)) {
			i += 32
		}
		for end := min(i+32, len(d)); i < end; {
			if i+8 <= len(d) {
				if x := load64(d, i); x&highs == 0 {
					// all below 0x80, so the sums below never carry into the next byte
					if ctl := ^(x + 0x60*ones) & highs; ctl != 0 {
						ctl &= (x ^ ones*'\n') + 0x7f*ones
						ctl &= (x ^ ones*'\r') + 0x7f*ones
						ctl &= (x ^ ones*'\t') + 0x7f*ones
						if ctl != 0 {
							return i + lowest(ctl), nonASCII, true
						}
						breaks = true
					}
					i += 8
					continue
				}
			}
			n := charLen(d[i:])
			if n == 0 {
				return i, nonASCII, breaks
			}
			if n > 1 && nonASCII < 0 {
				nonASCII = i
			}
			breaks = breaks || d[i] < ' '
			i += n
		}
	}
	return i, nonASCII, breaks
}

// Illegal returns the index of the first byte of a text that XML 1.0 has no way to write, a control character or invalid UTF-8, -1 if there is none. What
// appends text writes U+FFFD in its place, so that another text arrives.
func Illegal(text string) int {
	for i, r := range text {
		if !isChar(r) || r == utf8.RuneError && !strings.HasPrefix(text[i:], "\uFFFD") {
			return i
		}
	}
	return -1
}

// printable reports whether all bytes are ASCII without control characters.
func printable(a, b, c, d uint64) bool {
	const up = 0x60 * ones // brings the first that is no control character to 0x80
	return (a|b|c|d)&highs == 0 && (a+up)&(b+up)&(c+up)&(d+up)&highs == highs
}

// charLen returns the number of bytes of the legal XML character b begins with, 0 when it does not.
func charLen(b []byte) int {
	c := b[0]
	if c < utf8.RuneSelf {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' {
			return 0
		}
		return 1
	}
	r, n := utf8.DecodeRune(b)
	if n == 1 || r == 0xFFFE || r == 0xFFFF {
		return 0
	}
	return n
}

// isChar is the production Char of XML 1.0.
func isChar(r rune) bool {
	switch {
	case r < 0x20:
		return r == '\t' || r == '\n' || r == '\r'
	case r < 0xD800:
		return true
	case r < 0xE000:
		return false
	}
	return r < 0xFFFE || r >= 0x10000 && r <= 0x10FFFF
}

// isNameStart is NameStartChar of XML 1.0 (fifth edition) without the colon.
func isNameStart(r rune) bool {
	switch {
	case r < 0x80:
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '_'
	case r < 0xC0:
		return false
	case r <= 0x2FF:
		return r != 0xD7 && r != 0xF7
	case r < 0x370:
		return false
	case r <= 0x1FFF:
		return r != 0x37E
	case r == 0x200C, r == 0x200D:
		return true
	case r < 0x2070:
		return false
	case r <= 0x218F:
		return true
	case r < 0x2C00:
		return false
	case r <= 0x2FEF:
		return true
	case r < 0x3001:
		return false
	case r <= 0xD7FF:
		return true
	case r < 0xF900:
		return false
	case r <= 0xFDCF:
		return true
	case r < 0xFDF0:
		return false
	case r <= 0xFFFD:
		return true
	}
	return r >= 0x10000 && r <= 0xEFFFF
}

// isNameChar is NameChar of XML 1.0 (fifth edition) without the colon.
func isNameChar(r rune) bool {
	return isNameStart(r) || r >= '0' && r <= '9' || r == '-' || r == '.' || r == 0xB7 ||
		r >= 0x300 && r <= 0x36F || r == 0x203F || r == 0x2040
}

// checkNCName returns the index of the first byte at which b stops being an NCName, len(b) when it is one.
// An empty b is none and gives 0.
func checkNCName(b []byte) int {
	for i := 0; i < len(b); {
		r, n := rune(b[i]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRune(b[i:])
			if n == 1 { // invalid UTF-8
				return i
			}
		}
		if i == 0 && !isNameStart(r) || !isNameChar(r) {
			return i
		}
		i += n
	}
	return len(b)
}

// splitQName checks b as a QName of Namespaces in XML and returns the length of
// its prefix. bad is -1 or the index of the first offending byte.
func splitQName(b []byte) (prefix, bad int) {
	if len(b) == 0 {
		return 0, 0
	}
	i := checkNCName(b)
	if i == len(b) {
		return 0, -1
	}
	if b[i] != ':' || i == 0 || i+1 == len(b) {
		return 0, i
	}
	if k := checkNCName(b[i+1:]); i+1+k != len(b) {
		return 0, i + 1 + k
	}
	return i, -1
}

// white reports whether b is XML white space only.
func white(b []byte) bool {
	for _, c := range b {
		if c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return false
		}
	}
	return true
}

// TrimSpace cuts XML white space (space, TAB, CR, LF) from both ends, as the
// whiteSpace facet "collapse" asks for before a simple value is read.
func TrimSpace(b []byte) []byte {
	for len(b) > 0 && isSpace(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && isSpace(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }
