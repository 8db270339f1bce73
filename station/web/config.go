package web

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"time"

	"github.com/semeco/go-sdc/sdc/audit"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/station"
)

// Station is what the web view reads. *station.Station is one.
type Station interface {
	View() *station.View
	Views(ctx context.Context) iter.Seq[*station.View]
	Blocks(q station.Query, after uint64) []*station.Block
	Trend(q station.Query) []station.Bucket
	Device(epr string) (*consumer.Device, error)
}

// Config describes a web view. Station is needed, the zero value of each other field is usable.
type Config struct {
	Station Station
	// Title is shown at the top; "" is "SDC station".
	Title string
	// Hosts are the names by which browsers may ask for the view, without port, beside the addresses of loopback and the address
	// they connect to. Any other Host header is refused: a page from elsewhere must not be able to read patient data by
	// pointing a name of its own here.
	Hosts []string
	// Control lets browsers invoke operations of devices; nil is a view to read only.
	Control *Control
	// MaxClients bounds the browsers that are followed at a time; 0 is 32. One more is answered 503.
	MaxClients int
	// MaxPerPeer bounds those of one client certificate, or else address; 0 is a quarter of MaxClients, at least one. Browsers on loopback, and whatever a proxy
	// there stands for, may have all of them; a proxy on another host needs a share that is large enough.
	MaxPerPeer int
	// Interval is the least time between two states sent to a browser; 0 is 250 ms. Samples are sent at most every 100 ms.
	Interval time.Duration
	// WriteTimeout is how long a browser may take for one message, or for 64 KiB of a document, before it is given up; 0 is 5 s.
	WriteTimeout time.Duration
	// Logger receives what happens; nil discards.
	Logger *slog.Logger
}

// Control says who may control devices from a browser, and who is told.
type Control struct {
	// Lease is how long a browser holds control without a sign of life; 0 is 30 s. One browser has control at a time.
	Lease time.Duration
	// Allow has the last word on an operation; nil allows those with access level "Usr" or none. An error is shown to the user.
	Allow func(ctx context.Context, by User, op *station.Operation) error
	// Audit is told of each taking and giving up of control and each operation, before and after. It must not be nil: whoever
	// allows control from a browser has to know what was done. It returns once the event is kept; after an error control is not
	// given, and no operation is invoked. It is called by several goroutines.
	Audit func(Event) error
	// Timeout bounds an operation; 0 is 30 s.
	Timeout time.Duration
}

// User is who controls.
type User struct {
	// Name is what the user has entered. Nobody has checked it, unless Certificate names the same person.
	Name string `json:"name"`
	// Certificate is the subject of the client certificate, Fingerprint its SHA-256 in hexadecimal digits; "" without.
	Certificate string `json:"certificate,omitempty"`
	Fingerprint string `json:"sha256,omitempty"`
	// Address is where the browser is.
	Address string `json:"address"`
}

// Event is something that was done under control, for the audit.
type Event struct {
	Time time.Time `json:"time"`
	What What      `json:"what"`
	By   User      `json:"by"`
	// Device, Operation and Arguments tell what was asked of which device; "" and nil for the control itself.
	Device    string   `json:"device,omitempty"`
	Operation string   `json:"operation,omitempty"`
	Arguments []string `json:"arguments,omitempty"`
	// Outcome is the final invocation state or the reason of a refusal.
	Outcome string `json:"outcome,omitempty"`

	target string // of the operation
	kind   station.OperationKind
}

// What is what was done.
type What string

// What can be done.
const (
	ControlTaken       What = "control taken"
	ControlGivenUp     What = "control given up"
	ControlExpired     What = "control expired"
	OperationRequested What = "operation requested"
	OperationRefused   What = "operation refused"
	OperationEnded     What = "operation ended"
)

// Record is the event for the audit of participants: who did what to which device, and how it ended. Values are not in it; its digest is that of
// the event itself.
func (e Event) Record() audit.Event {
	out := audit.Event{
		Time: e.Time, Device: e.Device, User: e.By.Name, Subject: e.By.Certificate, Fingerprint: e.By.Fingerprint, Remote: e.By.Address,
		Operation: e.Operation, Target: e.target, Action: string(e.What), Digest: audit.Digest(e),
	}
	switch e.What {
	case ControlTaken, ControlGivenUp, ControlExpired:
		out.Kind = audit.Controlled
		return out
	case OperationRequested:
		out.Kind = audit.Invoked
	case OperationRefused:
		out.Kind, out.Reason = audit.Denied, e.Outcome
	case OperationEnded:
		out.Kind, out.Outcome = audit.Finished, e.Outcome
	}
	out.Service = string(e.kind)
	return out
}

func (c *Config) validate() error {
	var errs []error
	if c.Station == nil {
		errs = append(errs, errors.New("Station is missing"))
	}
	if c.Control != nil && c.Control.Audit == nil {
		errs = append(errs, errors.New("Control.Audit is missing: control from a browser needs an audit"))
	}
	if c.Control != nil && (c.Control.Lease < 0 || c.Control.Timeout < 0) || c.Interval < 0 || c.WriteTimeout < 0 || c.MaxClients < 0 || c.MaxPerPeer < 0 {
		errs = append(errs, errors.New("a duration or number is negative"))
	}
	if len(errs) > 0 {
		return fmt.Errorf("web: %w", errors.Join(errs...))
	}
	if c.MaxPerPeer == 0 && c.MaxClients > 0 {
		c.MaxPerPeer = max(c.MaxClients/4, 1)
	}
	def(&c.MaxClients, 32)
	def(&c.MaxPerPeer, 8)
	def(&c.Interval, 250*time.Millisecond)
	def(&c.WriteTimeout, 5*time.Second)
	def(&c.Title, "SDC station")
	if c.Control != nil {
		control := *c.Control
		def(&control.Lease, 30*time.Second)
		def(&control.Timeout, 30*time.Second)
		c.Control = &control
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return nil
}

func def[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}
