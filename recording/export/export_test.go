package export

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/recording"
)

// recorded is a recording with rows of every event but those of description, which differ in nothing but the name.
func recorded(t *testing.T) *recording.Reader {
	t.Helper()
	snap, err := mdib.ReadFile("../../sdc/provider/testdata/device.xml")
	require.NoError(t, err)
	store := mdib.NewStore(snap, mdib.Config{SequenceID: "urn:uuid:6f1b9e0a-0000-4000-8000-000000000001"})
	path := filepath.Join(t.TempDir(), "a.sdcrec")
	w, err := recording.Create(path, recording.Config{})
	require.NoError(t, err)
	at := time.Now()
	track, err := w.Track(recording.Device{EPR: "urn:uuid:5b0f4f5e-0c3e-4e0c-9c60-3c1f5c9d3a11"})
	require.NoError(t, err)
	track.Start(at, recording.Link{State: "live", Since: at}, store.Load())
	for i, change := range []func(*mdib.Tx) error{
		func(tx *mdib.Tx) error { return tx.SetNumeric("num", pm.MustDecimal("1.50"), at) },
		func(tx *mdib.Tx) error { return tx.SetString("text", "ä, \"b\"\nc", at) },
		func(tx *mdib.Tx) error { return tx.SetString("text", "", at) },
		func(tx *mdib.Tx) error {
			return tx.SetSamples("wave", pm.Samples{pm.MustDecimal("0.10"), pm.MustDecimal("-2")}, at)
		},
		func(tx *mdib.Tx) error { return tx.SetPresence("cond", true) },
	} {
		c, err := store.Update(change)
		require.NoError(t, err)
		track.Report(at.Add(time.Duration(i)*time.Millisecond), c.Report(), c.After)
	}
	store.NewSequence()
	track.Resync(at, recording.Gap{Origin: recording.OriginDevice, Cause: "a new sequence", Since: at}, recording.Link{State: "live"}, store.Load())
	require.NoError(t, w.Close())
	r, err := recording.Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// TestParquetIsCSV: both tables tell the same, cell by cell.
func TestParquetIsCSV(t *testing.T) {
	r := recorded(t)
	var text, binary bytes.Buffer
	n, err := CSV(&text, Rows(r, Options{}))
	require.NoError(t, err)
	m, err := Parquet(&binary, Rows(r, Options{}))
	require.NoError(t, err)
	require.Equal(t, n, m)
	lines, err := csv.NewReader(&text).ReadAll()
	require.NoError(t, err)
	require.EqualValues(t, n, len(lines)-1)

	f, err := parquet.OpenFile(bytes.NewReader(binary.Bytes()), int64(binary.Len()))
	require.NoError(t, err)
	var names []string
	for _, c := range f.Schema().Fields() {
		names = append(names, c.Name())
	}
	require.Equal(t, append(Columns(), "samples"), names)
	events, digits, samples := map[string]int{}, 0, 0
	for i, row := range rowsOf(t, f) {
		want := lines[i+1]
		got := make([]string, len(want)) // empty where it is null
		var wave []string
		for _, v := range row {
			switch c := v.Column(); {
			case v.IsNull():
			case c == 17:
				wave = append(wave, strconv.FormatFloat(v.Double(), 'f', -1, 64))
			case c == 0 || c == 1:
				got[c] = stamp(time.Unix(0, v.Int64()))
			case c == 16:
				got[c] = stamp(time.UnixMilli(v.Int64()))
			case v.Kind() == parquet.Int64:
				got[c] = strconv.FormatUint(v.Uint64(), 10)
			case v.Kind() == parquet.Double:
				got[c] = strconv.FormatFloat(v.Double(), 'g', -1, 64)
			default:
				got[c] = v.String()
			}
		}
		for _, c := range []int{5, 10, 11} { // versions: CSV has 0 where there is none
			if got[c] == "" {
				require.Equal(t, "0", want[c])
				want[c] = ""
			}
		}
		if wave != nil {
			require.Empty(t, got[12])
			require.Equal(t, []string{"0.1", "-2"}, wave)
			require.Equal(t, "0.10 -2", want[12])
			want[12] = ""
			samples++
		}
		require.Equal(t, want, got)
		events[got[3]]++
		if got[12] == "1.50" {
			require.Equal(t, "1.5", got[13])
			digits++
		}
	}
	for _, e := range []string{"mdib", "update", "link", "gap"} {
		require.Positive(t, events[e], "%s %v", e, events)
	}
	require.Positive(t, digits)
	require.Positive(t, samples)
}

func rowsOf(t *testing.T, f *parquet.File) (out []parquet.Row) {
	t.Helper()
	for _, g := range f.RowGroups() {
		rows := g.Rows()
		for {
			var one [1]parquet.Row
			n, err := rows.ReadRows(one[:])
			if n == 1 {
				out = append(out, one[0].Clone())
			}
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err)
		}
		require.NoError(t, rows.Close())
	}
	return out
}

func TestEmptyParquet(t *testing.T) {
	var b bytes.Buffer
	n, err := Parquet(&b, func(func(*Row, error) bool) {})
	require.NoError(t, err)
	require.Zero(t, n)
	f, err := parquet.OpenFile(bytes.NewReader(b.Bytes()), int64(b.Len()))
	require.NoError(t, err)
	require.Zero(t, f.NumRows())
	require.Len(t, f.Schema().Fields(), len(Columns())+1)
}

// TestFailedParquet: a table that was not finished is none, and a determination time of any size has its place.
func TestFailedParquet(t *testing.T) {
	far := &Row{At: time.Unix(1, 0), Event: "update", Determination: time.UnixMilli(math.MaxInt64 / 4)}
	gone := errors.New("gone")
	var b bytes.Buffer
	n, err := Parquet(&b, func(yield func(*Row, error) bool) {
		if yield(far, nil) {
			yield(nil, gone)
		}
	})
	require.ErrorIs(t, err, gone)
	require.EqualValues(t, 1, n)
	require.False(t, strings.HasSuffix(b.String()[4:], "PAR1"))
}
