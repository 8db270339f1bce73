package xmlscan

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// content reads what may stand between tags from i on: text, CDATA sections,
// comments and processing instructions. If all that holds no character it goes on to the tag behind.
func (s *Scanner) content(i int) (Kind, error) {
	d := s.doc
	j := scanText(d, i)
	for j < len(d) && d[j] == ']' { // harmless unless it begins "]]>"
		if bytes.HasPrefix(d[j:], cdataEnd) {
			return None, s.fail(j, ErrSyntax, "']]>' in text")
		}
		j = scanText(d, j+1)
	}
	if j+1 < len(d) && d[j] == '<' && d[j+1] != '!' && d[j+1] != '?' {
		if j-i > s.lim.MaxTextLen {
			return None, s.failText(i)
		}
		s.chars = d[i:j:j]
		s.tok, s.pos, s.kind = i, j, Text
		return Text, nil
	}
	return s.mixed(i, j)
}

// mixed is content where the text must be rewritten or put together; doc[i:j] is plain.
func (s *Scanner) mixed(i, j int) (Kind, error) {
	d := s.doc
	from := i
	buf := append(s.tbuf[:0], d[i:j]...)
	for {
		if len(buf) > s.lim.MaxTextLen {
			return None, s.failText(from)
		}
		if j >= len(d) {
			return None, s.short("element content")
		}
		i = j
		switch d[j] {
		case '\r':
			buf = append(buf, '\n')
			if i++; i < len(d) && d[i] == '\n' {
				i++
			}
		case ']':
			if bytes.HasPrefix(d[j:], cdataEnd) {
				return None, s.fail(j, ErrSyntax, "']]>' in text")
			}
			buf = append(buf, ']')
			i++
		case '&':
			r, n, err := s.reference(j)
			if err != nil {
				return None, err
			}
			buf = utf8.AppendRune(buf, r)
			i += n
		default: // '<'
			if j+1 >= len(d) {
				return None, s.short("a tag")
			}
			var err error
			switch d[j+1] {
			case '?':
				i, err = s.pi(j)
			case '!':
				if bytes.HasPrefix(d[j:], cdataStart) {
					n := bytes.Index(d[j:], cdataEnd)
					if n < 0 {
						return None, s.short("a CDATA section")
					}
					buf = appendLines(buf, d[j+len(cdataStart):j+n])
					i = j + n + len(cdataEnd)
				} else {
					i, err = s.comment(j)
				}
			default:
				s.tbuf = buf
				s.pos = j
				if len(buf) > 0 {
					s.chars = buf
					s.tok, s.kind = from, Text
					return Text, nil
				}
				if d[j+1] == '/' {
					return s.endTag(j)
				}
				return s.startTag(j)
			}
			if err != nil {
				return None, err
			}
		}
		j = scanText(d, i)
		buf = append(buf, d[i:j]...)
	}
}

var (
	cdataStart   = []byte("<![CDATA[")
	cdataEnd     = []byte("]]>")
	commentStart = []byte("<!--")
)

func (s *Scanner) failText(at int) error {
	return s.fail(at, ErrLimit, fmt.Sprintf("text longer than %d bytes", s.lim.MaxTextLen))
}

// appendLines appends b with CR LF and CR turned into LF (XML 1.0, 2.11).
func appendLines(buf, b []byte) []byte {
	for {
		i := bytes.IndexByte(b, '\r')
		if i < 0 {
			return append(buf, b...)
		}
		buf = append(buf, b[:i]...)
		buf = append(buf, '\n')
		if i++; i < len(b) && b[i] == '\n' {
			i++
		}
		b = b[i:]
	}
}

// attrValue reads on from j a value that began at i and is not plain, up to its
// closing quote q. It returns where the value is in s.abuf, and the index of the quote.
// White space is normalised as XML 1.0, 3.3.3 wants it for CDATA attributes.
func (s *Scanner) attrValue(i, j int, q byte) (from, to, quote int, err error) {
	d := s.doc
	start := i
	mark := len(s.abuf)
	buf := s.abuf
	for {
		if j >= len(d) {
			return 0, 0, 0, s.short("an attribute value")
		}
		if len(buf)-mark > s.lim.MaxTextLen {
			return 0, 0, 0, s.fail(start, ErrLimit, fmt.Sprintf("attribute value longer than %d bytes", s.lim.MaxTextLen))
		}
		buf = append(buf, d[i:j]...)
		switch c := d[j]; c {
		case q:
			s.abuf = buf
			return mark, len(buf), j, nil
		case '<':
			return 0, 0, 0, s.fail(j, ErrSyntax, "'<' in an attribute value")
		case '&':
			r, n, err := s.reference(j)
			if err != nil {
				return 0, 0, 0, err
			}
			buf = utf8.AppendRune(buf, r)
			i = j + n
		default: // TAB, LF, CR
			buf = append(buf, ' ')
			i = j + 1
			if c == '\r' && i < len(d) && d[i] == '\n' {
				i++
			}
		}
		j = scanAttr(d, i, q, s.breaks)
	}
}

// reference reads the reference whose '&' is at i and returns its character and its length.
func (s *Scanner) reference(i int) (rune, int, error) {
	d := s.doc[i+1:]
	if len(d) == 0 {
		return 0, 0, s.short("a reference")
	}
	if d[0] == '#' {
		return s.charRef(i, d)
	}
	for _, e := range [...]struct {
		name string
		r    rune
	}{{"amp;", '&'}, {"lt;", '<'}, {"gt;", '>'}, {"quot;", '"'}, {"apos;", '\''}} {
		if len(d) >= len(e.name) && string(d[:len(e.name)]) == e.name {
			return e.r, len(e.name) + 1, nil
		}
	}
	const show = 32
	n := bytes.IndexByte(d[:min(len(d), show)], ';')
	switch {
	case n > 0 && checkNCName(d[:n]) == n:
		return 0, 0, s.fail(i, ErrSyntax, fmt.Sprintf("entity %s is not defined", s.doc[i:i+n+2]))
	case n < 0 && len(d) < show && checkNCName(d) == len(d):
		return 0, 0, s.short("a reference")
	}
	return 0, 0, s.fail(i, ErrSyntax, "'&' does not begin a reference")
}

// charRef reads a character reference; d is what follows its '&'.
func (s *Scanner) charRef(i int, d []byte) (rune, int, error) {
	k, base := 1, rune(10)
	if len(d) > 1 && d[1] == 'x' {
		k, base = 2, 16
	}
	first := k
	var r rune
	for ; k < len(d); k++ {
		var v rune
		switch c := d[k]; {
		case c >= '0' && c <= '9':
			v = rune(c - '0')
		case base == 16 && c >= 'a' && c <= 'f':
			v = rune(c-'a') + 10
		case base == 16 && c >= 'A' && c <= 'F':
			v = rune(c-'A') + 10
		case c == ';' && k > first:
			if !isChar(r) {
				return 0, 0, s.fail(i, ErrEncoding, fmt.Sprintf("reference to the illegal character U+%04X", r))
			}
			return r, k + 2, nil
		default:
			return 0, 0, s.fail(i, ErrSyntax, "malformed character reference")
		}
		if r = r*base + v; r > utf8.MaxRune {
			return 0, 0, s.fail(i, ErrEncoding, "character reference out of range")
		}
	}
	return 0, 0, s.short("a character reference")
}
