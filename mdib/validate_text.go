package mdib

import (
	"reflect"

	"github.com/semeco/go-sdc/mdib/pm"
)

// localized checks every LocalizedText of a descriptor and its states: a reference has a version (BICEPS R5006), a text without one has content
// (R5048) and says its language (R5050: else it is unknown), and the same reference, version, language and width have the same content (R5007).
func (v *validator) localized(e Entity) {
	v.walkTexts(e.Handle, reflect.ValueOf(e.Descriptor))
	if e.State != nil {
		v.walkTexts(e.Handle, reflect.ValueOf(e.State))
	}
	for _, c := range e.Contexts {
		v.walkTexts(c.BaseMulti().Handle, reflect.ValueOf(c))
	}
}

func (v *validator) walkTexts(handle string, x reflect.Value) {
	switch x.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !x.IsNil() {
			v.walkTexts(handle, x.Elem())
		}
	case reflect.Slice:
		switch x.Type().Elem().Kind() {
		case reflect.Struct, reflect.Pointer, reflect.Interface:
			if x.Type() == reflect.TypeFor[pm.Samples]() {
				return
			}
			for i := range x.Len() {
				v.walkTexts(handle, x.Index(i))
			}
		}
	case reflect.Struct:
		if x.Type() == reflect.TypeFor[pm.LocalizedText]() {
			v.text(handle, x.Addr().Interface().(*pm.LocalizedText))
			return
		}
		for i := range x.NumField() {
			if x.Type().Field(i).IsExported() {
				v.walkTexts(handle, x.Field(i))
			}
		}
	}
}

func (v *validator) text(handle string, t *pm.LocalizedText) {
	if t.Ref == "" {
		if t.Text == "" {
			v.warnf("BICEPS R5048", handle, "a localized text without reference has no content")
		} else if t.Lang == "" {
			v.add(SeverityInfo, "BICEPS R5050", handle, "the localized text %q without reference has no language", clip(t.Text))
		}
		return
	}
	if !t.Version.IsSet() {
		v.errorf("BICEPS R5006", handle, "the localized text with the reference %q has no version", clip(t.Ref))
	}
	if t.Text == "" {
		return
	}
	key := textKey{t.Ref, t.Lang, string(t.TextWidth), t.Version}
	if v.texts == nil {
		v.texts = map[textKey]string{}
	}
	if other, ok := v.texts[key]; ok && other != t.Text {
		v.errorf("BICEPS R5007", handle, "the reference %q of one version has two contents", clip(t.Ref))
	}
	v.texts[key] = t.Text
}
