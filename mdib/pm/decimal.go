package pm

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"unique"
)

// Decimal is an xs:decimal that keeps its digits: "1.10" stays "1.10" and never passes through a
// binary fraction. The zero Decimal is 0.
//
// Decimals with the same digits are == ; 1.1 and 1.10 are different Decimals of the same value, see
// Cmp. Signs and zeros that carry nothing are not kept: "+5", "05" and "5." read as 5, ".5" as 0.5, "-0" as 0.
type Decimal struct {
	// Of a number of up to maxDigits digits: value * 10^scale, shifted left by scaleBits, plus scale, its
	// number of digits after the point. 16 bytes hold any Decimal, which waveforms have thousands of.
	packed int64
	// The canonical text of a longer number; equal texts have equal handles.
	text unique.Handle[string]
}

const (
	maxDigits = 17 // a coefficient of that many digits, a sign and scaleBits fit 63 bits
	scaleBits = 5
	maxScale  = 18 // that a caller may ask for
)

// shortDecimal returns the Decimal of a number of at most maxDigits digits.
func shortDecimal(coef int64, scale int) Decimal {
	return Decimal{packed: coef<<scaleBits | int64(scale)}
}

// longDecimal returns the Decimal of canonical text that has more digits.
func longDecimal(text string) Decimal { return Decimal{text: unique.Make(text)} }

func (d Decimal) isShort() bool { return d.text == unique.Handle[string]{} }

func (d Decimal) coef() int64 { return d.packed >> scaleBits }

func (d Decimal) scale() int { return int(d.packed & (1<<scaleBits - 1)) }

var pow10 = [...]int64{1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000,
	10000000000, 100000000000, 1000000000000, 10000000000000, 100000000000000, 1000000000000000,
	10000000000000000, 100000000000000000, 1000000000000000000}

var errDecimal = errors.New("not a decimal number")

// ParseDecimal reads an xs:decimal: digits with an optional sign and point. An
// exponent, INF and NaN are refused. White space around the number is not accepted here.
func ParseDecimal(s string) (Decimal, error) {
	d, ok := parseDecimal(s)
	if !ok {
		return Decimal{}, fmt.Errorf("%w: %q", errDecimal, clip(s))
	}
	return d, nil
}

// MustDecimal is ParseDecimal for constants; it panics on anything but a decimal.
func MustDecimal(s string) Decimal {
	d, err := ParseDecimal(s)
	if err != nil {
		panic("pm.MustDecimal: " + err.Error())
	}
	return d
}

// NewDecimal returns coef / 10^scale with scale digits after the point. It panics unless 0 <= scale <= 18.
func NewDecimal(coef int64, scale int) Decimal {
	if scale < 0 || scale > maxScale {
		panic("pm.NewDecimal: scale out of range")
	}
	if coef > -pow10[maxDigits] && coef < pow10[maxDigits] && scale <= maxDigits {
		return shortDecimal(coef, scale)
	}
	// The text form, so that equal digits have one representation.
	s := strconv.FormatUint(magnitude(coef), 10)
	if scale > 0 {
		s = strings.Repeat("0", max(scale+1-len(s), 0)) + s
		s = s[:len(s)-scale] + "." + s[len(s)-scale:]
	}
	if coef < 0 {
		s = "-" + s
	}
	return longDecimal(s)
}

// DecimalFromFloat rounds f to the given number of digits after the point (0 to 18), to nearest, half
// to even. ok is false when f is NaN or infinite.
func DecimalFromFloat(f float64, digits int) (d Decimal, ok bool) {
	if math.IsNaN(f) || math.IsInf(f, 0) || digits < 0 || digits > maxScale {
		return Decimal{}, false
	}
	var buf [64]byte
	return parseDecimal(strconv.AppendFloat(buf[:0], f, 'f', digits, 64))
}

