package safety

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/mdib/pm"
)

// Selector points to one text or attribute. The form of Path is
//
//	Path ::= ('/' Step)* '/' ('@' Name | 'text()')
//	Step ::= Name ('[' Expr ']')*
//	Expr ::= '@' Name '=' (Number | Literal | 'concat(' Literal, ... ')') | Number
//
// Prefixes are those in scope where the selector stands; msg, pm, ext and xsi also mean what they usually do. Names without prefix are in no namespace.
type Selector struct {
	// ID tells it from all others of the requirement.
	ID   string
	Path string

	steps     []step
	attribute *pm.QName // what is taken of the element the steps lead to; nil is its text
}

type step struct {
	name       pm.QName
	predicates []predicate
}

// predicate is a position, or the value of an attribute.
type predicate struct {
	position  int
	attribute pm.QName
	value     string
}

// maxSteps bounds a path.
const maxSteps = 32

// compile takes the path apart. resolve gives the namespace of a prefix.
func (s *Selector) compile(resolve func(prefix string) (string, bool)) error {
	p := pathParser{rest: strings.TrimSpace(s.Path), resolve: resolve}
	for {
		if !p.skip("/") {
			return p.fail("'/'")
		}
		switch {
		case p.skip("text()"):
			return p.end()
		case p.skip("@"):
			name, err := p.name()
			if err != nil {
				return err
			}
			s.attribute = &name
			return p.end()
		}
		if len(s.steps) == maxSteps {
			return fmt.Errorf("more than %d steps", maxSteps)
		}
		st, err := p.step()
		if err != nil {
			return err
		}
		s.steps = append(s.steps, st)
	}
}

type pathParser struct {
	rest    string
	resolve func(string) (string, bool)
}

func (p *pathParser) fail(wanted string) error {
	return fmt.Errorf("%s is needed before %q", wanted, p.rest)
}

func (p *pathParser) end() error {
	if p.rest != "" {
		return p.fail("the end")
	}
	return nil
}

func (p *pathParser) skip(token string) (ok bool) {
	p.rest, ok = strings.CutPrefix(p.rest, token)
	return ok
}

func (p *pathParser) space() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

func (p *pathParser) name() (pm.QName, error) {
	n := strings.IndexAny(p.rest, "/[]@='\"(), \t\r\n")
	if n < 0 {
		n = len(p.rest)
	}
	text := p.rest[:n]
	prefix, local, prefixed := strings.Cut(text, ":")
	if !prefixed {
		prefix, local = "", text
	}
	if local == "" || prefixed && prefix == "" || strings.ContainsAny(local, ":*") {
		return pm.QName{}, p.fail("a name")
	}
	p.rest = p.rest[n:]
	if !prefixed {
		return pm.QName{Local: local}, nil
	}
	space, ok := p.resolve(prefix)
	if !ok {
		return pm.QName{}, fmt.Errorf("prefix %q is not declared", prefix)
	}
	return pm.QName{Space: space, Local: local}, nil
}

func (p *pathParser) step() (s step, err error) {
	if s.name, err = p.name(); err != nil {
		return s, err
	}
	for p.skip("[") {
		p.space()
		var e predicate
		if p.skip("@") {
			if e.attribute, err = p.name(); err != nil {
				return s, err
			}
			p.space()
			if !p.skip("=") {
				return s, p.fail("'='")
			}
			p.space()
			if e.value, err = p.value(); err != nil {
				return s, err
			}
		} else {
			text, err := p.number()
			if err != nil {
				return s, err
			}
			if e.position, err = strconv.Atoi(text); err != nil || e.position < 1 {
				return s, fmt.Errorf("%q is no position", text)
			}
		}
		p.space()
		if !p.skip("]") {
			return s, p.fail("']'")
		}
		s.predicates = append(s.predicates, e)
	}
	return s, nil
}

