package pm

import (
	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/mdib/internal/codec"
)

// AppendElement appends the ext:Extension element, nothing if there are no extensions. The prefix ext must be bound.
func (x Extension) AppendElement(b []byte) []byte {
	if len(x) == 0 {
		return b
	}
	b = append(b, "<ext:Extension>"...)
	for i := range x {
		b = x[i].Raw.AppendXML(b)
	}
	return append(b, "</ext:Extension>"...)
}

// DecodeElement reads the ext:Extension element whose start tag the decoder stands on. An
// extension that must be understood and is not known is refused with a *MustUnderstandError.
func (x *Extension) DecodeElement(d *codec.Decoder) error {
	s := d.S
	for s.Child() {
		name := s.Name()
		if name.Space == xmlscan.NsExt {
			return d.UnknownElem()
		}
		must := false
		if v, ok := s.AttrBytes(xmlscan.NsExt, "MustUnderstand"); ok {
			var err error
			if must, err = d.Bool(v); err != nil {
				return s.Errorf("attribute ext:MustUnderstand: %w", err)
			}
		}
		if must && !KnownExtension(name) && (d.Understands == nil || !d.Understands(name)) {
			return s.Errorf("%w", &MustUnderstandError{Name: name})
		}
		raw, err := s.Raw()
		if err != nil {
			return err
		}
		*x = append(*x, ExtensionElement{Raw: raw, MustUnderstand: must})
	}
	return s.Err()
}

// Namespaces of known extensions.
const (
	// NsSDPi is the namespace of the SDPi extensions, prefix "sdpi".
	NsSDPi = xmlscan.NsSDPi
	// NsMPKP is the namespace of the extensions of IEEE 11073-10701, prefix "mpkp".
	NsMPKP = "urn:oid:1.3.111.2.11073.10701.3.1.1"
)

// KnownExtension reports whether package ext (or, for msg:Retrievability, package msg, or for mdpws:SafetyReq the
// participants) has a type for the extension element, so that it counts as understood.
func KnownExtension(name QName) bool {
	switch name.Space {
	case NsSDPi:
		switch name.Local {
		case "Gender", "EquipmentIdentifier", "CodedAttributes", "Relations", "EpochSupport", "Epochs", "MetricEpoch",
			"CalibrationInfoEpoch", "AlertSystemStateEpoch", "AlertConditionStateEpoch", "AbstractContextStateEpoch":
			return true
		}
	case NsMPKP:
		return name.Local == "DisplayPrecision"
	case xmlscan.NsMsg:
		return name.Local == "Retrievability"
	case xmlscan.NsMDPWS:
		return name.Local == "SafetyReq"
	}
	return false
}
