package proxy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/soap"
)

// Config describes a discovery proxy. One of Identity and Insecure is needed; everything else has a default.
type Config struct {
	// EPR is the stable address of the proxy, a urn:uuid: URI; empty makes a new one.
	EPR string
	// Identity secures all connections with mutual TLS. Its certificate must state both roles.
	Identity *sdc.Identity
	// Insecure permits a proxy without Identity: plain HTTP, callers known by their address. For benches only.
	Insecure bool
	// Network is where the proxy lives; the zero value is loopback.
	Network sdc.Network

	// MaxEntries bounds the devices listed; 0 is 10 000. A Hello beyond it is refused with the fault EndpointUnavailable, so
	// that the device falls back to ad hoc discovery; those that are listed stay.
	MaxEntries int
	// MaxPerPeer bounds the devices that one certificate holder announces; 0 is 1000.
	MaxPerPeer int
	// MaxSubscriptions bounds the subscriptions of all consumers; 0 is 1024.
	MaxSubscriptions int
	// NotifyAnywhere lets consumers have notifications sent to other hosts than the one they subscribe from.
	NotifyAnywhere bool

	// CheckEvery is how often each device is asked whether it is there, a quarter less or more; 0 is 1 minute. A Hello counts as an answer.
	CheckEvery time.Duration
	// CheckTimeout bounds one such question; 0 is 5 s. It is repeated once before the device is taken for gone.
	CheckTimeout time.Duration
	// Checkers bounds how many are under way at the same time; 0 is 32.
	Checkers int
	// SilentAfter is how long a device that has told no address, so that it cannot be asked, stays listed after its
	// last Hello; 0 is 5 minutes.
	SilentAfter time.Duration

	// StateFile is where the list of devices is kept over restarts; empty keeps none. It is written anew at most every
	// SaveEvery (0 is 5 s) while something changes, and at the end.
	StateFile string
	SaveEvery time.Duration

	// Quiet does not make the proxy known by multicast: participants must be told its URL.
	Quiet bool
	// Timing has the delays of that announcement.
	Timing discovery.Timing
	// StopTimeout bounds what happens after the context of Run has ended; 0 is 5 s.
	StopTimeout time.Duration

	// Listen opens the TCP listener, Dial connections to devices and subscribers, Transport carries the announcement; nil takes the
	// system's network. They exist for tests.
	Listen    func(ctx context.Context, network, address string) (net.Listener, error)
	Dial      func(ctx context.Context, network, address string) (net.Conn, error)
	Transport discovery.Transport

	// Journal, if set, is told of every message that the proxy sends and receives; see package journal.
	Journal soap.Journal
	// Logger receives what the operator should know; nil discards.
	Logger *slog.Logger
}

// journal is where the messages of the proxy are noted; nil: nowhere.
func (c *Config) journal() soap.Journal { return soap.JournalOf(c.Journal, "proxy", c.EPR) }

// validate applies the defaults and reports everything that is wrong at once.
func (c *Config) validate() error {
	var errs []error
	switch {
	case c.EPR == "":
		c.EPR = uuid.New().URN()
	case !strings.HasPrefix(c.EPR, "urn:uuid:"):
		errs = append(errs, fmt.Errorf("EPR %q is no urn:uuid: URI", c.EPR))
	}
	switch {
	case c.Identity == nil && !c.Insecure:
		errs = append(errs, errors.New("an Identity is missing; set it (sdc.LoadIdentity), or Insecure for plain HTTP on a bench"))
	case c.Identity != nil && c.Insecure:
		errs = append(errs, errors.New("both Identity and Insecure are set; choose one"))
	case c.Identity != nil && c.Identity.Roles() != sdc.RoleBoth && !c.Identity.AllowMissingKeyPurpose:
		errs = append(errs, fmt.Errorf("the certificate of %s states %s; a proxy needs both roles, provider and consumer", c.Identity.Leaf().Subject, c.Identity.Roles()))
	}
	if c.Listen == nil {
		if err := c.Network.Validate(); err != nil {
			errs = append(errs, err)
		}
	}
	for _, n := range []struct {
		name  string
		value *int
		def   int
	}{{"MaxEntries", &c.MaxEntries, 10_000}, {"MaxPerPeer", &c.MaxPerPeer, 1000}, {"MaxSubscriptions", &c.MaxSubscriptions, 1024}, {"Checkers", &c.Checkers, 32}} {
		if *n.value < 0 {
			errs = append(errs, fmt.Errorf("%s is negative", n.name))
		}
		if *n.value == 0 {
			*n.value = n.def
		}
	}
	for _, d := range []struct {
		name  string
		value *time.Duration
		def   time.Duration
	}{
		{"CheckEvery", &c.CheckEvery, time.Minute}, {"CheckTimeout", &c.CheckTimeout, 5 * time.Second},
		{"SilentAfter", &c.SilentAfter, 5 * time.Minute}, {"SaveEvery", &c.SaveEvery, 5 * time.Second}, {"StopTimeout", &c.StopTimeout, 5 * time.Second},
	} {
		if *d.value < 0 {
			errs = append(errs, fmt.Errorf("%s is negative", d.name))
		}
		if *d.value == 0 {
			*d.value = d.def
		}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if len(errs) > 0 {
		return fmt.Errorf("discovery proxy: %w", errors.Join(errs...))
	}
	return nil
}
