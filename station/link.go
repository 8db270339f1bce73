package station

import (
	"time"

	"github.com/semeco/go-sdc/sdc/consumer"
)

// LinkState says whether what is shown of a device is what it has now. Only Live is.
type LinkState string

// The states of a link.
const (
	LinkConnecting LinkState = "connecting" // never connected yet
	LinkLive       LinkState = "live"       // everything the device reported has been applied
	LinkResyncing  LinkState = "resyncing"  // something was or may have been missed
	LinkLost       LinkState = "lost"       // not reachable; the station goes on trying
	LinkGone       LinkState = "gone"       // the device said goodbye
)

// Link is the state of the connection to a device.
type Link struct {
	State LinkState
	// Since is when the state was entered.
	Since time.Time
	// Cause says why, except for LinkLive.
	Cause string
}

// linkOf maps the consumer's states. What is not known to be live is not shown as live.
func linkOf(l consumer.Link) Link {
	out := Link{State: LinkResyncing, Since: l.Since}
	switch l.State {
	case consumer.Live:
		out.State = LinkLive
	case consumer.Connecting:
		out.State = LinkConnecting
	case consumer.Lost, consumer.Closed:
		out.State = LinkLost
	}
	if l.Cause != nil {
		out.Cause = l.Cause.Error()
	}
	return out
}
