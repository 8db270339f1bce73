package provider

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/big"
	"net/url"
	"strconv"
	"strings"

	"github.com/semeco/go-sdc/mdib/pm"
)

const nsXSD = "http://www.w3.org/2001/XMLSchema"

// Argument is one argument of an Activate call. Value has been checked against Type before the handler runs (SCO-4).
type Argument struct {
	// Name says what the argument is, as the descriptor has it.
	Name pm.CodedValue
	// Type is the declared data type, for example {http://www.w3.org/2001/XMLSchema}decimal.
	Type pm.QName
	// Value is the lexical form; for all types but strings without surrounding white space.
	Value string
}

// Decimal returns the value as a decimal.
func (a Argument) Decimal() (pm.Decimal, error) { return pm.ParseDecimal(a.Value) }

// Int returns the value as an integer.
func (a Argument) Int() (int64, error) {
	return strconv.ParseInt(strings.TrimPrefix(a.Value, "+"), 10, 64)
}

// Bool returns the value as a boolean.
func (a Argument) Bool() (bool, error) {
	switch a.Value {
	case "true", "1":
		return true, nil
	case "false", "0":
		return false, nil
	}
	return false, fmt.Errorf("%q is no boolean", a.Value)
}

// newArgument checks a value against the declared type. Types outside of XML Schema and those of its types not listed here are
// taken as they are: what they allow is the device's to know.
func newArgument(name pm.CodedValue, kind pm.QName, value string) (Argument, error) {
	a := Argument{Name: name, Type: kind, Value: value}
	if kind.Space != nsXSD {
		return a, nil
	}
	switch kind.Local {
	case "string", "normalizedString", "anySimpleType", "anyType":
		return a, nil
	}
	a.Value = strings.Trim(value, " \t\r\n")
	if err := checkLexical(kind.Local, a.Value); err != nil {
		return Argument{}, fmt.Errorf("%q is no xsd:%s", clip(a.Value), kind.Local)
	}
	return a, nil
}

func clip(s string) string {
	const limit = 64
	if r := []rune(s); len(r) > limit {
		return string(r[:limit]) + "..."
	}
	return s
}

// integerBounds of the integer types of XML Schema; an empty bound is open.
func integerBounds(kind string) (low, high string, ok bool) {
	switch kind {
	case "integer":
		return "", "", true
	case "nonNegativeInteger":
		return "0", "", true
	case "positiveInteger":
		return "1", "", true
	case "nonPositiveInteger":
		return "", "0", true
	case "negativeInteger":
		return "", "-1", true
	case "long":
		return "-9223372036854775808", "9223372036854775807", true
	case "int":
		return "-2147483648", "2147483647", true
	case "short":
		return "-32768", "32767", true
	case "byte":
		return "-128", "127", true
	case "unsignedLong":
		return "0", "18446744073709551615", true
	case "unsignedInt":
		return "0", "4294967295", true
	case "unsignedShort":
		return "0", "65535", true
	case "unsignedByte":
		return "0", "255", true
	}
	return "", "", false
}

func checkLexical(kind, value string) error {
	if low, high, ok := integerBounds(kind); ok {
		return checkInteger(value, low, high)
	}
	var err error
	switch kind {
	case "boolean":
		_, err = Argument{Value: value}.Bool()
	case "decimal":
		_, err = pm.ParseDecimal(value)
	case "float", "double":
		err = checkFloat(value)
	case "anyURI":
		_, err = url.Parse(value)
	case "duration":
		_, err = pm.ParseDuration(value)
	case "dateTime":
		_, err = pm.ParseDateTime(value)
	case "hexBinary":
		_, err = hex.DecodeString(value)
	case "base64Binary":
		_, err = base64.StdEncoding.DecodeString(strings.ReplaceAll(value, " ", ""))
	case "token":
		if strings.ContainsAny(value, "\t\r\n") || strings.Contains(value, "  ") {
			err = fmt.Errorf("white space")
		}
	}
	return err
}

func checkInteger(value, low, high string) error {
	digits := strings.TrimLeft(value, "+-")
	if len(value)-len(digits) > 1 || digits == "" || strings.Trim(digits, "0123456789") != "" || len(digits) > 1000 {
		return fmt.Errorf("no integer")
	}
	n, ok := new(big.Int).SetString(value, 10)
	if !ok {
		return fmt.Errorf("no integer")
	}
	for _, bound := range []struct {
		text string
		sign int
	}{{low, -1}, {high, 1}} {
		if bound.text == "" {
			continue
		}
		limit, _ := new(big.Int).SetString(bound.text, 10)
		if n.Cmp(limit) == bound.sign {
			return fmt.Errorf("out of range")
		}
	}
	return nil
}

func checkFloat(value string) error {
	switch value {
	case "INF", "-INF", "NaN":
		return nil
	}
	if value == "" || strings.Trim(value, "+-.eE0123456789") != "" {
		return fmt.Errorf("no number")
	}
	_, err := strconv.ParseFloat(value, 64)
	return err
}
