package xmlscan

import (
	"bytes"
	"fmt"
	"hash/maphash"
)

// Attr is an attribute of the current start tag, valid until the next move of its scanner.
type Attr struct {
	// It is written anew for each attribute of a document, and pointers are what costs most to write.
	e         *nameEntry
	space     string
	s         *Scanner
	from, to  int  // the value in s.doc, or in s.abuf if it is
	rewritten bool // as references and white space want it
}

// Name returns the expanded name.
func (a *Attr) Name() Name { return Name{a.Space(), a.Local()} }

// Space returns the namespace name, "" for none.
func (a *Attr) Space() string { return a.space }

// Local returns the local part of the name.
func (a *Attr) Local() string { return a.e.local }

// Prefix returns the prefix the attribute is written with, "" for none.
func (a *Attr) Prefix() string { return a.e.prefix }

// Value returns the value, normalised and references replaced, as a string
// that does not refer to the document (see [Scanner.Intern]).
func (a *Attr) Value() string {
	if a.s == nil {
		return ""
	}
	return a.s.Intern(a.Bytes())
}

// Bytes returns the value, normalised and references replaced. Valid until the next move.
func (a *Attr) Bytes() []byte {
	if a.rewritten {
		return a.s.abuf[a.from:a.to:a.to]
	}
	return a.s.doc[a.from:a.to:a.to]
}

// Attrs returns the attributes of the start tag the scanner stands on, in
// document order, namespace declarations left out; none on any other position.
// Valid until the next move.
func (s *Scanner) Attrs() []Attr {
	if s.kind != Start {
		return nil
	}
	return s.attrs
}

// Attr returns the value of an attribute of the start tag the scanner stands on, and whether it is there.
func (s *Scanner) Attr(space, local string) (string, bool) {
	b, ok := s.AttrBytes(space, local)
	if !ok {
		return "", false
	}
	return s.Intern(b), true
}

// AttrBytes is Attr without the string; valid until the next move.
func (s *Scanner) AttrBytes(space, local string) ([]byte, bool) {
	if s.kind != Start {
		return nil, false
	}
	for i := range s.attrs {
		if a := &s.attrs[i]; a.e.local == local && a.space == space {
			return a.Bytes(), true
		}
	}
	return nil, false
}

