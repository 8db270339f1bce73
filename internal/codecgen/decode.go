package main

import (
	"fmt"
	"strconv"
	"strings"
)

// decode writes DecodeElement for every struct, Decode<Interface> for every interface, and the parsers
// of enumerations.
func (g *gen) decode() {
	g.slots()
	for _, n := range g.m.names {
		t := g.m.types[n]
		switch {
		case t.alias != nil:
		case t.kind == kindEnum && len(t.values) > 0:
			g.parser(t, t.name, t.values)
		case t.kind == kindStruct:
			for _, f := range t.fields {
				if f.typ.decl != nil && f.typ.decl.kind == kindEnum && f.extra != "" {
					g.narrowed(t, f)
				}
			}
			if !t.abstract() {
				g.decodeStruct(t)
			}
		case t.kind == kindInterface && t.base != nil:
			g.decodeInterface(t)
		}
	}
}

// slots numbers what the decoder of package pm allocates several of at a time. The other packages use new.
func (g *gen) slots() {
	if g.m.pkg != "pm" {
		return
	}
	g.p("// One slot for each type the decoder allocates.")
	g.p("const (")
	g.p("slotDecimal = iota")
	g.structs(func(t *typeDecl) {
		if !t.abstract() {
			g.p("slot%s", t.name)
		}
	})
	g.p(")")
	g.p("")
}

// fresh returns the expression that makes an empty t.
func (g *gen) fresh(t *typeDecl) string {
	if g.m.pkg != "pm" {
		return "new(" + typeRef{name: t.name, decl: t}.goName(g.m) + ")"
	}
	return "codec.Make[" + t.name + "](d, slot" + t.name + ")"
}

// parser writes the function that reads one of the values.
func (g *gen) parser(t *typeDecl, suffix string, values []enumValue) {
	g.p("func parse%s(b []byte) (%s, error) {", suffix, t.name)
	g.p("switch string(b) {")
	for _, v := range values {
		g.p("case %q:", v.text)
		g.p("return %s, nil", v.konst)
	}
	g.p("}")
	g.p("return \"\", codec.Quote(codec.ErrEnum, b)")
	g.p("}")
	g.p("")
}

// narrowed writes the parser of a field that allows fewer values than its type.
func (g *gen) narrowed(t *typeDecl, f field) {
	var values []enumValue
	for _, w := range strings.Split(f.extra, "|") {
		for _, v := range f.typ.decl.values {
			if v.text == w {
				values = append(values, v)
			}
		}
	}
	g.parser(f.typ.decl, t.name+f.name, values)
}

func (g *gen) decodeInterface(t *typeDecl) {
	g.p("// Decode%s reads the element whose start tag the decoder stands on as the type its xsi:type names.", t.name)
	g.p("func Decode%s(d *codec.Decoder) (%s, error) {", t.name, t.name)
	g.p("t, ok, err := d.S.XsiType()")
	g.p("if err != nil {")
	g.p("return nil, err")
	g.p("}")
	declared := g.m.prefix + ":" + t.base.name
	g.p("if !ok {")
	if t.base.abstract() {
		g.p("return nil, d.NoType(%q)", declared)
	} else {
		g.p("t = QName{Space: %s, Local: %q}", g.m.nsConst, t.base.name)
	}
	g.p("}")
	g.p("if t.Space == %s {", g.m.nsConst)
	g.p("switch t.Local {")
	for _, c := range t.members() {
		g.p("case %q:", c.name)
		g.p("v := %s", g.allocate(c))
		g.p("return v, v.decode(d, true)")
	}
	g.p("}")
	g.p("}")
	g.p("return nil, d.UnknownType(t, %q)", declared)
	g.p("}")
	g.p("")
}

// together returns the field whose structure is read into the allocation of t itself, nil if there is none.
func (t *typeDecl) together() *field {
	for _, f := range t.flat() {
		if f.extra == "together" {
			return &f
		}
	}
	return nil
}

