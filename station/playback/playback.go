// Package playback shows recordings as a station shows devices: with their values, alarms, contexts, links and gaps, at the pace at which they came, as
// if all that happened now.
package playback

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/semeco/go-sdc/recording"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/station"
)

// Config says what to play. The zero value plays everything.
type Config struct {
	// From is where in the recording to begin; zero is its start. The devices that were known by then are there at once.
	From time.Time
	// Devices chooses some by their EPR or a unique part of its beginning; none means all.
	Devices []string
}

// Causes of a link that is not live, beside those that were recorded.
var (
	// ErrEnd says that the recording of a device ends here.
	ErrEnd = errors.New("the recording ends here")
	// ErrGap says that something is missing in the recording.
	ErrGap = errors.New("something is missing in the recording")
	// ErrTooMany says that the station takes no more devices.
	ErrTooMany = errors.New("the recording has more devices than the station takes")
)

// Play plays a recording to a station until it ends or ctx does, which is no error. In the end no device is live any more.
func Play(ctx context.Context, s *station.Offline, r *recording.Reader, cfg Config) error {
	if s == nil || r == nil {
		return errors.New("playback: the station or the recording is missing")
	}
	p := &player{station: s, begun: time.Now(), devices: map[uint64]*device{}}
	p.from = cfg.From
	defer p.end()
	for step, err := range r.Play(cfg.From, cfg.Devices...) {
		if err != nil {
			return fmt.Errorf("playback: %w", err)
		}
		if p.from.IsZero() {
			p.from = step.At
		}
		if !p.wait(ctx, step.At) {
			return nil
		}
		if err := p.step(&step); err != nil {
			return fmt.Errorf("playback: %w", err)
		}
	}
	return nil
}

type player struct {
	station *station.Offline
	from    time.Time // in the recording
	begun   time.Time // by the clock
	devices map[uint64]*device
}

// device is one of the recording as it has been shown.
type device struct {
	about station.Device
	last  consumer.Update
	gap   bool // until the next MDIB
	ended bool
}

// wait waits until it is time for what happened at an instant of the recording; false says that ctx has ended.
func (p *player) wait(ctx context.Context, at time.Time) bool {
	pause := time.Until(p.begun.Add(at.Sub(p.from)))
	if pause <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (p *player) step(s *recording.Step) error {
	if s.Device == nil {
		if s.Gap == nil {
			return nil
		}
		for _, d := range p.devices { // of the whole file
			if err := p.missing(d, s.Gap); err != nil {
				return err
			}
		}
		return nil
	}
	d := p.devices[s.Device.ID]
	if d == nil {
		d = &device{about: about(s.Device)}
		p.devices[s.Device.ID] = d
	}
	switch {
	case s.Kind == recording.KindEnd:
		d.ended = true
		return p.show(d, consumer.Update{Link: consumer.Link{State: consumer.Lost, Cause: ErrEnd}, Snapshot: d.last.Snapshot})
	case s.Gap != nil:
		return p.missing(d, s.Gap)
	case s.Link != nil:
		return p.show(d, consumer.Update{Link: linkOf(s.Link), Snapshot: d.last.Snapshot})
	case s.Kind == recording.KindMDIB && s.After != nil:
		if d.last.Snapshot != nil && s.Reason == recording.ReasonKey {
			return nil // what is known anyway
		}
		u := consumer.Update{Link: consumer.Link{State: consumer.Live}, Snapshot: s.After}
		if d.gap || d.last.Snapshot != nil {
			u.Gap = &consumer.Gap{Cause: ErrGap}
		}
		d.gap, d.ended = false, false
		return p.show(d, u)
	case s.Change != nil:
		return p.show(d, consumer.Update{Link: d.last.Link, Report: s.Report, Snapshot: s.After, Change: s.Change})
	}
	return nil
}

// missing shows a device as not live until its MDIB comes again.
func (p *player) missing(d *device, g *recording.Gap) error {
	d.gap = true
	return p.show(d, consumer.Update{Link: consumer.Link{State: consumer.Resyncing, Cause: fmt.Errorf("%w: %s", ErrGap, g.Cause)}, Snapshot: d.last.Snapshot})
}

// show tells the station, unless there is nothing to show of the device yet.
func (p *player) show(d *device, u consumer.Update) error {
	if u.Snapshot == nil {
		return nil
	}
	u.Time, u.Before = time.Now(), d.last.Snapshot
	if u.Link.State == d.last.Link.State {
		u.Link.Since = d.last.Link.Since
	} else {
		u.Link.Since = u.Time
	}
	d.last = u
	if !p.station.Apply(d.about, u) {
		return ErrTooMany
	}
	return nil
}

// end leaves nothing that looks live.
func (p *player) end() {
	for _, d := range p.devices {
		if !d.ended {
			_ = p.show(d, consumer.Update{Link: consumer.Link{State: consumer.Lost, Cause: ErrEnd}, Snapshot: d.last.Snapshot}) // it is among those taken
		}
	}
}

func about(d *recording.Device) station.Device {
	first := func(list []recording.Text) string {
		if len(list) == 0 {
			return ""
		}
		return list[0].Text
	}
	return station.Device{
		EPR: d.EPR, XAddr: d.XAddr, Name: first(d.FriendlyName), Manufacturer: first(d.Manufacturer), Model: first(d.ModelName), Serial: d.SerialNumber, Rule: "recording",
	}
}

// linkOf is a recorded link. What is not known to be live is not shown as live.
func linkOf(l *recording.Link) consumer.Link {
	out := consumer.Link{State: consumer.Resyncing}
	if l.Cause != "" {
		out.Cause = errors.New(l.Cause)
	}
	for _, s := range []consumer.LinkState{consumer.Live, consumer.Connecting, consumer.Lost, consumer.Closed} {
		if s.String() == l.State {
			out.State = s
		}
	}
	return out
}
