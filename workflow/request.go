package workflow

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/station"
)

// operation finds the operation that a call names at a system.
func (w *Workflow) operation(c *Call, s *station.System) (*station.Operation, error) {
	if c.Handle != "" {
		if o := s.Operation(c.Handle); o != nil {
			return o, nil
		}
		return nil, fmt.Errorf("the device has no operation %q", c.Handle)
	}
	code, err := w.code(c.Operation)
	if err != nil {
		return nil, err
	}
	var found []*station.Operation
	for _, o := range s.Operations {
		if o.Code == code {
			found = append(found, o)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return nil, fmt.Errorf("the device has no operation %s", c.Operation)
	}
	return nil, fmt.Errorf("the device has %d operations %s; name one by its handle", len(found), c.Operation)
}

// possible tells whether an operation can be invoked now.
func possible(s *station.System, o *station.Operation) error {
	switch {
	case !s.Live():
		return fmt.Errorf("the device is not live (%s)", s.Link.State)
	case o.Mode != pm.OperatingModeEn:
		return fmt.Errorf("operation %s is not possible now (operating mode %s)", o.Handle, o.Mode)
	}
	return nil
}

// request makes the request of a call, checked against what the device says it takes.
func (w *Workflow) request(c *Call, s *station.System, o *station.Operation, args map[string]string) (msg.SetRequest, error) {
	set := msg.AbstractSet{OperationHandleRef: o.Handle}
	value := fill(c.Value, args)
	switch {
	case c.Request != nil:
		return c.Request(s, o)
	case o.Kind == station.Activate:
		r := &msg.Activate{AbstractSet: set}
		for _, a := range c.Arguments {
			r.Argument = append(r.Argument, msg.Argument{ArgValue: fill(a, args)})
		}
		if len(r.Argument) != len(o.Arguments) || c.Value != "" || c.Patient != nil || c.Location != "" {
			return nil, fmt.Errorf("operation %s takes %d arguments and nothing else", o.Handle, len(o.Arguments))
		}
		return r, nil
	case o.Kind == station.SetValue && c.Value != "":
		d, err := pm.ParseDecimal(value)
		if err != nil {
			return nil, fmt.Errorf("%q is no number", value)
		}
		if !pm.InRanges(o.Ranges, d) {
			return nil, fmt.Errorf("%s is outside of what operation %s allows: %s", d, o.Handle, pm.RangesText(o.Ranges))
		}
		return &msg.SetValue{AbstractSet: set, RequestedNumericValue: d}, nil
	case o.Kind == station.SetString && c.Value != "":
		if len(o.Values) > 0 && !slices.Contains(o.Values, value) {
			return nil, fmt.Errorf("%q is none of what operation %s allows: %s", value, o.Handle, strings.Join(o.Values, ", "))
		}
		return &msg.SetString{AbstractSet: set, RequestedStringValue: value}, nil
	case o.Kind == station.SetContextState && c.Patient != nil:
		return setContext(set, patientState(c.Patient, o.Target, args)), nil
	case o.Kind == station.SetContextState && c.Location != "":
		detail, err := sdc.ParseLocationDetail(fill(c.Location, args))
		if err != nil {
			return nil, err
		}
		return setContext(set, locationState(detail, o.Target)), nil
	}
	return nil, fmt.Errorf("operation %s is a %s, which what is given does not fit", o.Handle, o.Kind)
}

func setContext(set msg.AbstractSet, states ...pm.ContextState) *msg.SetContextState {
	return &msg.SetContextState{AbstractSet: set, ProposedContextState: states}
}

// validatorRoot names the workflow engine as the one who vouches for a context: a person has started the run with it (an OID made from a
// UUID, so nobody else can have it).
const validatorRoot = "urn:oid:2.25.287035053634059221620966542452626113113"

func associated(b *pm.AbstractContextState, descriptor, root, extension string) {
	b.DescriptorHandle, b.Handle, b.ContextAssociation = descriptor, descriptor, pm.ContextAssociationAssoc
	b.Identification = []pm.InstanceIdentifier{{Root: root, Extension: extension}}
	b.Validator = []pm.InstanceIdentifier{{Root: validatorRoot, Extension: "workflow"}}
}

func patientState(p *Patient, descriptor string, args map[string]string) pm.ContextState {
	s := &pm.PatientContextState{}
	associated(&s.AbstractContextState, descriptor, fill(p.Root, args), fill(p.ID, args))
	s.CoreData = &pm.PatientDemographicsCoreData{BaseDemographics: pm.BaseDemographics{
		Familyname: fill(p.Family, args), Givenname: fill(p.Given, args),
	}}
	return s
}

func locationState(d sdc.LocationDetail, descriptor string) pm.ContextState {
	s := &pm.LocationContextState{LocationDetail: &pm.LocationDetail{
		Facility: d.Facility, Building: d.Building, PoC: d.PoC, Floor: d.Floor, Room: d.Room, Bed: d.Bed,
	}}
	root, extension := d.Identification()
	associated(&s.AbstractContextState, descriptor, root, extension)
	return s
}

// restoring makes the request that brings back what was there; nil if that is what is there.
type restoring func(now *station.View, f *freshness) (msg.SetRequest, error)

// freshness says from which version on the MDIB of a device shows what has become of an operation. If the device did not tell, it is
// one that is newer than the first look: reports come in order, so one that came after the operation shows that none before is missing.
type freshness struct {
	known   bool
	version uint64
}

func (f *freshness) reached(snap *mdib.Snapshot) bool {
	now := snap.Version().MdibVersion
	if !f.known {
		f.known, f.version = true, now+1
	}
	return now >= f.version
}

// restorer remembers what was before an operation, and returns what makes the request that brings it back. It is asked for that when
// the time has come, since what there is to end is known only then.
func restorer(view *station.View, s *station.System, o *station.Operation) (restoring, error) {
	set := msg.AbstractSet{OperationHandleRef: o.Handle}
	d := view.Device(s.Device)
	switch o.Kind {
	case station.SetValue, station.SetString:
		v := s.Value(o.Target)
		if v == nil || !v.Status(view.Time).Usable() {
			return nil, fmt.Errorf("what %s is now is not known, and so could not be restored", o.Target)
		}
		return func(*station.View, *freshness) (msg.SetRequest, error) {
			if n, ok := v.Number.Get(); ok {
				return &msg.SetValue{AbstractSet: set, RequestedNumericValue: n}, nil
			}
			return &msg.SetString{AbstractSet: set, RequestedStringValue: v.Text}, nil
		}, nil
	case station.SetContextState:
		if d == nil || d.MDIB == nil {
			return nil, errors.New("the contexts of the device are not known")
		}
		before := active(d.MDIB, o.Target)
		return func(now *station.View, f *freshness) (msg.SetRequest, error) {
			return contextsBack(set, now, s.Device, o.Target, before, f)
		}, nil
	case station.Activate, station.SetMetricState, station.SetComponentState, station.SetAlertState:
	}
	return nil, fmt.Errorf("a %s cannot be restored", o.Kind)
}

func active(snap *mdib.Snapshot, descriptor string) []pm.ContextState {
	var out []pm.ContextState
	for s := range snap.Associated(descriptor) {
		out = append(out, s)
	}
	return out
}

// contextsBack ends the contexts that have come and associates anew those that have gone.
func contextsBack(set msg.AbstractSet, now *station.View, epr, descriptor string, before []pm.ContextState, f *freshness) (msg.SetRequest, error) {
	d := now.Device(epr)
	if d == nil || d.MDIB == nil || !d.Live() {
		return nil, errors.New("the device is not live")
	}
	if !f.reached(d.MDIB) {
		return nil, errors.New("the device has not told yet what became of the operation")
	}
	var states []pm.ContextState
	have := active(d.MDIB, descriptor)
	for _, s := range have {
		if !hasHandle(before, s.BaseMulti().Handle) {
			if !ours(s) {
				return nil, fmt.Errorf("somebody else has associated %s meanwhile", s.BaseMulti().Handle)
			}
			ended := pm.CloneState(s).(pm.ContextState)
			ended.BaseContext().ContextAssociation = pm.ContextAssociationDis
			states = append(states, ended)
		}
	}
	for _, s := range before {
		if !hasHandle(have, s.BaseMulti().Handle) {
			again := pm.CloneState(s).(pm.ContextState)
			b := again.BaseContext()
			b.Handle, b.StateVersion = descriptor, 0
			b.BindingMdibVersion, b.UnbindingMdibVersion = pm.Opt[uint64]{}, pm.Opt[uint64]{}
			b.BindingStartTime, b.BindingEndTime = pm.Opt[pm.Timestamp]{}, pm.Opt[pm.Timestamp]{}
			states = append(states, again)
		}
	}
	if len(states) == 0 {
		return nil, nil //nolint:nilnil // nothing has changed, nothing has to be brought back
	}
	return setContext(set, states...), nil
}

// ours tells whether a context was set by a workflow.
func ours(s pm.ContextState) bool {
	return slices.ContainsFunc(s.BaseContext().Validator, func(v pm.InstanceIdentifier) bool { return v.Root == validatorRoot })
}

func hasHandle(list []pm.ContextState, handle string) bool {
	return slices.ContainsFunc(list, func(s pm.ContextState) bool { return s.BaseMulti().Handle == handle })
}

// describeRequest is a request for the audit.
func describeRequest(r msg.SetRequest) string {
	switch r := r.(type) {
	case *msg.SetValue:
		return "set " + r.RequestedNumericValue.String()
	case *msg.SetString:
		return fmt.Sprintf("set %q", r.RequestedStringValue)
	case *msg.Activate:
		args := make([]string, len(r.Argument))
		for i, a := range r.Argument {
			args[i] = a.ArgValue
		}
		return "activate(" + strings.Join(args, ", ") + ")"
	case *msg.SetContextState:
		return fmt.Sprintf("set %d context states", len(r.ProposedContextState))
	}
	return r.BodyName().Local
}
