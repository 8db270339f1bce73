package lint

import (
	"iter"
	"reflect"

	"github.com/semeco/go-sdc/mdib/pm"
)

// value is one value somewhere in a descriptor or state.
type value struct {
	handle string
	// owner is the structure whose field it is, as a pointer; of embedded ones the one they are embedded in.
	owner any
	field string
	v     any
}

// walk collects every exported value below x.
func (p *pass) walk(handle string, x any) { p.walkValue(handle, nil, "", reflect.ValueOf(x)) }

func (p *pass) walkValue(handle string, owner any, field string, x reflect.Value) {
	switch v := x.Interface().(type) {
	case pm.Opt[pm.Duration]:
		if d, ok := v.Get(); ok {
			p.values = append(p.values, value{handle, owner, field, d})
		}
		return
	case pm.Opt[pm.Timestamp]:
		if t, ok := v.Get(); ok {
			p.values = append(p.values, value{handle, owner, field, t})
		}
		return
	case pm.Duration, pm.Timestamp, pm.Extension:
		p.values = append(p.values, value{handle, owner, field, v})
		return
	case pm.Samples: // many, and nothing to see
		return
	}
	switch x.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !x.IsNil() {
			p.walkValue(handle, owner, field, x.Elem())
		}
	case reflect.Slice:
		switch x.Type().Elem().Kind() {
		case reflect.Struct, reflect.Pointer, reflect.Interface:
			for i := range x.Len() {
				p.walkValue(handle, owner, field, x.Index(i))
			}
		}
	case reflect.Struct:
		if x.CanAddr() {
			p.values = append(p.values, value{handle, owner, field, x.Addr().Interface()})
			p.walkFields(handle, x.Addr().Interface(), x)
		}
	}
}

func (p *pass) walkFields(handle string, owner any, x reflect.Value) {
	for i := range x.NumField() {
		f := x.Type().Field(i)
		switch {
		case !f.IsExported():
		case f.Anonymous && f.Type.Kind() == reflect.Struct:
			// An embedded base counts as itself, for rules about base types, but what it holds belongs to the whole.
			p.values = append(p.values, value{handle, owner, f.Name, x.Field(i).Addr().Interface()})
			p.walkFields(handle, owner, x.Field(i))
		default:
			p.walkValue(handle, owner, f.Name, x.Field(i))
		}
	}
}

// all yields the values of one type.
func all[T any](p *pass) iter.Seq2[value, T] {
	return func(yield func(value, T) bool) {
		for _, v := range p.values {
			if t, ok := v.v.(T); ok && !yield(v, t) {
				return
			}
		}
	}
}
