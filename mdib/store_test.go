package mdib

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
)

var (
	t0 = time.UnixMilli(1_600_000_000_000)
	t1 = t0.Add(time.Minute)
)

func setHR(value string, at time.Time) func(*Tx) error {
	return func(tx *Tx) error { return tx.SetNumeric("hr", pm.MustDecimal(value), at) }
}

func TestMetricCommit(t *testing.T) {
	// covers: BICEPS R0038_0, SDCri: MdibVersion, SDCri: one bump per transaction
	st, _ := newStore(t)
	c := commit(t, st, func(tx *Tx) error {
		for i := range 5 { // edited often, raised once
			if err := tx.SetNumeric("hr", pm.NewDecimal(int64(70+i), 0), t0); err != nil {
				return err
			}
		}
		if err := tx.SetNumeric("b.hr", pm.MustDecimal("60"), t0); err != nil {
			return err
		}
		s, ok := tx.State("hr")
		require.True(t, ok)
		require.Equal(t, "74", s.(*pm.NumericMetricState).MetricValue.Value.Or(pm.Decimal{}).String(), "reads what was written")
		require.Nil(t, state[*pm.NumericMetricState](t, st.Load(), "hr").MetricValue, "not published yet")
		return nil
	})
	require.Equal(t, KindMetric, c.Kind)
	hr := state[*pm.NumericMetricState](t, st.Load(), "hr")
	require.Equal(t, "74", hr.MetricValue.Value.Or(pm.Decimal{}).String())
	require.EqualValues(t, 1, hr.StateVersion)
	require.Nil(t, state[*pm.NumericMetricState](t, c.Before, "hr").MetricValue, "the old snapshot stays as it was")
	require.EqualValues(t, 0, descriptor(t, st.Load(), "hr").Base().DescriptorVersion)
	require.EqualValues(t, 1, st.Load().StateVersion())
	require.EqualValues(t, 0, st.Load().DescriptionVersion())

	r := wire(t, c.Report()).(*msg.EpisodicMetricReport)
	require.EqualValues(t, 1, r.MdibVersion)
	require.Equal(t, st.Load().Version().SequenceID, r.SequenceId)
	require.Len(t, r.ReportPart, 2, "one part for each MDS")
	require.Equal(t, "mds", r.ReportPart[0].SourceMds)
	require.Equal(t, "b.mds", r.ReportPart[1].SourceMds)
	require.Equal(t, "hr", r.ReportPart[0].MetricState[0].BaseState().DescriptorHandle)
}

// TestReportOfEachKind: one report for each commit, of the type that belongs to the states.
func TestReportOfEachKind(t *testing.T) {
	// covers: SDPi R1007, BICEPS waveform, BICEPS OperationalStateReport
	for _, tc := range []struct {
		kind Kind
		fn   func(*Tx) error
		want msg.Message
	}{
		{KindMetric, setHR("1", t0), &msg.EpisodicMetricReport{}},
		{KindWaveform, func(tx *Tx) error { return tx.SetSamples("ecg", pm.Samples{pm.MustDecimal("1")}, t0) }, &msg.WaveformStream{}},
		{KindAlert, func(tx *Tx) error { return tx.SetPresence("tec", true) }, &msg.EpisodicAlertReport{}},
		{KindComponent, func(tx *Tx) error { return tx.SetActivation("vmd", pm.ComponentActivationStndBy) }, &msg.EpisodicComponentReport{}},
		{KindContext, func(tx *Tx) error { _, err := tx.NewContextState("pat"); return err }, &msg.EpisodicContextReport{}},
		{KindOperational, func(tx *Tx) error { return tx.SetOperatingMode("set", pm.OperatingModeDis) }, &msg.EpisodicOperationalStateReport{}},
		{KindDescription, func(tx *Tx) error { return tx.Insert("chan", numeric("new")) }, &msg.DescriptionModificationReport{}},
	} {
		t.Run(tc.kind.String(), func(t *testing.T) {
			st, _ := newStore(t)
			c := commit(t, st, tc.fn)
			require.Equal(t, tc.kind, c.Kind)
			report := wire(t, c.Report())
			require.IsType(t, tc.want, report)
			require.EqualValues(t, 1, report.(msg.Report).Version().MdibVersion)
			require.True(t, msg.Equal(c.Report(), report))
		})
	}
	require.Equal(t, "unknown", Kind(99).String())
	require.Equal(t, KindNone, KindOf(nil))
	require.Nil(t, (&Change{}).Report())
}

