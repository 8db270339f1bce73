package bedside

import (
	"time"

	"github.com/semeco/go-sdc/sdc/provider"
)

// Hold is a function of the device that somebody on the network has put on hold. It lasts until it is ended, by
// the caller or because its lease (the InvocationEffectiveTimeout of the operation) was not renewed, but never longer
// than Limit, however often the lease is renewed; after that it is refused for Lockout, so that a caller gone
// wild cannot string holds together.
type Hold struct {
	// Limit is the longest hold, Lockout the time after one that reached its limit.
	Limit, Lockout time.Duration

	held   bool
	used   time.Duration
	locked time.Duration
}

// Begin begins a hold; of one that lasts already it does nothing.
func (h *Hold) Begin() error {
	if h.locked > 0 {
		return provider.Refuse("the last hold was ended; the next one is possible in %v", h.locked.Round(time.Second))
	}
	if !h.held {
		h.held, h.used = true, 0
	}
	return nil
}

// End ends the hold and tells whether there was one.
func (h *Hold) End() bool {
	was := h.held
	h.held = false
	return was
}

// Stop is End at the wish of somebody other than the caller of Begin: for a while no hold begins, lest a renewal that is on its way begin it
// anew.
func (h *Hold) Stop(lockout time.Duration) bool {
	if !h.End() {
		return false
	}
	h.locked = max(h.locked, lockout)
	return true
}

// Held tells whether the hold lasts.
func (h *Hold) Held() bool { return h.held }

// Left is how long the hold can last at most from now on; 0 if there is none.
func (h *Hold) Left() time.Duration {
	if !h.held {
		return 0
	}
	return h.Limit - h.used
}

// Step lets dt pass; true says that the hold has just reached its limit and is over. A hold that has not taken
// effect yet does not use up its limit.
func (h *Hold) Step(dt time.Duration, inEffect bool) bool {
	h.locked = max(h.locked-dt, 0)
	if !h.held || !inEffect {
		return false
	}
	h.used += dt
	if h.used < h.Limit {
		return false
	}
	h.held, h.locked = false, h.Lockout
	return true
}
