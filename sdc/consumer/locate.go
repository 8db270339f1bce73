package consumer

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/soap"
	"github.com/semeco/go-sdc/soap/dpws"
)

// Locator finds a device again that has another address than before. A *discovery.Client is one; so is a client of a discovery proxy.
// What it says is a hint only: whoever answers at the address must show the EPR of the device and, with TLS, a certificate that is trusted.
type Locator interface {
	// Resolve returns where the device with an EPR can be reached.
	Resolve(ctx context.Context, epr string) (discovery.Endpoint, error)
}

// Watcher is a Locator that also hears devices come and go, as *discovery.Client does. A consumer with a Watcher asks a device for a sign of life as
// soon as a Hello or Bye says that it has been restarted, has moved, or has left, and tries at once to heal one that comes back.
type Watcher interface {
	Locator
	// Watch follows the devices that match until ctx ends.
	Watch(ctx context.Context, f discovery.Filter) iter.Seq[discovery.Event]
}

const (
	// maxAddresses bounds the addresses tried for one device, and how many of those found are kept.
	maxAddresses = 8
	// stagger is the head start that an address has over the next one.
	stagger = 250 * time.Millisecond
	// locateAfter is how long the known addresses are tried alone.
	locateAfter = 500 * time.Millisecond
)

// watch hears Hello and Bye for all devices of the consumer.
func (c *Consumer) watch(ctx context.Context, w Watcher) {
	for e := range w.Watch(ctx, discovery.Filter{Types: discovery.DeviceTypes()}) {
		if e.Kind == discovery.Alive {
			continue
		}
		c.mu.Lock()
		var concerned []*Device
		for d := range c.devices {
			if d.EPR() == e.Endpoint.EPR {
				concerned = append(concerned, d)
			}
		}
		c.mu.Unlock()
		for _, d := range concerned {
			d.hint(e.Endpoint.XAddrs)
		}
	}
}

// hint notes addresses that a device may have now, and makes the keeper look.
func (d *Device) hint(xaddrs []string) {
	d.mu.Lock()
	d.found = merge(xaddrs, d.found)
	d.mu.Unlock()
	d.stir()
}

// stir tells the keeper that it is worth looking now: there are news of the device.
func (d *Device) stir() {
	select {
	case d.hints <- struct{}{}:
	default:
	}
}

// merge puts lists of addresses one after the other, each address once and no more than maxAddresses.
func merge(lists ...[]string) []string {
	var out []string
	for _, a := range slices.Concat(lists...) {
		if len(out) == maxAddresses {
			break
		}
		if !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	return out
}

// candidates lists where the device may be: where it was last, where it was said to be since, where it was at the beginning.
func (d *Device) candidates() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var last []string
	if d.xaddr != "" {
		last = []string{d.xaddr}
	}
	return merge(last, d.found, d.target.XAddrs)
}

// hinted lists where the device was said to be, the latest first.
func (d *Device) hinted() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.found
}

// readMetadata asks the addresses, each a moment after the one before, and takes the first that answers for the device. If none does at once, the
// locators are asked as well.
func (d *Device) readMetadata(ctx context.Context) error {
	a, err := d.reach(ctx)
	if err != nil {
		return err
	}
	epr := d.install(a)
	urls := []string{a.at.URL}
	for _, at := range a.services {
		for _, e := range at {
			urls = append(urls, e.Address)
		}
	}
	return d.bindTo(epr, urls...)
}

// install takes over what a device says of itself, and returns its EPR.
func (d *Device) install(a *answer) string {
	d.senders.Know(a.at.Certificate)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.metadata, d.xaddr, d.services = a.metadata, a.at.URL, a.services
	if d.target.EPR == "" && a.metadata.Host != nil {
		d.target.EPR = a.metadata.Host.Endpoint.Address
	}
	return d.target.EPR
}

// answer is what came of asking one address.
type answer struct {
	at       soap.Contact // where, and who
	metadata *dpws.Metadata
	services map[string]places // by port type
	err      error
}

