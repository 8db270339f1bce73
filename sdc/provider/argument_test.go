package provider

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib/pm"
)

func TestArgumentTypes(t *testing.T) {
	// covers: SCO-4
	for kind, c := range map[string]struct{ good, bad []string }{
		"string":          {[]string{"", " a ", "1"}, nil},
		"token":           {[]string{"a b"}, []string{"a  b", "a\nb"}},
		"boolean":         {[]string{"true", "0", " 1 "}, []string{"", "yes", "TRUE"}},
		"decimal":         {[]string{"1", "-0.50", "+3.", ".5"}, []string{"", "1e3", "INF", "1,5"}},
		"double":          {[]string{"1e3", "INF", "NaN", "-2.5"}, []string{"", "0x10", "inf", "1_0"}},
		"integer":         {[]string{"+12", "-7", "123456789012345678901234567890"}, []string{"", "-", "1.0", "--1", "0x1"}},
		"int":             {[]string{"2147483647", "-2147483648"}, []string{"2147483648", "-2147483649"}},
		"unsignedByte":    {[]string{"0", "255"}, []string{"-1", "256"}},
		"positiveInteger": {[]string{"1"}, []string{"0"}},
		"negativeInteger": {[]string{"-1"}, []string{"0"}},
		"anyURI":          {[]string{"urn:x", "http://a/b?c", ""}, []string{"http://[::1", "%zz"}},
		"duration":        {[]string{"PT1S", "P1DT2H"}, []string{"", "1s", "PT"}},
		"dateTime":        {[]string{"2026-11-23T20:00:00Z"}, []string{"2026-11-23", "now"}},
		"hexBinary":       {[]string{"", "0aFF"}, []string{"0", "xy"}},
		"base64Binary":    {[]string{"", "AAE=", "AA E="}, []string{"A", "?"}},
		"NOTATION":        {[]string{"what the device makes of it"}, nil},
	} {
		name := pm.QName{Space: nsXSD, Local: kind}
		for _, v := range c.good {
			a, err := newArgument(pm.CodedValue{Code: "1"}, name, v)
			require.NoError(t, err, "%s %q", kind, v)
			require.Equal(t, name, a.Type)
		}
		for _, v := range c.bad {
			_, err := newArgument(pm.CodedValue{Code: "1"}, name, v)
			require.Error(t, err, "%s %q", kind, v)
		}
	}
	a, err := newArgument(pm.CodedValue{}, pm.QName{Space: nsXSD, Local: "int"}, " 12 ")
	require.NoError(t, err)
	n, err := a.Int()
	require.NoError(t, err)
	require.Equal(t, int64(12), n)
	_, err = newArgument(pm.CodedValue{}, pm.QName{Space: "urn:private", Local: "int"}, "twelve")
	require.NoError(t, err)
}

func FuzzArgument(f *testing.F) {
	for _, seed := range [][2]string{{"int", "12"}, {"decimal", "-1.50"}, {"boolean", "1"}, {"double", "1e3"}, {"duration", "PT1S"}, {"unsignedByte", "256"}, {"base64Binary", "AA=="}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, kind, value string) {
		a, err := newArgument(pm.CodedValue{}, pm.QName{Space: nsXSD, Local: kind}, value)
		if err != nil {
			return
		}
		switch kind {
		case "int", "short", "byte", "long", "unsignedByte", "unsignedShort", "unsignedInt":
			if _, err := a.Int(); err != nil {
				t.Fatalf("%s %q was accepted: %v", kind, value, err)
			}
		case "decimal":
			if _, err := a.Decimal(); err != nil {
				t.Fatalf("%q was accepted: %v", value, err)
			}
		case "boolean":
			if _, err := a.Bool(); err != nil {
				t.Fatalf("%q was accepted: %v", value, err)
			}
		}
	})
}