// startTag reads the tag whose '<' is at i.
func (s *Scanner) startTag(i int) (Kind, error) {
	d := s.doc
	e, j := s.qname(i+1, s.last)
	if e == nil {
		return None, s.err
	}
	if len(s.stack) >= s.lim.MaxDepth {
		return None, s.fail(i, ErrLimit, fmt.Sprintf("elements nested deeper than %d", s.lim.MaxDepth))
	}
	if s.elements++; s.elements > s.lim.MaxElements {
		return None, s.fail(i, ErrLimit, fmt.Sprintf("more than %d elements", s.lim.MaxElements))
	}
	local, prefix, space := e.local, e.prefix, ""
	nameLen, mark, outer := j-i-1, len(s.binds), s.scope
	// Names are resolved at once with the bindings outside of the tag, which is
	// right for nearly all tags, and again below if the tag declares some.
	again := e.decl
	if !again {
		var ok bool
		space, ok = s.inScope(e)
		again = !ok
	}
	attrs := s.attrs[:0]
	s.abuf = s.abuf[:0]
	empty := false
	for {
		if j >= len(d) {
			return None, s.short("a start tag")
		}
		c := d[j]
		full := len(attrs)+len(s.binds)-mark >= s.lim.MaxAttrs
		var at, from int // the name and the value
		q := byte('"')
		if next := e.next; c == ' ' && !full && next != nil && next.leads(d[j:]) && len(next.raw) <= s.lim.MaxNameLen {
			// The attribute that followed last time too, in the usual spelling: no need to look at its parts.
			e, at, from = next, j+1, j+len(next.lead)
		} else {
			spaced := c <= ' '
			for c <= ' ' {
				if j++; j >= len(d) {
					return None, s.short("a start tag")
				}
				c = d[j]
			}
			if c == '>' {
				j++
				break
			}
			if c == '/' {
				if j+1 >= len(d) {
					return None, s.short("a start tag")
				}
				if d[j+1] != '>' {
					return None, s.fail(j+1, ErrSyntax, "'>' expected after '/' in a start tag")
				}
				empty = true
				j += 2
				break
			}
			if !spaced {
				return None, s.fail(j, ErrSyntax, "white space expected in a start tag")
			}
			if full {
				return None, s.fail(j, ErrLimit, fmt.Sprintf("more than %d attributes", s.lim.MaxAttrs))
			}
			at = j
			if e, from = s.attrName(j, e); e == nil {
				return None, s.err
			}
			q = d[from-1]
		}
		j = scanAttr(d, from, q, s.breaks)
		start, to, rewritten := from, j, false
		if j >= len(d) || d[j] != q {
			var err error
			if from, to, j, err = s.attrValue(from, j, q); err != nil {
				return None, err
			}
			rewritten = true
		}
		if to-from > s.lim.MaxTextLen {
			return None, s.fail(start, ErrLimit, fmt.Sprintf("attribute value longer than %d bytes", s.lim.MaxTextLen))
		}
		j++
		if e.decl {
			val := d
			if rewritten {
				val = s.abuf
			}
			if err := s.declare(e.local, e.prefix != "", val[from:to], at, mark); err != nil {
				return None, err
			}
			again = true
			continue
		}
		n := len(attrs) // filled in place: this is the hot spot of most documents
		if n < cap(attrs) {
			attrs = attrs[:n+1]
		} else {
			attrs = append(attrs, Attr{})
		}
		a := &attrs[n]
		if a.s == nil {
			a.s = s
		}
		a.e, a.from, a.to, a.rewritten = e, from, to, rewritten
		switch {
		case e.prefix != "":
			var ok bool
			if a.space, ok = s.inScope(e); !ok {
				again = true
			}
		case a.space != "": // of an earlier tag; to write a pointer costs more than to ask
			a.space = ""
		}
	}
	s.last = e
	s.attrs = attrs
	if again {
		if local == "" { // an element called xmlns: its entry is that of the declaration
			local = "xmlns"
		}
		var err error
		if space, err = s.resolve(i, prefix); err != nil {
			return None, err
		}
	}
	if len(attrs) > 1 {
		if err := s.unique(i); err != nil {
			return None, err
		}
	}
	depth := len(s.stack)
	if depth < cap(s.stack) {
		s.stack = s.stack[:depth+1]
	} else {
		s.stack = append(s.stack, element{})
	}
	el := &s.stack[depth]
	el.name.Space, el.name.Local, el.prefix = space, local, prefix
	el.off, el.len, el.binds, el.scope = i+1, nameLen, mark, outer
	s.tok, s.pos, s.kind, s.empty = i, j, Start, empty
	return Start, nil
}

// attrName reads the name of the attribute at i, '=' and the quote. It returns the name's entry and the index behind the quote,
// nil after an error.
func (s *Scanner) attrName(i int, before *nameEntry) (*nameEntry, int) {
	d := s.doc
	e, j := s.qname(i, before)
	if e == nil {
		return nil, j
	}
	for j < len(d) && d[j] <= ' ' {
		j++
	}
	if j >= len(d) {
		s.short("a start tag")
		return nil, j
	}
	if d[j] != '=' {
		s.fail(j, ErrSyntax, "'=' expected after an attribute name")
		return nil, j
	}
	j++
	for j < len(d) && d[j] <= ' ' {
		j++
	}
	if j >= len(d) {
		s.short("a start tag")
		return nil, j
	}
	if d[j] != '"' && d[j] != '\'' {
		s.fail(j, ErrSyntax, "quoted attribute value expected")
		return nil, j
	}
	return e, j + 1
}

