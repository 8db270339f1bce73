package discovery

import (
	"math/rand/v2"
	"time"
)

// Timing sets the delays of discovery. The zero value has the defaults of DPWS 1.1 and
// SDPi; [PromptTiming] is for tests.
type Timing struct {
	// Repeat is how many further copies of each UDP message are sent (SOAP-over-UDP,
	// SDPi R2002). 0 is 1, negative is none.
	Repeat int
	// MinDelay and MaxDelay bound the random delay before the first further copy; each
	// later one doubles it up to UpperDelay. 0 is 50 ms, 250 ms and 450 ms.
	MinDelay, MaxDelay, UpperDelay time.Duration

	// HelloDelay bounds the random delay before the first Hello, so that devices switched
	// on together do not speak together (APP_MAX_DELAY). 0 is 2.5 s, negative is none.
	HelloDelay time.Duration
	// MatchDelay bounds the random delay before ProbeMatches (APP_MAX_DELAY, WSD-2). 0 is
	// 2.5 s, negative is none.
	MatchDelay time.Duration
	// ResolveDelay bounds the random delay before ResolveMatches, which spreads the load
	// of connecting consumers (SDPi R0001). 0 is none.
	ResolveDelay time.Duration

	// HelloEvery and HelloEveryMax bound the random time from one Hello to the next while
	// nothing changes (SDPi R2001). 0 is 60 s, and twice HelloEvery; a negative HelloEvery
	// says Hello only at the start and after changes, as plain WS-Discovery does.
	HelloEvery, HelloEveryMax time.Duration
}

// PromptTiming is a Timing without the random delays before Hello and ProbeMatches that keep the devices of a network from speaking all at once:
// for demonstrations and tests, where few devices share a network and somebody waits for them. The rest has the defaults.
func PromptTiming() Timing { return Timing{HelloDelay: -1, MatchDelay: -1} }

const (
	udpMinDelay   = 50 * time.Millisecond
	udpMaxDelay   = 250 * time.Millisecond
	udpUpperDelay = 450 * time.Millisecond
	appMaxDelay   = 2500 * time.Millisecond
	helloEvery    = 60 * time.Second
)

func (t Timing) withDefaults() Timing {
	if t.Repeat == 0 {
		t.Repeat = 1
	}
	def := func(v *time.Duration, d time.Duration) {
		if *v == 0 {
			*v = d
		}
	}
	def(&t.MinDelay, udpMinDelay)
	def(&t.MaxDelay, udpMaxDelay)
	def(&t.UpperDelay, udpUpperDelay)
	def(&t.HelloDelay, appMaxDelay)
	def(&t.MatchDelay, appMaxDelay)
	def(&t.HelloEvery, helloEvery)
	def(&t.HelloEveryMax, 2*t.HelloEvery)
	return t
}

// copies returns the pauses before each further copy of a message.
func (t Timing) copies() []time.Duration {
	var pauses []time.Duration
	d := between(t.MinDelay, t.MaxDelay)
	for range t.Repeat {
		pauses = append(pauses, d)
		d = min(2*d, t.UpperDelay)
	}
	return pauses
}

// between draws from [lo, hi], evenly; lo if hi is not above it, and never less than 0.
func between(lo, hi time.Duration) time.Duration {
	lo = max(lo, 0)
	if hi <= lo {
		return lo
	}
	return lo + rand.N(hi-lo+1)
}
