package provider

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/beevik/etree"

	"github.com/semeco/go-sdc/mdib/pm"
)

// contextFilter is a parsed filter of GetContextStatesByFilter: a subset of XPath 1.0.
//
//	filter    = ["/" [prefix:]"MdState" "/" | "MdState/" | "//"] path
//	path      = step { ("/" | "//") step }
//	step      = name | "*" | "@" name | "@*" | "." , followed by predicates "[" or "]"; attributes only as the last step
//	or        = and { "or" and }
//	and       = test { "and" test }
//	test      = path [ ("=" | "!=") literal ] | "not(" or ")" | "(" or ")"
//	          | ("contains" | "starts-with") "(" path "," literal ")"
//	literal   = 'text' | "text" | number
//
// Examples: pm:State[@xsi:type='pm:PatientContextState'], //pm:Identification[@Root='urn:x' and @Extension='42'],
// pm:State[pm:CoreData/pm:Familyname='Doe'].
//
// A context state matches if the expression selects it or anything in it. Prefixes are not looked at, neither in names nor in
// the value of xsi:type: the text of a filter arrives without its declarations. Implied values that are not written in the state do not match.
type contextFilter struct {
	path []filterStep
}

// Bounds of a filter.
const (
	maxFilterLength = 4096
	maxFilterDepth  = 16
	// filterWork bounds how many nodes the filters of one request may look at.
	filterWork = 1_000_000
)

type filterStep struct {
	name       string // "*" any, "." the node itself
	attribute  bool
	deep       bool // after "//"
	predicates []filterTest
}

// filterTest is a condition on a node.
type filterTest func(n filterNode, work *int) bool

// filterNode is an element or one of its attributes.
type filterNode struct {
	element   *etree.Element
	attribute *etree.Attr
}

func (n filterNode) text() string {
	if a := n.attribute; a != nil {
		if a.Space == "xsi" && a.Key == "type" {
			_, local, _ := strings.Cut(a.Value, ":")
			return local
		}
		return a.Value
	}
	var b strings.Builder
	collect(n.element, &b)
	return b.String()
}

func collect(e *etree.Element, b *strings.Builder) {
	for _, c := range e.Child {
		switch c := c.(type) {
		case *etree.CharData:
			b.WriteString(c.Data)
		case *etree.Element:
			collect(c, b)
		}
	}
}

// stateTree is a state as the pm:State element of an MdState, which is its parent.
func stateTree(s pm.State) *etree.Element {
	b := []byte(`<pm:MdState xmlns:pm="` + pm.Namespace + `" xmlns:ext="ext" xmlns:xsi="xsi">`)
	b = s.AppendElement(b, "pm:State", "pm:"+s.TypeName().Local)
	b = append(b, "</pm:MdState>"...)
	doc := etree.NewDocument()
	if doc.ReadFromBytes(b) != nil {
		return etree.NewElement("MdState")
	}
	return doc.Root()
}

// matches tells whether the filter selects something of the state below the MdState element. work counts down; below 0 the answer means nothing.
func (f *contextFilter) matches(root *etree.Element, work *int) bool {
	return selects(filterNode{element: root}, f.path, work)
}

func selects(n filterNode, path []filterStep, work *int) bool {
	return find(n, path, work, func(filterNode) bool { return true })
}

// find calls found for what a path selects from a node, until one is it.
func find(n filterNode, path []filterStep, work *int, found func(filterNode) bool) bool {
	if *work--; *work < 0 {
		return false
	}
	if len(path) == 0 {
		return found(n)
	}
	if n.element == nil {
		// Nothing is below an attribute; "." is the attribute itself.
		return path[0].name == "." && !path[0].deep && path[0].passes(n, work) && find(n, path[1:], work, found)
	}
	step := &path[0]
	try := func(n filterNode) bool {
		return step.passes(n, work) && find(n, path[1:], work, found)
	}
	switch {
	case step.name == ".":
		if try(n) {
			return true
		}
	case step.attribute:
		for i := range n.element.Attr {
			a := &n.element.Attr[i]
			if a.Space != "xmlns" && (step.name == "*" || a.Key == step.name) && try(filterNode{attribute: a}) {
				return true
			}
		}
	default:
		for _, c := range n.element.ChildElements() {
			if (step.name == "*" || c.Tag == step.name) && try(filterNode{element: c}) {
				return true
			}
		}
	}
	if step.deep {
		for _, c := range n.element.ChildElements() {
			if find(filterNode{element: c}, path, work, found) {
				return true
			}
		}
	}
	return false
}

