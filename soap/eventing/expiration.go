package eventing

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Expiration is the content of wse:Expires: a duration from now or an instant.
type Expiration struct {
	months   int           // of a duration; they have no fixed length
	duration time.Duration // the rest of a duration
	at       time.Time     // of an instant; zero for durations
}

// Instant tells whether it is an instant, by the clock of whoever wrote it.
func (e Expiration) Instant() bool { return !e.at.IsZero() }

// From returns how long the expiration lasts seen from now; zero or less means that it has passed.
// What exceeds the range of time.Duration (292 years) is cut to it.
func (e Expiration) From(now time.Time) time.Duration {
	if !e.at.IsZero() {
		return e.at.Sub(now)
	}
	if e.months == 0 {
		return e.duration
	}
	d := now.AddDate(0, e.months, 0).Sub(now)
	if sum := d + e.duration; (sum > d) == (e.duration > 0) {
		return sum
	}
	return math.MaxInt64
}

// ParseExpiration reads a wse:Expires value: an xs:duration of any form, or an xs:dateTime, which
// is UTC when it says nothing else.
func ParseExpiration(text string) (Expiration, error) {
	text = strings.Trim(text, " \t\r\n")
	if strings.HasPrefix(text, "P") || strings.HasPrefix(text, "-P") {
		return parseDuration(text)
	}
	at, err := parseDateTime(text)
	if err != nil {
		return Expiration{}, err
	}
	return Expiration{at: at}, nil
}

var errDuration = errors.New("not an xs:duration")

// parseDuration reads (-)PnYnMnDTnHnMn.nS. What exceeds the range of time.Duration is cut to it.
func parseDuration(text string) (Expiration, error) {
	bad := fmt.Errorf("%q: %w", clip(text), errDuration)
	rest, negative := strings.CutPrefix(text, "-")
	rest, ok := strings.CutPrefix(rest, "P")
	if !ok || rest == "" || len(text) > 128 {
		return Expiration{}, bad
	}
	var (
		months, seconds float64 // exact for all that does not saturate below
		nanos           time.Duration
		units, clock    = "YMD", false
	)
	for rest != "" {
		if rest[0] == 'T' && !clock && rest != "T" {
			rest, units, clock = rest[1:], "HMS", true
			continue
		}
		digits, fraction, unit, tail := cutComponent(rest)
		at := strings.IndexByte(units, unit)
		n, err := strconv.ParseFloat(digits, 64)
		if err != nil || at < 0 || (fraction != "" && unit != 'S') {
			return Expiration{}, bad
		}
		rest, units = tail, units[at+1:]
		switch {
		case unit == 'Y':
			months += 12 * n
		case unit == 'M' && !clock:
			months += n
		case unit == 'D':
			seconds += 86400 * n
		case unit == 'H':
			seconds += 3600 * n
		case unit == 'M':
			seconds += 60 * n
		case unit == 'S':
			seconds += n
			nanos = fractionNanos(fraction)
		}
	}
	e := Expiration{months: int(min(months, 12*1000)), duration: math.MaxInt64}
	if seconds < math.MaxInt64/1e9-1 {
		e.duration = time.Duration(seconds)*time.Second + nanos
	}
	if negative {
		e.months, e.duration = -e.months, -e.duration
	}
	return e, nil
}

// cutComponent takes the next "12M" or "1.5S" off a duration; unit is 0 when there is none.
func cutComponent(s string) (digits, fraction string, unit byte, rest string) {
	isDigit := func(i int) bool { return i < len(s) && '0' <= s[i] && s[i] <= '9' }
	i := 0
	for isDigit(i) {
		i++
	}
	digits = s[:i]
	if i < len(s) && s[i] == '.' && isDigit(i+1) {
		start := i + 1
		for i = start; isDigit(i); {
			i++
		}
		fraction = s[start:i]
	}
	if i == len(s) {
		return digits, fraction, 0, ""
	}
	return digits, fraction, s[i], s[i+1:]
}

func fractionNanos(digits string) time.Duration {
	if len(digits) > 9 {
		digits = digits[:9]
	}
	n, _ := strconv.Atoi(digits + "000000000"[len(digits):]) // digits only
	return time.Duration(n)
}

// parseDateTime reads an xs:dateTime of the years 1 to 9999.
func parseDateTime(text string) (time.Time, error) {
	// package time takes a comma for a decimal point and an hour of one digit
	if len(text) >= 19 && text[13] == ':' && !strings.Contains(text, ",") {
		for _, layout := range []string{"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05"} {
			if t, err := time.Parse(layout, text); err == nil {
				return t, nil
			}
		}
		// the end of a day may be written as 24:00:00
		if day, zone, ok := strings.Cut(text, "T24:00:00"); ok {
			for _, layout := range []string{"2006-01-02Z07:00", "2006-01-02"} {
				if t, err := time.Parse(layout, day+zone); err == nil {
					return t.AddDate(0, 0, 1), nil
				}
			}
		}
	}
	return time.Time{}, fmt.Errorf("%q: neither an xs:duration nor an xs:dateTime", clip(text))
}

func clip(s string) string {
	if len(s) > 64 {
		return s[:64] + "..."
	}
	return s
}

// appendDuration writes d as hours, minutes and seconds (SDPi R1018), cut to milliseconds;
// what is not positive is PT0S.
func appendDuration(b []byte, d time.Duration) []byte {
	ms := max(d, 0).Milliseconds()
	b = append(b, "PT"...)
	start := len(b)
	if h := ms / 3_600_000; h > 0 {
		b = append(strconv.AppendInt(b, h, 10), 'H')
	}
	if m := ms / 60_000 % 60; m > 0 {
		b = append(strconv.AppendInt(b, m, 10), 'M')
	}
	if s := ms % 60_000; s > 0 || len(b) == start {
		b = strconv.AppendInt(b, s/1000, 10)
		if f := s % 1000; f > 0 {
			b = append(b, '.')
			for div := int64(100); f > 0; div /= 10 {
				b = append(b, byte('0'+f/div))
				f %= div
			}
		}
		b = append(b, 'S')
	}
	return b
}
