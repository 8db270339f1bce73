package safety

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/mdib/pm"
)

func mdpws(local string) pm.QName { return pm.QName{Space: xmlscan.NsMDPWS, Local: local} }

// RequirementName is the name of the extension that holds a requirement.
func RequirementName() pm.QName { return mdpws("SafetyReq") }

// Requirement says what a call of an operation has to bring along (mdpws:SafetyReq).
type Requirement struct {
	// DualChannel selects values of the request, from its element on: /msg:SetValue/msg:RequestedNumericValue/text().
	DualChannel []Selector
	// Context selects values of the MDIB, from its children on: /pm:MdState/pm:State[@DescriptorHandle="pat"]/@ContextAssociation.
	Context []Selector
}

// maxSelectors bounds the selectors of a requirement.
const maxSelectors = 64

// Of returns the requirement of an operation, nil if there is none. The error says that there is one that nobody can fulfil here: a selector of another form, or another
// algorithm or transformation than the default ones.
func Of(op pm.OperationDescriptor) (*Requirement, error) {
	e, ok := op.Base().Extension.Find(RequirementName())
	if !ok {
		return nil, nil //nolint:nilnil // no requirement is the rule
	}
	r, err := decodeRequirement(e.Raw)
	if err != nil {
		return nil, fmt.Errorf("safety requirement of %s: %w", op.Base().Handle, err)
	}
	return r, nil
}

func decodeRequirement(raw xmlscan.Raw) (*Requirement, error) {
	s := raw.Scanner()
	if err := s.Root(); err != nil {
		return nil, err
	}
	r := &Requirement{}
	for s.Child() {
		var err error
		switch s.Name() {
		case mdpws("DualChannelDef"):
			for attr, def := range map[string]string{"Algorithm": "Base64SHA1", "Transform": "xml-exc-c14n"} {
				text, ok := s.Attr("", attr)
				if !ok {
					continue
				}
				if name, err := s.ResolveQName(text); err != nil || name != mdpws(def) {
					return nil, fmt.Errorf("%s %q is not supported", attr, text)
				}
			}
			r.DualChannel, err = decodeSelectors(s)
		case mdpws("SafetyContextDef"):
			r.Context, err = decodeSelectors(s)
		default:
			// What may stand here too is not known to this package, so that it cannot be fulfilled.
			return nil, fmt.Errorf("%s is not supported", s.Name())
		}
		if err != nil {
			return nil, err
		}
	}
	if s.Err() != nil {
		return nil, s.Err()
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	return r, nil
}

func decodeSelectors(s *xmlscan.Scanner) (list []Selector, err error) {
	for s.Child() {
		if s.Name() != mdpws("Selector") {
			return nil, fmt.Errorf("%s is not supported", s.Name())
		}
		sel := Selector{}
		sel.ID, _ = s.Attr("", "Id")
		// The element is kept by itself, so that the prefixes of the path can be looked up once it has been read.
		raw, err := s.Raw()
		if err != nil {
			return nil, err
		}
		text, scope := raw.Scanner(), raw.Scanner()
		if err := errors.Join(text.Root(), scope.Root()); err != nil {
			return nil, err
		}
		if sel.Path, err = text.Text(); err != nil {
			return nil, err
		}
		err = sel.compile(func(prefix string) (string, bool) {
			// The other scanner stands on the start tag still. A prefix that is not declared is an error that would stick, so known ones come first.
			if slices.ContainsFunc(raw.Bindings, func(b xmlscan.Binding) bool { return b.Prefix == prefix }) || strings.Contains(string(raw.XML), "xmlns:"+prefix) {
				n, err := scope.ResolveQName(prefix + ":x")
				return n.Space, err == nil
			}
			return usual(prefix)
		})
		if err != nil {
			return nil, fmt.Errorf("selector %q: %w", sel.ID, err)
		}
		list = append(list, sel)
	}
	return list, s.Err()
}

// usual is what a prefix means if nobody says otherwise.
func usual(prefix string) (string, bool) {
	switch prefix {
	case "msg":
		return xmlscan.NsMsg, true
	case "pm":
		return xmlscan.NsPM, true
	case "ext":
		return xmlscan.NsExt, true
	case "xsi":
		return xmlscan.NsXSI, true
	}
	return "", false
}

// check looks at what the list as a whole must keep.
func (r *Requirement) check() error {
	seen := map[string]bool{}
	n := 0
	for _, list := range [][]Selector{r.DualChannel, r.Context} {
		for _, s := range list {
			if s.ID == "" || seen[s.ID] {
				return fmt.Errorf("selector %q: the Id is empty or not unique", s.ID)
			}
			seen[s.ID] = true
			n++
		}
	}
	if n > maxSelectors {
		return fmt.Errorf("more than %d selectors", maxSelectors)
	}
	for _, s := range r.DualChannel {
		if len(s.steps) == 0 {
			return fmt.Errorf("selector %q points to no element of a request", s.ID)
		}
	}
	return nil
}

// Set makes the requirement one of an operation. Paths may use the prefixes msg, pm, ext and xsi. The error names a selector of the wrong form.
func (r *Requirement) Set(op pm.OperationDescriptor) error {
	if len(r.DualChannel)+len(r.Context) == 0 {
		return errors.New("safety: a requirement needs a selector")
	}
	b := []byte(`<mdpws:SafetyReq xmlns:mdpws="` + xmlscan.NsMDPWS + `" xmlns:msg="` + xmlscan.NsMsg + `" xmlns:pm="` + xmlscan.NsPM +
		`" xmlns:ext="` + xmlscan.NsExt + `" xmlns:xsi="` + xmlscan.NsXSI + `">`)
	appendList := func(name string, list []Selector) {
		if len(list) == 0 {
			return
		}
		b = append(b, "<mdpws:"+name+">"...)
		for _, s := range list {
			b = append(b, "<mdpws:Selector"...)
			b = xmlscan.AppendAttr(b, "Id", s.ID)
			b = append(b, '>')
			b = xmlscan.AppendText(b, s.Path)
			b = append(b, "</mdpws:Selector>"...)
		}
		b = append(b, "</mdpws:"+name+">"...)
	}
	appendList("DualChannelDef", r.DualChannel)
	appendList("SafetyContextDef", r.Context)
	b = append(b, "</mdpws:SafetyReq>"...)
	raw, err := xmlscan.ParseRaw(b, xmlscan.Limits{})
	if err != nil {
		return fmt.Errorf("safety: %w", err)
	}
	if _, err := decodeRequirement(raw); err != nil {
		return fmt.Errorf("safety: %w", err)
	}
	op.Base().Extension.Set(pm.ExtensionElement{Raw: raw})
	return nil
}
