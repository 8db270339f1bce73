package soap

import (
	"errors"
	"fmt"
	"time"

	"github.com/semeco/go-sdc/internal/xmlscan"
)

// Body is content of an envelope. AppendXML appends exactly one element (or
// nothing) that declares every prefix it uses; s12 and wsa may be taken as
// declared with their usual meaning.
type Body interface{ AppendXML(b []byte) []byte }

// RawBody is a body encoded earlier, shared by many envelopes.
type RawBody []byte

// AppendXML appends the bytes as they are.
func (r RawBody) AppendXML(b []byte) []byte { return append(b, r...) }

const (
	envelopeOpen = `<?xml version="1.0" encoding="UTF-8"?>` + "\n" +
		`<s12:Envelope xmlns:s12="` + xmlscan.NsSOAP12 + `" xmlns:wsa="` + xmlscan.NsAddressing + `"><s12:Header>`
	bodyOpen      = `</s12:Header><s12:Body>`
	envelopeClose = `</s12:Body></s12:Envelope>`
)

// AppendEnvelope appends a whole message. A nil header or body is written empty.
func AppendEnvelope(b []byte, h *Header, body Body) []byte {
	b = AppendHead(b, h)
	if body != nil {
		b = body.AppendXML(b)
	}
	return AppendTail(b)
}

// AppendHead appends the message up to and including the start tag of the body.
// With [AppendTail] it frames a body that lives in other memory, for
// [Sender.Send].
func AppendHead(b []byte, h *Header) []byte {
	b = append(b, envelopeOpen...)
	if h != nil {
		b = h.append(b)
	}
	return append(b, bodyOpen...)
}

// AppendTail appends what follows the body's content.
func AppendTail(b []byte) []byte { return append(b, envelopeClose...) }

// Envelope is a received message: the header decoded, the body waiting to be read.
type Envelope struct {
	Header Header
	// Date is when an answer was made by the clock of who made it, to the second, as the HTTP header says (SDPi R1602); zero for requests, and if it does not say.
	Date time.Time

	s          *xmlscan.Scanner
	body       xmlscan.Name
	hasBody    bool
	hasElement bool
	blocks     int    // header blocks, and what should not be beside header and body
	turn       *turn  // in which the body is decoded; nil if it is small, or nobody's request
	must       []Name // header blocks that must be understood by us and are not addressing
	refused    *Fault // the first thing wrong with the header, answered after mustUnderstand
}

// Parse reads a message up to its body. doc is kept and must not change while
// the envelope is in use.
//
// The root must be a SOAP 1.2 envelope (DPWS R0034); for any other the error is a
// VersionMismatch fault. All other errors come from the scanner and mean malformed
// XML. With a VersionMismatch the envelope is returned too and holds the
// addressing headers that could be read, so that the answer can relate to the
// request (DPWS R0040). What [Envelope.Check] looks at is not an error here.
func Parse(doc []byte, lim xmlscan.Limits) (*Envelope, error) {
	return parse(new(xmlscan.Scanner), doc, lim)
}

// Parser reads messages one after the other with one scanner, which is several
// times as fast as [Parse] for small messages. The zero value is ready; it is
// for one goroutine at a time.
type Parser struct {
	s    xmlscan.Scanner
	last *Envelope
}

// Parse is the function Parse. The envelope it returned before loses its body,
// so that a late reader finds nothing rather than another message.
func (p *Parser) Parse(doc []byte, lim xmlscan.Limits) (*Envelope, error) {
	p.drop()
	e, err := parse(&p.s, doc, lim)
	p.last = e
	return e, err
}

// drop lets go of the last message.
func (p *Parser) drop() {
	if p.last != nil {
		p.last.s, p.last = nil, nil
	}
	p.s.Reset(nil, xmlscan.Limits{})
}

// parse is Parse with a given scanner.
func parse(s *xmlscan.Scanner, doc []byte, lim xmlscan.Limits) (*Envelope, error) {
	e := &Envelope{s: s}
	s.Reset(doc, lim)
	if err := s.Root(); err != nil {
		return nil, err
	}
	root := s.Name()
	if root != soapName("Envelope") {
		e.foreign(root)
		return e, VersionMismatch()
	}
	hasHeader := false
	for !e.hasBody && e.blocks <= maxBlocks && s.Child() {
		switch s.Name() {
		case soapName("Header"):
			if hasHeader {
				e.count()
				e.refuse(InvalidMessage("second header in envelope"))
			}
			hasHeader = true
			e.decodeHeader()
		case soapName("Body"):
			e.hasBody = true
			if s.Child() {
				e.hasElement, e.body = true, s.Name()
			}
		default:
			e.count()
			e.refuse(InvalidMessage("unexpected " + s.Name().String() + " in envelope"))
			_ = s.Skip()
		}
	}
	if err := s.Err(); err != nil {
		return nil, err
	}
	if !e.hasBody {
		e.refuse(InvalidMessage("envelope without body"))
	}
	return e, nil
}

