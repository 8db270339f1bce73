package alertprovider

import (
	"time"

	"github.com/semeco/go-sdc/mdib"
)

// Phase says who sounds; the package comment has the table.
type Phase string

// Phases.
const (
	// Local: nobody monitors.
	Local Phase = "local"
	// Pending: monitored, and the local signals go on.
	Pending Phase = "pending"
	// Quiet: monitored, and the local signals are paused.
	Quiet Phase = "quiet"
	// Disabled: nobody can activate.
	Disabled Phase = "disabled"
)

// Reason says why monitoring has ended.
type Reason string

// Reasons. All but EndedByConsumer are a fallback.
const (
	// EndedByConsumer: by its operation (DEV-49).
	EndedByConsumer Reason = "ended by the consumer"
	// EndedByDevice: by End or Disable (DEV-49).
	EndedByDevice Reason = "ended by the device"
	// NotRenewed: there was no activation within InvocationEffectiveTimeout.
	NotRenewed Reason = "not activated again in time"
	// NotConfirmed: the delivery of an alert was not confirmed within MaxTechnicalConfirmationDelay.
	NotConfirmed Reason = "delivery not confirmed in time"
	// NewSequence: the MDIB began a new sequence, and the versions to be confirmed with it.
	NewSequence Reason = "new sequence of the MDIB"
	// Failed: the device could not do its part.
	Failed Reason = "failure of the device"
	// Stopped: Run has ended.
	Stopped Reason = "device stopped"
)

// Status is how things are.
type Status struct {
	Phase Phase
	// Name is what the consumer wishes to be called by, Peer who it is by its certificate and address; "" while nobody monitors.
	Name, Peer string
	// Since is when the phase began; zero before Run.
	Since time.Time
	// Until is when monitoring ends unless it is activated again, or, while Disabled, when it can be activated again; zero while Local and after Disable.
	Until time.Time
	// From is the version of the MDIB at the takeover.
	From mdib.Version
	// Unconfirmed is how many conditions have a state whose delivery has not been confirmed.
	Unconfirmed int
	// Ended is why monitoring ended last, "" if it never has; Detail says more of it.
	Ended  Reason
	Detail string
}

// Monitored tells whether a consumer monitors the alarms.
func (s Status) Monitored() bool { return s.Phase == Pending || s.Phase == Quiet }
