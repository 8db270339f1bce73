package discovery

import (
	"context"
	"errors"
	"log/slog"

	"github.com/semeco/go-sdc/soap"
)

// TargetConfig configures a [Target]. Only Endpoint.EPR is required.
type TargetConfig struct {
	// Endpoint is what is announced. A MetadataVersion of 0 starts with the seconds since
	// 1970, so that it also rises over restarts; set it to continue a stored one.
	Endpoint Endpoint
	// Transport carries the messages; nil is UDP as configured by UDP. A transport that
	// is given belongs to the caller, who closes it after Run has returned.
	Transport Transport
	UDP       UDPConfig
	// Timing has the delays; zero fields take defaults.
	Timing Timing
	// InstanceID must be greater after each restart (WSD-1); 0 takes the seconds since 1970.
	InstanceID uint32
	// Logger receives what happens; nil discards.
	Logger *slog.Logger
}

// Target makes a device known. Its methods may be called from several goroutines.
type Target struct {
	cfg   TargetConfig
	ready chan struct{}
}

// NewTarget checks the configuration. Nothing is sent before [Target.Run].
func NewTarget(cfg TargetConfig) (*Target, error) {
	return &Target{cfg: cfg, ready: make(chan struct{})}, nil
}

// Run announces the device until ctx ends: it says Hello, answers Probe and Resolve, says
// Hello from time to time, and says Bye at the end (WSD-5), for which it takes up to half
// a second more. It returns nil after such an orderly end. It can be called once.
func (t *Target) Run(ctx context.Context) error {
	return errors.New("not implemented yet")
}

// Ready is closed once the target answers; the first Hello follows within
// Timing.HelloDelay.
func (t *Target) Ready() <-chan struct{} { return t.ready }

// Endpoint returns what is announced at present.
func (t *Target) Endpoint() Endpoint { return t.cfg.Endpoint.Clone() }

// SetTypes replaces the types. Like all changes it raises MetadataVersion and says Hello
// (WSD-4), unless nothing changes.
func (t *Target) SetTypes(types []Name) error {
	return t.Update(func(e *Endpoint) { e.Types = types })
}

// SetScopes replaces the scopes.
func (t *Target) SetScopes(scopes []string) error {
	return t.Update(func(e *Endpoint) { e.Scopes = scopes })
}

// SetXAddrs replaces the transport addresses.
func (t *Target) SetXAddrs(xaddrs []string) error {
	return t.Update(func(e *Endpoint) { e.XAddrs = xaddrs })
}

// Update changes types, scopes and addresses in one step, with one rise of
// MetadataVersion and one Hello. Changes of EPR and MetadataVersion are ignored. What
// cannot be announced, because it is no URI or does not fit into a datagram, is refused and
// changes nothing.
func (t *Target) Update(edit func(*Endpoint)) error {
	return errors.New("not implemented yet")
}

// HandleProbe answers a Probe that was sent to the device's own HTTP(S) endpoint (MDPWS
// R0015). It is a soap.Handler for ActionProbe. If the device is not what is looked for, the
// answer is an empty ProbeMatches; a matching rule that is not supported is a
// MatchingRuleNotSupported fault (WSD-2).
func (t *Target) HandleProbe(ctx context.Context, r *soap.Request) (*soap.Response, error) {
	return nil, errors.New("not implemented yet")
}
