package lint_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/testkit/reftest"
	"github.com/semeco/go-sdc/lint"
	"github.com/semeco/go-sdc/mdib"
)

func good(t *testing.T) string {
	t.Helper()
	doc, err := os.ReadFile("testdata/good.xml")
	require.NoError(t, err)
	return string(doc)
}

func TestNothingIsSaidOfAGoodMDIB(t *testing.T) {
	for _, profile := range []mdib.Profile{mdib.ProfileBase, mdib.ProfileSDPi} {
		require.Empty(t, lint.Document("good.xml", []byte(good(t)), profile).Findings, profile)
	}
	example, err := os.ReadFile("../examples/minimal-provider/mdib.xml")
	require.NoError(t, err)
	require.Zero(t, lint.Document("mdib.xml", example, mdib.ProfileBase).Count(mdib.SeverityWarning))
}

// Each case breaks the good MDIB in one place.
func TestEachRuleFindsItsFault(t *testing.T) {
	// covers: GLUE R0010_0, GLUE R0011, GLUE R0080, BICEPS R0007_0, BICEPS R0105_0, BICEPS R0023, BICEPS B-6_0
	// covers: BICEPS R0025_0, BICEPS R5001, BICEPS samples, BICEPS ranges, BICEPS R5011, BICEPS alert lists
	// covers: SDPi R0007, SDPi R0008, SDPi R0015, SDPi R0017, SDPi R0018, SDPi R0600, SDPi R0613, SDPi R0614
	// covers: SDPi R0703, SDPi R0704, SDPi R0705, SDPi R0706, SDPi R0707, SDPi R0708, SDPi R1531, SDPi R8119
	// covers: 10701 TR0242, 10701 TR0800, SDPi R0612
	const (
		fault  = mdib.SeverityError
		advice = mdib.SeverityWarning
		remark = mdib.SeverityInfo
	)
	for _, c := range []struct {
		name     string
		old, new string // in the document; several separated by |
		id       string
		handle   string
		severity mdib.Severity
	}{
		{"not XML", "</pm:MdState>", "</pm:MdStat>", "XML", "", fault},
		{"attribute of no schema", `Handle="vmd"`, `Handle="vmd" Colour="red"`, "SDPi R0013", "", fault},
		{"handle twice", `Handle="clock2"`, `Handle="clock"`, "BICEPS R0007_0", "clock", fault},
		{"handle with blank", `"wave"`, `"wa ve"`, "BICEPS R0105_0", "wa ve", fault},
		{"state of another type", `pm:VmdState`, `pm:ChannelState`, "BICEPS R0023", "vmd", fault},
		{"state missing", `<pm:State xsi:type="pm:VmdState" DescriptorHandle="vmd"/>`, ``, "BICEPS R0023", "vmd", advice},
		{"no clock", `<pm:Clock Handle="clock2"/>|<pm:State xsi:type="pm:ClockState" DescriptorHandle="clock2" RemoteSync="true" Accuracy="0.05"/>`, `|`, "GLUE R0010_0", "child", fault},
		{"no type", `<pm:Type Code="196670"/>`, ``, "GLUE R0080", "hot", fault},
		{"target elsewhere", `OperationTarget="vmd"`, `OperationTarget="child"`, "BICEPS B-6_0", "vmd.set", fault},
		{"no determination time", `Value="37.2" DeterminationTime="1700000000000"`, `Value="37.2"`, "GLUE R0011", "temperature", fault},
		{"seconds", `Value="37.2" DeterminationTime="1700000000000"`, `Value="37.2" DeterminationTime="1700000000"`, "BICEPS R5001", "temperature", advice},
		{"no sample period", `SamplePeriod="PT0.01S"`, `SamplePeriod="PT0S"`, "BICEPS samples", "wave", fault},
		{"range upside down", `Lower="-5" Upper="5"`, `Lower="5" Upper="-5"`, "BICEPS ranges", "wave", fault},
		{"value outside", `Value="37.2"`, `Value="57.2"`, "BICEPS ranges", "temperature", advice},
		{"modifiable data unknown", `@ActivationState<`, `@Activation<`, "BICEPS R5011", "vmd.set", advice},
		{"modifiable data unknown below", `pm:PhysicalConnector/pm:Label<`, `pm:PhysicalConnector/pm:Lable<`, "BICEPS R5011", "vmd.set", advice},
		{"modifiable data of no metric below", `"pm:SetComponentStateOperationDescriptor" Handle="vmd.set" OperationTarget="vmd"|"pm:SetComponentStateOperationState"|@ActivationState<`, `"pm:SetMetricStateOperationDescriptor" Handle="vmd.set" OperationTarget="channel"|"pm:SetMetricStateOperationState"|@OperatingHours<`, "BICEPS R5011", "vmd.set", advice},
		{"no self check", ` LastSelfCheck="1700000000000" SelfCheckCount="3"`, ``, "BICEPS self-check", "alerts", advice},
		{"self check at once", `SelfCheckPeriod="PT5S"`, `SelfCheckPeriod="PT0S"`, "BICEPS self-check", "alerts", fault},
		{"acknowledged", `AcknowledgementSupported="true" |Presence="Off"`, `|Presence="Ack"`, "BICEPS ack", "hot.lamp", fault},
		{"latched", `Latching="true"|Presence="Off"`, `Latching="false"|Presence="Latch"`, "BICEPS ack", "hot.lamp", fault},
		{"signal without condition", `Presence="Off"`, `Presence="On"`, "BICEPS ack", "hot.lamp", advice},
		{"delegated", ` SignalDelegationSupported="true"|Presence="Off"`, `|Location="Rem"`, "BICEPS delegation", "hot.lamp", advice},
		{"present but unlisted", `DescriptorHandle="hot" ActivationState="On"`, `DescriptorHandle="hot" ActivationState="On" Presence="true" DeterminationTime="1700000000000"`, "BICEPS alert lists", "alerts", fault},
		{"present though off", `DescriptorHandle="hot" ActivationState="On"`, `DescriptorHandle="hot" ActivationState="Off" Presence="true" DeterminationTime="1700000000000"`, "BICEPS R0029_0", "hot", fault},
		{"system off, signal on", `DescriptorHandle="alerts" ActivationState="On"`, `DescriptorHandle="alerts" ActivationState="Off"`, "BICEPS R0116", "hot", fault},
		{"vmd off, channel on", `DescriptorHandle="vmd"/>`, `DescriptorHandle="vmd" ActivationState="Off"/>`, "BICEPS R0025_0", "channel", fault},
		{"no binding version", ` BindingMdibVersion="4"`, ``, "BICEPS binding versions", "operator.1", advice},
		{"unbound before bound", `UnbindingMdibVersion="3"`, `UnbindingMdibVersion="1"`, "BICEPS binding versions", "location.1", fault},
		{"bound in the future", `BindingMdibVersion="4"`, `BindingMdibVersion="44"`, "BICEPS binding versions", "operator.1", advice},
		{"associated again", `ContextAssociation="Dis"`, `ContextAssociation="Assoc"`, "BICEPS association life cycle", "location.1", advice},
		{"no validator", `<pm:Validator Root="urn:oid:1.2.3" Extension="nurse"/>`, ``, "Valid patient context", "patient.1", remark},
		{"no binding time", `BindingMdibVersion="4" BindingStartTime="1700000000000"`, `BindingMdibVersion="4"`, "Workflow/operator contexts", "operator.1", advice},
		{"binding time", `BindingMdibVersion="4" BindingStartTime="1700000000000"`, `BindingMdibVersion="4"`, "GLUE R0013", "operator.1", fault},
		{"identifier of nothing", ` Root="urn:oid:1.2.3" Extension="nurse"`, ``, "BICEPS R0135", "patient.1", advice},
		{"set in the future", `DateAndTime="1700000002000"`, `DateAndTime="1690000002000"`, "GLUE R0014", "clock", advice},
		{"private code", `<pm:Translation Code="67108888" CodingSystem="urn:oid:1.2.3"/>`, ``, "SDPi R8119", "vmd.set", fault},
		{"two translations", `CodingSystem="urn:oid:1.2.3"/>`, `CodingSystem="urn:oid:1.2.3"/><pm:Translation Code="67108888" CodingSystem="urn:oid:1.2.4"/>`, "SDPi R8119", "vmd.set", fault},
		{"no equipment identifier", `<sdpi:EquipmentIdentifier>urn:uuid:0b9f7a52-53e7-4c8f-8a3c-74b5c1b7a002</sdpi:EquipmentIdentifier>`, ``, "SDPi R0017", "child", fault},
		{"no equipment identifier of a VMD", `<sdpi:EquipmentIdentifier>urn:oid:1.2.840.1.7</sdpi:EquipmentIdentifier>`, ``, "SDPi R0018", "vmd", remark},
		{"equipment identifier twice", `74b5c1b7a002`, `74b5c1b7a001`, "SDPi R0014", "child", fault},
		{"equipment identifier of the web", `urn:oid:1.2.840.1.7`, `http://example.org/1`, "SDPi R0015", "vmd", fault},
		{"equipment identifier no oid", `urn:oid:1.2.840.1.7`, `urn:oid:1.2..7`, "SDPi R0015", "vmd", fault},
		{"no production data", `<pm:MetaData><pm:ModelNumber>2</pm:ModelNumber></pm:MetaData>`, ``, "SDPi R0008", "child", remark},
		{"coded attribute", `Code="67886"`, `Code="68610"`, "SDPi R0007", "mds", fault},
		{"no gender", `<ext:Extension><sdpi:Gender>Female</sdpi:Gender></ext:Extension>`, ``, "SDPi R0012", "patient.1", remark},
		{"gender of no kind", `>Female<`, `>female<`, "EXT-ns", "patient.1", fault},
		{"extension misplaced", `<sdpi:EpochSupport Version="1"/>`, `<sdpi:EpochSupport Version="1"/><sdpi:Gender>Male</sdpi:Gender>`, "EXT-ns", "clock", advice},
		{"extension unknown", `<sdpi:EpochSupport Version="1"/>`, `<sdpi:EpochSupport Version="1"/><sdpi:Epoch/>`, "EXT-ns", "clock", advice},
		{"must understand", `<sdpi:EpochSupport Version="1"/>`, `<sdpi:EpochSupport Version="1"/><x:y xmlns:x="urn:x" ext:MustUnderstand="true"/>`, "EXT-ns", "", advice},
		{"no accuracy", `DescriptorHandle="clock2" RemoteSync="true" Accuracy="0.05"`, `DescriptorHandle="clock2" RemoteSync="true"`, "SDPi R1531", "clock2", fault},
		{"duration in days", `LifeTimePeriod="PT10S"`, `LifeTimePeriod="P1D"`, "SDPi R1018", "temperature", fault},
		{"epochs without support", `<sdpi:EpochSupport Version="1"/>`, ``, "SDPi R0600", "clock", fault},
		{"epochs of another version", `<sdpi:EpochSupport Version="1"/>`, `<sdpi:EpochSupport Version="2"/>`, "SDPi R0600", "clock", fault},
		{"epoch not listed", `<sdpi:Epoch Version="0" Timestamp="1699999999000" Offset="-PT1S"/>`, ``, "SDPi R0610", "clock", fault},
		{"epoch to come", `DeterminationTime="0"`, `DeterminationTime="7"`, "SDPi R0610", "clock", fault},
		{"epoch of no clock", `<sdpi:MetricEpoch `, `<sdpi:MetricEpoch Clock="vmd" `, "SDPi R0612", "temperature", fault},
		{"child does not know", `Kind="DCE" Entries="mds"`, `Kind="Oth" Entries="mds"`, "SDPi R0614", "child", advice},
		{"parent does not know", `Kind="ECE" Entries="child"`, `Kind="Oth" Entries="child"`, "SDPi R0613", "mds", advice},
		{"member without relation", `<pm:Relation Kind="SST" Entries="systolic"><pm:Code Code="150020"/></pm:Relation>`, ``, "SDPi R0703", "diastolic", fault},
		{"compound without code", `Entries="systolic"><pm:Code Code="150020"/></pm:Relation>`, `Entries="systolic"/>`, "SDPi R0705", "diastolic", fault},
		{"member forgotten", `Entries="systolic"`, `Entries="systolic temperature"`, "SDPi R0706", "systolic", fault},
		{"start times", `Value="80" StartTime="1700000000000"`, `Value="80" StartTime="1700000000001"`, "SDPi R0707", "systolic", fault},
		{"determination times", ` StartTime="1700000000000" StopTime="1700000010000"| StartTime="1700000000000" StopTime="1700000010000"`, `|`, "SDPi R0708", "systolic", fault},
		{"no precision", `Resolution="0.1" SamplePeriod|Lower="-5" Upper="5" StepWidth="0.1"`, `Resolution="0" SamplePeriod|Lower="-5" Upper="5"`, "10701 TR0242", "wave", advice},
		{"precision by resolution", `Lower="-5" Upper="5" StepWidth="0.1"`, `Lower="-5" Upper="5"`, "10701 TR0242", "wave", remark},
		{"precision of one range", `Lower="150" Upper="300" StepWidth="1"`, `Lower="150" Upper="300"`, "10701 TR0800", "diastolic", advice},
		{"display precision", `<pm:TechnicalRange Lower="-5" Upper="5" StepWidth="0.1"/>`, `<pm:TechnicalRange Lower="-5" Upper="5" StepWidth="0.1"><ext:Extension><mpkp:DisplayPrecision xmlns:mpkp="urn:oid:1.3.111.2.11073.10701.3.1.1" StepWidth="0"/></ext:Extension></pm:TechnicalRange>`, "EXT-mpkp", "wave", fault},
	} {
		t.Run(c.name, func(t *testing.T) {
			doc := good(t)
			news := strings.Split(c.new, "|")
			for i, old := range strings.Split(c.old, "|") {
				require.Contains(t, doc, old)
				doc = strings.Replace(doc, old, news[i], max(1, strings.Count(old, `"wave"`)*2))
			}
			r := lint.Document("bad.xml", []byte(doc), mdib.ProfileSDPi)
			i := slices.IndexFunc(r.Findings, func(f lint.Finding) bool { return f.ID == c.id && f.Handle == c.handle && f.Severity == c.severity })
			require.GreaterOrEqual(t, i, 0, "%v", r.Findings)
			f := r.Findings[i]
			require.NotEmpty(t, f.Message)
			if c.handle != "" && strings.Contains(doc, `Handle="`+c.handle+`"`) {
				require.Positive(t, f.Line)
				require.Contains(t, strings.Split(doc, "\n")[f.Line-1][f.Column-1:], `Handle="`+c.handle+`"`)
			}
			require.True(t, slices.ContainsFunc(lint.Rules(), func(r lint.Rule) bool { return r.ID == c.id }), "the rule is listed")
		})
	}
}