func (s *filterStep) passes(n filterNode, work *int) bool {
	for _, test := range s.predicates {
		if !test(n, work) {
			return false
		}
	}
	return true
}

// parseContextFilter reads a filter. The error says where it leaves the subset.
func parseContextFilter(expression string) (*contextFilter, error) {
	if len(expression) > maxFilterLength {
		return nil, fmt.Errorf("longer than %d bytes", maxFilterLength)
	}
	p := &filterParser{in: expression}
	p.space()
	deep := false
	switch {
	case p.take("//"):
		deep = true
	case p.take("/"):
		if name, _ := p.name(); name != "MdState" {
			return nil, p.errorf("an absolute path starts with /pm:MdState")
		}
		if deep = p.take("//"); !deep && !p.take("/") {
			return nil, p.errorf("the filter selects the whole MdState; a path below it is needed")
		}
	}
	path, err := p.path(0)
	if err != nil {
		return nil, err
	}
	if !deep && len(path) > 1 && path[0].name == "MdState" && len(path[0].predicates) == 0 {
		path = path[1:]
	}
	path[0].deep = path[0].deep || deep
	p.space()
	if p.in[p.at:] != "" {
		return nil, p.errorf("not understood from here on")
	}
	return &contextFilter{path: path}, nil
}

type filterParser struct {
	in string
	at int
}

var errFilter = errors.New("the filter is outside of the supported subset of XPath")

func (p *filterParser) errorf(format string, args ...any) error {
	return fmt.Errorf("%w at character %d: %s", errFilter, p.at+1, fmt.Sprintf(format, args...))
}

func (p *filterParser) space() {
	for p.at < len(p.in) && strings.IndexByte(" \t\r\n", p.in[p.at]) >= 0 {
		p.at++
	}
}

func (p *filterParser) take(token string) bool {
	if strings.HasPrefix(p.in[p.at:], token) {
		p.at += len(token)
		return true
	}
	return false
}

// word takes an operator name, which must not run on as a longer name.
func (p *filterParser) word(token string) bool {
	rest := p.in[p.at:]
	if !strings.HasPrefix(rest, token) || len(rest) > len(token) && nameByte(rest[len(token)]) {
		return false
	}
	p.at += len(token)
	return true
}

func nameByte(b byte) bool {
	return b|0x20 >= 'a' && b|0x20 <= 'z' || b >= '0' && b <= '9' || b == '_' || b == '-' || b == '.' || b >= 0x80
}

// name reads a QName and returns its local part.
func (p *filterParser) name() (string, bool) {
	part := func() string {
		start := p.at
		for p.at < len(p.in) && nameByte(p.in[p.at]) {
			p.at++
		}
		name := p.in[start:p.at]
		if name != "" && (name[0] == '-' || name[0] == '.' || name[0] >= '0' && name[0] <= '9') {
			p.at = start
			return ""
		}
		return name
	}
	name := part()
	if name == "" {
		return "", false
	}
	if strings.HasPrefix(p.in[p.at:], "::") || !p.take(":") {
		return name, true
	}
	if p.take("*") {
		return "*", true
	}
	name = part()
	return name, name != ""
}

func (p *filterParser) path(depth int) ([]filterStep, error) {
	if depth > maxFilterDepth {
		return nil, p.errorf("nested too deeply")
	}
	var path []filterStep
	deep := false
	for {
		p.space()
		step := filterStep{deep: deep}
		step.attribute = p.take("@")
		ok := true
		switch {
		case p.take("*"):
			step.name = "*"
		case p.take(".."):
			return nil, p.errorf("the parent cannot be selected")
		case !step.attribute && p.take("."):
			step.name = "."
		default:
			step.name, ok = p.name()
		}
		if !ok {
			return nil, p.errorf("a name is expected")
		}
		if rest := p.in[p.at:]; strings.HasPrefix(rest, "(") {
			return nil, p.errorf("the function %s is not supported", step.name)
		} else if strings.HasPrefix(rest, "::") {
			return nil, p.errorf("axes are not supported")
		}
		for p.space(); p.take("["); p.space() {
			test, err := p.or(depth + 1)
			if err != nil {
				return nil, err
			}
			if p.space(); !p.take("]") {
				return nil, p.errorf("] is expected")
			}
			step.predicates = append(step.predicates, test)
		}
		path = append(path, step)
		if deep = p.take("//"); !deep && !p.take("/") {
			return path, nil
		}
		if step.attribute {
			return nil, p.errorf("nothing is below an attribute")
		}
	}
}

