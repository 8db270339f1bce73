package recording

import (
	"context"
	"errors"
	"time"
)

// DeviceSummary is what a recording has of one device.
type DeviceSummary struct {
	Device
	// Reports were recorded, Bytes is what they take before compression.
	Reports uint64
	Bytes   int64
	// MDIBs recorded whole, Keys of them repetitions.
	MDIBs, Keys uint64
	// Gaps that the recording tells of, with Lost records missing as far as that is known.
	Gaps uint64
	Lost uint64
	// First and Last entry. Ended tells that the recording of the device ended in good order.
	First, Last time.Time
	Ended       bool
}

// Summary is what is in a file.
type Summary struct {
	Created  time.Time
	Size     int64
	Sessions uint64
	Frames   uint64
	// Raw is the size of all records before compression.
	Raw int64
	// First and Last instant.
	First, Last time.Time
	// Closed tells that the last session ended in good order and nothing follows.
	Closed  bool
	Devices []DeviceSummary
	// Damage is everything in the file that is not as it was written.
	Damage []Damage
	// Unusable are entries that cannot be decoded, or reports that do not follow what is before them: at most ten.
	Unusable []error
}

// Whole tells whether the recording is as it was written, from beginning to end.
func (s *Summary) Whole() bool { return s.Closed && len(s.Damage) == 0 && len(s.Unusable) == 0 }

// Check reads the whole file, verifies every checksum, and plays every report. It fails only if the file cannot be read or ctx ends; what is wrong with it is in the summary.
func (r *Reader) Check(ctx context.Context) (*Summary, error) {
	s := &Summary{Created: r.created, Size: r.size, Frames: uint64(len(r.frames))}
	s.First, s.Last = r.Span()
	// The headers tell of damage that the index does not see.
	for _, d := range r.damage {
		if errors.Is(d.Err, ErrDamaged) {
			s.Damage = append(s.Damage, d)
		}
	}
	for i := range r.frames {
		h, payload, err := r.frame(r.frames[i].Offset)
		if err == nil && h.number != r.frames[i].Number {
			err = ErrDamaged
		}
		if err != nil {
			if !errors.Is(err, ErrDamaged) {
				return nil, err
			}
			f := r.frames[i]
			s.Damage = append(s.Damage, Damage{From: f.Offset, To: f.Offset + f.Size, Frames: 1, Since: time.Unix(0, f.First), Err: err})
		}
		s.Raw += int64(len(payload))
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	return s, r.summarise(ctx, s)
}

func (r *Reader) summarise(ctx context.Context, s *Summary) error {
	devices := map[uint64]*DeviceSummary{}
	s.Devices = make([]DeviceSummary, len(r.devices))
	for i, d := range r.devices {
		s.Devices[i].Device = d
		devices[d.ID] = &s.Devices[i]
	}
	p := newPlayer()
	for e, err := range r.Entries() {
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		step, err := p.step(e)
		if err != nil && len(s.Unusable) < 10 {
			s.Unusable = append(s.Unusable, err)
		}
		if e.Device == nil {
			switch e.Kind {
			case KindSession:
				s.Sessions++
				s.Closed = false
			case KindEnd:
				s.Closed = r.indexed
			}
			continue
		}
		d := devices[e.Device.ID]
		if d == nil {
			continue
		}
		d.add(&step)
	}
	return nil
}

func (d *DeviceSummary) add(s *Step) {
	if d.First.IsZero() {
		d.First = s.At
	}
	d.Last = s.At
	switch s.Kind {
	case KindReport:
		d.Reports++
		d.Bytes += int64(len(s.Body))
	case KindMDIB:
		d.MDIBs++
		d.Ended = false
		if s.Reason == ReasonKey {
			d.Keys++
		}
	case KindGap:
		d.Gaps++
		if s.Gap != nil {
			d.Lost += s.Gap.Lost
		}
	case KindEnd:
		d.Ended = true
	}
}
