package sdc

import (
	"fmt"
	"strings"
)

// UnknownRoot is the root of an instance identifier that has none (BICEPS R0135).
const UnknownRoot = "biceps.uri.unk"

// ContextKind is the scheme of a context scope (GLUE context scope).
type ContextKind string

// The kinds of context.
const (
	LocationContext ContextKind = "sdc.ctxt.loc"
	PatientContext  ContextKind = "sdc.ctxt.pat"
	EnsembleContext ContextKind = "sdc.ctxt.ens"
	WorkflowContext ContextKind = "sdc.ctxt.wfl"
	OperatorContext ContextKind = "sdc.ctxt.opr"
	MeansContext    ContextKind = "sdc.ctxt.mns"
)

// ContextScope is an associated context as a discovery scope: <kind>:/<root>/<extension>, and for a location its detail as query.
type ContextScope struct {
	Kind ContextKind
	// Root and Extension are the identification of the context; an empty Root stands for UnknownRoot.
	Root, Extension string
	// Location is written for LocationContext only.
	Location LocationDetail
}

// URI writes the scope. All parts are percent-encoded.
func (s ContextScope) URI() string {
	root := s.Root
	if root == "" {
		root = UnknownRoot
	}
	uri := string(s.Kind) + ":/" + percentEncode(root) + "/" + percentEncode(s.Extension)
	if s.Kind == LocationContext {
		if q := s.Location.query(); q != "" {
			uri += "?" + q
		}
	}
	return uri
}

// ParseContextScope reads a context scope of any kind. Unknown query keys are ignored; a key that occurs twice is an error.
func ParseContextScope(uri string) (ContextScope, error) {
	scheme, rest, ok := strings.Cut(uri, ":")
	if !ok {
		return ContextScope{}, fmt.Errorf("scope %q: no scheme", uri)
	}
	kind := ContextKind(strings.ToLower(scheme)) // schemes compare without case (RFC 3986)
	switch kind {
	case LocationContext, PatientContext, EnsembleContext, WorkflowContext, OperatorContext, MeansContext:
	default:
		return ContextScope{}, fmt.Errorf("scope %q: %q is no context scheme", uri, scheme)
	}
	rest, _, _ = strings.Cut(rest, "#")
	path, query, _ := strings.Cut(rest, "?")
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	if !strings.HasPrefix(path, "/") || len(parts) > 2 || parts[0] == "" {
		return ContextScope{}, fmt.Errorf("scope %q: the path is not /<root>/<extension>", uri)
	}
	s := ContextScope{Kind: kind}
	var err error
	if s.Root, err = percentDecode(parts[0]); err != nil {
		return ContextScope{}, fmt.Errorf("scope %q: root: %w", uri, err)
	}
	if len(parts) == 2 {
		if s.Extension, err = percentDecode(parts[1]); err != nil {
			return ContextScope{}, fmt.Errorf("scope %q: extension: %w", uri, err)
		}
	}
	if kind == LocationContext {
		if s.Location, err = parseLocationQuery(query); err != nil {
			return ContextScope{}, fmt.Errorf("scope %q: %w", uri, err)
		}
	}
	return s, nil
}
