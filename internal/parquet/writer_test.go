package parquet

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	library "github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func columns() []Column {
	return []Column{{"text", String}, {"count", Uint64}, {"number", Double}, {"at", Nanos}, {"determined", Millis}, {"samples", Doubles}}
}

// line is a row as the library reads it.
type line struct {
	Text       *string   `parquet:"text,optional"`
	Count      *uint64   `parquet:"count,optional"`
	Number     *float64  `parquet:"number,optional"`
	At         *int64    `parquet:"at,optional,timestamp(nanosecond)"`
	Determined *int64    `parquet:"determined,optional,timestamp(millisecond)"`
	Samples    []float64 `parquet:"samples,list,optional"`
}

func (l *line) values() []any {
	out := make([]any, 6)
	if l.Text != nil {
		out[0] = *l.Text
	}
	if l.Count != nil {
		out[1] = *l.Count
	}
	if l.Number != nil {
		out[2] = *l.Number
	}
	if l.At != nil {
		out[3] = time.Unix(0, *l.At)
	}
	if l.Determined != nil {
		out[4] = time.UnixMilli(*l.Determined)
	}
	if l.Samples != nil {
		out[5] = l.Samples
	}
	return out
}

func write(t require.TestingT, cfg Config, lines []line) []byte {
	var b bytes.Buffer
	w, err := NewWriter(&b, columns(), cfg)
	require.NoError(t, err)
	for i := range lines {
		require.NoError(t, w.Row(lines[i].values()...))
	}
	require.NoError(t, w.Close())
	return b.Bytes()
}

// read has the library read a file, with its checks of structure.
func read(t require.TestingT, b []byte) (*library.File, []line) {
	f, err := library.OpenFile(bytes.NewReader(b), int64(len(b)))
	require.NoError(t, err)
	r := library.NewGenericReader[line](f)
	out := make([]line, r.NumRows())
	if len(out) > 0 {
		n, err := r.Read(out)
		if err != nil {
			require.ErrorIs(t, err, io.EOF)
		}
		require.Equal(t, len(out), n)
	}
	require.NoError(t, r.Close())
	return f, out
}

// same compares without telling empty lists from missing ones, which the library's structs do not; TestNullAndEmptyList does.
func same(t require.TestingT, want, got []line) {
	require.Len(t, got, len(want))
	for i := range want {
		if len(want[i].Samples) == 0 {
			want[i].Samples = nil
		}
		if len(got[i].Samples) == 0 {
			got[i].Samples = nil
		}
	}
	if len(want) > 0 && !reflect.DeepEqual(want, got) { // require.Equal alone is slow
		require.Equal(t, want, got)
	}
}

func p[T any](v T) *T { return &v }

// lines has every pattern of missing values, and runs of them long and short.
func lines(n int) []line {
	var out []line
	for i := range n {
		l := line{Text: p(strings.Repeat("ä", i%7)), Count: p(math.MaxUint64 - uint64(i)), Number: p(float64(i) / 3), At: p(int64(i) << 40), Determined: p(-int64(i)), Samples: []float64{}}
		for k := range i % 5 {
			l.Samples = append(l.Samples, float64(i*k))
		}
		if i%2 == 0 {
			l.Text = nil
		}
		if i/20%2 == 0 {
			l.Count = nil
		}
		if i%13 < 9 {
			l.Number = nil
		}
		if i > n/2 {
			l.At, l.Determined = nil, nil
		}
		if i%3 == 0 || i/100%2 == 0 {
			l.Samples = nil
		}
		out = append(out, l)
	}
	return out
}

func TestRead(t *testing.T) {
	for _, c := range []struct {
		rows, groups int
		cfg          Config
	}{
		{0, 0, Config{}},
		{1, 1, Config{}},
		{1000, 1, Config{}},
		{1000, 1, Config{PageSize: 100}},
		{1000, 5, Config{GroupSize: 4000}},
		{1000, 5, Config{GroupSize: 2000, PageSize: 300}},
		{100, 100, Config{GroupSize: 1}},
	} {
		t.Run(fmt.Sprintf("%d %+v", c.rows, c.cfg), func(t *testing.T) {
			c.cfg.Program = "test"
			want := lines(c.rows)
			f, got := read(t, write(t, c.cfg, want))
			same(t, want, got)
			require.EqualValues(t, c.rows, f.NumRows())
			require.GreaterOrEqual(t, len(f.RowGroups()), c.groups)
			if c.cfg.GroupSize == 0 {
				require.Len(t, f.RowGroups(), c.groups)
			}
			require.Equal(t, "test", f.Metadata().CreatedBy)
			// The types as other programs see them.
			require.Equal(t, strings.Join([]string{
				"message table {",
				"\toptional binary text (STRING);",
				"\toptional int64 count (INT(64,false));",
				"\toptional double number;",
				"\toptional int64 at (TIMESTAMP(isAdjustedToUTC=true,unit=NANOS));",
				"\toptional int64 determined (TIMESTAMP(isAdjustedToUTC=true,unit=MILLIS));",
				"\toptional group samples (LIST) {",
				"\t\trepeated group list {",
				"\t\t\trequired double element;",
				"\t\t}",
				"\t}",
				"}",
			}, "\n"), f.Schema().String())
		})
	}
}

