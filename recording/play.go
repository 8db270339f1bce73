package recording

import (
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
)

// Step is an entry and what it did to the MDIB of its device.
type Step struct {
	Entry
	// Before and After are the MDIB of the device; nil as long as it is not known.
	Before, After *mdib.Snapshot
	// Report and Change of a KindReport that was applied. Both are nil for one that cannot be, because what came before it is missing: a Gap has told so.
	Report msg.Report
	Change *mdib.Change
	// Gap of a KindGap, and of a KindSession that follows one that did not end in good order.
	Gap *Gap
	// Link of a KindLink.
	Link *Link
}

// Known tells whether After is what the device had at that moment, as far as the recorder knew.
func (s *Step) Known() bool { return s.After != nil }

// player follows the MDIBs of a recording.
type player struct {
	mirrors map[uint64]*mdib.Mirror // nil: not known
	sizes   map[uint64]int          // of the documents that they began with, in bytes
	running bool                    // a session has begun and not ended
	last    time.Time
}

func newPlayer() *player {
	return &player{mirrors: map[uint64]*mdib.Mirror{}, sizes: map[uint64]int{}}
}

// maxPlayed bounds the MDIBs of all devices that are played together, in bytes of XML: a small file may hold any number of large ones.
const maxPlayed = 256 << 20

// room makes sure that there is some for the MDIB of a device.
func (p *player) room(device uint64, size int) error {
	sum := size
	for id := range p.mirrors {
		if id != device {
			sum += p.sizes[id]
		}
	}
	if sum > maxPlayed {
		return fmt.Errorf("the MDIBs of %d devices have %d bytes together, at most %d are played", len(p.mirrors)+1, sum, maxPlayed)
	}
	p.sizes[device] = size
	return nil
}

// Play follows the MDIBs through the recording, from the instant on: entries before it are played but only the last MDIB of each device is yielded, as a KindMDIB of
// ReasonKey at that instant. The zero time plays everything. Devices chooses some by their EPR or a unique part of its beginning, with or without urn:uuid:; none means all.
func (r *Reader) Play(from time.Time, devices ...string) iter.Seq2[Step, error] {
	return func(yield func(Step, error) bool) {
		wanted, err := r.choose(devices)
		if err != nil {
			yield(Step{}, err)
			return
		}
		p := newPlayer()
		begun := from.IsZero()
		entries := r.Entries()
		if !begun {
			entries = r.From(from)
		}
		for e, err := range entries {
			if err != nil {
				yield(Step{}, err)
				return
			}
			if e.Device != nil && !wanted[e.Device.ID] {
				continue
			}
			if !begun && !e.At.Before(from) {
				begun = true
				for _, s := range p.present(r.devices, from) {
					if !yield(s, nil) {
						return
					}
				}
			}
			s, err := p.step(e)
			if err != nil {
				yield(s, err)
				return
			}
			if begun && !yield(s, nil) {
				return
			}
		}
		if !begun {
			for _, s := range p.present(r.devices, from) {
				if !yield(s, nil) {
					return
				}
			}
		}
	}
}

// present yields the MDIBs as they are.
func (p *player) present(devices []Device, at time.Time) []Step {
	var out []Step
	for i := range devices {
		m := p.mirrors[devices[i].ID]
		if m == nil {
			continue
		}
		snap := m.Load()
		out = append(out, Step{
			Entry: Entry{
				Kind: KindMDIB, Device: &devices[i], At: at, Wall: at, Reason: ReasonKey, Body: snap.Response().AppendXML(nil),
			},
			Before: snap, After: snap,
		})
	}
	return out
}

