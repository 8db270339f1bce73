package proxy

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net"
	"time"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/soap"
	"github.com/semeco/go-sdc/soap/dpws"
	"github.com/semeco/go-sdc/soap/eventing"
)

// build makes the event source and the server; at says at which addresses a request may reach them. Everything of the port type is at the root path.
func (p *Proxy) build(at func(*soap.Request) []string) (*eventing.Source, *soap.Server, error) {
	client := soap.ClientConfig{Insecure: p.cfg.Insecure, Dial: p.cfg.Dial, Journal: p.cfg.journal(), Logger: p.log}
	serve := soap.ServerConfig{
		Insecure: p.cfg.Insecure, StopTimeout: p.cfg.StopTimeout / 2, Journal: p.cfg.journal(), Logger: p.log,
		MaxBody:  64 << 10, // the largest message is a Hello
		MaxConns: 4096, Understood: []soap.Name{{Space: xmlscan.NsDiscovery, Local: "AppSequence"}},
	}
	if id := p.cfg.Identity; id != nil {
		subscriber, caller := sdc.Admission{Role: sdc.RoleConsumer}, sdc.Admission{Role: sdc.RoleBoth}
		client.TLS, serve.TLS = id.Open(subscriber), id.Accept(caller)
		client.Recheck, serve.Recheck = id.Recheck(subscriber), id.Recheck(caller)
	}
	server, err := soap.NewServer(serve)
	if err != nil {
		return nil, nil, err
	}
	events := eventing.SourceConfig{
		Client: client, BaseURLs: at, ManagerPath: "/subscriptions", Dialect: discovery.DialectProxy,
		MaxSubscriptions: p.cfg.MaxSubscriptions, MaxQueue: 2 * p.cfg.MaxEntries, MaxQueueBytes: 2 * p.cfg.MaxPerPeer * maxEndpoint, // all that one peer may have told at once
		Logger: p.log,
	}
	if p.cfg.NotifyAnywhere {
		events.AllowTarget = eventing.AnyTarget
	}
	source, err := eventing.NewSource(events)
	if err != nil {
		return nil, nil, err
	}
	wsdl := &soap.Document{ContentType: "application/xml; charset=utf-8", Body: description().AppendXML([]byte(`<?xml version="1.0" encoding="UTF-8"?>` + "\n"))}
	server.Handle("/", &soap.Endpoint{
		Actions: map[string]soap.Handler{
			discovery.ActionHello:    p.from(sdc.RoleProvider, p.hello),
			discovery.ActionBye:      p.from(sdc.RoleProvider, p.bye),
			discovery.ActionProbe:    p.from(sdc.RoleConsumer, p.probe),
			discovery.ActionResolve:  p.from(sdc.RoleConsumer, p.resolve),
			eventing.ActionSubscribe: p.from(sdc.RoleConsumer, source.SubscribeHandler(discovery.ActionHello, discovery.ActionBye)),
		},
		Get: func(_ context.Context, query string) (*soap.Document, error) {
			if query != "wsdl" {
				return nil, nil
			}
			return wsdl, nil
		},
	})
	server.HandlePrefix(source.ManagerPath(), source.ManagerEndpoint())
	return source, server, nil
}

// from lets only peers with a role call a handler. Certificates that state none have been let in by the operator's choice.
func (p *Proxy) from(want sdc.Role, handle soap.Handler) soap.Handler {
	if p.cfg.Identity == nil {
		return handle
	}
	return func(ctx context.Context, r *soap.Request) (*soap.Response, error) {
		if have := p.cfg.Identity.PeerRoles(r.Peer); have != 0 && have&want == 0 {
			p.log.Warn("request refused", "action", r.Header.Action, "subject", r.Peer.Subject.String(), "needs", want.String(), "has", have.String())
			return nil, soap.NewFault(soap.CodeSender, "this needs a certificate with the key purpose of a "+want.String())
		}
		return handle(ctx, r)
	}
}

// owner names who sent a request: the holder of a certificate, over its renewals, or a host where there is none.
func owner(r *soap.Request) string {
	if r.Peer == nil {
		host, _, err := net.SplitHostPort(r.RemoteAddr)
		if err != nil {
			return r.RemoteAddr
		}
		return host
	}
	h := sha256.New()
	h.Write(r.Peer.RawIssuer)
	h.Write(r.Peer.RawSubject)
	return hex.EncodeToString(h.Sum(nil))
}

