package consumer

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"time"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/ext"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/safety"
	"github.com/semeco/go-sdc/soap"
)

// Config describes a consumer. The zero value of each field but Identity is
// usable; without an Identity the consumer must be Insecure.
type Config struct {
	// Identity is the certificate shown to devices and the authorities trusted
	// (SDPi R0502). It must carry the consumer's key purpose for devices to accept it.
	Identity *sdc.Identity
	// Binding says what the certificate of a device must name; the zero value asks for nothing beyond chain and key purpose. A device whose certificate
	// names another is refused with a *sdc.PeerError, on every connection and for every notification.
	Binding Binding
	// AllowAddress decides whether a device may name an address for one of its services or subscription managers. device tells where the device was
	// reached; an error refuses the device, as a *soap.ElsewhereError. nil demands its scheme and host, with any port: a device must not make the consumer talk to others.
	// AllowHosts makes a policy for devices with several addresses. Of several addresses of one service those that are refused are passed over, and the others, at most 8, tried in turn.
	AllowAddress func(device soap.Contact, named string) error
	// AllowSender, if set, accepts notifications with a certificate that the device does not show at its own address: for devices that have one to
	// serve and another to notify. nil refuses all of them (see eventing.Senders).
	AllowSender func(device *Device, sender *x509.Certificate) bool
	// Insecure uses plain HTTP, without encryption or authentication. For benches
	// only: it must be set explicitly and excludes Identity.
	Insecure bool
	// Network is where the consumer lives: notifications are received there. The
	// zero value is loopback.
	Network sdc.Network
	// Devices says how many are followed at the same time, and how many of them behind one certificate or address, as with a gateway. Notifications of
	// those beyond are turned down, which ends their subscriptions. The zero value is 256, and 64 behind one.
	Devices sdc.Crowd
	// Actions are the notifications to subscribe to, as sdc.ActionEpisodicMetricReport; nil takes all that the device
	// offers, an empty list none. With a selection, missing MDIB versions are no sign of a loss
	// and gaps can only be found by state versions.
	Actions []string
	// TimeService waits until a time service has been reached: before that New does not return, so that nothing is done with devices (SDPi R1540). It returns nil when that is so, or the
	// reason why it never will, or that of ctx. nil: the clock of the host is taken as it is.
	TimeService func(ctx context.Context) error
	// RequestTimeout bounds one request to a device; 0 is 10 s. A device that is busy (429, or 503 with Retry-After) is asked again within it, not before it has said.
	RequestTimeout time.Duration
	// SubscriptionLength is the duration asked for; 0 is one minute. The device may
	// grant less; subscriptions are renewed at half of what was granted.
	SubscriptionLength time.Duration
	// UpdateQueue is how many updates each reader of Device.Updates may lag behind
	// before it gets ErrSlowReader; 0 is 4096.
	UpdateQueue int
	// ReportQueue is how many reports are kept while the MDIB is being read; 0 is
	// 4096. If more arrive, the reading starts over.
	ReportQueue int
	// ProofInterval is how often a device is asked for a sign of life, and for the MDIB version it has; 0 is 5 s. Without an answer, and without any report, or
	// with reports that arrive later than this, its Link turns Stale: after twice the interval at the latest.
	ProofInterval time.Duration
	// LostAfter is how long a device may stay stale, while it is tried to heal the connection, before its Device ends
	// with ErrLost; 0 is 30 s.
	LostAfter time.Duration
	// Locators find a device again that does not answer where it was; none leaves the addresses given to Connect. Those that are a Watcher also
	// tell when to look. They belong to the caller, who closes them after the consumer. Consumer.AddLocator adds more.
	Locators []Locator
	// ClockTolerance is by how much the clock of a device may differ from this host's before that is told (Update.Clock, SDPi R1601); 0 is 2 s, less than 0
	// looks at no clock. The difference is known to a second at best.
	ClockTolerance time.Duration
	// Priority is the group that decides how long ConnectDiscovered waits before it
	// connects: 0 and 1 for functions of high, 2 to 6 of normal, 7 to 9 of low
	// criticality (GLUE R0076, SDPi R0002). The zero value is the most critical group, so
	// that nothing important waits because nobody chose (SDPi R0003).
	Priority discovery.PriorityGroup
	// DiscoveryProxy is the URL of a discovery proxy that NewDiscovery asks in the place of the
	// network, or sdc.LearnProxy (SDPi R1023).
	DiscoveryProxy string
	// AccessLevels are the groups that the user of this consumer belongs to. Operations meant
	// for others are refused here, before anything is sent (BICEPS R5054, SCO-9). nil is
	// pm.AccessLevelUsr, any user. pm.AccessLevelOth stands for operations that are
	// restricted by other means, which the application has seen to.
	AccessLevels []pm.AccessLevel
	// SafetyInfo makes what an operation asks for beyond the request (MDPWS safe data transmission) from what the application knows. nil computes it from the request and
	// the mirror: that protects the way to the device and tells it of an outdated mirror, but a mistake before the request was made goes unseen.
	SafetyInfo func(ctx context.Context, r *safety.Requirement, request msg.SetRequest, snap *mdib.Snapshot) (*safety.Info, error)
	// Extensions are those that the application understands beyond the ones of SDPi. A device whose MDIB holds others marked ext:MustUnderstand cannot be
	// connected to; a report that does is not applied.
	Extensions *ext.Registry
	// Limits bounds the XML of what devices send; zero fields take defaults.
	Limits xmlscan.Limits
	// Dial opens connections and Listen the place for notifications; nil takes the
	// system's network. They exist for tests and for other transports.
	Dial   func(ctx context.Context, network, addr string) (net.Conn, error)
	Listen func(ctx context.Context, network, addr string) (net.Listener, error)
	// Journal, if set, is told of every message that the consumer sends and receives, those of NewDiscovery included; see package journal. What it keeps may be
	// patient data.
	Journal soap.Journal
	// Logger receives what happens; nil discards.
	Logger *slog.Logger
}

