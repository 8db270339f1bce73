package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/testkit/reftest"
)

// The structs are the schema, so they are held against it here: every type, every attribute and
// element, their order, occurrence and type, and every enumeration value, in both directions.
func TestStructsFollowTheSchemas(t *testing.T) {
	msgModel, err := load("../../mdib/msg")
	require.NoError(t, err)
	pmModel := msgModel.imported
	dir := filepath.Join(reftest.Dir(t), "schemas")
	c := &checker{t: t, groups: map[string]*etree.Element{}, seen: map[*typeDecl]bool{}}
	pmRoot := c.read(filepath.Join(dir, "BICEPS_ParticipantModel.xsd"))
	msgRoot := c.read(filepath.Join(dir, "BICEPS_MessageModel.xsd"))
	c.models = map[string]*model{"pm": pmModel, "msg": msgModel}
	c.schema(pmModel, pmRoot)
	c.schema(msgModel, msgRoot)
	for _, m := range []*model{pmModel, msgModel} {
		for _, n := range m.names {
			d := m.types[n]
			if d.kind == kindStruct && !c.seen[d] && d.name != "MdibVersionGroup" && d.name != "ContainmentTreeInfo" {
				t.Errorf("%s.%s is in no schema", m.pkg, n)
			}
			if d.kind == kindEnum && !c.seen[d] {
				t.Errorf("enumeration %s.%s is in no schema", m.pkg, n)
			}
		}
	}
}

type checker struct {
	t      *testing.T
	models map[string]*model
	m      *model
	groups map[string]*etree.Element
	seen   map[*typeDecl]bool
}

func (c *checker) read(path string) *etree.Element {
	b, err := os.ReadFile(path)
	require.NoError(c.t, err)
	doc := etree.NewDocument()
	require.NoError(c.t, doc.ReadFromBytes(b))
	for _, g := range doc.Root().SelectElements("attributeGroup") {
		c.groups[g.SelectAttrValue("name", "")] = g
	}
	return doc.Root()
}

func (c *checker) schema(m *model, root *etree.Element) {
	c.m = m
	for _, e := range root.ChildElements() {
		name := e.SelectAttrValue("name", "")
		switch e.Tag {
		case "complexType":
			c.complex(name, m.types[name], e)
		case "element":
			c.complex(name, m.types[name], e.SelectElement("complexType"))
		case "simpleType":
			if values := enumeration(e); values != nil {
				c.enum(name, m.types[name], values)
			}
		}
	}
}

func enumeration(simple *etree.Element) []string {
	var out []string
	if r := simple.SelectElement("restriction"); r != nil {
		for _, v := range r.SelectElements("enumeration") {
			out = append(out, v.SelectAttrValue("value", ""))
		}
	}
	return out
}

func (c *checker) enum(where string, d *typeDecl, values []string) {
	if d == nil || d.kind != kindEnum {
		c.t.Errorf("%s: no enumeration type", where)
		return
	}
	c.seen[d] = true
	var have []string
	for _, v := range d.values {
		have = append(have, v.text)
		want := d.name + strings.ToUpper(v.text[:1]) + v.text[1:]
		if v.konst != want {
			c.t.Errorf("constant %s should be %s", v.konst, want)
		}
	}
	slices.Sort(have)
	values = slices.Clone(values)
	slices.Sort(values)
	if !slices.Equal(have, values) {
		c.t.Errorf("%s: values %v, schema has %v", where, have, values)
	}
}

