package station

import (
	"net/netip"
	"slices"
	"time"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/internal/giveway"
)

// Who gets a place. Anybody can announce devices that do not exist, as many as he likes, so a device has to earn the place that it keeps:
//
//   - A member that has been connected has proved who it is. It keeps its place until it is forgotten.
//   - Any other has it for one turn while another waits for it: when its try has failed, or after [turn], it goes to the end of the line.
//   - A free place goes to the first in line. When a turn is over, all in line that came from the same sender go to its end. So the senders take turns, and
//     a device that is the only one its address tells of need not wait for a thousand that another has invented.
//   - When the line is full, the sender with most in it gives one up.
//
// So a device that stays in line is tried after as many turns as there are before it, shared among the places that are not taken by proof.

// turn is how long a device is tried at first while others wait. It is longer than a request may take, so that a device that is slow still has its turn.
const turn = 15 * time.Second

// waiter is a device in line for a place.
type waiter struct {
	discovery.Endpoint
	sender netip.Addr // who told of it, see [discovery.Event]
	since  time.Time  // when it was first heard
}

type waiters []waiter

// wait puts a device into the line, at its end. The caller holds the lock.
func (s *Station) wait(w waiter) {
	for i := range s.waiting {
		if s.waiting[i].EPR == w.EPR {
			s.waiting[i].Endpoint = w.Endpoint
			return
		}
	}
	if len(s.waiting) >= maxWaiting {
		out := giveway.Pick(s.waiting, func(w waiter) netip.Addr { return w.sender })
		if out < 0 {
			s.log.Warn("too many devices, one is ignored", "device", w.EPR, "limit", maxWaiting)
			return
		}
		s.log.Warn("too many devices wait, one is ignored", "device", s.waiting[out].EPR, "limit", maxWaiting)
		s.waiting = slices.Delete(s.waiting, out, out+1)
	}
	s.log.Warn("too many devices, one has to wait", "device", w.EPR, "followed", len(s.members))
	s.waiting = append(s.waiting, w)
	s.changed(true)
}

// next is who gets a place, once leaving has left, if it is not nil. The caller holds the lock.
func (s *Station) next(leaving *member) (waiter, Rule, bool) {
	members := 0
	ofRule := map[string]int{}
	for _, m := range s.members {
		if m == leaving {
			continue
		}
		members++
		ofRule[m.rule.Name]++
	}
	if members >= s.cfg.MaxDevices {
		return waiter{}, Rule{}, false
	}
	for _, w := range s.waiting {
		if rule, ok := s.ruleFor(w.Endpoint); ok && (rule.Max == 0 || ofRule[rule.Name] < rule.Max) {
			return w, rule, true
		}
	}
	return waiter{}, Rule{}, false
}

// turnOver lets all in line go to its end that came from the sender who has had a turn. The caller holds the lock.
func (s *Station) turnOver(sender netip.Addr) {
	var line, last waiters
	for _, w := range s.waiting {
		if w.sender == sender {
			last = append(last, w)
		} else {
			line = append(line, w)
		}
	}
	s.waiting = append(line, last...)
}

// wanted reports whether another waits for the place of a member that has not proved who it is.
func (s *Station) wanted(m *member) bool {
	if m.hasProof() {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _, ok := s.next(m)
	return ok
}

// countOf is how many are followed by a rule. The caller holds the lock.
func (s *Station) countOf(r Rule) int {
	n := 0
	for _, m := range s.members {
		if m.rule.Name == r.Name {
			n++
		}
	}
	return n
}