// allocate returns the expression that makes an empty t to decode into.
func (g *gen) allocate(t *typeDecl) string {
	if t.together() != nil {
		return "alloc" + t.name + "(d)"
	}
	return g.fresh(t)
}

func (g *gen) decodeStruct(t *typeDecl) {
	if f := t.together(); f != nil {
		g.p("// alloc%s makes room for a state and its %s at once; decode takes the room if the element is there.", t.name, f.name)
		g.p("func alloc%s(d *codec.Decoder) *%s {", t.name, t.name)
		g.p("type both struct {")
		g.p("v    %s", t.name)
		g.p("room %s", f.typ.goName(g.m))
		g.p("}")
		g.p("x := codec.Make[both](d, slot%s)", t.name)
		g.p("x.v.%s = &x.room", f.name)
		g.p("return &x.v")
		g.p("}")
		g.p("")
		g.p("// Decode%s reads the element whose start tag the decoder stands on.", t.name)
		g.p("func Decode%s(d *codec.Decoder) (*%s, error) {", t.name, t.name)
		g.p("v := alloc%s(d)", t.name)
		g.p("return v, v.decode(d, false)")
		g.p("}")
		g.p("")
	}
	fields := t.flat()
	var attrs, elems []field
	simple := ""
	for _, f := range fields {
		switch f.where {
		case attribute:
			attrs = append(attrs, f)
		case element:
			elems = append(elems, f)
		case text:
			simple = f.name
		}
	}
	if !t.message() {
		g.p("// DecodeElement reads the element whose start tag the decoder stands on.")
		g.p("func (v *%s) DecodeElement(d *codec.Decoder) error { return v.decode(d, false) }", t.name)
		g.p("")
	}
	g.p("func (v *%s) decode(d *codec.Decoder, typed bool) (err error) {", t.name)
	g.p("s := d.S")
	if f := t.together(); f != nil {
		g.p("room := v.%s", f.name)
		g.p("v.%s = nil", f.name)
	}
	required := bits(attrs)
	if required != nil {
		g.p("var seen uint64")
	}
	g.p("for i, attrs := 0, s.Attrs(); i < len(attrs); i++ {")
	g.p("a := &attrs[i]")
	g.p("if a.Space() != \"\" {")
	names := strconv.Quote(t.name)
	for _, same := range t.renamed() {
		names += ", " + strconv.Quote(same.name)
	}
	g.p("if err = d.ForeignAttr(a, typed, %s, %s); err != nil {", g.m.nsConst, names)
	g.p("return err")
	g.p("}")
	g.p("continue")
	g.p("}")
	if len(attrs) == 0 {
		g.p("return d.UnknownAttr(a)")
	} else {
		g.p("switch a.Local() {")
		for i, f := range attrs {
			g.p("case %q:", f.xml)
			g.parse(t, f, "a.Bytes()")
			if f.occ == '1' {
				g.p("seen |= 1 << %d", bit(attrs, i))
			}
		}
		g.p("default:")
		g.p("return d.UnknownAttr(a)")
		g.p("}")
		g.p("if err != nil {")
		g.p("return d.Attr(a, err)")
		g.p("}")
	}
	g.p("}")
	if required != nil {
		g.p("if seen != 1<<%d-1 {", len(required))
		g.p("return d.MissingAttr(seen, %s)", quoted(required))
		g.p("}")
	}
	switch {
	case simple != "":
		g.p("b, err := s.TextBytes()")
		g.p("if err != nil {")
		g.p("return err")
		g.p("}")
		g.p("v.%s = s.Intern(b)", simple)
		g.p("return nil")
	case len(elems) == 0:
		g.p("return d.NoChildren()")
	default:
		g.decodeChildren(t, elems)
	}
	g.p("}")
	g.p("")
}

