package consumer

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// Times of the healing. A device is not asked for its whole MDIB more often than
// once per minResync, whatever it sends; failed attempts back off up to maxRetry.
const (
	minResync  = time.Second
	firstRetry = 250 * time.Millisecond
	maxRetry   = 5 * time.Second
)

// keep heals the connection until the device has ended.
func (d *Device) keep() {
	var last time.Time
	for {
		select {
		case <-d.ctx.Done():
			return
		case <-d.wake:
		}
		if wait := minResync - time.Since(last); !last.IsZero() && wait > 0 && !d.pause(wait) {
			return
		}
		if !d.heal() {
			return
		}
		last = time.Now()
	}
}

// heal brings a device that is not live back, or gives it up. It reports whether
// the device goes on.
func (d *Device) heal() bool {
	link := d.Link()
	if link.State != Resyncing {
		return true
	}
	delay := firstRetry
	for {
		err := d.resync(&Gap{Cause: link.Cause, Stale: link.Since})
		if err == nil {
			d.log.Info("device is live again", "stale", time.Since(link.Since), "cause", link.Cause)
			return true
		}
		if d.ctx.Err() != nil {
			return false
		}
		d.log.Warn("resynchronising failed", "error", err)
		if time.Since(link.Since)+delay > d.consumer.cfg.LostAfter {
			d.end(Lost, fmt.Errorf("%w: %w", ErrLost, err))
			return false
		}
		// Jitter keeps many consumers of one device from coming back in step.
		if !d.pause(delay/2 + rand.N(delay)) {
			return false
		}
		delay = min(2*delay, maxRetry)
	}
}

// resync subscribes anew if a subscription has ended, and reads the MDIB.
func (d *Device) resync(gap *Gap) error {
	ctx, cancel := context.WithTimeout(d.ctx, 3*d.consumer.cfg.RequestTimeout)
	defer cancel()
	d.mu.Lock()
	broken, old := d.broken, d.subs
	if broken {
		d.subs, d.broken = nil, false
	}
	d.mu.Unlock()
	if broken {
		for _, s := range old {
			// Whatever is left of the old ones would deliver everything twice.
			if err := s.Unsubscribe(ctx); err != nil {
				d.log.Debug("unsubscribing the rest", "error", err)
			}
		}
		if err := d.subscribeAgain(ctx); err != nil {
			d.mu.Lock()
			d.broken = true
			d.mu.Unlock()
			return err
		}
	}
	return d.readMDIB(ctx, gap)
}

// subscribeAgain looks the addresses up first: the device may have been restarted
// with others behind the same transport address.
func (d *Device) subscribeAgain(ctx context.Context) error {
	if err := d.readMetadata(ctx); err != nil {
		return err
	}
	return d.subscribe(ctx)
}

// pause waits unless the device ends.
func (d *Device) pause(t time.Duration) bool {
	timer := time.NewTimer(t)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-d.ctx.Done():
		return false
	}
}
