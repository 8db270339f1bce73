package plugathon

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/beevik/etree"

	"github.com/semeco/go-sdc/discovery"
)

// ears note every Hello that comes by. They listen to the network below the discovery client, which does not tell a Hello from an answer.
type ears struct {
	transport discovery.Transport
	done      chan struct{} // closed when they listen no more
	cancel    context.CancelFunc
	began     time.Time

	mu     sync.Mutex
	hellos map[string]time.Duration // first of each endpoint, since began
}

// listen begins step 1a. The result is never nil.
func (r *run) listen(ctx context.Context) (*ears, error) {
	e := &ears{done: make(chan struct{}), cancel: func() {}, began: time.Now(), hellos: map[string]time.Duration{}}
	if r.cfg.Discovery == nil || !r.wants("1a") {
		close(e.done)
		return e, nil
	}
	transport, err := r.cfg.Discovery()
	if err != nil {
		close(e.done)
		return e, err
	}
	e.transport = transport
	ctx, e.cancel = context.WithCancel(ctx)
	go func() {
		defer close(e.done)
		if err := transport.Serve(ctx, func(d discovery.Datagram) { e.hear(d.Data) }); err != nil {
			r.log.Warn("Hellos can no longer be heard", "error", err)
		}
	}()
	return e, nil
}

func (e *ears) hear(data []byte) {
	doc := etree.NewDocument()
	if doc.ReadFromBytes(data) != nil || doc.Root() == nil {
		return
	}
	const body = "./Body/Hello/EndpointReference/Address"
	for _, address := range doc.Root().FindElements(body) {
		epr := strings.TrimSpace(address.Text())
		e.mu.Lock()
		if _, known := e.hellos[epr]; !known && len(e.hellos) < 10_000 {
			e.hellos[epr] = time.Since(e.began)
		}
		e.mu.Unlock()
	}
}

func (e *ears) close() {
	e.cancel()
	<-e.done
	if e.transport != nil {
		_ = e.transport.Close() // nothing is lost by it
		e.transport = nil
	}
}

func (e *ears) verdict(epr string) verdict {
	if e.transport == nil {
		return skipf("discovery was not used")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if after, ok := e.hellos[epr]; ok {
		return passf("Hello of %s after %s", epr, after.Round(time.Millisecond))
	}
	return skipf("not observed: no Hello of %s in %s; start the device, or move it, while this runs (%d other devices said Hello)",
		epr, time.Since(e.began).Round(time.Second), len(e.hellos))
}

// answers: step 1b, by a client of its own.
func (r *run) answers(ctx context.Context) {
	if !r.wants("1b") {
		return
	}
	if r.cfg.Discovery == nil {
		r.set("1b", skipf("discovery was not used"))
		return
	}
	r.set("1b", r.ask(ctx))
}

func (r *run) ask(ctx context.Context) verdict {
	transport, err := r.cfg.Discovery()
	if err != nil {
		return failf("%v", err)
	}
	client, err := discovery.NewClient(discovery.ClientConfig{Transport: transport, Timing: r.cfg.Timing, Journal: r.cfg.Journal, Logger: r.log})
	if err != nil {
		_ = transport.Close() // the error that matters is the one before
		return failf("%v", err)
	}
	defer func() { _ = transport.Close() }() // after the client
	defer func() { _ = client.Close() }()
	ctx, cancel := context.WithTimeout(ctx, r.cfg.StepTimeout)
	defer cancel()
	epr := r.dev.EPR()
	matches, number, err := probe(ctx, client, epr)
	if err != nil {
		return failf("%v", err)
	}
	answered := ""
	switch {
	case number == 1:
		answered = "ProbeMatch"
	case number > 1:
		answered = fmt.Sprintf("ProbeMatch to Probe number %d", number)
	}
	resolved, err := client.Resolve(ctx, epr)
	switch {
	case answered == "":
		return failf("no ProbeMatch of %s among %d to %d Probes", epr, matches, probes)
	case err != nil:
		return failf("Resolve: %v", err)
	case len(resolved.XAddrs) == 0:
		return failf("the ResolveMatch has no address")
	}
	return passf("%s, and ResolveMatch with %s", answered, strings.Join(resolved.XAddrs, " "))
}

// A device may take 2.5 s to answer a Probe (APP_MAX_DELAY), and datagrams get lost: probes of them within probing each are its chances, together about
// the 10 s that DPWS waits for matches.
const (
	probes  = 3
	probing = 3 * time.Second
)

// probe asks for devices until one with the EPR is among those that answer. It returns how many others did, and which Probe was answered; 0 is none.
func probe(ctx context.Context, client *discovery.Client, epr string) (others, number int, err error) {
	for n := range probes {
		matches, err := client.Probe(ctx, discovery.Filter{Types: discovery.DeviceTypes()}, probing)
		if slices.ContainsFunc(matches, func(m discovery.Endpoint) bool { return m.EPR == epr }) {
			return len(matches) - 1, n + 1, nil
		}
		others = max(others, len(matches))
		if err != nil {
			return others, 0, fmt.Errorf("probe: %w", err)
		}
	}
	return others, 0, nil
}
