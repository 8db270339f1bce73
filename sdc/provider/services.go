package provider

import (
	"context"
	"fmt"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/ext"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/soap"
)

// handlersByElement maps the request element of every operation this provider implements to its handler. What the service table has
// beyond it is answered with ActionNotSupported.
func (p *Provider) handlersByElement() map[string]soap.Handler {
	h := map[string]soap.Handler{}
	add(p, h, p.getMdib)
	add(p, h, p.getMdDescription)
	add(p, h, p.getMdState)
	add(p, h, p.getContextStates)
	add(p, h, invoking[*msg.SetValue](p, func() msg.SetResponse { return &msg.SetValueResponse{} }))
	add(p, h, invoking[*msg.SetString](p, func() msg.SetResponse { return &msg.SetStringResponse{} }))
	add(p, h, invoking[*msg.Activate](p, func() msg.SetResponse { return &msg.ActivateResponse{} }))
	add(p, h, invoking[*msg.SetAlertState](p, func() msg.SetResponse { return &msg.SetAlertStateResponse{} }))
	add(p, h, invoking[*msg.SetComponentState](p, func() msg.SetResponse { return &msg.SetComponentStateResponse{} }))
	add(p, h, invoking[*msg.SetMetricState](p, func() msg.SetResponse { return &msg.SetMetricStateResponse{} }))
	add(p, h, invoking[*msg.SetContextState](p, func() msg.SetResponse { return &msg.SetContextStateResponse{} }))
	if p.cfg.Localization != nil {
		add(p, h, p.getLocalizedText)
		add(p, h, p.getSupportedLanguages)
	}
	if p.cfg.ContainmentTree {
		add(p, h, p.getContainmentTree)
		add(p, h, p.getDescriptor)
	}
	if p.cfg.Archive {
		add(p, h, p.getDescriptorsFromArchive)
		add(p, h, p.getStatesFromArchive)
	}
	if p.cfg.ContextQueries {
		add(p, h, p.getContextStatesByIdentification)
		add(p, h, p.getContextStatesByFilter)
	}
	return h
}

// maxSet bounds a message that invokes an operation, in bytes. What is set becomes part of the MDIB, which consumers read as a whole, of reports to all of them, and of what is kept of the past.
const maxSet = 128 << 10

// add wraps what answers a request into what decodes it first. A body that is not the request of the action is a Sender fault (MDPWS R0012).
func add[R msg.Message](p *Provider, handlers map[string]soap.Handler, answer func(context.Context, *soap.Request, R) (soap.Body, error)) {
	var zero R
	name, decode := zero.BodyName(), decoder(p.cfg.Extensions)
	_, sets := any(zero).(msg.SetRequest)
	handlers[name.Local] = func(ctx context.Context, r *soap.Request) (*soap.Response, error) {
		if b := r.Body(); sets && b != nil && b.Size() > maxSet {
			return nil, soap.InvalidMessage(fmt.Sprintf("%s of more than %d bytes", name.Local, maxSet))
		}
		m, err := soap.Decode(r.Envelope, name, decode)
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

// decoder reads messages with the extensions that the application understands.
func decoder(known *ext.Registry) func(*xmlscan.Scanner) (msg.Message, error) {
	return msg.Options{Understands: known.Understands}.Decode
}

// invoking answers requests that invoke an operation.
func invoking[R msg.SetRequest](p *Provider, response func() msg.SetResponse) func(context.Context, *soap.Request, R) (soap.Body, error) {
	return func(ctx context.Context, r *soap.Request, request R) (soap.Body, error) {
		result := p.invoke(ctx, request, &r.Header)
		answer := response()
		answer.BaseSetResponse().InvocationInfo = result.info(result.id)
		*answer.Version() = versionGroup(p.store.Load())
		return answer, nil
	}
}

func versionGroup(snap *mdib.Snapshot) msg.MdibVersionGroup { return snap.Version().Group() }