// complex compares a type's own attributes and elements, and its base.
func (c *checker) complex(where string, d *typeDecl, ct *etree.Element) {
	if d == nil || d.kind != kindStruct {
		c.t.Errorf("%s: no struct", where)
		return
	}
	c.seen[d] = true
	body, base := ct, ""
	for _, k := range []string{"complexContent", "simpleContent"} {
		if x := ct.SelectElement(k); x != nil {
			body = x.SelectElement("extension")
			if k == "complexContent" {
				base = body.SelectAttrValue("base", "")
			}
		}
	}
	fields := d.fields
	var have string
	for _, b := range d.bases {
		if b.name == "MdibVersionGroup" || b.name == "ContainmentTreeInfo" {
			fields = append(slices.Clone(b.fields), fields...) // attribute groups are embedded structs
		} else {
			have = b.m.prefix + ":" + b.name
		}
	}
	if have != base {
		c.t.Errorf("%s: base %q, schema has %q", where, have, base)
	}
	c.attributes(where, fields, body)
	var want []*etree.Element
	c.sequence(body, &want)
	var elems []field
	for _, f := range fields {
		if f.where == element {
			elems = append(elems, f)
		}
	}
	if len(elems) != len(want) {
		c.t.Errorf("%s: %d elements, schema has %d", where, len(elems), len(want))
		return
	}
	for i, e := range want {
		f := elems[i]
		at := where + "/" + f.xml
		if ref := e.SelectAttrValue("ref", ""); ref != "" {
			if ref != "ext:Extension" || !f.ext || f.occ != '?' {
				c.t.Errorf("%s: schema has %s", at, ref)
			}
			continue
		}
		if name := e.SelectAttrValue("name", ""); name != f.xml {
			c.t.Errorf("%s: schema has %s here", at, name)
			continue
		}
		occ := map[string]byte{"1 1": '1', "0 1": '?', "0 unbounded": '*', "1 unbounded": '+'}[e.SelectAttrValue("minOccurs", "1")+" "+e.SelectAttrValue("maxOccurs", "1")]
		if occ != f.occ {
			c.t.Errorf("%s: occurs %c, schema says %c", at, f.occ, occ)
		}
		if anon := e.SelectElement("complexType"); anon != nil {
			c.complex(at, f.typ.decl, anon)
			continue
		}
		c.typ(at, f, e)
	}
}

// sequence collects the elements of nested sequences.
func (c *checker) sequence(body *etree.Element, out *[]*etree.Element) {
	for _, e := range body.ChildElements() {
		switch e.Tag {
		case "sequence":
			c.sequence(e, out)
		case "element":
			*out = append(*out, e)
		case "choice", "all", "any", "group":
			c.t.Errorf("schema construct %s is not expected", e.Tag)
		}
	}
}

func (c *checker) attributes(where string, fields []field, body *etree.Element) {
	want := map[string]*etree.Element{}
	var collect func(e *etree.Element)
	collect = func(e *etree.Element) {
		for _, a := range e.SelectElements("attribute") {
			want[a.SelectAttrValue("name", "")] = a
		}
		for _, g := range e.SelectElements("attributeGroup") {
			_, name, _ := strings.Cut(g.SelectAttrValue("ref", ""), ":")
			collect(c.groups[name])
		}
	}
	collect(body)
	for _, f := range fields {
		if f.where != attribute {
			continue
		}
		at := where + "/@" + f.xml
		a := want[f.xml]
		if a == nil {
			c.t.Errorf("%s: not in the schema", at)
			continue
		}
		delete(want, f.xml)
		occ := byte('?')
		if a.SelectAttrValue("use", "") == "required" {
			occ = '1'
		}
		if occ != f.occ {
			c.t.Errorf("%s: occurs %c, schema says %c", at, f.occ, occ)
		}
		c.typ(at, f, a)
	}
	for name := range want {
		c.t.Errorf("%s/@%s: missing", where, name)
	}
}

