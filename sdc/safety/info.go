package safety

import (
	"crypto/sha1" //nolint:gosec // the algorithm of the standard; it is to find mistakes, not forgeries
	"encoding/base64"
	"fmt"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
)

// HeaderName is the name of the header block that holds an Info.
func HeaderName() pm.QName { return mdpws("SafetyInfo") }

// Value belongs to a selector: in a safety context what it points to, in a dual channel the digest of that.
type Value struct {
	Selector string
	Text     string
}

// Info is what a call brings along (mdpws:SafetyInfo). Its AppendXML writes the header block.
type Info struct {
	DualChannel []Value
	Context     []Value
}

// Digest is the second channel of a value: the base64 form of the SHA-1 of its text, which is written as canonical XML has it.
func Digest(value string) string {
	canonical := make([]byte, 0, len(value))
	for i := range len(value) {
		switch c := value[i]; c {
		case '&':
			canonical = append(canonical, "&amp;"...)
		case '<':
			canonical = append(canonical, "&lt;"...)
		case '>':
			canonical = append(canonical, "&gt;"...)
		case '\r':
			canonical = append(canonical, "&#xD;"...)
		default:
			canonical = append(canonical, c)
		}
	}
	sum := sha1.Sum(canonical) //nolint:gosec // see above
	return base64.StdEncoding.EncodeToString(sum[:])
}

// Compute makes what a requirement asks for, from a request and the MDIB. The error names a selector that does not point to exactly one value.
func (r *Requirement) Compute(request msg.SetRequest, snap *mdib.Snapshot) (*Info, error) {
	info := &Info{}
	if len(r.DualChannel) > 0 {
		doc := request.AppendXML(nil)
		for i := range r.DualChannel {
			s := &r.DualChannel[i]
			v, err := s.value(doc, false)
			if err != nil {
				return nil, fmt.Errorf("safety: dual channel: selector %q: %w", s.ID, err)
			}
			info.DualChannel = append(info.DualChannel, Value{s.ID, Digest(v)})
		}
	}
	if len(r.Context) > 0 {
		doc := (&msg.GetMdibResponse{Mdib: *snap.Mdib()}).AppendXML(nil)
		for i := range r.Context {
			s := r.Context[i]
			// The document has the response around the MDIB.
			s.steps = append([]step{{name: pm.QName{Space: xmlscan.NsMsg, Local: "Mdib"}}}, s.steps...)
			v, err := s.value(doc, true)
			if err != nil {
				return nil, fmt.Errorf("safety: context: selector %q: %w", s.ID, err)
			}
			info.Context = append(info.Context, Value{s.ID, v})
		}
	}
	return info, nil
}

// Check tells whether what came with a request is what the requirement asks for. info may be nil: nothing came. The error says what is missing or wrong, for people.
func (r *Requirement) Check(info *Info, request msg.SetRequest, snap *mdib.Snapshot) error {
	if info == nil {
		return fmt.Errorf("safety information is missing")
	}
	want, err := r.Compute(request, snap)
	if err != nil {
		return err
	}
	if err := compare("dual channel", want.DualChannel, info.DualChannel); err != nil {
		return err
	}
	return compare("safety context", want.Context, info.Context)
}

func compare(what string, want, got []Value) error {
	have := make(map[string]string, len(got))
	for _, v := range got {
		if _, twice := have[v.Selector]; twice {
			return fmt.Errorf("%s: selector %q has two values", what, clip(v.Selector))
		}
		have[v.Selector] = v.Text
	}
	for _, v := range want {
		text, ok := have[v.Selector]
		switch {
		case !ok:
			return fmt.Errorf("%s: the value of selector %q is missing", what, v.Selector)
		case text != v.Text:
			return fmt.Errorf("%s: the value of selector %q is wrong", what, v.Selector)
		}
		delete(have, v.Selector)
	}
	for id := range have {
		return fmt.Errorf("%s: there is no selector %q", what, clip(id))
	}
	return nil
}

func clip(s string) string { return s[:min(len(s), 64)] }

// AppendXML appends the header block.
func (i *Info) AppendXML(b []byte) []byte {
	b = append(b, `<mdpws:SafetyInfo xmlns:mdpws="`+xmlscan.NsMDPWS+`">`...)
	add := func(list, element string, values []Value) {
		if len(values) == 0 {
			return
		}
		b = append(b, "<mdpws:"+list+">"...)
		for _, v := range values {
			b = append(b, "<mdpws:"+element...)
			b = xmlscan.AppendAttr(b, "ReferencedSelector", v.Selector)
			b = append(b, '>')
			b = xmlscan.AppendText(b, v.Text)
			b = append(b, "</mdpws:"+element+">"...)
		}
		b = append(b, "</mdpws:"+list+">"...)
	}
	add("DualChannel", "DcValue", i.DualChannel)
	add("SafetyContext", "CtxtValue", i.Context)
	return append(b, "</mdpws:SafetyInfo>"...)
}

// Decode reads the header block.
func Decode(block xmlscan.Raw) (*Info, error) {
	s := block.Scanner()
	if err := s.Root(); err != nil {
		return nil, err
	}
	if s.Name() != HeaderName() {
		return nil, fmt.Errorf("%s is no safety information", s.Name())
	}
	info := &Info{}
	for s.Child() {
		switch s.Name() {
		case mdpws("DualChannel"):
			info.DualChannel = decodeValues(s, mdpws("DcValue"), info.DualChannel)
		case mdpws("SafetyContext"):
			info.Context = decodeValues(s, mdpws("CtxtValue"), info.Context)
		default:
			_ = s.Skip() // of others
		}
	}
	return info, s.Err()
}

func decodeValues(s *xmlscan.Scanner, name pm.QName, list []Value) []Value {
	for s.Child() {
		if s.Name() != name {
			_ = s.Skip()
			continue
		}
		id, ok := s.Attr("", "ReferencedSelector")
		if !ok || len(list) == maxSelectors {
			_ = s.Errorf("%s without ReferencedSelector, or more than %d of them", name.Local, maxSelectors) // sticky
			break
		}
		text, _ := s.Text()
		list = append(list, Value{id, string(xmlscan.TrimSpace([]byte(text)))})
	}
	return list
}
