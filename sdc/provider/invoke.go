package provider

import (
	"context"
	"crypto/x509"

	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/soap"
)

// invocation is what the response to a request tells.
type invocation struct {
	id uint32
	outcome
}

// invoke takes a request to its transaction. It returns when the call has ended (Direct), was queued (Delayed), or was refused.
//
// A refused call of an operation that exists is reported like any other end; of one that does not exist there is nothing to report on.
func (p *Provider) invoke(ctx context.Context, r msg.SetRequest, caller *x509.Certificate, header *soap.Header) invocation {
	id := p.transactions.Add(1)
	op, refusal := p.check(r)
	if refusal == nil {
		refusal = p.checkSafety(op, r, header)
	}
	if op == nil {
		return invocation{id, outcome{msg.InvocationStateFail, refusal}}
	}
	call := &Call{
		Handle: op.Base().Handle, Target: op.BaseOperation().OperationTarget, Operation: op,
		TransactionID: id, Caller: caller, Source: source(caller), p: p,
	}
	fail := func(refusal *Refused) invocation {
		o := outcome{msg.InvocationStateFail, refusal}
		p.reportInvocation(call, o)
		p.hooks.operation(call.Handle, o.state)
		return invocation{id, o}
	}
	if refusal != nil {
		return fail(refusal)
	}
	h, ok := p.handlerOf(op)
	if !ok {
		return fail(refuse(msg.InvocationErrorOth, "operation %s is not implemented", call.Handle))
	}
	parent, _ := p.store.Load().Parent(call.Handle)
	queue, ok := p.reserve(parent)
	if !ok {
		return fail(refuse(msg.InvocationErrorOth, "too many operations are waiting; try again later"))
	}
	limit := p.cfg.MaxTimeToFinish
	if d, ok := op.BaseOperation().MaxTimeToFinish.Get(); ok && d.Std() > 0 {
		limit = d.Std()
	}
	t := &transaction{
		p: p, call: call, handler: h, request: r, delayed: p.isDelayed(call.Handle),
		state: outcome{state: msg.InvocationStateWait}, done: make(chan struct{}),
	}
	// The caller's connection must not decide over the operation, so its context is not the parent.
	t.ctx, t.cancel = context.WithTimeout(p.opCtx, limit)
	if t.delayed {
		// Told before it is queued, so that Wait precedes Start.
		p.reportInvocation(call, t.state)
	}
	t.watch()
	queue.submit(t)
	if t.delayed {
		return invocation{id, outcome{state: msg.InvocationStateWait}}
	}
	wait, cancel := context.WithTimeout(ctx, p.cfg.DirectTimeout)
	defer cancel()
	select {
	case <-t.done:
		return invocation{id, t.current()}
	case <-wait.Done():
		if o := t.current(); o.state.Final() {
			return invocation{id, o}
		}
		return invocation{id, outcome{state: msg.InvocationStateWait}}
	}
}

// handlerOf returns what runs the calls of an operation: the registered handler if it is of the operation's kind, else the default behaviour if
// that is switched on.
func (p *Provider) handlerOf(op pm.OperationDescriptor) (handler, bool) {
	k := kindOf(op)
	p.opMu.Lock()
	h, ok := p.handlers[op.Base().Handle]
	p.opMu.Unlock()
	if ok {
		return h, h.kind == k
	}
	if !p.cfg.ApplyProposals {
		return handler{}, false
	}
	return p.defaultHandler(k)
}

func (p *Provider) isDelayed(handle string) bool {
	p.opMu.Lock()
	defer p.opMu.Unlock()
	i, ok := p.invocation[handle]
	if !ok {
		i = p.cfg.Invocation
	}
	return i == Delayed
}

// info is the outcome as messages tell it.
func (o outcome) info(id uint32) msg.InvocationInfo {
	info := msg.InvocationInfo{TransactionId: id, InvocationState: o.state}
	if r := o.refusal; r != nil {
		info.InvocationError = r.code()
		if r.Message != "" {
			lang := r.Lang
			if lang == "" {
				lang = "en"
			}
			info.InvocationErrorMessage = []pm.LocalizedText{{Lang: lang, Text: r.Message}}
		}
	}
	return info
}

func source(caller *x509.Certificate) pm.InstanceIdentifier {
	root, extension := sdc.InvocationSource(caller)
	return pm.InstanceIdentifier{Root: root, Extension: extension}
}
