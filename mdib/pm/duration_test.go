package pm_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/semeco/go-sdc/mdib/pm"
)

func TestDurationKeepsItsForm(t *testing.T) {
	const day = 24 * time.Hour
	for _, c := range []struct {
		in   string
		want time.Duration
	}{
		{"PT0S", 0}, {"P0D", 0}, {"PT00H00M11S", 11 * time.Second}, {"PT1.5S", 1500 * time.Millisecond},
		{"-PT3H", -3 * time.Hour}, {"P1DT12H", 36 * time.Hour}, {"PT300S", 5 * time.Minute},
		{"PT0.000000001S", 1}, {"PT0.0000000019S", 1}, {"P1Y", 365 * day}, {"P2M", 60 * day}, {"P1Y2M3DT4H5M6.7S", 428*day + 4*time.Hour + 5*time.Minute + 6700*time.Millisecond},
		{"P300Y", math.MaxInt64}, {"-P300Y", -math.MaxInt64}, {"PT99999999999999999999999S", math.MaxInt64},
		{"PT9223372036.854775807S", math.MaxInt64}, {"PT9223372036.854775808S", math.MaxInt64},
	} {
		d, err := pm.ParseDuration(c.in)
		require.NoError(t, err, c.in)
		require.Equal(t, c.in, d.String())
		require.Equal(t, c.want, d.Std(), c.in)
	}
	require.True(t, pm.MustDuration("P1M").Calendar())
	require.False(t, pm.MustDuration("PT1M").Calendar())
	require.Equal(t, "PT0S", pm.Duration{}.String())
}

func TestDurationRefuses(t *testing.T) {
	for _, s := range []string{"", "P", "PT", "-P", "P1DT", "P1W", "PT1.5H", "1S", "PT1", "PT.5S", "PT1.S", "P1S", "PT1D", "PT1M1H", "PTT1S", "P1H",
		"+PT1S", "PT-1S", "PT1S ", " PT1S", "pt1s", "PT1s", "P1D1Y", "PT1S1S", "P1Dt1S"} {
		_, err := pm.ParseDuration(s)
		require.Error(t, err, "%q", s)
	}
	require.Panics(t, func() { pm.MustDuration("1s") })
}

func TestDurationOf(t *testing.T) {
	// covers: SDPi R1018
	for _, c := range []struct {
		d    time.Duration
		want string
	}{
		{0, "PT0S"}, {time.Second, "PT1S"}, {1500 * time.Millisecond, "PT1.5S"}, {time.Hour, "PT1H"},
		{26*time.Hour + 3*time.Minute + 4*time.Second, "PT26H3M4S"}, {-time.Minute, "-PT1M"}, {1, "PT0.000000001S"},
		{math.MinInt64, "-PT2562047H47M16.854775808S"},
	} {
		require.Equal(t, c.want, pm.DurationOf(c.d).String())
	}
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64Range(-math.MaxInt64, math.MaxInt64).Draw(t, "d"))
		if got := pm.MustDuration(pm.DurationOf(d).String()).Std(); got != d {
			t.Fatalf("%d became %d", d, got)
		}
	})
}

func TestTimestamp(t *testing.T) {
	// covers: BICEPS R5001
	at := time.Date(2026, 11, 23, 10, 0, 0, 123_999_999, time.UTC)
	ts := pm.TimestampOf(at)
	require.Equal(t, pm.Timestamp(1795428000123), ts)
	require.Equal(t, at.Truncate(time.Millisecond), ts.Time())
	require.Equal(t, pm.Timestamp(0), pm.TimestampOf(time.Date(1969, 1, 1, 0, 0, 0, 0, time.UTC)))
	require.Equal(t, int64(math.MaxInt64), pm.Timestamp(math.MaxUint64).Time().UnixMilli())
	var v pm.Timestamp
	require.NoError(t, v.UnmarshalText([]byte("18446744073709551615")))
	require.Equal(t, pm.Timestamp(math.MaxUint64), v)
	for _, s := range []string{"", "-1", "1.5", "18446744073709551616", "x"} {
		require.Error(t, v.UnmarshalText([]byte(s)), s)
	}
}

