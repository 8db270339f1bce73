package recording

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
)

// Track records one device. Its methods may be called from any goroutine and never wait; records are in the order of the calls. After End they record nothing.
type Track struct {
	w      *Writer
	device Device

	mu       sync.Mutex
	ended    bool
	link     Link
	snapshot *mdib.Snapshot // what a reader of the recording has; nil before the first
	lost     *Gap           // what could not be recorded since; nil for nothing
	since    int            // bytes of reports since the whole MDIB was written
	whole    int            // size of that
	key      int64          // instant of that
	buf      []byte
}

// ErrTracked is wrapped by Writer.Track for a device that is being recorded already.
var ErrTracked = errors.New("the device is being recorded already")

// Track begins the recording of a device, which goes on until Track.End. A device that is known by its EPR, from a former session or an earlier Track, keeps its number.
// Of one device there is one Track at a time, since what two of them record would be told twice: until the first has ended the error wraps ErrTracked. Another
// error says that the device has no EPR.
func (w *Writer) Track(d Device) (*Track, error) {
	if d.EPR == "" {
		return nil, errors.New("recording: the device has no EPR")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	id, ok := w.ids[d.EPR]
	if ok && w.tracked[id] {
		return nil, fmt.Errorf("recording: %s: %w", d.EPR, ErrTracked)
	}
	if !ok {
		id = uint64(len(w.devices)) + 1
		w.ids[d.EPR] = id
		w.devices = append(w.devices, d)
	}
	d.ID = id
	// The list an index is made from must not change under it.
	devices := append([]Device(nil), w.devices...)
	devices[id-1] = d
	w.devices = devices
	w.tracked[id] = true
	return &Track{w: w, device: d, link: Link{State: "connecting", Since: w.start}}, nil
}

// Start records the link and the whole MDIB the device begins with.
func (t *Track) Start(at time.Time, l Link, s *mdib.Snapshot) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return
	}
	t.link, t.snapshot = l, s
	if t.heal(at) {
		t.put(t.records(at, ReasonStart)...)
	}
}

// Link records a change of the link.
func (t *Track) Link(at time.Time, l Link) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return
	}
	t.link = l
	if t.heal(at) {
		t.put(t.w.record(KindLink, t.device.ID, at, jsonOf(l)))
	}
}

// Report records a report and the MDIB after it.
func (t *Track) Report(at time.Time, r msg.Report, after *mdib.Snapshot) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return
	}
	// Before the report: healing writes the MDIB as it was then.
	if !t.heal(at) {
		t.snapshot = after
		return
	}
	t.snapshot = after
	t.buf = r.AppendXML(t.buf[:0])
	rec := t.w.record(KindReport, t.device.ID, at, t.buf)
	if !t.put(rec) {
		return
	}
	t.since += len(t.buf)
	if t.since >= t.whole && time.Duration(rec.at-t.key) >= t.w.cfg.KeyEvery {
		_ = t.w.put(t.records(at, ReasonKey)...) // a repetition that finds no room is no loss
	}
}

// Resync records that something was missed, and link and MDIB as they are now.
func (t *Track) Resync(at time.Time, g Gap, l Link, s *mdib.Snapshot) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return
	}
	t.link, t.snapshot = l, s
	if t.heal(at) {
		t.put(append([]*record{t.w.record(KindGap, t.device.ID, at, jsonOf(g))}, t.records(at, ReasonResync)...)...)
	}
}

// End records that the device is no longer recorded. It can be tracked again afterwards.
func (t *Track) End(at time.Time, cause string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return
	}
	if t.heal(at) {
		t.put(t.w.record(KindEnd, t.device.ID, at, jsonOf(End{Cause: cause})))
	}
	t.ended = true
	t.w.untrack(t.device.ID)
}

func (w *Writer) untrack(id uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.tracked, id)
}

// put queues records or notes that they are missing.
func (t *Track) put(records ...*record) bool {
	err := t.w.put(records...)
	if err == nil {
		return true
	}
	t.w.drop(len(records))
	if t.lost == nil {
		t.lost = &Gap{Origin: OriginRecorder, Since: time.Unix(0, records[0].at)}
	}
	t.missed(err, len(records))
	return false
}

// missed counts what is missing and notes why. That there was no room just then says less than why nothing could be written before.
func (t *Track) missed(why error, records int) {
	t.lost.Lost += uint64(records)
	if t.lost.Cause == "" || !errors.Is(why, errBehind) {
		t.lost.Cause = why.Error()
	}
}

// heal tells of what could not be recorded, if there is something, and writes the whole MDIB as it is now. It reports whether the recording is whole again.
func (t *Track) heal(at time.Time) bool {
	if t.lost == nil {
		return true
	}
	records := append([]*record{t.w.record(KindGap, t.device.ID, at, jsonOf(t.lost))}, t.records(at, ReasonResync)...)
	if err := t.w.put(records...); err != nil {
		t.w.drop(1)
		t.missed(err, 1)
		return false
	}
	t.lost = nil
	return true
}

// records are those that describe the device as it is now.
func (t *Track) records(at time.Time, reason Reason) []*record {
	var out []*record
	out = append(out, t.w.record(KindDevice, t.device.ID, at, jsonOf(t.device)), t.w.record(KindLink, t.device.ID, at, jsonOf(t.link)))
	if t.snapshot == nil {
		return out
	}
	whole := t.w.record(KindMDIB, t.device.ID, at, t.snapshot.Response().AppendXML(nil))
	whole.reason = reason
	t.whole, t.since, t.key = len(whole.body), 0, whole.at
	return append(out, whole)
}