func (p *player) step(e Entry) (Step, error) {
	s := Step{Entry: e}
	defer func() { p.last = e.At }()
	var m *mdib.Mirror
	if e.Device != nil {
		if m = p.mirrors[e.Device.ID]; m != nil {
			s.Before = m.Load()
			s.After = s.Before
		}
	}
	switch e.Kind {
	case KindSession:
		if p.running {
			s.Gap = &Gap{Origin: OriginRecorder, Cause: "the recording before was not closed", Since: p.last}
		}
		p.running = true
		clear(p.mirrors)
	case KindEnd:
		if e.Device == nil {
			p.running = false
		} else {
			delete(p.mirrors, e.Device.ID)
		}
	case KindLink:
		s.Link = new(Link)
		return s, e.Decode(s.Link)
	case KindGap:
		s.Gap = new(Gap)
		if e.Device == nil {
			clear(p.mirrors)
		} else {
			delete(p.mirrors, e.Device.ID)
		}
		s.After = nil
		return s, e.Decode(s.Gap)
	case KindMDIB:
		if e.Device == nil {
			return s, fmt.Errorf("%w: frame %d has an MDIB of no device", ErrDamaged, e.frame)
		}
		if err := p.room(e.Device.ID, len(e.Body)); err != nil {
			return s, err
		}
		response, err := e.Response()
		if err != nil {
			return s, err
		}
		m := mdib.NewMirror(mdib.MirrorConfig{})
		if s.After, err = m.Reset(response); err != nil {
			return s, fmt.Errorf("frame %d: %w", e.frame, err)
		}
		p.mirrors[e.Device.ID] = m
	case KindReport:
		if m == nil {
			return s, nil
		}
		report, err := e.Report()
		if err != nil {
			return s, err
		}
		change, err := m.Apply(report)
		if err != nil {
			return s, fmt.Errorf("frame %d: a report does not follow what was recorded before it: %w", e.frame, err)
		}
		s.Report, s.Change, s.After = report, change, m.Load()
	}
	return s, nil
}

// choose returns the IDs of the devices that are meant.
func (r *Reader) choose(devices []string) (map[uint64]bool, error) {
	out := make(map[uint64]bool, len(r.devices))
	if len(devices) == 0 {
		for _, d := range r.devices {
			out[d.ID] = true
		}
		return out, nil
	}
	for _, name := range devices {
		d, err := r.Device(name)
		if err != nil {
			return nil, err
		}
		out[d.ID] = true
	}
	return out, nil
}

// ErrNoDevice says that a recording does not have a device, or not only one, that is meant.
var ErrNoDevice = errors.New("no such device in the recording")

// Device returns the device of an EPR or a unique part of its beginning, with or without urn:uuid:. "" is the only one there is.
func (r *Reader) Device(name string) (Device, error) {
	var found []Device
	for _, d := range r.devices {
		if d.EPR == name {
			return d, nil
		}
		if strings.HasPrefix(d.EPR, name) || strings.HasPrefix(strings.TrimPrefix(d.EPR, "urn:uuid:"), name) {
			found = append(found, d)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return Device{}, fmt.Errorf("%w: %q", ErrNoDevice, name)
	}
	return Device{}, fmt.Errorf("%w: %q is not unique among %d", ErrNoDevice, name, len(found))
}

// ErrNotThere says that the recording does not know the MDIB at the place asked for.
var ErrNotThere = errors.New("the recording does not know the MDIB there")

// MDIBAt returns the MDIB of a device at an instant.
func (r *Reader) MDIBAt(device string, at time.Time) (*mdib.Snapshot, error) {
	return r.find(device, at, func(s *Step) bool { return s.At.After(at) }, nil)
}

// First returns the first MDIB of a device.
func (r *Reader) First(device string) (*mdib.Snapshot, error) {
	d, err := r.Device(device)
	if err != nil {
		return nil, err
	}
	for s, err := range r.Play(time.Time{}, d.EPR) {
		if err != nil {
			return nil, err
		}
		if s.Kind == KindMDIB {
			return s.After, nil
		}
	}
	return nil, ErrNotThere
}

// MDIBVersion returns the MDIB of a device at a version: that of the last sequence that has it.
func (r *Reader) MDIBVersion(device string, version uint64) (*mdib.Snapshot, error) {
	return r.find(device, time.Time{}, nil, func(s *Step) bool { return s.After.Version().MdibVersion == version })
}

// find returns the MDIB of the last step before stop that is right.
func (r *Reader) find(device string, from time.Time, stop, right func(*Step) bool) (*mdib.Snapshot, error) {
	d, err := r.Device(device)
	if err != nil {
		return nil, err
	}
	var found *mdib.Snapshot
	p := newPlayer()
	entries := r.Entries()
	if !from.IsZero() {
		entries = r.From(from)
	}
	for e, err := range entries {
		if err != nil {
			return nil, err
		}
		if e.Device != nil && e.Device.ID != d.ID {
			continue
		}
		s, err := p.step(e)
		if err != nil {
			return nil, err
		}
		if stop != nil && stop(&s) {
			break
		}
		switch {
		case right == nil && e.Device == nil && s.Gap == nil: // of no matter
		case right == nil:
			found = s.After // nil where the MDIB is not known
		case s.After != nil && right(&s):
			found = s.After
		}
	}
	if found == nil {
		return nil, ErrNotThere
	}
	return found, nil
}
