package consumer

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/soap"
	"github.com/semeco/go-sdc/soap/dpws"
	"github.com/semeco/go-sdc/soap/eventing"
)

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
	if err := d.readMDIB(ctx, nil); err != nil {
		return err
	}
	d.wg.Go(d.keep)
	return nil
}

// readMetadata asks each transport address in turn and takes the first that answers.
func (d *Device) readMetadata(ctx context.Context) error {
	if err := d.bindTo(d.target.EPR, d.target.XAddrs...); err != nil {
		return err
	}
	var errs []error
	for _, url := range d.target.XAddrs {
		m, err := dpws.GetDevice(ctx, d.consumer.client, url, d.target.EPR)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", url, d.consumer.cfg.Identity.Explain(err)))
			continue
		}
		if m.Host != nil && d.target.EPR != "" && m.Host.Endpoint.Address != "" && m.Host.Endpoint.Address != d.target.EPR {
			errs = append(errs, fmt.Errorf("%s: answered by another device, %s", url, m.Host.Endpoint.Address))
			continue
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		d.metadata, d.xaddr = m, url
		d.services = make(map[string]soap.EndpointReference)
		for _, h := range m.Hosted {
			for _, t := range h.Types {
				ours := t.Space == sdc.NamespaceGlue || t == xmlscan.Name{Space: sdc.NamespaceHistory, Local: sdc.HistoryService}
				if ours && len(h.Endpoints) > 0 {
					d.services[t.Local] = h.Endpoints[0]
				}
			}
		}
		if _, ok := d.services[sdc.GetService]; !ok {
			return &ServiceError{Service: sdc.GetService}
		}
		if d.target.EPR == "" && m.Host != nil {
			d.target.EPR = m.Host.Endpoint.Address
		}
		var urls []string
		for _, e := range d.services {
			urls = append(urls, e.Address)
		}
		return d.bindTo(d.target.EPR, urls...)
	}
	if len(errs) == 0 {
		return errors.New("the device has no transport address; resolve it first")
	}
	return fmt.Errorf("no address answers: %w", errors.Join(errs...))
}

// wanted lists the actions to subscribe to, per event source.
func (d *Device) wanted() map[string][]string {
	out := make(map[string][]string)
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range sdc.Services() {
		to, ok := d.services[s.Name]
		if !ok {
			continue
		}
		for _, a := range s.Notifications() {
			if d.consumer.cfg.Actions == nil || slices.Contains(d.consumer.cfg.Actions, a) {
				out[to.Address] = append(out[to.Address], a)
			}
		}
	}
	return out
}

// subscribe makes one subscription per event source. All or nothing.
func (d *Device) subscribe(ctx context.Context) error {
	var subs []*eventing.Subscription
	for address, actions := range d.wanted() {
		numbers := new(reportSequence)
		sub, err := d.consumer.sink.Subscribe(ctx, eventing.Request{
			Source:  d.endpointAt(address),
			Actions: actions,
			Expires: d.consumer.cfg.SubscriptionLength,
			Notify:  func(_ context.Context, r *soap.Request) error { return d.notify(r, numbers) },
		})
		if err != nil {
			for _, s := range subs {
				err = errors.Join(err, s.Unsubscribe(ctx))
			}
			return fmt.Errorf("subscribing at %s: %w", address, err)
		}
		subs = append(subs, sub)
	}
	d.mu.Lock()
	d.subs = subs
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

func (d *Device) endpointAt(address string) soap.EndpointReference {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range d.services {
		if e.Address == address {
			return e
		}
	}
	return soap.NewEndpoint(address)
}

// readMDIB reads the whole MDIB, replays what arrived meanwhile, and goes live.
// gap is nil for the first reading.
func (d *Device) readMDIB(ctx context.Context, gap *Gap) error {
	d.mu.Lock()
	d.buffering, d.buffered, d.overrun = true, d.buffered[:0], false
	d.mu.Unlock()
	answer, err := d.call(ctx, sdc.GetService, sdc.ActionGetMdib, &msg.GetMdib{})
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
	if err := d.addContextStates(ctx, resp); err != nil {
		return err
	}
	return d.goLive(resp, gap)
}

// addContextStates completes the MDIB of a device that leaves the context states
// to the Context service, as devices that do not follow SDPi R7002 may.
func (d *Device) addContextStates(ctx context.Context, resp *msg.GetMdibResponse) error {
	if _, ok := d.service(sdc.ContextService); !ok || resp.Mdib.MdState == nil {
		return nil
	}
	for _, s := range resp.Mdib.MdState.State {
		if _, ok := s.(pm.ContextState); ok {
			return nil
		}
	}
	answer, err := d.call(ctx, sdc.ContextService, sdc.ActionGetContextStates, &msg.GetContextStates{})
	if err != nil {
		return fmt.Errorf("reading the context states: %w", err)
	}
	if states, ok := answer.(*msg.GetContextStatesResponse); ok {
		for _, s := range states.ContextState {
			resp.Mdib.MdState.State = append(resp.Mdib.MdState.State, s)
		}
	}
	return nil
}
