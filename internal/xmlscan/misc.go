package xmlscan

import (
	"bytes"
	"fmt"
)

// prolog reads the byte order mark and the XML declaration.
func (s *Scanner) prolog() error {
	d := s.doc
	if f := s.full; len(f) >= 2 && (f[0] == 0xFE && f[1] == 0xFF || f[0] == 0xFF && f[1] == 0xFE) {
		return s.fail(0, ErrEncoding, "UTF-16 is not supported, only UTF-8")
	}
	i := s.pos
	if !bytes.HasPrefix(d[i:], []byte("<?xml")) || i+5 >= len(d) || d[i+5] > ' ' && d[i+5] != '?' {
		return nil
	}
	end := bytes.Index(d[i:], []byte("?>"))
	if end < 0 {
		return s.short("the XML declaration")
	}
	end += i
	p := declParser{d: d[:end], i: i + 5}
	v, ok := p.pseudo("version")
	if !ok {
		return s.fail(p.i, ErrSyntax, "XML declaration without version")
	}
	if string(v) != "1.0" {
		return s.fail(p.i, ErrSyntax, fmt.Sprintf("XML version %q is not supported, only 1.0", clip(v)))
	}
	if v, ok = p.pseudo("encoding"); ok {
		switch {
		case bytes.EqualFold(v, []byte("UTF-8")):
		case bytes.EqualFold(v, []byte("US-ASCII")):
			if s.nonASCII >= 0 {
				s.doc, s.ascii = d[:s.nonASCII], true
			}
		default:
			return s.fail(p.i, ErrEncoding, fmt.Sprintf("encoding %q is not supported, only UTF-8 and US-ASCII", clip(v)))
		}
	}
	if v, ok = p.pseudo("standalone"); ok && string(v) != "yes" && string(v) != "no" {
		return s.fail(p.i, ErrSyntax, "standalone must be yes or no")
	}
	if p.skipSpace(); p.i != end {
		return s.fail(p.i, ErrSyntax, "malformed XML declaration")
	}
	s.pos = end + 2
	return nil
}

// clip shortens what a message quotes from the document.
func clip(v []byte) string { return string(v[:min(len(v), 40)]) }

// declParser reads the pseudo attributes of an XML declaration.
type declParser struct {
	d []byte
	i int
}

func (p *declParser) skipSpace() {
	for p.i < len(p.d) && p.d[p.i] <= ' ' {
		p.i++
	}
}

// pseudo reads ` name="value"` if it comes next.
func (p *declParser) pseudo(name string) ([]byte, bool) {
	at := p.i
	p.skipSpace()
	if p.i == at || !bytes.HasPrefix(p.d[p.i:], []byte(name)) {
		p.i = at
		return nil, false
	}
	p.i += len(name)
	p.skipSpace()
	if p.i < len(p.d) && p.d[p.i] == '=' {
		p.i++
		p.skipSpace()
		if p.i < len(p.d) && (p.d[p.i] == '"' || p.d[p.i] == '\'') {
			v := p.d[p.i+1:]
			if n := bytes.IndexByte(v, p.d[p.i]); n >= 0 {
				p.i += n + 2
				return v[:n], true
			}
		}
	}
	p.i = at
	return nil, false
}

// misc reads outside of the root element up to the root's start tag or the end of the document.
func (s *Scanner) misc() (Kind, error) {
	d, i := s.doc, s.pos
	for {
		for i < len(d) && d[i] <= ' ' {
			i++
		}
		switch {
		case i >= len(d):
			if len(s.doc) < len(s.full) {
				return None, s.failChar()
			}
			if !s.ended {
				return None, s.fail(i, ErrSyntax, "no root element")
			}
			s.tok, s.pos, s.kind = i, i, EOF
			return EOF, nil
		case d[i] != '<':
			return None, s.fail(i, ErrSyntax, "text outside of the root element")
		case i+1 >= len(d):
			return None, s.short("a tag")
		}
		var err error
		switch d[i+1] {
		case '?':
			i, err = s.pi(i)
		case '!':
			i, err = s.comment(i)
		case '/':
			return None, s.fail(i, ErrSyntax, "end tag outside of the root element")
		default:
			if s.ended {
				return None, s.fail(i, ErrSyntax, "more than one root element")
			}
			return s.startTag(i)
		}
		if err != nil {
			return None, err
		}
	}
}

// comment passes over the comment whose "<!" is at i and returns the index behind it.
// What else begins with "<!" is refused.
func (s *Scanner) comment(i int) (int, error) {
	d := s.doc[i:]
	if !bytes.HasPrefix(d, commentStart) {
		const doctype = "<!DOCTYPE"
		switch {
		case bytes.HasPrefix(d, []byte(doctype)):
			return 0, s.fail(i, ErrDTD, "document type declaration (DTD) is not allowed")
		case len(d) < len(doctype) && (bytes.HasPrefix(commentStart, d) || bytes.HasPrefix(cdataStart, d) || bytes.HasPrefix([]byte(doctype), d)):
			return 0, s.short("markup")
		case bytes.HasPrefix(d, cdataStart):
			return 0, s.fail(i, ErrSyntax, "CDATA section outside of the root element")
		}
		return 0, s.fail(i, ErrSyntax, "unknown markup after '<!'")
	}
	n := bytes.Index(d[len(commentStart):], []byte("--"))
	if n < 0 {
		return 0, s.short("a comment")
	}
	n += len(commentStart) + 2
	if n >= len(d) {
		return 0, s.short("a comment")
	}
	if d[n] != '>' {
		return 0, s.fail(i+n-2, ErrSyntax, "'--' in a comment")
	}
	return i + n + 1, nil
}

// pi passes over the processing instruction whose "<?" is at i and returns the index behind it.
func (s *Scanner) pi(i int) (int, error) {
	d := s.doc[i:]
	n := bytes.Index(d[2:], []byte("?>"))
	if n < 0 {
		return 0, s.short("a processing instruction")
	}
	body := d[2 : 2+n]
	target := body
	for k, c := range body {
		if c <= ' ' {
			target = body[:k]
			break
		}
	}
	switch {
	case len(target) > s.lim.MaxNameLen:
		return 0, s.fail(i, ErrLimit, fmt.Sprintf("name longer than %d bytes", s.lim.MaxNameLen))
	case len(target) == 0 || checkNCName(target) != len(target):
		return 0, s.fail(i, ErrSyntax, "processing instruction without a proper name")
	case len(target) == 3 && bytes.EqualFold(target, []byte("xml")):
		return 0, s.fail(i, ErrSyntax, "XML declaration not at the beginning of the document")
	}
	return i + n + 4, nil
}