func (p *pathParser) number() (string, error) {
	n := 0
	for n < len(p.rest) && (p.rest[n] >= '0' && p.rest[n] <= '9' || p.rest[n] == '.') {
		n++
	}
	text := p.rest[:n]
	if _, err := pm.ParseDecimal(text); n == 0 || err != nil {
		return "", p.fail("a number")
	}
	p.rest = p.rest[n:]
	return text, nil
}

func (p *pathParser) literal() (string, error) {
	for _, quote := range []string{`"`, "'"} {
		if strings.HasPrefix(p.rest, quote) {
			text, rest, ok := strings.Cut(p.rest[1:], quote)
			if !ok {
				return "", p.fail("the other quote")
			}
			p.rest = rest
			return text, nil
		}
	}
	return "", p.fail("a quoted text")
}

func (p *pathParser) value() (string, error) {
	if !p.skip("concat") {
		if strings.HasPrefix(p.rest, `"`) || strings.HasPrefix(p.rest, "'") {
			return p.literal()
		}
		return p.number()
	}
	p.space()
	if !p.skip("(") {
		return "", p.fail("'('")
	}
	var all strings.Builder
	for p.space(); !p.skip(")"); p.space() {
		if all.Len() > 0 || strings.HasPrefix(p.rest, ",") {
			if !p.skip(",") {
				return "", p.fail("','")
			}
			p.space()
		}
		text, err := p.literal()
		if err != nil {
			return "", err
		}
		all.WriteString(text)
	}
	return all.String(), nil
}

// Errors of a selector that does not point to exactly one value.
var (
	errNothing = errors.New("points to nothing")
	errSeveral = errors.New("points to several values")
)

// value is what the selector points to in a document. With below the first step is a child of the root, as in an MDIB; otherwise it is the root, as in a message.
func (s *Selector) value(doc []byte, below bool) (string, error) {
	sc := xmlscan.NewScanner(doc, xmlscan.Limits{})
	if err := sc.Root(); err != nil {
		return "", err
	}
	w := walker{Scanner: sc, selector: s}
	var err error
	switch {
	case below:
		err = w.children(0)
	case len(s.steps) == 0 || !s.steps[0].matches(sc, make([]int, len(s.steps[0].predicates))):
		return "", errNothing
	default:
		err = w.take(1)
	}
	switch {
	case err != nil:
		return "", err
	case len(w.found) == 0:
		return "", errNothing
	case len(w.found) > 1:
		return "", errSeveral
	}
	return strings.TrimSpace(w.found[0]), nil
}

type walker struct {
	*xmlscan.Scanner
	selector *Selector
	found    []string
}

// take consumes the element the scanner stands on, to which the first n steps have led.
func (w *walker) take(n int) error {
	if n < len(w.selector.steps) {
		return w.children(n)
	}
	if a := w.selector.attribute; a != nil {
		if v, ok := w.Attr(a.Space, a.Local); ok {
			w.found = append(w.found, v)
		}
		return w.Skip()
	}
	text, err := w.Text()
	if err == nil {
		w.found = append(w.found, text)
	}
	return err
}

// children looks for step n among the children of the element the scanner stands on, and consumes it.
func (w *walker) children(n int) error {
	if n == len(w.selector.steps) {
		return w.take(n)
	}
	st := &w.selector.steps[n]
	reached := make([]int, len(st.predicates))
	for w.Child() {
		var err error
		if st.matches(w.Scanner, reached) {
			err = w.take(n + 1)
		} else {
			err = w.Skip()
		}
		if err != nil {
			return err
		}
	}
	return w.Err()
}

// matches tells whether the element the scanner stands on is one of the step. reached counts, among siblings, how many have come as far as each predicate.
func (s *step) matches(sc *xmlscan.Scanner, reached []int) bool {
	if sc.Name() != s.name {
		return false
	}
	for i, p := range s.predicates {
		reached[i]++
		if p.position > 0 {
			if reached[i] != p.position {
				return false
			}
			continue
		}
		if v, ok := sc.Attr(p.attribute.Space, p.attribute.Local); !ok || v != p.value {
			return false
		}
	}
	return true
}
