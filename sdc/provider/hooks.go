package provider

import (
	"time"

	"github.com/semeco/go-sdc/mdib/msg"
)

// Hooks let an application count and time what the provider does. Every hook may be nil; they are called on the path of the event and must
// return quickly.
type Hooks struct {
	// Committed is called after a change was published: the report's element name, its size in bytes, and the time from commit to hand-over.
	Committed func(report string, bytes int, took time.Duration)
	// Operation is called with the final state of each transaction.
	Operation func(handle string, state msg.InvocationState)
}

func (h Hooks) committed(report string, bytes int, took time.Duration) {
	if h.Committed != nil {
		h.Committed(report, bytes, took)
	}
}

func (h Hooks) operation(handle string, state msg.InvocationState) {
	if h.Operation != nil {
		h.Operation(handle, state)
	}
}
