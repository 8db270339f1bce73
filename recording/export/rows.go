// Package export turns recordings into tables: one row for every state that was reported or read, every descriptor that changed, and every gap and change of the link, so that nobody takes
// what is missing for what did not happen.
package export

import (
	"iter"
	"strings"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/recording"
)

// Row is one line of the table.
type Row struct {
	// At is when: the arrival of a report. Wall is what the wall clock said.
	At, Wall time.Time
	// Device is the EPR; "" for what concerns the whole file.
	Device string
	// Event is mdib (a state as it was read), update, create, describe, delete, link or gap.
	Event string
	// SequenceID and Version of the MDIB after it.
	SequenceID string
	Version    uint64
	// Report is the element that told it.
	Report string
	// Handle of the state, or of the descriptor, and the descriptor it belongs to.
	Handle, Descriptor string
	// Type of the state or descriptor.
	Type                            string
	StateVersion, DescriptorVersion uint64
	// Value as it was sent: digits, text, presence of an alert, association of a context, cause of a gap.
	Value string
	// Number is Value where that is a number.
	Number pm.Opt[float64]
	// Unit is the code of the unit of measurement.
	Unit string
	// Validity of a measured value.
	Validity string
	// Determination is when the value was determined; zero if not told.
	Determination time.Time
	// Samples of a waveform or distribution.
	Samples []float64
}

// Options choose what is in the table.
type Options struct {
	// From and To bound the instants, both included; zero for open.
	From, To time.Time
	// Devices are chosen by EPR or a unique part of its beginning; none means all.
	Devices []string
	// Handles choose states and descriptors by their handle; none means all.
	Handles []string
	// NoWaveforms leaves waveforms out.
	NoWaveforms bool
}

// Rows yields the table. The row belongs to the caller until the next one.
func Rows(r *recording.Reader, o Options) iter.Seq2[*Row, error] {
	return func(yield func(*Row, error) bool) {
		want := make(map[string]bool, len(o.Handles))
		for _, h := range o.Handles {
			want[h] = true
		}
		for s, err := range r.Play(o.From, o.Devices...) {
			if err != nil {
				yield(nil, err)
				return
			}
			if !o.To.IsZero() && s.At.After(o.To) {
				return
			}
			for _, row := range rows(&s) {
				if row.Handle != "" && len(want) > 0 && !want[row.Handle] {
					continue
				}
				if o.NoWaveforms && row.Type == "RealTimeSampleArrayMetricState" {
					continue
				}
				if !yield(row, nil) {
					return
				}
			}
		}
	}
}

func rows(s *recording.Step) []*Row {
	base := Row{At: s.At, Wall: s.Wall}
	if s.Device != nil {
		base.Device = s.Device.EPR
	}
	if s.After != nil {
		v := s.After.Version()
		base.SequenceID, base.Version = v.SequenceID, v.MdibVersion
	}
	row := func(event string) *Row {
		r := base
		r.Event = event
		return &r
	}
	var out []*Row
	switch {
	case s.Gap != nil:
		r := row("gap")
		r.Type, r.Value = string(s.Gap.Origin), s.Gap.Cause
		out = append(out, r)
	case s.Link != nil:
		r := row("link")
		r.Value = s.Link.State
		out = append(out, r)
	case s.Kind == recording.KindMDIB && s.Reason != recording.ReasonKey:
		for e := range s.After.Entities() {
			if e.State != nil {
				out = append(out, stateRow(row("mdib"), s.After, e.Handle, e.State))
			}
			for _, c := range e.Contexts {
				out = append(out, stateRow(row("mdib"), s.After, c.BaseMulti().Handle, c))
			}
		}
	case s.Change != nil:
		base.Report = s.Report.BodyName().Local
		for _, d := range s.Change.Descriptors {
			out = append(out, descriptorRow(row(""), &d))
		}
		for _, c := range s.Change.States {
			out = append(out, stateRow(row("update"), s.After, c.Handle, c.After))
		}
	}
	return out
}

func descriptorRow(r *Row, d *mdib.DescriptorChange) *Row {
	r.Event = map[string]string{"Crt": "create", "Del": "delete"}[string(d.Type)]
	if r.Event == "" {
		r.Event = "describe"
	}
	r.Handle, r.Descriptor = d.Handle, d.Handle
	what := d.After
	if what == nil {
		what = d.Before
	}
	r.Type, r.DescriptorVersion = what.TypeName().Local, what.Base().DescriptorVersion
	return r
}

func stateRow(r *Row, snap *mdib.Snapshot, handle string, s pm.State) *Row {
	b := s.BaseState()
	r.Handle, r.Descriptor, r.Type = handle, b.DescriptorHandle, s.TypeName().Local
	r.StateVersion, r.DescriptorVersion = b.StateVersion, b.DescriptorVersion
	if d, ok := snap.Descriptor(b.DescriptorHandle); ok {
		if m, ok := d.(pm.MetricDescriptor); ok {
			r.Unit = m.BaseMetric().Unit.Code
		}
	}
	switch s := s.(type) {
	case *pm.NumericMetricState:
		if v := s.MetricValue; v != nil {
			measured(r, &v.AbstractMetricValue)
			if n, ok := v.Value.Get(); ok {
				r.Value, r.Number = n.String(), pm.Some(n.Float64())
			}
		}
	case *pm.StringMetricState:
		textValue(r, s.MetricValue)
	case *pm.EnumStringMetricState:
		textValue(r, s.MetricValue)
	case *pm.RealTimeSampleArrayMetricState:
		samples(r, s.MetricValue)
	case *pm.DistributionSampleArrayMetricState:
		samples(r, s.MetricValue)
	case pm.ConditionState:
		r.Value = "absent"
		if s.BaseCondition().Presence {
			r.Value = "present"
		}
	case *pm.AlertSignalState:
		r.Value = string(s.PresenceOrDefault())
	case pm.AlertState:
		r.Value = string(s.BaseAlert().ActivationState)
	case pm.OperationState:
		r.Value = string(s.BaseOperation().OperatingMode)
	case pm.ContextState:
		r.Value = string(s.BaseContext().ContextAssociationOrDefault())
	case pm.ComponentState:
		r.Value = string(s.BaseComponent().ActivationStateOrDefault())
	}
	return r
}

func measured(r *Row, v *pm.AbstractMetricValue) {
	r.Validity = string(v.MetricQuality.Validity)
	if t, ok := v.DeterminationTime.Get(); ok {
		r.Determination = t.Time()
	}
}

func textValue(r *Row, v *pm.StringMetricValue) {
	if v == nil {
		return
	}
	measured(r, &v.AbstractMetricValue)
	r.Value = v.Value.Or("")
}

func samples(r *Row, v *pm.SampleArrayValue) {
	if v == nil {
		return
	}
	measured(r, &v.AbstractMetricValue)
	var digits []string
	for _, d := range v.Samples {
		digits = append(digits, d.String())
		r.Samples = append(r.Samples, d.Float64())
	}
	r.Value = strings.Join(digits, " ")
}