func (p *Proxy) hello(_ context.Context, r *soap.Request) (*soap.Response, error) {
	a, err := discovery.DecodeHello(r.Envelope)
	if err != nil {
		return nil, err
	}
	for _, x := range a.Endpoint.XAddrs {
		if _, err := p.prober.Sender(x); err != nil {
			return nil, soap.InvalidMessage(err.Error())
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	what, err := p.reg.hello(a, owner(r), time.Now())
	wake(p.earlier)
	if err != nil {
		p.stats.Refused++
		p.log.Warn("Hello refused", "epr", a.Endpoint.EPR, "from", r.RemoteAddr, "error", err)
		return nil, err
	}
	p.stats.Hellos++
	switch what {
	case restarted:
		// Subscribers are to know that the life they know of is over.
		p.publishBye(a.Endpoint.EPR)
		p.publish(discovery.ActionHello, discovery.HelloBody(a.Endpoint))
	case changed:
		p.publish(discovery.ActionHello, discovery.HelloBody(a.Endpoint))
	case nothing:
		return nil, nil
	}
	wake(p.dirty)
	return nil, nil
}

func (p *Proxy) bye(_ context.Context, r *soap.Request) (*soap.Response, error) {
	a, err := discovery.DecodeBye(r.Envelope)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	left, err := p.reg.bye(a, owner(r))
	if err != nil {
		p.stats.Refused++
		p.log.Warn("Bye refused", "epr", a.Endpoint.EPR, "from", r.RemoteAddr, "error", err)
		return nil, err
	}
	if left {
		p.stats.Byes++
		p.publishBye(a.Endpoint.EPR)
	}
	return nil, nil
}

func (p *Proxy) probe(_ context.Context, r *soap.Request) (*soap.Response, error) {
	f, err := discovery.DecodeProbe(r.Envelope)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	p.stats.Probes++
	all := p.reg.endpoints()
	p.mu.Unlock()
	return &soap.Response{Action: discovery.ActionProbeMatches, Body: discovery.ProbeMatchesBody(match(f, all))}, nil
}

func (p *Proxy) resolve(_ context.Context, r *soap.Request) (*soap.Response, error) {
	epr, err := discovery.DecodeResolve(r.Envelope)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stats.Resolves++
	answer := &soap.Response{Action: discovery.ActionResolveMatches, Body: discovery.ResolveMatchesBody()}
	if e := p.reg.entries[epr]; e != nil {
		answer.Body = discovery.ResolveMatchesBody(e.endpoint)
	}
	return answer, nil
}

// publish is called under the lock, so that subscribers see the changes in their order.
func (p *Proxy) publish(action string, body soap.Body) {
	if p.source != nil && p.source.Wants(action) {
		p.source.Publish(action, body.AppendXML(nil))
	}
}

func (p *Proxy) publishBye(epr string) {
	p.publish(discovery.ActionBye, discovery.ByeBody(epr))
	wake(p.dirty)
}

// description is the WSDL of the port type dp:DiscoveryProxy (SDPi R7007).
func description() *dpws.Description {
	message := func(element, action string) *dpws.Message {
		return &dpws.Message{Element: xmlscan.Name{Space: xmlscan.NsDiscovery, Local: element}, Action: action}
	}
	oneWay := func(name, action string) dpws.Operation {
		return dpws.Operation{Name: name, SOAPAction: action, Input: message(name, action)}
	}
	report := func(name, element, action string) dpws.Operation {
		return dpws.Operation{Name: name, SOAPAction: action, Output: message(element, action)}
	}
	asking := func(name, action, answer string) dpws.Operation {
		return dpws.Operation{Name: name, SOAPAction: action, Input: message(name, action), Output: message(name+"Matches", answer)}
	}
	return &dpws.Description{TargetNamespace: discovery.NamespaceProxy, PortTypes: []dpws.PortType{{
		Name: "DiscoveryProxy", DiscoveryType: xmlscan.Name{Space: discovery.NamespaceProxy, Local: "DiscoveryProxy"},
		Operations: []dpws.Operation{
			report("HelloReport", "Hello", discovery.ActionHello),
			report("ByeReport", "Bye", discovery.ActionBye),
			oneWay("Hello", discovery.ActionHello),
			oneWay("Bye", discovery.ActionBye),
			asking("Probe", discovery.ActionProbe, discovery.ActionProbeMatches),
			asking("Resolve", discovery.ActionResolve, discovery.ActionResolveMatches),
		},
	}}}
}
