package provider

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/audit"
	"github.com/semeco/go-sdc/soap"
	"github.com/semeco/go-sdc/soap/dpws"
	"github.com/semeco/go-sdc/soap/eventing"
)

// AccessKind is a kind of access to a device.
type AccessKind string

// Kinds of access.
const (
	// AccessMetadata asks what the device is and has: model, services, directed Probe.
	AccessMetadata AccessKind = "metadata"
	// AccessRead asks for data: the MDIB or parts, contexts, texts, the archive.
	AccessRead AccessKind = "read"
	// AccessSubscribe asks for one kind of notification.
	AccessSubscribe AccessKind = "subscribe"
	// AccessControl calls an operation.
	AccessControl AccessKind = "control"
)

// Access is what somebody wants to do.
type Access struct {
	// Peer is who asks; without certificate over plain HTTP.
	Peer *sdc.Peer
	Kind AccessKind
	// Service is the port type, for example sdc.SetService; "" for metadata.
	Service string
	// Action is the WS-Addressing action of the request; for AccessSubscribe that of the notification.
	Action string
	// Operation is the descriptor of the operation called, for AccessControl only.
	Operation pm.OperationDescriptor
	// MDIB is the current one, to look up where an operation and its target stand.
	MDIB *mdib.Snapshot
}

// Policy decides what trusted peers may do. It is asked for each request, not for each report, and must be safe for concurrent use.
type Policy interface {
	// Authorise returns nil to permit. The text of an error is told to the peer.
	Authorise(ctx context.Context, a *Access) error
}

// PolicyFunc is a function as a Policy.
type PolicyFunc func(ctx context.Context, a *Access) error

// Authorise calls the function.
func (f PolicyFunc) Authorise(ctx context.Context, a *Access) error { return f(ctx, a) }

// ErrReadOnly is the refusal of ReadOnly.
var ErrReadOnly = errors.New("this consumer may not control the device")

// ReadOnly permits everything but operations to every trusted peer. It is the policy of a device with an Identity that states none.
func ReadOnly() Policy {
	return PolicyFunc(func(_ context.Context, a *Access) error {
		if a.Kind == AccessControl {
			return ErrReadOnly
		}
		return nil
	})
}

// AllowAll permits everything to every trusted peer, operations included. It is the policy of a device without an Identity (Config.Insecure), which cannot
// tell its callers apart.
func AllowAll() Policy {
	return PolicyFunc(func(context.Context, *Access) error { return nil })
}

// authorise asks the policy and records a refusal.
func (p *Provider) authorise(ctx context.Context, a *Access) error {
	a.MDIB = p.store.Load()
	err := p.cfg.Policy.Authorise(ctx, a)
	if err != nil {
		p.log.Debug("request denied", "peer", a.Peer, "access", string(a.Kind), "action", a.Action, "reason", err)
		e := audit.Event{Kind: audit.Denied, Service: a.Service, Action: a.Action, Reason: err.Error()}
		if a.Operation != nil {
			e.Operation, e.Target = a.Operation.Base().Handle, a.Operation.BaseOperation().OperationTarget
		}
		p.record(a.Peer, e)
	}
	return err
}

// failedAuthentication is the subcode of WS-Security for a peer that "could not be authenticated or authorized".
var failedAuthentication = xmlscan.Name{
	Space: "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd", Local: "FailedAuthentication",
}

// denied is the fault for a request that the policy refused.
func denied(err error) *soap.Fault {
	f := soap.NewFault(soap.CodeSender, "not permitted: "+err.Error(), failedAuthentication)
	f.Status, f.Cause = http.StatusForbidden, err
	return f
}

// guard stands before a handler: it tells the handler who asks, and asks the policy. Operations and subscriptions are decided on where it is known what they are about.
func (p *Provider) guard(kind AccessKind, service string, h soap.Handler) soap.Handler {
	return func(ctx context.Context, r *soap.Request) (*soap.Response, error) {
		peer := &sdc.Peer{Certificate: r.Peer, Remote: r.RemoteAddr}
		ctx = sdc.WithPeer(ctx, peer)
		if kind != AccessMetadata && kind != AccessRead {
			return h(ctx, r)
		}
		if err := p.authorise(ctx, &Access{Peer: peer, Kind: kind, Service: service, Action: r.Header.Action}); err != nil {
			return nil, denied(err)
		}
		resp, err := h(ctx, r)
		if err == nil {
			p.record(peer, audit.Event{Kind: audit.Read, Service: service, Action: r.Header.Action})
		}
		return resp, err
	}
}

// authoriseSubscription decides on a subscription: every notification must be permitted.
func (p *Provider) authoriseSubscription(ctx context.Context, r *soap.Request, actions []string) error {
	peer := &sdc.Peer{Certificate: r.Peer, Remote: r.RemoteAddr}
	for _, action := range actions {
		if err := p.authorise(ctx, &Access{Peer: peer, Kind: AccessSubscribe, Service: p.serviceByAction[action], Action: action}); err != nil {
			return denied(err)
		}
	}
	for _, action := range actions {
		p.record(peer, audit.Event{Kind: audit.Subscribed, Service: p.serviceByAction[action], Action: action})
	}
	return nil
}

// guarded puts the guard before every handler of a hosted service.
func (p *Provider) guarded(port string, actions map[string]soap.Handler) map[string]soap.Handler {
	out := make(map[string]soap.Handler, len(actions))
	for action, h := range actions {
		kind, service := AccessRead, p.serviceByAction[action]
		switch action {
		case dpws.ActionGet, dpws.ActionGetMetadata, discovery.ActionProbe:
			kind = AccessMetadata
		case eventing.ActionSubscribe:
			if kind = AccessSubscribe; port == sdc.HistoryService {
				kind, service = AccessRead, port // it is answered with data, not with what happens
			}
		default:
			if isInvocation(action) {
				kind = AccessControl
			}
		}
		out[action] = p.guard(kind, service, h)
	}
	return out
}

// isInvocation tells whether an action calls an operation.
func isInvocation(action string) bool {
	switch action {
	case sdc.ActionSetValue, sdc.ActionSetString, sdc.ActionActivate, sdc.ActionSetMetricState, sdc.ActionSetComponentState, sdc.ActionSetAlertState, sdc.ActionSetContextState:
		return true
	}
	return false
}

// servicesByAction maps the actions of requests and notifications to their port types.
func servicesByAction() map[string]string {
	out := map[string]string{}
	for _, s := range sdc.Services() {
		for _, o := range s.Operations {
			out[o.Action] = s.Name
		}
	}
	return out
}

// record tells the audit of something a peer did.
func (p *Provider) record(peer *sdc.Peer, e audit.Event) {
	if p.cfg.Audit == nil {
		return
	}
	e.Time, e.Device = p.now(), p.cfg.EPR
	e.Fingerprint, e.Subject, e.Remote = peer.Fingerprint(), peer.Subject(), peer.Remote
	p.cfg.Audit.Record(e)
}

// recordRefusal tells the audit of a peer that was not accepted, unless there are so many that the record would fill the disk.
func (p *Provider) recordRefusal(e *sdc.PeerError) {
	if p.cfg.Audit == nil {
		return
	}
	ok, untold := p.refusals.Tell(time.Now())
	if !ok {
		return
	}
	p.cfg.Audit.Record(audit.Event{
		Time: p.now(), Kind: audit.Refused, Device: p.cfg.EPR, Fingerprint: e.Fingerprint, Subject: e.Subject, Remote: e.Remote, Reason: e.Error(), Count: untold,
	})
}
