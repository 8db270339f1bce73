package web

import (
	"slices"
	"strings"
	"time"

	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/station"
)

// structureOf tells everything of a view but values and samples. Whatever changes with every report stays out, so that the
// message is sent seldom.
func structureOf(v *station.View, title string, control bool) *structure {
	s := &structure{
		Type: "structure", Title: title, Control: control,
		Devices: []deviceJSON{}, Patients: []patientJSON{}, Places: []placeJSON{}, Conflicts: []conflictJSON{}, Waiting: v.Waiting,
	}
	if s.Waiting == nil {
		s.Waiting = []string{}
	}
	for _, d := range v.Devices {
		out := deviceJSON{
			EPR: d.EPR, Name: d.Name, Manufacturer: d.Manufacturer, Model: d.Model, Serial: d.Serial, Rule: d.Rule,
			Link: linkJSON{d.Link.State, millis(d.Link.Since), d.Link.Cause}, Systems: []systemJSON{},
		}
		for _, sys := range d.Systems {
			out.Systems = append(out.Systems, systemOf(sys, v.Time))
		}
		s.Devices = append(s.Devices, out)
	}
	for _, p := range v.Patients {
		out := patientJSON{Key: p.Key, Name: p.Name, Birth: p.Birth, IDs: []string{}, Systems: refs(p.Systems)}
		for _, id := range p.IDs {
			out.IDs = append(out.IDs, id.String())
		}
		s.Patients = append(s.Patients, out)
	}
	for _, p := range v.Places {
		out := placeJSON{Key: p.Key, Text: placeText(p.Detail), Systems: refs(p.Systems), Patients: p.Patients}
		if out.Patients == nil {
			out.Patients = []string{}
		}
		s.Places = append(s.Places, out)
	}
	for _, c := range v.Conflicts {
		s.Conflicts = append(s.Conflicts, conflictJSON{string(c.Kind), c.Text})
	}
	return s
}

// placeText names a place for people.
func placeText(d sdc.LocationDetail) string {
	var parts []string
	for _, p := range []struct{ name, value string }{
		{"", d.Facility}, {"building ", d.Building}, {"floor ", d.Floor}, {"", d.PoC}, {"room ", d.Room}, {"bed ", d.Bed},
	} {
		if p.value != "" {
			parts = append(parts, p.name+p.value)
		}
	}
	return strings.Join(parts, " · ")
}

func refs(systems []*station.System) [][2]string {
	out := [][2]string{}
	for _, s := range systems {
		out = append(out, [2]string{s.Device, s.Handle})
	}
	return out
}

func systemOf(s *station.System, now time.Time) systemJSON {
	out := systemJSON{
		Handle: s.Handle, Type: s.Type.String(), Label: s.Label, Mode: string(s.Mode),
		Patient:  contextJSON{Association: s.Patient.Association, Text: s.Patient.String(), Birth: s.Patient.Birth},
		Location: contextJSON{Association: s.Location.Association, Text: placeText(s.Location.Detail)},
		// Tenths of a second: the estimate moves a little all the time.
		ClockWrong: s.Clock.Wrong(), Offset: s.Clock.Offset.Round(100 * time.Millisecond).Milliseconds(),
		Ensembles: []string{}, Values: []metricJSON{}, Waves: []waveJSON{}, Alerts: []alertJSON{}, Operations: []operationJSON{},
	}
	for _, e := range s.Ensembles {
		for _, id := range e.IDs {
			out.Ensembles = append(out.Ensembles, id.String())
		}
	}
	for _, m := range s.Values {
		out.Values = append(out.Values, metricJSON{
			Handle: m.Handle, Code: m.Meaning.Code.String(), Site: m.Meaning.Site, Role: string(m.Meaning.Role), Symbol: m.Symbol, Label: m.Label,
			Unit: m.Unit.Text, Resolution: m.Resolution.String(), Numeric: m.Numeric(),
		})
	}
	for _, w := range s.Waves {
		out.Waves = append(out.Waves, waveJSON{
			Handle: w.Handle, Code: w.Meaning.Code.String(), Site: w.Meaning.Site, Label: w.Label, Unit: w.Unit.Text,
			Period: float64(w.SamplePeriod) / float64(time.Millisecond), Range: span(w.Ranges), Status: w.Status(now),
		})
	}
	for _, a := range s.Alerts {
		alert := alertOf(a)
		if o := acknowledgement(s, a); o != nil {
			alert.Acknowledge = o.Handle
		}
		out.Alerts = append(out.Alerts, alert)
	}
	for _, o := range s.Operations {
		out.Operations = append(out.Operations, operationOf(o))
	}
	return out
}

