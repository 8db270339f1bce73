package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// model is what the generator knows of a package: its declarations, and those of the model package it imports.
type model struct {
	pkg      string // "pm", "msg" or "ext"
	prefix   string // of the package's namespace
	nsConst  string // constant of package xmlscan for the package's namespace
	types    map[string]*typeDecl
	names    []string // in order of declaration, files sorted by name
	imported *model   // pm, seen from msg
}

// typeDecl is one declared type.
type typeDecl struct {
	m       *model
	name    string
	kind    kind
	fields  []field     // of a struct, bases left out
	bases   []*typeDecl // embedded structs
	alias   *typeDecl   // of an alias to a type of the imported package
	values  []enumValue // of an enumeration
	base    *typeDecl   // of an interface: the struct its members share
	root    string      // of an interface: the interface its sealing methods are named after
	baseRef string
	embeds  []string
}

type kind int

const (
	kindStruct kind = iota
	kindEnum
	kindInterface
	kindText   // alias of string
	kindScalar // a type with methods of its own: Decimal, Duration ...
)

type enumValue struct{ konst, text string }

// field is one field of a struct, from its declaration and its tag.
type field struct {
	name  string
	typ   typeRef
	where place
	xml   string // local name; "" for text
	ext   bool   // ext:Extension
	occ   byte   // '1', '?', '*' or '+'
	extra string // third part of the tag
}

type place int

const (
	attribute place = iota
	element
	text
)

// typeRef is the type of a field.
type typeRef struct {
	name           string
	ptr, list, opt bool
	decl           *typeDecl // nil for basic types
}

// scalars are the types that read and write themselves.
var scalars = []string{"Decimal", "Timestamp", "Duration", "DateTime", "DateOfBirth", "QName", "Samples", "Extension"}

func load(dir string) (*model, error) {
	fset := token.NewFileSet()
	ents, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	m := &model{types: map[string]*typeDecl{}}
	var files []*ast.File
	for _, e := range ents {
		n := e.Name()
		if !strings.HasSuffix(n, ".go") || strings.HasSuffix(n, "_test.go") || strings.HasSuffix(n, "_gen.go") {
			continue
		}
		f, err := parser.ParseFile(fset, filepath.Join(dir, n), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
		m.pkg = f.Name.Name
		for _, im := range f.Imports {
			if p, _ := strconv.Unquote(im.Path.Value); strings.HasSuffix(p, "/mdib/pm") && m.imported == nil {
				if m.imported, err = load(filepath.Join(dir, "..", "pm")); err != nil {
					return nil, err
				}
			}
		}
	}
	switch m.pkg {
	case "pm":
		m.prefix, m.nsConst = "pm", "xmlscan.NsPM"
	case "msg":
		m.prefix, m.nsConst = "msg", "xmlscan.NsMsg"
	case "ext":
		m.prefix, m.nsConst = "sdpi", "xmlscan.NsSDPi"
	default:
		return nil, fmt.Errorf("no namespace known for package %s", m.pkg)
	}
	for _, f := range files {
		for _, d := range f.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.TYPE {
				continue
			}
			for _, sp := range g.Specs {
				if err := m.declare(sp.(*ast.TypeSpec)); err != nil {
					return nil, fmt.Errorf("%s: %w", fset.Position(sp.Pos()), err)
				}
			}
		}
	}
	for _, f := range files {
		for _, d := range f.Decls {
			if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.CONST {
				m.constants(g)
			}
		}
	}
	for _, f := range files {
		for _, d := range f.Decls {
			if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.TYPE {
				for _, sp := range g.Specs {
					if err := m.resolve(sp.(*ast.TypeSpec)); err != nil {
						return nil, fmt.Errorf("%s: %w", fset.Position(sp.Pos()), err)
					}
				}
			}
		}
	}
	m.link()
	return m, nil
}

