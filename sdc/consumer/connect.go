package consumer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/soap"
	"github.com/semeco/go-sdc/soap/eventing"
)

// connectReadings is how often the MDIB is read at most while connecting, if reports are lost during the reading.
const connectReadings = 3

// errRestarted says that the device has begun a new life, of which the subscriptions know nothing.
var errRestarted = errors.New("the device has been restarted")

// errRead says that the MDIB was read but cannot be shown.
var errRead = errors.New("the MDIB cannot be used")

// connect goes through the whole establishment: metadata, subscriptions, MDIB
// (SDPi DEV-25, DEV-27, DEV-30).
func (d *Device) connect(ctx context.Context) error {
	if err := d.readMetadata(ctx); err != nil {
		return err
	}
	// Reports that arrive from now on are kept until the MDIB is there (CONS-3).
	if err := d.subscribe(ctx); err != nil {
		return err
	}
	var err error
	for range connectReadings {
		if err = d.readMDIB(ctx, nil, false); !errors.Is(err, errRead) {
			break
		}
	}
	if err != nil {
		return err
	}
	d.wg.Go(d.keep)
	return nil
}

// eventSource is where to subscribe, and to which actions.
type eventSource struct {
	service string // one of those that are there
	actions []string
}

// wanted lists the event sources: services at the same addresses are one.
func (d *Device) wanted() []*eventSource {
	var out []*eventSource
	known := make(map[string]*eventSource)
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range sdc.Services() {
		at, ok := d.services[s.Name]
		if !ok {
			continue
		}
		for _, a := range s.Notifications() {
			if d.consumer.cfg.Actions != nil && !slices.Contains(d.consumer.cfg.Actions, a) {
				continue
			}
			source := known[at.key()]
			if source == nil {
				source = &eventSource{service: s.Name}
				known[at.key()] = source
				out = append(out, source)
			}
			source.actions = append(source.actions, a)
		}
	}
	return out
}

// subscribe makes one subscription per event source. All or nothing.
func (d *Device) subscribe(ctx context.Context) error {
	var subs []*eventing.Subscription
	var all []string
	d.mu.Lock()
	generation := d.generation
	d.mu.Unlock()
	for _, source := range d.wanted() {
		numbers := new(reportSequence)
		req := eventing.Request{
			Actions: source.actions,
			Expires: d.consumer.cfg.SubscriptionLength,
			Early:   true,
			Admit:   d.admit,
			Notify:  func(_ context.Context, r *soap.Request) error { return d.notify(r, numbers, generation) },
		}
		sub, err := d.subscribeAt(ctx, source.service, req)
		if rest := offeredByOld(source.actions); refusedFilter(err) && len(rest) > 0 && len(rest) < len(source.actions) {
			d.consumer.cfg.Logger.Warn("subscribed without ObservedValueStream, which the device refuses", "device", d.EPR(), "service", source.service, "error", err)
			req.Actions = rest
			sub, err = d.subscribeAt(ctx, source.service, req)
		}
		all = append(all, req.Actions...)
		if err != nil {
			for _, s := range subs {
				err = errors.Join(err, s.Unsubscribe(ctx))
			}
			return fmt.Errorf("subscribing at %s: %w", source.service, err)
		}
		subs = append(subs, sub)
	}
	d.mu.Lock()
	d.subs, d.broken, d.covered, d.subscribed = subs, false, kindsTold(all), time.Now()
	d.mu.Unlock()
	for _, sub := range subs {
		d.wg.Go(func() {
			select {
			case <-sub.Done():
				d.subscriptionEnded(sub)
			case <-d.ctx.Done():
			}
		})
	}
	return nil
}

// offeredByOld returns the actions without that of ObservedValueStream. Devices made with versions 1.x of sdc11073, which are in
// the field, refuse the whole of a subscription that names an action they do not have, though DPWS lets them refuse only one
// that names none they have; and this is the one of the standard that they lack.
func offeredByOld(actions []string) []string {
	return slices.DeleteFunc(slices.Clone(actions), func(a string) bool { return a == sdc.ActionObservedValueStream })
}

