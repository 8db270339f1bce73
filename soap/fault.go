package soap

import (
	"net/http"
	"strings"

	"github.com/semeco/go-sdc/internal/xmlscan"
)

// FaultCode is the outer code of a SOAP 1.2 fault, a local name in the envelope namespace.
type FaultCode string

// The codes of SOAP 1.2 part 1, 5.4.6.
const (
	CodeVersionMismatch     FaultCode = "VersionMismatch"
	CodeMustUnderstand      FaultCode = "MustUnderstand"
	CodeDataEncodingUnknown FaultCode = "DataEncodingUnknown"
	CodeSender              FaultCode = "Sender"
	CodeReceiver            FaultCode = "Receiver"
)

// Fault is a SOAP fault, to be sent or received. It is an error; find one with
// errors.As.
type Fault struct {
	Code     FaultCode
	Subcodes []Name // outermost first; usually one
	Reason   string // human readable; the English text if several were received
	Lang     string // of Reason; "" is written as "en"
	Detail   []Body // children of s12:Detail; received ones are xmlscan.Raw

	// NotUnderstood are the header blocks a MustUnderstand fault names; they travel
	// as header blocks of the fault message.
	NotUnderstood []Name

	// Action is the wsa:Action of the fault message; "" takes the one that belongs
	// to the code. On received faults it is what the peer wrote.
	Action string

	// Status is the HTTP status: to use (0 takes the one that belongs to the code), or
	// received, which may be anything: peers are known to send faults with 200.
	Status int

	// RelatesTo is the message a received fault answers.
	RelatesTo string

	// Cause is the error behind a fault of our own; it is not sent.
	Cause error
}

// Error gives code, subcodes and reason.
func (f *Fault) Error() string {
	var b strings.Builder
	b.WriteString("soap fault ")
	b.WriteString(string(f.Code))
	for _, n := range f.Subcodes {
		b.WriteByte('/')
		if p := Prefix(n.Space); p != "" {
			b.WriteString(p)
			b.WriteByte(':')
			b.WriteString(n.Local)
		} else {
			b.WriteString(n.String())
		}
	}
	if f.Reason != "" {
		b.WriteString(": ")
		b.WriteString(f.Reason)
	}
	return b.String()
}

// Unwrap returns Cause.
func (f *Fault) Unwrap() error { return f.Cause }

// HasSubcode reports whether one of the subcodes is the given name, for example
// HasSubcode(xmlscan.NsAddressing, "ActionNotSupported").
func (f *Fault) HasSubcode(space, local string) bool {
	for _, n := range f.Subcodes {
		if n.Space == space && n.Local == local {
			return true
		}
	}
	return false
}

// HTTPStatus is the status a fault is answered with: Status if that is an error, 400 for
// Sender, 500 for everything else (DPWS R0013, SOAP 1.2 part 2, 7.5.2.2).
func (f *Fault) HTTPStatus() int {
	switch {
	case f.Status >= 400: // a fault received with 200 and passed on is no success
		return f.Status
	case f.Code == CodeSender:
		return http.StatusBadRequest
	}
	return http.StatusInternalServerError
}

// MessageAction is the wsa:Action the fault message carries.
func (f *Fault) MessageAction() string {
	switch {
	case f.Action != "":
		return f.Action
	case f.Code == CodeVersionMismatch, f.Code == CodeMustUnderstand, f.Code == CodeDataEncodingUnknown:
		return ActionSOAPFault
	}
	return ActionFault
}

// Header returns the header of the fault message that answers the message with
// the given id; "" if that is not known.
func (f *Fault) Header(relatesTo string) *Header {
	h := &Header{Action: f.MessageAction(), MessageID: NewMessageID(), RelatesTo: relatesTo}
	for _, n := range f.NotUnderstood {
		h.Extra = append(h.Extra, notUnderstood(n))
	}
	if f.Code == CodeVersionMismatch {
		h.Extra = append(h.Extra, RawBody(
			`<s12:Upgrade><s12:SupportedEnvelope qname="s12:Envelope"/></s12:Upgrade>`))
	}
	return h
}

// notUnderstood is the header block that names a block nobody understood (SOAP 1.2, 5.4.8).
type notUnderstood Name

func (n notUnderstood) AppendXML(b []byte) []byte {
	b = append(b, `<s12:NotUnderstood`...)
	b, p := appendBindings(b, []Name{Name(n)})
	qname := n.Local
	if p[0] != "" {
		qname = p[0] + ":" + qname
	}
	b = xmlscan.AppendAttr(b, "qname", qname)
	return append(b, "/>"...)
}

