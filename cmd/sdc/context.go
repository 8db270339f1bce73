package main

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
)

type contextCmd struct {
	Show     contextShowCmd     `cmd:"" help:"Show a device's context states."`
	Patient  contextPatientCmd  `cmd:"" help:"Associate a patient; the former one is disassociated by the device."`
	Location contextLocationCmd `cmd:"" help:"Move the device to a location."`
}

type contextShowCmd struct {
	deviceFlags
	Target string `arg:"" help:"Device: EPR, unique prefix of one, friendly name or URL."`
	JSON   bool   `name:"json" help:"One JSON object a context state."`
}

func (c *contextShowCmd) Run(e *env) error {
	dev, closeAll, err := c.connect(e, c.Target)
	if err != nil {
		return err
	}
	defer closeAll()
	t := newTable("HANDLE", "CONTEXT", "STATE", "SINCE VERSION", "UNTIL VERSION")
	for ent := range dev.MDIB().Entities() {
		for _, s := range ent.Contexts {
			if c.JSON {
				if err := writeJSON(e.out, struct {
					Type  string          `json:"type"`
					State pm.ContextState `json:"state"`
				}{typeName(s), s}); err != nil {
					return err
				}
				continue
			}
			b := s.BaseContext()
			t.add(b.Handle, strings.TrimSuffix(typeName(s), "ContextState"), contextText(s), optional(b.BindingMdibVersion), optional(b.UnbindingMdibVersion))
		}
	}
	if c.JSON {
		return nil
	}
	return t.print(e.out)
}

func optional(v pm.Opt[uint64]) string {
	if n, ok := v.Get(); ok {
		return fmt.Sprint(n)
	}
	return "-"
}

type contextPatientCmd struct {
	deviceFlags
	Target string `arg:"" help:"Device: EPR, unique prefix of one, friendly name or URL."`
	Given  string `help:"Given name."`
	Family string `help:"Family name."`
	ID     string `name:"id" help:"Identifier of the patient." required:""`
	Root   string `default:"urn:oid:2.25.0" help:"Name space of the identifier, a URI."`
	JSON   bool   `name:"json" help:"One JSON object."`
}

func (c *contextPatientCmd) Run(e *env) error {
	if c.ID == "" {
		return usagef("--id is empty: a patient without an identifier is nobody that another device knows")
	}
	if u, err := url.Parse(c.Root); err != nil || u.Scheme == "" || strings.ContainsAny(c.Root, " \t\r\n") {
		return usagef("--root %q is no URI, such as urn:oid:2.25.0", c.Root)
	}
	return setContext(e, c.deviceFlags, c.Target, c.JSON, func(d pm.Descriptor) pm.ContextState {
		if _, ok := d.(*pm.PatientContextDescriptor); !ok {
			return nil
		}
		s := &pm.PatientContextState{CoreData: &pm.PatientDemographicsCoreData{
			BaseDemographics: pm.BaseDemographics{Givenname: c.Given, Familyname: c.Family},
		}}
		s.Identification = []pm.InstanceIdentifier{{Root: c.Root, Extension: c.ID}}
		return s
	})
}

type contextLocationCmd struct {
	deviceFlags
	Target   string `arg:"" help:"Device: EPR, unique prefix of one, friendly name or URL."`
	Location string `arg:"" help:"fac=..,bldng=..,flr=..,poc=..,rm=..,bed=.., each optional."`
	JSON     bool   `name:"json" help:"One JSON object."`
}

func (c *contextLocationCmd) Run(e *env) error {
	detail, err := placeOf(c.Location)
	if err != nil {
		return usageError{err}
	}
	if detail.IsZero() {
		return usagef("the location is empty: one of fac, bldng, flr, poc, rm and bed is needed")
	}
	return setContext(e, c.deviceFlags, c.Target, c.JSON, func(d pm.Descriptor) pm.ContextState {
		if _, ok := d.(*pm.LocationContextDescriptor); !ok {
			return nil
		}
		s := &pm.LocationContextState{LocationDetail: &pm.LocationDetail{
			Facility: detail.Facility, Building: detail.Building, Floor: detail.Floor, PoC: detail.PoC, Room: detail.Room, Bed: detail.Bed,
		}}
		root, ext := detail.Identification()
		s.Identification = []pm.InstanceIdentifier{{Root: root, Extension: ext}}
		return s
	})
}

// setContext proposes a new associated context state for the first context
// descriptor that propose knows and that an operation sets.
func setContext(e *env, f deviceFlags, target string, asJSON bool, propose func(pm.Descriptor) pm.ContextState) error {
	dev, closeAll, err := f.connect(e, target)
	if err != nil {
		return err
	}
	defer closeAll()
	ctx, cancel := context.WithTimeout(e.ctx, f.Timeout)
	defer cancel()
	snap := dev.MDIB()
	for ent := range snap.Entities() {
		op, ok := ent.Descriptor.(*pm.SetContextStateOperationDescriptor)
		if !ok {
			continue
		}
		d, ok := mdib.Get[pm.ContextDescriptor](snap, op.OperationTarget)
		if !ok {
			continue
		}
		s := propose(d)
		if s == nil {
			continue
		}
		b := s.BaseContext()
		b.DescriptorHandle, b.DescriptorVersion = op.OperationTarget, d.Base().DescriptorVersion
		b.Handle = op.OperationTarget // asks for a new state
		b.ContextAssociation = pm.ContextAssociationAssoc
		res, err := dev.SetContextState(ctx, ent.Handle, s)
		return printResult(e, asJSON, ent.Handle, res, err)
	}
	return fmt.Errorf("the device has no operation that sets this context")
}