func TestNothingChanged(t *testing.T) {
	// covers: BICEPS C-11, BICEPS C-12, BICEPS C-13, BICEPS C-14, BICEPS C-15, BICEPS C-5, BICEPS ClockState
	st, _ := newStore(t)
	commit(t, st, setHR("70", t0))
	associate(t, st, "pat")
	before := st.Load()
	for name, fn := range map[string]func(*Tx) error{
		"empty":      func(*Tx) error { return nil },
		"same value": setHR("70", t0),
		"untouched copies": func(tx *Tx) error {
			for e := range tx.Base().Entities() {
				if _, err := tx.EditDescriptor(e.Handle); err != nil {
					return err
				}
				if e.State != nil {
					if _, err := tx.EditState(e.Handle); err != nil {
						return err
					}
				}
				for _, c := range e.Contexts {
					if _, err := tx.EditState(c.BaseMulti().Handle); err != nil {
						return err
					}
				}
			}
			return nil
		},
		"versions do not count": func(tx *Tx) error {
			s, err := tx.EditState("hr")
			s.BaseState().StateVersion, s.BaseState().DescriptorVersion = 77, 78
			d, _ := tx.EditDescriptor("spo2")
			d.Base().DescriptorVersion = 79
			return err
		},
		"there and back": func(tx *Tx) error {
			if err := tx.SetActivation("vmd", pm.ComponentActivationOff); err != nil {
				return err
			}
			return tx.SetActivation("vmd", "")
		},
		"inserted and deleted": func(tx *Tx) error {
			if err := tx.Insert("chan", numeric("new")); err != nil {
				return err
			}
			return tx.Delete("new")
		},
		"a clock ticks": func(tx *Tx) error {
			s, err := Edit[*pm.ClockState](tx, "clock")
			s.DateAndTime = pm.Some(pm.TimestampOf(t1))
			return err
		},
		"no value, and still none": func(tx *Tx) error {
			if err := tx.ClearValue("spo2", pm.MeasurementValidityNA, t0); err != nil {
				return err
			}
			s, err := Edit[*pm.NumericMetricState](tx, "spo2")
			s.MetricValue = nil
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := st.Update(fn)
			require.NoError(t, err)
			require.Nil(t, c)
			require.Same(t, before, st.Load())
		})
	}
	c := commit(t, st, func(tx *Tx) error {
		s, err := Edit[*pm.ClockState](tx, "clock")
		s.DateAndTime, s.LastSet = pm.Some(pm.TimestampOf(t1)), pm.Some(pm.TimestampOf(t1))
		return err
	})
	require.Equal(t, pm.TimestampOf(t1), c.States[0].After.(*pm.ClockState).DateAndTime.Or(0))

	commit(t, st, func(tx *Tx) error { return tx.ClearValue("spo2", pm.MeasurementValidityNA, t0) })
	again, err := st.Update(func(tx *Tx) error { return tx.ClearValue("spo2", pm.MeasurementValidityNA, t1) })
	require.NoError(t, err)
	require.Nil(t, again, "still no value for the same reason")
}

// TestFailureChangesNothing: an error rolls back; a panic goes on and leaves the store usable.
func TestFailureChangesNothing(t *testing.T) {
	// covers: SDCri: MdibVersion
	st, _ := newStore(t)
	before := st.Load()
	boom := errors.New("boom")
	spoil := func(tx *Tx) error {
		require.NoError(t, setHR("70", t0)(tx))
		require.NoError(t, tx.Insert("chan", numeric("new")))
		require.NoError(t, tx.Delete("vmd2"))
		d, err := tx.EditDescriptor("mds")
		require.NoError(t, err)
		d.Base().Type.Code = "spoiled"
		_, err = tx.NewContextState("pat")
		return err
	}
	var leaked *Tx
	_, err := st.Update(func(tx *Tx) error {
		leaked = tx
		require.NoError(t, spoil(tx))
		return boom
	})
	require.ErrorIs(t, err, boom)
	require.PanicsWithValue(t, "ouch", func() {
		_, _ = st.Update(func(tx *Tx) error {
			require.NoError(t, spoil(tx))
			panic("ouch")
		})
	})
	require.Same(t, before, st.Load())
	require.True(t, before.ContentEqual(fixture(t)), "what transactions hand out is private")

	for name, use := range map[string]func() error{
		"edit":       func() error { _, err := Edit[pm.State](leaked, "hr"); return err },
		"descriptor": func() error { _, err := leaked.EditDescriptor("hr"); return err },
		"insert":     func() error { return leaked.Insert("chan", numeric("x")) },
		"delete":     func() error { return leaked.Delete("hr") },
		"context":    func() error { _, err := leaked.NewContextState("pat"); return err },
		"insert context": func() error {
			_, err := leaked.InsertContextState(&pm.PatientContextState{})
			return err
		},
		"remove context": func() error { return leaked.RemoveContextState("x") },
	} {
		require.ErrorIs(t, use(), ErrTxDone, name)
	}
	commit(t, st, setHR("70", t0))
	require.EqualValues(t, 1, st.Load().Version().MdibVersion, "failures do not use up versions")
}

