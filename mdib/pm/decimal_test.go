package pm_test

import (
	"encoding/json"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/semeco/go-sdc/mdib/pm"
)

func TestDecimalKeepsItsDigits(t *testing.T) {
	for _, c := range []struct{ in, out string }{
		{"0", "0"}, {"-0", "0"}, {"0.00", "0.00"}, {"-0.0", "0.0"},
		{"1.10", "1.10"}, {"1.1", "1.1"}, {"-1.10", "-1.10"}, {"+5", "5"}, {"5.", "5"}, {".5", "0.5"}, {"-.50", "-0.50"},
		{"007.0", "7.0"}, {"123456789012345678", "123456789012345678"}, {"0.123456789012345678", "0.123456789012345678"},
		{"-999999999999999999", "-999999999999999999"},
		{"1234567890123456789", "1234567890123456789"}, {"9223372036854775808", "9223372036854775808"},
		{"0.1000000000000000055511151231257827", "0.1000000000000000055511151231257827"},
		{"-00012345678901234567890.10", "-12345678901234567890.10"},
		{"0000000000000000000000001", "1"}, {"-0.00000000000000000000", "0.00000000000000000000"},
	} {
		d, err := pm.ParseDecimal(c.in)
		require.NoError(t, err, c.in)
		require.Equal(t, c.out, d.String(), c.in)
		again, err := pm.ParseDecimal(d.String())
		require.NoError(t, err)
		require.True(t, d == again, "%s: not == after a round trip", c.in)
		j, err := json.Marshal(d)
		require.NoError(t, err)
		require.Equal(t, c.out, string(j), "json")
	}
	require.False(t, pm.MustDecimal("1.1") == pm.MustDecimal("1.10"))
	require.Equal(t, 0, pm.MustDecimal("1.1").Cmp(pm.MustDecimal("1.10")))
}

func TestDecimalRefuses(t *testing.T) {
	for _, s := range []string{"", " ", "+", "-", ".", "-.", "1e5", "1E5", "NaN", "INF", "-INF", "1,5", "0x10", "1.2.3", "--1", "1-", " 1", "1 ", "٣",
		"12345678901234567890e1", strings.Repeat("9", 40) + "x"} {
		_, err := pm.ParseDecimal(s)
		require.Error(t, err, "%q", s)
		var d pm.Decimal
		require.Error(t, d.UnmarshalText([]byte(s)), "%q", s)
		var l pm.Samples
		if strings.TrimSpace(s) == s && s != "" {
			require.Error(t, l.UnmarshalText([]byte("1 "+s+" 2")), "%q", s)
		}
	}
	require.Panics(t, func() { pm.MustDecimal("x") })
	require.Panics(t, func() { pm.NewDecimal(1, 19) })
	_, ok := pm.DecimalFromFloat(1/zero, 2)
	require.False(t, ok)
}

var zero float64

func decimalText() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		s := rapid.SampledFrom([]string{"", "-", "+"}).Draw(t, "sign")
		whole := rapid.StringMatching(`[0-9]{0,24}`).Draw(t, "whole")
		frac := rapid.StringMatching(`[0-9]{0,24}`).Draw(t, "frac")
		if whole+frac == "" {
			whole = "0"
		}
		s += whole
		if frac != "" || rapid.Bool().Draw(t, "point") {
			s += "." + frac
		}
		return s
	})
}

// Against math/big: value, order, sign, and the same result through a list of samples.
func TestDecimalAgainstBig(t *testing.T) {
	rat := func(s string) *big.Rat {
		r, ok := new(big.Rat).SetString(strings.TrimSuffix(s, "."))
		require.True(t, ok, s)
		return r
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := decimalText().Draw(t, "a"), decimalText().Draw(t, "b")
		x, y := pm.MustDecimal(a), pm.MustDecimal(b)
		if got, want := x.Cmp(y), rat(a).Cmp(rat(b)); got != want {
			t.Fatalf("%s cmp %s = %d, want %d", a, b, got, want)
		}
		if rat(x.String()).Cmp(rat(a)) != 0 {
			t.Fatalf("%s became %s", a, x)
		}
		if x.Sign() != rat(a).Sign() || x.Neg().Sign() != -x.Sign() || x.Neg().Neg() != x {
			t.Fatalf("sign of %s", a)
		}
		_, frac, _ := strings.Cut(a, ".")
		if x.Digits() != len(frac) {
			t.Fatalf("%s has %d digits", a, x.Digits())
		}
		f, _ := strconv.ParseFloat(x.String(), 64)
		if x.Float64() != f {
			t.Fatalf("float64 of %s: %v, want %v", a, x.Float64(), f)
		}
		if coef, scale, ok := x.Coefficient(); ok && pm.NewDecimal(coef, scale) != x {
			t.Fatalf("coefficient of %s", a)
		}
		var l pm.Samples
		if err := l.UnmarshalText([]byte(" " + a + "\n" + b + " ")); err != nil || len(l) != 2 || l[0] != x || l[1] != y {
			t.Fatalf("samples of %s and %s: %v %v", a, b, l, err)
		}
		text, _ := l.AppendText(nil)
		if string(text) != x.String()+" "+y.String() {
			t.Fatalf("samples written as %s", text)
		}
	})
}

