package provider

import (
	"strings"

	"github.com/beevik/etree"

	"github.com/semeco/go-sdc/mdib/pm"
)

// changedBeyond returns the path of the first thing that a proposed state would change though ModifiableData does not name it; "" when there
// is none. An empty list allows everything but handles and versions, which a proposal cannot change anyway (BICEPS R5010).
//
// The expressions are a subset of XPath from the state as root (BICEPS R5011): steps of names or "*" joined by "/", the last of which may
// be an attribute, with or without "@"; prefixes and a leading "./" or "/" are not looked at. An expression names everything below it too.
// Other expressions allow everything, since refusing a lawful call would be worse than leaving the decision to the handler.
//
// What a proposal leaves out counts as unchanged: consumers write whole states only as far as they care.
func changedBeyond(current, proposed pm.State, modifiable []string) string {
	if len(modifiable) == 0 {
		return ""
	}
	paths := make([][]string, 0, len(modifiable))
	for _, expression := range modifiable {
		steps, ok := parsePath(expression)
		if !ok {
			return ""
		}
		paths = append(paths, steps)
	}
	have, want := tree(current), tree(proposed)
	if have == nil || want == nil {
		return ""
	}
	return firstChange(have, want, nil, paths)
}

func tree(s pm.State) *etree.Element {
	const root = "pm:State"
	b := []byte(`<x xmlns:pm="pm" xmlns:ext="ext" xmlns:xsi="xsi">`)
	b = s.AppendElement(b, root, "")
	b = append(b, "</x>"...)
	doc := etree.NewDocument()
	if doc.ReadFromBytes(b) != nil {
		return nil
	}
	return doc.Root().SelectElement("State")
}

func parsePath(expression string) ([]string, bool) {
	text := strings.TrimSpace(expression)
	text = strings.TrimPrefix(text, ".")
	text = strings.TrimPrefix(text, "/")
	if text == "" || strings.ContainsAny(text, "[]()|'\"= ") || strings.Contains(text, "::") {
		return nil, false
	}
	steps := strings.Split(text, "/")
	for i, step := range steps {
		step = strings.TrimPrefix(step, "@")
		if _, local, ok := strings.Cut(step, ":"); ok {
			step = local
		}
		if step == "" || step == "." || step == ".." {
			return nil, false
		}
		steps[i] = step
	}
	return steps, true
}

// covered tells whether one of the paths names the place or something above it.
func covered(place []string, paths [][]string) bool {
	for _, p := range paths {
		if len(p) > len(place) {
			continue
		}
		match := true
		for i, step := range p {
			if step != "*" && step != place[i] {
				match = false
				break
			}
		}
		if match {
			return true
		}
	}
	return false
}

// bookkeeping attributes of states are the provider's and never count as proposed.
func bookkeeping(depth int, attribute string) bool {
	if depth > 0 {
		return false
	}
	switch attribute {
	case "Handle", "DescriptorHandle", "StateVersion", "DescriptorVersion":
		return true
	}
	return false
}

func firstChange(have, want *etree.Element, place []string, paths [][]string) string {
	for _, a := range want.Attr {
		if a.Space == "xmlns" || a.Space == "xsi" || bookkeeping(len(place), a.Key) {
			continue
		}
		at := append(place[:len(place):len(place)], a.Key)
		if covered(at, paths) {
			continue
		}
		if !sameAttribute(have.SelectAttr(a.Key), a) {
			return "@" + strings.Join(at, "/")
		}
	}
	if len(want.ChildElements()) == 0 && want.Text() != have.Text() && !covered(place, paths) {
		return strings.Join(place, "/")
	}
	used := map[string]int{}
	for _, child := range want.ChildElements() {
		at := append(place[:len(place):len(place)], child.Tag)
		n := used[child.Tag]
		used[child.Tag]++
		if covered(at, paths) {
			continue
		}
		old := nth(have, child.Tag, n)
		if old == nil {
			return strings.Join(at, "/")
		}
		if path := firstChange(old, child, at, paths); path != "" {
			return path
		}
	}
	return ""
}

func nth(parent *etree.Element, tag string, n int) *etree.Element {
	for _, c := range parent.ChildElements() {
		if c.Tag != tag {
			continue
		}
		if n == 0 {
			return c
		}
		n--
	}
	return nil
}

// sameAttribute tells whether a proposed attribute says what the state says: the same text, the same number, or the implied value of one that is
// absent. Peers are known to write implied values out.
func sameAttribute(have *etree.Attr, want etree.Attr) bool {
	if have == nil {
		return implied(want.Key, want.Value)
	}
	if have.Value == want.Value {
		return true
	}
	if want.Key == "Code" {
		return false // codes are texts that may look like numbers
	}
	a, err := pm.ParseDecimal(have.Value)
	if err != nil {
		return false
	}
	b, err := pm.ParseDecimal(want.Value)
	return err == nil && a.Cmp(b) == 0
}

// implied tells whether a value is the one the schema implies for an absent attribute of a state or what is in it. Names stand for the same thing
// wherever they occur, Presence excepted: a flag of conditions, an enumeration of signals.
func implied(attribute, value string) bool {
	switch attribute {
	case "ActivationState":
		return value == string(pm.ComponentActivationOn)
	case "Presence":
		return value == string(pm.AlertSignalPresenceOff) || value == "false" || value == "0"
	case "Location":
		return value == string(pm.AlertSignalPrimaryLocationLoc)
	case "ContextAssociation":
		return value == string(pm.ContextAssociationNo)
	case "OperatingMode":
		return value == string(pm.MdsOperatingModeNml)
	case "Lang":
		return value == "en"
	case "CriticalUse":
		return value == "false" || value == "0"
	case "Mode":
		return value == "Real"
	case "Qi":
		d, err := pm.ParseDecimal(value)
		return err == nil && d.Cmp(pm.MustDecimal("1")) == 0
	case "Type":
		return value == string(pm.CalibrationTypeUnspec)
	case "CodingSystem":
		return value == pm.DefaultCodingSystem
	}
	return false
}
