package recording

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"sort"
	"time"
)

// Entries iterates over everything in the file in the order it was recorded in. Where the file is damaged there is a Gap of OriginFile for the whole file, Device nil; the error is for what
// cannot be read at all, such as a disk that fails, and ends the iteration.
func (r *Reader) Entries() iter.Seq2[Entry, error] { return r.entries(0) }

// From is Entries from the last frames on that are needed to know every device at the given instant: it begins with entries before it. An instant
// before the file means its beginning.
func (r *Reader) From(at time.Time) iter.Seq2[Entry, error] { return r.entries(r.seek(at)) }

// seek returns the frame to begin with: every device has its last whole MDIB before the instant in it or later. Frames that reach beyond the instant do not count, because the MDIB in
// them may be later than that.
func (r *Reader) seek(at time.Time) int {
	ns := at.UnixNano()
	after := sort.Search(len(r.frames), func(i int) bool { return r.frames[i].First > ns })
	missing := map[uint64]bool{}
	for _, f := range r.frames[:after] {
		for _, k := range f.Keys {
			if f.Last <= ns {
				missing[k] = true
			}
		}
	}
	for i := after - 1; i >= 0; i-- {
		if f := &r.frames[i]; f.Last <= ns {
			for _, k := range f.Keys {
				delete(missing, k)
			}
		}
		if len(missing) == 0 {
			return i
		}
	}
	return 0
}

func (r *Reader) entries(start int) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		devices := make(map[uint64]*Device)
		for i := range r.devices {
			devices[r.devices[i].ID] = &r.devices[i]
		}
		damage := r.damage
		for i := start; i < len(r.frames); i++ {
			f := &r.frames[i]
			for len(damage) > 0 && damage[0].From <= f.Offset {
				if (i > start || start == 0) && !yield(damage[0].entry(), nil) {
					return
				}
				damage = damage[1:]
			}
			h, payload, err := r.frame(f.Offset)
			if err == nil && h.number != f.Number {
				err = fmt.Errorf("%w: frame %d is not where the index says", ErrDamaged, f.Number)
			}
			if err != nil && !errors.Is(err, ErrDamaged) && !errors.Is(err, io.EOF) {
				yield(Entry{}, err)
				return
			}
			for err == nil && len(payload) > 0 {
				var rec record
				if rec, payload, err = nextRecord(payload, h.first); err != nil {
					err = fmt.Errorf("%w: frame %d: %w", ErrDamaged, h.number, err)
					break
				}
				if !yield(entryOf(&rec, devices, h.number), nil) {
					return
				}
			}
			if err != nil {
				d := Damage{From: f.Offset, To: f.Offset + f.Size, Frames: 1, Err: err, Since: time.Unix(0, f.First)}
				if !yield(d.entry(), nil) {
					return
				}
			}
		}
		for _, d := range damage {
			if !yield(d.entry(), nil) {
				return
			}
		}
	}
}

func entryOf(rec *record, devices map[uint64]*Device, frame uint64) Entry {
	e := Entry{Kind: rec.kind, At: time.Unix(0, rec.at), Wall: time.Unix(0, rec.wall), Reason: rec.reason, Body: rec.body, frame: frame}
	if rec.device == 0 {
		return e
	}
	d, ok := devices[rec.device]
	if !ok {
		d = &Device{ID: rec.device}
		devices[rec.device] = d
	}
	if rec.kind == KindDevice {
		var described Device
		if e.Decode(&described) == nil {
			described.ID = rec.device
			d = &described
			devices[rec.device] = d
		}
	}
	e.Device = d
	return e
}

// entry tells of damage in the stream.
func (d Damage) entry() Entry {
	return Entry{Kind: KindGap, At: d.Since, Wall: d.Since, Body: jsonOf(Gap{Origin: OriginFile, Cause: d.String(), Since: d.Since})}
}
