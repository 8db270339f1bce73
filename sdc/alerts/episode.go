package alerts

import (
	"time"

	"github.com/semeco/go-sdc/mdib/pm"
)

// episode is what a signal remembers of its condition's presence.
type episode struct {
	generated bool      // the signal has been generated since the condition became present
	latched   bool      // it goes on though the condition has gone
	acked     bool      // somebody has acknowledged it while the condition is present
	ackedAt   time.Time // and when
}

// input is what a signal depends on.
type input struct {
	present    bool // the condition
	due        bool // the generation delay has passed
	activation pm.AlertActivation
	latching   bool
	ackOver    bool // an acknowledgement has lost its effect
}

// next tells whether a signal is generated, and remembers what matters later. The table is in the package comment.
func (e *episode) next(in input) pm.AlertSignalPresence {
	if in.activation == pm.AlertActivationOff {
		*e = episode{}
		return pm.AlertSignalPresenceOff
	}
	on := in.activation == pm.AlertActivationOn
	if !in.present {
		if e.generated && in.latching && !e.acked {
			e.latched = true
		}
		e.generated, e.acked = false, false
		if on && e.latched {
			return pm.AlertSignalPresenceLatch
		}
		return pm.AlertSignalPresenceOff
	}
	if e.acked && in.ackOver {
		e.acked = false
	}
	if !on {
		return pm.AlertSignalPresenceOff
	}
	switch {
	case e.acked:
		return pm.AlertSignalPresenceAck
	case in.due || e.generated:
		e.generated, e.latched = true, false
		return pm.AlertSignalPresenceOn
	case e.latched:
		return pm.AlertSignalPresenceLatch
	}
	return pm.AlertSignalPresenceOff
}

// acknowledge is a person's (or another participant's) deliberate action on a signal that shows p. It reports whether there was
// something to acknowledge.
func (e *episode) acknowledge(p pm.AlertSignalPresence, now time.Time) bool {
	switch p {
	case pm.AlertSignalPresenceOn:
		e.acked, e.ackedAt = true, now
	case pm.AlertSignalPresenceLatch:
		e.latched = false
	default:
		return false
	}
	return true
}

// resume takes over a signal as it was found.
func (e *episode) resume(p pm.AlertSignalPresence, now time.Time) {
	switch p {
	case pm.AlertSignalPresenceOn:
		e.generated = true
	case pm.AlertSignalPresenceAck:
		e.generated, e.acked, e.ackedAt = true, true, now
	case pm.AlertSignalPresenceLatch:
		e.latched = true
	case pm.AlertSignalPresenceOff:
	}
}
