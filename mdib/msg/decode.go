package msg

import (
	"fmt"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/mdib/internal/codec"
	"github.com/semeco/go-sdc/mdib/pm"
)

// Options tells what a reader of messages knows and bears. The zero value is the default.
type Options struct {
	// Understands tells whether the caller understands an extension element marked ext:MustUnderstand="true", beyond
	// those package ext has types for. nil: none.
	Understands func(pm.QName) bool
	// Limits bounds the document, for Unmarshal.
	Limits xmlscan.Limits
}

// UnknownMessageError is the cause of a refusal: the element is not a message of BICEPS.
type UnknownMessageError struct {
	Name pm.QName
}

func (e *UnknownMessageError) Error() string {
	return "element " + e.Name.String() + " is not a message"
}

// Decode reads the message whose start tag the scanner stands on and consumes it up to its end tag. Errors are *xmlscan.Error with
// line, column and path; errors.As finds *UnknownMessageError and *pm.MustUnderstandError in them.
//
// Nothing of the message refers to the document. States and other values of one message share allocations, up to eight of a kind and 8 KiB of
// samples: who keeps a single state of a message for long may keep as many in memory, and can store a Clone instead.
func Decode(s *xmlscan.Scanner) (Message, error) { return Options{}.Decode(s) }

// Decode is the function Decode with options.
func (o Options) Decode(s *xmlscan.Scanner) (Message, error) {
	name := s.Name()
	var m decodable
	if name.Space == Namespace {
		m = newMessage(name.Local)
	}
	if m == nil {
		return nil, s.Errorf("%w", &UnknownMessageError{Name: name})
	}
	d := codec.Batch(s)
	defer d.Done()
	d.Understands = o.Understands
	if err := m.decode(d, false); err != nil {
		return nil, err
	}
	return m, nil
}

// Unmarshal reads a document whose root is a message. For files, the root may also be msg:Mdib or pm:Mdib; the
// result is then a *GetMdibResponse of the MDIB's version.
func Unmarshal(doc []byte) (Message, error) { return Options{}.Unmarshal(doc) }

// Unmarshal is the function Unmarshal with options.
func (o Options) Unmarshal(doc []byte) (Message, error) {
	s := xmlscan.NewScanner(doc, o.Limits)
	if err := s.Root(); err != nil {
		return nil, err
	}
	var m Message
	var err error
	if n := s.Name(); n.Local == "Mdib" && (n.Space == pm.Namespace || n.Space == Namespace) {
		r := new(GetMdibResponse)
		d := codec.Batch(s)
		d.Understands = o.Understands
		err = r.Mdib.DecodeElement(d)
		r.MdibVersionGroup = r.Mdib.MdibVersionGroup
		m = r
	} else {
		m, err = o.Decode(s)
	}
	if err == nil {
		err = s.End()
	}
	if err != nil {
		return nil, fmt.Errorf("reading message: %w", err)
	}
	return m, nil
}