// What the schema does not allow is refused where it is put in: on the wire it would cost the peers the whole report.
func TestSchemaIsKept(t *testing.T) {
	st, _ := newStore(t)
	before := st.Load()
	for name, tc := range map[string]struct {
		handle, flaw string
		fn           func(tx *Tx) error
	}{
		"unknown value": {"hr", `of the NumericMetricState ActivationState cannot be "Running"`, func(tx *Tx) error {
			s, err := Edit[*pm.NumericMetricState](tx, "hr")
			s.ActivationState = "Running"
			return err
		}},
		"value without validity": {"hr", "of the NumericMetricState MetricValue.MetricQuality.Validity is missing", func(tx *Tx) error {
			s, err := Edit[*pm.NumericMetricState](tx, "hr")
			s.MetricValue = &pm.NumericMetricValue{Value: pm.Some(pm.MustDecimal("1"))}
			return err
		}},
		"new descriptor": {"new", "of the NumericMetricDescriptor MetricCategory is missing", func(tx *Tx) error {
			d := numeric("new")
			d.MetricCategory = ""
			return tx.Insert("chan", d)
		}},
		"edited descriptor": {"hr", `of the NumericMetricDescriptor DerivationMethod cannot be "Guess"`, func(tx *Tx) error {
			d, err := tx.EditDescriptor("hr")
			d.(*pm.NumericMetricDescriptor).DerivationMethod = "Guess"
			return err
		}},
		"new context": {"", `of the PatientContextState CoreData.Sex cannot be "?"`, func(tx *Tx) error {
			s, err := tx.InsertContextState(&pm.PatientContextState{
				AbstractContextState: pm.AbstractContextState{AbstractMultiState: pm.AbstractMultiState{AbstractState: pm.AbstractState{DescriptorHandle: "pat"}}},
				CoreData:             &pm.PatientDemographicsCoreData{Sex: "?"},
			})
			_ = s
			return err
		}},
	} {
		_, err := st.Update(tc.fn)
		var rule *RuleError
		require.ErrorAs(t, err, &rule, name)
		require.Equal(t, "BICEPS schema", rule.ID, name)
		require.Equal(t, tc.flaw, rule.Msg, name)
		if tc.handle != "" {
			require.Equal(t, tc.handle, rule.Handle, name)
		}
		require.Same(t, before, st.Load(), name)
	}
}

func TestOneKindOnly(t *testing.T) {
	// covers: SDPi R1007, BICEPS R5051, BICEPS R5052
	st, _ := newStore(t)
	before := st.Load()
	for name, fn := range map[string]func(*Tx) error{
		"metric and alert": func(tx *Tx) error {
			if err := setHR("70", t0)(tx); err != nil {
				return err
			}
			return tx.SetPresence("tec", true)
		},
		"metric and waveform": func(tx *Tx) error {
			if err := setHR("70", t0)(tx); err != nil {
				return err
			}
			return tx.SetSamples("ecg", pm.Samples{pm.MustDecimal("1")}, t0)
		},
		"description and another's state": func(tx *Tx) error {
			if err := tx.Insert("chan", numeric("new")); err != nil {
				return err
			}
			return setHR("70", t0)(tx)
		},
	} {
		_, err := st.Update(fn)
		require.ErrorIs(t, err, ErrMixedKinds, name)
		require.ErrorContains(t, err, "hr", name)
		require.Same(t, before, st.Load())
	}
	// A state may change together with its descriptor; both are in one part.
	c := commit(t, st, func(tx *Tx) error {
		d, err := EditDescriptorAs[*pm.NumericMetricDescriptor](tx, "hr")
		if err != nil {
			return err
		}
		d.Resolution = pm.MustDecimal("0.5")
		return setHR("70.5", t0)(tx)
	})
	r := wire(t, c.Report()).(*msg.DescriptionModificationReport)
	require.Len(t, r.ReportPart, 1)
	p := r.ReportPart[0]
	require.Equal(t, msg.DescriptionModificationTypeUpt, p.ModificationType)
	require.Len(t, p.State, 1)
	require.EqualValues(t, 1, p.Descriptor[0].Base().DescriptorVersion)
	require.EqualValues(t, 1, p.State[0].BaseState().DescriptorVersion)
	require.EqualValues(t, 1, p.State[0].BaseState().StateVersion)
	require.Equal(t, "70.5", p.State[0].(*pm.NumericMetricState).MetricValue.Value.Or(pm.Decimal{}).String())
}

