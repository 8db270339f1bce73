package sdc

import (
	"fmt"
	"strings"
)

// FallbackLocationRoot is the root of a location identification that is made from the location's detail.
const FallbackLocationRoot = "sdc.ctxt.loc.detail"

// LocationDetail is where a device stands, from the whole to the part. Every field is optional.
type LocationDetail struct {
	Facility string // "fac"
	Building string // "bldng"
	PoC      string // "poc", point of care
	Floor    string // "flr"
	Room     string // "rm"
	Bed      string // "bed"
}

// IsZero tells whether no field is set.
func (d LocationDetail) IsZero() bool { return d == LocationDetail{} }

// Identification returns the instance identifier of a location that has none of its own: root sdc.ctxt.loc.detail and an extension
// made of facility, building, floor, point of care, room and bed, each percent-encoded, joined by "/" (GLUE fallback location id).
func (d LocationDetail) Identification() (root, extension string) {
	parts := []string{d.Facility, d.Building, d.Floor, d.PoC, d.Room, d.Bed}
	for i, p := range parts {
		parts[i] = percentEncode(p)
	}
	return FallbackLocationRoot, strings.Join(parts, "/")
}

// Scope returns the discovery scope of an associated location with the fallback identification.
func (d LocationDetail) Scope() ContextScope {
	root, extension := d.Identification()
	return ContextScope{Kind: LocationContext, Root: root, Extension: extension, Location: d}
}

// String writes the fields that are set as "fac=...,poc=...,bed=...", the form ParseLocationDetail reads.
func (d LocationDetail) String() string {
	var parts []string
	for _, f := range d.fields() {
		if *f.value != "" {
			parts = append(parts, f.key+"="+*f.value)
		}
	}
	return strings.Join(parts, ",")
}

// ParseLocationDetail reads comma-separated key=value pairs with the keys of the scope's query: fac, bldng, poc, flr, rm, bed.
func ParseLocationDetail(text string) (LocationDetail, error) {
	var d LocationDetail
	if strings.TrimSpace(text) == "" {
		return d, nil
	}
	for pair := range strings.SplitSeq(text, ",") {
		key, value, ok := strings.Cut(strings.TrimSpace(pair), "=")
		if !ok {
			return LocationDetail{}, fmt.Errorf("location %q: %q is not key=value", text, pair)
		}
		if err := d.set(key, value); err != nil {
			return LocationDetail{}, fmt.Errorf("location %q: %w", text, err)
		}
	}
	return d, nil
}

type locationField struct {
	key   string
	value *string
}

// fields lists the query keys in the order of the scope.
func (d *LocationDetail) fields() [6]locationField {
	return [6]locationField{
		{"fac", &d.Facility}, {"bldng", &d.Building}, {"poc", &d.PoC}, {"flr", &d.Floor}, {"rm", &d.Room}, {"bed", &d.Bed},
	}
}

func (d *LocationDetail) set(key, value string) error {
	for _, f := range d.fields() {
		if f.key != key {
			continue
		}
		if *f.value != "" {
			return fmt.Errorf("%q is given twice", key)
		}
		*f.value = value
		return nil
	}
	return fmt.Errorf("%q is none of fac, bldng, poc, flr, rm, bed", key)
}

func (d LocationDetail) query() string {
	var b strings.Builder
	for _, f := range d.fields() {
		if *f.value == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(f.key)
		b.WriteByte('=')
		b.WriteString(percentEncode(*f.value))
	}
	return b.String()
}

func parseLocationQuery(query string) (LocationDetail, error) {
	var d LocationDetail
	if query == "" {
		return d, nil
	}
	seen := map[string]bool{}
	for pair := range strings.SplitSeq(query, "&") {
		key, value, _ := strings.Cut(pair, "=")
		if seen[key] {
			return LocationDetail{}, fmt.Errorf("query key %q occurs twice", key)
		}
		seen[key] = true
		text, err := percentDecode(value)
		if err != nil {
			return LocationDetail{}, fmt.Errorf("query key %q: %w", key, err)
		}
		for _, f := range d.fields() {
			if f.key == key {
				*f.value = text
			}
		}
	}
	return d, nil
}