func (g *gen) decodeChildren(t *typeDecl, elems []field) {
	required := bits(elems)
	if required != nil {
		g.p("var got uint64")
	}
	g.p("pos := 0")
	g.p("for s.Child() {")
	g.p("n := s.Name()")
	own := 0
	ext := -1
	for i, f := range elems {
		if f.ext {
			ext = i
		} else {
			own++
		}
	}
	g.p("switch n.Space {")
	if own > 0 {
		g.p("case %s:", g.m.nsConst)
		g.p("switch n.Local {")
		for i, f := range elems {
			if f.ext {
				continue
			}
			g.p("case %q:", f.xml)
			g.place(f, i)
			if f.occ == '1' || f.occ == '+' {
				g.p("got |= 1 << %d", bit(elems, i))
			}
			g.decodeElem(t, f)
		}
		g.p("default:")
		g.p("return d.UnknownElem()")
		g.p("}")
	}
	if ext >= 0 {
		g.p("case xmlscan.NsExt:")
		g.p("if n.Local != \"Extension\" {")
		g.p("return d.UnknownElem()")
		g.p("}")
		g.place(elems[ext], ext)
		g.p("if err = v.%s.DecodeElement(d); err != nil {", elems[ext].name)
		g.p("return err")
		g.p("}")
	}
	g.p("default:")
	g.p("return d.UnknownElem()")
	g.p("}")
	g.p("}")
	if required != nil {
		g.p("if got != 1<<%d-1 {", len(required))
		g.p("return d.MissingElem(got, %s)", quoted(required))
		g.p("}")
	}
	g.p("return s.Err()")
}

// place checks that the element comes in order; index is its place in the sequence.
func (g *gen) place(f field, index int) {
	g.p("if pos > %d {", index)
	g.p("return d.Misplaced()")
	g.p("}")
	if f.occ == '*' || f.occ == '+' {
		g.p("pos = %d", index)
	} else {
		g.p("pos = %d", index+1)
	}
}

func (g *gen) decodeElem(t *typeDecl, f field) {
	d := f.typ.decl
	fail := func() {
		g.p("return err")
		g.p("}")
	}
	switch {
	case d != nil && d.kind == kindStruct:
		call := "decode(d, false)"
		if d.m != g.m {
			call = "DecodeElement(d)"
		}
		switch {
		case f.typ.list && f.typ.ptr && d.together() != nil:
			fn := "Decode" + d.name
			if d.m != g.m {
				fn = d.m.pkg + "." + fn
			}
			g.p("x, err := %s(d)", fn)
			g.p("if err != nil {")
			fail()
			g.p("v.%s = codec.Append(v.%s, x)", f.name, f.name)
		case f.typ.list && f.typ.ptr:
			g.p("x := %s", g.fresh(d))
			g.p("if err = x.%s; err != nil {", call)
			fail()
			g.p("v.%s = codec.Append(v.%s, x)", f.name, f.name)
		case f.typ.list:
			if g.m.pkg == "pm" {
				g.p("v.%s = codec.Extend(d, slot%s, v.%s)", f.name, d.name, f.name)
			} else {
				g.p("v.%s = append(v.%s, %s{})", f.name, f.name, f.typ.goName(g.m))
			}
			g.p("if err = v.%s[len(v.%s)-1].%s; err != nil {", f.name, f.name, call)
			fail()
		default:
			if f.extra == "together" {
				g.p("if room == nil {")
				g.p("room = %s", g.fresh(d))
				g.p("}")
				g.p("v.%s = room", f.name)
			} else if f.typ.ptr {
				g.p("v.%s = %s", f.name, g.fresh(d))
			}
			g.p("if err = v.%s.%s; err != nil {", f.name, call)
			fail()
		}
	case d != nil && d.kind == kindInterface:
		fn := "Decode" + d.name
		if d.m != g.m {
			fn = d.m.pkg + "." + fn
		}
		if f.typ.list {
			g.p("x, err := %s(d)", fn)
			g.p("if err != nil {")
			fail()
			g.p("v.%s = codec.Append(v.%s, x)", f.name, f.name)
		} else {
			g.p("if v.%s, err = %s(d); err != nil {", f.name, fn)
			fail()
		}
	default:
		g.p("b, err := d.Text()")
		g.p("if err != nil {")
		fail()
		if f.typ.list {
			one := f
			one.typ.list = false
			one.typ.opt = false
			g.p("x, err := %s", g.read(t, one, "b"))
			g.p("if err != nil {")
			g.p("return d.Elem(err)")
			g.p("}")
			g.p("v.%s = append(v.%s, x)", f.name, f.name)
			return
		}
		g.parse(t, f, "b")
		g.p("if err != nil {")
		g.p("return d.Elem(err)")
		g.p("}")
	}
}