func parseDecimal[T string | []byte](s T) (Decimal, bool) {
	i, neg := 0, false
	if len(s) > 0 && (s[0] == '-' || s[0] == '+') {
		neg = s[0] == '-'
		i = 1
	}
	start := i
	var coef int64
	scale, digits, point := 0, 0, -1
	for ; i < len(s); i++ {
		c := s[i]
		if c-'0' <= 9 {
			digits++
			// Overflow is excluded below: a number of more than maxDigits digits is not taken from coef.
			coef = coef*10 + int64(c-'0')
			continue
		}
		if c != '.' || point >= 0 {
			return Decimal{}, false
		}
		point = i
	}
	if digits == 0 {
		return Decimal{}, false
	}
	if point >= 0 {
		scale = len(s) - point - 1
	}
	if digits <= maxDigits {
		if neg {
			coef = -coef
		}
		return shortDecimal(coef, scale), true
	}
	return parseLong(string(s[start:]), neg)
}

// parseLong makes a Decimal from unsigned text of more than maxDigits digits, already checked.
func parseLong(s string, neg bool) (Decimal, bool) {
	whole, frac, _ := strings.Cut(s, ".")
	whole = strings.TrimLeft(whole, "0")
	if len(whole)+len(frac) <= maxDigits {
		var coef int64
		for _, part := range [2]string{whole, frac} {
			for i := 0; i < len(part); i++ {
				coef = coef*10 + int64(part[i]-'0')
			}
		}
		if neg {
			coef = -coef
		}
		return shortDecimal(coef, len(frac)), true
	}
	if whole == "" {
		whole = "0"
		if strings.Trim(frac, "0") == "" {
			neg = false
		}
	}
	text := whole
	if frac != "" {
		text += "." + frac
	}
	if neg {
		text = "-" + text
	}
	return longDecimal(text), true
}

// Float64 returns the nearest float64.
func (d Decimal) Float64() float64 {
	if !d.isShort() {
		f, _ := strconv.ParseFloat(d.text.Value(), 64)
		return f
	}
	// Both operands are exact here, so the quotient is rounded once.
	if coef := d.coef(); coef > -1<<53 && coef < 1<<53 {
		return float64(coef) / float64(pow10[d.scale()])
	}
	var buf [32]byte
	f, _ := strconv.ParseFloat(string(d.append(buf[:0])), 64)
	return f
}

// Digits returns the number of digits after the point.
func (d Decimal) Digits() int {
	if !d.isShort() {
		_, frac, _ := strings.Cut(d.text.Value(), ".")
		return len(frac)
	}
	return d.scale()
}

// Coefficient returns coef and scale with value = coef / 10^scale. ok is false for numbers of more than 17 digits.
func (d Decimal) Coefficient() (coef int64, scale int, ok bool) {
	return d.coef(), d.scale(), d.isShort()
}

// String returns the canonical text, with the digits as read.
func (d Decimal) String() string {
	if !d.isShort() {
		return d.text.Value()
	}
	var buf [32]byte
	return string(d.append(buf[:0]))
}

// AppendText appends the text of the number; it never fails.
func (d Decimal) AppendText(b []byte) ([]byte, error) { return d.append(b), nil }

// MarshalText returns the text of the number; it never fails.
func (d Decimal) MarshalText() ([]byte, error) { return d.append(nil), nil }

// UnmarshalText reads an xs:decimal without surrounding white space.
func (d *Decimal) UnmarshalText(b []byte) error {
	v, ok := parseDecimal(b)
	if !ok {
		return fmt.Errorf("%w: %q", errDecimal, clip(string(b)))
	}
	*d = v
	return nil
}

// MarshalJSON writes the number with its digits.
func (d Decimal) MarshalJSON() ([]byte, error) { return d.append(nil), nil }

// UnmarshalJSON reads a JSON number, or a string that holds an xs:decimal; an exponent is refused.
func (d *Decimal) UnmarshalJSON(b []byte) error {
	if len(b) >= 2 && b[0] == '"' {
		b = b[1 : len(b)-1]
	}
	return d.UnmarshalText(b)
}

func (d Decimal) append(b []byte) []byte {
	if !d.isShort() {
		return append(b, d.text.Value()...)
	}
	coef, scale := d.coef(), d.scale()
	mag := magnitude(coef)
	if scale == 0 {
		return strconv.AppendInt(b, coef, 10)
	}
	// Filled in place from the right, two digits at a time: first the fraction, then the whole part.
	n := max(decimalDigits(mag), scale+1) + 1
	if coef < 0 {
		n++
	}
	i := len(b) + n
	b = slices.Grow(b, n)[:i]
	for ; scale >= 2; scale -= 2 {
		q := mag / 100
		r := 2 * (mag - q*100)
		i -= 2
		b[i], b[i+1] = digitPairs[r], digitPairs[r+1]
		mag = q
	}
	if scale == 1 {
		q := mag / 10
		i--
		b[i] = '0' + byte(mag-q*10)
		mag = q
	}
	i--
	b[i] = '.'
	for mag >= 10 {
		q := mag / 10
		i--
		b[i] = '0' + byte(mag-q*10)
		mag = q
	}
	i--
	b[i] = '0' + byte(mag)
	if coef < 0 {
		b[i-1] = '-'
	}
	return b
}

