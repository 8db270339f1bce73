package pm_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/mdib/internal/codec"
	"github.com/semeco/go-sdc/mdib/pm"
)

const declarations = ` xmlns:pm="` + pm.Namespace + `" xmlns:ext="` + xmlscan.NsExt + `" xmlns:xsi="` + xmlscan.NsXSI + `"`

// decode reads one element: its start is given without the closing of the name, so that declarations fit in.
func decode[T any, P interface {
	*T
	DecodeElement(d *codec.Decoder) error
}](t testing.TB, attrsAndRest string) *T {
	t.Helper()
	s := xmlscan.NewScanner([]byte("<pm:X"+declarations+attrsAndRest), xmlscan.Limits{})
	require.NoError(t, s.Root())
	v := new(T)
	require.NoError(t, P(v).DecodeElement(codec.New(s)))
	require.NoError(t, s.End())
	return v
}

// Where an attribute is absent, the getter gives the value the schema implies; where it is there, that one.
func TestImpliedValues(t *testing.T) {
	// covers: BICEPS implied values, BICEPS R0135
	type (
		mds    = pm.MdsState
		signal = pm.AlertSignalState
	)
	check := func(name string, absent, implied, present, other any) {
		t.Helper()
		require.Equal(t, implied, absent, "%s absent", name)
		require.Equal(t, other, present, "%s present", name)
	}
	const state = ` DescriptorHandle="d"`
	a, b := decode[mds](t, state+`/>`), decode[mds](t, state+` StateVersion="3" DescriptorVersion="4" Lang="de" OperatingMode="Srv" ActivationState="Off"/>`)
	check("StateVersion", a.StateVersion, uint64(0), b.StateVersion, uint64(3))
	check("DescriptorVersion", a.DescriptorVersion, uint64(0), b.DescriptorVersion, uint64(4))
	check("Lang", a.LangOrDefault(), "en", b.LangOrDefault(), "de")
	check("OperatingMode", a.OperatingModeOrDefault(), pm.MdsOperatingModeNml, b.OperatingModeOrDefault(), pm.MdsOperatingModeSrv)
	check("component ActivationState", a.ActivationStateOrDefault(), pm.ComponentActivationOn, b.ActivationStateOrDefault(), pm.ComponentActivationOff)

	m1, m2 := decode[pm.NumericMetricState](t, state+`/>`), decode[pm.NumericMetricState](t, state+` ActivationState="Fail"/>`)
	check("metric ActivationState", m1.ActivationStateOrDefault(), pm.ComponentActivationOn, m2.ActivationStateOrDefault(), pm.ComponentActivationFail)

	s1, s2 := decode[signal](t, state+` ActivationState="On"/>`), decode[signal](t, state+` ActivationState="On" Presence="Ack" Location="Rem"/>`)
	check("signal Presence", s1.PresenceOrDefault(), pm.AlertSignalPresenceOff, s2.PresenceOrDefault(), pm.AlertSignalPresenceAck)
	check("signal Location", s1.LocationOrDefault(), pm.AlertSignalPrimaryLocationLoc, s2.LocationOrDefault(), pm.AlertSignalPrimaryLocationRem)

	c1, c2 := decode[pm.AlertConditionState](t, state+` ActivationState="On"/>`), decode[pm.AlertConditionState](t, state+` ActivationState="On" Presence="true"/>`)
	check("condition Presence", c1.Presence, false, c2.Presence, true)

	k1, k2 := decode[pm.ClockState](t, state+` RemoteSync="true"/>`), decode[pm.ClockState](t, state+` RemoteSync="true" CriticalUse="1"/>`)
	check("CriticalUse", k1.CriticalUse, false, k2.CriticalUse, true)

	x1, x2 := decode[pm.LocationContextState](t, state+` Handle="h"/>`), decode[pm.LocationContextState](t, state+` Handle="h" ContextAssociation="Assoc"/>`)
	check("ContextAssociation", x1.ContextAssociationOrDefault(), pm.ContextAssociationNo, x2.ContextAssociationOrDefault(), pm.ContextAssociationAssoc)

	const condition = ` Handle="h" Kind="Phy" Priority="Hi"`
	d1, d2 := decode[pm.LimitAlertConditionDescriptor](t, condition+`><pm:MaxLimits/></pm:X>`),
		decode[pm.LimitAlertConditionDescriptor](t, condition+` DescriptorVersion="2" SafetyClassification="MedC" DefaultConditionGenerationDelay="PT5S" AutoLimitSupported="true"><pm:MaxLimits/></pm:X>`)
	check("DescriptorVersion", d1.DescriptorVersion, uint64(0), d2.DescriptorVersion, uint64(2))
	check("SafetyClassification", d1.SafetyClassificationOrDefault(), pm.SafetyClassificationInf, d2.SafetyClassificationOrDefault(), pm.SafetyClassificationMedC)
	check("DefaultConditionGenerationDelay", d1.DefaultConditionGenerationDelayOrDefault().String(), "PT0S", d2.DefaultConditionGenerationDelayOrDefault().String(), "PT5S")
	check("AutoLimitSupported", d1.AutoLimitSupported, false, d2.AutoLimitSupported, true)

	const sig = ` Handle="h" Manifestation="Aud" Latching="false"`
	g1, g2 := decode[pm.AlertSignalDescriptor](t, sig+`/>`), decode[pm.AlertSignalDescriptor](t, sig+` DefaultSignalGenerationDelay="PT1S" SignalDelegationSupported="true" AcknowledgementSupported="true"/>`)
	check("DefaultSignalGenerationDelay", g1.DefaultSignalGenerationDelayOrDefault().String(), "PT0S", g2.DefaultSignalGenerationDelayOrDefault().String(), "PT1S")
	check("SignalDelegationSupported", g1.SignalDelegationSupported, false, g2.SignalDelegationSupported, true)
	check("AcknowledgementSupported", g1.AcknowledgementSupported, false, g2.AcknowledgementSupported, true)
	_, limited := g1.AcknowledgeTimeout.Get()
	require.False(t, limited, "no timeout is implied")

	o1, o2 := decode[pm.SetValueOperationDescriptor](t, ` Handle="h" OperationTarget="t"/>`), decode[pm.SetValueOperationDescriptor](t, ` Handle="h" OperationTarget="t" Retriggerable="false" AccessLevel="SP"/>`)
	check("Retriggerable", o1.RetriggerableOrDefault(), true, o2.RetriggerableOrDefault(), false)
	check("AccessLevel", o1.AccessLevelOrDefault(), pm.AccessLevelUsr, o2.AccessLevelOrDefault(), pm.AccessLevelSP)

	q1, q2 := decode[pm.MetricQuality](t, ` Validity="Vld"/>`), decode[pm.MetricQuality](t, ` Validity="Vld" Mode="Demo" Qi="0.5"/>`)
	check("Mode", q1.ModeOrDefault(), pm.GenerationModeReal, q2.ModeOrDefault(), pm.GenerationModeDemo)
	check("Qi", q1.QiOrDefault().String(), "1", q2.QiOrDefault().String(), "0.5")

	v1, v2 := decode[pm.CodedValue](t, ` Code="1"><pm:Translation Code="2"/></pm:X>`), decode[pm.CodedValue](t, ` Code="1" CodingSystem=" urn:a "><pm:Translation Code="2" CodingSystem="urn:b"/></pm:X>`)
	check("CodingSystem", v1.CodingSystemOrDefault(), "urn:oid:1.2.840.10004.1.1.1.0.0.1", v2.CodingSystemOrDefault(), "urn:a")
	check("Translation", v1.Translation[0].CodingSystemOrDefault(), pm.DefaultCodingSystem, v2.Translation[0].CodingSystemOrDefault(), "urn:b")

	i1, i2 := decode[pm.InstanceIdentifier](t, ` Extension="x"/>`), decode[pm.InstanceIdentifier](t, ` Root="r" Extension="x"/>`)
	check("Root", i1.RootOrDefault(), "biceps.uri.unk", i2.RootOrDefault(), "r")

	l1, l2 := decode[pm.CalibrationInfo](t, `/>`), decode[pm.CalibrationInfo](t, ` Type="Gain"/>`)
	check("calibration Type", l1.TypeOrDefault(), pm.CalibrationTypeUnspec, l2.TypeOrDefault(), pm.CalibrationTypeGain)

	n1, n2 := decode[pm.ClinicalInfo](t, `/>`), decode[pm.ClinicalInfo](t, `><pm:Criticality>Hi</pm:Criticality></pm:X>`)
	check("Criticality", n1.CriticalityOrDefault(), pm.CriticalityLo, n2.CriticalityOrDefault(), pm.CriticalityHi)

	for category, want := range map[pm.MetricCategory]pm.DerivationMethod{
		pm.MetricCategorySet: pm.DerivationMethodMan, pm.MetricCategoryPreset: pm.DerivationMethodMan, pm.MetricCategoryClc: pm.DerivationMethodAuto,
		pm.MetricCategoryMsrmt: pm.DerivationMethodAuto, pm.MetricCategoryRcmm: pm.DerivationMethodAuto, pm.MetricCategoryUnspec: "",
	} {
		d := decode[pm.StringMetricDescriptor](t, ` Handle="h" MetricAvailability="Intr" MetricCategory="`+string(category)+`"><pm:Unit Code="1"/></pm:X>`)
		require.Equal(t, want, d.DerivationMethodOrDefault(), category)
		d.DerivationMethod = pm.DerivationMethodMan
		require.Equal(t, pm.DerivationMethodMan, d.DerivationMethodOrDefault())
	}
	w1, w2 := decode[pm.Mdib](t, ` SequenceId="s"><pm:MdDescription/><pm:MdState/></pm:X>`), decode[pm.Mdib](t, ` SequenceId="s" MdibVersion="1"><pm:MdDescription DescriptionVersion="2"/><pm:MdState StateVersion="3"/></pm:X>`)
	check("MdibVersion", w1.MdibVersion, uint64(0), w2.MdibVersion, uint64(1))
	check("DescriptionVersion", w1.MdDescription.DescriptionVersion, uint64(0), w2.MdDescription.DescriptionVersion, uint64(2))
	check("MdState StateVersion", w1.MdState.StateVersion, uint64(0), w2.MdState.StateVersion, uint64(3))
	require.False(t, w1.InstanceId.IsSet(), "no instance id is implied")
}

// What is not there is not written: implied values are not made explicit on the way through.
func TestImpliedValuesAreNotWritten(t *testing.T) {
	s := decode[pm.AlertConditionState](t, ` DescriptorHandle="d" ActivationState="On"/>`)
	require.Equal(t, `<pm:X DescriptorHandle="d" ActivationState="On"/>`, string(s.AppendElement(nil, "pm:X", "")))
	s.Presence, s.StateVersion = true, 7
	require.Equal(t, `<pm:X xsi:type="pm:AlertConditionState" StateVersion="7" DescriptorHandle="d" ActivationState="On" Presence="true"/>`,
		string(s.AppendElement(nil, "pm:X", s.XSIType())))
}
