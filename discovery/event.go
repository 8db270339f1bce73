package discovery

import "net/netip"

// EventKind says what an [Event] reports.
type EventKind uint8

// The kinds of events.
const (
	Found     EventKind = iota + 1 // a matching device that was not known, or is back after Gone
	Alive                          // heard again, nothing has changed
	Changed                        // other types, scopes or addresses
	Restarted                      // a new life under the same EPR: connections to the former are dead
	Gone                           // it said Bye, does not match any more, or has given its place to another (ClientConfig.MaxEndpoints)
)

// String names the kind in lower case.
func (k EventKind) String() string {
	switch k {
	case Found:
		return "found"
	case Alive:
		return "alive"
	case Changed:
		return "changed"
	case Restarted:
		return "restarted"
	case Gone:
		return "gone"
	}
	return "unknown"
}

// Event is news of a device.
type Event struct {
	Kind     EventKind
	Endpoint Endpoint // as last known, also with Gone
	// Sender is the address of the datagram that told of it first. It proves nothing, but whoever follows what is announced can share places out by it. It is the zero value
	// for what did not come by datagram: from a discovery proxy or a peer.
	Sender netip.Addr
}
