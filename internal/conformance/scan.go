package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// test is one test function; File is relative to the top of the module, with
// slashes.
type test struct {
	File string
	Name string
}

// claim is one "covers:" comment.
type claim struct {
	Test test
	Line int
	IDs  []string
}

var (
	coversLine = regexp.MustCompile(`^\s*(?://)?\s*covers:\s*(.*?)\s*$`)
	remark     = regexp.MustCompile(`\s*\([^)]*\)`)
)

// scan returns every claim of the test files below root.
func scan(root string) ([]claim, error) {
	var claims []claim
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			name := d.Name()
			if path != root && (strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "testdata" || name == "tools") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		found, err := claimsOf(filepath.ToSlash(rel), src)
		claims = append(claims, found...)
		return err
	})
	return claims, err
}

// claimsOf returns the claims of one test file. A claim in a helper counts for
// the tests of the same file that use the helper; one outside of any test proves
// nothing and is an error.
func claimsOf(file string, src []byte) ([]claim, error) {
	fset := token.NewFileSet()
	parsed, err := parser.ParseFile(fset, file, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	var claims []claim
	for _, group := range parsed.Comments {
		for _, comment := range group.List {
			for i, text := range strings.Split(comment.Text, "\n") {
				m := coversLine.FindStringSubmatch(text)
				if m == nil {
					continue
				}
				line := fset.Position(comment.Pos()).Line + i
				var ids []string
				for id := range strings.SplitSeq(remark.ReplaceAllString(m[1], ""), ",") {
					if id = strings.TrimRight(strings.TrimSpace(id), "."); id != "" {
						ids = append(ids, id)
					}
				}
				if len(ids) == 0 {
					return nil, fmt.Errorf("%s:%d: covers: names no requirement", file, line)
				}
				name := enclosing(parsed, comment.Pos())
				tests := testsOf(parsed, name)
				if len(tests) == 0 {
					return nil, fmt.Errorf("%s:%d: covers: belongs inside a test function, not %q", file, line, name)
				}
				for _, name := range tests {
					claims = append(claims, claim{Test: test{File: file, Name: name}, Line: line, IDs: ids})
				}
			}
		}
	}
	return claims, nil
}

// enclosing returns the name of the function that pos lies in, its doc comment
// included, or "".
func enclosing(file *ast.File, pos token.Pos) string {
	for _, decl := range file.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if !ok {
			continue
		}
		begin := f.Pos()
		if f.Doc != nil {
			begin = f.Doc.Pos()
		}
		if begin <= pos && pos < f.End() {
			return f.Name.Name
		}
	}
	return ""
}

// testsOf returns name if it is a test, else the tests that use the function of
// that name directly.
func testsOf(file *ast.File, name string) []string {
	if isTest(name) {
		return []string{name}
	}
	var tests []string
	for _, decl := range file.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if !ok || !isTest(f.Name.Name) {
			continue
		}
		uses := false
		ast.Inspect(f, func(n ast.Node) bool {
			id, ok := n.(*ast.Ident)
			uses = uses || ok && id.Name == name
			return !uses
		})
		if uses {
			tests = append(tests, f.Name.Name)
		}
	}
	return tests
}

func isTest(name string) bool {
	return strings.HasPrefix(name, "Test") && name != "TestMain" || strings.HasPrefix(name, "Fuzz") || strings.HasPrefix(name, "Example")
}