// Operations on many metrics name their channel as target; what they set are the metrics' states.
func TestModifiableDataOfAChannelsMetrics(t *testing.T) {
	// covers: BICEPS R5011
	doc := strings.ReplaceAll(good(t), `SetComponentStateOperation`, `SetMetricStateOperation`)
	doc = strings.ReplaceAll(doc, `OperationTarget="vmd"`, `OperationTarget="channel"`)
	doc = strings.ReplaceAll(doc, `pm:PhysicalConnector/pm:Label<`, `pm:MetricValue/@Value<`)
	require.Empty(t, lint.Document("x", []byte(doc), mdib.ProfileSDPi).Findings)
}

func TestProfileBaseKnowsNoSDPi(t *testing.T) {
	doc := strings.ReplaceAll(good(t), `<sdpi:EquipmentIdentifier>urn:oid:1.2.840.1.7</sdpi:EquipmentIdentifier>`, ``)
	doc = strings.ReplaceAll(doc, ` Accuracy="0.05"`, ``)
	require.Empty(t, lint.Document("x", []byte(doc), mdib.ProfileBase).Findings)
	require.Positive(t, lint.Document("x", []byte(doc), mdib.ProfileSDPi).Count(mdib.SeverityError))
	_, err := mdib.ParseProfile("sdpi-3")
	require.ErrorContains(t, err, "sdpi-3")
}

