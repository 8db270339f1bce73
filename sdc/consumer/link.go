package consumer

import (
	"fmt"
	"time"
)

// LinkState says whether a Device's snapshot is what the device has now.
type LinkState uint8

const (
	// Connecting means: the MDIB has not been read yet.
	Connecting LinkState = iota
	// Live means: every report since the MDIB was read has been applied.
	Live
	// Resyncing means: something was or may have been missed since Link.Since; the MDIB is
	// being read again. The snapshot is stale.
	Resyncing
	// Lost means: the device could not be reached for Config.LostAfter. The Device has
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
	// Cause says why, except for Live.
	Cause error
}

// Gap says that updates may be missing between two snapshots.
type Gap struct {
	// Cause is what was noticed: a *mdib.GapError, *mdib.SequenceError, the end of a
	// subscription, an unusable report ...
	Cause error
	// Stale is when that was: what was shown from then on until the update that
	// carries the Gap may have been outdated.
	Stale time.Time
}
