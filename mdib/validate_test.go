package mdib

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib/pm"
)

// spoil makes an MDIB out of the fixture's first MDS.
func spoil(t *testing.T, description func(*pm.MdsDescriptor), states ...pm.State) *Snapshot {
	t.Helper()
	d := mds("")
	if description != nil {
		description(d)
	}
	s, err := FromMdib(&pm.Mdib{MdDescription: &pm.MdDescription{Mds: []*pm.MdsDescriptor{d}}, MdState: &pm.MdState{State: states}})
	require.NoError(t, err)
	return s
}

func of[S any, P interface {
	*S
	pm.State
}](descriptor string, fill func(P)) pm.State {
	s := P(new(S))
	s.BaseState().DescriptorHandle = descriptor
	if c, ok := any(s).(pm.AlertState); ok {
		c.BaseAlert().ActivationState = pm.AlertActivationOn
	}
	if l, ok := any(s).(*pm.LimitAlertConditionState); ok {
		l.MonitoredAlertLimits = pm.AlertConditionMonitoredLimitsAll
	}
	fill(s)
	return s
}

func TestValidate(t *testing.T) {
	// covers: GLUE R0080, BICEPS B-6_0, BICEPS B-284_0, BICEPS B-402_0, GLUE R0010_0, BICEPS R5006, BICEPS ranges, BICEPS samples, GLUE R0011, BICEPS validity: no value
	// covers: BICEPS R0029_0, BICEPS R0116, BICEPS B-128, BICEPS alert lists, BICEPS R0025_0, BICEPS R0124, BICEPS R0133, GLUE R0013, GLUE R0072, BICEPS R5048, BICEPS R5050
	require.Empty(t, Validate(fixture(t)))
	decimal := func(s string) pm.Opt[pm.Decimal] { return pm.Some(pm.MustDecimal(s)) }
	jurisdiction := &pm.OperatingJurisdiction{}
	assoc := func(handle string) pm.State {
		return of("pat", func(s *pm.PatientContextState) { s.Handle, s.ContextAssociation = handle, pm.ContextAssociationAssoc })
	}
	place := func(handle string) pm.State {
		return of("loc", func(s *pm.LocationContextState) { s.Handle, s.ContextAssociation = handle, pm.ContextAssociationAssoc })
	}
	signalOf := func(a pm.AlertActivation) pm.State {
		return of("sig", func(s *pm.AlertSignalState) { s.ActivationState = a })
	}
	summary := func(a pm.AlertActivation) pm.State {
		return of("alerts", func(s *pm.AlertSystemState) {
			s.SystemSignalActivation = []pm.SystemSignalActivation{{Manifestation: pm.AlertSignalManifestationVis, State: a}}
		})
	}
	valued := func(value string, q pm.MeasurementValidity, time pm.Opt[pm.Timestamp]) pm.State {
		return of("hr", func(s *pm.NumericMetricState) {
			s.MetricValue = &pm.NumericMetricValue{Value: decimal(value)}
			s.MetricValue.MetricQuality.Validity, s.MetricValue.DeterminationTime = q, time
		})
	}
	timed := pm.Some(pm.TimestampOf(t0))
	samples := func(s *pm.RealTimeSampleArrayMetricState) {
		s.MetricValue = &pm.SampleArrayValue{Samples: pm.Samples{pm.MustDecimal("1"), pm.MustDecimal("300")}}
		s.MetricValue.MetricQuality.Validity, s.MetricValue.DeterminationTime = pm.MeasurementValidityVld, timed
	}
	present := func(s *pm.AlertConditionState) { s.Presence, s.DeterminationTime = true, timed }
	for name, tc := range map[string]struct {
		s    *Snapshot
		want []Finding // without the message
	}{
		"no types": {spoil(t, func(d *pm.MdsDescriptor) {
			d.Type, d.Vmd[0].Type, d.Vmd[0].Channel[0].Metric[0].Base().Type, d.Sco.Operation[0].Base().Type, d.AlertSystem.AlertCondition[0].Base().Type = nil, nil, nil, nil, nil
			d.Clock.Type, d.AlertSystem.AlertSignal[0].Type = nil, nil // these need none
		}), []Finding{{ID: "GLUE R0080", Handle: "mds"}, {ID: "GLUE R0080", Handle: "tec"}, {ID: "GLUE R0080", Handle: "set"}, {ID: "GLUE R0080", Handle: "vmd"}, {ID: "GLUE R0080", Handle: "hr"}}},
		"no clock": {spoil(t, func(d *pm.MdsDescriptor) { d.Clock = nil }), []Finding{{ID: "GLUE R0010_0", Handle: "mds"}}},
		"target not below the owner": {spoil(t, func(d *pm.MdsDescriptor) {
			d.Vmd[1].Sco, d.Sco = d.Sco, nil
		}), []Finding{{ID: "BICEPS B-6_0", Handle: "set"}, {ID: "BICEPS B-6_0", Handle: "act"}}},
		"target of nobody": {spoil(t, func(d *pm.MdsDescriptor) {
			d.Sco.Operation[0].(*pm.SetValueOperationDescriptor).OperationTarget = "nobody"
		}), []Finding{{ID: "BICEPS B-6_0", Handle: "set"}}},
		"jurisdictions": {spoil(t, func(d *pm.MdsDescriptor) { d.ApprovedJurisdictions = &pm.ApprovedJurisdictions{} },
			of("mds", func(s *pm.MdsState) { s.OperatingJurisdiction = jurisdiction }), of("vmd", func(s *pm.VmdState) { s.OperatingJurisdiction = jurisdiction })),
			[]Finding{{ID: "BICEPS B-284_0", Handle: "mds"}, {ID: "BICEPS B-402_0", Handle: "vmd"}}},
		"approved": {spoil(t, func(d *pm.MdsDescriptor) {
			d.ApprovedJurisdictions = &pm.ApprovedJurisdictions{ApprovedJurisdiction: []pm.InstanceIdentifier{{Root: "x"}}}
		}, of("mds", func(s *pm.MdsState) { s.OperatingJurisdiction = jurisdiction })), nil},
		"no determination time": {spoil(t, nil, valued("70", pm.MeasurementValidityVld, pm.Opt[pm.Timestamp]{})), []Finding{{ID: "GLUE R0011", Handle: "hr"}}},
		"value while ongoing":   {spoil(t, nil, valued("70", pm.MeasurementValidityOng, timed)), []Finding{{ID: "BICEPS validity: no value", Handle: "hr"}}},
		"out of range": {spoil(t, func(d *pm.MdsDescriptor) {
			d.Vmd[0].Channel[0].Metric[0].(*pm.NumericMetricDescriptor).TechnicalRange = []pm.Range{{Upper: decimal("20")}, {Lower: decimal("30"), Upper: decimal("60")}}
			d.Vmd[0].Channel[1].Metric[0].(*pm.RealTimeSampleArrayMetricDescriptor).TechnicalRange = []pm.Range{{Lower: decimal("0"), Upper: decimal("200")}}
		}, valued("25", pm.MeasurementValidityVld, timed), of("ecg", samples), of("mode", func(s *pm.EnumStringMetricState) {
			s.MetricValue = &pm.StringMetricValue{Value: pm.Some("z")}
			s.MetricValue.MetricQuality.Validity, s.MetricValue.DeterminationTime = pm.MeasurementValidityVld, timed
		})), []Finding{{ID: "BICEPS ranges", Handle: "hr", Severity: SeverityWarning}, {ID: "BICEPS ranges", Handle: "mode", Severity: SeverityWarning}, {ID: "BICEPS ranges", Handle: "ecg", Severity: SeverityWarning}}},
		"in range": {spoil(t, func(d *pm.MdsDescriptor) {
			d.Vmd[0].Channel[0].Metric[0].(*pm.NumericMetricDescriptor).TechnicalRange = []pm.Range{{Upper: decimal("20")}, {Lower: decimal("30")}}
		}, valued("30.0", pm.MeasurementValidityVld, timed)), nil},
		"annotation outside": {spoil(t, nil, of("ecg", func(s *pm.RealTimeSampleArrayMetricState) {
			samples(s)
			s.MetricValue.Annotation = []pm.Annotation{{}}
			s.MetricValue.ApplyAnnotation = []pm.ApplyAnnotation{{AnnotationIndex: 0, SampleIndex: 1}, {AnnotationIndex: 0, SampleIndex: 2}, {AnnotationIndex: 1, SampleIndex: 0}}
		})), []Finding{{ID: "BICEPS samples", Handle: "ecg"}, {ID: "BICEPS samples", Handle: "ecg"}}},
		"present though the system is off": {spoil(t, nil, of("tec", present), of("alerts", func(s *pm.AlertSystemState) {
			s.ActivationState, s.PresentTechnicalAlarmConditions = pm.AlertActivationOff, []string{"tec"}
		}), of("limit", func(s *pm.LimitAlertConditionState) { s.ActivationState = pm.AlertActivationOff }), signalOf(pm.AlertActivationOff)),
			[]Finding{{ID: "BICEPS R0116", Handle: "tec"}, {ID: "BICEPS R0029_0", Handle: "tec"}}},
		"present though off": {spoil(t, nil, of("tec", func(s *pm.AlertConditionState) {
			present(s)
			s.ActivationState = pm.AlertActivationPsd
		}), of("alerts", func(s *pm.AlertSystemState) { s.PresentTechnicalAlarmConditions = []string{"tec"} })), []Finding{{ID: "BICEPS R0029_0", Handle: "tec"}}},
		"paused system, signals not": {spoil(t, nil, of("alerts", func(s *pm.AlertSystemState) { s.ActivationState = pm.AlertActivationPsd }),
			of("tec", func(s *pm.AlertConditionState) { s.ActivationState = pm.AlertActivationPsd }),
			of("limit", func(s *pm.LimitAlertConditionState) { s.ActivationState = pm.AlertActivationPsd })), []Finding{{ID: "BICEPS R0116", Handle: "sig"}}},
		"lists": {spoil(t, nil, of("tec", present), of("alerts", func(s *pm.AlertSystemState) { s.PresentPhysiologicalAlarmConditions = []string{"tec"} })),
			[]Finding{{ID: "BICEPS alert lists", Handle: "alerts"}, {ID: "BICEPS alert lists", Handle: "alerts"}}},
		"no time of presence": {spoil(t, nil, of("tec", func(s *pm.AlertConditionState) { s.Presence = true }), of("alerts", func(s *pm.AlertSystemState) { s.PresentTechnicalAlarmConditions = []string{"tec"} })),
			[]Finding{{ID: "GLUE R0012_0_0", Handle: "tec", Severity: SeverityWarning}}},
		"summary says on, signal is off":    {spoil(t, nil, summary(pm.AlertActivationOn), signalOf(pm.AlertActivationOff)), []Finding{{ID: "BICEPS B-128", Handle: "alerts"}}},
		"summary says off, signal is on":    {spoil(t, nil, summary(pm.AlertActivationOff), signalOf(pm.AlertActivationOn)), []Finding{{ID: "BICEPS B-128", Handle: "alerts"}}},
		"summary says on, signal is paused": {spoil(t, nil, summary(pm.AlertActivationOn), signalOf(pm.AlertActivationPsd)), []Finding{{ID: "BICEPS B-128", Handle: "alerts"}}},
		"summary fits":                      {spoil(t, nil, summary(pm.AlertActivationPsd), signalOf(pm.AlertActivationPsd)), nil},
		"limits": {spoil(t, nil, of("limit", func(s *pm.LimitAlertConditionState) { s.Limits.Lower, s.Limits.Upper = decimal("40"), decimal("221") })),
			[]Finding{{ID: "BICEPS ranges", Handle: "limit", Severity: SeverityWarning}}},
		"references": {spoil(t, func(d *pm.MdsDescriptor) {
			d.AlertSystem.AlertCondition[0].(*pm.AlertConditionDescriptor).Source = []string{"nobody"}
			d.AlertSystem.AlertSignal[0].ConditionSignaled = "hr"
			d.Vmd[0].Channel[0].Metric[0].(*pm.NumericMetricDescriptor).Relation = []pm.Relation{{Kind: pm.RelationKindOth, Entries: []string{"spo2", "nobody"}}}
		}), []Finding{{ID: "BICEPS references", Handle: "tec", Severity: SeverityWarning}, {ID: "BICEPS references", Handle: "sig", Severity: SeverityWarning}, {ID: "BICEPS references", Handle: "hr", Severity: SeverityWarning}}},
		"what the schema does not know": {spoil(t, func(d *pm.MdsDescriptor) { d.AlertSystem.AlertSignal[0].Manifestation = "Smell" },
			of("hr", func(s *pm.NumericMetricState) { s.ActivationState = "Running" }),
			of("pat", func(s *pm.PatientContextState) { s.Handle, s.CoreData = "p", &pm.PatientDemographicsCoreData{Sex: "?"} })),
			[]Finding{{ID: "BICEPS schema", Handle: "sig"}, {ID: "BICEPS schema", Handle: "p"}, {ID: "BICEPS schema", Handle: "hr"}}},
		"two patients": {spoil(t, nil, assoc("p1"), assoc("p2"), place("l1"), place("l2")), []Finding{{ID: "BICEPS R0124", Handle: "pat"}, {ID: "BICEPS R0133", Handle: "loc"}}},
		"binding without time": {spoil(t, nil, of("pat", func(s *pm.PatientContextState) {
			s.Handle, s.BindingMdibVersion, s.UnbindingMdibVersion = "p", pm.Some(uint64(1)), pm.Some(uint64(2))
		})), []Finding{{ID: "GLUE R0013", Handle: "p"}, {ID: "GLUE R0072", Handle: "p"}}},
		"below a component that is off": {spoil(t, nil, of("vmd", func(s *pm.VmdState) { s.ActivationState = pm.ComponentActivationOff }),
			of("chan", func(s *pm.ChannelState) { s.ActivationState = pm.ComponentActivationOff }),
			of("hr", func(s *pm.NumericMetricState) { s.ActivationState = pm.ComponentActivationOff })),
			[]Finding{{ID: "BICEPS R0025_0", Handle: "spo2"}, {ID: "BICEPS R0025_0", Handle: "limitset"}, {ID: "BICEPS R0025_0", Handle: "text"}, {ID: "BICEPS R0025_0", Handle: "mode"}, {ID: "BICEPS R0025_0", Handle: "waves"}, {ID: "BICEPS R0025_0", Handle: "ecg"}, {ID: "BICEPS R0025_0", Handle: "pleth"}, {ID: "BICEPS R0025_0", Handle: "set", Severity: SeverityWarning}}},
		"texts": {spoil(t, func(d *pm.MdsDescriptor) {
			d.Type.ConceptDescription = []pm.LocalizedText{
				{Ref: "a", Version: pm.Some(uint64(1)), Text: "one", Lang: "en"}, {Ref: "a", Version: pm.Some(uint64(1)), Text: "eins", Lang: "de"}, {Text: "good", Lang: "en"},
				{Ref: "a", Version: pm.Some(uint64(1)), Text: "two", Lang: "en"}, {Ref: "b"}, {}, {Text: "in what language?"},
			}
		}), []Finding{{ID: "BICEPS R5007", Handle: "mds"}, {ID: "BICEPS R5006", Handle: "mds"}, {ID: "BICEPS R5048", Handle: "mds", Severity: SeverityWarning}, {ID: "BICEPS R5050", Handle: "mds", Severity: SeverityInfo}}},
		"versions": {spoil(t, nil, of("hr", func(s *pm.NumericMetricState) { s.DescriptorVersion = 5 })), []Finding{{ID: "BICEPS R5051", Handle: "hr"}}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []Finding
			for _, f := range Validate(tc.s) {
				require.NotEmpty(t, f.Message)
				f.Message = ""
				got = append(got, f)
			}
			for i := range tc.want {
				if w := &tc.want[i]; w.Severity == SeverityInfo && w.ID != "BICEPS R5050" {
					w.Severity = SeverityError // what is not said otherwise
				}
			}
			require.Equal(t, tc.want, got)
		})
	}
	off := spoil(t, nil, of("mds", func(s *pm.MdsState) { s.ActivationState = pm.ComponentActivationOff }))
	ids := map[string]string{}
	for _, f := range Validate(off) {
		ids[f.Handle] = f.ID
	}
	require.Equal(t, "BICEPS R0025_0", ids["set"], "operations must not be available")
	require.Equal(t, "BICEPS R0025_0", ids["alerts"])
	require.Equal(t, "error: hr: bad (X)", Finding{"X", "hr", SeverityError, "bad"}.String())
	require.Equal(t, "warning: bad (X)", Finding{"X", "", SeverityWarning, "bad"}.String())
	require.Equal(t, []string{"info", "unknown"}, []string{SeverityInfo.String(), Severity(9).String()})
}
