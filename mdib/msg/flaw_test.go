package msg_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib/pm"
)

// TestFlaws spoils one thing after the other in an example of every descriptor and state.
func TestFlaws(t *testing.T) {
	spoiled := 0
	for _, x := range concrete() {
		var flaw func() string
		switch x := x.(type) {
		case pm.Descriptor:
			flaw = func() string { return pm.DescriptorFlaw(x) }
		case pm.State:
			flaw = func() string { return pm.StateFlaw(x) }
		default:
			continue // found in the states that hold them
		}
		f := &filler{r: rand.New(rand.NewPCG(1, 2)), full: true, plain: true}
		f.fill(reflect.ValueOf(x).Elem(), "", "")
		require.Empty(t, flaw(), "%T", x)

		each(reflect.ValueOf(x).Elem(), "", func(where, tag string, v reflect.Value) {
			before := reflect.ValueOf(v.Interface())
			defer func() {
				v.Set(before)
				require.Empty(t, flaw(), "%T %s", x, where)
			}()
			optional := strings.HasSuffix(tag, ",?") || strings.Contains(tag, ",?,")
			switch v.Kind() {
			case reflect.String:
				v.SetString("Bogus")
				require.Equal(t, where+` cannot be "Bogus"`, flaw(), "%T", x)
				v.SetString("")
				if optional {
					require.Empty(t, flaw(), "%T %s", x, where)
				} else {
					require.Equal(t, where+" is missing", flaw(), "%T", x)
				}
			default:
				v.SetZero()
				if optional {
					require.Empty(t, flaw(), "%T %s", x, where)
				} else {
					require.Equal(t, where+" is missing", flaw(), "%T", x)
				}
			}
			spoiled++
		})
	}
	require.Greater(t, spoiled, 1000)
	t.Log(spoiled, "values spoiled")
}

// each calls do for every enumeration, and for everything behind a pointer or an interface, that v holds as long as the type is of the model.
func each(v reflect.Value, where string, do func(where, tag string, v reflect.Value)) {
	visit := func(where, tag string, v reflect.Value, listed bool) {
		switch v.Kind() {
		case reflect.String:
			if _, ok := v.Interface().(interface{ Valid() bool }); ok {
				if listed {
					tag = ""
				}
				do(where, tag, v)
			}
		case reflect.Pointer, reflect.Interface:
			if v.IsNil() {
				return
			}
			if !listed {
				do(where, tag, v)
			}
			for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
				v = v.Elem()
			}
			if v.Kind() == reflect.Struct {
				each(v, where+".", do)
			}
		case reflect.Struct:
			each(v, where+".", do)
		}
	}
	for i := range v.NumField() {
		f, field := v.Field(i), v.Type().Field(i)
		tag := field.Tag.Get("sdc")
		switch {
		case field.Anonymous:
			each(f, where, do)
		case tag == "" || field.Name == "Extension":
		case f.Kind() == reflect.Slice:
			for j := range f.Len() {
				visit(fmt.Sprint(where, field.Name), tag, f.Index(j), true)
			}
		default:
			visit(where+field.Name, tag, f, false)
		}
	}
}
