package discovery

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"time"

	"github.com/semeco/go-sdc/soap"
)

// ClientConfig configures a [Client]. The zero value searches on loopback.
type ClientConfig struct {
	// Transport carries the messages; nil is UDP as configured by UDP. A transport that
	// is given belongs to the caller, who closes it after the client.
	Transport Transport
	UDP       UDPConfig
	// Timing has the delays of repetition; zero fields take defaults.
	Timing Timing
	// MatchTimeout is how long Resolve waits for an answer; 0 is 10 s (DPWS MATCH_TIMEOUT).
	MatchTimeout time.Duration
	// MaxEndpoints bounds how many endpoints one Watch or Probe keeps; 0 is 1024. Those
	// known stay, further ones are ignored and logged.
	MaxEndpoints int
	// Logger receives what happens; nil discards.
	Logger *slog.Logger
}

// Errors of a client that can be told apart with errors.Is.
var (
	// ErrClosed is returned by a closed client.
	ErrClosed = errors.New("discovery client is closed")
	// ErrNoAnswer says that nobody answered a Resolve in time.
	ErrNoAnswer = errors.New("no answer")
)

// Client searches for devices. Its methods may be called from several goroutines. Close
// it when done.
type Client struct{ cfg ClientConfig }

// NewClient opens the transport and listens.
func NewClient(cfg ClientConfig) (*Client, error) { return &Client{cfg: cfg}, nil }

// Close ends everything under way and waits for it.
func (c *Client) Close() error { return nil }

// Err returns why the client has stopped listening by itself; nil while it works and
// after Close.
func (c *Client) Err() error { return nil }

// Probe asks the group once and collects those who answer for as long as the duration says
// (0 is 3 s), each endpoint once. The answers of those who gave no address are
// completed by a Resolve. When ctx ends first, what has come so far is returned with the
// context's error.
func (c *Client) Probe(ctx context.Context, f Filter, d time.Duration) ([]Endpoint, error) {
	return nil, errors.New("not implemented yet")
}

// Resolve asks where the device with an EPR can be reached. ErrNoAnswer after MatchTimeout.
func (c *Client) Resolve(ctx context.Context, epr string) (Endpoint, error) {
	return Endpoint{}, errors.New("not implemented yet")
}

// EventKind says what a [Event] reports.
type EventKind uint8

// The kinds of events.
const (
	Found     EventKind = iota + 1 // a matching device that was not known, or is back after Gone
	Changed                        // other types, scopes or addresses
	Restarted                      // a new life under the same EPR: connections to the former are dead
	Alive                          // heard again, nothing has changed
	Gone                           // it said Bye or does not match any more
)

// Event is news of a device.
type Event struct {
	Kind     EventKind
	Endpoint Endpoint // as last known; with Gone perhaps the EPR alone
}

// Watch follows the devices that match, until ctx ends, the client is closed or the loop is
// left. It probes once at the start and relies on Hello and Bye from then on
// (SDPi R3001); [Client.Refresh] probes again.
//
// A reader that is slow misses no device: events are kept per EPR and merged, so that
// it always gets the latest state, and at most ClientConfig.MaxEndpoints are kept.
func (c *Client) Watch(ctx context.Context, f Filter) iter.Seq[Event] {
	return func(func(Event) bool) {}
}

// Refresh probes again for every Watch, because a user asked for it (SDPi R3002).
func (c *Client) Refresh() error { return errors.New("not implemented yet") }

// DirectedProbe asks one HTTP(S) endpoint what it is (MDPWS R0015). The EPR of the answer
// may be empty: peers are known to leave it out.
func DirectedProbe(ctx context.Context, c *soap.Client, url string, f Filter) ([]Endpoint, error) {
	return nil, errors.New("not implemented yet")
}