// withDefaults applies the defaults and reports everything that is wrong at once.
func (c Config) withDefaults() (Config, error) {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	switch {
	case c.Identity == nil && !c.Insecure:
		bad("an Identity is needed; on a bench without certificates set Insecure")
	case c.Identity != nil && c.Insecure:
		bad("Identity and Insecure exclude each other")
	case c.Identity != nil:
		if err := c.Identity.Validate(); err != nil {
			errs = append(errs, err)
		} else if c.Identity.Roles()&sdc.RoleConsumer == 0 && !c.Identity.AllowMissingKeyPurpose {
			bad("the certificate of %s lacks the consumer's key purpose", c.Identity.Leaf().Subject)
		}
	}
	switch {
	case c.Binding > BindEquipment:
		bad("Binding %d is unknown", c.Binding)
	case c.Binding != BindNone && c.Identity == nil:
		bad("Binding needs an Identity")
	}
	if c.Listen == nil {
		if err := c.Network.Validate(); err != nil {
			errs = append(errs, err)
		}
	}
	for _, action := range c.Actions {
		if !isNotification(action) {
			bad("Actions: %q is no notification of a BICEPS service", action)
		}
	}
	if err := c.Devices.Validate(); err != nil {
		bad("Devices: %w", err)
	}
	if c.AccessLevels == nil {
		c.AccessLevels = []pm.AccessLevel{pm.AccessLevelUsr}
	}
	for _, level := range c.AccessLevels {
		if !level.Valid() {
			bad("AccessLevels: there is no level %q", level)
		}
	}
	for _, d := range []struct {
		name  string
		value *time.Duration
		def   time.Duration
	}{
		{"RequestTimeout", &c.RequestTimeout, 10 * time.Second},
		{"SubscriptionLength", &c.SubscriptionLength, time.Minute},
		{"ProofInterval", &c.ProofInterval, 5 * time.Second},
		{"LostAfter", &c.LostAfter, 30 * time.Second},
	} {
		if *d.value < 0 {
			bad("%s is negative", d.name)
		}
		setDefault(d.value, d.def)
	}
	for _, q := range []struct {
		name  string
		value *int
	}{{"UpdateQueue", &c.UpdateQueue}, {"ReportQueue", &c.ReportQueue}} {
		if *q.value < 0 {
			bad("%s is negative", q.name)
		}
	}
	setDefault(&c.UpdateQueue, 4096)
	setDefault(&c.ReportQueue, 4096)
	setDefault(&c.ClockTolerance, 2*time.Second)
	if _, err := discovery.ConnectDelay(c.Priority, nil); err != nil {
		errs = append(errs, err)
	}
	if err := sdc.CheckProxy(c.DiscoveryProxy); err != nil {
		errs = append(errs, err)
	}
	if len(errs) > 0 {
		return c, fmt.Errorf("consumer: %w", errors.Join(errs...))
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c, nil
}

// isNotification tells whether a service of BICEPS sends something with this action.
func isNotification(action string) bool {
	return slices.ContainsFunc(sdc.Services(), func(s sdc.Service) bool { return slices.Contains(s.Notifications(), action) })
}

// decode says how messages of devices are read.
func (c *Config) decode() msg.Options { return msg.Options{Understands: c.Extensions.Understands} }

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
