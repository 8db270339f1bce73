package ext

import (
	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/mdib/internal/codec"
	"github.com/semeco/go-sdc/mdib/pm"
)

// GenderType is the administrative gender of a patient (SDPi R0012), as opposed to pm.Sex.
type GenderType string

// Values of GenderType.
const (
	GenderMale    GenderType = "Male"
	GenderFemale  GenderType = "Female"
	GenderOther   GenderType = "Other"
	GenderUnknown GenderType = "Unknown"
)

// Gender returns the administrative gender (sdpi:Gender) from the extension of pm.PatientDemographicsCoreData.
func Gender(x pm.Extension) (g GenderType, ok bool, err error) {
	ok, err = read(x, sdpi("Gender"), func(d *codec.Decoder) error {
		b, err := d.Text()
		if err != nil {
			return err
		}
		if g, err = parseGenderType(b); err != nil {
			return d.Elem(err)
		}
		return nil
	})
	return g, ok, err
}

// SetGender puts the administrative gender there.
func SetGender(x *pm.Extension, g GenderType) {
	set(x, sdpi("Gender"), xmlscan.AppendElement(nil, "sdpi:Gender", string(g)))
}
