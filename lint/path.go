package lint

import (
	"reflect"
	"strings"

	"github.com/semeco/go-sdc/mdib/pm"
)

// pathExists tells whether a simple path, names joined by "/", can name something in a state of that type. ok is false for expressions that are more than a
// simple path.
func pathExists(s pm.State, expression string) (exists, ok bool) {
	text := strings.TrimSpace(expression)
	text = strings.TrimPrefix(strings.TrimPrefix(text, "."), "/")
	if text == "" || strings.ContainsAny(text, "[]()|'\"= *") || strings.Contains(text, "::") || strings.HasPrefix(text, "/") {
		return false, false
	}
	at := reflect.TypeOf(s)
	steps := strings.Split(text, "/")
	for i, step := range steps {
		_, local, found := strings.Cut(step, ":")
		if !found {
			local = step
		}
		local = strings.TrimPrefix(local, "@")
		if local == "" || local == "." || local == ".." {
			return false, false
		}
		if i == 0 && (local == s.TypeName().Local || local == "State" || local == "MdState") {
			continue // from the state itself, or from above
		}
		next, open := fieldNamed(at, local)
		if open {
			return true, true // below an interface or an extension anything may stand
		}
		if next == nil {
			return false, true
		}
		at = next
	}
	return true, true
}

// fieldNamed finds the field written under a name. open tells that no statement is possible.
func fieldNamed(t reflect.Type, name string) (field reflect.Type, open bool) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() == reflect.Interface || t == reflect.TypeFor[pm.ExtensionElement]() {
		return nil, true
	}
	if t.Kind() != reflect.Struct {
		return nil, false
	}
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			if found, open := fieldNamed(f.Type, name); found != nil || open {
				return found, open
			}
			continue
		}
		tag, _, _ := strings.Cut(f.Tag.Get("sdc"), ",")
		tag = strings.TrimPrefix(strings.TrimPrefix(tag, "@"), "ext:")
		if tag == name {
			return f.Type, false
		}
	}
	return nil, false
}
