// Package unit converts values between the units that devices use, exactly.
//
//	from, err := unit.Of(descriptor.Unit)
//	to, err := unit.UCUM("mm[Hg]")
//	conv, err := unit.Between(from, to)
//	d := conv.Decimal(value, 1)
//
// Factors are fractions and not floating-point numbers; they are those of UCUM, so 1 mm[Hg] is 133.322 Pa and 1 cm[H2O] 98.0665 Pa.
// A unit that is not in the table is refused, and so is a conversion between different kinds: nothing is guessed. Above all,
// amount of substance and mass need the molar mass of what is measured, so that mg/dL does not convert to mmol/L.
//
// A kind is physical: beats and breaths per minute are both rates. What a value means is told by its code and not by its unit.
package unit

import (
	"fmt"
	"math/big"

	"github.com/semeco/go-sdc/mdib/pm"
)

// The coding systems of UCUM units, as URI and as OID.
const (
	UCUMSystem = "http://unitsofmeasure.org"
	UCUMOID    = "urn:oid:2.16.840.1.113883.6.8"
)

// Kind is the kind of quantity that a unit measures.
type Kind string

// The kinds.
const (
	Fraction            Kind = "fraction"
	Pressure            Kind = "pressure"
	Volume              Kind = "volume"
	Flow                Kind = "flow"
	Rate                Kind = "rate"
	Temperature         Kind = "temperature"
	Mass                Kind = "mass"
	MassRate            Kind = "mass rate"
	MassConcentration   Kind = "mass concentration"
	AmountConcentration Kind = "amount concentration"
	Time                Kind = "time"
	Length              Kind = "length"
	Voltage             Kind = "voltage"
	Compliance          Kind = "compliance"
	Resistance          Kind = "resistance"
)

// UnknownError refuses a unit that is not known.
type UnknownError struct{ System, Code string }

func (e *UnknownError) Error() string {
	return fmt.Sprintf("unit: %q of coding system %q is not known", e.Code, e.System)
}

// IncompatibleError refuses to convert between units of different kinds.
type IncompatibleError struct{ From, To Unit }

func (e *IncompatibleError) Error() string {
	return fmt.Sprintf("unit: %s (%s) does not convert to %s (%s)", e.From, e.From.Kind(), e.To, e.To.Kind())
}

// Unit is a unit that is known. The zero Unit is none and converts to nothing. Equal units are ==.
type Unit struct{ row *row }

// String is the unit in UCUM's case-sensitive notation, "" for the zero Unit.
func (u Unit) String() string {
	if u.row == nil {
		return ""
	}
	return u.row.ucum
}

// Kind is what it measures, "" for the zero Unit.
func (u Unit) Kind() Kind {
	if u.row == nil {
		return ""
	}
	return u.row.kind
}

// MDC finds a unit by its context-free code in the nomenclature of ISO/IEEE 11073-10101. The error is an *UnknownError.
func MDC(code string) (Unit, error) { return find("", code) }

// UCUM finds a unit in UCUM's case-sensitive notation. The error is an *UnknownError.
func UCUM(code string) (Unit, error) { return find(UCUMSystem, code) }

// Of finds the unit of a coded value. If its code is not known, its translations are asked in turn. The error is an *UnknownError.
func Of(v *pm.CodedValue) (Unit, error) {
	if v == nil {
		return Unit{}, &UnknownError{}
	}
	u, err := Find(v.CodingSystem, v.Code)
	if err == nil {
		return u, nil
	}
	for _, t := range v.Translation {
		if u, e := Find(t.CodingSystem, t.Code); e == nil {
			return u, nil
		}
	}
	return Unit{}, err
}

// Find finds a unit by coding system and code; "" is the nomenclature of ISO/IEEE 11073-10101. The error is an *UnknownError.
func Find(system, code string) (Unit, error) {
	switch system {
	case pm.DefaultCodingSystem:
		system = ""
	case UCUMOID:
		system = UCUMSystem
	}
	return find(system, code)
}

func find(system, code string) (Unit, error) {
	var r *row
	switch system {
	case "":
		r = table().mdc[code]
	case UCUMSystem:
		r = table().ucum[code]
	}
	if r == nil {
		return Unit{}, &UnknownError{System: system, Code: code}
	}
	return Unit{r}, nil
}

// Conversion turns values of one unit into another: value * factor + shift. Make it with [Between]; the zero Conversion is
// not usable. It may be used by several goroutines.
type Conversion struct{ factor, shift *big.Rat }

// Between finds the conversion from one unit to another. The error is an *IncompatibleError.
func Between(from, to Unit) (Conversion, error) {
	if from.row == nil || to.row == nil || from.row.kind != to.row.kind {
		return Conversion{}, &IncompatibleError{From: from, To: to}
	}
	// (value + from.offset) * from.factor is in the base unit of the kind.
	factor := new(big.Rat).Quo(from.row.factor, to.row.factor)
	shift := new(big.Rat).Mul(from.row.offset, factor)
	return Conversion{factor, shift.Sub(shift, to.row.offset)}, nil
}

// Rat converts exactly. v is left as it is.
func (c Conversion) Rat(v *big.Rat) *big.Rat {
	out := new(big.Rat).Mul(v, c.factor)
	return out.Add(out, c.shift)
}

// Decimal converts and rounds once, to digits after the point (0 to 18), a half away from zero. It panics on digits below 0 or above 18.
func (c Conversion) Decimal(v pm.Decimal, digits int) pm.Decimal {
	if digits < 0 || digits > 18 {
		panic("unit: digits out of range")
	}
	return pm.MustDecimal(c.Rat(rat(v.String())).FloatString(digits))
}

// Float converts and yields the nearest float64.
func (c Conversion) Float(v pm.Decimal) float64 {
	f, _ := c.Rat(rat(v.String())).Float64()
	return f
}

// rat reads a number of the table or of a Decimal, which is always one.
func rat(s string) *big.Rat {
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		panic("unit: not a number: " + s)
	}
	return r
}
