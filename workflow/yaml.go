package workflow

import (
	_ "embed" // the schema
	"errors"
	"fmt"
	"regexp"
	"strconv"

	"go.yaml.in/yaml/v4"

	"github.com/semeco/go-sdc/internal/yamldoc"
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
	if len(data) > maxFile {
		return nil, invalid(Problem{Message: fmt.Sprintf("larger than %d bytes", maxFile)})
	}
	content, err := yamldoc.Read(data)
	if err != nil {
		return nil, located(err)
	}
	if n := dependent(content); n != nil {
		return nil, invalid(Problem{Line: n.Line, Column: n.Column, Message: "anchors, aliases, merges and tags are not possible here"})
	}
	w := new(Workflow)
	if err := yamldoc.Decode(content, w); err != nil {
		return nil, located(err)
	}
	if err := w.Validate(); err != nil {
		var bad *InvalidError
		if errors.As(err, &bad) {
			for i := range bad.Problems {
				bad.Problems[i].locate(content)
			}
		}
		return nil, err
	}
	return w, nil
}

// invalid is the error of problems of form, which have a place but no path.
func invalid(problems ...Problem) *InvalidError {
	for i := range problems {
		problems[i].Path = "$"
	}
	return &InvalidError{problems}
}

// located makes an error of the reader one of this package.
func located(err error) error {
	var doc *yamldoc.Error
	switch {
	case errors.As(err, &doc):
		problems := make([]Problem, len(doc.Problems))
		for i, p := range doc.Problems {
			problems[i] = Problem{Line: p.Line, Column: p.Column, Message: p.Message}
		}
		return invalid(problems...)
	case errors.Is(err, yamldoc.ErrNone), errors.Is(err, yamldoc.ErrMany):
		return invalid(Problem{Message: "exactly one document is needed: " + err.Error()})
	}
	return invalid(Problem{Message: err.Error()})
}

// dependent finds what makes one part of a document depend on another.
func dependent(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode || n.Anchor != "" || n.Style&yaml.TaggedStyle != 0 || n.ShortTag() == "!!merge" {
		return n
	}
	for _, c := range n.Content {
		if found := dependent(c); found != nil {
			return found
		}
	}
	return nil
}

// place is one step of a path: ".name" or "[index]".
var place = regexp.MustCompile(`\.([^.\[]+)|\[(\d+)\]`)

// locate finds the place of a path, or of the nearest that is written around it.
func (p *Problem) locate(n *yaml.Node) {
	for _, step := range place.FindAllStringSubmatch(p.Path, -1) {
		next := member(n, step[1])
		if step[1] == "" {
			next = item(n, step[2])
		}
		if next == nil {
			break
		}
		n = next
	}
	p.Line, p.Column = n.Line, n.Column
}

func member(n *yaml.Node, name string) *yaml.Node {
	if n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i+1]
		}
	}
	return nil
}

func item(n *yaml.Node, index string) *yaml.Node {
	i, err := strconv.Atoi(index)
	if err != nil || n.Kind != yaml.SequenceNode || i >= len(n.Content) {
		return nil
	}
	return n.Content[i]
}