// foreign picks the addressing headers out of an envelope of another SOAP version.
// Errors do not matter: the message is refused already.
func (e *Envelope) foreign(root Name) {
	s := e.s
	for s.Child() {
		if n := s.Name(); n.Space == root.Space && n.Local == "Header" {
			e.decodeHeader()
			return
		}
		if s.Skip() != nil {
			return
		}
	}
}

// BodyName is the name of the body's element, or the zero name for an empty body.
func (e *Envelope) BodyName() Name { return e.body }

// Body returns the scanner standing on the start of the body's element, or nil
// when the body is empty. There is one scanner: the body can be read once. The
// reader consumes the element and then calls [Envelope.Close].
func (e *Envelope) Body() *xmlscan.Scanner {
	if !e.hasElement {
		return nil
	}
	return e.s // nil when the request is over
}

// Close checks that nothing but the end of the envelope follows what was read.
// Call it after the body's element has been consumed and before acting on the
// message: a refused input changes nothing.
func (e *Envelope) Close() error {
	if !e.hasBody || e.s == nil {
		return InvalidMessage("envelope without body")
	}
	s := e.s
	if e.hasElement && s.Child() {
		return s.Errorf("second element %v in body", s.Name())
	}
	if s.Err() == nil && s.Child() {
		return s.Errorf("unexpected %v after body", s.Name())
	}
	if err := s.Err(); err != nil {
		return err
	}
	return s.End()
}

// Expect returns the scanner on the body's element if that has the given name,
// else an InvalidMessage fault.
func (e *Envelope) Expect(name Name) (*xmlscan.Scanner, error) {
	switch {
	case !e.hasElement || e.s == nil:
		return nil, InvalidMessage("empty body, want " + name.String())
	case e.body != name:
		return nil, InvalidMessage("body is " + e.body.String() + ", want " + name.String())
	}
	return e.s, nil
}

// ExpectEmpty returns an InvalidMessage fault unless the body is empty and the
// envelope ends well.
func (e *Envelope) ExpectEmpty() error {
	if e.hasElement {
		return InvalidMessage("body is " + e.body.String() + ", want none")
	}
	return e.Close()
}

// Fault decodes the body if it is a SOAP fault; ok says whether it is one.
func (e *Envelope) Fault() (f *Fault, ok bool, err error) {
	if !e.hasElement || e.s == nil || e.body != soapName("Fault") {
		return nil, false, nil
	}
	f, err = decodeFault(e.s)
	if err == nil {
		err = e.Close()
	}
	if err != nil {
		return nil, true, err
	}
	f.Action = e.Header.Action
	f.NotUnderstood = e.notUnderstoodBlocks()
	return f, true, nil
}

// Check answers what the receiver of a message owes before it looks at the body,
// in the order of MDPWS R0013: first header blocks with mustUnderstand that are
// neither addressing nor listed in understood (a MustUnderstand fault naming all
// of them), then broken addressing headers, then a missing wsa:Action (Sender
// faults). VersionMismatch, which precedes all, comes from [Parse].
func (e *Envelope) Check(understood ...Name) error {
	var missing []Name
blocks:
	for _, n := range e.must {
		for _, u := range understood {
			if u == n {
				continue blocks
			}
		}
		missing = append(missing, n)
	}
	switch {
	case missing != nil:
		return MustUnderstand(missing...)
	case e.refused != nil:
		return e.refused
	case e.Header.Action == "":
		return AddressingHeaderRequired("Action")
	}
	return nil
}

func (e *Envelope) refuse(f *Fault) {
	if e.refused == nil {
		e.refused = f
	}
}

// Decode reads the body of a request with fn and checks that nothing follows it.
// name is the expected body element. What is wrong comes back as an
// InvalidMessage fault, to be answered, that wraps the error of fn or the scanner.
func Decode[T any](e *Envelope, name Name, fn func(*xmlscan.Scanner) (T, error)) (T, error) {
	v, err := DecodeAnswer(e, name, fn)
	var f *Fault
	if err != nil && !errors.As(err, &f) {
		f = InvalidMessage(err.Error())
		f.Cause = err
		err = f
	}
	return v, err
}

// DecodeAnswer is Decode for the receiver of an answer, to whom a wrong body is
// an error but no fault.
func DecodeAnswer[T any](e *Envelope, name Name, fn func(*xmlscan.Scanner) (T, error)) (T, error) {
	var zero T
	switch {
	case !e.hasElement || e.s == nil:
		return zero, fmt.Errorf("empty body, want %v", name)
	case e.body != name:
		return zero, fmt.Errorf("body is %v, want %v", e.body, name)
	}
	_ = e.turn.begin() // what has got so far goes on, also if there is none
	defer e.turn.end()
	v, err := fn(e.s)
	if err == nil {
		err = e.Close()
	}
	if err != nil {
		return zero, err
	}
	return v, nil
}
