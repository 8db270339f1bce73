package xmlscan

import "errors"

// Kind says what the scanner stands on.
type Kind uint8

// The kinds of positions. None is the state before the first move and after an error.
const (
	None  Kind = iota
	Start      // a start tag (or an empty element, which yields Start then End)
	End        // an end tag
	Text       // character data
	EOF        // the end of the document
)

// Limits bounds what a scanner accepts. A zero field stands for the default named beside it.
type Limits struct {
	MaxBytes      int // size of the document in bytes; default 16 MiB
	MaxDepth      int // open elements; default 64
	MaxAttrs      int // attributes of one element, namespace declarations included; default 128
	MaxNameLen    int // bytes of one name, prefix and colon included; default 256
	MaxTextLen    int // bytes of one run of text or of one attribute value; default 4 MiB
	MaxNamespaces int // namespace declarations in scope at one time; default 256
	MaxElements   int // elements in the document; default 1 048 576
}

// Causes a caller can tell apart with errors.Is on what the scanner returns.
var (
	ErrSyntax    = errors.New("not well-formed")
	ErrNamespace = errors.New("namespace error")
	ErrEncoding  = errors.New("bad character or encoding")
	ErrDTD       = errors.New("document type declaration refused")
	ErrLimit     = errors.New("limit exceeded")
	ErrContent   = errors.New("unexpected content")
)

// Error is what every method of a scanner returns on refusal.
type Error struct {
	Line   int    // 1-based
	Column int    // 1-based, in characters
	Path   string // open elements as written, for example /s12:Envelope/s12:Body
	Msg    string
	Err    error // one of the Err values of this package or the error wrapped by Errorf; may be nil
}

func (e *Error) Error() string { return e.Msg }

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// Attr is one attribute of the current start tag, valid until the next move of its scanner.
type Attr struct {
	Name Name
	val  []byte
	s    *Scanner
}

// Value returns the normalised, unescaped value as a string of its own.
func (a *Attr) Value() string { return string(a.val) }

// Bytes returns the normalised, unescaped value; valid until the next move.
func (a *Attr) Bytes() []byte { return a.val }

// Scanner reads one document. Skeleton: the implementation follows.
type Scanner struct{ err error }

func NewScanner(doc []byte, lim Limits) *Scanner           { return &Scanner{} }
func (s *Scanner) Reset(doc []byte, lim Limits)            {}
func (s *Scanner) ResetRaw(r Raw)                          {}
func (s *Scanner) Next() (Kind, error)                     { return None, errSkeleton }
func (s *Scanner) Kind() Kind                              { return None }
func (s *Scanner) Name() Name                              { return Name{} }
func (s *Scanner) Prefix() string                          { return "" }
func (s *Scanner) Attrs() []Attr                           { return nil }
func (s *Scanner) Attr(space, local string) (string, bool) { return "", false }

// AttrBytes is Attr without a copy; valid until the next move.
func (s *Scanner) AttrBytes(space, local string) ([]byte, bool) { return nil, false }

// Chars is the text of the current Text position (low level, after Next); valid until the next move.
func (s *Scanner) Chars() []byte                          { return nil }
func (s *Scanner) Root() error                            { return errSkeleton }
func (s *Scanner) Child() bool                            { return false }
func (s *Scanner) Text() (string, error)                  { return "", errSkeleton }
func (s *Scanner) TextBytes() ([]byte, error)             { return nil, errSkeleton }
func (s *Scanner) Skip() error                            { return errSkeleton }
func (s *Scanner) Raw() (Raw, error)                      { return Raw{}, errSkeleton }
func (s *Scanner) ResolveQName(text string) (Name, error) { return Name{}, errSkeleton }
func (s *Scanner) XsiType() (Name, bool, error)           { return Name{}, false, errSkeleton }
func (s *Scanner) Err() error                             { return s.err }
func (s *Scanner) Errorf(format string, a ...any) error   { return errSkeleton }
func (s *Scanner) End() error                             { return errSkeleton }
func (s *Scanner) Intern(b []byte) string                 { return string(b) }
func (s *Scanner) Depth() int                             { return 0 }
func (s *Scanner) Path() string                           { return "" }

// Binding is a namespace declaration; Prefix "" is the default namespace, URI "" there undeclares it.
type Binding struct{ Prefix, URI string }

// Raw is one element as it was written, with the declarations it needs from outside.
type Raw struct {
	Name     Name
	XML      []byte    // the element's bytes, exact
	Bindings []Binding // declarations from outside that XML may need, sorted by prefix
}

// ParseRaw checks a stand-alone document and returns its root element.
func ParseRaw(doc []byte, lim Limits) (Raw, error) { return Raw{}, errSkeleton }
func (r Raw) AppendXML(b []byte) []byte            { return b }
func (r Raw) Scanner() *Scanner                    { return nil }

// Equal reports whether both would be written alike.
func (r Raw) Equal(o Raw) bool { return false }

// Clone returns a deep copy.
func (r Raw) Clone() Raw { return r }

var errSkeleton = errors.New("xmlscan: not there yet")

// Writer.
func AppendText(b []byte, s string) []byte                  { return b } // escaped character data
func AppendEscapedAttr(b []byte, s string) []byte           { return b } // escaped attribute value, no quotes
func AppendAttr(b []byte, name, value string) []byte        { return b } // ` name="escaped"`
func AppendAttrUint(b []byte, name string, v uint64) []byte { return b }
func AppendAttrInt(b []byte, name string, v int64) []byte   { return b }
func AppendAttrBool(b []byte, name string, v bool) []byte   { return b }
func AppendUint(b []byte, v uint64) []byte                  { return b }
func AppendInt(b []byte, v int64) []byte                    { return b }
func AppendBool(b []byte, v bool) []byte                    { return b }
func AppendNS(b []byte, prefix, uri string) []byte          { return b } // ` xmlns:prefix="uri"`, prefix "" = default
func AppendStart(b []byte, name string) []byte              { return b } // `<name` : attributes and '>' or '/>' follow
func AppendEnd(b []byte, name string) []byte                { return b } // `</name>`
func AppendElement(b []byte, name, text string) []byte      { return b } // `<name>escaped</name>`
// TrimSpace cuts XML white space (space, tab, CR, LF) from both ends.
func TrimSpace(b []byte) []byte { return b }