func TestWrongUse(t *testing.T) {
	st, _ := newStore(t)
	kept := st.Load()
	_, err := st.Follow(nil)
	require.ErrorContains(t, err, "no report")
	require.PanicsWithValue(t, "mdib: Replace without an MDIB", func() { st.Replace(nil) }, "not in whoever reads next")
	require.Same(t, kept, st.Load())
	for name, fn := range map[string]func(*Tx) error{
		"unknown state":      func(tx *Tx) error { _, err := tx.EditState("nobody"); return err },
		"unknown descriptor": func(tx *Tx) error { _, err := tx.EditDescriptor("nobody"); return err },
		"unknown context":    func(tx *Tx) error { _, err := tx.NewContextState("nobody"); return err },
		"unknown parent":     func(tx *Tx) error { return tx.Insert("nobody", numeric("x")) },
		"unknown deletion":   func(tx *Tx) error { return tx.Delete("nobody") },
		"deleted":            func(tx *Tx) error { _ = tx.Delete("hr"); _, err := tx.EditState("hr"); return err },
		"deleted descriptor": func(tx *Tx) error { _ = tx.Delete("hr"); _, err := tx.EditDescriptor("hr"); return err },
		"context of nobody":  func(tx *Tx) error { _, err := tx.InsertContextState(&pm.PatientContextState{}); return err },
		"removal":            func(tx *Tx) error { return tx.RemoveContextState("hr") },
		"disassociation":     func(tx *Tx) error { return tx.Disassociate("nobody") },
		"value":              func(tx *Tx) error { return tx.SetNumeric("nobody", pm.Decimal{}, t0) },
		"text":               func(tx *Tx) error { return tx.SetString("nobody", "", t0) },
		"samples":            func(tx *Tx) error { return tx.SetSamples("nobody", nil, t0) },
		"clear":              func(tx *Tx) error { return tx.ClearValue("nobody", pm.MeasurementValidityNA, t0) },
		"presence":           func(tx *Tx) error { return tx.SetPresence("nobody", true) },
		"mode":               func(tx *Tx) error { return tx.SetOperatingMode("nobody", pm.OperatingModeEn) },
		"activation":         func(tx *Tx) error { return tx.SetActivation("nobody", pm.ComponentActivationOn) },
	} {
		_, err := st.Update(fn)
		require.ErrorIs(t, err, ErrUnknownHandle, name)
	}
	for name, tc := range map[string]struct {
		fn   func(*Tx) error
		want string
	}{
		"state type":      {func(tx *Tx) error { _, err := Edit[*pm.StringMetricState](tx, "hr"); return err }, "NumericMetricState, not a *pm.StringMetricState"},
		"interface":       {func(tx *Tx) error { _, err := Edit[pm.AlertState](tx, "hr"); return err }, "pm.AlertState"},
		"descriptor type": {func(tx *Tx) error { _, err := EditDescriptorAs[*pm.VmdDescriptor](tx, "hr"); return err }, "*pm.VmdDescriptor"},
		"no context":      {func(tx *Tx) error { _, err := tx.NewContextState("hr"); return err }, "not a context"},
		"context type":    {func(tx *Tx) error { _, err := NewContext[*pm.LocationContextState](tx, "pat"); return err }, "*pm.LocationContextState"},
		"text type":       {func(tx *Tx) error { return tx.SetString("hr", "x", t0) }, "string metric"},
		"clear type":      {func(tx *Tx) error { return tx.ClearValue("vmd", pm.MeasurementValidityNA, t0) }, "metric"},
		"activation type": {func(tx *Tx) error { return tx.SetActivation("tec", pm.ComponentActivationOn) }, "metric or component"},
		"disassociation":  {func(tx *Tx) error { return tx.Disassociate("hr") }, "not a context"},
		"nothing":         {func(tx *Tx) error { return tx.Insert("chan", nil) }, "descriptor to insert is missing"},
	} {
		_, err := st.Update(tc.fn)
		require.ErrorContains(t, err, tc.want, name)
	}
	refused(t, st, "BICEPS R0007_0", func(tx *Tx) error {
		s, err := tx.EditState("hr")
		s.BaseState().DescriptorHandle = "spo2"
		return err
	})
	refused(t, st, "BICEPS R0007_0", func(tx *Tx) error {
		d, err := tx.EditDescriptor("hr")
		d.Base().Handle = "other"
		return err
	})
	refused(t, st, "BICEPS R5024", func(tx *Tx) error {
		d, err := EditDescriptorAs[*pm.ChannelDescriptor](tx, "chan")
		d.Metric = append(d.Metric, numeric("smuggled"))
		return err
	})
	refused(t, st, "BICEPS ranges", func(tx *Tx) error { return tx.SetString("mode", "c", t0) })
	commit(t, st, func(tx *Tx) error { return tx.SetString("mode", "b", t0) })
	commit(t, st, func(tx *Tx) error { return tx.SetString("text", "anything", t0) })
	for _, text := range []string{"a\x00", "\x1b[1m", "a\xffb", "\uFFFE"} {
		refused(t, st, "BICEPS schema", func(tx *Tx) error { return tx.SetString("text", text, t0) })
	}
	refused(t, st, "BICEPS schema", func(tx *Tx) error {
		s, err := NewContext[*pm.PatientContextState](tx, "pat")
		if err == nil {
			s.CoreData = &pm.PatientDemographicsCoreData{BaseDemographics: pm.BaseDemographics{Familyname: "4711\x1d17"}} // as bar codes have it
		}
		return err
	})
	refused(t, st, "BICEPS schema", func(tx *Tx) error {
		d, err := tx.EditDescriptor("chan")
		if err == nil {
			d.Base().Type = &pm.CodedValue{Code: "1", ConceptDescription: []pm.LocalizedText{{Lang: "en", Text: "\x00"}}}
		}
		return err
	})
	commit(t, st, func(tx *Tx) error { return tx.SetString("text", "line\nfeed, tab\t, \uFFFD and \U0001F600", t0) })

	// An insertion that failed half-way cannot be committed, even if its error is not passed on.
	before := st.Load()
	_, err = st.Update(func(tx *Tx) error {
		_ = tx.Insert("mds", vmd("v", channel("c", numeric("hr"))))
		return nil
	})
	require.ErrorContains(t, err, "in use")
	require.Same(t, before, st.Load())
}