// TestNullAndEmptyList reads the levels themselves.
func TestNullAndEmptyList(t *testing.T) {
	f, _ := read(t, write(t, Config{}, []line{{}, {Samples: []float64{}}, {Samples: []float64{1, 2}}}))
	pages := f.RowGroups()[0].ColumnChunks()[5].Pages()
	defer pages.Close()
	page, err := pages.ReadPage()
	require.NoError(t, err)
	values := make([]library.Value, 4)
	n, err := page.Values().ReadValues(values)
	require.ErrorIs(t, err, io.EOF)
	require.Equal(t, 4, n)
	for i, want := range [][2]int{{0, 0}, {0, 1}, {0, 2}, {1, 2}} {
		require.Equal(t, want, [2]int{values[i].RepetitionLevel(), values[i].DefinitionLevel()}, i)
	}
}

// TestAnyTable reads random tables back.
func TestAnyTable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.Custom(func(t *rapid.T) line {
			return line{
				Text: rapid.Ptr(rapid.String(), true).Draw(t, "text"), Count: rapid.Ptr(rapid.Uint64(), true).Draw(t, "count"), Number: rapid.Ptr(rapid.Float64(), true).Draw(t, "number"),
				At: rapid.Ptr(rapid.Int64(), true).Draw(t, "at"), Determined: rapid.Ptr(rapid.Int64Range(-1<<50, 1<<50), true).Draw(t, "determined"),
				Samples: rapid.SliceOfN(rapid.Float64(), 0, 5).Draw(t, "samples"),
			}
		})
		want := rapid.SliceOfN(list, 0, 30).Draw(t, "lines")
		cfg := Config{GroupSize: rapid.IntRange(0, 2000).Draw(t, "group"), PageSize: rapid.IntRange(0, 400).Draw(t, "page")}
		_, got := read(t, write(t, cfg, want))
		same(t, want, got)
	})
}

// TestMemory: groups are written when they are full, and nothing of them stays.
func TestMemory(t *testing.T) {
	w, err := NewWriter(io.Discard, columns(), Config{GroupSize: 10_000, PageSize: 1000})
	require.NoError(t, err)
	for i := range 5000 {
		require.NoError(t, w.Row("text", uint64(i), 1.5, time.Unix(int64(i), 0), nil, []float64{1, 2, float64(i)}))
		waiting := 0
		for _, c := range w.chunks {
			waiting += c.waiting()
		}
		if waiting >= 10_000 {
			require.Fail(t, "too much in memory", "%d", waiting)
		}
	}
	require.Greater(t, len(w.groups), 5)
	require.NoError(t, w.Close())
}

func TestWrongCalls(t *testing.T) {
	for _, columns := range [][]Column{nil, {{"", String}}, {{"a", String}, {"a", Double}}, {{"a", Doubles + 1}}} {
		_, err := NewWriter(io.Discard, columns, Config{})
		require.Error(t, err, columns)
	}
	_, err := NewWriter(io.Discard, columns(), Config{PageSize: -1})
	require.ErrorContains(t, err, "negative")
	var b bytes.Buffer
	w, err := NewWriter(&b, []Column{{"a", String}, {"at", Nanos}}, Config{})
	require.NoError(t, err)
	require.ErrorContains(t, w.Row("a"), "1 values for 2 columns")
	require.ErrorContains(t, w.Row("a", 1), "column at: a value of type int")
	require.ErrorContains(t, w.Row(2.5, nil), "column a: a value of type float64")
	require.ErrorContains(t, w.Row("a", time.Date(1000, 1, 1, 0, 0, 0, 0, time.UTC)), "nanoseconds")
	require.NoError(t, w.Row("b", nil))
	require.NoError(t, w.Close())
	require.NoError(t, w.Close())
	require.ErrorContains(t, w.Row("c", nil), "closed")
	f, err := library.OpenFile(bytes.NewReader(b.Bytes()), int64(b.Len()))
	require.NoError(t, err)
	require.EqualValues(t, 1, f.NumRows(), "refused rows leave nothing")
}

// full fails after so many bytes.
type full int

func (f *full) Write(b []byte) (int, error) {
	if *f -= full(len(b)); *f < 0 {
		return 0, errors.New("no space")
	}
	return len(b), nil
}

func TestDiskFull(t *testing.T) {
	for _, size := range []full{3, 100, 2000} {
		w, err := NewWriter(&size, columns(), Config{GroupSize: 1000})
		for i := 0; err == nil && i < 1000; i++ {
			err = w.Row("text", uint64(i), nil, nil, nil, []float64{1})
		}
		require.ErrorContains(t, err, "no space")
	}
}
