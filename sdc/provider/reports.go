package provider

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/soap"
)

// Update changes the MDIB in one transaction: fn edits, the commit checks the rules and raises the versions, and one report tells every
// subscriber. A transaction that changes nothing emits nothing; one that fails, by fn's error or by a rule, changes nothing.
//
// Transactions run one after the other. fn must not call Update, wait for another transaction, or do anything slow: it holds up all others.
func (p *Provider) Update(fn func(*mdib.Tx) error) error {
	p.publishing.Lock()
	defer p.publishing.Unlock()
	change, err := p.store.Update(fn)
	if err != nil || change == nil {
		return err
	}
	if p.changes != nil {
		p.changes.Append(change, p.now())
	}
	p.publish(change)
	return nil
}

// Flush waits until the reports of everything committed before have been confirmed by the subscribers, or their subscriptions have ended. It is for tests and
// tools that look at a consumer right after a change; a device has no need of it, and Update never waits. The error is that of ctx or
// says that the device is leaving.
func (p *Provider) Flush(ctx context.Context) error {
	source := p.source.Load()
	if source == nil {
		return nil
	}
	return source.Flush(ctx)
}

// publish encodes the report of a change once and hands it to the subscriptions. The caller holds p.publishing.
func (p *Provider) publish(change *mdib.Change) {
	begin := time.Now()
	report := p.reportOf(change)
	element, size := report.BodyName().Local, 0
	action, ok := sdc.NotificationAction(element)
	if !ok {
		// Only a kind of change that the service table does not know gets here: a programming error worth a loud log, not a crash.
		p.log.Error("no action for report", "report", element)
		return
	}
	if source := p.source.Load(); source != nil {
		size = source.PublishBody(action, report)
	}
	switch change.Kind {
	case mdib.KindContext, mdib.KindDescription:
		p.warnOfTexts(change)
		select {
		case p.redescribed <- struct{}{}:
		default: // it will look anyway
		}
		select {
		case p.rescope <- struct{}{}:
		default: // it will look anyway
		}
	}
	p.hooks.committed(element, size, time.Since(begin))
}

// reportInvocation tells all subscribers of one step of a transaction (SCO-1). It carries the MDIB version current at that moment, so that the effect of
// a finished operation is visible at or before the version of its report (SCO-7).
func (p *Provider) reportInvocation(c *Call, o outcome) {
	p.publishing.Lock()
	defer p.publishing.Unlock()
	source := p.source.Load()
	if source == nil || !source.Wants(sdc.ActionOperationInvokedReport) {
		return
	}
	snap := p.store.Load()
	part := msg.OperationInvokedReportPart{
		OperationHandleRef: c.Handle,
		InvocationInfo:     o.info(c.TransactionID),
		InvocationSource:   c.Source,
	}
	part.SourceMds, _ = snap.MDSOf(c.Handle)
	switch o.state {
	case msg.InvocationStateFin, msg.InvocationStateFinMod:
		part.OperationTarget = c.reportedTarget()
	}
	report := &msg.OperationInvokedReport{ReportPart: []msg.OperationInvokedReportPart{part}}
	report.MdibVersionGroup = versionGroup(snap)
	source.Publish(sdc.ActionOperationInvokedReport, report.AppendXML(nil))
}

// ReportSystemError tells all subscribers of an error of the device that belongs to no state (BICEPS SystemErrorReport); the MDIB does not change. code says which, text
// explains it to a person; the zero text is left out. mds are the MDSs concerned, all if none are given. It is an error if the code is empty or an
// MDS unknown. Before Ready nobody hears of it.
func (p *Provider) ReportSystemError(code pm.CodedValue, text pm.LocalizedText, mds ...string) error {
	if code.Code == "" {
		return errors.New("provider: a system error needs a code")
	}
	p.publishing.Lock()
	defer p.publishing.Unlock()
	snap := p.store.Load()
	if len(mds) == 0 {
		for h := range snap.Roots() {
			mds = append(mds, h)
		}
	}
	report := &msg.SystemErrorReport{}
	report.MdibVersionGroup = versionGroup(snap)
	for _, h := range mds {
		if _, ok := mdib.Get[*pm.MdsDescriptor](snap, h); !ok {
			return fmt.Errorf("provider: %q is no MDS", h)
		}
		part := msg.SystemErrorReportPart{AbstractReportPart: msg.AbstractReportPart{SourceMds: h}, ErrorCode: code}
		if text != (pm.LocalizedText{}) {
			part.ErrorInfo = &text
		}
		report.ReportPart = append(report.ReportPart, part)
	}
	if source := p.source.Load(); source != nil && source.Wants(sdc.ActionSystemErrorReport) {
		source.Publish(sdc.ActionSystemErrorReport, report.AppendXML(nil))
	}
	return nil
}

// reportSequence writes the header block that numbers the notifications of a subscription (SDPi R0800, R1030).
func reportSequence(number uint64) soap.Body { return sequenceHeader(number) }

type sequenceHeader uint64

func (n sequenceHeader) AppendXML(b []byte) []byte {
	b = append(b, `<sdpi:ReportSequence xmlns:sdpi="`+sdc.NamespaceSDPi+`" MessageNumber="`...)
	b = strconv.AppendUint(b, uint64(n), 10)
	return append(b, `"/>`...)
}
