package codec

import (
	"errors"
	"fmt"
	"slices"

	"github.com/semeco/go-sdc/internal/xmlscan"
)

// Decoder carries what decoding needs along: the scanner and what the caller understands.
type Decoder struct {
	S *xmlscan.Scanner

	// Understands tells whether the caller knows an extension element beyond those package ext knows; may be nil.
	Understands func(xmlscan.Name) bool

	batch bool
	slabs []forgetter // by slot, nil where nothing was asked for yet
}

type forgetter interface{ forget() }

// New returns a decoder that reads from s.
func New(s *xmlscan.Scanner) *Decoder { return &Decoder{S: s} }

// Batch returns a decoder for the document s stands in that allocates what it reads several values at a
// time. It stays with the scanner from document to document; Done ends its use for this one.
func Batch(s *xmlscan.Scanner) *Decoder {
	d, ok := s.Attached().(*Decoder)
	if !ok {
		d = &Decoder{S: s, batch: true}
		s.Attach(d)
	}
	return d
}

// Done lets go of what the decoder made room for.
func (d *Decoder) Done() {
	d.Understands = nil
	for _, s := range d.slabs {
		if s != nil {
			s.forget()
		}
	}
}

// Attr refuses the value of an attribute.
func (d *Decoder) Attr(a *xmlscan.Attr, err error) error {
	if d.S.Err() != nil {
		return d.S.Err()
	}
	return d.S.Errorf("attribute %s: %w", a.Local(), err)
}

// Elem refuses the text of the element that was just read.
func (d *Decoder) Elem(err error) error {
	if d.S.Err() != nil {
		return d.S.Err()
	}
	return d.S.Errorf("%w", err)
}

// UnknownAttr refuses an attribute the type does not have.
func (d *Decoder) UnknownAttr(a *xmlscan.Attr) error {
	return d.S.Errorf("%w: attribute %s is not allowed here", xmlscan.ErrContent, a.Local())
}

// ForeignAttr lets attributes of other namespaces pass but for xsi:type, which must name the declared
// type: want, of namespace space, or one of same, which are derived from it and add nothing to it.
func (d *Decoder) ForeignAttr(a *xmlscan.Attr, typed bool, space, want string, same ...string) error {
	if typed || a.Space() != xmlscan.NsXSI || a.Local() != "type" {
		return nil
	}
	got, err := d.S.ResolveQNameBytes(a.Bytes())
	if err != nil {
		return err
	}
	if got.Space != space || got.Local != want && !slices.Contains(same, got.Local) {
		return d.S.Errorf("%w: xsi:type %s cannot stand for %s here", xmlscan.ErrContent, got, want)
	}
	return nil
}

// MissingAttr refuses an element without a required attribute: names[i] belongs to bit i.
func (d *Decoder) MissingAttr(seen uint64, names ...string) error {
	return d.S.Errorf("%w: attribute %s is missing", xmlscan.ErrContent, firstMissing(seen, names))
}

// MissingElem refuses an element without a required child.
func (d *Decoder) MissingElem(seen uint64, names ...string) error {
	if d.S.Err() != nil {
		return d.S.Err()
	}
	return d.S.Errorf("%w: element %s is missing", xmlscan.ErrContent, firstMissing(seen, names))
}

func firstMissing(seen uint64, names []string) string {
	for i, n := range names {
		if n != "" && seen&(1<<i) == 0 {
			return n
		}
	}
	return "?"
}

// UnknownElem refuses a child element the type does not have.
func (d *Decoder) UnknownElem() error {
	return d.S.Errorf("%w: element %s is not allowed here", xmlscan.ErrContent, d.S.Name())
}

// Misplaced refuses a child element that comes too late or once too often.
func (d *Decoder) Misplaced() error {
	return d.S.Errorf("%w: element %s is out of order or repeated", xmlscan.ErrContent, d.S.Name())
}

// NoType refuses an element of abstract type without xsi:type.
func (d *Decoder) NoType(declared string) error {
	return d.S.Errorf("%w: xsi:type missing, %s is abstract", xmlscan.ErrContent, declared)
}

// UnknownType refuses an xsi:type that does not stand for a known type derived from the declared one.
func (d *Decoder) UnknownType(t xmlscan.Name, declared string) error {
	return d.S.Errorf("%w: xsi:type %s is not a known %s", xmlscan.ErrContent, t, declared)
}

// NoChildren refuses child elements and text.
func (d *Decoder) NoChildren() error {
	if d.S.Child() {
		return d.UnknownElem()
	}
	return d.S.Err()
}

// Text returns the text of the current element, which has no attributes, and consumes it; valid until the next move.
func (d *Decoder) Text() ([]byte, error) {
	attrs := d.S.Attrs()
	for i := range attrs {
		if attrs[i].Space() == "" {
			return nil, d.UnknownAttr(&attrs[i])
		}
	}
	return d.S.TextBytes()
}

var (
	errEmpty    = errors.New("empty text is not allowed")
	errBool     = errors.New("not an xs:boolean")
	errUnsigned = errors.New("not an unsigned number in range")
	errInteger  = errors.New("not an integer in range")
	errLanguage = errors.New("not a language tag")
)

// Quote adds the refused text to an error.
func Quote(err error, b []byte) error {
	if len(b) > 64 {
		return fmt.Errorf("%w: %q and more", err, b[:64])
	}
	return fmt.Errorf("%w: %q", err, b)
}

// ErrEnum is the cause of a refused enumeration value.
var ErrEnum = errors.New("not one of the values allowed")

// ErrRange is the cause of a refused number that is out of bounds.
var ErrRange = errors.New("out of range")
