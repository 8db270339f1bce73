package export

import (
	"io"
	"iter"
	"time"

	"github.com/semeco/go-sdc/internal/parquet"
)

// parquetColumns are those of CSV and samples after them.
func parquetColumns() []parquet.Column {
	types := map[string]parquet.Type{
		"time": parquet.Nanos, "wall": parquet.Nanos, "determination_time": parquet.Millis,
		"mdib_version": parquet.Uint64, "state_version": parquet.Uint64, "descriptor_version": parquet.Uint64, "number": parquet.Double,
	}
	var out []parquet.Column
	for _, name := range Columns() {
		out = append(out, parquet.Column{Name: name, Type: types[name]}) // String if not told
	}
	return append(out, parquet.Column{Name: "samples", Type: parquet.Doubles})
}

// Parquet writes rows as an Apache Parquet file and returns how many there were. What a row does not have is null: an empty text, the versions of a row that is about no MDIB or state.
// Samples stand in a list of their own and not in value. Memory is bounded, whatever the number of rows. After an error what was written is no Parquet file.
func Parquet(w io.Writer, rows iter.Seq2[*Row, error]) (n uint64, err error) {
	out, err := parquet.NewWriter(w, parquetColumns(), parquet.Config{Program: "go-sdc"})
	if err != nil {
		return 0, err
	}
	for r, err := range rows {
		if err != nil {
			return n, err
		}
		if err := out.Row(cells(r)...); err != nil {
			return n, err
		}
		n++
	}
	return n, out.Close()
}

// cells are in the order of parquetColumns.
func cells(r *Row) []any {
	number := any(nil)
	if v, ok := r.Number.Get(); ok {
		number = v
	}
	value, samples := text(r.Value), any(nil)
	if r.Samples != nil {
		value, samples = nil, r.Samples
	}
	state := r.Event == "mdib" || r.Event == "update"
	return []any{
		instant(r.At), instant(r.Wall), text(r.Device), text(r.Event), text(r.SequenceID), count(r.Version, r.SequenceID != ""), text(r.Report), text(r.Handle), text(r.Descriptor), text(r.Type),
		count(r.StateVersion, state), count(r.DescriptorVersion, r.Handle != ""), value, number, text(r.Unit), text(r.Validity), instant(r.Determination), samples,
	}
}

func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func instant(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t
}

func count(n uint64, there bool) any {
	if !there {
		return nil
	}
	return n
}