func (p *filterParser) or(depth int) (filterTest, error) {
	return p.series("or", depth, p.and, func(a, b filterTest) filterTest {
		return func(n filterNode, work *int) bool { return a(n, work) || b(n, work) }
	})
}

func (p *filterParser) and(depth int) (filterTest, error) {
	return p.series("and", depth, p.test, func(a, b filterTest) filterTest {
		return func(n filterNode, work *int) bool { return a(n, work) && b(n, work) }
	})
}

func (p *filterParser) series(operator string, depth int, operand func(int) (filterTest, error), join func(a, b filterTest) filterTest) (filterTest, error) {
	left, err := operand(depth)
	for err == nil {
		if p.space(); !p.word(operator) {
			return left, nil
		}
		var right filterTest
		if right, err = operand(depth); err == nil {
			left = join(left, right)
		}
	}
	return nil, err
}

func (p *filterParser) test(depth int) (filterTest, error) {
	if depth > maxFilterDepth {
		return nil, p.errorf("nested too deeply")
	}
	p.space()
	start := p.at
	for _, f := range []struct {
		name string
		test func(have, want string) bool
	}{{"contains", strings.Contains}, {"starts-with", strings.HasPrefix}} {
		if p.word(f.name) && p.open() {
			return p.function(depth, f.test)
		}
		p.at = start
	}
	negated := p.word("not") && p.open()
	if !negated {
		p.at = start
	}
	if negated || p.take("(") {
		inner, err := p.or(depth + 1)
		if err != nil {
			return nil, err
		}
		if p.space(); !p.take(")") {
			return nil, p.errorf(") is expected")
		}
		if negated {
			return func(n filterNode, work *int) bool { return !inner(n, work) }, nil
		}
		return inner, nil
	}
	path, err := p.path(depth + 1)
	if err != nil {
		return nil, err
	}
	p.space()
	unequal := p.take("!=")
	if !unequal && !p.take("=") {
		return func(n filterNode, work *int) bool { return selects(n, path, work) }, nil
	}
	want, number, err := p.literal()
	if err != nil {
		return nil, err
	}
	isType := path[len(path)-1].attribute && path[len(path)-1].name == "type"
	if isType {
		if _, local, ok := strings.Cut(want, ":"); ok {
			want = local
		}
	}
	return func(n filterNode, work *int) bool {
		return find(n, path, work, func(n filterNode) bool { return same(n.text(), want, number) != unequal })
	}, nil
}

// open takes the bracket after the name of a function.
func (p *filterParser) open() bool {
	p.space()
	return p.take("(")
}

// same compares as XPath does: with a number as numbers.
func same(have, want string, number bool) bool {
	if !number {
		return have == want
	}
	h, err := strconv.ParseFloat(strings.TrimSpace(have), 64)
	w, _ := strconv.ParseFloat(want, 64)
	return err == nil && h == w
}

func (p *filterParser) function(depth int, test func(have, want string) bool) (filterTest, error) {
	path, err := p.path(depth + 1)
	if err != nil {
		return nil, err
	}
	if p.space(); !p.take(",") {
		return nil, p.errorf("a comma is expected")
	}
	want, _, err := p.literal()
	if err != nil {
		return nil, err
	}
	if p.space(); !p.take(")") {
		return nil, p.errorf(") is expected")
	}
	return func(n filterNode, work *int) bool {
		// XPath takes the first node only.
		result := false
		find(n, path, work, func(n filterNode) bool {
			result = test(n.text(), want)
			return true
		})
		return result
	}, nil
}

func (p *filterParser) literal() (text string, number bool, err error) {
	p.space()
	for _, quote := range []string{"'", `"`} {
		if p.take(quote) {
			end := strings.Index(p.in[p.at:], quote)
			if end < 0 {
				return "", false, p.errorf("the text does not end")
			}
			text = p.in[p.at : p.at+end]
			p.at += end + 1
			return text, false, nil
		}
	}
	start := p.at
	for p.at < len(p.in) && strings.IndexByte("-.0123456789", p.in[p.at]) >= 0 {
		p.at++
	}
	text = p.in[start:p.at]
	if _, err := strconv.ParseFloat(text, 64); err != nil {
		p.at = start
		return "", false, p.errorf("a text in quotes or a number is expected")
	}
	return text, true, nil
}