func TestRefusedDocumentsTellWhere(t *testing.T) {
	doc := strings.Replace(good(t), `Handle="channel"`, `Handle="channel" Handle="x"`, 1)
	r := lint.Document("x", []byte(doc), mdib.ProfileBase)
	require.Len(t, r.Findings, 1)
	require.Equal(t, 1+strings.Count(doc[:strings.Index(doc, `Handle="channel"`)], "\n"), r.Findings[0].Line)
	require.Positive(t, r.Findings[0].Column)

	r = lint.Document("x", []byte(`<msg:GetMdib xmlns:msg="http://standards.ieee.org/downloads/11073/11073-10207-2017/message"/>`), mdib.ProfileBase)
	require.Equal(t, 1, r.Count(mdib.SeverityError))
	require.Contains(t, r.Findings[0].Message, "GetMdib")

	// All broken rules are told, not only the first.
	doc = strings.Replace(good(t), `"wave"`, `"wa ve"`, 2)
	doc = strings.Replace(doc, `Handle="clock2"`, `Handle="clock"`, 1)
	require.GreaterOrEqual(t, lint.Document("x", []byte(doc), mdib.ProfileBase).Count(mdib.SeverityError), 2)
	require.False(t, (&lint.Report{}).Refused(os.ErrNotExist), "other errors are not about the MDIB")
}

func TestKnownFaultOfASample(t *testing.T) {
	// covers: GLUE R0010_0
	for _, path := range reftest.Samples(t, "mdibs/sdc11073-70041_MDIB_multi.xml") {
		doc, err := os.ReadFile(path)
		require.NoError(t, err)
		r := lint.Document(path, doc, mdib.ProfileBase)
		require.True(t, slices.ContainsFunc(r.Findings, func(f lint.Finding) bool {
			return f.ID == "GLUE R0010_0" && f.Severity == mdib.SeverityError
		}), "%v", r.Findings)
	}
}
