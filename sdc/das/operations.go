package das

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
)

// Defaults of a Description.
const (
	DefaultEffectiveTimeout = 15 * time.Second
	DefaultConfirmWithin    = 5 * time.Second
)

const nsXSD = "http://www.w3.org/2001/XMLSchema"

// Description is how a device describes its operations.
type Description struct {
	// Prefix begins the handles: Prefix.activate, Prefix.confirm, Prefix.end; "" means das.
	Prefix string
	// Target is the OperationTarget: the handle of the alert system, or of the MDS if it has several. It is needed.
	Target string
	// EffectiveTimeout is the InvocationEffectiveTimeout: the consumer activates again within it. 0 means DefaultEffectiveTimeout.
	EffectiveTimeout time.Duration
	// ConfirmWithin is MaxTechnicalConfirmationDelay: for so long an alarm may be silent at the device without proof that somebody else has it. 0 means DefaultConfirmWithin.
	ConfirmWithin time.Duration
	// Codes are the types of the operations; the zero value has the default ones.
	Codes Codes
}

// Operations returns the three descriptors for the SCO of the MDS. The error says what is missing or negative.
func (d Description) Operations() ([]pm.OperationDescriptor, error) {
	if d.Target == "" {
		return nil, errors.New("das: Target is missing")
	}
	if d.EffectiveTimeout < 0 || d.ConfirmWithin < 0 {
		return nil, errors.New("das: a time is negative")
	}
	if d.Prefix == "" {
		d.Prefix = "das"
	}
	if d.EffectiveTimeout == 0 {
		d.EffectiveTimeout = DefaultEffectiveTimeout
	}
	if d.ConfirmWithin == 0 {
		d.ConfirmWithin = DefaultConfirmWithin
	}
	codes := d.Codes.orDefault()
	operation := func(name string, code pm.CodedValue, arguments ...pm.ActivateOperationDescriptorArgument) *pm.ActivateOperationDescriptor {
		o := &pm.ActivateOperationDescriptor{Argument: arguments}
		o.Handle, o.Type, o.OperationTarget = d.Prefix+"."+name, &code, d.Target
		o.SafetyClassification = pm.SafetyClassificationMedC
		return o
	}
	argument := func(code, text, kind string) pm.ActivateOperationDescriptorArgument {
		return pm.ActivateOperationDescriptorArgument{
			ArgName: pm.CodedValue{Code: code, CodingSystem: CodingSystem, ConceptDescription: []pm.LocalizedText{{Lang: "en", Text: text}}},
			Arg:     pm.QName{Space: nsXSD, Local: kind},
		}
	}
	activate := operation("activate", codes.Activate, argument("friendly-consumer-name", "Friendly consumer name", "string"))
	activate.InvocationEffectiveTimeout, activate.Retriggerable = pm.Some(pm.DurationOf(d.EffectiveTimeout)), pm.Some(true)
	setConfirmWithin(&activate.Extension, d.ConfirmWithin)
	return []pm.OperationDescriptor{
		activate,
		operation("confirm", codes.Confirm,
			argument("sequence-id", "SequenceId of the MDIB", "anyURI"),
			argument("alert-occurrences", "Alert occurrences: state version and handle of each condition", "string")),
		operation("end", codes.End),
	}, nil
}

func extensionName() pm.QName {
	return pm.QName{Space: Namespace, Local: "MaxTechnicalConfirmationDelay"}
}

func setConfirmWithin(x *pm.Extension, d time.Duration) {
	name := extensionName()
	xml := fmt.Sprintf(`<das:%s xmlns:das="%s">%s</das:%s>`, name.Local, name.Space, pm.DurationOf(d), name.Local)
	x.Set(pm.ExtensionElement{Raw: xmlscan.Raw{Name: name, XML: []byte(xml)}})
}

// confirmWithin reads the extension; 0 if it is not there.
func confirmWithin(x pm.Extension) (time.Duration, error) {
	e, ok := x.Find(extensionName())
	if !ok {
		return 0, nil
	}
	s := e.Raw.Scanner()
	if err := s.Root(); err != nil {
		return 0, err
	}
	text, err := s.Text()
	if err != nil {
		return 0, err
	}
	d, err := pm.ParseDuration(strings.TrimSpace(text))
	if err != nil {
		return 0, err
	}
	if d.Std() <= 0 {
		return 0, fmt.Errorf("%s is no positive duration", d)
	}
	return d.Std(), nil
}