// decimalDigits returns the number of decimal digits of v <= 10^18, 1 for 0.
func decimalDigits(v uint64) int {
	// 1233/4096 is log10(2), just right for 60 bits; the guess is one too low or right.
	n := bits.Len64(v) * 1233 >> 12
	if v >= uint64(pow10[n]) {
		n++
	}
	return max(n, 1)
}

const digitPairs = "00010203040506070809" +
	"10111213141516171819" +
	"20212223242526272829" +
	"30313233343536373839" +
	"40414243444546474849" +
	"50515253545556575859" +
	"60616263646566676869" +
	"70717273747576777879" +
	"80818283848586878889" +
	"90919293949596979899"

// Sign returns -1, 0 or 1.
func (d Decimal) Sign() int {
	if !d.isShort() {
		text := d.text.Value()
		if text[0] == '-' {
			return -1
		}
		if strings.Trim(text, "0.") == "" {
			return 0
		}
		return 1
	}
	return cmp.Compare(d.coef(), 0)
}

// Neg returns -d.
func (d Decimal) Neg() Decimal {
	if !d.isShort() {
		text := d.text.Value()
		if text[0] == '-' {
			return longDecimal(text[1:])
		}
		if d.Sign() == 0 {
			return d
		}
		return longDecimal("-" + text)
	}
	return shortDecimal(-d.coef(), d.scale())
}

// Cmp compares by value: -1, 0 or 1 as d is less than, equal to or greater than o. 1.1 equals 1.10.
func (d Decimal) Cmp(o Decimal) int {
	if d.scale() == o.scale() && d.isShort() && o.isShort() { // as most numbers that are compared: their order is that of the coefficients
		return cmp.Compare(d.packed, o.packed)
	}
	ds, os := d.Sign(), o.Sign()
	if ds != os {
		if ds < os {
			return -1
		}
		return 1
	}
	if ds == 0 {
		return 0
	}
	c := cmpMagnitude(d, o)
	if ds < 0 {
		return -c
	}
	return c
}

func cmpMagnitude(d, o Decimal) int {
	if d.isShort() && o.isShort() {
		a, b := magnitude(d.coef()), magnitude(o.coef())
		// Compare a*10^o.scale with b*10^d.scale in 128 bits.
		ah, al := bits.Mul64(a, uint64(pow10[o.scale()]))
		bh, bl := bits.Mul64(b, uint64(pow10[d.scale()]))
		switch {
		case ah != bh:
			if ah < bh {
				return -1
			}
			return 1
		case al != bl:
			if al < bl {
				return -1
			}
			return 1
		}
		return 0
	}
	dw, df, _ := strings.Cut(strings.TrimPrefix(d.String(), "-"), ".")
	ow, of, _ := strings.Cut(strings.TrimPrefix(o.String(), "-"), ".")
	dw, ow = strings.TrimLeft(dw, "0"), strings.TrimLeft(ow, "0")
	if len(dw) != len(ow) {
		if len(dw) < len(ow) {
			return -1
		}
		return 1
	}
	if c := strings.Compare(dw, ow); c != 0 {
		return c
	}
	return strings.Compare(strings.TrimRight(df, "0"), strings.TrimRight(of, "0"))
}

func magnitude(v int64) uint64 {
	if v < 0 {
		return -uint64(v)
	}
	return uint64(v)
}

// clip shortens text quoted in an error.
func clip(s string) string {
	if len(s) > 64 {
		return s[:64] + "..."
	}
	return s
}

// unitInterval reports whether 0 <= d <= 1.
func unitInterval(d Decimal) bool { return d.Sign() >= 0 && d.Cmp(shortDecimal(1, 0)) <= 0 }
