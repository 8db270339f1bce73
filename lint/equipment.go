package lint

import (
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/semeco/go-sdc/mdib/ext"
	"github.com/semeco/go-sdc/mdib/pm"
)

func equipmentRules() []Rule {
	return []Rule{
		{ID: "SDPi R0017", Profile: sdpi, Title: "Every MDS has an sdpi:EquipmentIdentifier.", check: mdsIdentifiers},
		{ID: "SDPi R0018", Profile: sdpi, Title: "Removable VMDs have an sdpi:EquipmentIdentifier.", check: vmdIdentifiers},
		{ID: "SDPi R0014", Profile: sdpi, Title: "Equipment identifiers are unique.", check: uniqueIdentifiers},
		{ID: "SDPi R0015", Profile: sdpi, Title: "Equipment identifiers are of the form urn:uuid or urn:oid.", check: identifierForm},
		{ID: "SDPi R0008", Profile: sdpi, Title: "The MDS has the production specifications that its maker has available.", check: production},
		{ID: "SDPi R0007", Profile: sdpi, Title: "The codes of sdpi:CodedAttributes lie from 67841 to 68609.", check: codedAttributes},
		{ID: "SDPi R0012", Profile: sdpi, Title: "The administrative gender, if known, is given by sdpi:Gender.", check: gender},
	}
}

func mdsIdentifiers(p *pass) {
	for h, d := range descriptors[*pm.MdsDescriptor](p) {
		if _, ok, _ := ext.EquipmentIdentifier(d.Extension); !ok {
			p.errorf(h, "the MDS has no sdpi:EquipmentIdentifier")
		}
	}
}

func vmdIdentifiers(p *pass) {
	for h, d := range descriptors[*pm.VmdDescriptor](p) {
		if _, ok, _ := ext.EquipmentIdentifier(d.Extension); !ok {
			p.infof(h, "the VMD has no sdpi:EquipmentIdentifier; it should have one if it can be removed")
		}
	}
}

// equipmentIdentifiers yields every identifier that can be read.
func (p *pass) equipmentIdentifiers(visit func(handle, uri string)) {
	for h, d := range descriptors[pm.Descriptor](p) {
		if uri, ok, err := ext.EquipmentIdentifier(d.Base().Extension); ok && err == nil {
			visit(h, uri)
		}
	}
}

func uniqueIdentifiers(p *pass) {
	first := map[string]string{}
	p.equipmentIdentifiers(func(h, uri string) {
		if other, ok := first[uri]; ok {
			p.errorf(h, "the equipment identifier %q is that of %q too", clip(uri), other)
			return
		}
		first[uri] = h
	})
}

func identifierForm(p *pass) {
	p.equipmentIdentifiers(func(h, uri string) {
		if id, ok := strings.CutPrefix(uri, "urn:uuid:"); ok {
			if _, err := uuid.Parse(id); err == nil && len(id) == 36 {
				return
			}
		}
		if id, ok := strings.CutPrefix(uri, "urn:oid:"); ok && oid(id) {
			return
		}
		p.errorf(h, "the equipment identifier %q is neither a urn:uuid nor a urn:oid", clip(uri))
	})
}

func oid(s string) bool {
	arcs := strings.Split(s, ".")
	for _, a := range arcs {
		if a == "" || strings.Trim(a, "0123456789") != "" || len(a) > 1 && a[0] == '0' {
			return false
		}
	}
	return len(arcs) > 1 && (arcs[0] == "0" || arcs[0] == "1" || arcs[0] == "2")
}

func production(p *pass) {
	for h, d := range descriptors[*pm.MdsDescriptor](p) {
		if len(d.ProductionSpecification) == 0 && d.MetaData == nil {
			p.infof(h, "the MDS has neither production specifications nor metadata; what of them its maker has belongs here")
		}
	}
}

// Codes of the attributes that sdpi:CodedAttributes may hold.
const (
	firstAttribute = 67841
	lastAttribute  = 68609
)

func codedAttributes(p *pass) {
	for v, x := range all[pm.Extension](p) {
		attributes, ok, err := ext.CodedAttributes(x)
		if !ok || err != nil {
			continue // unreadable ones are told by EXT-ns
		}
		check := func(a ext.MdcAttributeType) {
			code, err := strconv.Atoi(a.Code)
			if a.CodingSystemOrDefault() == ext.AttributeCodingSystem && (err != nil || code < firstAttribute || code > lastAttribute) {
				p.errorf(v.handle, "the coded attribute %q is not one from %d to %d", clip(a.Code), firstAttribute, lastAttribute)
			}
		}
		for _, a := range attributes.CodedStringAttribute {
			check(a.MdcAttribute)
		}
		for _, a := range attributes.CodedIntegerAttribute {
			check(a.MdcAttribute)
		}
		for _, a := range attributes.CodedDecimalAttribute {
			check(a.MdcAttribute)
		}
	}
}

func gender(p *pass) {
	for h, c := range p.contexts() {
		patient, ok := c.(*pm.PatientContextState)
		if !ok || patient.CoreData == nil {
			continue
		}
		data := patient.CoreData.BaseCoreData()
		if _, has, _ := ext.Gender(data.Extension); !has && (data.Sex == pm.SexM || data.Sex == pm.SexF) {
			p.infof(h, "the patient's sex is given, but no sdpi:Gender; it belongs here if it is known")
		}
	}
}
