package pm

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// DateTime is an xs:dateTime in the form it was written in, with or without a zone.
type DateTime struct {
	lex string
}

// DateOfBirth is a date as precise as it is known: an xs:dateTime, xs:date, xs:gYearMonth or xs:gYear in
// the form it was written in.
type DateOfBirth struct {
	lex string
}

// DatePrecision says how much of a date is given.
type DatePrecision uint8

// The precisions of a DateOfBirth, coarsest first.
const (
	PrecisionYear DatePrecision = iota + 1
	PrecisionMonth
	PrecisionDay
	PrecisionTime
)

var (
	errDateTime    = errors.New("not an xs:dateTime")
	errDateOfBirth = errors.New("not an xs:dateTime, xs:date, xs:gYearMonth or xs:gYear")
)

// ParseDateTime reads an xs:dateTime such as "2026-11-23T10:00:00" or "2026-11-23T10:00:00.5+01:00".
func ParseDateTime(s string) (DateTime, error) {
	if p, ok := scanDate(s); !ok || p.precision != PrecisionTime {
		return DateTime{}, fmt.Errorf("%w: %q", errDateTime, clip(s))
	}
	return DateTime{lex: s}, nil
}

// DateTimeOf returns t with its zone.
func DateTimeOf(t time.Time) DateTime { return DateTime{lex: t.Format(time.RFC3339Nano)} }

// Time returns the point in time; zoned is false when no zone was given, the time is then as in UTC.
// Years no time.Time can hold are clipped.
func (d DateTime) Time() (t time.Time, zoned bool) {
	p, _ := scanDate(d.lex)
	return p.time()
}

// String returns the text as it was written.
func (d DateTime) String() string { return d.lex }

// AppendText appends the text as it was written; it never fails.
func (d DateTime) AppendText(b []byte) ([]byte, error) { return append(b, d.lex...), nil }

// MarshalText returns the text as it was written; it never fails.
func (d DateTime) MarshalText() ([]byte, error) { return []byte(d.lex), nil }

// UnmarshalText reads an xs:dateTime without surrounding white space.
func (d *DateTime) UnmarshalText(b []byte) error {
	v, err := ParseDateTime(string(b))
	if err == nil {
		*d = v
	}
	return err
}

// ParseDateOfBirth reads a date such as "1980", "1980-05", "1980-05-17" or "1980-05-17T04:30:00Z"; each may have a zone.
func ParseDateOfBirth(s string) (DateOfBirth, error) {
	if _, ok := scanDate(s); !ok {
		return DateOfBirth{}, fmt.Errorf("%w: %q", errDateOfBirth, clip(s))
	}
	return DateOfBirth{lex: s}, nil
}

// Precision says how much of the date is given; 0 for the zero DateOfBirth.
func (d DateOfBirth) Precision() DatePrecision {
	p, _ := scanDate(d.lex)
	return p.precision
}

// Time returns the beginning of the year, month, day or instant; zoned is false when no zone was given.
func (d DateOfBirth) Time() (t time.Time, zoned bool) {
	p, _ := scanDate(d.lex)
	return p.time()
}

// String returns the text as it was written.
func (d DateOfBirth) String() string { return d.lex }

// AppendText appends the text as it was written; it never fails.
func (d DateOfBirth) AppendText(b []byte) ([]byte, error) { return append(b, d.lex...), nil }

// MarshalText returns the text as it was written; it never fails.
func (d DateOfBirth) MarshalText() ([]byte, error) { return []byte(d.lex), nil }

// UnmarshalText reads a date of birth without surrounding white space.
func (d *DateOfBirth) UnmarshalText(b []byte) error {
	v, err := ParseDateOfBirth(string(b))
	if err == nil {
		*d = v
	}
	return err
}

type dateParts struct {
	precision            DatePrecision
	year, month, day     int
	hour, minute, second int
	nanos                int
	zoned                bool
	offset               int // seconds east of UTC
}

