package provider

import (
	"slices"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/soap"
	"github.com/semeco/go-sdc/soap/dpws"
	"github.com/semeco/go-sdc/soap/eventing"
)

// hosted is one hosted service: port types that share an address.
type hosted struct {
	id    string // ServiceId and last path element
	types []string
}

// hostedServices lists what the device offers. The four port types that report belong into one hosted service (GLUE R0034_0).
func (p *Provider) hostedServices() []hosted {
	all := []hosted{
		{"Get", []string{sdc.GetService}},
		{"StateEvent", []string{sdc.StateEventService, sdc.ContextService, sdc.DescriptionEventService, sdc.WaveformService}},
		{"Set", []string{sdc.SetService}},
	}
	if p.cfg.Localization != nil {
		all = append(all, hosted{"Localization", []string{sdc.LocalizationService}})
	}
	if p.cfg.ContainmentTree {
		all = append(all, hosted{"ContainmentTree", []string{sdc.ContainmentTreeService}})
	}
	if p.cfg.Archive {
		all = append(all, hosted{"Archive", []string{sdc.ArchiveService}})
	}
	return all
}

// mount puts the endpoints of the device and its hosted services on the server. at says at which addresses a request may reach them, the best first.
func (p *Provider) mount(server *soap.Server, source *eventing.Source, target *discovery.Target, at func(*soap.Request) []string) error {
	device := p.devicePath() // of which metadata get the address that the request came to
	host := &dpws.Host{Endpoint: soap.NewEndpoint(p.cfg.EPR), Types: dpws.DeviceTypes()}
	all := &dpws.Metadata{ThisModel: &p.cfg.Model, ThisDevice: &p.cfg.Device, Host: host}
	handlers := p.handlersByElement()
	for _, h := range p.hostedServices() {
		entry := dpws.Hosted{Endpoints: []soap.EndpointReference{soap.NewEndpoint(device + "/" + h.id)}, ServiceID: h.id}
		actions := map[string]soap.Handler{}
		var notifications []string
		description := &dpws.Description{TargetNamespace: sdc.NamespaceGlue}
		for _, name := range h.types {
			service, _ := sdc.ServiceByName(name)
			entry.Types = append(entry.Types, xmlscan.Name{Space: sdc.NamespaceGlue, Local: name})
			port := portType(service)
			if p.assertsSafety(name) {
				port.Assertions = append(port.Assertions, soap.RawBody(safetyAssertion))
			}
			description.PortTypes = append(description.PortTypes, port)
			notifications = append(notifications, service.Notifications()...)
			for _, o := range service.Operations {
				if handle, ok := handlers[o.Input()]; ok {
					actions[o.Action] = handle
				}
			}
		}
		if len(notifications) > 0 {
			actions[eventing.ActionSubscribe] = source.SubscribeHandler(notifications...)
		}
		if err := p.mountService(server, host, entry, description, actions, at); err != nil {
			return err
		}
		all.Hosted = append(all.Hosted, entry)
	}
	if p.cfg.History {
		entry := dpws.Hosted{
			Endpoints: []soap.EndpointReference{soap.NewEndpoint(device + "/History")}, ServiceID: "History",
			Types: []xmlscan.Name{{Space: sdc.NamespaceHistory, Local: sdc.HistoryService}},
		}
		actions := map[string]soap.Handler{eventing.ActionSubscribe: source.FeedHandler(sdc.DialectHistory, p.openHistory)}
		if err := p.mountService(server, host, entry, historyDescription(), actions, at); err != nil {
			return err
		}
		all.Hosted = append(all.Hosted, entry)
	}
	if err := all.Validate(); err != nil {
		return err
	}
	server.Handle(p.devicePath(), &soap.Endpoint{Actions: p.guarded("", map[string]soap.Handler{
		dpws.ActionGet:         dpws.HandleGet(metadataAt(all, at)),
		dpws.ActionGetMetadata: dpws.HandleGetMetadata(metadataAt(all, at)),
		discovery.ActionProbe:  target.HandleProbe,
	})})
	return nil
}

