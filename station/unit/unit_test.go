package unit_test

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/station/unit"
)

func ucum(t *testing.T, s string) unit.Unit {
	t.Helper()
	u, err := unit.UCUM(s)
	require.NoError(t, err)
	return u
}

func TestKnownValues(t *testing.T) {
	for _, c := range []struct {
		value, from, to, want string
	}{
		{"120", "mm[Hg]", "kPa", "15.99864"},
		{"15.99864", "kPa", "mm[Hg]", "120"},
		{"1", "mbar", "hPa", "1"},
		{"1", "cm[H2O]", "mbar", "0.980665"},
		{"10", "cm[H2O]", "Pa", "980.665"},
		{"1", "bar", "kPa", "100"},
		{"40", "mm[Hg]", "cm[H2O]", "54.380242"}, // 5332.88 / 98.0665
		{"500", "mL", "L", "0.5"},
		{"0.5", "L", "mL", "500"},
		{"6", "L/min", "mL/s", "100"},
		{"60", "mL/h", "uL/min", "1000"},
		{"60", "/min", "Hz", "1"},
		{"1.5", "Hz", "{beat}/min", "90"},
		{"37", "Cel", "[degF]", "98.6"},
		{"98.6", "[degF]", "Cel", "37"},
		{"-40", "Cel", "[degF]", "-40"},
		{"0", "K", "Cel", "-273.15"},
		{"0", "[degF]", "K", "255.372222"},
		{"2.5", "kg", "mg", "2500000"},
		{"21", "%", "1", "0.21"},
		{"0.4", "1", "%", "40"},
		{"1", "g/dL", "g/L", "10"},
		{"100", "mg/dL", "mg/mL", "1"},
		{"50", "ug/mL", "mg/mL", "0.05"},
		{"5.5", "mmol/L", "umol/L", "5500"},
		{"50", "mL/cm[H2O]", "mL/mbar", "50.985811"}, // 50 / 0.980665
		{"10", "cm[H2O]/(L/s)", "mbar.s/L", "9.80665"},
		{"1", "mg/min", "mg/h", "60"},
		{"1000", "ug/h", "mg/h", "1"},
		{"90", "min", "h", "1.5"},
		{"80", "kV", "V", "80000"},
		{"-0.5", "mL", "L", "-0.0005"},
	} {
		t.Run(c.value+" "+c.from+" to "+c.to, func(t *testing.T) {
			conv, err := unit.Between(ucum(t, c.from), ucum(t, c.to))
			require.NoError(t, err)
			got := conv.Decimal(pm.MustDecimal(c.value), 6)
			require.Zero(t, got.Cmp(pm.MustDecimal(c.want)), "%s", got)
			require.InDelta(t, got.Float64(), conv.Float(pm.MustDecimal(c.value)), 1e-6)
		})
	}
}

// There and back is the same, for each pair of units of a kind, without any rounding on the way.
func TestThereAndBack(t *testing.T) {
	for _, pair := range [][2]string{{"mm[Hg]", "cm[H2O]"}, {"[degF]", "Cel"}, {"L/min", "mL/h"}, {"mL/cm[H2O]", "L/kPa"}} {
		there, err := unit.Between(ucum(t, pair[0]), ucum(t, pair[1]))
		require.NoError(t, err)
		back, err := unit.Between(ucum(t, pair[1]), ucum(t, pair[0]))
		require.NoError(t, err)
		one, err := unit.Between(ucum(t, pair[0]), ucum(t, pair[0]))
		require.NoError(t, err)
		v := one.Rat(big.NewRat(73, 10))
		require.Zero(t, v.Cmp(back.Rat(there.Rat(v))), pair)
	}
}

func TestTheNomenclatureAndUCUMNameTheSameUnits(t *testing.T) {
	for code, name := range map[string]string{
		"262656": "1", "262688": "%", "265986": "hPa", "265987": "kPa", "266016": "mm[Hg]", "266048": "cm[H2O]", "266098": "mbar",
		"263744": "L", "263762": "mL", "265216": "L/min", "265234": "mL/min", "265266": "mL/h", "264640": "Hz",
		"264864": "/min", "264928": "/min", "268192": "Cel", "266560": "[degF]", "266528": "K", "263875": "kg", "264307": "ug/mL",
		"264256": "g/dL", "266866": "mmol/L", "264338": "ms", "266418": "mV", "263441": "cm", "268050": "mL/cm[H2O]", "265523": "ug/h",
	} {
		u, err := unit.MDC(code)
		require.NoError(t, err, name)
		same, err := unit.Find(unit.UCUMOID, u.String())
		require.NoError(t, err)
		require.Equal(t, u, same)
		want, err := unit.UCUM(name)
		require.NoError(t, err)
		require.True(t, u == want, "%s is %s", code, u)
	}
}

func TestWhatIsNotKnownIsRefused(t *testing.T) {
	var unknown *unit.UnknownError
	for _, c := range [][2]string{
		{"", "1"}, {"", ""}, {"", "999999"}, {unit.UCUMSystem, "mmHg"}, {unit.UCUMSystem, "MM[HG]"}, {unit.UCUMSystem, ""}, {"urn:oid:1.2.3", "262688"},
	} {
		_, err := unit.Find(c[0], c[1])
		require.ErrorAs(t, err, &unknown, c)
	}
	_, err := unit.Of(nil)
	require.ErrorAs(t, err, &unknown)

	var incompatible *unit.IncompatibleError
	for _, c := range [][2]string{{"mm[Hg]", "mL"}, {"mg/dL", "mmol/L"}, {"%", "mm[Hg]"}, {"mL/h", "ug/h"}, {"s", "Hz"}} {
		_, err := unit.Between(ucum(t, c[0]), ucum(t, c[1]))
		require.ErrorAs(t, err, &incompatible, c)
	}
	_, err = unit.Between(unit.Unit{}, unit.Unit{})
	require.ErrorAs(t, err, &incompatible, "no unit converts to nothing")
}

func TestACodedValueIsKnownByItsTranslationToo(t *testing.T) {
	private := &pm.CodedValue{Code: "torr", CodingSystem: "urn:oid:2.25.1"}
	_, err := unit.Of(private)
	require.Error(t, err)
	private.Translation = []pm.Translation{{Code: "mm[Hg]", CodingSystem: unit.UCUMSystem}}
	u, err := unit.Of(private)
	require.NoError(t, err)
	require.Equal(t, "mm[Hg]", u.String())
	require.Equal(t, unit.Pressure, u.Kind())
	u, err = unit.Of(&pm.CodedValue{Code: "266016", CodingSystem: pm.DefaultCodingSystem})
	require.NoError(t, err)
	require.Equal(t, "mm[Hg]", u.String())
}
