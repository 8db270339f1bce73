package station

import (
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
)

// Clock is what the station knows of the clock of an MDS. It is immutable.
type Clock struct {
	// Known tells whether Offset has been estimated; until then the clock is taken to be right.
	Known bool
	// Offset, added to a time of the device, gives the time of the station. It is the least difference, of the last minute, between the
	// arrival of something just determined and the time the device gives for it, and so includes the shortest way over the network.
	Offset time.Duration
	// Steps counts how often the clock was noticed to be set by more than a second.
	Steps int
	// Synchronised is what the device says: an outside source sets the clock; Accuracy is its greatest error, 0 if not told. LastSet is by the
	// device's clock.
	Synchronised bool
	Accuracy     time.Duration
	LastSet      time.Time
}

// clockTolerance is what a clock that is said to be right may differ by estimate, for the way over the network and the time a measurement takes.
const clockTolerance = 2 * time.Second

// Wrong tells that the clock is off by more than can be explained, whatever the device says of it.
func (c Clock) Wrong() bool {
	return c.Known && max(c.Offset, -c.Offset) > clockTolerance+c.Accuracy
}

const (
	clockSlots   = 6
	clockSlot    = 10 * time.Second
	clockStep    = time.Second
	clockSuspect = 8 // so many times in a row make a step
)

// clock estimates the offset of a device's clock.
type clock struct {
	told    Clock // what the device says
	known   bool
	slots   [clockSlots]slot
	late    int           // how many samples in a row were too late
	least   time.Duration // the least of those
	steps   int
	guessed time.Duration // before anything is known
}

// slot is the least difference of one stretch of time.
type slot struct {
	begin time.Time
	least time.Duration
}

// sample takes the time that the device gives for something it has just determined.
func (c *clock) sample(device, arrived time.Time) {
	delta := arrived.Sub(device)
	if c.known {
		offset := c.offset()
		switch {
		case delta > offset+clockStep:
			// One that is late says nothing; if all are, the clock was set back.
			if c.late == 0 || delta < c.least {
				c.least = delta
			}
			if c.late++; c.late >= clockSuspect {
				c.reset(c.least, arrived)
			}
			return
		case delta < offset-clockStep:
			c.reset(delta, arrived)
			return
		}
	}
	c.known, c.late = true, 0
	oldest, newest := 0, 0
	for i := range c.slots {
		if c.slots[i].begin.Before(c.slots[oldest].begin) {
			oldest = i
		}
		if c.slots[i].begin.After(c.slots[newest].begin) {
			newest = i
		}
	}
	s := &c.slots[newest]
	if s.begin.IsZero() || arrived.Sub(s.begin) >= clockSlot {
		c.slots[oldest] = slot{begin: arrived, least: delta}
		return
	}
	s.least = min(s.least, delta)
}

// reset begins anew after a step.
func (c *clock) reset(delta time.Duration, at time.Time) {
	c.slots = [clockSlots]slot{{begin: at, least: delta}}
	c.late, c.known = 0, true
	c.steps++
}

func (c *clock) offset() time.Duration {
	if !c.known {
		return c.guessed
	}
	first := true
	var least time.Duration
	for _, s := range c.slots {
		if !s.begin.IsZero() && (first || s.least < least) {
			least, first = s.least, false
		}
	}
	return least
}

// guess takes times of an MDIB that was read as a whole. What lies ahead shows a clock that is ahead; what lies behind may simply be old.
func (c *clock) guess(device, arrived time.Time) {
	c.guessed = min(c.guessed, arrived.Sub(device))
}

// align is a time of the device by the clock of the station; zero if there is none. Nothing was determined after it came.
func (c *clock) align(ts pm.Opt[pm.Timestamp], arrived time.Time) time.Time {
	v, ok := ts.Get()
	if !ok {
		return time.Time{}
	}
	at := v.Time().Add(c.offset())
	if at.After(arrived) {
		return arrived
	}
	return at
}

// take reads what the device says of its clock.
func (c *clock) take(mds string, snap *mdib.Snapshot) {
	c.told = Clock{}
	for h := range snap.Children(mds) {
		s, ok := mdib.Get[*pm.ClockState](snap, h)
		if !ok {
			continue
		}
		c.told.Synchronised = s.RemoteSync
		if a, ok := s.Accuracy.Get(); ok {
			c.told.Accuracy = time.Duration(a.Float64() * float64(time.Second))
		}
		if t, ok := s.LastSet.Get(); ok {
			c.told.LastSet = t.Time()
		}
		return
	}
}

func (c *clock) shown() Clock {
	out := c.told
	out.Known, out.Offset, out.Steps = c.known, c.offset(), c.steps
	return out
}
