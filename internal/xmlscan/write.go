package xmlscan

import (
	"strconv"
	"unicode/utf8"
)

// The append functions write XML piece by piece into a buffer of the caller.
// Names and prefixes are written as given: they are constants of the caller.
// Values are escaped. What XML 1.0 cannot carry, even escaped (control
// characters, U+FFFE, U+FFFF, invalid UTF-8), is replaced by U+FFFD, so that
// nothing ill-formed is ever sent.

// AppendText appends s as character data: & < > and CR escaped.
func AppendText(b []byte, s string) []byte {
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c < utf8.RuneSelf {
			if c != '&' && c != '<' && c != '>' {
				i++
				continue
			}
		} else if c == '\n' || c == '\t' {
			i++
			continue
		} else if c >= utf8.RuneSelf {
			if r, n := utf8.DecodeRuneInString(s[i:]); n > 1 && isChar(r) {
				i += n
				continue
			}
		}
		b = append(b, s[from:i]...)
		var n int
		b, n = appendEscape(b, s[i:])
		i += n
		from = i
	}
	return append(b, s[from:]...)
}

// AppendEscapedAttr appends s as an attribute value without its quotes: & < "
// TAB LF and CR escaped, so that normalisation gives s back.
func AppendEscapedAttr(b []byte, s string) []byte {
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c < utf8.RuneSelf {
			if c != '&' && c != '<' && c != '"' {
				i++
				continue
			}
		} else if c >= utf8.RuneSelf {
			if r, n := utf8.DecodeRuneInString(s[i:]); n > 1 && isChar(r) {
				i += n
				continue
			}
		}
		b = append(b, s[from:i]...)
		var n int
		b, n = appendEscape(b, s[i:])
		i += n
		from = i
	}
	return append(b, s[from:]...)
}

// appendEscape appends the first character of s in escaped form and returns how many bytes of s that was.
func appendEscape(b []byte, s string) ([]byte, int) {
	switch s[0] {
	case '&':
		return append(b, "&amp;"...), 1
	case '<':
		return append(b, "&lt;"...), 1
	case '>':
		return append(b, "&gt;"...), 1
	case '"':
		return append(b, "&quot;"...), 1
	case '\t':
		return append(b, "&#9;"...), 1
	case '\n':
		return append(b, "&#10;"...), 1
	case '\r':
		return append(b, "&#13;"...), 1
	}
	_, n := utf8.DecodeRuneInString(s)
	return append(b, "\uFFFD"...), n
}

// AppendAttr appends ` name="value"` with the value escaped.
func AppendAttr(b []byte, name, value string) []byte {
	return append(AppendEscapedAttr(openAttr(b, name), value), '"')
}

// AppendAttrUint appends ` name="v"`.
func AppendAttrUint(b []byte, name string, v uint64) []byte {
	return append(strconv.AppendUint(openAttr(b, name), v, 10), '"')
}

// AppendAttrInt appends ` name="v"`.
func AppendAttrInt(b []byte, name string, v int64) []byte {
	return append(strconv.AppendInt(openAttr(b, name), v, 10), '"')
}

// AppendAttrBool appends ` name="true"` or ` name="false"`.
func AppendAttrBool(b []byte, name string, v bool) []byte {
	return append(strconv.AppendBool(openAttr(b, name), v), '"')
}

func openAttr(b []byte, name string) []byte {
	b = append(b, ' ')
	b = append(b, name...)
	return append(b, '=', '"')
}

// AppendNS appends the declaration ` xmlns:prefix="uri"`, or ` xmlns="uri"` for the prefix "".
func AppendNS(b []byte, prefix, uri string) []byte {
	b = append(b, " xmlns"...)
	if prefix != "" {
		b = append(b, ':')
		b = append(b, prefix...)
	}
	b = append(b, '=', '"')
	return append(AppendEscapedAttr(b, uri), '"')
}

// AppendUint appends v in decimal.
func AppendUint(b []byte, v uint64) []byte { return strconv.AppendUint(b, v, 10) }

// AppendInt appends v in decimal.
func AppendInt(b []byte, v int64) []byte { return strconv.AppendInt(b, v, 10) }

// AppendBool appends true or false.
func AppendBool(b []byte, v bool) []byte { return strconv.AppendBool(b, v) }

// AppendStart appends `<name`; attributes and '>' or "/>" are to follow.
func AppendStart(b []byte, name string) []byte {
	return append(append(b, '<'), name...)
}

// AppendEnd appends `</name>`.
func AppendEnd(b []byte, name string) []byte {
	return append(append(append(b, '<', '/'), name...), '>')
}

// AppendElement appends `<name>text</name>` with the text escaped.
func AppendElement(b []byte, name, text string) []byte {
	b = append(AppendStart(b, name), '>')
	return AppendEnd(AppendText(b, text), name)
}