func TestDecimalConstructors(t *testing.T) {
	require.Equal(t, "-0.05", pm.NewDecimal(-5, 2).String())
	require.Equal(t, "-9.223372036854775808", pm.NewDecimal(-1<<63, 18).String())
	require.True(t, pm.NewDecimal(1<<63-1, 0) == pm.MustDecimal("9223372036854775807"))
	d, ok := pm.DecimalFromFloat(36.625, 2)
	require.True(t, ok)
	require.Equal(t, "36.62", d.String())
	d, ok = pm.DecimalFromFloat(-0.001, 2)
	require.True(t, ok)
	require.Equal(t, "0.00", d.String())
	var fromJSON pm.Decimal
	require.NoError(t, json.Unmarshal([]byte("1.50"), &fromJSON))
	require.Equal(t, "1.50", fromJSON.String())
	require.NoError(t, json.Unmarshal([]byte(`"2.50"`), &fromJSON))
	require.Equal(t, "2.50", fromJSON.String())
	require.Error(t, json.Unmarshal([]byte("1e3"), &fromJSON))
}

func TestSamples(t *testing.T) {
	var s pm.Samples
	require.NoError(t, s.UnmarshalText([]byte("  ")))
	require.Nil(t, s)
	require.NoError(t, s.UnmarshalText([]byte("1\t-2.50\r\n 0.12345678 .5 12345678901234567890.1 99999999.99999999")))
	require.Equal(t, "1 -2.50 0.12345678 0.5 12345678901234567890.1 99999999.99999999", text(s))
	require.Equal(t, []float64{7, 1, -2.5, 0.12345678, 0.5, 12345678901234567890.1, 99999999.99999999}, s.Float64s([]float64{7}))
	n := testing.AllocsPerRun(100, func() { _ = s.UnmarshalText([]byte("1.25 2.5 3.75 4.123456789 5")) })
	require.LessOrEqual(t, n, 1.0)
}

func text(v interface{ AppendText([]byte) ([]byte, error) }) string {
	b, _ := v.AppendText(nil)
	return string(b)
}

func BenchmarkDecimal(b *testing.B) {
	in := []byte("-123.450")
	buf := make([]byte, 0, 32)
	b.ReportAllocs()
	for b.Loop() {
		var d pm.Decimal
		if d.UnmarshalText(in) != nil {
			b.Fatal("refused")
		}
		buf, _ = d.AppendText(buf[:0])
	}
}

func FuzzDecimal(f *testing.F) {
	for _, s := range []string{"1.10", "-0.50", ".5", "5.", "123456789012345678901234567890.5", "1e5", "", "- 1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := pm.ParseDecimal(s)
		if err != nil {
			return
		}
		again, err := pm.ParseDecimal(d.String())
		if err != nil || again != d || again.String() != d.String() || d.Cmp(again) != 0 {
			t.Fatalf("%q: %v", s, d)
		}
	})
}

// All lengths of coefficient with all scales, against the text put together by hand.
func TestDecimalFormatting(t *testing.T) {
	for digits := 1; digits <= 18; digits++ {
		for _, first := range []string{"1", "9"} {
			for _, rest := range []string{"0", "9", "5"} {
				text := first + strings.Repeat(rest, digits-1)
				coef, err := strconv.ParseInt(text, 10, 64)
				require.NoError(t, err)
				for scale := 0; scale <= 18; scale++ {
					padded := strings.Repeat("0", max(0, scale+1-digits)) + text
					want := padded
					if scale > 0 {
						want = padded[:len(padded)-scale] + "." + padded[len(padded)-scale:]
					}
					require.Equal(t, want, pm.NewDecimal(coef, scale).String())
					require.Equal(t, "x-"+want, "x"+string(appended("", pm.NewDecimal(-coef, scale))))
				}
			}
		}
	}
	require.Equal(t, "0.000", pm.NewDecimal(0, 3).String())
}

func appended(prefix string, d pm.Decimal) []byte {
	b, _ := d.AppendText([]byte(prefix))
	return b
}
