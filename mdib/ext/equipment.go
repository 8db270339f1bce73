package ext

import (
	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/mdib/internal/codec"
	"github.com/semeco/go-sdc/mdib/pm"
)

// EquipmentIdentifier returns the URI that names the equipment (sdpi:EquipmentIdentifier), from the
// extension of an MDS or VMD descriptor. It is stable over restarts (SDPi R0014) and compared character by
// character (SDPi R0016).
func EquipmentIdentifier(x pm.Extension) (uri string, ok bool, err error) {
	ok, err = read(x, sdpi("EquipmentIdentifier"), func(d *codec.Decoder) error {
		b, err := d.Text()
		if err != nil {
			return err
		}
		if uri, err = d.NonEmptyToken(b); err != nil {
			return d.Elem(err)
		}
		return nil
	})
	return uri, ok, err
}

// SetEquipmentIdentifier puts the equipment's URI there; SDPi R0015 wants a urn:uuid or urn:oid.
func SetEquipmentIdentifier(x *pm.Extension, uri string) {
	set(x, sdpi("EquipmentIdentifier"), xmlscan.AppendElement(nil, "sdpi:EquipmentIdentifier", uri))
}

// CodedAttributesType holds attributes of the classic domain information model that BICEPS has no home for (SDPi R0007).
type CodedAttributesType struct {
	CodedStringAttribute  []CodedStringAttributeType  `sdc:"CodedStringAttribute,*"`
	CodedIntegerAttribute []CodedIntegerAttributeType `sdc:"CodedIntegerAttribute,*"`
	CodedDecimalAttribute []CodedDecimalAttributeType `sdc:"CodedDecimalAttribute,*"`
}

// CodedStringAttributeType is an attribute with a text.
type CodedStringAttributeType struct {
	MdcAttribute MdcAttributeType `sdc:"MdcAttribute,1"`
	Value        string           `sdc:"Value,1"`
}

// CodedIntegerAttributeType is an attribute with an integer; only those that fit 64 bits are read.
type CodedIntegerAttributeType struct {
	MdcAttribute MdcAttributeType `sdc:"MdcAttribute,1"`
	Value        int64            `sdc:"Value,1"`
}

// CodedDecimalAttributeType is an attribute with a decimal number.
type CodedDecimalAttributeType struct {
	MdcAttribute MdcAttributeType `sdc:"MdcAttribute,1"`
	Value        pm.Decimal       `sdc:"Value,1"`
}

// MdcAttributeType says which attribute it is; SDPi R0007 keeps codes from 67841 to 68609 for them.
type MdcAttributeType struct {
	Code pm.CodeIdentifier `sdc:"@Code,1"`
	// CodingSystem, "" meaning AttributeCodingSystem, see CodingSystemOrDefault.
	CodingSystem        pm.AnyURI           `sdc:"@CodingSystem,?"`
	CodingSystemVersion string              `sdc:"@CodingSystemVersion,?"`
	SymbolicCodeName    pm.SymbolicCodeName `sdc:"@SymbolicCodeName,?"`
}

// AttributeCodingSystem is meant where an MdcAttribute names no coding system.
const AttributeCodingSystem = "urn:oid:1.3.111.2.11073.10101.1"

// CodingSystemOrDefault returns the coding system, AttributeCodingSystem if absent.
func (a *MdcAttributeType) CodingSystemOrDefault() string {
	if a.CodingSystem == "" {
		return AttributeCodingSystem
	}
	return a.CodingSystem
}

// CodedAttributes returns the coded attributes (sdpi:CodedAttributes).
func CodedAttributes(x pm.Extension) (CodedAttributesType, bool, error) {
	return get[CodedAttributesType](x, sdpi("CodedAttributes"))
}

// SetCodedAttributes puts coded attributes there.
func SetCodedAttributes(x *pm.Extension, v CodedAttributesType) {
	set(x, sdpi("CodedAttributes"), v.AppendElement(nil, "sdpi:CodedAttributes", ""))
}
