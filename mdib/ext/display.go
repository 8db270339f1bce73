package ext

import (
	"errors"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/mdib/internal/codec"
	"github.com/semeco/go-sdc/mdib/pm"
)

func displayPrecision() pm.QName {
	return pm.QName{Space: NamespaceMPKP, Local: "DisplayPrecision"}
}

// DisplayPrecision returns the step of shown values (mpkp:DisplayPrecision/@StepWidth), from the extension of a
// pm.Range (SDPi R1015 to R1017). What else the element holds is not looked at.
func DisplayPrecision(x pm.Extension) (stepWidth pm.Decimal, ok bool, err error) {
	ok, err = read(x, displayPrecision(), func(d *codec.Decoder) error {
		b, ok := d.S.AttrBytes("", "StepWidth")
		if !ok {
			return d.S.Errorf("%w", errNoStepWidth)
		}
		if err := stepWidth.UnmarshalText(codec.Trim(b)); err != nil {
			return d.S.Errorf("attribute StepWidth: %w", err)
		}
		return d.S.Skip()
	})
	return stepWidth, ok, err
}

var errNoStepWidth = errors.New("attribute StepWidth is missing")

// SetDisplayPrecision puts the step of shown values there.
func SetDisplayPrecision(x *pm.Extension, stepWidth pm.Decimal) {
	set(x, displayPrecision(), append(xmlscan.AppendAttr([]byte("<mpkp:DisplayPrecision"), "StepWidth", stepWidth.String()), "/>"...))
}
