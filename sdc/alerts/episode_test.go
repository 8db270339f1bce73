package alerts

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib/pm"
)

// TestEpisode: each row is a story of a signal, and what it shows after each step.
func TestEpisode(t *testing.T) {
	// covers: BICEPS ack
	type step struct {
		in   input
		ack  bool // before the step
		want pm.AlertSignalPresence
	}
	const (
		on, off, latch, ack = pm.AlertSignalPresenceOn, pm.AlertSignalPresenceOff, pm.AlertSignalPresenceLatch, pm.AlertSignalPresenceAck
		A, P, O             = pm.AlertActivationOn, pm.AlertActivationPsd, pm.AlertActivationOff
	)
	gone := func(a pm.AlertActivation) input { return input{activation: a, latching: true} }
	there := func(a pm.AlertActivation) input {
		return input{present: true, due: true, activation: a, latching: true}
	}
	early := input{present: true, activation: A, latching: true}
	plain := func(present bool) input { return input{present: present, due: present, activation: A} }
	over := there(A)
	over.ackOver = true
	for name, story := range map[string][]step{
		"comes and goes":                      {{plain(false), false, off}, {plain(true), false, on}, {plain(true), false, on}, {plain(false), false, off}},
		"waits for its delay":                 {{early, false, off}, {early, false, off}, {there(A), false, on}},
		"too short for its delay":             {{early, false, off}, {gone(A), false, off}},
		"latches until acknowledged":          {{there(A), false, on}, {gone(A), false, latch}, {gone(A), false, latch}, {gone(A), true, off}, {gone(A), false, off}},
		"acknowledged, then gone":             {{there(A), false, on}, {there(A), true, ack}, {there(A), false, ack}, {gone(A), false, off}},
		"acknowledged for a time":             {{there(A), false, on}, {there(A), true, ack}, {over, false, on}, {gone(A), false, latch}},
		"acknowledged, not latching":          {{plain(true), false, on}, {plain(true), true, ack}, {plain(false), false, off}, {plain(true), false, on}},
		"nothing to acknowledge":              {{gone(A), true, off}, {there(A), false, on}},
		"again while latched":                 {{there(A), false, on}, {gone(A), false, latch}, {early, false, latch}, {there(A), false, on}, {gone(A), false, latch}},
		"acknowledged while latched again":    {{there(A), false, on}, {gone(A), false, latch}, {early, true, off}, {there(A), false, on}},
		"paused while on":                     {{there(A), false, on}, {there(P), false, off}, {there(A), false, on}},
		"paused while latched":                {{there(A), false, on}, {gone(A), false, latch}, {gone(P), false, off}, {gone(A), false, latch}},
		"gone while paused":                   {{there(A), false, on}, {there(P), false, off}, {gone(P), false, off}, {gone(A), false, latch}},
		"acknowledged, then paused":           {{there(A), false, on}, {there(A), true, ack}, {there(P), false, off}, {there(A), false, ack}},
		"never generated, so nothing latches": {{there(P), false, off}, {gone(P), false, off}, {gone(A), false, off}},
		"off ends a latch":                    {{there(A), false, on}, {gone(A), false, latch}, {gone(O), false, off}, {gone(A), false, off}},
		"off ends an acknowledgement":         {{there(A), false, on}, {there(A), true, ack}, {there(O), false, off}, {there(A), false, on}},
	} {
		var e episode
		shown := off
		for i, s := range story {
			if s.ack {
				e.acknowledge(shown, time.Now())
			}
			shown = e.next(s.in)
			require.Equal(t, s.want, shown, "%s, step %d", name, i)
		}
	}
}

func TestResumedEpisodes(t *testing.T) {
	for _, p := range []pm.AlertSignalPresence{pm.AlertSignalPresenceOn, pm.AlertSignalPresenceAck, pm.AlertSignalPresenceLatch, pm.AlertSignalPresenceOff} {
		var e episode
		e.resume(p, time.Now())
		present := p == pm.AlertSignalPresenceOn || p == pm.AlertSignalPresenceAck
		require.Equal(t, p, e.next(input{present: present, activation: pm.AlertActivationOn, latching: true}), "a signal goes on as it was found")
	}
}
