// Package yamldoc reads files of users: one YAML document, strictly, with the places of what is wrong.
package yamldoc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Problem is something that is wrong with a document.
type Problem struct {
	// Line and Column are 1-based; 0 when the document as a whole is meant.
	Line, Column int
	Message      string
}

func (p Problem) String() string {
	if p.Line == 0 {
		return p.Message
	}
	return fmt.Sprintf("line %d: %s", p.Line, p.Message)
}

// Error says what is wrong with a document: one problem at least.
type Error struct{ Problems []Problem }

func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// ErrNone is a text without a document, ErrMany one with several.
var (
	ErrNone = errors.New("there is no document")
	ErrMany = errors.New("there is more than one document")
)

// Read returns the content of the only document of a text. The error is ErrNone, ErrMany or an *Error.
func Read(text []byte) (*yaml.Node, error) {
	loader, err := yaml.NewLoader(bytes.NewReader(text))
	if err != nil {
		return nil, located(err)
	}
	var doc yaml.Node
	switch err := loader.Load(&doc); {
	case errors.Is(err, io.EOF):
		return nil, ErrNone
	case err != nil:
		return nil, within(text, located(err))
	}
	switch err := loader.Load(new(yaml.Node)); {
	case err == nil:
		return nil, ErrMany
	case !errors.Is(err, io.EOF):
		return nil, within(text, located(err))
	}
	content := doc.Content[0]
	if isNull(content) {
		return nil, ErrNone
	}
	return content, nil
}

// Decode puts what Read returned into the value that out points to. Fields that are not known and keys that are there twice are errors, and so are empty
// items of lists, which the library would leave out in silence. The error is an *Error.
func Decode(content *yaml.Node, out any) error {
	if n := emptyItem(content); n != nil {
		return &Error{[]Problem{{n.Line, n.Column, "an item of a list is empty"}}}
	}
	if n := tooManyKeys(content); n != nil {
		return &Error{[]Problem{{n.Line, n.Column, fmt.Sprintf("a mapping has more than %d keys", maxKeys)}}}
	}
	if err := content.Load(out, yaml.WithKnownFields(), yaml.WithUniqueKeys()); err != nil {
		return located(err)
	}
	return nil
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// maxKeys bounds the keys of a mapping: the library compares each with all others.
const maxKeys = 1000

func tooManyKeys(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.MappingNode && len(n.Content) > 2*maxKeys {
		return n
	}
	for _, c := range n.Content {
		if found := tooManyKeys(c); found != nil {
			return found
		}
	}
	return nil
}

func emptyItem(n *yaml.Node) *yaml.Node {
	for _, c := range n.Content {
		if n.Kind == yaml.SequenceNode && isNull(c) {
			return c
		}
		if found := emptyItem(c); found != nil {
			return found
		}
	}
	return nil
}

// within moves what is missing at the end of a text from the line after the last, where the library finds it missing, to the end of the last.
func within(text []byte, e *Error) *Error {
	text = bytes.TrimRight(text, "\r\n")
	last := bytes.Count(text, []byte("\n")) + 1
	for i := range e.Problems {
		if p := &e.Problems[i]; p.Line > last {
			p.Line, p.Column = last, len(text)-bytes.LastIndexByte(text, '\n')
		}
	}
	return e
}

// located turns an error of the library into one of this package.
func located(err error) *Error {
	var many *yaml.LoadErrors
	var one *yaml.LoadError
	switch {
	case errors.As(err, &many) && len(many.Errors) > 0:
		var e Error
		for _, one := range many.Errors {
			e.Problems = append(e.Problems, Problem{one.Mark.Line, one.Mark.Column, readable(one.Message)})
		}
		return &e
	case errors.As(err, &one):
		message := one.Message
		if one.ContextMsg != "" && one.ContextMark.Line > 0 && one.ContextMark.Line < one.Mark.Line {
			message += fmt.Sprintf(" %s that begins in line %d", one.ContextMsg, one.ContextMark.Line)
		}
		return &Error{[]Problem{{one.Mark.Line, one.Mark.Column, message}}}
	}
	return &Error{[]Problem{{Message: err.Error()}}}
}

var (
	unknownField = regexp.MustCompile(`^field (.*) not found in type `)
	wrongKind    = regexp.MustCompile("^cannot construct (!\\S*)(?: (`[^`]*`))? into (.*)$")
)

// readable says in words of the document what the library says with types of Go.
func readable(message string) string {
	if m := unknownField.FindStringSubmatch(message); m != nil {
		return fmt.Sprintf("there is no field %q here", m[1])
	}
	m := wrongKind.FindStringSubmatch(message)
	if m == nil {
		return message
	}
	found := m[2]
	switch m[1] {
	case "!!seq":
		found = "a list"
	case "!!map":
		found = "a mapping"
	}
	switch into := strings.TrimLeft(m[3], "*"); {
	case into == "time.Duration":
		return found + " is no duration such as 1m30s"
	case into == "bool":
		return found + " is neither true nor false"
	case strings.HasPrefix(into, "int"), strings.HasPrefix(into, "uint"):
		return found + " is no whole number"
	case strings.HasPrefix(into, "float"):
		return found + " is no number"
	case strings.HasPrefix(into, "[]"):
		return found + " is no list"
	}
	return found + " does not belong here"
}