// span is the least and greatest of ranges that have both ends.
func span(ranges []pm.Range) *[2]float64 {
	var out *[2]float64
	for _, r := range ranges {
		lower, okL := r.Lower.Get()
		upper, okU := r.Upper.Get()
		if !okL || !okU {
			continue
		}
		if out == nil {
			out = &[2]float64{lower.Float64(), upper.Float64()}
		}
		out[0], out[1] = min(out[0], lower.Float64()), max(out[1], upper.Float64())
	}
	return out
}

func alertOf(a *station.Alert) alertJSON {
	out := alertJSON{
		Handle: a.Handle, Label: a.Label, Code: a.Code.String(), Kind: string(a.Kind), Priority: string(a.Priority),
		Present: a.Present, Active: a.Active(), Latched: a.Latched(), Acknowledged: a.Acknowledged(), Signalled: a.Signalled(),
		Off:   a.Activation != pm.AlertActivationOn || a.System != pm.AlertActivationOn,
		Since: millis(a.Since), Sources: a.Sources, Stale: a.Stale,
	}
	if out.Sources == nil {
		out.Sources = []string{}
	}
	if a.Limits != nil {
		out.Limits = rangeText(*a.Limits)
	}
	for _, c := range a.Causes {
		if c.Remedy != "" {
			out.Remedy = c.Remedy
			break
		}
	}
	return out
}

// acknowledgement finds the operation by which an alert can be acknowledged now; nil if there is none.
func acknowledgement(s *station.System, a *station.Alert) *station.Operation {
	for _, o := range s.Operations {
		if o.Mode == pm.OperatingModeEn && acknowledges(o, a) {
			return o
		}
	}
	return nil
}

// acknowledges tells whether an operation is about a signal of the alert that can be acknowledged now.
func acknowledges(o *station.Operation, a *station.Alert) bool {
	return o.Kind == station.SetAlertState && slices.ContainsFunc(a.Signals, func(s station.Signal) bool {
		return s.Handle == o.Target && s.Acknowledgeable && (s.Presence == pm.AlertSignalPresenceOn || s.Presence == pm.AlertSignalPresenceLatch)
	})
}

func operationOf(o *station.Operation) operationJSON {
	out := operationJSON{
		Handle: o.Handle, Label: o.Label, Kind: string(o.Kind), Code: o.Code.String(), Target: o.Target, Unit: o.Unit.Text,
		Enabled: o.Mode == pm.OperatingModeEn, Values: o.Values, Access: string(o.Access),
	}
	for _, r := range o.Ranges {
		if text := rangeText(r); text != "" {
			out.Ranges = append(out.Ranges, text)
		}
	}
	for _, a := range o.Arguments {
		name := a.ArgName.Code
		for _, t := range a.ArgName.ConceptDescription {
			name = t.Text
			break
		}
		out.Arguments = append(out.Arguments, name)
	}
	return out
}

func valueOf(v *station.Value, status station.Status) valueJSON {
	return valueJSON{
		Device: v.Device, Handle: v.Handle, Number: decimalText(v.Number), Text: v.Text, Validity: string(v.Validity),
		Status: status, Determined: millis(v.Determined),
	}
}
