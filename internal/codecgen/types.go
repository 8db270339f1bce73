package main

// types writes what ties concrete types to their interfaces: names, seals, and in package msg the way from
// body name to message.
func (g *gen) types() {
	g.structs(func(t *typeDecl) {
		if r := t.rootOf(); r != nil {
			g.p("func (v *%s) is%s() {}", t.name, r.name)
			g.p("func (v *%s) clone%s() %s { return v.Clone() }", t.name, r.name, r.name)
			g.p("func (v *%s) shallow%s() %s { c := *v; return &c }", t.name, r.name, r.name)
			g.p("func (v *%s) equal%s(o %s) bool {", t.name, r.name, r.name)
			g.p("x, ok := o.(*%s)", t.name)
			g.p("return ok && (v == x || v.Equal(x))")
			g.p("}")
			g.p("")
			g.p("// XSIType returns %q.", g.m.prefix+":"+t.name)
			g.p("func (v *%s) XSIType() string { return %q }", t.name, g.m.prefix+":"+t.name)
			g.p("")
			g.p("// TypeName returns the name of the schema type.")
			g.p("func (v *%s) TypeName() QName { return QName{Space: %s, Local: %q} }", t.name, g.m.nsConst, t.name)
			g.p("")
		}
		if t.message() {
			g.p("func (v *%s) isMessage() {}", t.name)
			g.p("func (v *%s) cloneMessage() Message { return v.Clone() }", t.name)
			g.p("func (v *%s) equalMessage(o Message) bool {", t.name)
			g.p("x, ok := o.(*%s)", t.name)
			g.p("return ok && (v == x || v.Equal(x))")
			g.p("}")
			g.p("")
			g.p("// BodyName returns the name of the message's element.")
			g.p("func (v *%s) BodyName() xmlscan.Name { return xmlscan.Name{Space: %s, Local: %q} }", t.name, g.m.nsConst, t.name)
			g.p("")
		}
	})
	if g.m.pkg != "msg" {
		return
	}
	g.p("// decodable is a message with its decoder.")
	g.p("type decodable interface {")
	g.p("Message")
	g.p("decode(d *codec.Decoder, typed bool) error")
	g.p("}")
	g.p("")
	g.p("// newMessage returns an empty message of the given local name, nil if there is none.")
	g.p("func newMessage(local string) decodable {")
	g.p("switch local {")
	g.structs(func(t *typeDecl) {
		if t.message() {
			g.p("case %q:", t.name)
			g.p("return new(%s)", t.name)
		}
	})
	g.p("}")
	g.p("return nil")
	g.p("}")
}