func TestDateTimeAndDateOfBirth(t *testing.T) {
	for _, c := range []struct {
		in        string
		precision pm.DatePrecision
		want      string
		zoned     bool
	}{
		{"1980", pm.PrecisionYear, "1980-01-01T00:00:00Z", false},
		{"1980Z", pm.PrecisionYear, "1980-01-01T00:00:00Z", true},
		{"1980-05:00", pm.PrecisionYear, "1980-01-01T00:00:00-05:00", true},
		{"1980-05", pm.PrecisionMonth, "1980-05-01T00:00:00Z", false},
		{"1980-05-05:30", pm.PrecisionMonth, "1980-05-01T00:00:00-05:30", true},
		{"1980-05-17", pm.PrecisionDay, "1980-05-17T00:00:00Z", false},
		{"1980-05-17+14:00", pm.PrecisionDay, "1980-05-17T00:00:00+14:00", true},
		{"2000-02-29", pm.PrecisionDay, "2000-02-29T00:00:00Z", false},
		{"1980-05-17T04:30:00", pm.PrecisionTime, "1980-05-17T04:30:00Z", false},
		{"1980-05-17T04:30:00.123456789123Z", pm.PrecisionTime, "1980-05-17T04:30:00.123456789Z", true},
		{"1980-05-17T24:00:00Z", pm.PrecisionTime, "1980-05-18T00:00:00Z", true},
		{"12026-01-01", pm.PrecisionDay, "12026-01-01T00:00:00Z", false},
	} {
		d, err := pm.ParseDateOfBirth(c.in)
		require.NoError(t, err, c.in)
		require.Equal(t, c.in, d.String())
		require.Equal(t, c.precision, d.Precision(), c.in)
		at, zoned := d.Time()
		require.Equal(t, c.want, at.Format(time.RFC3339Nano), c.in)
		require.Equal(t, c.zoned, zoned, c.in)
		_, err = pm.ParseDateTime(c.in)
		require.Equal(t, c.precision == pm.PrecisionTime, err == nil, c.in)
	}
	for _, s := range []string{"", "80", "0000", "198", "01980", "1980-13", "1980-00", "1980-02-30", "1981-02-29", "1980-5-1", "1980-05-17T", "1980-05-17T25:00:00",
		"1980-05-17T24:00:01", "1980-05-17T24:00:00.1", "1980-05-17T04:30", "1980-05-17T04:30:60", "1980-05-17T04:30:00.", "1980-05-17T04:30:00+15:00",
		"1980-05-17T04:30:00+14:01", "1980/05/17", "17.05.1980", "1980-05-17 04:30:00", "1980 ", "-", "1980-", "1980-05-", "1980ZZ"} {
		_, err := pm.ParseDateOfBirth(s)
		require.Error(t, err, "%q", s)
	}
	at := time.Date(2026, 11, 23, 10, 0, 0, 5e8, time.FixedZone("", 3600))
	dt := pm.DateTimeOf(at)
	require.Equal(t, "2026-11-23T10:00:00.5+01:00", dt.String())
	got, zoned := dt.Time()
	require.True(t, zoned && got.Equal(at))
	require.Equal(t, pm.DatePrecision(0), pm.DateOfBirth{}.Precision())
}

func FuzzDurationAndDate(f *testing.F) {
	for _, s := range []string{"PT1S", "-P1Y2M3DT4H5M6.7S", "1980-05-17T04:30:00Z", "1980-05:00", "P", "-1980"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if d, err := pm.ParseDuration(s); err == nil && d.String() != s {
			t.Fatal("form not kept")
		}
		if d, err := pm.ParseDateOfBirth(s); err == nil {
			d.Time()
			if d.String() != s || d.Precision() == 0 {
				t.Fatal("form not kept")
			}
		}
	})
}
