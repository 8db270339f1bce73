package eventing

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParseExpiration(t *testing.T) {
	// covers: SDPi R1018
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		text string
		want time.Duration
	}{
		{"PT15S", 15 * time.Second},
		{" PT1M\n", time.Minute},
		{"PT1H", time.Hour},
		{"PT14.03S", 14030 * time.Millisecond},
		{"PT0.1234567899S", 123456789},
		{"P1DT1H1M1S", 25*time.Hour + 61*time.Second},
		{"PT0S", 0},
		{"-PT5S", -5 * time.Second},
		{"P1M", 31 * 24 * time.Hour}, // 31 January to 3 March, less the three days of normalisation
		{"P1Y", 365 * 24 * time.Hour},
		{"P400000000000Y", math.MaxInt64},
		{"PT99999999999999999999999H", math.MaxInt64},
		{"P100000D", 100000 * 24 * time.Hour},
		{"P400Y", math.MaxInt64},
		{"2026-01-31T12:00:10Z", 10 * time.Second},
		{"2026-01-31T12:00:10.5", 10500 * time.Millisecond},
		{"2026-01-31T13:00:10+01:00", 10 * time.Second},
		{"2026-01-31T24:00:00Z", 12 * time.Hour},
		{"2026-01-30T12:00:00Z", -24 * time.Hour},
	} {
		e, err := ParseExpiration(c.text)
		require.NoError(t, err, c.text)
		require.Equal(t, c.want, e.From(now), c.text)
	}
	for _, text := range []string{
		"", "P", "PT", "-", "P1", "PT1", "1S", "P1S", "PT1D", "PT1M1H", "P1YT", "PTT1S", "PT1S1S", "P-1D", "PT.5S", "PT1.S",
		"PT1.5M", "P1.5D", "PT1e3S", "PT+1S", "+PT1S", "P 1D", "2026-01-31", "12:00:00", "2026-02-30T00:00:00Z",
		"2026-01-31T12:00:10,5Z", "2026-01-31T25:00:00Z", "2026-01-31T2:00:00Z", "soon",
	} {
		_, err := ParseExpiration(text)
		require.Error(t, err, text)
	}
}

func TestAppendDuration(t *testing.T) {
	// covers: SDPi R1018
	for want, d := range map[string]time.Duration{
		"PT0S":        0,
		"PT15S":       15 * time.Second,
		"PT14.03S":    14030 * time.Millisecond,
		"PT0.001S":    time.Millisecond,
		"PT0.12S":     120*time.Millisecond + 999*time.Microsecond,
		"PT1M":        time.Minute,
		"PT1M0.5S":    time.Minute + 500*time.Millisecond,
		"PT1H":        time.Hour,
		"PT25H59M59S": 26*time.Hour - time.Second,
	} {
		require.Equal(t, want, string(appendDuration(nil, d)))
		e, err := ParseExpiration(want)
		require.NoError(t, err)
		require.Equal(t, d.Truncate(time.Millisecond), e.From(time.Time{}))
	}
	require.Equal(t, "PT0S", string(appendDuration(nil, -time.Second)))
}

func FuzzParseExpiration(f *testing.F) {
	for _, s := range []string{"PT15S", "P1Y2M3DT4H5M6.7S", "-PT1S", "2026-01-31T12:00:10+01:00", "2026-01-31T24:00:00Z"} {
		f.Add(s)
	}
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, s string) {
		e, err := ParseExpiration(s)
		if err != nil {
			return
		}
		d := min(e.From(now), 100*365*24*time.Hour) // beyond it is cut
		back, err := ParseExpiration(string(appendDuration(nil, d)))
		if err != nil {
			t.Fatalf("%q: written form of %v is not read: %v", s, d, err)
		}
		if got, want := back.From(now), max(d, 0).Truncate(time.Millisecond); got != want {
			t.Fatalf("%q: %v became %v", s, want, got)
		}
	})
}
