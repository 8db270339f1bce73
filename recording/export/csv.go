package export

import (
	"encoding/csv"
	"io"
	"iter"
	"strconv"
	"time"
)

// Columns are the names of the columns of CSV. Parquet has the same and samples, a list after them.
func Columns() []string {
	return []string{
		"time", "wall", "device", "event", "sequence_id", "mdib_version", "report", "handle", "descriptor", "type", "state_version", "descriptor_version",
		"value", "number", "unit", "validity", "determination_time",
	}
}

// CSV writes rows as RFC 4180 comma-separated values with a header and returns how many there were. Times are RFC 3339 in UTC with nanoseconds; samples stand in value, separated by spaces.
func CSV(w io.Writer, rows iter.Seq2[*Row, error]) (n uint64, err error) {
	out := csv.NewWriter(w)
	if err := out.Write(Columns()); err != nil {
		return 0, err
	}
	for r, err := range rows {
		if err != nil {
			return n, err
		}
		number := ""
		if v, ok := r.Number.Get(); ok {
			number = strconv.FormatFloat(v, 'g', -1, 64)
		}
		err := out.Write([]string{
			stamp(r.At), stamp(r.Wall), r.Device, r.Event, r.SequenceID, strconv.FormatUint(r.Version, 10), r.Report, r.Handle, r.Descriptor, r.Type,
			strconv.FormatUint(r.StateVersion, 10), strconv.FormatUint(r.DescriptorVersion, 10), r.Value, number, r.Unit, r.Validity, stamp(r.Determination),
		})
		if err != nil {
			return n, err
		}
		n++
	}
	out.Flush()
	return n, out.Error()
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
