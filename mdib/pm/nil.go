package pm

import "reflect"

// IsNil tells whether there is nothing in an interface such as Descriptor or State: neither a value nor more than a nil pointer of some type, which
// Go tells apart from nil itself.
func IsNil(v any) bool {
	if v == nil {
		return true
	}
	r := reflect.ValueOf(v)
	return r.Kind() == reflect.Pointer && r.IsNil()
}