// mountService puts one hosted service with its metadata and WSDL on the server.
func (p *Provider) mountService(server *soap.Server, host *dpws.Host, entry dpws.Hosted, description *dpws.Description, actions map[string]soap.Handler, at func(*soap.Request) []string) error {
	if err := description.Validate(); err != nil {
		return err
	}
	own := &dpws.Metadata{Host: host, Hosted: []dpws.Hosted{entry}, WSDL: []string{entry.Endpoints[0].Address + "/?wsdl"}}
	actions[dpws.ActionGetMetadata] = dpws.HandleGetMetadata(metadataAt(own, at))
	actions[dpws.ActionGet] = dpws.HandleGet(metadataAt(own, at))
	server.Handle(p.devicePath()+"/"+entry.ServiceID, &soap.Endpoint{Actions: p.guarded(entry.Types[0].Local, actions), Get: description.Serve()})
	return nil
}

// metadataAt returns what makes metadata with paths into such with the address that a request came to: it is reached from where that came from.
func metadataAt(m *dpws.Metadata, at func(*soap.Request) []string) func(*soap.Request) *dpws.Metadata {
	return func(r *soap.Request) *dpws.Metadata {
		base := at(r)[0]
		out := *m
		out.Hosted = slices.Clone(m.Hosted)
		for i, h := range out.Hosted {
			out.Hosted[i].Endpoints = slices.Clone(h.Endpoints)
			for j := range h.Endpoints {
				out.Hosted[i].Endpoints[j].Address = base + h.Endpoints[j].Address
			}
		}
		out.WSDL = slices.Clone(m.WSDL)
		for i, path := range out.WSDL {
			out.WSDL[i] = base + path
		}
		return &out
	}
}

// portType is a service as its WSDL has it (GLUE 13, GLUE R0042_0).
func portType(s sdc.Service) dpws.PortType {
	element := func(local string) xmlscan.Name { return xmlscan.Name{Space: sdc.NamespaceMessage, Local: local} }
	p := dpws.PortType{Name: s.Name, DiscoveryType: xmlscan.Name{Space: sdc.NamespaceServiceProvider, Local: "ServiceProvider"}}
	for _, o := range s.Operations {
		op := dpws.Operation{Name: o.Name, SOAPAction: o.Action, Output: &dpws.Message{Element: element(o.Output()), Action: o.OutputAction()}}
		if !o.Notification {
			op.Input = &dpws.Message{Element: element(o.Input()), Action: o.Action}
		}
		p.Operations = append(p.Operations, op)
	}
	return p
}

// serviceOf is the service that calls of an operation go to.
func serviceOf(op pm.OperationDescriptor) string {
	if kindOf(op) == kindSetContextState {
		return sdc.ContextService
	}
	return sdc.SetService
}

// describe fills the names that users see from the meta data of the first MDS.
func (c *Config) describe() {
	var mds *pm.MdsDescriptor
	for handle := range c.MDIB.Roots() {
		d, _ := c.MDIB.Descriptor(handle)
		mds, _ = d.(*pm.MdsDescriptor)
		break
	}
	if mds == nil {
		return
	}
	var meta pm.MetaData
	if mds.MetaData != nil {
		meta = *mds.MetaData
	}
	fillTexts(&c.Model.Manufacturer, meta.Manufacturer, "unknown manufacturer")
	fillTexts(&c.Model.ModelName, meta.ModelName, "SDC device")
	if c.Model.ModelNumber == "" {
		c.Model.ModelNumber = meta.ModelNumber
	}
	if c.Device.SerialNumber == "" && len(meta.SerialNumber) > 0 {
		c.Device.SerialNumber = meta.SerialNumber[0]
	}
	var names []pm.LocalizedText
	if mds.Type != nil {
		names = mds.Type.ConceptDescription
	}
	fillTexts(&c.Device.FriendlyName, names, mds.Handle)
}

func fillTexts(to *[]dpws.LocalizedString, from []pm.LocalizedText, otherwise string) {
	if len(*to) > 0 {
		return
	}
	for _, t := range from {
		if t.Text != "" {
			*to = append(*to, dpws.LocalizedString{Text: t.Text, Lang: t.Lang})
		}
	}
	if len(*to) == 0 {
		*to = dpws.Localized(otherwise, "en")
	}
}
