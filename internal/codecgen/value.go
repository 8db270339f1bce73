package main

// values writes Clone, Equal and, for enumerations, Valid.
func (g *gen) values() {
	for _, n := range g.m.names {
		t := g.m.types[n]
		if t.kind == kindEnum && len(t.values) > 0 {
			g.p("// Valid reports whether the value is one the schema knows.")
			g.p("func (e %s) Valid() bool {", t.name)
			g.p("switch e {")
			g.buf.WriteString("case ")
			for i, v := range t.values {
				if i > 0 {
					g.buf.WriteString(", ")
				}
				g.buf.WriteString(v.konst)
			}
			g.p(":")
			g.p("return true")
			g.p("}")
			g.p("return false")
			g.p("}")
			g.p("")
		}
	}
	g.structs(func(t *typeDecl) {
		if !t.abstract() {
			g.p("// Clone returns a deep copy that shares nothing with v; nil for nil.")
			g.p("func (v *%s) Clone() *%s {", t.name, t.name)
			g.p("if v == nil {")
			g.p("return nil")
			g.p("}")
			if f := t.together(); f != nil {
				g.p("if v.%s != nil { // a state and its value in one allocation", f.name)
				g.p("var both struct {")
				g.p("c    %s", t.name)
				g.p("room %s", f.typ.goName(g.m))
				g.p("}")
				g.p("both.c, both.room = *v, *v.%s", f.name)
				g.p("both.c.%s = nil", f.name)
				g.p("both.c.unshare()")
				if f.typ.decl.refers() {
					g.p("both.room.unshare()")
				}
				g.p("both.c.%s = &both.room", f.name)
				g.p("return &both.c")
				g.p("}")
			}
			g.p("c := *v")
			if t.refers() {
				g.p("c.unshare()")
			}
			g.p("return &c")
			g.p("}")
			g.p("")
		}
		if t.refers() {
			g.unshare(t)
		}
		g.p("// Equal reports whether v and o have the same content. An empty list equals no list.")
		g.p("func (v *%s) Equal(o *%s) bool {", t.name, t.name)
		if !t.refers() {
			g.p("return *v == *o")
		} else {
			g.equal(t)
		}
		g.p("}")
		g.p("")
	})
}

// refers reports whether copies of the type share memory.
func (t *typeDecl) refers() bool {
	for _, b := range t.bases {
		if b.refers() {
			return true
		}
	}
	for _, f := range t.fields {
		if f.typ.refers() {
			return true
		}
	}
	return false
}

func (r typeRef) refers() bool {
	switch {
	case r.ptr, r.list, r.name == "Samples", r.name == "Extension":
		return true
	case r.decl == nil:
		return false
	case r.decl.kind == kindInterface:
		return true
	case r.decl.kind == kindStruct:
		return r.decl.refers()
	}
	return false
}

// unshare writes the method that replaces everything shared by copies.
func (g *gen) unshare(t *typeDecl) {
	g.p("func (v *%s) unshare() {", t.name)
	for _, b := range t.bases {
		if b.refers() {
			g.p("v.%s.unshare()", b.name)
		}
	}
	for _, f := range t.fields {
		if !f.typ.refers() {
			continue
		}
		x := "v." + f.name
		d := f.typ.decl
		switch {
		case f.typ.name == "Extension":
			g.p("%s = %s.Clone()", x, x)
		case f.typ.name == "Samples", f.typ.list && (d == nil || d.kind != kindStruct && d.kind != kindInterface):
			g.p("%s = slices.Clone(%s)", x, x)
		case f.typ.list:
			g.p("%s = slices.Clone(%s)", x, x)
			if d.kind == kindStruct && !f.typ.ptr && !d.refers() {
				break
			}
			g.p("for i := range %s {", x)
			g.unshareOne(f.typ, x+"[i]")
			g.p("}")
		default:
			g.unshareOne(f.typ, x)
		}
	}
	g.p("}")
	g.p("")
}

func (g *gen) unshareOne(r typeRef, x string) {
	d := r.decl
	switch {
	case d.kind == kindInterface:
		g.p("if %s != nil {", x)
		g.p("%s = %sClone%s(%s).(%s)", x, g.qualifier(d), d.root, x, r.goName(g.m))
		g.p("}")
	case r.ptr:
		g.p("%s = %s.Clone()", x, x)
	case d.m == g.m:
		g.p("%s.unshare()", x)
	default:
		g.p("%s = *%s.Clone()", x, x)
	}
}

func (g *gen) qualifier(d *typeDecl) string {
	if d.m != g.m {
		return d.m.pkg + "."
	}
	return ""
}

func (g *gen) equal(t *typeDecl) {
	for _, b := range t.bases {
		g.p("if !v.%s.Equal(&o.%s) {", b.name, b.name)
		g.p("return false")
		g.p("}")
	}
	for _, f := range t.fields {
		x, y := "v."+f.name, "o."+f.name
		d := f.typ.decl
		structs := d != nil && d.kind == kindStruct
		switch {
		case f.typ.name == "Extension":
			g.p("if !%s.Equal(%s) {", x, y)
		case f.typ.name == "Samples", f.typ.list && !structs && (d == nil || d.kind != kindInterface):
			g.p("if !slices.Equal(%s, %s) {", x, y)
		case f.typ.list && structs && !f.typ.ptr:
			g.p("if !codec.EqualList(%s, %s, (*%s).Equal) {", x, y, f.typ.goName(g.m))
		case f.typ.list && structs:
			g.p("if !slices.EqualFunc(%s, %s, func(x, y *%s) bool { return %s }) {", x, y, f.typ.goName(g.m), equalPtr("x", "y"))
		case f.typ.list:
			g.p("if !slices.EqualFunc(%s, %s, func(x, y %s) bool { return %sEqual%s(x, y) }) {", x, y, f.typ.goName(g.m), g.qualifier(d), d.root)
		case d != nil && d.kind == kindInterface:
			g.p("if !%sEqual%s(%s, %s) {", g.qualifier(d), d.root, x, y)
		case f.typ.ptr:
			g.p("if !(%s) {", equalPtr(x, y))
		case structs:
			g.p("if !%s.Equal(&%s) {", x, y)
		default:
			g.p("if %s != %s {", x, y)
		}
		g.p("return false")
		g.p("}")
	}
	g.p("return true")
}

func equalPtr(x, y string) string {
	return x + " == " + y + " || " + x + " != nil && " + y + " != nil && " + x + ".Equal(" + y + ")"
}
