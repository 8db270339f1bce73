package dpws

import (
	"context"
	"fmt"
	"strconv"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/soap"
)

// Description is the WSDL 1.1 of one hosted service: its port types, each with a
// SOAP 1.2 binding.
//
// What is written follows the rules that test tools check literally:
//   - no wsdl:import (GLUE 13);
//   - each binding, never a port type, holds an inline wsp:Policy that asserts the
//     DPWS and the MDPWS profile as optional (MDPWS R0010, R0011);
//   - each port type has the attribute dpws:DiscoveryType under exactly this
//     prefix, declared on wsdl:definitions (MDPWS R0014);
//   - port types with notifications are marked wse:EventSource.
//
// Schemas: wsdl:types holds one xsd:schema with an xsd:import for each namespace
// of the messages' elements, by name only. Whoever works with SDC has the schemas
// of the standard; a location would send a device's clients to the network, and
// wsdl:import is not allowed. Schemas given in Schemas are embedded instead.
type Description struct {
	TargetNamespace string
	PortTypes       []PortType
	// Schemas are whole xsd:schema elements to embed, for the namespaces they define.
	Schemas []Schema
}

// Schema is an xsd:schema element and the namespace it defines.
type Schema struct {
	TargetNamespace string
	XML             soap.RawBody // the element, declaring all its prefixes
}

// PortType is one service interface.
type PortType struct {
	Name string // local name in the target namespace
	// DiscoveryType is the value of dpws:DiscoveryType, a QName.
	DiscoveryType Name
	Operations    []Operation
	// Assertions are further elements of the binding's policy. They may use the prefixes wsp, dpws and mdpws.
	Assertions []soap.Body
}

// Operation is one operation. Without Input it is a notification.
type Operation struct {
	Name   string
	Input  *Message
	Output *Message // nil for a one-way request
	// SOAPAction is soapAction of the binding; "" takes the action of the input,
	// or of the output for a notification.
	SOAPAction string
}

// Message is one direction of an operation.
type Message struct {
	Name    string // local name in the target namespace; "" takes the element's local name
	Element Name   // body element
	Action  string // wsa:Action, written as wsam:Action
}

func (m *Message) name() string {
	if m.Name != "" {
		return m.Name
	}
	return m.Element.Local
}

func (o *Operation) soapAction() string {
	switch {
	case o.SOAPAction != "":
		return o.SOAPAction
	case o.Input != nil:
		return o.Input.Action
	case o.Output != nil:
		return o.Output.Action
	}
	return ""
}

// EventSource reports whether the port type has notifications.
func (p *PortType) EventSource() bool {
	for _, o := range p.Operations {
		if o.Input == nil && o.Output != nil {
			return true
		}
	}
	return false
}

// Validate checks that names are unique and that messages of one name agree.
func (d *Description) Validate() error {
	if d.TargetNamespace == "" {
		return fmt.Errorf("wsdl without target namespace")
	}
	ports := make(map[string]bool)
	messages := make(map[string]Name)
	for _, p := range d.PortTypes {
		if p.Name == "" || ports[p.Name] {
			return fmt.Errorf("wsdl port type %q is not unique", p.Name)
		}
		if p.DiscoveryType.Local == "" {
			return fmt.Errorf("wsdl port type %q has no discovery type", p.Name)
		}
		ports[p.Name] = true
		operations := make(map[string]bool)
		for _, o := range p.Operations {
			if o.Name == "" || operations[o.Name] {
				return fmt.Errorf("wsdl operation %q of %s is not unique", o.Name, p.Name)
			}
			operations[o.Name] = true
			if o.Input == nil && o.Output == nil {
				return fmt.Errorf("wsdl operation %q of %s has no message", o.Name, p.Name)
			}
			for _, m := range []*Message{o.Input, o.Output} {
				if m == nil {
					continue
				}
				if e, ok := messages[m.name()]; m.name() == "" || ok && e != m.Element {
					return fmt.Errorf("wsdl message %q stands for two elements", m.name())
				}
				messages[m.name()] = m.Element
			}
		}
	}
	return nil
}

// AppendXML appends the wsdl:definitions element.
func (d *Description) AppendXML(b []byte) []byte {
	w := &wsdlWriter{b: b, prefixes: map[string]string{d.TargetNamespace: "tns"}}
	w.b = append(w.b, `<wsdl:definitions xmlns:wsdl="`+xmlscan.NsWSDL+`" xmlns:s12="`+xmlscan.NsWSDLSOAP12+
		`" xmlns:wsam="`+xmlscan.NsWSAMeta+`" xmlns:wsp="`+xmlscan.NsPolicy+`" xmlns:wse="`+xmlscan.NsEventing+
		`" xmlns:dpws="`+xmlscan.NsDPWS+`" xmlns:mdpws="`+xmlscan.NsMDPWS+`" xmlns:xsd="`+xmlscan.NsXSD+`"`...)
	w.b = xmlscan.AppendNS(w.b, "tns", d.TargetNamespace)
	d.declare(w)
	w.b = xmlscan.AppendAttr(w.b, "targetNamespace", d.TargetNamespace)
	w.b = append(w.b, '>')
	d.appendTypes(w)
	d.appendMessages(w)
	for i := range d.PortTypes {
		d.PortTypes[i].appendPortType(w)
	}
	for i := range d.PortTypes {
		d.PortTypes[i].appendBinding(w)
	}
	return xmlscan.AppendEnd(w.b, "wsdl:definitions")
}

// wsdlWriter knows under which prefix each namespace of the definitions stands.
type wsdlWriter struct {
	b        []byte
	prefixes map[string]string
}