func TestDeterminationTime(t *testing.T) {
	// covers: GLUE R0011, BICEPS validity: no value
	st, clock := newStore(t)
	edit := func(fn func(*pm.NumericMetricState)) func(*Tx) error {
		return func(tx *Tx) error {
			s, err := Edit[*pm.NumericMetricState](tx, "hr")
			if s.MetricValue == nil {
				s.MetricValue = &pm.NumericMetricValue{}
				s.MetricValue.MetricQuality.Validity = pm.MeasurementValidityVld
			}
			fn(s)
			return err
		}
	}
	determination := func() pm.Opt[pm.Timestamp] {
		return state[*pm.NumericMetricState](t, st.Load(), "hr").MetricValue.DeterminationTime
	}
	commit(t, st, edit(func(s *pm.NumericMetricState) { s.MetricValue.Value = pm.Some(pm.MustDecimal("70")) }))
	require.Equal(t, clock.last(), determination(), "filled in")

	was := clock.last()
	commit(t, st, edit(func(s *pm.NumericMetricState) { s.MetricValue.Value = pm.Some(pm.MustDecimal("71")) }))
	require.Equal(t, clock.last(), determination())
	require.NotEqual(t, was, determination(), "a new value does not keep the old time")

	commit(t, st, setHR("72", t0))
	require.Equal(t, pm.Some(pm.TimestampOf(t0)), determination(), "a time given stays")

	commit(t, st, edit(func(s *pm.NumericMetricState) { s.MetricValue.MetricQuality.Validity = pm.MeasurementValidityVldated }))
	require.Equal(t, pm.Some(pm.TimestampOf(t0)), determination(), "another quality is no new determination")

	for _, v := range []pm.MeasurementValidity{pm.MeasurementValidityOng, pm.MeasurementValidityNA} {
		refused(t, st, "BICEPS validity: no value", edit(func(s *pm.NumericMetricState) { s.MetricValue.MetricQuality.Validity = v }))
		commit(t, st, func(tx *Tx) error { return tx.ClearValue("hr", v, t0) })
		require.False(t, state[*pm.NumericMetricState](t, st.Load(), "hr").MetricValue.Value.IsSet())
		commit(t, st, setHR("72", t0))
	}
	refused(t, st, "BICEPS schema", edit(func(s *pm.NumericMetricState) { s.MetricValue.MetricQuality.Validity = "" }))
	refused(t, st, "BICEPS validity: no value", func(tx *Tx) error {
		s, err := Edit[*pm.RealTimeSampleArrayMetricState](tx, "ecg")
		s.MetricValue = &pm.SampleArrayValue{Samples: pm.Samples{pm.MustDecimal("1")}}
		s.MetricValue.MetricQuality.Validity = pm.MeasurementValidityNA
		return err
	})
	for _, h := range []string{"ecg", "text", "mode"} {
		commit(t, st, func(tx *Tx) error { return tx.ClearValue(h, pm.MeasurementValidityInv, t0) })
	}
	commit(t, st, func(tx *Tx) error {
		s, err := Edit[*pm.RealTimeSampleArrayMetricState](tx, "ecg")
		s.MetricValue = &pm.SampleArrayValue{Samples: pm.Samples{pm.MustDecimal("1")}}
		s.MetricValue.MetricQuality.Validity = pm.MeasurementValidityVld
		return err
	})
	require.Equal(t, clock.last(), state[*pm.RealTimeSampleArrayMetricState](t, st.Load(), "ecg").MetricValue.DeterminationTime)
}

