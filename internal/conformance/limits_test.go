package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/xmlscan"
)

// packages are where the limits of docs/security.md stand in the code.
var limitPackages = map[string]string{
	"xmlscan": "internal/xmlscan", "soap": "soap", "eventing": "soap/eventing", "discovery": "discovery", "mdib": "mdib", "provider": "sdc/provider", "consumer": "sdc/consumer",
	"web": "station/web", "station": "station", "main": "cmd/sdc", "t2iapi": "t2iapi", "sdc": "sdc", "proxy": "sdc/proxy", "recording": "recording", "keyfile": "sdc/keyfile",
	"history": "mdib/history", "journal": "soap/journal", "sparing": "internal/sparing",
}

// source is what the code of one package says of defaults.
type source struct {
	consts map[string]ast.Expr            // package level
	fields map[string]map[string]ast.Expr // by the type of a configuration: fields with the default that a method of it sets
}

func readSource(t *testing.T, dir string) *source {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", filepath.FromSlash(dir), "*.go"))
	require.NoError(t, err)
	s := &source{consts: map[string]ast.Expr{}, fields: map[string]map[string]ast.Expr{}}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if v, ok := spec.(*ast.ValueSpec); ok && d.Tok == token.CONST {
						for i, n := range v.Names {
							if i < len(v.Values) {
								s.consts[n.Name] = v.Values[i]
							}
						}
					}
				}
			case *ast.FuncDecl:
				s.readDefaults(d)
			}
		}
	}
	return s
}

// readDefaults finds calls such as def(&c.MaxBody, 4<<20) in a method of a configuration.
func (s *source) readDefaults(d *ast.FuncDecl) {
	if d.Recv == nil || d.Body == nil {
		return
	}
	typ := d.Recv.List[0].Type
	if p, ok := typ.(*ast.StarExpr); ok {
		typ = p.X
	}
	name, ok := typ.(*ast.Ident)
	if !ok {
		return
	}
	ast.Inspect(d.Body, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) != 2 {
			return true
		}
		f, ok := call.Fun.(*ast.Ident)
		if !ok || f.Name != "def" && f.Name != "setDefault" {
			return true
		}
		if ref, ok := call.Args[0].(*ast.UnaryExpr); ok && ref.Op == token.AND {
			if field, ok := ref.X.(*ast.SelectorExpr); ok {
				if s.fields[name.Name] == nil {
					s.fields[name.Name] = map[string]ast.Expr{}
				}
				s.fields[name.Name][field.Sel.Name] = call.Args[1]
			}
		}
		return true
	})
}

// value computes a constant expression; times are in nanoseconds, and said to be such.
func (s *source) value(t *testing.T, e ast.Expr) (n int64, isTime bool) {
	t.Helper()
	switch e := e.(type) {
	case *ast.BasicLit:
		n, err := strconv.ParseInt(strings.ReplaceAll(e.Value, "_", ""), 0, 64)
		require.NoError(t, err)
		return n, false
	case *ast.ParenExpr:
		return s.value(t, e.X)
	case *ast.Ident:
		require.Contains(t, s.consts, e.Name)
		return s.value(t, s.consts[e.Name])
	case *ast.SelectorExpr:
		unit, ok := map[string]time.Duration{"Second": time.Second, "Minute": time.Minute, "Hour": time.Hour, "Millisecond": time.Millisecond}[e.Sel.Name]
		require.True(t, ok, "unknown unit %s", e.Sel.Name)
		return int64(unit), true
	case *ast.BinaryExpr:
		a, x := s.value(t, e.X)
		b, y := s.value(t, e.Y)
		switch e.Op {
		case token.MUL:
			return a * b, x || y
		case token.SHL:
			return a << b, x
		}
	}
	require.Fail(t, "the test cannot compute this", "%T", e)
	return 0, false
}

// texts are the ways in which the page may write a value.
func texts(n int64, isTime bool) []string {
	if isTime {
		d := time.Duration(n)
		out := []string{fmt.Sprintf("%d s", d/time.Second)}
		if d == time.Minute {
			out = append(out, "1 minute")
		}
		return out
	}
	plain := strconv.FormatInt(n, 10)
	grouped := plain
	for i := len(plain) - 3; i > 0; i -= 3 {
		grouped = grouped[:i] + " " + grouped[i:]
	}
	out := []string{plain, grouped}
	if n%(1<<20) == 0 {
		out = append(out, fmt.Sprintf("%d MiB", n>>20))
	}
	if n%(1<<10) == 0 {
		out = append(out, fmt.Sprintf("%d KiB", n>>10))
	}
	return out
}