// qname reads the name at i. It returns its entry and the index behind it, nil after an error.
//
// Most tags are like earlier ones, and then the name is the one that followed the name before it last
// time: one comparison instead of a search for its end, a hash and a look-up.
func (s *Scanner) qname(i int, before *nameEntry) (*nameEntry, int) {
	d := s.doc
	if before != nil && before.next != nil {
		e := before.next
		if j := i + len(e.raw); j < len(d) && endsName(d[j]) && string(d[i:j]) == e.raw && len(e.raw) <= s.lim.MaxNameLen {
			return e, j
		}
	}
	j := scanName(d, i)
	raw := d[i:j]
	var e *nameEntry
	var h uint64
	if len(raw) <= cachedLen && len(raw) <= s.lim.MaxNameLen {
		key := keyOf(raw)
		h = key.hash(raw)
		e = s.names.find(raw, key, h)
	}
	if e == nil {
		if e = s.newName(raw, i, j, h); e == nil {
			return nil, j
		}
	}
	e.follow(before)
	return e, j
}

func (s *Scanner) newName(raw []byte, i, j int, h uint64) *nameEntry {
	long := len(raw) > s.lim.MaxNameLen
	if long {
		raw = raw[:s.lim.MaxNameLen]
	}
	prefix, bad := splitQName(raw)
	switch {
	case long && (bad < 0 || bad >= len(raw)-4): // the cut may have hit a character or a colon
		s.fail(i, ErrLimit, fmt.Sprintf("name longer than %d bytes", s.lim.MaxNameLen))
		return nil
	case bad >= 0:
		at := i + bad
		switch {
		case at >= len(s.doc):
			s.short("a name")
		case len(raw) == 0:
			s.fail(at, ErrSyntax, "name expected")
		case s.doc[at] == ':' || bad == len(raw):
			s.fail(at, ErrNamespace, fmt.Sprintf("%q is not a qualified name", raw))
		default:
			s.fail(at, ErrSyntax, fmt.Sprintf("%q is not a name", raw))
		}
		return nil
	case j >= len(s.doc):
		s.short("a tag")
		return nil
	}
	e := newNameEntry(raw, prefix)
	if e.gone = len(raw) > cachedLen; !e.gone {
		s.names.put(e, h)
	}
	return e
}

// inScope returns the namespace name the prefix of e is bound to.
func (s *Scanner) inScope(e *nameEntry) (string, bool) {
	if e.scope == s.scope {
		return e.space, true
	}
	space, ok := s.lookup(e.prefix)
	if ok {
		e.space, e.scope = space, s.scope
	}
	return space, ok
}

// lookup returns the namespace name bound to prefix; the empty prefix always has one.
func (s *Scanner) lookup(prefix string) (string, bool) {
	if i := s.binding(prefix); i >= 0 {
		return s.binds[i].URI, true
	}
	return "", prefix == ""
}

// binding returns the index of the innermost binding of prefix, -1 if there is none.
func (s *Scanner) binding(prefix string) int {
	for i := len(s.binds) - 1; i >= 0; i-- {
		if s.binds[i].Prefix == prefix {
			return i
		}
	}
	return -1
}

// resolve looks the names of the start tag at i up again once its declarations
// are known, and returns the namespace name of the element.
func (s *Scanner) resolve(i int, prefix string) (string, error) {
	space, ok := s.lookup(prefix)
	if !ok || prefix == "xmlns" {
		return "", s.fail(i+1, ErrNamespace, fmt.Sprintf("prefix %q is not declared", prefix))
	}
	for k := range s.attrs {
		a := &s.attrs[k]
		if a.e.prefix == "" {
			continue
		}
		if a.space, ok = s.lookup(a.e.prefix); !ok {
			return "", s.fail(i, ErrNamespace, fmt.Sprintf("prefix %q of attribute %s is not declared", a.e.prefix, a.e.local))
		}
	}
	return space, nil
}

