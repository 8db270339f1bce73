package provider

import (
	"context"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/soap"
)

// handlersByElement maps the request element of every operation this provider implements to its handler. What the service table has
// beyond it is answered with ActionNotSupported.
func (p *Provider) handlersByElement() map[string]soap.Handler {
	h := map[string]soap.Handler{}
	add(h, p.getMdib)
	add(h, p.getMdDescription)
	add(h, p.getMdState)
	add(h, p.getContextStates)
	add(h, invoking[*msg.SetValue](p, func() msg.SetResponse { return &msg.SetValueResponse{} }))
	add(h, invoking[*msg.SetString](p, func() msg.SetResponse { return &msg.SetStringResponse{} }))
	add(h, invoking[*msg.Activate](p, func() msg.SetResponse { return &msg.ActivateResponse{} }))
	add(h, invoking[*msg.SetAlertState](p, func() msg.SetResponse { return &msg.SetAlertStateResponse{} }))
	add(h, invoking[*msg.SetComponentState](p, func() msg.SetResponse { return &msg.SetComponentStateResponse{} }))
	add(h, invoking[*msg.SetMetricState](p, func() msg.SetResponse { return &msg.SetMetricStateResponse{} }))
	add(h, invoking[*msg.SetContextState](p, func() msg.SetResponse { return &msg.SetContextStateResponse{} }))
	if p.cfg.Localization != nil {
		add(h, p.getLocalizedText)
		add(h, p.getSupportedLanguages)
	}
	if p.cfg.ContainmentTree {
		add(h, p.getContainmentTree)
		add(h, p.getDescriptor)
	}
	if p.cfg.Archive {
		add(h, p.getDescriptorsFromArchive)
		add(h, p.getStatesFromArchive)
	}
	if p.cfg.ContextQueries {
		add(h, p.getContextStatesByIdentification)
		add(h, p.getContextStatesByFilter)
	}
	return h
}

// add wraps what answers a request into what decodes it first. A body that is not the request of the action is a Sender fault (MDPWS R0012).
func add[R msg.Message](handlers map[string]soap.Handler, answer func(context.Context, *soap.Request, R) (soap.Body, error)) {
	var zero R
	name := zero.BodyName()
	handlers[name.Local] = func(ctx context.Context, r *soap.Request) (*soap.Response, error) {
		m, err := soap.Decode(r.Envelope, name, decodeMessage)
		if err != nil {
			return nil, err
		}
		request, ok := m.(R)
		if !ok {
			return nil, soap.InvalidMessage("body is not " + name.Local)
		}
		body, err := answer(ctx, r, request)
		if err != nil {
			return nil, err
		}
		return &soap.Response{Action: sdc.ResponseAction(r.Header.Action), Body: body}, nil
	}
}

func decodeMessage(s *xmlscan.Scanner) (msg.Message, error) { return msg.Decode(s) }

// invoking answers requests that invoke an operation.
func invoking[R msg.SetRequest](p *Provider, response func() msg.SetResponse) func(context.Context, *soap.Request, R) (soap.Body, error) {
	return func(ctx context.Context, r *soap.Request, request R) (soap.Body, error) {
		result := p.invoke(ctx, request, r.Peer, &r.Header)
		answer := response()
		answer.BaseSetResponse().InvocationInfo = result.info(result.id)
		*answer.Version() = versionGroup(p.store.Load())
		return answer, nil
	}
}

func versionGroup(snap *mdib.Snapshot) msg.MdibVersionGroup { return snap.Version().Group() }