// Operations are those of one MDS.
type Operations struct {
	// MDS is the handle of the MDS whose alarms are monitored.
	MDS string
	// Activate, Confirm and End are the handles of the operations.
	Activate, Confirm, End string
	// EffectiveTimeout is how long an activation lasts.
	EffectiveTimeout time.Duration
	// ConfirmWithin is MaxTechnicalConfirmationDelay; 0 if the device does not say.
	ConfirmWithin time.Duration
}

// ErrNotOffered is wrapped where a device does not offer a distributed alarm system.
var ErrNotOffered = errors.New("the device does not offer to be monitored by a distributed alarm system")

// Find finds the operations of an MDS by their types; mds may be "" if one MDS only has them. The error wraps ErrNotOffered, or says why what is offered cannot be used.
func Find(s *mdib.Snapshot, mds string, codes Codes) (Operations, error) {
	codes = codes.orDefault()
	found := map[string]*Operations{}
	var order []string
	for e := range s.Entities() {
		d, ok := e.Descriptor.(*pm.ActivateOperationDescriptor)
		if !ok {
			continue
		}
		of, _ := s.MDSOf(e.Handle)
		if mds != "" && of != mds {
			continue
		}
		o := found[of]
		if o == nil {
			o = &Operations{MDS: of}
		}
		var place *string
		arguments := 0
		switch {
		case means(d.Type, codes.Activate):
			place, arguments = &o.Activate, 1
			o.EffectiveTimeout = d.InvocationEffectiveTimeout.Or(pm.Duration{}).Std()
			var err error
			if o.ConfirmWithin, err = confirmWithin(d.Extension); err != nil {
				return Operations{}, fmt.Errorf("das: operation %s: MaxTechnicalConfirmationDelay: %w", e.Handle, err)
			}
		case means(d.Type, codes.Confirm):
			place, arguments = &o.Confirm, 2
		case means(d.Type, codes.End):
			place = &o.End
		default:
			continue
		}
		if *place != "" {
			return Operations{}, fmt.Errorf("das: the operations %s and %s of %s have the same type", *place, e.Handle, of)
		}
		if len(d.Argument) != arguments {
			return Operations{}, fmt.Errorf("das: operation %s has %d arguments, not %d", e.Handle, len(d.Argument), arguments)
		}
		*place = e.Handle
		if found[of] == nil {
			found[of] = o
			order = append(order, of)
		}
	}
	switch {
	case len(order) == 0:
		return Operations{}, fmt.Errorf("das: %w", ErrNotOffered)
	case len(order) > 1:
		return Operations{}, fmt.Errorf("das: several MDSs can be monitored, say which: %s", strings.Join(order, ", "))
	}
	o := found[order[0]]
	switch {
	case o.Activate == "" || o.Confirm == "" || o.End == "":
		return Operations{}, fmt.Errorf("das: %s has not all of the three operations: %w", o.MDS, ErrNotOffered)
	case o.EffectiveTimeout <= 0:
		return Operations{}, fmt.Errorf("das: operation %s has no InvocationEffectiveTimeout", o.Activate)
	}
	return *o, nil
}

// Enabled tells whether the operations of a MDIB that are about monitoring under way can be invoked: the activating and the ending one. The provider ends
// monitoring by disabling them (DEV-49).
func (o Operations) Enabled(s *mdib.Snapshot) bool {
	return !slices.ContainsFunc([]string{o.Activate, o.End}, func(h string) bool { return !enabled(s, h) })
}

// Available tells whether monitoring can be activated.
func (o Operations) Available(s *mdib.Snapshot) bool { return enabled(s, o.Activate) }

func enabled(s *mdib.Snapshot, handle string) bool {
	state, ok := mdib.Get[pm.OperationState](s, handle)
	return ok && state.BaseOperation().OperatingMode == pm.OperatingModeEn
}
