package sdc

import (
	"errors"

	"github.com/semeco/go-sdc/soap"
)

// Crowd says how many participants of the other role may come at the same time: the consumers of a device, or the devices that a consumer follows. The
// limits of the server follow from it, and those on subscriptions. The zero value suits a ward; beyond it requests are turned down
// with 429 (one's own share) or 503 (that of all) and a Retry-After, subscriptions with a fault.
type Crowd struct {
	// All is how many come altogether; 0 is 256. Never fewer than four times BehindOne are expected.
	All int
	// BehindOne is how many of them may come with one certificate or, without TLS, from one IP address, which is all that a server can tell
	// them apart by; 0 is 64. A gateway, or a host with many participants, that shares one certificate among more of them needs more. It is bounded so that a single
	// peer that is faulty, or has been taken over, leaves most of the server to the others.
	BehindOne int
}

// Defaults of a Crowd.
const (
	crowdAll       = 256
	crowdBehindOne = 64
)

// Validate reports what cannot be.
func (c Crowd) Validate() error {
	if c.All < 0 || c.BehindOne < 0 {
		return errors.New("a number of participants is negative")
	}
	return nil
}

func (c Crowd) withDefaults() Crowd {
	if c.BehindOne == 0 {
		c.BehindOne = crowdBehindOne
	}
	if c.All == 0 {
		c.All = crowdAll
	}
	c.All = max(c.All, 4*c.BehindOne)
	return c
}

// Server sets the limits of a server on connections and requests. Each participant is expected to have two connections and a request on each, as those of
// this stack have, and twice as many connections for a while when it begins anew.
func (c Crowd) Server(cfg *soap.ServerConfig) {
	c = c.withDefaults()
	cfg.MaxConns, cfg.MaxConnsPerPeer = 2*c.All, 4*c.BehindOne
	cfg.MaxUnproven = c.All / 2
	cfg.MaxRequests, cfg.MaxRequestsPerPeer = c.All, 2*c.BehindOne
}

// Subscriptions is how many of them an event source holds, and how many of one peer: a consumer of this stack needs two, and one more while it
// reads a history.
func (c Crowd) Subscriptions() (all, ofOne int) {
	c = c.withDefaults()
	return 4 * c.All, 2 * c.BehindOne
}