func (w *wsdlWriter) qname(n Name) string {
	if p := w.prefixes[n.Space]; p != "" {
		return p + ":" + n.Local
	}
	return n.Local
}

func (w *wsdlWriter) start(element string, attrs ...string) {
	w.b = xmlscan.AppendStart(w.b, element)
	for i := 0; i < len(attrs); i += 2 {
		if attrs[i+1] != "" {
			w.b = xmlscan.AppendAttr(w.b, attrs[i], attrs[i+1])
		}
	}
	w.b = append(w.b, '>')
}

func (w *wsdlWriter) empty(element string, attrs ...string) {
	w.start(element, attrs...)
	w.b = append(w.b[:len(w.b)-1], "/>"...)
}

func (w *wsdlWriter) end(element string) { w.b = xmlscan.AppendEnd(w.b, element) }

// declare declares the namespaces that QNames in attribute values use.
func (d *Description) declare(w *wsdlWriter) {
	next := 1
	add := func(space string) {
		if _, ok := w.prefixes[space]; ok || space == "" {
			return
		}
		p := soap.Prefix(space)
		// s12 is WSDL's binding here; others that are declared above mean the same.
		if p == "" || p == "s12" {
			p = "n" + strconv.Itoa(next)
			next++
		}
		w.prefixes[space] = p
		switch p {
		case "wse", "dpws", "mdpws", "xsd":
		default:
			w.b = xmlscan.AppendNS(w.b, p, space)
		}
	}
	for _, p := range d.PortTypes {
		add(p.DiscoveryType.Space)
		for _, o := range p.Operations {
			for _, m := range []*Message{o.Input, o.Output} {
				if m != nil {
					add(m.Element.Space)
				}
			}
		}
	}
}

func (d *Description) appendTypes(w *wsdlWriter) {
	w.start("wsdl:types")
	known := make(map[string]bool)
	for _, s := range d.Schemas {
		known[s.TargetNamespace] = true
		w.b = s.XML.AppendXML(w.b)
	}
	var imports []string
	for _, p := range d.PortTypes {
		for _, o := range p.Operations {
			for _, m := range []*Message{o.Input, o.Output} {
				if m != nil && !known[m.Element.Space] {
					known[m.Element.Space] = true
					imports = append(imports, m.Element.Space)
				}
			}
		}
	}
	if len(imports) > 0 {
		w.start("xsd:schema", "targetNamespace", d.TargetNamespace)
		for _, ns := range imports {
			w.empty("xsd:import", "namespace", ns)
		}
		w.end("xsd:schema")
	}
	w.end("wsdl:types")
}

func (d *Description) appendMessages(w *wsdlWriter) {
	written := make(map[string]bool)
	for _, p := range d.PortTypes {
		for _, o := range p.Operations {
			for _, m := range []*Message{o.Input, o.Output} {
				if m == nil || written[m.name()] {
					continue
				}
				written[m.name()] = true
				w.start("wsdl:message", "name", m.name())
				w.empty("wsdl:part", "name", "parameters", "element", w.qname(m.Element))
				w.end("wsdl:message")
			}
		}
	}
}

func (p *PortType) appendPortType(w *wsdlWriter) {
	source := ""
	if p.EventSource() {
		source = "true"
	}
	w.start("wsdl:portType", "name", p.Name,
		"dpws:DiscoveryType", w.qname(p.DiscoveryType), "wse:EventSource", source)
	for _, o := range p.Operations {
		w.start("wsdl:operation", "name", o.Name)
		if o.Input != nil {
			w.empty("wsdl:input", "message", "tns:"+o.Input.name(), "wsam:Action", o.Input.Action)
		}
		if o.Output != nil {
			w.empty("wsdl:output", "message", "tns:"+o.Output.name(), "wsam:Action", o.Output.Action)
		}
		w.end("wsdl:operation")
	}
	w.end("wsdl:portType")
}

func (p *PortType) appendBinding(w *wsdlWriter) {
	w.start("wsdl:binding", "name", p.Name+"Binding", "type", "tns:"+p.Name)
	w.empty("s12:binding", "style", "document", "transport", "http://schemas.xmlsoap.org/soap/http")
	w.start("wsp:Policy")
	w.empty("dpws:Profile", "wsp:Optional", "true")
	w.empty("mdpws:Profile", "wsp:Optional", "true")
	for _, a := range p.Assertions {
		w.b = a.AppendXML(w.b)
	}
	w.end("wsp:Policy")
	for _, o := range p.Operations {
		w.start("wsdl:operation", "name", o.Name)
		w.empty("s12:operation", "soapAction", o.soapAction())
		if o.Input != nil {
			w.start("wsdl:input")
			w.empty("s12:body", "use", "literal")
			w.end("wsdl:input")
		}
		if o.Output != nil {
			w.start("wsdl:output")
			w.empty("s12:body", "use", "literal")
			w.end("wsdl:output")
		}
		w.end("wsdl:operation")
	}
	w.end("wsdl:binding")
}

// Serve returns what a [soap.Endpoint] needs to serve the WSDL at ?wsdl, as
// application/xml: some hold every response of a device against MDPWS R0006, which knows that and SOAP's own type only. The document is built once.
func (d *Description) Serve() func(context.Context, string) (*soap.Document, error) {
	doc := &soap.Document{
		ContentType: "application/xml; charset=utf-8",
		Body:        d.AppendXML([]byte(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")),
	}
	return func(_ context.Context, query string) (*soap.Document, error) {
		if query != "wsdl" {
			return nil, nil
		}
		return doc, nil
	}
}