// TestDescriptorTouchLeavesValues: raising the version of a state for its descriptor's sake reaches nothing shared with older snapshots.
func TestDescriptorTouchLeavesValues(t *testing.T) {
	st, _ := newStore(t)
	c := commit(t, st, setHR("70", t0))
	old := pm.CloneState(state[pm.State](t, c.After, "hr"))
	commit(t, st, func(tx *Tx) error {
		d, err := tx.EditDescriptor("hr")
		d.Base().SafetyClassification = pm.SafetyClassificationMedA
		return err
	})
	require.True(t, pm.EqualState(old, state[pm.State](t, c.After, "hr")))
	hr := state[*pm.NumericMetricState](t, st.Load(), "hr")
	require.EqualValues(t, 2, hr.StateVersion)
	require.EqualValues(t, 1, hr.DescriptorVersion)
}

func TestAlertRules(t *testing.T) {
	// covers: GLUE R0012_0_0, BICEPS alert lists
	st, clock := newStore(t)
	c := commit(t, st, func(tx *Tx) error { return tx.SetPresence("limit", true) })
	require.Equal(t, clock.last(), state[*pm.LimitAlertConditionState](t, st.Load(), "limit").DeterminationTime)
	system := state[*pm.AlertSystemState](t, st.Load(), "alerts")
	require.Equal(t, []string{"limit"}, system.PresentPhysiologicalAlarmConditions)
	require.Empty(t, system.PresentTechnicalAlarmConditions)
	require.EqualValues(t, 1, system.StateVersion)
	require.Len(t, c.States, 2, "the alert system's state goes along in the same report")

	commit(t, st, func(tx *Tx) error {
		s, err := Edit[*pm.AlertConditionState](tx, "tec")
		s.Presence, s.DeterminationTime = true, pm.Some(pm.TimestampOf(t0))
		return err
	})
	require.Equal(t, pm.Some(pm.TimestampOf(t0)), state[*pm.AlertConditionState](t, st.Load(), "tec").DeterminationTime, "a time given stays")
	commit(t, st, func(tx *Tx) error { return tx.SetPresence("limit", false) })
	system = state[*pm.AlertSystemState](t, st.Load(), "alerts")
	require.Empty(t, system.PresentPhysiologicalAlarmConditions)
	require.Equal(t, []string{"tec"}, system.PresentTechnicalAlarmConditions)
	commit(t, st, func(tx *Tx) error { return tx.Delete("tec") })
	require.Empty(t, state[*pm.AlertSystemState](t, st.Load(), "alerts").PresentTechnicalAlarmConditions)
	present := &pm.AlertConditionState{Presence: true}
	present.ActivationState = pm.AlertActivationOn
	commit(t, st, func(tx *Tx) error { return tx.Insert("alerts", condition("tec2", pm.AlertConditionKindTec), present) })
	require.Equal(t, []string{"tec2"}, state[*pm.AlertSystemState](t, st.Load(), "alerts").PresentTechnicalAlarmConditions)
	require.Empty(t, errorsOnly(Validate(st.Load())))
	refused(t, st, "BICEPS schema", func(tx *Tx) error { return tx.SetOperatingMode("set", "") })
}

// TestPresenceTwiceInAMillisecond: a condition that comes and goes faster than its clock ticks is seen to have changed.
func TestPresenceTwiceInAMillisecond(t *testing.T) {
	// covers: GLUE R0012_0_0
	st := NewStore(fixture(t), Config{Now: func() time.Time { return t0 }})
	times := map[pm.Timestamp]bool{}
	for i := range 6 {
		commit(t, st, func(tx *Tx) error { return tx.SetPresence("limit", i%2 == 0) })
		at, ok := state[*pm.LimitAlertConditionState](t, st.Load(), "limit").DeterminationTime.Get()
		require.True(t, ok)
		require.GreaterOrEqual(t, at, pm.TimestampOf(t0))
		require.LessOrEqual(t, at, pm.TimestampOf(t0)+1, "never further off than it takes to differ")
		times[at] = true
	}
	require.Len(t, times, 2)
}

func errorsOnly(all []Finding) []Finding {
	var out []Finding
	for _, f := range all {
		if f.Severity == SeverityError {
			out = append(out, f)
		}
	}
	return out
}

