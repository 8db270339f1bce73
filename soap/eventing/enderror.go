package eventing

// EndError says that a source ended a subscription by SubscriptionEnd.
type EndError struct {
	Status Status // may be a URI of the source's own
	Reason string // human readable, may be empty
}

// Error gives status and reason.
func (e *EndError) Error() string {
	s := "subscription ended by the source: " + string(e.Status)
	if e.Reason != "" {
		s += " (" + e.Reason + ")"
	}
	return s
}
