package soap

import (
	"strconv"
	"strings"

	"github.com/semeco/go-sdc/internal/xmlscan"
)

// AppendQNames writes an element whose content is a blank-separated list of
// QNames, such as dpws:Types or wsd:Types, and declares on it every prefix the
// text uses. A namespace without a well-known prefix (see [Prefix]) gets t1, t2
// ...; a name in no namespace is written bare, for which an inherited default
// namespace is undone.
func AppendQNames(b []byte, element string, names []Name) []byte {
	b = xmlscan.AppendStart(b, element)
	b, prefixes := appendBindings(b, names)
	b = append(b, '>')
	for i, n := range names {
		if i > 0 {
			b = append(b, ' ')
		}
		if p := prefixes[i]; p != "" {
			b = append(b, p...)
			b = append(b, ':')
		}
		b = xmlscan.AppendText(b, n.Local)
	}
	return xmlscan.AppendEnd(b, element)
}

// appendBindings declares the namespaces of names in a start tag and returns the
// prefix for each name.
func appendBindings(b []byte, names []Name) ([]byte, []string) {
	prefixes := make([]string, len(names))
	next := 1
names:
	for i, n := range names {
		for j, o := range names[:i] {
			if o.Space == n.Space {
				prefixes[i] = prefixes[j]
				continue names
			}
		}
		if n.Space == "" {
			b = append(b, ` xmlns=""`...)
			continue
		}
		p := Prefix(n.Space)
		if p == "" {
			p = "t" + strconv.Itoa(next)
			next++
		}
		prefixes[i] = p
		b = xmlscan.AppendNS(b, p, n.Space)
	}
	return b, prefixes
}

// DecodeQNames reads the element the scanner stands on as a list of QNames and
// resolves each against the bindings in scope; a name without a prefix is in the
// default namespace (BICEPS R0214, R0215). Absent or blank content is an empty list.
func DecodeQNames(s *xmlscan.Scanner) ([]Name, error) {
	// The element's own declarations go out of scope with Text, so that the raw
	// element is read and resolved by a scanner that stays on it.
	raw, err := s.Raw()
	if err != nil {
		return nil, err
	}
	text, err := rawText(raw)
	if err != nil {
		return nil, s.Errorf("%v", err)
	}
	fields := strings.Fields(text)
	if len(fields) == 0 {
		return nil, nil
	}
	in := raw.Scanner()
	if err := in.Root(); err != nil {
		return nil, s.Errorf("%v", err)
	}
	names := make([]Name, 0, len(fields))
	for _, f := range fields {
		n, err := in.ResolveQName(f)
		if err != nil {
			return nil, s.Errorf("QName %q: %v", f, err)
		}
		names = append(names, n)
	}
	return names, nil
}

func rawText(r xmlscan.Raw) (string, error) {
	s := r.Scanner()
	if err := s.Root(); err != nil {
		return "", err
	}
	return s.Text()
}