func TestSequences(t *testing.T) {
	// covers: BICEPS R5004, BICEPS R5005
	snap := fixture(t)
	a, b := NewStore(snap, Config{}), NewStore(snap, Config{})
	require.NotEqual(t, a.Load().Version().SequenceID, b.Load().Version().SequenceID)
	require.NotEqual(t, snap.Version().SequenceID, a.Load().Version().SequenceID)
	require.True(t, strings.HasPrefix(a.Load().Version().SequenceID, "urn:uuid:"))
	require.False(t, a.Load().Version().InstanceID.IsSet())

	st := NewStore(snap, Config{SequenceID: "urn:x", InstanceID: pm.Some(uint64(4))})
	require.Equal(t, Version{SequenceID: "urn:x", InstanceID: pm.Some(uint64(4))}, st.Load().Version())
	commit(t, st, setHR("70", t0))
	require.Equal(t, Version{1, "urn:x", pm.Some(uint64(4))}, st.Load().Version(), "no other change raises InstanceId")
	next := st.NewSequence()
	require.Same(t, next, st.Load())
	require.EqualValues(t, 0, next.Version().MdibVersion)
	require.NotEqual(t, "urn:x", next.Version().SequenceID)
	require.Equal(t, pm.Some(uint64(5)), next.Version().InstanceID)
	require.EqualValues(t, 1, state[pm.State](t, next, "hr").BaseState().StateVersion)
	require.False(t, a.NewSequence().Version().InstanceID.IsSet())

	commit(t, st, setHR("71", t0))
	kept := NewStore(st.Load(), Config{KeepVersion: true})
	require.True(t, kept.Load().Equal(st.Load()))
	require.False(t, (Version{SequenceID: "urn:X"}).SameSequence(Version{SequenceID: "urn:x"}))
}

// TestStartFixesReferences: states of a file may name another version of their descriptors than there is.
func TestStartFixesReferences(t *testing.T) {
	d := numeric("m")
	d.DescriptorVersion = 3
	s := &pm.NumericMetricState{}
	s.DescriptorHandle, s.DescriptorVersion = "m", 1
	m := mds("")
	m.Vmd[0].Channel[0].Metric = append(m.Vmd[0].Channel[0].Metric, d)
	snap, err := FromMdib(&pm.Mdib{MdDescription: &pm.MdDescription{Mds: []*pm.MdsDescriptor{m}}, MdState: &pm.MdState{State: []pm.State{s}}})
	require.NoError(t, err)
	require.Len(t, errorsOnly(Validate(snap)), 1)
	st := NewStore(snap, Config{})
	require.Empty(t, errorsOnly(Validate(st.Load())))
	require.EqualValues(t, 1, s.DescriptorVersion, "the snapshot given stays as it was")
}

func TestManyEdits(t *testing.T) {
	st := NewStore(sized(t, 300), Config{})
	c := commit(t, st, func(tx *Tx) error {
		for round := range 2 {
			for i := range 300 {
				if err := tx.SetNumeric(fmt.Sprint("m", i), pm.NewDecimal(int64(round), 0), t0); err != nil {
					return err
				}
			}
		}
		return nil
	})
	require.Len(t, c.States, 300)
	for e := range st.Load().Subtree("chan") {
		if s, ok := e.State.(*pm.NumericMetricState); ok {
			require.EqualValues(t, 1, s.StateVersion)
			require.Equal(t, "1", s.MetricValue.Value.Or(pm.Decimal{}).String())
		}
	}
}

func TestAlertActivation(t *testing.T) {
	// covers: BICEPS R0116, BICEPS R0029_0, BICEPS B-128
	st, _ := newStore(t)
	commit(t, st, func(tx *Tx) error {
		s, err := Edit[*pm.AlertSystemState](tx, "alerts")
		s.SystemSignalActivation = []pm.SystemSignalActivation{
			{Manifestation: pm.AlertSignalManifestationVis, State: pm.AlertActivationOn},
			{Manifestation: pm.AlertSignalManifestationAud, State: pm.AlertActivationOff}, // no such signal: not touched
		}
		return err
	})
	summaryOf := func() pm.AlertActivation {
		return state[*pm.AlertSystemState](t, st.Load(), "alerts").SystemSignalActivation[0].State
	}
	commit(t, st, func(tx *Tx) error { return tx.SetPresence("tec", true) })
	for _, a := range []pm.AlertActivation{pm.AlertActivationPsd, pm.AlertActivationOff} {
		c := commit(t, st, func(tx *Tx) error { return tx.SetAlertActivation("alerts", a) })
		require.Equal(t, KindAlert, c.Kind)
		require.Empty(t, errorsOnly(Validate(st.Load())))
		for _, h := range []string{"alerts", "tec", "limit", "sig"} {
			require.Equal(t, a, state[pm.AlertState](t, st.Load(), h).BaseAlert().ActivationState)
		}
		require.False(t, state[*pm.AlertConditionState](t, st.Load(), "tec").Presence)
		require.Equal(t, a, summaryOf())
	}
	commit(t, st, func(tx *Tx) error { return tx.SetAlertActivation("alerts", pm.AlertActivationOn) })
	require.Equal(t, pm.AlertActivationOn, summaryOf(), "what went off with the system comes back with it")
	require.False(t, state[*pm.AlertConditionState](t, st.Load(), "tec").Presence, "but what was present has to be detected again")
	commit(t, st, func(tx *Tx) error { return tx.SetAlertActivation("sig", pm.AlertActivationPsd) })
	require.Equal(t, pm.AlertActivationPsd, summaryOf())
	require.Empty(t, errorsOnly(Validate(st.Load())))
	_, err := st.Update(func(tx *Tx) error { return tx.SetAlertActivation("nobody", pm.AlertActivationOn) })
	require.ErrorIs(t, err, ErrUnknownHandle)
}

