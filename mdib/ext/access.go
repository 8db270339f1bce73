package ext

import (
	"fmt"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/mdib/internal/codec"
	"github.com/semeco/go-sdc/mdib/pm"
)

// Namespaces of the extensions.
const (
	// Namespace is the namespace of the SDPi extensions, prefix "sdpi".
	Namespace = pm.NsSDPi
	// NamespaceMPKP is the namespace of the extensions of IEEE 11073-10701, prefix "mpkp".
	NamespaceMPKP = pm.NsMPKP
)

func sdpi(local string) pm.QName { return pm.QName{Space: Namespace, Local: local} }

// decodable is a pointer to a type with generated decoder.
type decodable[T any] interface {
	*T
	DecodeElement(d *codec.Decoder) error
}

// get finds an extension and parses it.
func get[T any, P decodable[T]](x pm.Extension, name pm.QName) (v T, ok bool, err error) {
	ok, err = read(x, name, func(d *codec.Decoder) error { return P(&v).DecodeElement(d) })
	if !ok || err != nil {
		var zero T
		return zero, ok, err
	}
	return v, true, nil
}

// read finds an extension and has it parsed.
func read(x pm.Extension, name pm.QName, parse func(d *codec.Decoder) error) (ok bool, err error) {
	e, ok := x.Find(name)
	if !ok {
		return false, nil
	}
	s := e.Raw.Scanner()
	if err = s.Root(); err == nil {
		if err = parse(codec.New(s)); err == nil {
			err = s.End()
		}
	}
	if err != nil {
		return true, fmt.Errorf("extension %s: %w", name, err)
	}
	return true, nil
}

// set puts an extension there; element is its XML with the prefixes sdpi, mpkp, msg, pm and ext used but not declared.
func set(x *pm.Extension, name pm.QName, element []byte) {
	raw := xmlscan.Raw{Name: name, XML: element, Bindings: bindings(element)}
	// Written out at once, so that it equals what a reader gets back.
	raw = xmlscan.Raw{Name: name, XML: raw.AppendXML(nil)}
	x.Set(pm.ExtensionElement{Raw: raw})
}

// bindings returns the declarations of the prefixes in use, sorted by prefix.
func bindings(element []byte) []xmlscan.Binding {
	var out []xmlscan.Binding
	for _, b := range []xmlscan.Binding{
		{Prefix: "ext", URI: xmlscan.NsExt},
		{Prefix: "mpkp", URI: NamespaceMPKP},
		{Prefix: "msg", URI: xmlscan.NsMsg},
		{Prefix: "pm", URI: pm.Namespace},
		{Prefix: "sdpi", URI: Namespace},
	} {
		if usesPrefix(element, b.Prefix) {
			out = append(out, b)
		}
	}
	return out
}

// usesPrefix reports whether an element or attribute of the prefix may be in the XML.
func usesPrefix(element []byte, prefix string) bool {
	for i := 0; i+len(prefix)+1 < len(element); i++ {
		if c := element[i]; c != '<' && c != ' ' && c != '"' {
			continue
		}
		if string(element[i+1:i+1+len(prefix)]) == prefix && element[i+1+len(prefix)] == ':' {
			return true
		}
	}
	return false
}

// MarkMustUnderstand marks the extension of the given name ext:MustUnderstand="true", so that readers that do not
// know it refuse what it is attached to. ok is false when it is not there.
func MarkMustUnderstand(x *pm.Extension, name pm.QName) (ok bool) {
	e, ok := x.Find(name)
	if !ok || e.MustUnderstand {
		return ok
	}
	// The mark goes right behind the element's name, with a declaration of its own unless ext is declared there.
	doc := e.Raw.AppendXML(nil)
	s := xmlscan.NewScanner(doc, xmlscan.Limits{})
	if s.Root() != nil {
		return false
	}
	n := 1 + len(s.Name().Local)
	if p := s.Prefix(); p != "" {
		n += len(p) + 1
	}
	if _, has := s.AttrBytes(xmlscan.NsExt, "MustUnderstand"); has {
		return false // marked "false" by its maker: not ours to change
	}
	out := append([]byte(nil), doc[:n]...)
	prefix := "ext"
	if q, err := s.ResolveQName("ext:x"); err != nil {
		out = xmlscan.AppendNS(out, prefix, xmlscan.NsExt)
	} else if q.Space != xmlscan.NsExt {
		prefix = "ext-mark"
		out = xmlscan.AppendNS(out, prefix, xmlscan.NsExt)
	}
	out = xmlscan.AppendAttr(out, prefix+":MustUnderstand", "true")
	out = append(out, doc[n:]...)
	x.Set(pm.ExtensionElement{Raw: xmlscan.Raw{Name: name, XML: out}, MustUnderstand: true})
	return true
}
