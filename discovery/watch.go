package discovery

import (
	"context"
	"iter"
	"slices"
)

// watch is one Watch under way; its tracker is guarded by the client's lock.
type watch struct {
	tracker *tracker
	news    chan struct{} // holds one token when there may be news
}

func (w *watch) wake() {
	select {
	case w.news <- struct{}{}:
	default: // awake already
	}
}

// Watch follows the devices that match, until ctx ends, the client is closed or the loop is
// left; with a matching rule that is not supported it ends at once. It probes once at the
// start and relies on Hello and Bye from then on (SDPi R3001); [Client.Refresh] probes
// again. Hellos without an address are completed by a Resolve before they are reported.
//
// A reader that is slow misses no device: events are kept per EPR and merged, so that
// it always gets the latest state, and at most ClientConfig.MaxEndpoints are kept.
func (c *Client) Watch(ctx context.Context, f Filter) iter.Seq[Event] {
	return func(yield func(Event) bool) {
		if err := f.Validate(); err != nil {
			c.log.Error("nothing is watched", "rule", f.MatchBy, "error", err)
			return
		}
		w := &watch{tracker: newTracker(f, c.cfg.MaxEndpoints), news: make(chan struct{}, 1)}
		c.mu.Lock()
		c.watches[w] = struct{}{}
		c.mu.Unlock()
		defer func() {
			c.mu.Lock()
			delete(c.watches, w)
			c.mu.Unlock()
		}()
		wake(c.peersDue)
		if _, managed := c.session.use(ctx); managed {
			wake(c.session.ask)
		} else if _, err := c.ask(body{kind: kindProbe, filter: f}, func(string) {}); err != nil {
			// Hellos will tell once the network is there.
			c.log.Warn("initial Probe not sent", "error", err)
		}
		for {
			if ctx.Err() != nil {
				return
			}
			c.mu.Lock()
			e, ok := w.tracker.next()
			c.mu.Unlock()
			if ok {
				if !yield(e) {
					return
				}
				continue
			}
			select {
			case <-w.news:
			case <-ctx.Done():
				return
			case <-c.done:
				return
			}
		}
	}
}

// Refresh probes again for every Watch, because a user asked for it (SDPi R3002).
func (c *Client) Refresh() error {
	wake(c.peersDue)
	if s := c.session; s != nil && s.proxies.managed() {
		wake(s.ask)
		if !s.proxies.cfg.KeepAdHoc {
			return nil
		}
	}
	return c.probeGroup()
}

// filters are those of every Watch, each once.
func (c *Client) filters() []Filter {
	c.mu.Lock()
	defer c.mu.Unlock()
	var filters []Filter
	for w := range c.watches {
		if f := w.tracker.filter; !slices.ContainsFunc(filters, f.equal) {
			filters = append(filters, f)
		}
	}
	return filters
}

// present are the devices that some Watch believes to be there.
func (c *Client) present() map[string]bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := map[string]bool{}
	for w := range c.watches {
		for epr, x := range w.tracker.entries {
			if x.present {
				out[epr] = true
			}
		}
	}
	return out
}

// absent are those of them that others do not hold.
func (c *Client) absent(others map[string]bool) map[string]bool {
	out := c.present()
	for epr := range others {
		delete(out, epr)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, epr := range slices.Concat(c.atPeers...) {
		delete(out, epr) // who follows them knows better
	}
	return out
}

// depart takes devices for gone that are not among those present.
func (c *Client) depart(eprs, present map[string]bool) {
	for epr := range eprs {
		if !present[epr] {
			c.take(kindBye, Endpoint{EPR: epr}, appSequence{}, false)
		}
	}
}

// linkCame asks those who can only now be reached; they have said their Hellos.
func (c *Client) linkCame() {
	if s := c.session; s != nil && s.proxies.managed() && !s.proxies.cfg.KeepAdHoc {
		return
	}
	c.node.check(c.probeGroup())
}

// probeGroup asks the group for what every Watch looks for.
func (c *Client) probeGroup() error {
	for _, f := range c.filters() {
		if _, err := c.ask(body{kind: kindProbe, filter: f}, func(string) {}); err != nil {
			return err
		}
	}
	return nil
}