// declare notes the type and its kind.
func (m *model) declare(sp *ast.TypeSpec) error {
	name := sp.Name.Name
	t := &typeDecl{m: m, name: name}
	switch {
	case slices.Contains(scalars, name):
		t.kind = kindScalar
	case sp.Assign != 0:
		switch x := sp.Type.(type) {
		case *ast.Ident:
			if x.Name != "string" {
				return fmt.Errorf("alias %s of %s is not understood", name, x.Name)
			}
			t.kind = kindText
		case *ast.SelectorExpr:
			if m.imported == nil || m.imported.types[x.Sel.Name] == nil {
				return nil
			}
			t.alias = m.imported.types[x.Sel.Name]
		}
	default:
		switch x := sp.Type.(type) {
		case *ast.StructType:
			if sp.TypeParams != nil || !hasTags(x) {
				return nil // not part of the model
			}
			t.kind = kindStruct
		case *ast.InterfaceType:
			t.kind = kindInterface
		case *ast.Ident:
			if x.Name != "string" {
				return nil
			}
			t.kind = kindEnum
		default:
			return nil
		}
	}
	m.types[name] = t
	m.names = append(m.names, name)
	return nil
}

// hasTags reports whether the struct belongs to the model: each of its fields is embedded or has an sdc tag.
func hasTags(x *ast.StructType) bool {
	for _, f := range x.Fields.List {
		if len(f.Names) != 0 && (f.Tag == nil || !strings.HasPrefix(f.Tag.Value, "`sdc:")) {
			return false
		}
	}
	return true
}

func (m *model) constants(g *ast.GenDecl) {
	for _, sp := range g.Specs {
		v := sp.(*ast.ValueSpec)
		id, ok := v.Type.(*ast.Ident)
		if !ok || len(v.Values) != 1 {
			continue
		}
		t := m.types[id.Name]
		lit, ok := v.Values[0].(*ast.BasicLit)
		if t == nil || t.kind != kindEnum || !ok {
			continue
		}
		s, _ := strconv.Unquote(lit.Value)
		t.values = append(t.values, enumValue{v.Names[0].Name, s})
	}
}

// resolve fills in fields and bases.
func (m *model) resolve(sp *ast.TypeSpec) error {
	t := m.types[sp.Name.Name]
	if t == nil || t.alias != nil {
		return nil
	}
	switch t.kind {
	case kindStruct:
		for _, f := range sp.Type.(*ast.StructType).Fields.List {
			if len(f.Names) == 0 {
				ref, err := m.ref(f.Type)
				if err != nil {
					return err
				}
				if ref.decl == nil || ref.decl.kind != kindStruct || len(t.fields) != 0 {
					return fmt.Errorf("%s: embedded fields must be structs of the model and come first", t.name)
				}
				t.bases = append(t.bases, ref.decl)
				continue
			}
			for _, n := range f.Names {
				fd, err := m.field(n.Name, f)
				if err != nil {
					return fmt.Errorf("%s.%s: %w", t.name, n.Name, err)
				}
				t.fields = append(t.fields, fd)
			}
		}
	case kindInterface:
		for _, f := range sp.Type.(*ast.InterfaceType).Methods.List {
			if len(f.Names) == 0 {
				if id, ok := f.Type.(*ast.Ident); ok {
					t.embeds = append(t.embeds, id.Name)
				}
				continue
			}
			fn, name := f.Type.(*ast.FuncType), f.Names[0].Name
			if strings.HasPrefix(name, "Base") && fn.Results != nil {
				if st, ok := fn.Results.List[0].Type.(*ast.StarExpr); ok {
					if id, ok := st.X.(*ast.Ident); ok {
						t.baseRef = id.Name
					}
				}
			}
			if r, ok := strings.CutPrefix(name, "is"); ok && r == t.name {
				t.root = t.name
			}
		}
	}
	return nil
}

// link connects interfaces with their bases and roots.
func (m *model) link() {
	for _, n := range m.names {
		t := m.types[n]
		if t.kind != kindInterface || t.baseRef == "" {
			continue
		}
		t.base = m.types[t.baseRef]
		for up := t; t.root == ""; {
			var next *typeDecl
			for _, e := range up.embeds {
				if c := m.types[e]; c != nil && c.kind == kindInterface && c.baseRef != "" {
					next = c
				}
			}
			if next == nil {
				break
			}
			t.root, up = next.root, next
		}
	}
}