// refusedFilter tells whether a source refused a subscription for what was asked, rather than for its own state.
func refusedFilter(err error) bool {
	var fault *soap.Fault
	return errors.As(err, &fault) && fault.Code == soap.CodeSender
}

// subscribeAt subscribes where a service is, at the first of its addresses that can be reached.
func (d *Device) subscribeAt(ctx context.Context, service string, req eventing.Request) (sub *eventing.Subscription, err error) {
	source, ok := d.service(service)
	if !ok {
		return nil, &ServiceError{Service: service}
	}
	req = d.guarded(req)
	err = d.at(ctx, source, func(ctx context.Context, to soap.EndpointReference) (err error) {
		req.Source = to
		sub, err = d.consumer.sink.Subscribe(ctx, req)
		return err
	})
	return sub, err
}

// readMDIB reads the whole MDIB, replays what arrived meanwhile, and goes live.
// gap is nil for the first reading. With known, the subscriptions are from before: a
// device that has been restarted at the same place can be read, but knows nothing of
// them, so it is asked for them as well.
func (d *Device) readMDIB(ctx context.Context, gap *Gap, known bool) error {
	began := time.Now()
	d.mu.Lock()
	d.reading, d.buffered, d.overrun = true, nil, false
	subs := d.subs
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		d.reading, d.buffered = false, nil
		d.mu.Unlock()
	}()
	var checks sync.WaitGroup
	checking, cancel := context.WithTimeout(ctx, min(d.consumer.cfg.ProofInterval, d.consumer.cfg.RequestTimeout))
	defer checks.Wait()
	defer cancel()
	if known {
		for _, s := range subs {
			checks.Go(func() { d.checkStatus(checking, s, true) })
		}
	}
	answer, err := d.call(ctx, sdc.GetService, sdc.ActionGetMdib, &msg.GetMdib{})
	if errors.Is(err, xmlscan.ErrMemory) {
		err = fmt.Errorf("%w: %w", mdib.ErrTooLarge, err)
	}
	if err != nil {
		return fmt.Errorf("reading the MDIB: %w", err)
	}
	resp, ok := answer.(*msg.GetMdibResponse)
	if !ok {
		return fmt.Errorf("reading the MDIB: answered by %s", answer.BodyName())
	}
	if err := d.bindToEquipment(resp); err != nil {
		return err
	}
	contexts, err := d.addContextStates(ctx, resp)
	if err != nil {
		return err
	}
	checks.Wait()
	return d.goLive(resp, contexts, gap, began)
}

// addContextStates completes the MDIB of a device that leaves the context states
// to the Context service, as devices that do not follow SDPi R7002 may. It returns the
// MDIB version that those are of, which may be a later one; 0 if none were added.
func (d *Device) addContextStates(ctx context.Context, resp *msg.GetMdibResponse) (uint64, error) {
	if _, ok := d.service(sdc.ContextService); !ok || resp.Mdib.MdState == nil {
		return 0, nil
	}
	for _, s := range resp.Mdib.MdState.State {
		if _, ok := s.(pm.ContextState); ok {
			return 0, nil
		}
	}
	answer, err := d.call(ctx, sdc.ContextService, sdc.ActionGetContextStates, &msg.GetContextStates{})
	if err != nil {
		return 0, fmt.Errorf("reading the context states: %w", err)
	}
	states, ok := answer.(*msg.GetContextStatesResponse)
	switch {
	case !ok:
		return 0, nil
	case states.SequenceId != resp.SequenceId:
		return 0, fmt.Errorf("%w: its context states are of another sequence", errRead)
	}
	for _, s := range states.ContextState {
		resp.Mdib.MdState.State = append(resp.Mdib.MdState.State, s)
	}
	return states.MdibVersion, nil
}

// besidesRead leaves out of a report what the context states that were read apart from
// the MDIB tell already: they are those of a later version, and may have changed again or gone since this report. The caller holds d.mu.
func (d *Device) besidesRead(r msg.Report) msg.Report {
	contexts, ok := r.(*msg.EpisodicContextReport)
	if !ok || contexts.MdibVersion > d.contexts {
		return r
	}
	rest := *contexts
	rest.ReportPart = nil
	return &rest
}
