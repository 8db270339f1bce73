package consumer

import (
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
)

// Clock says how the clock of a device goes, compared with that of this host, by the Date header of the device's answers (SDPi R1601). The header counts
// whole seconds, so smaller differences go unseen.
type Clock struct {
	// Known tells that the device says the time. The rest is zero if it does not.
	Known bool
	// Least and Most bound what has to be added to a time of the device to get one of this host.
	Least, Most time.Duration
	// Drifted tells that the two differ by more than Config.ClockTolerance, whatever the way over the network took. Which one is wrong, only others can
	// tell.
	Drifted bool
	// Steps counts how often the difference was seen to change by more than a second from one answer to the next: one of the two clocks was set.
	Steps int
}

// Drift is the smallest difference that explains what was seen, 0 if the clocks may agree.
func (c Clock) Drift() time.Duration {
	switch {
	case c.Least > 0:
		return c.Least
	case c.Most < 0:
		return c.Most
	}
	return 0
}

// see takes an answer that the device made at date, after it was asked at began and before the answer was there at ended.
func (c *Clock) see(date, began, ended time.Time, tolerance time.Duration) {
	// Without their monotonic part: it is the clock on the wall that is compared.
	least, most := began.Round(0).Sub(date.Add(time.Second)), ended.Round(0).Sub(date)
	if least > most {
		return // this host's clock was set in between
	}
	if was := *c; was.Known {
		switch {
		case least-was.Most > time.Second, was.Least-most > time.Second:
			c.Steps++
		case least <= was.Most && was.Least <= most:
			least, most = max(least, was.Least), min(most, was.Most)
		}
	}
	c.Known, c.Least, c.Most = true, least, most
	c.Drifted = c.Drift().Abs() > tolerance
}

// compareClocks looks at the Date of an answer, and tells the readers of updates when that is news.
func (d *Device) compareClocks(date, began, ended time.Time) {
	tolerance := d.consumer.cfg.ClockTolerance
	if date.IsZero() || tolerance < 0 {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.clock.see(date, began, ended, tolerance)
	snap := d.snapshot.Load()
	if snap == nil || d.ctx.Err() != nil {
		return // nobody reads yet, or any more
	}
	if news := d.clockNews(); news != nil {
		d.updates.send(Update{Time: time.Now(), Link: d.link, Before: snap, Snapshot: snap, Clock: news})
	}
}

// clockNews returns the comparison of the clocks if something has changed that was not told yet. The caller holds d.mu.
func (d *Device) clockNews() *Clock {
	now := d.clock
	if now.Drifted == d.clockTold.Drifted && now.Steps == d.clockTold.Steps {
		return nil
	}
	d.clockTold = now
	if now.Drifted {
		d.log.Warn("the clock of the device differs from this host's", "atLeast", now.Drift(), "steps", now.Steps)
	} else {
		d.log.Info("the clocks of the device and of this host agree again", "steps", now.Steps)
	}
	return &now
}

// Clock compares the clocks as they were when the device answered last.
func (d *Device) Clock() Clock {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.clock
}

// InstantOf judges a time that the device gives for a descriptor or state, as [mdib.InstantOf] does, and doubts it also while the clock
// is known to have drifted from this host's: it must not be compared with times of others then. The snapshot is the View's.
func (v View) InstantOf(handle string, ts pm.Timestamp, epoch pm.Opt[uint64]) mdib.Instant {
	if v.MDIB == nil {
		return mdib.Instant{At: ts.Time()}
	}
	i := mdib.InstantOf(v.MDIB, handle, ts, epoch)
	if v.Clock.Drifted {
		i.Doubt |= mdib.DoubtDrift
	}
	return i
}
