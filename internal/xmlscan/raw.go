package xmlscan

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// Binding is a namespace declaration. Prefix "" is the default namespace; with
// an empty URI it says that names without prefix are in no namespace.
type Binding struct {
	Prefix string
	URI    string
}

// Raw is one element as it was written, together with the declarations from
// outside of it that it may need. It refers to no scanner and no document.
type Raw struct {
	Name     Name
	XML      []byte    // from the '<' of the start tag to the '>' of the end tag, byte for byte
	Bindings []Binding // sorted by prefix; none of them is declared by the element's own start tag
}

// Raw moves from the start tag of an element to its end tag and returns the
// element. What lies inside is checked like everything else.
//
// Bindings holds every declaration from outside whose prefix, followed by a
// colon, occurs in the element, be it in names, attribute values or text, so
// that values such as xsi:type="pm:X" keep their meaning; and the default
// namespace, as names without prefix in values cannot be told from other words.
func (s *Scanner) Raw() (Raw, error) {
	if s.err != nil {
		return Raw{}, s.err
	}
	if s.kind != Start {
		return Raw{}, s.usage("Raw")
	}
	depth := len(s.stack)
	top := &s.stack[depth-1]
	r := Raw{Name: top.name}
	from := top.off - 1
	u := usedBindings{s: s, outside: top.binds, own: len(s.binds)}
	for k := Start; k != End || len(s.stack) != depth; {
		switch k {
		case Start:
			u.startTag()
		case Text:
			u.value(s.chars)
		}
		var err error
		if k, err = s.Next(); err != nil {
			return Raw{}, err
		}
	}
	r.XML = bytes.Clone(s.full[from:s.pos])
	r.Bindings = u.list()
	return r, nil
}

// usedBindings collects which bindings from outside of an element are used in it.
type usedBindings struct {
	s       *Scanner
	outside int   // the first bindings of the scanner come from outside
	own     int   // those up to here from the element's own start tag
	used    []int // indices below outside
	plain   bool  // an element is in no namespace because of what is outside
}

func (u *usedBindings) startTag() {
	e := &u.s.stack[len(u.s.stack)-1]
	if e.prefix != "" {
		u.prefix(e.prefix)
	} else if e.name.Space == "" && u.s.binding("") < u.outside {
		u.plain = true
	}
	for i := range u.s.attrs {
		a := &u.s.attrs[i]
		if a.e.prefix != "" {
			u.prefix(a.e.prefix)
		}
		u.value(a.Bytes())
	}
}

func (u *usedBindings) prefix(p string) {
	if i := u.s.binding(p); i >= 0 && i < u.outside && p != "xml" && !slices.Contains(u.used, i) {
		u.used = append(u.used, i)
	}
}

// value notes the prefixes of all that might be a qualified name in b.
func (u *usedBindings) value(b []byte) {
	for {
		colon := bytes.IndexByte(b, ':')
		if colon < 0 {
			return
		}
		i := colon
		for i > 0 && (b[i-1] >= utf8.RuneSelf || isNameChar(rune(b[i-1]))) {
			i--
		}
		for i < colon && b[i] < utf8.RuneSelf && !isNameStart(rune(b[i])) {
			i++
		}
		if n := colon - i; n > 0 && n <= u.s.lim.MaxNameLen {
			u.prefix(string(b[i:colon]))
		}
		b = b[colon+1:]
	}
}

// list returns what the start tag must declare to stand alone.
func (u *usedBindings) list() []Binding {
	var need []Binding
	for _, i := range u.used {
		b := u.s.binds[i]
		if !slices.ContainsFunc(u.s.binds[u.outside:u.own], func(o Binding) bool { return o.Prefix == b.Prefix }) {
			need = append(need, b)
		}
	}
	if i := u.s.binding(""); i < u.outside {
		if i >= 0 && u.s.binds[i].URI != "" || u.plain {
			uri := ""
			if i >= 0 {
				uri = u.s.binds[i].URI
			}
			need = append(need, Binding{URI: uri})
		}
	}
	slices.SortFunc(need, func(a, b Binding) int { return strings.Compare(a.Prefix, b.Prefix) })
	return need
}

// ParseRaw checks a stand-alone document and returns its root element.
func ParseRaw(doc []byte, lim Limits) (Raw, error) {
	s := NewScanner(doc, lim)
	if err := s.Root(); err != nil {
		return Raw{}, err
	}
	r, err := s.Raw()
	if err != nil {
		return Raw{}, err
	}
	if err := s.End(); err != nil {
		return Raw{}, err
	}
	return r, nil
}

// AppendXML appends the element so that it means the same wherever it is put:
// its bytes, with Bindings declared in its start tag. Reading that again gives
// a Raw with these bytes and no Bindings of its own (other than from a default
// namespace around it, which it then does not need): from the first writing on nothing changes.
func (r Raw) AppendXML(b []byte) []byte {
	if len(r.Bindings) == 0 || len(r.XML) == 0 {
		return append(b, r.XML...)
	}
	i := scanName(r.XML, 1)
	b = append(b, r.XML[:i]...)
	for _, n := range r.Bindings {
		b = AppendNS(b, n.Prefix, n.URI)
	}
	return append(b, r.XML[i:]...)
}

// Scanner returns a scanner at the beginning of the element (call Root first),
// with Bindings in scope. The element was within the limits of the scanner it
// came from, so none are set but that on what is made of it.
func (r Raw) Scanner() *Scanner {
	s := new(Scanner)
	s.ResetRaw(r)
	return s
}

// ResetRaw is Reset for an element: see [Raw.Scanner].
func (s *Scanner) ResetRaw(r Raw) {
	const none = math.MaxInt32
	s.reset(r.XML, Limits{none, none, none, none, none, none, none, memoryFactor * DefaultMaxBytes}, r.Bindings)
}

// Size is the number of bytes that AppendXML adds, or a few more.
func (r Raw) Size() int {
	n := len(r.XML)
	for _, b := range r.Bindings {
		n += len(` xmlns:=""`) + len(b.Prefix) + len(b.URI)
	}
	return n
}

// IsZero reports whether r holds no element.
func (r Raw) IsZero() bool { return len(r.XML) == 0 }

// Equal reports whether both are written alike by AppendXML.
func (r Raw) Equal(o Raw) bool {
	if r.Name != o.Name {
		return false
	}
	if slices.Equal(r.Bindings, o.Bindings) {
		return bytes.Equal(r.XML, o.XML)
	}
	return bytes.Equal(r.AppendXML(nil), o.AppendXML(nil))
}

// Clone returns a copy that shares nothing with r.
func (r Raw) Clone() Raw {
	r.XML = bytes.Clone(r.XML)
	r.Bindings = slices.Clone(r.Bindings)
	return r
}
