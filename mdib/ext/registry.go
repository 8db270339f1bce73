package ext

import (
	"errors"
	"fmt"

	"github.com/semeco/go-sdc/mdib/pm"
)

// Entry is an extension that an application understands.
type Entry struct {
	// Name of the element.
	Name pm.QName
	// Decode makes of the element, which declares all prefixes it uses, whatever the application works with. nil: the extension is understood but has no content.
	Decode func(element []byte) (any, error)
}

// Registry lists extensions that an application understands beyond those this package has types for: of its maker, of another profile. It is handed to
// participants (provider.Config, consumer.Config) and readers of messages (msg.Options.Understands); there is none that holds for
// everybody. Elements marked ext:MustUnderstand="true" that are in it are accepted, others still refused. A nil Registry is empty; it never changes.
type Registry struct {
	entries map[pm.QName]Entry
}

// NewRegistry makes a registry. The error tells of names without namespace, names of this package, and names given twice.
func NewRegistry(entries ...Entry) (*Registry, error) {
	r := &Registry{entries: make(map[pm.QName]Entry, len(entries))}
	var errs []error
	for _, e := range entries {
		_, twice := r.entries[e.Name]
		switch {
		case e.Name.Local == "" || e.Name.Space == "":
			errs = append(errs, fmt.Errorf("extension %q needs a namespace and a name", e.Name))
		case pm.KnownExtension(e.Name):
			errs = append(errs, fmt.Errorf("extension %s is known to the stack", e.Name))
		case twice:
			errs = append(errs, fmt.Errorf("extension %s is registered twice", e.Name))
		}
		r.entries[e.Name] = e
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return r, nil
}

// Understands tells whether an extension is in the registry; for msg.Options.
func (r *Registry) Understands(name pm.QName) bool {
	if r == nil {
		return false
	}
	_, ok := r.entries[name]
	return ok
}

// Decode returns what the registry makes of each extension it knows, in their order. The error names the first that cannot be read.
func (r *Registry) Decode(x pm.Extension) ([]any, error) {
	var out []any
	for i := range x {
		if !r.Understands(x[i].Name()) {
			continue
		}
		decode := r.entries[x[i].Name()].Decode
		if decode == nil {
			continue
		}
		v, err := decode(x[i].Raw.AppendXML(nil))
		if err != nil {
			return nil, fmt.Errorf("extension %s: %w", x[i].Name(), err)
		}
		out = append(out, v)
	}
	return out, nil
}

// Registered returns the first extension that the registry makes a T of.
func Registered[T any](r *Registry, x pm.Extension) (v T, ok bool, err error) {
	all, err := r.Decode(x)
	if err != nil {
		return v, false, err
	}
	for _, a := range all {
		if t, ok := a.(T); ok {
			return t, true, nil
		}
	}
	return v, false, nil
}
