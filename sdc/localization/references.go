package localization

import (
	"fmt"
	"reflect"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
)

// References calls found for every localized text with a reference that stands anywhere in a descriptor or state, and tells whether there was one.
func References(v any, found func(pm.LocalizedText)) bool {
	return references(reflect.ValueOf(v), found)
}

func references(x reflect.Value, found func(pm.LocalizedText)) bool {
	has := false
	switch x.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !x.IsNil() {
			has = references(x.Elem(), found)
		}
	case reflect.Slice:
		switch x.Type().Elem().Kind() {
		case reflect.Struct, reflect.Pointer, reflect.Interface:
			if x.Type() == reflect.TypeFor[pm.Samples]() {
				return false
			}
			for i := range x.Len() {
				has = references(x.Index(i), found) || has
			}
		}
	case reflect.Struct:
		if t, ok := reflect.TypeAssert[pm.LocalizedText](x); ok {
			if t.Ref != "" {
				found(t)
				return true
			}
			return false
		}
		for i := range x.NumField() {
			if x.Type().Field(i).IsExported() {
				has = references(x.Field(i), found) || has
			}
		}
	}
	return has
}

// Check tells which references of an MDIB the catalogue cannot resolve: those of BICEPS R5049, and with a language or a version those without a text in it
// (R5047, R5006). A nil catalogue resolves none.
func (c *Catalogue) Check(snap *mdib.Snapshot) []mdib.Finding {
	var findings []mdib.Finding
	for e := range snap.Entities() {
		findings = append(findings, c.CheckPart(e.Handle, e.Descriptor)...)
		if e.State != nil {
			findings = append(findings, c.CheckPart(e.Handle, e.State)...)
		}
		for _, s := range e.Contexts {
			findings = append(findings, c.CheckPart(s.BaseMulti().Handle, s)...)
		}
	}
	return findings
}

// CheckPart is Check for one descriptor without its children, or one state.
func (c *Catalogue) CheckPart(handle string, part any) []mdib.Finding {
	var findings []mdib.Finding
	References(part, func(t pm.LocalizedText) {
		if c != nil && c.Has(t.Ref, t.Version, t.Lang) {
			return
		}
		f := mdib.Finding{ID: "BICEPS R5049", Handle: handle, Severity: mdib.SeverityError, Message: fmt.Sprintf("there is no text for the reference %q", t.Ref)}
		if c != nil && c.Has(t.Ref, pm.Opt[uint64]{}, "") {
			f.Message = fmt.Sprintf("there is no text for the reference %q in version %d", t.Ref, t.Version.Or(0))
			if t.Lang != "" {
				f.ID = "BICEPS R5047"
				f.Message += " and language " + t.Lang
			}
		}
		findings = append(findings, f)
	})
	return findings
}
