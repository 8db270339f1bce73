package discovery

import (
	"context"
	"sync"
	"time"
)

// withPeers adds to what a search finds those of ClientConfig.Peers that match and answer within d.
func (c *Client) withPeers(ctx context.Context, f Filter, d time.Duration, search func() ([]Endpoint, error)) ([]Endpoint, error) {
	if len(c.cfg.Peers) == 0 {
		return search()
	}
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	answers := make([][]Endpoint, len(c.cfg.Peers))
	var asking sync.WaitGroup
	for i, url := range c.cfg.Peers {
		asking.Go(func() {
			found, err := DirectedProbe(ctx, c.cfg.PeerClient, url, f)
			if err != nil {
				c.log.Info("a peer does not answer", "url", url, "error", err)
			}
			for j := range found {
				if len(found[j].XAddrs) == 0 {
					found[j].XAddrs = []string{url}
				}
			}
			answers[i] = found
		})
	}
	found, err := search()
	asking.Wait()
	known := map[string]bool{}
	for _, e := range found {
		known[e.EPR] = true
	}
	for _, more := range answers {
		for _, e := range more {
			if !known[e.EPR] && f.Match(e) && len(found) < c.cfg.MaxEndpoints {
				known[e.EPR] = e.EPR != "" // peers are known to leave it out
				found = append(found, e)
			}
		}
	}
	return found, err
}