// declare adds a namespace declaration of the tag whose own ones begin at mark.
func (s *Scanner) declare(prefix string, prefixed bool, val []byte, at, mark int) error {
	uri, known := wellKnown(val)
	if !known {
		uri = s.Intern(val)
	}
	msg := ""
	switch {
	case prefix == "xmlns":
		msg = "prefix xmlns must not be declared"
	case uri == NsXMLNS:
		msg = "namespace " + NsXMLNS + " must not be declared"
	case prefix == "xml" && uri != NsXML:
		msg = "prefix xml must not be bound to another namespace"
	case prefix != "xml" && uri == NsXML:
		msg = "namespace " + NsXML + " must not be bound to another prefix"
	case prefixed && uri == "":
		msg = fmt.Sprintf("prefix %q must not be undeclared", prefix)
	}
	if msg != "" {
		return s.fail(at, ErrNamespace, msg)
	}
	for i := mark; i < len(s.binds); i++ {
		if s.binds[i].Prefix == prefix {
			return s.fail(at, ErrSyntax, fmt.Sprintf("namespace prefix %q declared twice", prefix))
		}
	}
	if len(s.binds)-s.base >= s.lim.MaxNamespaces {
		return s.fail(at, ErrLimit, fmt.Sprintf("more than %d namespace declarations in scope", s.lim.MaxNamespaces))
	}
	s.binds = append(s.binds, Binding{Prefix: prefix, URI: uri})
	s.scopes++
	s.scope = s.scopes
	return nil
}

// dupSet finds equal names among many; for few a plain comparison is faster.
type dupSet struct {
	seed maphash.Seed
	made bool
	tab  []int32 // 1 + index of an attribute, 0 for none
}

const fewAttrs = 12

// unique refuses two attributes of the same expanded name.
func (s *Scanner) unique(at int) error {
	attrs := s.attrs
	if len(attrs) <= fewAttrs {
		for i := 1; i < len(attrs); i++ {
			a := &attrs[i]
			for k := 0; k < i; k++ {
				if b := &attrs[k]; len(a.e.local) == len(b.e.local) && a.e.local == b.e.local && a.space == b.space {
					return s.failDup(at, a.Name())
				}
			}
		}
		return nil
	}
	if !s.dup.made {
		s.dup.seed, s.dup.made = maphash.MakeSeed(), true
	}
	size := 32
	for size < 2*len(attrs) {
		size *= 2
	}
	if cap(s.dup.tab) < size {
		s.dup.tab = make([]int32, size)
	}
	tab := s.dup.tab[:size]
	clear(tab)
	for i := range attrs {
		n := attrs[i].Name()
		h := maphash.String(s.dup.seed, n.Local)
		for ; ; h++ {
			p := &tab[h&uint64(size-1)]
			if *p == 0 {
				*p = int32(i + 1)
				break
			}
			if attrs[*p-1].Name() == n {
				return s.failDup(at, n)
			}
		}
	}
	return nil
}

func (s *Scanner) failDup(at int, n Name) error {
	return s.fail(at, ErrSyntax, "attribute "+n.String()+" appears twice")
}

// endTag reads the tag whose "</" is at i.
func (s *Scanner) endTag(i int) (Kind, error) {
	d := s.doc
	e := &s.stack[len(s.stack)-1]
	j := i + 2
	k := j + e.len
	if k >= len(d) || !bytes.Equal(d[j:k], d[e.off:e.off+e.len]) {
		return None, s.failEnd(j, e)
	}
	if d[k] != '>' {
		for k < len(d) && d[k] <= ' ' {
			k++
		}
		if k >= len(d) {
			return None, s.short("an end tag")
		}
		if d[k] != '>' {
			return None, s.failEnd(j, e)
		}
	}
	s.tok, s.pos, s.kind = i, k+1, End
	return End, nil
}

func (s *Scanner) failEnd(j int, e *element) error {
	want := s.doc[e.off : e.off+e.len]
	k := scanName(s.doc, j)
	if k >= len(s.doc) {
		return s.short("an end tag")
	}
	if got := s.doc[j:k]; !bytes.Equal(got, want) {
		if len(got) > s.lim.MaxNameLen {
			got = got[:s.lim.MaxNameLen]
		}
		return s.fail(j-2, ErrSyntax, fmt.Sprintf("end tag %q does not match start tag %q", got, want))
	}
	return s.fail(k, ErrSyntax, "'>' expected in an end tag")
}