func TestSwitchOff(t *testing.T) {
	// covers: BICEPS R0025_0
	for _, handle := range []string{"mds", "vmd", "chan"} {
		st, _ := newStore(t)
		before := st.Load().Version().MdibVersion
		for _, fn := range SwitchOff(handle) {
			_, err := st.Update(fn)
			require.NoError(t, err)
			require.Empty(t, errorsOnly(Validate(st.Load())), "every version on the way is sound")
		}
		require.Greater(t, st.Load().Version().MdibVersion, before)
		require.Equal(t, pm.ComponentActivationOff, state[pm.ComponentState](t, st.Load(), handle).BaseComponent().ActivationState)
		require.Equal(t, pm.ComponentActivationOff, state[pm.MetricState](t, st.Load(), "hr").BaseMetric().ActivationState)
		require.Empty(t, state[pm.MetricState](t, st.Load(), "b.hr").BaseMetric().ActivationState)
	}
	st, _ := newStore(t)
	mode := func(h string) pm.OperatingMode {
		return state[pm.OperationState](t, st.Load(), h).BaseOperation().OperatingMode
	}
	commit(t, st, func(tx *Tx) error { return tx.SetActivation("vmd", pm.ComponentActivationOff) })
	require.Contains(t, Validate(st.Load()), Finding{
		ID: "BICEPS R0025_0", Handle: "set", Severity: SeverityWarning, Message: `the operation is En, but "vmd", which its target is below, is off`,
	})
	for _, fn := range SwitchOff("vmd") {
		_, err := st.Update(fn)
		require.NoError(t, err)
	}
	require.Equal(t, pm.OperatingModeNA, mode("set"), "it stands elsewhere and sets a metric of the VMD")
	require.Equal(t, pm.OperatingModeEn, mode("act"), "the MDS is on")
	require.Equal(t, pm.OperatingModeEn, mode("b.set"))
	above, off := OperationOff(st.Load(), "set")
	require.True(t, off)
	require.Equal(t, "chan", above, "the nearest that is off")
	for _, h := range []string{"act", "b.set", "hr", "nobody"} {
		_, off := OperationOff(st.Load(), h)
		require.False(t, off, h)
	}
	for _, handle := range []string{"nobody", "hr"} {
		_, err := st.Update(SwitchOff(handle)[0])
		require.ErrorIs(t, err, ErrUnknownHandle)
	}
}

// TestStaleTimes: each kind of metric value that changes without a new time gets one.
func TestStaleTimes(t *testing.T) {
	// covers: GLUE R0011
	st, clock := newStore(t)
	for handle, fn := range map[string]func(*Tx, string) error{
		"text": func(tx *Tx, v string) error {
			s, err := Edit[*pm.StringMetricState](tx, "text")
			s.MetricValue.Value = pm.Some(v)
			return err
		},
		"mode": func(tx *Tx, v string) error {
			s, err := Edit[*pm.EnumStringMetricState](tx, "mode")
			s.MetricValue.Value = pm.Some(v)
			return err
		},
		"ecg": func(tx *Tx, v string) error {
			s, err := Edit[*pm.RealTimeSampleArrayMetricState](tx, "ecg")
			s.MetricValue.Samples = pm.Samples{pm.MustDecimal(map[string]string{"a": "1", "b": "2"}[v])}
			return err
		},
	} {
		commit(t, st, func(tx *Tx) error {
			if handle == "ecg" {
				return tx.SetSamples("ecg", pm.Samples{pm.MustDecimal("1")}, t0)
			}
			return tx.SetString(handle, "a", t0)
		})
		same, err := st.Update(func(tx *Tx) error { return fn(tx, "a") })
		require.NoError(t, err)
		require.Nil(t, same)
		c := commit(t, st, func(tx *Tx) error { return fn(tx, "b") })
		v, has := valueOf(c.States[0].After)
		require.True(t, has)
		require.Equal(t, clock.last(), v.DeterminationTime)
	}
}
