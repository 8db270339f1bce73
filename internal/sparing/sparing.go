// Package sparing keeps what strangers cause from filling logs and disks: so many events are told at once, and then one every now and then, with the number of those in between.
package sparing

import (
	"sync"
	"time"
)

// Bounds for what anybody on a network can cause without a certificate: refusals of it.
const (
	Burst = 100
	Every = time.Second
)

// Teller decides what is told. The zero value is ready for use, by any goroutine.
type Teller struct {
	mu     sync.Mutex
	spent  int       // of Burst
	since  time.Time // when spent was worked out
	untold uint64
}

// Tell says whether an event at the time now is to be told, and how many have not been since the last that was.
func (t *Teller) Tell(now time.Time) (ok bool, untold uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := now.Sub(t.since) / Every; n >= time.Duration(t.spent) || n < 0 { // or the clock was set back
		t.spent, t.since = 0, now
	} else if n > 0 {
		t.spent -= int(n)
		t.since = t.since.Add(n * Every)
	}
	if t.spent == Burst {
		t.untold++
		return false, 0
	}
	t.spent++
	untold, t.untold = t.untold, 0
	return true, untold
}
