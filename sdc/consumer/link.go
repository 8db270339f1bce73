package consumer

import (
	"fmt"
	"time"

	"github.com/semeco/go-sdc/mdib"
)

// LinkState says whether a Device's snapshot is what the device has now.
type LinkState uint8

const (
	// Connecting means: the MDIB has not been read yet.
	Connecting LinkState = iota
	// Live means: every report since the MDIB was read has been applied, and the last sign of
	// life is no older than twice Config.ProofInterval.
	Live
	// Stale means: something was or may have been missed since Link.StaleSince, and no attempt
	// at healing is under way at this moment: the next one waits its turn.
	Stale
	// Resyncing means: as Stale, and an attempt at healing is under way: the device is being
	// found, subscribed to or read again.
	Resyncing
	// Lost means: the device could not be healed within Config.LostAfter. The Device has
	// ended; the snapshot is stale for good.
	Lost
	// Closed means: the application has closed the Device.
	Closed
)

// String returns the name of the state in lower case.
func (s LinkState) String() string {
	switch s {
	case Connecting:
		return "connecting"
	case Live:
		return "live"
	case Stale:
		return "stale"
	case Resyncing:
		return "resyncing"
	case Lost:
		return "lost"
	case Closed:
		return "closed"
	}
	return fmt.Sprintf("link state %d", uint8(s))
}

// Link is the state of the connection to a device.
type Link struct {
	// State is the state.
	State LinkState
	// Since is when it was entered.
	Since time.Time
	// Cause says why, except for Live: what was noticed, and after an attempt at healing that
	// failed also why it did.
	Cause error
	// StaleSince is the last moment at which the snapshot was known to be what the device has:
	// what is shown may be outdated since then. It lies before the moment at which that was
	// noticed. It is zero while Live, and while nothing has been read.
	StaleSince time.Time
}

// Gap says that updates may be missing between two snapshots.
type Gap struct {
	// Cause is what was noticed: a *mdib.GapError, *mdib.SequenceError, *ReportSequenceError,
	// *StateGapError, *SilenceError, *LagError, the end of a subscription, an unusable report ...
	Cause error
	// Stale is the last moment at which the snapshot before the gap was known to be what the device had:
	// what was shown from then on until the update that carries the Gap may have been outdated.
	Stale time.Time
	// From and To are the versions of the snapshots before and after. Within one sequence every version
	// between the two may have been missed; with another sequence, any number.
	From, To mdib.Version
}
