package workflow

import (
	_ "embed" // the schema
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/semeco/go-sdc/internal/yamlguard"
)

// maxFile bounds the YAML of a workflow.
const maxFile = 256 << 10

//go:embed schema.json
var schema string

// Schema is the JSON schema (2020-12) of the YAML form, for editors. Parse is stricter: it also looks at what belongs together.
func Schema() string { return schema }

// Parse reads a workflow and checks it as a whole. The error is an *InvalidError with the places of everything that is wrong. A
// field that is not known, or there twice, is an error, and so are anchors and aliases: what is done to a patient is written out.
func Parse(data []byte) (*Workflow, error) {
	var w *Workflow
	err := yamlguard.Do(func() (err error) {
		w, err = parse(data)
		return err
	})
	var invalid *InvalidError
	switch {
	case err == nil:
		return w, nil
	case errors.As(err, &invalid):
		return nil, invalid
	}
	return nil, &InvalidError{[]Problem{{Path: "$", Message: err.Error()}}}
}

func parse(data []byte) (*Workflow, error) {
	if len(data) > maxFile {
		return nil, &InvalidError{[]Problem{{Path: "$", Message: fmt.Sprintf("larger than %d bytes", maxFile)}}}
	}
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, located(err)
	}
	if len(file.Docs) != 1 || file.Docs[0].Body == nil {
		return nil, &InvalidError{[]Problem{{Path: "$", Message: "exactly one document is needed"}}}
	}
	if p := plain(file.Docs[0].Body); p != nil {
		return nil, &InvalidError{[]Problem{*p}}
	}
	w := new(Workflow)
	if err := yaml.NodeToValue(file.Docs[0].Body, w, yaml.Strict()); err != nil {
		return nil, located(err)
	}
	err = w.Validate()
	var invalid *InvalidError
	if errors.As(err, &invalid) {
		for i := range invalid.Problems {
			invalid.Problems[i].locate(file)
		}
		return nil, invalid
	}
	return w, err
}

// plain refuses what makes one part of a document depend on another.
func plain(n ast.Node) *Problem {
	f := &finder{}
	ast.Walk(f, n)
	return f.problem
}

type finder struct{ problem *Problem }

func (f *finder) Visit(n ast.Node) ast.Visitor {
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode, *ast.TagNode:
		if f.problem == nil {
			f.problem = &Problem{Path: n.GetPath(), Message: "anchors, aliases, merges and tags are not possible here"}
			f.problem.at(n.GetToken())
		}
		return nil
	}
	return f
}

func (p *Problem) at(t *token.Token) {
	if t != nil && t.Position != nil {
		p.Line, p.Column = t.Position.Line, t.Position.Column
	}
}

// locate finds the place of a path, or of the nearest that is written around it.
func (p *Problem) locate(file *ast.File) {
	for path := p.Path; path != ""; {
		if at, err := yaml.PathString(path); err == nil {
			if n, err := at.FilterFile(file); err == nil && n != nil {
				p.at(n.GetToken())
				return
			}
		}
		i := strings.LastIndexAny(path, ".[")
		if i <= 0 {
			return
		}
		path = path[:i]
	}
}

// located turns an error of the parser into a problem with its place.
func located(err error) error {
	p := Problem{Path: "$", Message: err.Error()}
	var at yaml.Error
	if errors.As(err, &at) {
		p.Message = at.GetMessage()
		p.at(at.GetToken())
	}
	return &InvalidError{[]Problem{p}}
}
