package main

import "fmt"

// append writes AppendElement for every struct, and AppendXML for messages.
func (g *gen) append() {
	if g.m.pkg == "msg" {
		g.p("// declarations are the prefixes every message declares.")
		g.p("const declarations = ` xmlns:msg=\"` + xmlscan.NsMsg + `\" xmlns:pm=\"` + xmlscan.NsPM + `\" xmlns:ext=\"` + xmlscan.NsExt + `\" xmlns:xsi=\"` + xmlscan.NsXSI + `\"`")
		g.p("")
	}
	g.structs(func(t *typeDecl) {
		if t.abstract() {
			return
		}
		fields := t.flat()
		if t.message() {
			g.p("// AppendXML appends the message with the prefixes it uses declared.")
			g.p("func (v *%s) AppendXML(b []byte) []byte {", t.name)
			g.p("b = append(b, \"<msg:%s\"+declarations...)", t.name)
		} else {
			g.p("// AppendElement appends v as an element of the given prefixed name, with xsi:type unless xsiType is \"\".")
			g.p("// The prefixes %s, ext and xsi must be bound.", prefixes(g.m))
			g.p("func (v *%s) AppendElement(b []byte, name, xsiType string) []byte {", t.name)
			g.p("b = codec.Open(b, name, xsiType)")
		}
		content := false
		for _, f := range fields {
			switch f.where {
			case attribute:
				g.appendAttr(f)
			default:
				content = true
			}
		}
		closing := "name"
		if t.message() {
			closing = fmt.Sprintf("%q", "msg:"+t.name)
		}
		switch {
		case !content:
			g.p("return append(b, '/', '>')")
		default:
			g.p("b = append(b, '>')")
			g.p("mark := len(b)")
			for _, f := range fields {
				switch f.where {
				case element:
					g.appendElem(f)
				case text:
					g.p("b = xmlscan.AppendText(b, v.%s)", f.name)
				}
			}
			g.p("return codec.Close(b, mark, %s)", closing)
		}
		g.p("}")
		g.p("")
	})
}

func prefixes(m *model) string {
	if m.pkg == "pm" {
		return "pm"
	}
	return m.prefix + ", pm"
}

// present returns the condition that an optional value is there, and the statement that binds x to it, both
// maybe "".
func present(f field) (cond, bind, x string) {
	v := "v." + f.name
	r := f.typ
	switch {
	case r.opt:
		return "", "if x, ok := " + v + ".Get(); ok", "x"
	case f.occ == '1':
		return "", "", v
	case r.list || r.name == "Samples":
		return "len(" + v + ") > 0", "", v
	case r.ptr || r.decl != nil && r.decl.kind == kindInterface:
		return v + " != nil", "", v
	case r.decl != nil && (r.decl.kind == kindEnum || r.decl.kind == kindText), r.name == "string":
		return v + ` != ""`, "", v
	case r.name == "bool":
		return v, "", v
	case r.name == "uint64":
		return v + " != 0", "", v
	}
	panic("no way to tell whether " + f.name + " is present")
}

// scalar returns the statement that appends x, escaped for an attribute or for text.
func scalar(r typeRef, x string, attr bool) string {
	escape := "xmlscan.AppendText"
	if attr {
		escape = "xmlscan.AppendEscapedAttr"
	}
	switch {
	case r.name == "string", r.decl != nil && r.decl.kind == kindText:
		return fmt.Sprintf("b = %s(b, %s)", escape, x)
	case r.decl != nil && r.decl.kind == kindEnum:
		return fmt.Sprintf("b = %s(b, string(%s))", escape, x)
	case r.decl != nil && r.decl.kind == kindScalar:
		return fmt.Sprintf("b, _ = %s.AppendText(b)", x)
	case r.name == "uint64":
		return fmt.Sprintf("b = strconv.AppendUint(b, %s, 10)", x)
	case r.name == "uint32":
		return fmt.Sprintf("b = strconv.AppendUint(b, uint64(%s), 10)", x)
	case r.name == "int64":
		return fmt.Sprintf("b = strconv.AppendInt(b, %s, 10)", x)
	case r.name == "int32":
		return fmt.Sprintf("b = strconv.AppendInt(b, int64(%s), 10)", x)
	case r.name == "bool":
		return fmt.Sprintf("b = strconv.AppendBool(b, %s)", x)
	}
	panic("no way to write " + r.name)
}

func (g *gen) appendAttr(f field) {
	cond, bind, x := present(f)
	if bind != "" {
		g.p("%s {", bind)
	} else if cond != "" {
		g.p("if %s {", cond)
	}
	switch {
	case f.typ.name == "QName":
		g.p("b = codec.AppendQNameAttr(b, %q, %s)", f.xml, x)
	case f.typ.name == "bool" && f.occ == '?' && !f.typ.opt:
		g.p("b = append(b, ` %s=\"true\"`...)", f.xml)
	default:
		g.p("b = append(b, ` %s=\"`...)", f.xml)
		if f.typ.list {
			g.p("b = codec.AppendStrings(b, %s)", x)
		} else {
			g.p("%s", scalar(f.typ, x, true))
		}
		g.p("b = append(b, '\"')")
	}
	if bind != "" || cond != "" {
		g.p("}")
	}
}

func (g *gen) appendElem(f field) {
	if f.ext {
		g.p("b = v.%s.AppendElement(b)", f.name)
		return
	}
	name := g.element(f)
	if f.typ.list {
		d := f.typ.decl
		switch {
		case d != nil && d.kind == kindStruct && !f.typ.ptr:
			g.p("for i := range v.%s {", f.name)
			g.p("b = v.%s[i].AppendElement(b, %q, \"\")", f.name, name)
			g.p("}")
		case d != nil && (d.kind == kindStruct || d.kind == kindInterface):
			g.p("for _, x := range v.%s {", f.name)
			g.p("if x != nil {")
			g.child(f.typ, "x", name)
			g.p("}")
			g.p("}")
		default:
			g.p("for _, x := range v.%s {", f.name)
			g.child(f.typ, "x", name)
			g.p("}")
		}
		return
	}
	cond, bind, x := present(f)
	if f.occ == '1' && f.typ.decl != nil && f.typ.decl.kind == kindInterface {
		cond = x + " != nil"
	}
	if bind != "" {
		g.p("%s {", bind)
	} else if cond != "" {
		g.p("if %s {", cond)
	}
	g.child(f.typ, x, name)
	if bind != "" || cond != "" {
		g.p("}")
	}
}

// child appends one child element.
func (g *gen) child(r typeRef, x, name string) {
	switch {
	case r.decl != nil && r.decl.kind == kindStruct:
		g.p("b = %s.AppendElement(b, %q, \"\")", x, name)
	case r.decl != nil && r.decl.kind == kindInterface:
		if base := r.decl.base; !base.abstract() {
			g.p("b = %s.AppendElement(b, %q, codec.TypeUnless(%s.XSIType(), %q))", x, name, x, base.m.prefix+":"+base.name)
		} else {
			g.p("b = %s.AppendElement(b, %q, %s.XSIType())", x, name, x)
		}
	case r.name == "QName":
		g.p("b = codec.AppendQNameElem(b, %q, %s)", name, x)
	default:
		g.p("b = append(b, \"<%s>\"...)", name)
		g.p("%s", scalar(r, x, false))
		g.p("b = append(b, \"</%s>\"...)", name)
	}
}
