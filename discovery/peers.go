package discovery

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// Bounds of following the peers of a list.
const (
	peersEvery  = 30 * time.Second // how often they are asked while something is watched
	peerTimeout = 5 * time.Second  // for one answer
	peerMisses  = 2                // so many answers missing, one after the other, and the peer is gone
)

// splitPeers tells the peers that are asked over HTTP(S) from those that are asked by datagram. port is that of the group.
func splitPeers(peers []string, port uint16) (urls []string, datagrams []netip.AddrPort, err error) {
	for _, peer := range peers {
		host, ok := strings.CutPrefix(peer, "soap.udp://")
		if !ok {
			urls = append(urls, peer)
			continue
		}
		host = strings.TrimSuffix(host, "/")
		to, err := netip.ParseAddrPort(host)
		if err != nil {
			var a netip.Addr
			if a, err = netip.ParseAddr(strings.Trim(host, "[]")); port == 0 {
				port = DefaultPort
			}
			to = netip.AddrPortFrom(a, port)
		}
		if err != nil || to.Port() == 0 || to.Addr().IsMulticast() || to.Addr().IsUnspecified() {
			return nil, nil, fmt.Errorf("discovery: peer %q: soap.udp:// takes the IP address of one host, and a port", peer)
		}
		datagrams = append(datagrams, netip.AddrPortFrom(to.Addr().Unmap(), to.Port()))
	}
	return urls, datagrams, nil
}

// askPeers asks each of ClientConfig.Peers for what matches and returns their answers within d; nil for one that does not answer.
func (c *Client) askPeers(ctx context.Context, f Filter, d time.Duration) [][]Endpoint {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	answers := make([][]Endpoint, len(c.cfg.Peers))
	var asking sync.WaitGroup
	for i, url := range c.cfg.Peers {
		asking.Go(func() {
			found, err := DirectedProbe(ctx, c.cfg.PeerClient, url, f)
			if err != nil {
				c.log.Info("a peer does not answer", "url", url, "error", err)
				return
			}
			for j := range found {
				if len(found[j].XAddrs) == 0 {
					found[j].XAddrs = []string{url}
				}
			}
			answers[i] = slices.DeleteFunc(slices.Grow(found, 1), func(e Endpoint) bool { return !f.Match(e) })
		})
	}
	asking.Wait()
	return answers
}

// withPeers adds to what a search finds those of ClientConfig.Peers that match and answer within d.
func (c *Client) withPeers(ctx context.Context, f Filter, d time.Duration, search func() ([]Endpoint, error)) ([]Endpoint, error) {
	if len(c.cfg.Peers) == 0 {
		return search()
	}
	var answers [][]Endpoint
	var asking sync.WaitGroup
	asking.Go(func() { answers = c.askPeers(ctx, f, d) })
	found, err := search()
	asking.Wait()
	known := map[string]bool{}
	for _, e := range found {
		known[e.EPR] = true
	}
	if err != nil && ctx.Err() == nil && c.Err() == nil && !errors.Is(err, ErrClosed) && slices.ContainsFunc(answers, func(a []Endpoint) bool { return a != nil }) {
		c.log.Info("the group cannot be asked, but a peer has answered", "error", err)
		err = nil
	}
	for _, e := range slices.Concat(answers...) {
		if !known[e.EPR] && len(found) < c.cfg.MaxEndpoints {
			known[e.EPR] = e.EPR != "" // peers are known to leave it out
			found = append(found, e)
		}
	}
	return found, err
}

// resolveAtPeers asks the peers for one device.
func (c *Client) resolveAtPeers(ctx context.Context, epr string) (Endpoint, bool) {
	for _, e := range slices.Concat(c.askPeers(ctx, Filter{}, peerTimeout)...) {
		if e.EPR == epr {
			return e, true
		}
	}
	return Endpoint{}, false
}

// followPeers tells every Watch of the peers of the list, which its Hellos and Byes do not reach: they are asked at its start and
// from time to time while something is watched, by requests to each alone.
func (c *Client) followPeers(ctx context.Context) {
	missed := make([]int, len(c.cfg.Peers))
	tick := time.NewTicker(peersEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.peersDue:
		case <-tick.C:
		}
		if len(c.filters()) == 0 {
			continue
		}
		answers := c.askPeers(ctx, Filter{}, peerTimeout) // each Watch sees to what it looks for
		if ctx.Err() != nil {
			return
		}
		for i, found := range answers {
			var before []string
			c.mu.Lock()
			if found != nil {
				missed[i] = 0
			} else if missed[i]++; missed[i] < peerMisses {
				c.mu.Unlock()
				continue
			}
			before = c.atPeers[i]
			c.atPeers[i] = nil
			for _, e := range found {
				if e.EPR != "" {
					c.atPeers[i] = append(c.atPeers[i], e.EPR)
				}
			}
			c.mu.Unlock()
			for _, e := range found {
				c.take(kindProbeMatches, e, appSequence{}, false)
			}
			for _, epr := range before {
				if !slices.ContainsFunc(found, func(e Endpoint) bool { return e.EPR == epr }) {
					c.take(kindBye, Endpoint{EPR: epr}, appSequence{}, false)
				}
			}
		}
	}
}
