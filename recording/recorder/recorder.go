// Package recorder records live devices: it follows the updates of a consumer's connection and writes them into a recording.
package recorder

import (
	"context"
	"errors"
	"time"

	"github.com/semeco/go-sdc/recording"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/soap/dpws"
)

// Record records a device until ctx ends, which is no error, or until the device has ended: with consumer.ErrLost or consumer.ErrClosed. Several devices may be recorded
// by one writer at the same time, each of them once: a device that is being recorded already is an error that wraps recording.ErrTracked.
//
// Everything the consumer gets is recorded, in its order. What the consumer itself missed stands as a Gap of OriginDevice with the MDIB it read then; what the recorder missed, because it
// was slower than Config.UpdateQueue of the consumer or the buffer of the writer can bridge, as one of OriginRecorder.
func Record(ctx context.Context, w *recording.Writer, dev *consumer.Device) error {
	return record(ctx, w, dev, nil)
}

// Again is Record for a device that was recorded before in the same session and then lost: what happened in between is a Gap.
func Again(ctx context.Context, w *recording.Writer, dev *consumer.Device, lost recording.Gap) error {
	return record(ctx, w, dev, &lost)
}

func record(ctx context.Context, w *recording.Writer, dev *consumer.Device, gap *recording.Gap) error {
	if w == nil || dev == nil {
		return errors.New("recorder: the writer or the device is missing")
	}
	track, err := w.Track(Describe(dev))
	if err != nil {
		return err
	}
	last := time.Now()
	for {
		first := true
		for u, err := range dev.Updates(ctx) {
			if errors.Is(err, consumer.ErrSlowReader) {
				gap = &recording.Gap{Origin: recording.OriginRecorder, Cause: err.Error(), Since: last}
				break
			}
			if err != nil {
				track.End(time.Now(), err.Error())
				return err
			}
			last = u.Time
			switch {
			case first && gap != nil:
				track.Resync(u.Time, *gap, linkOf(u.Link), u.Snapshot)
				gap = nil
			case first:
				track.Start(u.Time, linkOf(u.Link), u.Snapshot)
			case u.Gap != nil:
				track.Resync(u.Time, gapOf(u.Gap), linkOf(u.Link), u.Snapshot)
			case u.Report != nil:
				track.Report(u.Time, u.Report, u.Snapshot)
			case u.Clock != nil: // of no matter to what the device says
			default:
				track.Link(u.Time, linkOf(u.Link))
			}
			first = false
		}
		if ctx.Err() != nil {
			track.End(time.Now(), "the recorder was stopped")
			return nil
		}
	}
}

func linkOf(l consumer.Link) recording.Link {
	out := recording.Link{State: l.State.String(), Since: l.Since}
	if l.Cause != nil {
		out.Cause = l.Cause.Error()
	}
	return out
}

func gapOf(g *consumer.Gap) recording.Gap {
	out := recording.Gap{Origin: recording.OriginDevice, Since: g.Stale}
	if g.Cause != nil {
		out.Cause = g.Cause.Error()
	}
	return out
}

// Describe returns what a recording says of a device.
func Describe(dev *consumer.Device) recording.Device {
	d := recording.Device{EPR: dev.EPR(), XAddr: dev.XAddr(), Services: dev.Services()}
	m := dev.Metadata()
	if m == nil {
		return d
	}
	if t := m.ThisModel; t != nil {
		d.Manufacturer, d.ManufacturerURL = texts(t.Manufacturer), t.ManufacturerURL
		d.ModelName, d.ModelNumber, d.ModelURL, d.PresentationURL = texts(t.ModelName), t.ModelNumber, t.ModelURL, t.PresentationURL
	}
	if t := m.ThisDevice; t != nil {
		d.FriendlyName, d.Firmware, d.SerialNumber = texts(t.FriendlyName), t.FirmwareVersion, t.SerialNumber
	}
	return d
}

func texts(in []dpws.LocalizedString) []recording.Text {
	var out []recording.Text
	for _, t := range in {
		out = append(out, recording.Text{Text: t.Text, Lang: t.Lang})
	}
	return out
}
