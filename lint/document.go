package lint

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
)

// Requirement ids of what keeps a document from being an MDIB.
const (
	idXML            = "XML"               // own label: not well-formed
	idSchema         = "SDPi R0013"        // the schema is not kept
	idMustUnderstand = "EXT-ns"            // an extension that must be understood is not known
	idNoState        = "BICEPS R0021"      // no MdState
	idStates         = "BICEPS R0023"      // a descriptor without state
	idTree           = "BICEPS tree rules" // anything else about the structure
)

func structureRules() []Rule {
	return []Rule{
		{ID: idXML, Profile: base, Title: "The document is well-formed XML 1.0 with namespaces, in UTF-8, without DTD."},
		{ID: idSchema, Profile: base, Title: "The document follows the BICEPS schemas strictly."},
		{ID: "BICEPS R0007_0", Profile: base, Title: "Handles of descriptors and context states are unique within one MDIB."},
		{ID: "BICEPS R0105_0", Profile: base, Title: "Handles hold visible ASCII characters only."},
		{ID: idTree, Profile: base, Title: "Descriptors stand below the parents that they can have."},
		{ID: idNoState, Profile: base, Title: "An MDIB includes its states."},
		{ID: idStates, Profile: base, Title: "The type of a state pairs with that of its descriptor, and every descriptor but a context has its state."},
	}
}

// Document judges an MDIB document: msg:GetMdibResponse, msg:Mdib or pm:Mdib. What keeps it from being read is a finding too.
//
// States that a document leaves out are judged as the initial values that a provider would give them, and reported.
func Document(name string, doc []byte, profile mdib.Profile) *Report {
	r := &Report{Source: name, Profile: profile}
	places := locate(doc)
	var must []pm.QName
	m, err := msg.Options{
		Limits: xmlscan.Limits{MaxBytes: mdib.MaxFileSize},
		Understands: func(name pm.QName) bool { // told, but no reason not to judge the rest
			if !slices.Contains(must, name) {
				must = append(must, name)
			}
			return true
		},
	}.Unmarshal(doc)
	if err != nil {
		r.Refused(err)
		return r
	}
	for _, name := range must {
		r.add(mdib.Finding{ID: idMustUnderstand, Severity: mdib.SeverityWarning, Message: "the extension " + name.String() + " must be understood: readers that do not know it refuse the whole"})
	}
	response, ok := m.(*msg.GetMdibResponse)
	if !ok {
		r.add(mdib.Finding{ID: idSchema, Severity: mdib.SeverityError, Message: "the root is " + m.BodyName().Local + ", not a GetMdibResponse or Mdib"})
		return r
	}
	if f, ok := missingStates(&response.Mdib, answer(doc)); ok {
		r.add(f)
	}
	s, err := mdib.FromMdib(&response.Mdib)
	if err != nil {
		r.Refused(err)
	} else {
		for _, f := range Check(s, profile) {
			r.add(f)
		}
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		if at, ok := places[f.Handle]; ok && f.Line == 0 {
			f.Line, f.Column = at.line, at.column
		}
	}
	r.sort()
	return r
}

func (r *Report) add(f mdib.Finding) { r.Findings = append(r.Findings, Finding{Finding: f}) }

// Refused adds why an MDIB could not be taken at all: one finding for each rule broken, with line and column for errors of XML. It returns whether
// the error was about the MDIB; other errors, for example of a connection, add nothing.
func (r *Report) Refused(err error) bool {
	known := false
	for _, e := range leaves(err) {
		var rule *mdib.RuleError
		var scan *xmlscan.Error
		var must *pm.MustUnderstandError
		f := Finding{Finding: mdib.Finding{Severity: mdib.SeverityError}}
		switch {
		case errors.As(e, &rule):
			f.ID, f.Handle, f.Message = rule.ID, rule.Handle, rule.Msg
		case errors.As(e, &scan):
			f.ID, f.Line, f.Column = idSchema, scan.Line, scan.Column
			f.Message = scan.Msg + " (in " + scan.Path + ")"
			switch {
			case errors.As(e, &must):
				f.ID = idMustUnderstand
			case errors.Is(e, xmlscan.ErrSyntax), errors.Is(e, xmlscan.ErrNamespace), errors.Is(e, xmlscan.ErrEncoding),
				errors.Is(e, xmlscan.ErrDTD), errors.Is(e, xmlscan.ErrLimit):
				f.ID = idXML
			}
		default:
			continue
		}
		known = true
		r.Findings = append(r.Findings, f)
	}
	return known
}

// leaves takes joined errors apart. An error that wraps one other counts as one.
func leaves(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok { //nolint:errorlint // the join itself is meant
		var out []error
		for _, e := range joined.Unwrap() {
			out = append(out, leaves(e)...)
		}
		return out
	}
	for e := errors.Unwrap(err); e != nil; e = errors.Unwrap(e) {
		if _, ok := e.(interface{ Unwrap() []error }); ok { //nolint:errorlint // as above
			return leaves(e)
		}
	}
	return []error{err}
}

// answer tells whether a document is what a device answered, as opposed to an MDIB for it to start from.
func answer(doc []byte) bool {
	s := xmlscan.NewScanner(doc, xmlscan.Limits{MaxBytes: mdib.MaxFileSize})
	return s.Root() == nil && s.Name().Local == "GetMdibResponse"
}

// missingStates: a device starts from a document without states, but its answer has them all.
func missingStates(m *pm.Mdib, answer bool) (mdib.Finding, bool) {
	f := mdib.Finding{ID: idNoState, Severity: mdib.SeverityInfo}
	if answer {
		f.Severity = mdib.SeverityWarning
	}
	if m.MdState == nil || len(m.MdState.State) == 0 {
		f.Message = "there are no states; the initial ones are judged"
		return f, true
	}
	have := map[string]bool{}
	for _, s := range m.MdState.State {
		if s != nil {
			have[s.BaseState().DescriptorHandle] = true
		}
	}
	whole, err := mdib.FromMdib(&pm.Mdib{MdibVersionGroup: m.MdibVersionGroup, MdDescription: m.MdDescription})
	if err != nil {
		return f, false // told by what reads the whole
	}
	var without []string
	for e := range whole.Entities() {
		if e.State != nil && !have[e.Handle] {
			without = append(without, e.Handle)
		}
	}
	if len(without) == 0 {
		return f, false
	}
	const named = 5
	list := strings.Join(without[:min(named, len(without))], ", ")
	if len(without) > named {
		list += ", ..."
	}
	f.ID, f.Handle = idStates, without[0]
	f.Message = fmt.Sprintf("%d descriptors have no state (%s); initial ones are judged", len(without), list)
	return f, true
}
