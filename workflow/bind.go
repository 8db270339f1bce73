package workflow

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/station"
)

// bound is a system that plays a part.
type bound struct {
	part string
	ref  station.Ref // device and handle of the MDS
	// keys are what it shared with the others when it was bound, in the order of Workflow.Same.
	keys []string
}

// keyOf is what a system has of a sharing; "" if it has none that can be told from others.
func keyOf(s *station.System, what Sharing) string {
	switch what {
	case SamePatient:
		if s.Patient.Association == station.Associated && len(s.Patient.IDs) > 0 {
			return join(s.Patient.IDs)
		}
	case SameLocation:
		if s.Location.Association == station.Associated {
			if !s.Location.Detail.IsZero() {
				return s.Location.Detail.String()
			}
			return join(s.Location.IDs)
		}
	case SameEnsemble:
		var ids []station.Identifier
		for _, e := range s.Ensembles {
			ids = append(ids, e.IDs...)
		}
		return join(ids)
	}
	return ""
}

func join(ids []station.Identifier) string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = id.String()
	}
	slices.Sort(texts)
	return strings.Join(texts, " ")
}

// bind finds the devices for every part. The error says what is missing or ambiguous.
func (w *Workflow) bind(view *station.View, at sdc.LocationDetail, chosen map[string][]string) ([]bound, error) {
	var out []bound
	var errs []error
	for _, p := range w.Devices {
		var found []*station.System
		for _, d := range view.Devices {
			if list, ok := chosen[p.Name]; ok && !slices.Contains(list, d.EPR) {
				continue
			}
			if p.Many && d.Link.State == station.LinkConnecting {
				errs = append(errs, fmt.Errorf("%s is not connected yet: it may be one for %q", d.EPR, p.Name))
			}
			for _, s := range d.Systems {
				switch {
				case !w.plays(s, p) || !w.able(s, p) || !within(s, at):
				case s.Live():
					found = append(found, s)
				case p.Many && s.Link.State == station.LinkResyncing:
					errs = append(errs, fmt.Errorf("%s, one for %q, is not live", d.EPR, p.Name))
				}
			}
		}
		switch {
		case len(found) == 0:
			errs = append(errs, fmt.Errorf("there is no live device for %q", p.Name))
		case len(found) > 1 && !p.Many:
			errs = append(errs, fmt.Errorf("there are %d devices for %q; choose one", len(found), p.Name))
		}
		for _, s := range found {
			b := bound{part: p.Name, ref: station.Ref{Device: s.Device, Handle: s.Handle}}
			for _, what := range w.Same {
				b.keys = append(b.keys, keyOf(s, what))
			}
			out = append(out, b)
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	for i, what := range w.Same {
		for _, b := range out {
			if b.keys[i] == "" {
				return nil, fmt.Errorf("%q (%s) has no %s", b.part, b.ref.Device, what)
			}
			if b.keys[i] != out[0].keys[i] {
				return nil, fmt.Errorf("%q and %q have not the same %s: %s, %s", out[0].part, b.part, what, out[0].keys[i], b.keys[i])
			}
		}
	}
	for _, c := range view.Conflicts {
		for _, b := range out {
			if slices.Contains(c.Systems, b.ref) && len(w.Same) > 0 {
				return nil, fmt.Errorf("%q is part of a contradiction that somebody has to look at: %s", b.part, c.Text)
			}
		}
	}
	return out, nil
}

func (w *Workflow) plays(s *station.System, p Part) bool {
	if len(p.Types) == 0 {
		return true
	}
	return slices.ContainsFunc(p.Types, func(t string) bool {
		code, err := w.code(t)
		return err == nil && code == s.Type
	})
}

// able tells whether a system has the operations of a part.
func (w *Workflow) able(s *station.System, p Part) bool {
	for _, text := range p.Operations {
		code, err := w.code(text)
		if err != nil || !slices.ContainsFunc(s.Operations, func(o *station.Operation) bool { return o.Code == code }) {
			return false
		}
	}
	return true
}

// unable are the devices, by EPR, that would play a part and cannot.
func (w *Workflow) unable(view *station.View, p Part, at sdc.LocationDetail) (out []string) {
	for _, d := range view.Devices {
		if slices.ContainsFunc(d.Systems, func(s *station.System) bool { return w.plays(s, p) && within(s, at) && !w.able(s, p) }) {
			out = append(out, d.EPR)
		}
	}
	return out
}

// many tells whether there is a part for all devices that match.
func (w *Workflow) many() bool {
	return slices.ContainsFunc(w.Devices, func(p Part) bool { return p.Many })
}

// present are the devices that are there, with whether they can be told what they are.
func present(view *station.View) map[string]bool {
	out := map[string]bool{}
	for _, d := range view.Devices {
		if d.Link.State != station.LinkLost && d.Link.State != station.LinkGone {
			out[d.EPR] = len(d.Systems) > 0
		}
	}
	return out
}

// within tells whether a system stands at a place or in a part of it; every place will do if at is zero.
func within(s *station.System, at sdc.LocationDetail) bool {
	if at.IsZero() {
		return true
	}
	if s.Location.Association != station.Associated {
		return false
	}
	d := s.Location.Detail
	for _, f := range [][2]string{
		{d.Facility, at.Facility}, {d.Building, at.Building}, {d.Floor, at.Floor}, {d.PoC, at.PoC}, {d.Room, at.Room}, {d.Bed, at.Bed},
	} {
		if f[1] != "" && f[0] != f[1] {
			return false
		}
	}
	return true
}

// systems are the bound systems as the view shows them now.
func systems(view *station.View, list []bound) map[string][]*station.System {
	out := map[string][]*station.System{}
	for _, b := range list {
		if d := view.Device(b.ref.Device); d != nil {
			if s := d.System(b.ref.Handle); s != nil {
				out[b.part] = append(out[b.part], s)
			}
		}
	}
	return out
}

// changed tells whether a bound system is no longer what it was bound as: it has left, or has another patient or place. A device whose link
// is being healed still is; whoever needs it live says so in a condition, and every invocation does.
func (w *Workflow) changed(view *station.View, list []bound) error {
	for _, b := range list {
		var s *station.System
		if d := view.Device(b.ref.Device); d != nil {
			s = d.System(b.ref.Handle)
		}
		if s == nil || s.Link.State == station.LinkLost || s.Link.State == station.LinkGone {
			return fmt.Errorf("%q (%s) is lost", b.part, b.ref.Device)
		}
		for i, what := range w.Same {
			if key := keyOf(s, what); key != b.keys[i] {
				return fmt.Errorf("the %s of %q has changed from %s to %s", what, b.part, b.keys[i], key)
			}
		}
	}
	return nil
}
