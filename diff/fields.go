package diff

import (
	"fmt"
	"strings"

	"github.com/beevik/etree"

	"github.com/semeco/go-sdc/mdib/pm"
)

// fields are the values of a descriptor or state by path, in the order of the schema.
type fields struct {
	order []string
	value map[string]string
}

func (f *fields) add(path, value string) {
	if f.value == nil {
		f.value = map[string]string{}
	}
	if _, ok := f.value[path]; !ok {
		f.order = append(f.order, path)
	}
	f.value[path] = value
}

// element is a descriptor or state.
type element interface {
	TypeName() pm.QName
	AppendElement(b []byte, name, xsiType string) []byte
}

// flatten lists the fields as they are written.
func (c *comparison) flatten(e element) fields {
	var f fields
	f.add("@xsi:type", e.TypeName().Local)
	doc := etree.NewDocument()
	b := fmt.Appendf(nil, `<x xmlns:pm=%q xmlns:ext="ext" xmlns:xsi="xsi">`, pm.Namespace)
	b = append(e.AppendElement(b, "pm:X", ""), "</x>"...)
	if err := doc.ReadFromBytes(b); err != nil {
		// What the codec writes is well-formed; if it were not, no difference must be hidden.
		f.add("(unreadable)", err.Error())
		return f
	}
	root := doc.Root().SelectElement("X")
	for _, a := range root.Attr {
		if !c.o.Versions && (a.Key == "DescriptorVersion" || a.Key == "StateVersion") || a.Space == "xmlns" {
			continue
		}
		f.add("@"+a.FullKey(), a.Value)
	}
	f.children(root, "")
	return f
}

func (f *fields) children(e *etree.Element, path string) {
	count := map[string]int{}
	for _, child := range e.ChildElements() {
		count[name(child)]++
	}
	seen := map[string]int{}
	for _, child := range e.ChildElements() {
		at := path + name(child)
		if count[name(child)] > 1 {
			seen[name(child)]++
			at += fmt.Sprintf("[%d]", seen[name(child)])
		}
		for _, a := range child.Attr {
			if a.Space != "xmlns" && a.Key != "xmlns" {
				f.add(at+"/@"+a.FullKey(), a.Value)
			}
		}
		switch text := child.Text(); {
		case len(child.ChildElements()) > 0:
			f.children(child, at+"/")
		case text != "" || len(child.Attr) == 0:
			f.add(at, text)
		}
	}
}

// name leaves the participant model's prefix out.
func name(e *etree.Element) string {
	if e.Space == "pm" {
		return e.Tag
	}
	return e.FullTag()
}

// compare lists what differs.
func compare(a, b fields) []Field {
	var out []Field
	add := func(path string) {
		x, hasX := a.value[path]
		y, hasY := b.value[path]
		switch {
		case hasX && hasY:
			if x != y {
				out = append(out, Field{path, &x, &y})
			}
		case hasX:
			if !implied(a, path) {
				out = append(out, Field{path, &x, nil})
			}
		case !implied(b, path):
			out = append(out, Field{path, nil, &y})
		}
	}
	for _, path := range a.order {
		add(path)
	}
	for _, path := range b.order {
		if _, ok := a.value[path]; !ok {
			add(path)
		}
	}
	return out
}

// implied reports whether a value that one side has written is the one that the schema implies for the other, which has not.
func implied(f fields, path string) bool {
	value := f.value[path]
	switch path[strings.LastIndexByte(path, '/')+1:] {
	case "@StateVersion", "@DescriptorVersion":
		return value == "0"
	case "@SafetyClassification":
		return value == string(pm.SafetyClassificationInf)
	case "@ActivationState": // alerts always write theirs
		return value == string(pm.ComponentActivationOn)
	case "@OperatingMode": // operations always write theirs
		return value == string(pm.MdsOperatingModeNml)
	case "@Lang":
		return path == "@Lang" && value == "en" // of an MDS; texts have none implied
	case "@Presence":
		return value == string(pm.AlertSignalPresenceOff) || value == "false"
	case "@Location":
		return value == string(pm.AlertSignalPrimaryLocationLoc)
	case "@ContextAssociation":
		return value == string(pm.ContextAssociationNo)
	case "@Mode":
		return value == string(pm.GenerationModeReal)
	case "@Qi":
		qi, err := pm.ParseDecimal(value)
		return err == nil && qi.Cmp(pm.MustDecimal("1")) == 0
	case "@Retriggerable":
		return value == "true" || value == "1"
	case "@AccessLevel":
		return value == string(pm.AccessLevelUsr)
	case "@Criticality":
		return value == string(pm.CriticalityLo)
	case "@Type": // of a calibration
		return value == string(pm.CalibrationTypeUnspec)
	case "@CodingSystem":
		return value == pm.DefaultCodingSystem
	case "@Root":
		return value == pm.NullFlavorRoot
	case "@DefaultConditionGenerationDelay", "@DefaultSignalGenerationDelay":
		d, err := pm.ParseDuration(value)
		return err == nil && d.Std() == 0
	case "@DerivationMethod":
		d := pm.AbstractMetricDescriptor{MetricCategory: pm.MetricCategory(f.value["@MetricCategory"])}
		return value == string(d.DerivationMethodOrDefault())
	}
	return false
}
