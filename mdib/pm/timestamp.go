package pm

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/semeco/go-sdc/mdib/internal/codec"
)

// Timestamp is a point in time in milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
type Timestamp uint64

// TimestampOf returns the timestamp of t, rounded down to a millisecond. Times before 1970 give 0.
func TimestampOf(t time.Time) Timestamp {
	ms := t.UnixMilli()
	if ms < 0 {
		return 0
	}
	return Timestamp(ms)
}

// Time returns the timestamp as a time in UTC. Values no time.Time can hold are clipped to the
// greatest millisecond count of an int64.
func (t Timestamp) Time() time.Time {
	if t > math.MaxInt64 {
		t = math.MaxInt64
	}
	return time.UnixMilli(int64(t)).UTC()
}

// AppendText appends the number of milliseconds; it never fails.
func (t Timestamp) AppendText(b []byte) ([]byte, error) {
	return strconv.AppendUint(b, uint64(t), 10), nil
}

// UnmarshalText reads a number of milliseconds without surrounding white space.
func (t *Timestamp) UnmarshalText(b []byte) error {
	v, ok := codec.ParseUint(b)
	if !ok {
		return fmt.Errorf("not a timestamp in milliseconds: %q", clip(string(b)))
	}
	*t = Timestamp(v)
	return nil
}

// UnmarshalJSON reads a JSON number, the form a Timestamp is marshalled in.
func (t *Timestamp) UnmarshalJSON(b []byte) error { return t.UnmarshalText(b) }
