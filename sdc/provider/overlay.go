package provider

import (
	"reflect"

	"github.com/semeco/go-sdc/mdib/pm"
)

// overlay takes over what a proposed state says into the provider's state of the same type: every field that is set in the proposal, except for
// handles and versions, which are the provider's. What the proposal leaves out stays as it is.
//
// A boolean attribute that is false cannot be told from an absent one, so a proposal can raise such a flag but not lower it.
func overlay(to, proposed pm.State) bool {
	if reflect.TypeOf(to) != reflect.TypeOf(proposed) {
		return false
	}
	// A clone, because the MDIB must not share memory with a request.
	from := pm.CloneState(proposed)
	*from.BaseState() = pm.AbstractState{Extension: from.BaseState().Extension}
	if m, ok := from.(pm.MultiState); ok {
		m.BaseMulti().Handle = ""
	}
	overlayStruct(reflect.ValueOf(to).Elem(), reflect.ValueOf(from).Elem())
	return true
}

// overlayStruct follows embedded base types; every other field is taken as a whole.
func overlayStruct(to, from reflect.Value) {
	for i := range from.NumField() {
		if from.Type().Field(i).Anonymous {
			overlayStruct(to.Field(i), from.Field(i))
		} else if f := from.Field(i); !f.IsZero() {
			to.Field(i).Set(f)
		}
	}
}
