package provider

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/ext"
	"github.com/semeco/go-sdc/mdib/history"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/audit"
	"github.com/semeco/go-sdc/sdc/localization"
	"github.com/semeco/go-sdc/soap"
	"github.com/semeco/go-sdc/soap/dpws"
)

// Config describes a device. MDIB and one of Identity and Insecure are needed; everything else has a default.
type Config struct {
	// EPR is the stable address of the device, a urn:uuid: URI that should survive restarts (COEX-4). Empty makes a new one.
	EPR string
	// MDIB is what the device starts with: at least one MDS.
	MDIB *mdib.Snapshot
	// Store configures the MDIB store; the zero value starts a new sequence with MDIB version 0.
	Store mdib.Config

	// Identity secures all connections with mutual TLS. Its certificate should state the provider role, or peers will refuse it.
	Identity *sdc.Identity
	// Insecure permits a device without Identity: plain HTTP, callers unknown. For benches only.
	Insecure bool
	// TimeService waits until a time service has been reached: before that Run does nothing, and nobody hears of the device (SDPi R1540). It returns nil when that is so, or the
	// reason why it never will, or that of ctx. nil: the clock of the host is taken as it is.
	TimeService func(ctx context.Context) error
	// Policy decides what trusted peers may do. nil is ReadOnly for a device with an Identity: operations are refused until a policy says who may call
	// them. For an Insecure device it is AllowAll. Package sdc/policy reads policies from files.
	Policy Policy
	// Audit is told who connected, read, subscribed, called operations and was refused; nil keeps no record. See package sdc/audit.
	Audit audit.Sink
	// Network is where the device lives; the zero value is loopback.
	Network sdc.Network

	// Model and Device are shown to users. Empty names are taken from the MDIB's meta data where it has some.
	Model  dpws.ThisModel
	Device dpws.ThisDevice
	// KeyPurposes are the participant key purposes offered as scopes; nil means the plain SDC provider, sdc.OIDProvider.
	KeyPurposes []string
	// Scopes are further scopes to offer, as URIs.
	Scopes []string
	// ContextScopes are the kinds of associated contexts offered as scopes; nil means the location only. Think of privacy before offering patients.
	ContextScopes []sdc.ContextKind

	// InstanceID is the number of this start in discovery; it must be greater after each restart (WSD-1). 0 takes the seconds since 1970, which is
	// right as long as the clock is never set back; package persist counts the starts.
	InstanceID uint32
	// DiscoveryProxy is the URL of a discovery proxy that the device announces itself to, or sdc.LearnProxy (SDPi R1021). While it cannot be
	// reached, and without one, the device is announced by multicast (SDPi R1022).
	DiscoveryProxy string
	// Timing has the delays of discovery; the zero value has those of the standards, with up to 2.5 s before the first Hello.
	Timing discovery.Timing

	// MaxSubscription is the longest subscription granted; 0 means 1 minute.
	MaxSubscription time.Duration
	// Consumers says how many are expected at the same time, and how many of them behind one certificate or address, as with a gateway. Those
	// beyond are turned down, requests with 429 and a Retry-After, subscriptions with a fault. The zero value is 256, and 64 behind one.
	Consumers sdc.Crowd
	// NotifyAnywhere lets subscribers have their notifications sent to addresses other than the one they subscribe from, as consumers with several
	// interfaces need. Without it such subscriptions are refused, so that nobody can aim a device at others.
	NotifyAnywhere bool
	// NoReportSequence leaves out the sdpi:ReportSequence header of notifications (SDPi R1030).
	NoReportSequence bool

	// Invocation is how calls of operations are answered unless SetInvocation says otherwise.
	Invocation Invocation
	// DirectTimeout is how long a direct call may run before it is answered with Wait; 0 means 2 s. Peers give up on an answer after 5 s.
	DirectTimeout time.Duration
	// MaxTimeToFinish bounds calls of operations whose descriptor does not; 0 means 1 minute.
	MaxTimeToFinish time.Duration
	// QueueLength bounds the calls waiting or running at one SCO (SCO-3); 0 means 16. One more ends with Fail.
	QueueLength int
	// ApplyProposals gives operations without a handler (Activate excepted) the default behaviour of ApplyValue, ApplyString, ApplyMetricState,
	// ApplyComponentState, ApplyAlertState and ApplyContextState. Without it their calls end with Fail.
	ApplyProposals bool
	// MetricsBeyondTarget lets calls of SetMetricState propose states of any metric. Without it they, like those of the other kinds, stay with
	// the operation's target and what is below it; peers on the bench are known to set metrics elsewhere with one call. It
	// makes the right to one such operation the right to all metrics.
	MetricsBeyondTarget bool

	// Extensions are those of requests that the application understands beyond the ones of SDPi; requests that hold others marked ext:MustUnderstand are refused.
	Extensions *ext.Registry
	// Profile is the set of rules the device keeps; empty means mdib.ProfileBase. SDPi adds checks of the MDIB when the device is made.
	Profile mdib.Profile
	// Localization holds the texts that the MDIB refers to and switches the Localization service on; nil switches it off. Every reference of the
	// MDIB must have its text there (BICEPS R5049). Without it references are an error in the SDPi profile (SDPi R0509) and a warning otherwise.
	Localization *localization.Catalogue
	// ContainmentTree switches the ContainmentTree service on.
	ContainmentTree bool
	// ContextQueries makes the Context service answer GetContextStatesByIdentification and GetContextStatesByFilter, the latter with a subset of
	// XPath. Without it both are refused with ActionNotSupported; SDPi advises consumers against them (R0501).
	ContextQueries bool
	// Archive switches the Archive service on, which answers from a log of the changes of the MDIB in memory.
	Archive bool
	// History switches the history service of SDPi (DEV-32) on, which answers from the same log. Waveforms are part of it only with Log.Waveforms.
	History bool
	// StaticTexts makes the history service leave the texts that the MDIB refers to to the Localization service (SDPi R0519), which has all of them; else they
	// are sent ahead of what refers to them.
	StaticTexts bool
	// Log bounds that log; it is kept only if a service needs it.
	Log history.Config
	// Periodic switches periodic reports on.
	Periodic Periodic
	// ObservedValues reports new values of waveforms by ObservedValueStream in the place of WaveformStream, which then carries other changes of waveforms only
	// (BICEPS R5026). Consumers that do not subscribe to that stream see no values then, and many do not.
	ObservedValues bool

	// StopTimeout bounds what happens after the context of Run has ended: Bye, final reports, SubscriptionEnd; 0 means 5 s.
	StopTimeout time.Duration

	// Listen opens the TCP listener; nil means net.ListenConfig. Dial opens connections to subscribers; nil means net.Dialer.
	// Transport carries discovery; nil means UDP multicast on Network; one that is given belongs to the caller, who closes it after Run has
	// returned. Tests put an in-memory network here.
	Listen    func(ctx context.Context, network, address string) (net.Listener, error)
	Dial      func(ctx context.Context, network, address string) (net.Conn, error)
	Transport discovery.Transport

	// OverNotifications, if set, is laid on the connections to subscribers, above TLS, to change what is sent for example; see soap.ClientConfig.Over.
	OverNotifications func(net.Conn) net.Conn

	// Journal, if set, is told of every message that the device sends and receives, as the stack makes and reads it: above OverNotifications, and above Transport; see
	// package journal. What it keeps may be patient data.
	Journal soap.Journal

	// Hooks observe what happens; see Hooks.
	Hooks Hooks
	// Logger receives what the operator should know; nil discards.
	Logger *slog.Logger
}

