package unit

import (
	"math/big"
	"sync"
)

// row is a unit: (value + offset) * factor is the value in the first unit of the kind.
type row struct {
	kind           Kind
	ucum           string
	factor, offset *big.Rat
}

type index struct{ mdc, ucum map[string]*row }

// add puts a unit into the index, under its notations in UCUM, the first of which is its name, and its codes in the nomenclature.
func (x *index) add(kind Kind, factor, offset string, ucum, mdc []string) {
	r := &row{kind: kind, ucum: ucum[0], factor: rat(factor), offset: rat(offset)}
	for _, s := range ucum {
		x.ucum[s] = r
	}
	for _, c := range mdc {
		x.mdc[c] = r
	}
}

// table is the index of all units. Codes stand here only where a standard or a device shows them.
var table = sync.OnceValue(func() *index {
	x := &index{mdc: make(map[string]*row), ucum: make(map[string]*row)}
	type list = []string
	for _, u := range []struct {
		kind      Kind
		factor    string
		ucum, mdc list
	}{
		{Fraction, "1", list{"1", "{ratio}"}, list{"262656"}},
		{Fraction, "1/100", list{"%"}, list{"262688"}},

		{Pressure, "1", list{"Pa"}, list{"265984"}},
		{Pressure, "100", list{"hPa"}, list{"265986"}},
		{Pressure, "1000", list{"kPa"}, list{"265987"}},
		{Pressure, "133.322", list{"mm[Hg]"}, list{"266016"}},
		{Pressure, "98.0665", list{"cm[H2O]"}, list{"266048"}},
		{Pressure, "100000", list{"bar"}, list{"266080"}},
		{Pressure, "100", list{"mbar"}, list{"266098"}},

		{Volume, "1", list{"L", "l"}, list{"263744"}},
		{Volume, "1/10", list{"dL", "dl"}, list{"263760"}},
		{Volume, "1/1000", list{"mL", "ml", "cm3"}, list{"263762"}},
		{Volume, "1/1000000", list{"uL", "ul"}, list{"263763"}},

		{Flow, "1", list{"L/s", "l/s"}, nil},
		{Flow, "1/1000", list{"mL/s", "ml/s"}, nil},
		{Flow, "1/60", list{"L/min", "l/min"}, list{"265216"}},
		{Flow, "1/60000", list{"mL/min", "ml/min"}, list{"265234"}},
		{Flow, "1/60000000", list{"uL/min", "ul/min"}, list{"265235"}},
		{Flow, "1/3600", list{"L/h", "l/h"}, list{"265248"}},
		{Flow, "1/3600000", list{"mL/h", "ml/h"}, list{"265266"}},

		{Rate, "1", list{"Hz", "/s", "1/s"}, list{"264640"}},
		{Rate, "1/60", list{"/min", "1/min", "{beat}/min", "{beats}/min", "{breath}/min", "{breaths}/min"}, list{"264864", "264928"}},
		{Rate, "1/3600", list{"/h", "1/h"}, nil},

		{Mass, "1", list{"g"}, list{"263872"}},
		{Mass, "1000", list{"kg"}, list{"263875"}},
		{Mass, "1/1000", list{"mg"}, list{"263890"}},
		{Mass, "1/1000000", list{"ug"}, list{"263891"}},
		{Mass, "1/1000000000", list{"ng"}, list{"263892"}},

		{MassRate, "1", list{"g/h"}, list{"265504"}},
		{MassRate, "1/1000", list{"mg/h"}, list{"265522"}},
		{MassRate, "1/1000000", list{"ug/h"}, list{"265523"}},
		{MassRate, "6/100", list{"mg/min"}, nil},
		{MassRate, "6/100000", list{"ug/min"}, nil},

		{MassConcentration, "1", list{"g/L", "g/l"}, nil},
		{MassConcentration, "1", list{"mg/mL", "mg/ml"}, list{"264306"}},
		{MassConcentration, "1/1000", list{"ug/mL", "ug/ml"}, list{"264307"}},
		{MassConcentration, "1/1000000", list{"ng/mL", "ng/ml"}, list{"264308"}},
		{MassConcentration, "10", list{"g/dL", "g/dl"}, list{"264256"}},
		{MassConcentration, "1/100", list{"mg/dL", "mg/dl"}, list{"264274"}},

		{AmountConcentration, "1", list{"mol/L", "mol/l"}, list{"266848"}},
		{AmountConcentration, "1/1000", list{"mmol/L", "mmol/l"}, list{"266866"}},
		{AmountConcentration, "1/1000000", list{"umol/L", "umol/l"}, list{"266867"}},

		{Time, "1", list{"s"}, list{"264320"}},
		{Time, "1/1000", list{"ms"}, list{"264338"}},
		{Time, "60", list{"min"}, list{"264352"}},
		{Time, "3600", list{"h"}, list{"264384"}},

		{Length, "1", list{"m"}, list{"263424"}},
		{Length, "1/100", list{"cm"}, list{"263441"}},
		{Length, "1/1000", list{"mm"}, list{"263442"}},

		{Voltage, "1", list{"V"}, list{"266400"}},
		{Voltage, "1000", list{"kV"}, list{"266403"}},
		{Voltage, "1/1000", list{"mV"}, list{"266418"}},
		{Voltage, "1/1000000", list{"uV"}, list{"266419"}},

		// Of litres and pascals.
		{Compliance, "10/980665", list{"mL/cm[H2O]", "ml/cm[H2O]"}, list{"268050"}},
		{Compliance, "10000/980665", list{"L/cm[H2O]", "l/cm[H2O]"}, nil},
		{Compliance, "1/100000", list{"mL/mbar", "ml/mbar", "mL/hPa", "ml/hPa"}, nil},
		{Compliance, "1/1000", list{"L/kPa", "l/kPa"}, nil},
		{Resistance, "98.0665", list{"cm[H2O]/(L/s)", "cm[H2O].s/L"}, list{"268064"}},
		{Resistance, "100", list{"mbar/(L/s)", "mbar.s/L", "hPa.s/L"}, nil},
		{Resistance, "1000", list{"kPa.s/L", "kPa/(L/s)"}, nil},
	} {
		x.add(u.kind, u.factor, "0", u.ucum, u.mdc)
	}
	x.add(Temperature, "1", "0", []string{"K"}, []string{"266528"})
	x.add(Temperature, "1", "273.15", []string{"Cel"}, []string{"268192"})
	x.add(Temperature, "5/9", "459.67", []string{"[degF]"}, []string{"266560"})
	return x
})