func (p dateParts) time() (time.Time, bool) {
	if p.precision == 0 {
		return time.Time{}, false
	}
	loc := time.UTC
	if p.zoned && p.offset != 0 {
		loc = time.FixedZone("", p.offset)
	}
	return time.Date(p.year, time.Month(p.month), p.day, p.hour, p.minute, p.second, p.nanos, loc), p.zoned
}

// scanDate takes any of the four date forms apart.
func scanDate(s string) (p dateParts, ok bool) {
	p.month, p.day = 1, 1
	neg := strings.HasPrefix(s, "-")
	if neg {
		s = s[1:]
	}
	n := 0
	for n < len(s) && s[n]-'0' <= 9 {
		n++
	}
	if n < 4 || n > 4 && s[0] == '0' || n > 9 {
		return dateParts{}, false
	}
	p.year, _ = strconv.Atoi(s[:n])
	if p.year == 0 {
		return dateParts{}, false // XML Schema 1.0 has no year 0
	}
	if neg {
		p.year = 1 - p.year // the year before 1 is -1; time.Date counts 0
	}
	s = s[n:]
	p.precision = PrecisionYear
	fail := dateParts{}
	// "-05:00" after a year or month is a zone, "-05" a month or day.
	if len(s) >= 3 && s[0] == '-' && !(len(s) == 6 && s[3] == ':') {
		if p.month, ok = two(s[1:], 1, 12); !ok {
			return fail, false
		}
		p.precision = PrecisionMonth
		s = s[3:]
		if len(s) >= 3 && s[0] == '-' && !(len(s) == 6 && s[3] == ':') {
			if p.day, ok = two(s[1:], 1, daysIn(p.year, p.month)); !ok {
				return fail, false
			}
			p.precision = PrecisionDay
			s = s[3:]
			if strings.HasPrefix(s, "T") {
				if s, ok = p.clock(s[1:]); !ok {
					return fail, false
				}
			}
		}
	}
	if !p.zone(s) {
		return fail, false
	}
	return p, true
}

// clock reads hh:mm:ss with an optional fraction and returns what is left.
func (p *dateParts) clock(s string) (rest string, ok bool) {
	if len(s) < 8 || s[2] != ':' || s[5] != ':' {
		return "", false
	}
	var okH, okM, okS bool
	p.hour, okH = two(s, 0, 24)
	p.minute, okM = two(s[3:], 0, 59)
	p.second, okS = two(s[6:], 0, 59)
	if !okH || !okM || !okS {
		return "", false
	}
	s = s[8:]
	zeroFraction := true
	if strings.HasPrefix(s, ".") {
		i := 1
		for unit := 100_000_000; i < len(s) && s[i]-'0' <= 9; i++ {
			p.nanos += int(s[i]-'0') * unit
			unit /= 10
			zeroFraction = zeroFraction && s[i] == '0'
		}
		if i == 1 {
			return "", false
		}
		s = s[i:]
	}
	if p.hour == 24 && (p.minute != 0 || p.second != 0 || !zeroFraction) {
		return "", false
	}
	p.precision = PrecisionTime
	return s, true
}

func (p *dateParts) zone(s string) bool {
	switch {
	case s == "":
		return true
	case s == "Z":
		p.zoned = true
		return true
	case len(s) == 6 && (s[0] == '+' || s[0] == '-') && s[3] == ':':
		h, okH := two(s[1:], 0, 14)
		m, okM := two(s[4:], 0, 59)
		if !okH || !okM || h == 14 && m != 0 {
			return false
		}
		p.zoned = true
		p.offset = h*3600 + m*60
		if s[0] == '-' {
			p.offset = -p.offset
		}
		return true
	}
	return false
}

// two reads two digits within bounds.
func two(s string, least, most int) (int, bool) {
	if len(s) < 2 || s[0]-'0' > 9 || s[1]-'0' > 9 {
		return 0, false
	}
	v := int(s[0]-'0')*10 + int(s[1]-'0')
	return v, v >= least && v <= most
}

func daysIn(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}
