package main

import "slices"

// flaws writes, for each type that can hold one, the method that finds what the schema does not allow though Go does: a value that an
// enumeration does not have, and something required that is not there.
func (g *gen) flaws() {
	if g.m.pkg != "pm" {
		return // messages are made of these, and what is in extensions is their maker's affair
	}
	g.structs(func(t *typeDecl) {
		if t.rootOf() == nil && !t.flawed(nil) {
			return
		}
		g.p("func (v *%s) flaw() string {", t.name)
		for _, b := range t.bases {
			if b.flawed(nil) {
				g.p("if f := v.%s.flaw(); f != %q {", b.name, "")
				g.p("return f")
				g.p("}")
			}
		}
		for _, f := range t.fields {
			g.flaw(f)
		}
		g.p("return %q", "")
		g.p("}")
		g.p("")
	})
}

// flaw writes the check of one field.
func (g *gen) flaw(f field) {
	x, d := "v."+f.name, f.typ.decl
	if f.needed() {
		g.p("if %s == nil {", x)
		g.p("return %q", f.name+" is missing")
		g.p("}")
	}
	if d == nil || !f.typ.checked(nil) {
		return
	}
	one := x
	if f.typ.list {
		g.p("for i := range %s {", x)
		one = x + "[i]"
	}
	switch {
	case d.kind == kindEnum && (f.occ == '?' && !f.typ.list):
		g.p("if %s != %q && !%s.Valid() {", one, "", one)
		g.p("return codec.Flaw(%q, string(%s))", f.name, one)
		g.p("}")
	case d.kind == kindEnum:
		g.p("if !%s.Valid() {", one)
		g.p("return codec.Flaw(%q, string(%s))", f.name, one)
		g.p("}")
	default:
		maybe := (f.typ.ptr || d.kind == kindInterface) && !f.needed()
		if maybe {
			g.p("if %s != nil {", one)
		}
		g.p("if f := %s.flaw(); f != %q {", one, "")
		g.p("return codec.FlawIn(%q, f)", f.name)
		g.p("}")
		if maybe {
			g.p("}")
		}
	}
	if f.typ.list {
		g.p("}")
	}
}

// needed tells whether the schema requires what is behind a pointer or an interface.
func (f field) needed() bool {
	return f.occ == '1' && !f.typ.list && (f.typ.ptr || f.typ.decl != nil && f.typ.decl.kind == kindInterface)
}

// flawed tells whether a value of the type can hold what the schema does not allow. Types within looks are not followed again.
func (t *typeDecl) flawed(looks []*typeDecl) bool {
	if slices.Contains(looks, t) {
		return false
	}
	looks = append(looks, t)
	for _, b := range t.bases {
		if b.flawed(looks) {
			return true
		}
	}
	for _, f := range t.fields {
		if f.needed() || f.typ.checked(looks) {
			return true
		}
	}
	return false
}

func (r typeRef) checked(looks []*typeDecl) bool {
	switch {
	case r.decl == nil || r.opt:
		return false
	case r.decl.kind == kindEnum:
		return len(r.decl.values) > 0
	case r.decl.kind == kindInterface:
		return true
	}
	return r.decl.kind == kindStruct && r.decl.flawed(looks)
}
