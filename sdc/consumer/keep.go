package consumer

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/semeco/go-sdc/soap"
)

// Times of the healing. A device is not asked for its whole MDIB more often than once per minResync, whatever it sends; if every
// reading is followed by the next loss at once, the pause grows up to maxResync. Failed attempts back off up to maxRetry.
const (
	minResync  = time.Second
	maxResync  = 10 * time.Second
	firstRetry = 250 * time.Millisecond
	maxRetry   = 5 * time.Second
	minProof   = time.Second // between two questions that hints bring about
)

// keep watches over the connection and heals it until the device has ended.
func (d *Device) keep() {
	var healed time.Time
	pause := minResync
	timer := time.NewTimer(d.untilProof())
	defer timer.Stop()
	for {
		select {
		case <-d.ctx.Done():
			return
		case <-d.hints:
			d.proveUnlessWoken(minProof)
		case <-timer.C:
			if d.untilProof() == 0 {
				d.proveUnlessWoken(0)
			}
		case <-d.wake:
			if !healed.IsZero() {
				if since := time.Since(healed); since < 2*pause {
					pause = min(2*pause, maxResync)
					if since < pause/2 && !d.pause(pause/2-since, nil) {
						return
					}
				} else {
					pause = minResync
				}
			}
			if !d.heal() {
				return
			}
			healed = time.Now()
		}
		timer.Reset(d.untilProof())
	}
}

// proveUnlessWoken asks for a sign of life, not more often than given, and gives up as soon as something else shows that the link is not live.
func (d *Device) proveUnlessWoken(atMost time.Duration) {
	d.mu.Lock()
	again := time.Since(d.asked) < atMost
	d.mu.Unlock()
	if again {
		return
	}
	ctx, cancel := context.WithCancel(d.ctx)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		d.prove(ctx)
	}()
	select {
	case <-done:
	case <-d.wake:
		d.signal()
		cancel()
		<-done
	}
}

// heal brings a device that is not live back, or gives it up. It reports whether
// the device goes on.
func (d *Device) heal() bool {
	link := d.Link()
	if link.State != Stale {
		return d.ctx.Err() == nil
	}
	giveUp := link.Since.Add(d.consumer.cfg.LostAfter)
	delay := firstRetry
	for {
		err := d.attempt(link, giveUp)
		if err == nil {
			d.log.Info("device is live again", "stale", time.Since(link.StaleSince), "cause", link.Cause)
			return true
		}
		if d.ctx.Err() != nil {
			return false
		}
		d.log.Warn("resynchronising failed", "error", err)
		if time.Now().Add(delay).After(giveUp) {
			d.end(Lost, fmt.Errorf("%w: %w", ErrLost, err))
			return false
		}
		d.relink(Stale, fmt.Errorf("%w; healing failed: %w", link.Cause, err))
		// Jitter keeps many consumers of one device from coming back in step. News of the device end the waiting, but not its first part.
		if !d.pause(delay/2, nil) || !d.pause(rand.N(delay), d.hints) {
			return false
		}
		delay = min(2*delay, maxRetry)
	}
}

// attempt is one attempt at healing. It ends when the device is to be given up, though never at once.
func (d *Device) attempt(stale Link, giveUp time.Time) error {
	d.relink(Resyncing, stale.Cause)
	limit := min(max(time.Until(giveUp), firstRetry), 3*d.consumer.cfg.RequestTimeout)
	ctx, cancel := context.WithTimeout(d.ctx, limit)
	defer cancel()
	return d.resync(ctx, &Gap{Cause: stale.Cause, Stale: stale.StaleSince})
}

// resync reads the MDIB. If a subscription has ended, or the device cannot be reached where it was, everything is made anew first.
func (d *Device) resync(ctx context.Context, gap *Gap) error {
	if !d.isBroken() {
		err := d.readMDIB(ctx, gap, true)
		if err == nil || answered(err) && !d.isBroken() || d.ctx.Err() != nil {
			return err
		}
		d.log.Debug("the device does not answer as it did", "error", err)
		if ctx.Err() != nil {
			d.breakUp()
			return err
		}
	}
	d.abandon()
	// The device may have been restarted, with other addresses or behind another one.
	if err := d.readMetadata(ctx); err != nil {
		return err
	}
	if err := d.subscribe(ctx); err != nil {
		return err
	}
	d.sayGoodbye()
	return d.readMDIB(ctx, gap, false)
}

// answered tells whether an error is the device's answer, or about it, so that it can be reached.
func answered(err error) bool {
	var fault *soap.Fault
	var status *soap.HTTPError
	var answer *AnswerError
	return errors.As(err, &fault) || errors.As(err, &status) || errors.As(err, &answer) || errors.Is(err, errRead)
}

func (d *Device) isBroken() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.broken
}

// breakUp makes the next attempt start from the beginning.
func (d *Device) breakUp() {
	d.mu.Lock()
	d.broken = true
	d.mu.Unlock()
}

// abandon gives up the subscriptions. Their notifications are ignored from here on.
func (d *Device) abandon() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.retired = append(d.retired, d.subs...)
	d.subs, d.broken = nil, true
	d.generation++
}

// sayGoodbye unsubscribes from what was abandoned, without being waited for: whatever is left of it would deliver everything twice.
func (d *Device) sayGoodbye() {
	d.mu.Lock()
	old := d.retired
	d.retired = nil
	d.mu.Unlock()
	if len(old) == 0 {
		return
	}
	d.wg.Go(func() {
		ctx, cancel := context.WithTimeout(d.ctx, d.consumer.cfg.RequestTimeout)
		defer cancel()
		for _, s := range old {
			if err := s.Unsubscribe(ctx); err != nil {
				d.log.Debug("unsubscribing the rest", "error", err)
			}
		}
	})
}

// pause waits unless the device ends, or until early is sent to.
func (d *Device) pause(t time.Duration, early <-chan struct{}) bool {
	timer := time.NewTimer(t)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-early:
		return true
	case <-d.ctx.Done():
		return false
	}
}

// pauseWithin waits unless ctx ends.
func pauseWithin(ctx context.Context, t time.Duration) bool {
	timer := time.NewTimer(t)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