// Limits of the configuration.
const (
	defaultMaxSubscription = time.Minute
	defaultDirectTimeout   = 2 * time.Second
	defaultMaxToFinish     = time.Minute
	defaultQueueLength     = 16
	defaultStopTimeout     = 5 * time.Second
)

// validate applies the defaults and reports everything that is wrong at once.
func (c *Config) validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }

	switch {
	case c.MDIB == nil:
		bad("MDIB is missing")
	case len(slices.Collect(c.MDIB.Roots())) == 0:
		bad("MDIB has no MDS")
	}
	if err := c.Consumers.Validate(); err != nil {
		bad("Consumers: %w", err)
	}
	switch {
	case c.EPR == "":
		c.EPR = uuid.New().URN()
	case !strings.HasPrefix(c.EPR, "urn:uuid:"):
		bad("EPR %q is no urn:uuid: URI", c.EPR)
	default:
		if _, err := uuid.Parse(c.EPR); err != nil {
			bad("EPR %q: %w", c.EPR, err)
		}
	}
	switch {
	case c.Identity == nil && !c.Insecure:
		bad("Identity is missing; set it (sdc.LoadIdentity), or Insecure for plain HTTP on a bench")
	case c.Identity != nil && c.Insecure:
		bad("both Identity and Insecure are set; choose one")
	}
	if c.Identity != nil && !c.Insecure {
		if err := c.Identity.Validate(); err != nil {
			errs = append(errs, err)
		}
	}
	if c.Listen == nil {
		// With a listener of the caller's own the address is the caller's business as well.
		if err := c.Network.Validate(); err != nil {
			errs = append(errs, err)
		}
	}
	for _, scope := range c.Scopes {
		if scope == "" || strings.ContainsAny(scope, " \t\r\n") {
			bad("scope %q is no URI", scope)
		}
	}
	for _, d := range []struct {
		name  string
		value *time.Duration
		def   time.Duration
	}{
		{"MaxSubscription", &c.MaxSubscription, defaultMaxSubscription},
		{"DirectTimeout", &c.DirectTimeout, defaultDirectTimeout},
		{"MaxTimeToFinish", &c.MaxTimeToFinish, defaultMaxToFinish},
		{"StopTimeout", &c.StopTimeout, defaultStopTimeout},
	} {
		if *d.value < 0 {
			bad("%s is negative", d.name)
		}
		if *d.value == 0 {
			*d.value = d.def
		}
	}
	if c.QueueLength < 0 {
		bad("QueueLength is negative")
	}
	if c.QueueLength == 0 {
		c.QueueLength = defaultQueueLength
	}
	if err := c.Periodic.validate(); err != nil {
		errs = append(errs, err)
	}
	if c.Invocation > Delayed {
		bad("Invocation %d is unknown", c.Invocation)
	}
	if err := sdc.CheckProxy(c.DiscoveryProxy); err != nil {
		errs = append(errs, err)
	}
	for _, oid := range c.KeyPurposes {
		if _, err := x509.ParseOID(oid); err != nil {
			bad("KeyPurposes: %q is no object identifier", oid)
		}
	}
	for _, kind := range c.ContextScopes {
		switch kind {
		case sdc.LocationContext, sdc.PatientContext, sdc.EnsembleContext, sdc.WorkflowContext, sdc.OperatorContext, sdc.MeansContext:
		default:
			bad("ContextScopes: there is no kind %q", kind)
		}
	}
	if !c.Profile.Valid() {
		bad("unknown Profile %q", c.Profile)
	}
	if c.KeyPurposes == nil {
		c.KeyPurposes = []string{sdc.OIDProvider}
	}
	if c.ContextScopes == nil {
		c.ContextScopes = []sdc.ContextKind{sdc.LocationContext}
	}
	switch {
	case c.Policy != nil:
	case c.Identity != nil:
		c.Policy = ReadOnly()
	default:
		c.Policy = AllowAll()
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.MDIB != nil {
		c.describe()
		if err := c.checkTexts(); err != nil {
			errs = append(errs, err)
		}
		errs = append(errs, c.checkSafetyRequirements()...)
		for _, err := range []error{c.Model.Validate(), c.Device.Validate()} {
			if err != nil {
				errs = append(errs, err)
			}
		}
	}
	if len(errs) > 0 {
		return fmt.Errorf("provider: %w", errors.Join(errs...))
	}
	return nil
}
