package xmlscan

import "fmt"

// Root moves from the beginning of the document to the start tag of its root element.
func (s *Scanner) Root() error {
	if s.err != nil {
		return s.err
	}
	if s.kind != None {
		return s.usage("Root")
	}
	_, err := s.Next()
	return err
}

// End checks that nothing but white space, comments and processing
// instructions follows the root element, which must have been read to its end.
func (s *Scanner) End() error {
	if s.err != nil {
		return s.err
	}
	if s.kind != EOF && (s.kind != End || len(s.stack) != 1) {
		return s.usage("End")
	}
	_, err := s.Next()
	return err
}

// Child moves through the child elements of an element: called on a start tag
// it goes to the first child's start tag, called after that child was read to
// its end (by its own Child loop, Text, Skip or Raw) to the next one's. It
// returns false at the parent's end tag and after an error (see Err). Text
// among the children that is not white space is an error.
func (s *Scanner) Child() bool {
	if s.err != nil {
		return false
	}
	if s.kind != Start && s.kind != End {
		if s.kind != EOF {
			s.usage("Child")
		}
		return false
	}
	for {
		if !s.empty { // pass over white space without the detour of a Text position
			i := s.pos
			d := s.doc
			for i < len(d) && d[i] <= ' ' {
				i++
			}
			if i+1 < len(d) && d[i] == '<' {
				s.pos = i
			}
		}
		k, err := s.Next()
		switch {
		case err != nil:
			return false
		case k == Start:
			return true
		case k != Text:
			return false
		case !white(s.chars):
			s.fail(s.tok, ErrContent, fmt.Sprintf("text in element %s, which has only child elements", s.Name()))
			return false
		}
	}
}

// Text returns the text of the element the scanner stands on the start tag of
// and moves to its end tag. A child element is an error. White space is kept
// as it is. The string never refers to the document (see [Scanner.Intern]).
func (s *Scanner) Text() (string, error) {
	b, err := s.TextBytes()
	if err != nil {
		return "", err
	}
	return s.Intern(b), nil
}

// TextBytes is Text without the string; valid until the next move.
func (s *Scanner) TextBytes() ([]byte, error) {
	if s.err != nil {
		return nil, s.err
	}
	if s.kind != Start {
		return nil, s.usage("Text")
	}
	k, err := s.Next()
	if err != nil {
		return nil, err
	}
	var b []byte
	if k == Text {
		b = s.chars
		if k, err = s.Next(); err != nil {
			return nil, err
		}
	}
	if k != End {
		return nil, s.fail(s.tok, ErrContent, "child element where only text is allowed")
	}
	return b, nil
}

// Skip moves from the start tag of an element to its end tag, checking all between.
func (s *Scanner) Skip() error {
	if s.err != nil {
		return s.err
	}
	if s.kind != Start {
		return s.usage("Skip")
	}
	for depth := len(s.stack); ; {
		k, err := s.Next()
		if err != nil {
			return err
		}
		if k == End && len(s.stack) == depth {
			return nil
		}
	}
}

// usage is the error of a method called in the wrong place.
func (s *Scanner) usage(method string) error {
	return s.fail(s.tok, ErrUsage, fmt.Sprintf("%s called on %s", method, s.kind))
}

// ResolveQName reads text as an xs:QName value in the scope of the current
// element: surrounding white space is cut, the prefix is resolved with the
// declarations in scope, and a name without prefix is in the default namespace
// (BICEPS R0214, R0215). An error becomes the scanner's error.
func (s *Scanner) ResolveQName(text string) (Name, error) {
	var buf [cachedLen]byte
	return s.ResolveQNameBytes(append(buf[:0], text...))
}

// ResolveQNameBytes is ResolveQName for bytes, which may be those of Attr.Bytes or TextBytes.
func (s *Scanner) ResolveQNameBytes(text []byte) (Name, error) {
	if s.err != nil {
		return Name{}, s.err
	}
	text = TrimSpace(text)
	if len(text) > s.lim.MaxNameLen {
		return Name{}, s.Errorf("%w: qualified name longer than %d bytes", ErrLimit, s.lim.MaxNameLen)
	}
	if e := s.value; e != nil && e.scope == s.scope && e.raw == string(text) { // as most values of xsi:type in a report
		return Name{Space: e.space, Local: e.local}, nil
	}
	key := keyOf(text)
	h := key.hash(text)
	seen := s.names.find(text, key, h)
	if seen != nil && !seen.decl { // checked before, be it as a name or as a value
		if space, ok := s.inScope(seen); ok {
			s.value = seen
			return Name{Space: space, Local: seen.local}, nil
		}
	}
	prefix, bad := splitQName(text)
	if bad >= 0 {
		return Name{}, s.Errorf("%w: %q is not a qualified name", ErrContent, string(text))
	}
	local := text
	var p string
	if prefix > 0 {
		p, local = s.Intern(text[:prefix]), text[prefix+1:]
	}
	space, ok := s.lookup(p)
	if !ok {
		return Name{}, s.Errorf("%w: prefix %q of the qualified name %q is not declared", ErrNamespace, p, string(text))
	}
	if seen == nil && len(text) <= cachedLen {
		s.names.put(newNameEntry(text, prefix), h)
	}
	return Name{Space: space, Local: s.Intern(local)}, nil
}

// XsiType returns the resolved xsi:type attribute of the start tag the scanner
// stands on, and whether there is one. An error becomes the scanner's error.
func (s *Scanner) XsiType() (Name, bool, error) {
	if s.err != nil {
		return Name{}, false, s.err
	}
	v, ok := s.AttrBytes(NsXSI, "type")
	if !ok {
		return Name{}, false, nil
	}
	n, err := s.ResolveQNameBytes(v)
	return n, err == nil, err
}