func (d *Device) reach(ctx context.Context) (*answer, error) {
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	queue := d.candidates()
	asked := 0
	waiting := make(map[string]bool)              // for the answers of these
	answers := make(chan *answer, 2*maxAddresses) // nobody who answers ever waits
	ask := func() {
		url := queue[asked]
		asked++
		waiting[url] = true
		wg.Go(func() {
			a := &answer{at: soap.Contact{URL: url}}
			a.err = d.ask(ctx, a)
			answers <- a
		})
	}
	next := time.NewTimer(0)
	defer next.Stop()

	located := make(chan []string, 1)
	locators := d.consumer.locatorList()
	var searching bool
	search := time.NewTimer(locateAfter)
	defer search.Stop()

	var errs []error
	for {
		if asked == len(queue) && len(waiting) == 0 && !searching {
			if len(locators) == 0 || d.EPR() == "" {
				if len(errs) == 0 {
					return nil, errors.New("the device has no transport address; resolve it first")
				}
				return nil, fmt.Errorf("no address answers: %w", errors.Join(errs...))
			}
			search.Reset(0)
		}
		select {
		case <-next.C:
			// With a binding the certificates shown must not be mixed up.
			if asked < len(queue) && (len(waiting) == 0 || d.consumer.cfg.Binding == BindNone) {
				ask()
				next.Reset(stagger)
			}
		case <-search.C:
			if len(locators) > 0 && !searching {
				searching = true
				wg.Go(func() { located <- d.locate(ctx, locators) })
			}
		case found := <-located:
			searching, locators = false, nil
			for _, url := range found {
				if len(queue) < 2*maxAddresses && !slices.Contains(queue, url) {
					queue = append(queue, url)
				}
			}
			next.Reset(0)
		case <-d.hints:
			// It is back, or somewhere else: what failed before may answer now, and nobody may answer the locators, who asked while it was away.
			for _, url := range d.hinted() {
				if len(queue) < 2*maxAddresses && !waiting[url] && !slices.Contains(queue[asked:], url) {
					queue = append(queue, url)
				}
			}
			next.Reset(0)
		case a := <-answers:
			delete(waiting, a.at.URL)
			if a.err == nil {
				return a, nil
			}
			errs = append(errs, fmt.Errorf("%s: %w", a.at.URL, a.err))
			next.Reset(0)
		case <-ctx.Done():
			return nil, fmt.Errorf("no address answers: %w", errors.Join(append(errs, context.Cause(ctx))...))
		}
	}
}

// ask reads the metadata at one address and checks that they are the device's, and that they lead nowhere else.
func (d *Device) ask(ctx context.Context, a *answer) (err error) {
	epr, url := d.EPR(), a.at.URL
	_ = d.bindTo(epr, url) // judges a certificate shown elsewhere; the one shown here is judged by the handshake
	defer func() {
		if err != nil && url != d.XAddr() {
			d.unbindFrom(url) // it may be the place of another device
		}
	}()
	c := d.consumer
	err = c.unlessBusy(soap.WithContact(ctx, func(at soap.Contact) { a.at = at }), func(ctx context.Context) (err error) {
		a.metadata, err = dpws.GetDevice(ctx, c.client, url, epr)
		return err
	})
	a.at.URL = url // as it was given, not as it was sent
	if err != nil {
		if refused := d.bindTo(epr, url); refused != nil {
			return refused // a connection closed for that reason need not say so
		}
		return c.cfg.Identity.Explain(err)
	}
	if err := d.isSame(a.at.Certificate); err != nil {
		return err
	}
	if m := a.metadata; m.Host != nil && epr != "" && m.Host.Endpoint.Address != "" && m.Host.Endpoint.Address != epr {
		return fmt.Errorf("answered by another device, %s", m.Host.Endpoint.Address)
	}
	a.services, err = c.offered(a.metadata, a.at)
	return err
}

// locate asks all locators at the same time and returns what the first that knows the device says.
func (d *Device) locate(ctx context.Context, locators []Locator) []string {
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithTimeout(ctx, d.consumer.cfg.RequestTimeout)
	defer cancel()
	epr := d.EPR()
	found := make(chan []string, len(locators))
	for _, l := range locators {
		wg.Go(func() {
			e, err := l.Resolve(ctx, epr)
			if err != nil {
				d.log.Debug("not located", "error", err)
			}
			found <- e.XAddrs
		})
	}
	for range locators {
		if urls := <-found; len(urls) > 0 {
			d.mu.Lock()
			d.found = merge(urls, d.found)
			d.mu.Unlock()
			return urls
		}
	}
	return nil
}
