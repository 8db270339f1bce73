package codec

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/semeco/go-sdc/internal/xmlscan"
)

func TestNumbers(t *testing.T) {
	for _, c := range []struct {
		in string
		v  uint64
		ok bool
	}{
		{"0", 0, true}, {"+5", 5, true}, {"-0", 0, true}, {"007", 7, true}, {"18446744073709551615", math.MaxUint64, true},
		{"18446744073709551616", 0, false}, {"99999999999999999999", 0, false}, {"00000000000000000000000000005", 5, true}, {"-1", 0, false}, {"", 0, false},
		{"+", 0, false}, {"+-1", 0, false}, {"1.0", 0, false}, {"1 ", 0, false}, {"0x1", 0, false},
	} {
		v, ok := ParseUint([]byte(c.in))
		require.Equal(t, c.ok, ok, c.in)
		if ok {
			require.Equal(t, c.v, v, c.in)
		}
	}
	for _, in := range []string{"-9223372036854775809", "9223372036854775808", "--1", "-+1", "-", "", "1e3"} {
		_, ok := ParseInt([]byte(in))
		require.False(t, ok, in)
	}
	rapid.Check(t, func(t *rapid.T) {
		i := rapid.Int64().Draw(t, "i")
		if v, ok := ParseInt(strconv.AppendInt(nil, i, 10)); !ok || v != i {
			t.Fatalf("%d read as %d", i, v)
		}
		u := rapid.Uint64().Draw(t, "u")
		if v, ok := ParseUint(strconv.AppendUint(nil, u, 10)); !ok || v != u {
			t.Fatalf("%d read as %d", u, v)
		}
	})
}

func TestWhiteSpace(t *testing.T) {
	d := New(xmlscan.NewScanner(nil, xmlscan.Limits{}))
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching(`[ab \t\r\n]{0,12}`).Draw(t, "s")
		if got, want := string(Collapse([]byte(s))), strings.Join(strings.Fields(s), " "); got != want {
			t.Fatalf("%q collapsed to %q", s, got)
		}
		words, err := d.Strings([]byte(s))
		if err != nil || strings.Join(words, " ") != strings.Join(strings.Fields(s), " ") {
			t.Fatalf("%q split to %q", s, words)
		}
		if got := string(Trim([]byte(s))); got != strings.Trim(s, " \t\r\n") {
			t.Fatalf("%q trimmed to %q", s, got)
		}
	})
}

func TestLanguage(t *testing.T) {
	d := New(xmlscan.NewScanner(nil, xmlscan.Limits{}))
	for _, s := range []string{"en", "de-DE", "zh-Hant-TW", "x-private1", "EN", " en\n", "i-klingon", "es-419"} {
		v, err := d.Language([]byte(s))
		require.NoError(t, err)
		require.Equal(t, strings.TrimSpace(s), v)
	}
	for _, s := range []string{"", " ", "en_US", "en-", "-en", "e1", "toolonglanguage", "en-toolongsubtag", "en--us", "en us", "ü"} {
		_, err := d.Language([]byte(s))
		require.Error(t, err, s)
	}
}
