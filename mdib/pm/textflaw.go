package pm

import (
	"reflect"

	"github.com/semeco/go-sdc/internal/xmlscan"
)

// TextFlaw says that a descriptor, with those it contains, or a state has a text that XML cannot carry, with a control character as bar codes have them or with
// invalid UTF-8: readers would get another. It names the field, as "Familyname has a character that XML does not allow", and not the text, which may be the
// name of a patient. It is empty if there is nothing, also for nil. It looks at everything and takes its time: not for what changes many times a second.
func TextFlaw(v any) string {
	if field := illegalText(reflect.ValueOf(v), "", 0); field != "" {
		return field + " has a character that XML does not allow"
	}
	return ""
}

// maxNesting is deeper than the schema nests.
const maxNesting = 256

func illegalText(v reflect.Value, field string, depth int) string {
	if depth > maxNesting {
		return ""
	}
	switch v.Kind() {
	case reflect.String:
		if xmlscan.Illegal(v.String()) >= 0 {
			return field
		}
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			return illegalText(v.Elem(), field, depth+1)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			name := field
			if f := v.Type().Field(i); f.IsExported() { // the value of an Opt has the name of the field that holds it
				name = f.Name
			}
			if found := illegalText(v.Field(i), name, depth+1); found != "" {
				return found
			}
		}
	case reflect.Slice:
		switch v.Type().Elem().Kind() {
		case reflect.String, reflect.Pointer, reflect.Interface, reflect.Struct, reflect.Slice:
			for i := range v.Len() {
				if found := illegalText(v.Index(i), field, depth+1); found != "" {
					return found
				}
			}
		}
	}
	return ""
}
