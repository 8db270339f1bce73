package pm

import (
	"slices"

	"github.com/semeco/go-sdc/internal/xmlscan"
)

// Extension is the content of an ext:Extension element: elements of other namespaces, kept as they were
// written together with the namespace bindings they need. An empty Extension is not written.
// Package ext reads and writes the ones SDPi defines.
type Extension []ExtensionElement

// ExtensionElement is one extension.
type ExtensionElement struct {
	// Raw is the element. Its Name is the element's name, its AppendXML writes it so that it stands alone.
	Raw xmlscan.Raw
	// MustUnderstand is the element's ext:MustUnderstand attribute: a reader that does not
	// know the extension must not use what it is attached to.
	MustUnderstand bool
}

// Name returns the element's name.
func (e ExtensionElement) Name() QName { return e.Raw.Name }

// Find returns the first extension of the given name.
func (x Extension) Find(name QName) (ExtensionElement, bool) {
	for i := range x {
		if x[i].Raw.Name == name {
			return x[i], true
		}
	}
	return ExtensionElement{}, false
}

// Set replaces the first extension of the same name and drops further ones, or appends. The slice
// x had before is left as it was, so that a shallow copy of it is not changed.
func (x *Extension) Set(e ExtensionElement) {
	out := make(Extension, 0, len(*x)+1)
	done := false
	for _, o := range *x {
		if o.Raw.Name != e.Raw.Name {
			out = append(out, o)
		} else if !done {
			out = append(out, e)
			done = true
		}
	}
	if !done {
		out = append(out, e)
	}
	*x = out
}

// Remove drops all extensions of the given name. The slice x had before is left as it was.
func (x *Extension) Remove(name QName) {
	if !slices.ContainsFunc(*x, func(e ExtensionElement) bool { return e.Raw.Name == name }) {
		return
	}
	var out Extension
	for _, o := range *x {
		if o.Raw.Name != name {
			out = append(out, o)
		}
	}
	*x = out
}

// Clone returns a deep copy.
func (x Extension) Clone() Extension {
	if x == nil {
		return nil
	}
	out := make(Extension, len(x))
	for i := range x {
		out[i] = ExtensionElement{Raw: x[i].Raw.Clone(), MustUnderstand: x[i].MustUnderstand}
	}
	return out
}

// Equal reports whether both hold the same elements, written alike, in the same order.
func (x Extension) Equal(o Extension) bool {
	return slices.EqualFunc(x, o, func(a, b ExtensionElement) bool { return a.Raw.Equal(b.Raw) })
}

// MustUnderstandError is the cause of a refusal: an extension marked ext:MustUnderstand="true" is not known.
type MustUnderstandError struct {
	Name QName
}

func (e *MustUnderstandError) Error() string {
	return "extension " + e.Name.String() + " must be understood but is not known"
}