// parse writes the statements that read a simple value from bytes into its field and leave err.
func (g *gen) parse(t *typeDecl, f field, src string) {
	some := "Some"
	if g.m.pkg != "pm" {
		some = "pm.Some"
	}
	selfRead := f.typ.name == "Decimal" || f.typ.name == "Timestamp"
	switch {
	case f.typ.name == "Samples":
		g.p("v.%s, err = decodeSamples(d, codec.Trim(%s))", f.name, src)
	case f.typ.opt && selfRead:
		g.p("var x %s", f.typ.goName(g.m))
		g.p("err = x.UnmarshalText(codec.Trim(%s))", src)
		g.p("v.%s = %s(x)", f.name, some)
		if f.extra == "0..1" {
			g.p("if err == nil && !unitInterval(x) {")
			g.p("err = codec.Quote(codec.ErrRange, %s)", src)
			g.p("}")
		}
	case selfRead:
		g.p("err = v.%s.UnmarshalText(codec.Trim(%s))", f.name, src)
	case f.typ.opt:
		g.p("var x %s", f.typ.goName(g.m))
		g.p("x, err = %s", g.read(t, f, src))
		g.p("v.%s = %s(x)", f.name, some)
	default:
		g.p("v.%s, err = %s", f.name, g.read(t, f, src))
	}
}

// read returns the expression that reads a simple value: (value, error).
func (g *gen) read(t *typeDecl, f field, src string) string {
	r := f.typ
	call := func(method string) string { return fmt.Sprintf("d.%s(%s)", method, src) }
	switch {
	case f.where == attribute && r.list:
		return call("Strings")
	case r.decl == nil:
		return call(strings.ToUpper(r.name[:1]) + r.name[1:])
	case r.decl.kind == kindText:
		switch r.name {
		case "AnyURI":
			return call("Token")
		case "NonEmptyURI":
			return call("NonEmptyToken")
		case "Language":
			return call("Language")
		case "TimeZone":
			return call("String")
		}
		return call("NonEmpty")
	case r.decl.kind == kindEnum:
		switch {
		case f.extra != "":
			return fmt.Sprintf("parse%s%s(%s)", g.owner(t, f).name, f.name, src)
		case r.decl.m != g.m:
			return fmt.Sprintf("codec.Enum[%s](d, %s)", r.goName(g.m), src)
		}
		return fmt.Sprintf("parse%s(%s)", r.name, src)
	case r.name == "QName":
		return call("QName")
	}
	parse := "Parse" + r.name
	if r.decl.m != g.m {
		parse = r.decl.m.pkg + "." + parse
	}
	return fmt.Sprintf("%s(d.S.Intern(codec.Trim(%s)))", parse, src)
}

// owner returns the struct that declares the field, t or one of its bases.
func (g *gen) owner(t *typeDecl, f field) *typeDecl {
	for _, o := range t.fields {
		if o.name == f.name && o.xml == f.xml {
			return t
		}
	}
	for _, b := range t.bases {
		if o := g.owner(b, f); o != nil {
			return o
		}
	}
	return nil
}

// bits returns the names of the required fields; the position is the bit.
func bits(fields []field) []string {
	var out []string
	for _, f := range fields {
		if f.occ == '1' || f.occ == '+' {
			out = append(out, f.xml)
		}
	}
	return out
}

// bit returns the bit of the required field at index i.
func bit(fields []field, i int) int { return len(bits(fields[:i])) }

func quoted(names []string) string {
	q := make([]string, len(names))
	for i, n := range names {
		q[i] = fmt.Sprintf("%q", n)
	}
	return strings.Join(q, ", ")
}
