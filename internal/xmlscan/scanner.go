package xmlscan

import (
	"bytes"
	"fmt"
)

// Kind says what the scanner stands on.
type Kind uint8

// The kinds of positions.
const (
	None  Kind = iota // before the first move, and after an error
	Start             // a start tag; an empty-element tag gives Start, then End
	End               // an end tag
	Text              // character data, comments and processing instructions cut out, CDATA sections merged
	EOF               // the end of a complete document
)

// String returns the name of the kind.
func (k Kind) String() string {
	switch k {
	case Start:
		return "start tag"
	case End:
		return "end tag"
	case Text:
		return "text"
	case EOF:
		return "end of document"
	}
	return "no position"
}

// Scanner reads one document from memory, front to back. The zero value is
// ready for Reset. It is for one goroutine at a time. It keeps its buffers and
// its cache of names and short strings over Reset, so a scanner that is kept
// reads further documents without allocation.
type Scanner struct {
	full []byte // the document
	doc  []byte // the document up to its first illegal character
	pos  int    // next byte to read
	tok  int    // first byte of what the scanner stands on
	kind Kind

	empty bool // kind is Start of an empty-element tag
	ended bool // the root element was closed
	ascii bool // declared US-ASCII

	stack    []element
	binds    []Binding // in scope, innermost last
	base     int       // the first base entries of binds come from outside of the document
	scope    uint64    // identifies the set of bindings in scope
	scopes   uint64    // last scope handed out, never reused
	elements int
	spent    int // memory, by Spend
	nonASCII int
	breaks   bool // there are TAB, LF or CR in the document

	attrs []Attr
	abuf  []byte // values of the current attributes that had to be rewritten
	chars []byte // current text
	tbuf  []byte // text that had to be rewritten or merged
	dup   dupSet

	names   nameCache
	strings stringCache
	last    *nameEntry // the name read before
	value   *nameEntry // the value read as a qualified name before

	lim Limits
	err error

	attached any
}

// element is an open element.
type element struct {
	name   Name
	prefix string
	off    int    // offset of its name as written
	len    int    // length of its name as written
	binds  int    // len(binds) outside
	scope  uint64 // scope outside
}

var bom = []byte("\xEF\xBB\xBF")

// NewScanner returns a scanner at the beginning of doc, which must not change
// while it is read. Nothing the scanner returns as a string or as Raw refers to doc.
func NewScanner(doc []byte, lim Limits) *Scanner {
	s := new(Scanner)
	s.Reset(doc, lim)
	return s
}

// Reset starts over with another document. Reset(nil, Limits{}) lets go of the last one.
func (s *Scanner) Reset(doc []byte, lim Limits) {
	s.reset(doc, lim.withDefaults(), nil)
}

const keptBuffer = 64 << 10 // a larger scratch buffer is not kept over Reset

func (s *Scanner) reset(doc []byte, lim Limits, outside []Binding) {
	s.full, s.doc, s.pos, s.tok, s.kind = doc, doc, 0, 0, None
	s.empty, s.ended, s.ascii = false, false, false
	s.stack = s.stack[:0]
	s.binds = append(s.binds[:0], Binding{Prefix: "xml", URI: NsXML})
	s.binds = append(s.binds, outside...)
	s.base = len(s.binds)
	s.scopes++
	s.scope = s.scopes
	s.elements, s.spent = 0, 0
	s.attrs, s.chars = s.attrs[:0], nil
	s.last, s.value = nil, nil
	if cap(s.abuf) > keptBuffer {
		s.abuf = nil
	}
	if cap(s.tbuf) > keptBuffer {
		s.tbuf = nil
	}
	s.lim, s.err = lim, nil
	s.nonASCII = -1
	if len(doc) > lim.MaxBytes {
		s.fail(0, ErrLimit, fmt.Sprintf("document of %d bytes, at most %d allowed", len(doc), lim.MaxBytes))
		return
	}
	// One pass over all bytes first: what follows need not think about bad
	// UTF-8 and control characters, and a byte below 0x20 is white space.
	var bad int
	bad, s.nonASCII, s.breaks = scanChars(doc)
	s.doc = doc[:bad]
	if bytes.HasPrefix(doc, bom) {
		s.pos = len(bom)
		if s.nonASCII == 0 { // the mark itself does not count
			_, s.nonASCII, _ = scanChars(s.doc[len(bom):])
			if s.nonASCII >= 0 {
				s.nonASCII += len(bom)
			}
		}
	}
}

