package sdc

import (
	"fmt"
	"strings"
)

// DefaultCodingSystem is the coding system that an absent one stands for; scopes leave it empty.
const DefaultCodingSystem = "urn:oid:1.2.840.10004.1.1.1.0.0.1"

const (
	schemeType     = "sdc.cdc.type"
	schemePKP      = "sdc.mds.pkp"
	schemeProdSpec = "sdc.mds.prodspec"
	schemeAttr     = "sdc.mds.attr"
)

// PKPScope returns the discovery scope of a participant key purpose; PKPScope(OIDProvider) is the plain SDC service provider's (GLUE PKP scope).
func PKPScope(oid string) string { return schemePKP + ":" + oid }

// ParsePKPScope returns the key purpose that a scope states.
func ParsePKPScope(uri string) (oid string, err error) {
	oid, ok := cutScheme(uri, schemePKP)
	if !ok || oid == "" {
		return "", fmt.Errorf("scope %q: not %s:<oid>", uri, schemePKP)
	}
	return oid, nil
}

// CodeScope is the type of an MDS as a discovery scope: sdc.cdc.type:/<coding system>/<version>/<code> (GLUE MDS type scope).
type CodeScope struct {
	// CodingSystem is a URI; empty and DefaultCodingSystem are the same and written empty.
	CodingSystem string
	// Version is the coding system's version, mostly empty.
	Version string
	// Code, never empty.
	Code string
}

// URI writes the scope. All parts are percent-encoded.
func (s CodeScope) URI() string {
	system := s.CodingSystem
	if system == DefaultCodingSystem {
		system = ""
	}
	return schemeType + ":/" + percentEncode(system) + "/" + percentEncode(s.Version) + "/" + percentEncode(s.Code)
}

// ParseCodeScope reads an MDS type scope; an empty coding system stays empty.
func ParseCodeScope(uri string) (CodeScope, error) {
	path, ok := cutScheme(uri, schemeType)
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	if !ok || !strings.HasPrefix(path, "/") || len(parts) != 3 || parts[2] == "" {
		return CodeScope{}, fmt.Errorf("scope %q: not %s:/<coding system>/<version>/<code>", uri, schemeType)
	}
	if err := decodeAll(parts); err != nil {
		return CodeScope{}, fmt.Errorf("scope %q: %w", uri, err)
	}
	return CodeScope{CodingSystem: parts[0], Version: parts[1], Code: parts[2]}, nil
}

// ProdSpecScope is a production specification as a discovery scope (SDPi R0010):
// sdc.mds.prodspec:<value>:<code>[,<coding system>[,<version>]][:<root>[,<ext>]].
type ProdSpecScope struct {
	Value string
	Code  string
	// CodingSystem and Version of the code; empty (or DefaultCodingSystem) when default. A Version needs a CodingSystem on the wire, so the default is then written out.
	CodingSystem, Version string
	// Root and Extension identify the component the specification is about; both may be empty.
	Root, Extension string
}

// URI writes the scope. All parts are percent-encoded.
func (s ProdSpecScope) URI() string {
	uri := schemeProdSpec + ":" + percentEncode(s.Value) + ":" + percentEncode(s.Code)
	system := s.CodingSystem
	if system == DefaultCodingSystem {
		system = ""
	}
	if s.Version != "" && system == "" {
		system = DefaultCodingSystem
	}
	if system != "" {
		uri += "," + percentEncode(system)
		if s.Version != "" {
			uri += "," + percentEncode(s.Version)
		}
	}
	if s.Root != "" || s.Extension != "" {
		root := s.Root
		if root == "" {
			root = UnknownRoot
		}
		uri += ":" + percentEncode(root)
		if s.Extension != "" {
			uri += "," + percentEncode(s.Extension)
		}
	}
	return uri
}

// ParseProdSpecScope reads a production specification scope.
func ParseProdSpecScope(uri string) (ProdSpecScope, error) {
	rest, ok := cutScheme(uri, schemeProdSpec)
	parts := strings.Split(rest, ":")
	if !ok || len(parts) < 2 || len(parts) > 3 {
		return ProdSpecScope{}, fmt.Errorf("scope %q: not %s:<value>:<code>[:<component>]", uri, schemeProdSpec)
	}
	code := strings.Split(parts[1], ",")
	if len(code) > 3 || code[0] == "" {
		return ProdSpecScope{}, fmt.Errorf("scope %q: %q is not <code>[,<coding system>[,<version>]]", uri, parts[1])
	}
	var component []string
	if len(parts) == 3 {
		component = strings.Split(parts[2], ",")
		if len(component) > 2 || component[0] == "" {
			return ProdSpecScope{}, fmt.Errorf("scope %q: %q is not <root>[,<ext>]", uri, parts[2])
		}
	}
	value := []string{parts[0]}
	for _, list := range [][]string{value, code, component} {
		if err := decodeAll(list); err != nil {
			return ProdSpecScope{}, fmt.Errorf("scope %q: %w", uri, err)
		}
	}
	code, component = append(code, "", ""), append(component, "", "")
	return ProdSpecScope{Value: value[0], Code: code[0], CodingSystem: code[1], Version: code[2], Root: component[0], Extension: component[1]}, nil
}

// AttrScope is an attribute of an MDS as a discovery scope (SDPi R0011): sdc.mds.attr:<value>:<code>.
type AttrScope struct {
	Value string
	Code  string
}

// URI writes the scope. All parts are percent-encoded.
func (s AttrScope) URI() string {
	return schemeAttr + ":" + percentEncode(s.Value) + ":" + percentEncode(s.Code)
}

// ParseAttrScope reads an attribute scope.
func ParseAttrScope(uri string) (AttrScope, error) {
	rest, ok := cutScheme(uri, schemeAttr)
	parts := strings.Split(rest, ":")
	if !ok || len(parts) != 2 || parts[1] == "" {
		return AttrScope{}, fmt.Errorf("scope %q: not %s:<value>:<code>", uri, schemeAttr)
	}
	if err := decodeAll(parts); err != nil {
		return AttrScope{}, fmt.Errorf("scope %q: %w", uri, err)
	}
	return AttrScope{Value: parts[0], Code: parts[1]}, nil
}

// cutScheme returns what follows the scheme, which compares without case (RFC 3986).
func cutScheme(uri, scheme string) (string, bool) {
	got, rest, ok := strings.Cut(uri, ":")
	if !ok || !strings.EqualFold(got, scheme) {
		return "", false
	}
	return rest, true
}

func decodeAll(parts []string) error {
	for i, p := range parts {
		text, err := percentDecode(p)
		if err != nil {
			return err
		}
		parts[i] = text
	}
	return nil
}
