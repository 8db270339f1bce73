package pm

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"
	"unique"
)

// Duration is an xs:duration in the form it was written in: "PT00H00M11S" stays that. The zero
// Duration stands for PT0S. Durations are == if they are written alike; compare Std for length.
type Duration struct {
	// As it was written; equal texts have equal handles. Most states have room for some and few use any: a string would take twice as much.
	lex unique.Handle[string]
}

func durationOf(lex string) Duration { return Duration{unique.Make(lex)} }

var errDuration = errors.New("not an xs:duration")

// ParseDuration reads an xs:duration such as "PT1.5S", "-PT3H" or "P1DT12H".
func ParseDuration(s string) (Duration, error) {
	if _, ok := scanDuration(s); !ok {
		return Duration{}, fmt.Errorf("%w: %q", errDuration, clip(s))
	}
	return durationOf(s), nil
}

// MustDuration is ParseDuration for constants; it panics on anything but a duration.
func MustDuration(s string) Duration {
	d, err := ParseDuration(s)
	if err != nil {
		panic("pm.MustDuration: " + err.Error())
	}
	return d
}

// DurationOf returns d as hours, minutes and seconds ("PT1H0.5S"), the only parts SDPi R1018 allows.
func DurationOf(d time.Duration) Duration {
	if d == 0 {
		return durationOf("PT0S")
	}
	var buf [48]byte
	b := buf[:0]
	mag := uint64(d)
	if d < 0 {
		b = append(b, '-')
		mag = -mag
	}
	b = append(b, "PT"...)
	if h := mag / uint64(time.Hour); h > 0 {
		b = append(strconv.AppendUint(b, h, 10), 'H')
		mag -= h * uint64(time.Hour)
	}
	if m := mag / uint64(time.Minute); m > 0 {
		b = append(strconv.AppendUint(b, m, 10), 'M')
		mag -= m * uint64(time.Minute)
	}
	if mag > 0 {
		s := mag / uint64(time.Second)
		b = strconv.AppendUint(b, s, 10)
		if ns := mag - s*uint64(time.Second); ns > 0 {
			b = append(b, '.')
			for p := uint64(100_000_000); ns > 0; p /= 10 {
				b = append(b, '0'+byte(ns/p))
				ns %= p
			}
		}
		b = append(b, 'S')
	}
	return durationOf(string(b))
}

// Std returns the length, rounded down to a nanosecond and clipped to what a time.Duration can
// hold. Years and months have no fixed length: a year counts as 365 days, a month as 30. See Calendar.
func (d Duration) Std() time.Duration {
	p, _ := scanDuration(d.String())
	return p.std()
}

// Calendar reports whether the duration has years or months, whose length depends on the date.
func (d Duration) Calendar() bool {
	p, _ := scanDuration(d.String())
	return p.years != 0 || p.months != 0
}

// String returns the duration as it was written.
func (d Duration) String() string {
	if d == (Duration{}) {
		return "PT0S"
	}
	return d.lex.Value()
}

// AppendText appends the duration as it was written; it never fails.
func (d Duration) AppendText(b []byte) ([]byte, error) { return append(b, d.String()...), nil }

// MarshalText returns the duration as it was written; it never fails.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads an xs:duration without surrounding white space.
func (d *Duration) UnmarshalText(b []byte) error { return d.set(string(b)) }

func (d *Duration) set(s string) error {
	v, err := ParseDuration(s)
	if err == nil {
		*d = v
	}
	return err
}

type durationParts struct {
	neg                                          bool
	years, months, days, hours, minutes, seconds uint64
	nanos                                        uint64
	clipped                                      bool
}

func (p durationParts) std() time.Duration {
	const day = 24 * uint64(time.Hour)
	total := p.nanos
	clipped := p.clipped
	add := func(n, unit uint64) {
		if n == 0 {
			return
		}
		if n > math.MaxInt64/unit || total+n*unit > math.MaxInt64 {
			clipped = true
			return
		}
		total += n * unit
	}
	add(p.years, 365*day)
	add(p.months, 30*day)
	add(p.days, day)
	add(p.hours, uint64(time.Hour))
	add(p.minutes, uint64(time.Minute))
	add(p.seconds, uint64(time.Second))
	if clipped {
		total = math.MaxInt64
	}
	if p.neg {
		return -time.Duration(total)
	}
	return time.Duration(total)
}

// scanDuration checks s against the lexical form of xs:duration and takes it apart.
func scanDuration(s string) (p durationParts, ok bool) {
	i := 0
	if i < len(s) && s[i] == '-' {
		p.neg = true
		i++
	}
	if i == len(s) || s[i] != 'P' {
		return p, false
	}
	i++
	const order = "YMDhms" // lower case: after the T
	last, inTime, parts, timeParts := -1, false, 0, 0
	for i < len(s) {
		if s[i] == 'T' {
			if inTime {
				return p, false
			}
			inTime = true
			i++
			continue
		}
		start := i
		var n uint64
		for i < len(s) && s[i]-'0' <= 9 {
			if n > (math.MaxUint64-9)/10 {
				p.clipped = true
				n = 0
			}
			n = n*10 + uint64(s[i]-'0')
			i++
		}
		if i == start || i == len(s) {
			return p, false
		}
		var nanos uint64
		fraction := s[i] == '.'
		if fraction {
			i++
			fs := i
			for unit := uint64(100_000_000); i < len(s) && s[i]-'0' <= 9; i++ {
				nanos += uint64(s[i]-'0') * unit
				unit /= 10
			}
			if i == fs || i == len(s) {
				return p, false
			}
		}
		c := s[i]
		if inTime {
			c += 'a' - 'A'
		}
		k := -1
		for j := 0; j < len(order); j++ {
			if order[j] == c {
				k = j
			}
		}
		if k <= last || fraction && c != 's' {
			return p, false
		}
		last = k
		i++
		parts++
		if inTime {
			timeParts++
		}
		switch c {
		case 'Y':
			p.years = n
		case 'M':
			p.months = n
		case 'D':
			p.days = n
		case 'h':
			p.hours = n
		case 'm':
			p.minutes = n
		case 's':
			p.seconds, p.nanos = n, nanos
		}
	}
	return p, parts > 0 && (!inTime || timeParts > 0)
}