// Next moves to the next start tag, end tag, run of text or the end of the
// document. Comments and processing instructions are checked and passed over.
func (s *Scanner) Next() (Kind, error) {
	if s.err != nil {
		return None, s.err
	}
	switch s.kind {
	case Start:
		if s.empty {
			s.empty = false
			s.kind = End
			return End, nil
		}
	case End:
		s.pop()
	case EOF:
		return EOF, nil
	case None:
		if err := s.prolog(); err != nil {
			return None, err
		}
	}
	if len(s.stack) == 0 {
		return s.misc()
	}
	d, i := s.doc, s.pos
	if i+1 < len(d) && d[i] == '<' {
		switch d[i+1] {
		case '/':
			return s.endTag(i)
		case '!', '?':
		default:
			return s.startTag(i)
		}
	}
	return s.content(i)
}

// pop leaves the element whose end the scanner stands on.
func (s *Scanner) pop() {
	top := len(s.stack) - 1
	e := &s.stack[top]
	s.binds = s.binds[:e.binds]
	s.scope = e.scope
	s.stack = s.stack[:top]
	if top == 0 {
		s.ended = true
	}
}

// Kind returns what the last move came to.
func (s *Scanner) Kind() Kind { return s.kind }

// Size returns the length of the document in bytes.
func (s *Scanner) Size() int { return len(s.full) }

// Depth returns the number of open elements, the one the scanner stands on included.
func (s *Scanner) Depth() int { return len(s.stack) }

// Name returns the name of the innermost open element: on Start and End the
// one the scanner stands on. It is the zero Name outside of the root element.
func (s *Scanner) Name() Name {
	if len(s.stack) == 0 {
		return Name{}
	}
	return s.stack[len(s.stack)-1].name
}

// Prefix returns the prefix the element of Name is written with, "" for none.
func (s *Scanner) Prefix() string {
	if len(s.stack) == 0 {
		return ""
	}
	return s.stack[len(s.stack)-1].prefix
}

// Chars returns the text the scanner stands on, line ends normalised and
// references replaced; nil on any other kind of position. Valid until the next move.
func (s *Scanner) Chars() []byte {
	if s.kind != Text {
		return nil
	}
	return s.chars
}

// Rest returns the number of bytes of the document that are still to be read.
func (s *Scanner) Rest() int { return len(s.full) - s.pos }

// Spend notes that so many bytes are about to be made of what was read. Beyond Limits.MaxMemory the scanner fails: a short element may stand for a large value, so the size of
// a document alone does not bound what comes of it.
func (s *Scanner) Spend(bytes int) {
	if s.spent += bytes; s.spent > s.lim.MaxMemory {
		s.fail(s.tok, ErrMemory, fmt.Sprintf("more than %d bytes of memory for what is in the document", s.lim.MaxMemory))
	}
}

// Attach keeps v along with the scanner, over Reset too: for a decoder that has memory of its own to use again.
func (s *Scanner) Attach(v any) { s.attached = v }

// Attached returns what was attached last, nil if nothing was.
func (s *Scanner) Attached() any { return s.attached }

// Intern returns b as a string. Strings of up to 64 bytes come from a bounded
// cache the scanner keeps over Reset, so that those seen before need no
// allocation; longer ones are copied. The result never refers to b.
func (s *Scanner) Intern(b []byte) string { return s.strings.get(b) }