func (m *model) field(name string, f *ast.Field) (field, error) {
	fd := field{name: name}
	if f.Tag == nil {
		return fd, fmt.Errorf("no tag")
	}
	raw, err := strconv.Unquote(f.Tag.Value)
	if err != nil {
		return fd, err
	}
	parts := strings.SplitN(reflect.StructTag(raw).Get("sdc"), ",", 3)
	if fd.typ, err = m.ref(f.Type); err != nil {
		return fd, err
	}
	if parts[0] == "." {
		fd.where, fd.occ = text, '1'
		return fd, nil
	}
	if len(parts) < 2 || !slices.Contains([]string{"1", "?", "*", "+"}, parts[1]) {
		return fd, fmt.Errorf("tag %q is not understood", raw)
	}
	fd.xml, fd.occ = parts[0], parts[1][0]
	if len(parts) == 3 {
		fd.extra = parts[2]
	}
	fd.where = element
	if a, ok := strings.CutPrefix(fd.xml, "@"); ok {
		fd.xml, fd.where = a, attribute
	} else if a, ok := strings.CutPrefix(fd.xml, "ext:"); ok {
		fd.xml, fd.ext = a, true
	}
	repeated := fd.occ == '*' || fd.occ == '+'
	if fd.where == element && repeated != fd.typ.list && !fd.ext {
		return fd, fmt.Errorf("occurrence %c does not go with the type", fd.occ)
	}
	return fd, nil
}

func (m *model) ref(x ast.Expr) (typeRef, error) {
	switch x := x.(type) {
	case *ast.Ident:
		r := typeRef{name: x.Name}
		if t := m.types[x.Name]; t != nil {
			if t.alias != nil {
				return typeRef{name: t.alias.name, decl: t.alias}, nil
			}
			r.decl = t
		} else if !slices.Contains([]string{"string", "bool", "uint64", "uint32", "int64", "int32"}, x.Name) {
			return r, fmt.Errorf("type %s is not understood", x.Name)
		}
		return r, nil
	case *ast.SelectorExpr:
		t := m.imported.types[x.Sel.Name]
		if t == nil {
			return typeRef{}, fmt.Errorf("type %s is not understood", x.Sel.Name)
		}
		return typeRef{name: x.Sel.Name, decl: t}, nil
	case *ast.StarExpr:
		r, err := m.ref(x.X)
		r.ptr = true
		return r, err
	case *ast.ArrayType:
		r, err := m.ref(x.Elt)
		r.list = true
		return r, err
	case *ast.IndexExpr:
		r, err := m.ref(x.Index)
		r.opt = true
		return r, err
	}
	return typeRef{}, fmt.Errorf("type %T is not understood", x)
}

// goName is the type as the generated code of package m writes it, without pointer, list or Opt.
func (r typeRef) goName(m *model) string {
	if r.decl != nil && r.decl.m != m {
		return r.decl.m.pkg + "." + r.name
	}
	return r.name
}

// flat returns all fields, those of the bases first.
func (t *typeDecl) flat() []field {
	var out []field
	for _, b := range t.bases {
		out = append(out, b.flat()...)
	}
	return append(out, t.fields...)
}

// is reports whether t is b or has it among its bases.
func (t *typeDecl) is(b *typeDecl) bool {
	if t == b {
		return true
	}
	for _, x := range t.bases {
		if x.is(b) {
			return true
		}
	}
	return false
}

// abstract reports whether no element may be of this very type.
func (t *typeDecl) abstract() bool { return t.m.pkg != "ext" && strings.HasPrefix(t.name, "Abstract") }

// members returns the concrete types of an interface, in order of declaration.
func (t *typeDecl) members() []*typeDecl {
	var out []*typeDecl
	for _, n := range t.m.names {
		c := t.m.types[n]
		if c.kind == kindStruct && !c.abstract() && c.is(t.base) {
			out = append(out, c)
		}
	}
	return out
}

// renamed returns the types that are derived from t and add nothing to it: an element that is declared as t may
// name them in its xsi:type, and nothing is lost when it is read as t. Members of an interface are not among them,
// since there the interface knows its types.
func (t *typeDecl) renamed() []*typeDecl {
	if t.abstract() || t.rootOf() != nil {
		return nil
	}
	var out []*typeDecl
	for _, n := range t.m.names {
		if c := t.m.types[n]; c.kind == kindStruct && c != t && c.is(t) && len(c.flat()) == len(t.flat()) {
			out = append(out, c)
		}
	}
	return out
}

// rootOf returns the sealing interface whose member t is, nil if none.
func (t *typeDecl) rootOf() *typeDecl {
	for _, n := range t.m.names {
		i := t.m.types[n]
		if i.kind == kindInterface && i.root == i.name && i.base != nil && !t.abstract() && t.is(i.base) {
			return i
		}
	}
	return nil
}