// The limits of docs/security.md are those of the code: every value that a row names is in it, and no limit of the server, of event sources and of the
// scanner is left out.
func TestDocumentedLimitsAreThoseOfTheCode(t *testing.T) {
	page, err := os.ReadFile("../../docs/security.md")
	require.NoError(t, err)
	_, table, ok := strings.Cut(string(page), "<!-- limits -->\n")
	require.True(t, ok)
	table, _, ok = strings.Cut(table, "<!-- end of limits -->")
	require.True(t, ok)
	sources := map[string]*source{}
	for name, dir := range limitPackages {
		sources[name] = readSource(t, dir)
	}
	seen := map[string]bool{}
	names := regexp.MustCompile("`([^`]+)`")
	for _, row := range strings.Split(strings.TrimSpace(table), "\n")[2:] {
		cells := strings.Split(row, " | ")
		require.Len(t, cells, 4, row)
		var pkg, typ string
		if cells[3] == "every scanner |" {
			requireNoDocumentTypes(t, cells[0])
			continue
		}
		require.Regexp(t, names, cells[3], "nothing of this row is compared with the code")
		for _, m := range names.FindAllStringSubmatch(cells[3], -1) {
			parts := strings.Split(m[1], ".") // what is left out is as with the name before
			switch len(parts) {
			case 3:
				pkg, typ = parts[0], parts[1]
			case 2:
				pkg, typ = parts[0], ""
			}
			name := parts[len(parts)-1]
			require.Contains(t, sources, pkg, row)
			s := sources[pkg]
			expr := s.consts[name]
			if typ != "" {
				expr = s.fields[typ][name]
			}
			require.NotNil(t, expr, "%s is not in the code of %s: %s", name, pkg, row)
			n, isTime := s.value(t, expr)
			found := slices.ContainsFunc(texts(n, isTime), func(text string) bool {
				return regexp.MustCompile(`(^|[^0-9])` + regexp.QuoteMeta(text) + `($|[^0-9])`).MatchString(cells[1])
			})
			require.True(t, found, "%s is %d, which the page does not say (%v): %s", m[1], n, texts(n, isTime), row)
			seen[pkg+"."+typ+"."+name] = true
		}
	}
	for pkg, typ := range map[string]string{"soap": "ServerConfig", "eventing": "SourceConfig", "web": "Config"} {
		for field := range sources[pkg].fields[typ] {
			if strings.HasPrefix(field, "Max") && field != "MaxExpires" { // which is no bound on what is taken
				require.True(t, seen[pkg+"."+typ+"."+field], "%s.%s.%s is not on the page", pkg, typ, field)
			}
		}
	}
	for name := range sources["xmlscan"].consts {
		if strings.HasPrefix(name, "DefaultMax") {
			require.True(t, seen["xmlscan.."+name], "xmlscan.%s is not on the page", name)
		}
	}
}

// requireNoDocumentTypes checks the row without a figure.
func requireNoDocumentTypes(t *testing.T, row string) {
	t.Helper()
	require.Equal(t, "| document type declarations, entities but the five", row)
	accepts := func(doc string) bool {
		_, err := xmlscan.ParseRaw([]byte(doc), xmlscan.Limits{})
		return err == nil
	}
	require.True(t, accepts("<a>&lt;&gt;&amp;&apos;&quot;&#65;</a>"))
	for _, doc := range []string{"<!DOCTYPE a><a/>", `<?xml version="1.0"?><!-- --><!DOCTYPE a SYSTEM "a.dtd"><a/>`, `<!DOCTYPE a [<!ENTITY e "">]><a>&e;</a>`, "<a>&e;</a>", `<a b="&nbsp;"/>`} {
		require.False(t, accepts(doc), doc)
	}
}

// The threat model and the tables of attacks name tests: there are such tests.
func TestSecurityPageNamesTestsThatExist(t *testing.T) {
	page, err := os.ReadFile("../../docs/security.md")
	require.NoError(t, err)
	exist := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	require.NoError(t, filepath.WalkDir("../..", func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() && strings.HasPrefix(d.Name(), ".") && len(d.Name()) > 2 {
			return cmp.Or(err, filepath.SkipDir)
		}
		if d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		b, err := os.ReadFile(path)
		for _, m := range declared.FindAllStringSubmatch(string(b), -1) {
			exist[m[1]] = true
		}
		return err
	}))
	named := regexp.MustCompile("`(Test\\w+)").FindAllStringSubmatch(string(page), -1)
	require.Greater(t, len(named), 50)
	for _, m := range named {
		require.True(t, exist[m[1]], "docs/security.md names %s, which does not exist", m[1])
	}
}