// AppendXML appends the s12:Fault element.
func (f *Fault) AppendXML(b []byte) []byte {
	b = append(b, `<s12:Fault><s12:Code><s12:Value>s12:`...)
	b = xmlscan.AppendText(b, string(f.Code))
	b = append(b, `</s12:Value>`...)
	for _, n := range f.Subcodes {
		b = append(b, `<s12:Subcode>`...)
		b = AppendQNames(b, "s12:Value", []Name{n})
	}
	for range f.Subcodes {
		b = append(b, `</s12:Subcode>`...)
	}
	b = append(b, `</s12:Code><s12:Reason><s12:Text`...)
	lang := f.Lang
	if lang == "" {
		lang = "en"
	}
	b = xmlscan.AppendAttr(b, "xml:lang", lang)
	b = append(b, '>')
	b = xmlscan.AppendText(b, f.Reason)
	b = append(b, `</s12:Text></s12:Reason>`...)
	if len(f.Detail) > 0 {
		b = append(b, `<s12:Detail>`...)
		for _, d := range f.Detail {
			b = d.AppendXML(b)
		}
		b = append(b, `</s12:Detail>`...)
	}
	return append(b, `</s12:Fault>`...)
}

// decodeFault reads the s12:Fault the scanner stands on. It is lenient about
// what peers leave out, but not about the code.
func decodeFault(s *xmlscan.Scanner) (*Fault, error) {
	f := new(Fault)
	for s.Child() {
		switch s.Name() {
		case soapName("Code"):
			var outer Name
			if err := decodeCode(s, &outer, &f.Subcodes, 0); err != nil {
				return nil, err
			}
			switch code := FaultCode(outer.Local); code {
			case CodeVersionMismatch, CodeMustUnderstand, CodeDataEncodingUnknown, CodeSender, CodeReceiver:
				f.Code = code
			default:
				return nil, s.Errorf("unknown fault code %v", outer)
			}
			if outer.Space != xmlscan.NsSOAP12 {
				return nil, s.Errorf("fault code %v is not of SOAP 1.2", outer)
			}
		case soapName("Reason"):
			for s.Child() {
				lang, _ := s.Attr(xmlscan.NsXML, "lang")
				text, err := s.Text()
				if err != nil {
					return nil, err
				}
				if f.Reason == "" || !strings.HasPrefix(f.Lang, "en") && strings.HasPrefix(lang, "en") {
					f.Reason, f.Lang = text, lang
				}
			}
		case soapName("Detail"):
			raw, err := s.Raw()
			if err != nil {
				return nil, err
			}
			// A scanner of its own: peers put bare text into the detail.
			if in := raw.Scanner(); in.Root() == nil {
				for _, r := range decodeRaws(in, nil, xmlscan.DefaultMaxBytes) {
					f.Detail = append(f.Detail, r)
				}
			}
		default:
			_ = s.Skip()
		}
	}
	if err := s.Err(); err != nil {
		return nil, err
	}
	if f.Code == "" {
		return nil, s.Errorf("fault without code")
	}
	return f, nil
}

// maxSubcodes bounds how deep subcodes nest.
const maxSubcodes = 8

func decodeCode(s *xmlscan.Scanner, value *Name, subcodes *[]Name, depth int) error {
	for s.Child() {
		switch s.Name() {
		case soapName("Value"):
			names, err := DecodeQNames(s)
			if err != nil {
				return err
			}
			if len(names) != 1 {
				return s.Errorf("fault code has %d names, want 1", len(names))
			}
			*value = names[0]
		case soapName("Subcode"):
			if depth == maxSubcodes {
				return s.Errorf("more than %d subcodes", maxSubcodes)
			}
			var sub Name
			at := len(*subcodes)
			*subcodes = append(*subcodes, sub)
			if err := decodeCode(s, &sub, subcodes, depth+1); err != nil {
				return err
			}
			(*subcodes)[at] = sub
		default:
			_ = s.Skip()
		}
	}
	if err := s.Err(); err != nil {
		return err
	}
	if *value == (Name{}) {
		return s.Errorf("fault code without value")
	}
	return nil
}

func soapName(local string) Name { return Name{Space: xmlscan.NsSOAP12, Local: local} }

// notUnderstoodBlocks reads the NotUnderstood header blocks of a received fault.
func (e *Envelope) notUnderstoodBlocks() []Name {
	var names []Name
	for _, b := range e.Header.Blocks {
		if b.Name != soapName("NotUnderstood") {
			continue
		}
		s := b.Scanner()
		if s.Root() != nil {
			continue
		}
		if q, ok := s.Attr("", "qname"); ok {
			if n, err := s.ResolveQName(strings.TrimSpace(q)); err == nil {
				names = append(names, n)
			}
		}
	}
	return names
}
