package discovery

// EventKind says what an [Event] reports.
type EventKind uint8

// The kinds of events.
const (
	Found     EventKind = iota + 1 // a matching device that was not known, or is back after Gone
	Alive                          // heard again, nothing has changed
	Changed                        // other types, scopes or addresses
	Restarted                      // a new life under the same EPR: connections to the former are dead
	Gone                           // it said Bye or does not match any more
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
}