// typ compares the type of a field with that of a schema attribute or element.
func (c *checker) typ(at string, f field, e *etree.Element) {
	want := e.SelectAttrValue("type", "")
	if simple := e.SelectElement("simpleType"); simple != nil {
		if values := enumeration(simple); values != nil {
			if base := simple.SelectElement("restriction").SelectAttrValue("base", ""); base != "xsd:string" {
				allowed := strings.Split(f.extra, "|")
				slices.Sort(allowed)
				slices.Sort(values)
				if !slices.Equal(allowed, values) || base != c.m.prefix+":"+f.typ.name {
					c.t.Errorf("%s: %s narrowed to %v, schema says %s narrowed to %v", at, f.typ.name, allowed, base, values)
				}
				return
			}
			c.enum(at, f.typ.decl, values)
			return
		}
		switch {
		case simple.SelectElement("union") != nil:
			want = "union"
		default:
			want = "nonempty " + simple.SelectElement("restriction").SelectAttrValue("base", "")
		}
	}
	var ok bool
	switch want {
	case "xsd:string", "xsd:anySimpleType", "pm:TimeZone":
		ok = f.typ.name == "string" || f.typ.name == "TimeZone"
	case "nonempty xsd:string", "pm:Handle", "pm:HandleRef", "pm:CodeIdentifier", "pm:SymbolicCodeName", "pm:LocalizedTextRef":
		_, name, _ := strings.Cut(want, ":")
		ok = f.typ.name == name || f.typ.name == "NonEmpty"
	case "nonempty xsd:anyURI":
		ok = f.typ.name == "NonEmptyURI"
	case "xsd:anyURI":
		ok = f.typ.name == "AnyURI"
	case "xsd:language":
		ok = f.typ.name == "Language"
	case "xsd:boolean":
		ok = f.typ.name == "bool"
	case "xsd:decimal":
		ok = f.typ.name == "Decimal" && f.extra == ""
	case "pm:QualityIndicator":
		ok = f.typ.name == "Decimal" && f.extra == "0..1"
	case "pm:RealTimeValueType":
		ok = f.typ.name == "Samples"
	case "xsd:duration":
		ok = f.typ.name == "Duration"
	case "xsd:dateTime":
		ok = f.typ.name == "DateTime"
	case "union":
		ok = f.typ.name == "DateOfBirth"
	case "xsd:QName":
		ok = f.typ.name == "QName"
	case "xsd:int":
		ok = f.typ.name == "int32"
	case "xsd:long", "xsd:integer":
		ok = f.typ.name == "int64"
	case "xsd:unsignedInt", "msg:TransactionId":
		ok = f.typ.name == "uint32"
	case "xsd:unsignedLong", "pm:VersionCounter", "pm:ReferencedVersion":
		ok = f.typ.name == "uint64"
	case "pm:Timestamp":
		ok = f.typ.name == "Timestamp"
	case "pm:AlertConditionReference", "pm:EntryRef", "pm:OperationRef":
		ok = f.typ.name == "HandleRef" && f.typ.list
	default:
		prefix, name, _ := strings.Cut(want, ":")
		m := c.models[prefix]
		if m == nil || m.types[name] == nil {
			break
		}
		w, have := m.types[name], f.typ.decl
		if have == nil {
			break
		}
		switch {
		case have.kind == kindInterface:
			ok = have.base == w
		case have == w:
			ok = have.kind != kindStruct || !w.abstract() && (!c.derived(w) || knownPlain(w.name))
		}
	}
	if !ok {
		c.t.Errorf("%s: field type %s, schema type %s", at, describe(f.typ), want)
	}
}

// derived reports whether a named type other than an abstract one is derived from d.
func (c *checker) derived(d *typeDecl) bool {
	for _, m := range c.models {
		for _, n := range m.names {
			if t := m.types[n]; t.kind == kindStruct && t != d && t.is(d) && !t.abstract() {
				return true
			}
		}
	}
	return false
}

// knownPlain lists the types that have derived types but stand only for themselves: the schema allows a
// PersonParticipation for a PersonReference by xsi:type and so on, which the decoder refuses by name. What is
// derived from an InstanceIdentifier has nothing to lose and is read as one.
func knownPlain(name string) bool {
	switch name {
	case "InstanceIdentifier", "BaseDemographics", "PersonReference", "OrderDetail":
		return true
	}
	return false
}

func describe(r typeRef) string { return fmt.Sprintf("%+v", r.name) }
