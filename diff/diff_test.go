package diff_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/diff"
	"github.com/semeco/go-sdc/internal/testkit/reftest"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
)

func document(t *testing.T) string {
	t.Helper()
	doc, err := os.ReadFile("../lint/testdata/good.xml")
	require.NoError(t, err)
	return string(doc)
}

func read(t *testing.T, doc string) *mdib.Snapshot {
	t.Helper()
	s, err := mdib.Read(strings.NewReader(doc))
	require.NoError(t, err)
	return s
}

func text(s string) *string { return &s }

func TestDifferences(t *testing.T) {
	changed := func(part diff.Part, handle, typ, parent string, f ...diff.Field) []diff.Change {
		return []diff.Change{{Kind: diff.Changed, Part: part, Handle: handle, Type: typ, Parent: parent, Fields: f}}
	}
	for _, c := range []struct {
		name     string
		old, new string
		opts     diff.Options
		want     []diff.Change
	}{
		{name: "nothing"},
		{
			name: "value", old: `Value="37.2"`, new: `Value="38.1"`,
			want: changed(diff.State, "temperature", "NumericMetricState", "", diff.Field{Path: "MetricValue/@Value", Before: text("37.2"), After: text("38.1")}),
		},
		{
			name: "value gone", old: `Value="37.2" `, new: ``,
			want: changed(diff.State, "temperature", "NumericMetricState", "", diff.Field{Path: "MetricValue/@Value", Before: text("37.2")}),
		},
		{
			name: "element text", old: `<pm:Sex>F</pm:Sex>`, new: `<pm:Sex>Unkn</pm:Sex>`,
			want: changed(diff.State, "patient.1", "PatientContextState", "patient", diff.Field{Path: "CoreData/Sex", Before: text("F"), After: text("Unkn")}),
		},
		{
			name: "one of several", old: `Lower="150" Upper="300"`, new: `Lower="150" Upper="310"`,
			want: changed(diff.Descriptor, "diastolic", "NumericMetricDescriptor", "channel", diff.Field{Path: "TechnicalRange[2]/@Upper", Before: text("300"), After: text("310")}),
		},
		{
			name: "extension", old: `>Female<`, new: `>Other<`,
			want: changed(diff.State, "patient.1", "PatientContextState", "patient", diff.Field{Path: "CoreData/ext:Extension/sdpi:Gender", Before: text("Female"), After: text("Other")}),
		},
		{
			name: "an empty element is something", old: `<pm:ModelNumber>2</pm:ModelNumber>`, new: `<pm:ModelNumber>2</pm:ModelNumber><pm:SerialNumber></pm:SerialNumber>`,
			want: changed(diff.Descriptor, "child", "MdsDescriptor", "", diff.Field{Path: "MetaData/SerialNumber", After: text("")}),
		},
		{
			name: "type", old: `xsi:type="pm:PatientDemographicsCoreData"`, new: `xsi:type="pm:NeonatalPatientDemographicsCoreData"`,
			want: changed(diff.State, "patient.1", "PatientContextState", "patient", diff.Field{
				Path: "CoreData/@xsi:type", After: text("pm:NeonatalPatientDemographicsCoreData"),
			}),
		},
		{
			name: "type of a descriptor",
			old:  `"pm:SetComponentStateOperationDescriptor"|"pm:SetComponentStateOperationState"`, new: `"pm:SetMetricStateOperationDescriptor"|"pm:SetMetricStateOperationState"`,
			want: append(changed(diff.Descriptor, "vmd.set", "SetMetricStateOperationDescriptor", "sco", diff.Field{
				Path: "@xsi:type", Before: text("SetComponentStateOperationDescriptor"), After: text("SetMetricStateOperationDescriptor"),
			}), changed(diff.State, "vmd.set", "SetMetricStateOperationState", "", diff.Field{
				Path: "@xsi:type", Before: text("SetComponentStateOperationState"), After: text("SetMetricStateOperationState"),
			})...),
		},
		{name: "implied written out", old: `DescriptorHandle="vmd"/>`, new: `DescriptorHandle="vmd" ActivationState="On"/>`},
		{name: "implied quality", old: `<pm:MetricQuality Validity="Vld"/>`, new: `<pm:MetricQuality Validity="Vld" Mode="Real" Qi="1.0"/>`},
		{name: "implied derivation", old: `Handle="wave" MetricCategory="Msrmt"`, new: `Handle="wave" MetricCategory="Msrmt" DerivationMethod="Auto"`},
		{
			name: "not implied derivation", old: `Handle="wave" MetricCategory="Msrmt"`, new: `Handle="wave" MetricCategory="Msrmt" DerivationMethod="Man"`,
			want: changed(diff.Descriptor, "wave", "RealTimeSampleArrayMetricDescriptor", "channel", diff.Field{Path: "@DerivationMethod", After: text("Man")}),
		},
		{name: "versions left aside", old: `MdibVersion="9"|Handle="vmd">|DescriptorHandle="vmd"/>`, new: `MdibVersion="10"|Handle="vmd" DescriptorVersion="3">|DescriptorHandle="vmd" DescriptorVersion="3" StateVersion="5"/>`},
		{
			name: "versions", old: `MdibVersion="9"|Handle="vmd">|DescriptorHandle="vmd"/>`, new: `MdibVersion="10"|Handle="vmd" DescriptorVersion="3">|DescriptorHandle="vmd" DescriptorVersion="3" StateVersion="5"/>`,
			opts: diff.Options{Versions: true},
			want: append(append(changed(diff.MDIB, "", "", "", diff.Field{Path: "@MdibVersion", Before: text("9"), After: text("10")}),
				changed(diff.Descriptor, "vmd", "VmdDescriptor", "mds", diff.Field{Path: "@DescriptorVersion", After: text("3")})...),
				changed(diff.State, "vmd", "VmdState", "", diff.Field{Path: "@StateVersion", After: text("5")}, diff.Field{Path: "@DescriptorVersion", After: text("3")})...),
		},
		{
			name: "renamed", old: `Handle="wave"`, new: `Handle="curve"`,
			want: []diff.Change{
				{Kind: diff.Removed, Part: diff.Descriptor, Handle: "wave", Type: "RealTimeSampleArrayMetricDescriptor", Parent: "channel"},
				{Kind: diff.Added, Part: diff.Descriptor, Handle: "curve", Type: "RealTimeSampleArrayMetricDescriptor", Parent: "channel"},
			},
		},
		{
			name: "another patient", old: `Handle="patient.1"`, new: `Handle="patient.2"`,
			want: []diff.Change{
				{Kind: diff.Removed, Part: diff.State, Handle: "patient.1", Type: "PatientContextState", Parent: "patient"},
				{Kind: diff.Added, Part: diff.State, Handle: "patient.2", Type: "PatientContextState", Parent: "patient"},
			},
		},
		{
			name: "moved",
			old:  `<pm:Clock Handle="clock2"/>|<pm:Clock Handle="clock">`, new: `<pm:Clock Handle="clock"/>|<pm:Clock Handle="clock2">`,
			want: append(changed(diff.Descriptor, "clock", "ClockDescriptor", "child",
				diff.Field{Path: "ext:Extension/sdpi:EpochSupport/@Version", Before: text("1")}, diff.Field{Path: "(parent)", Before: text("mds"), After: text("child")}),
				changed(diff.Descriptor, "clock2", "ClockDescriptor", "mds",
					diff.Field{Path: "(parent)", Before: text("child"), After: text("mds")}, diff.Field{Path: "ext:Extension/sdpi:EpochSupport/@Version", After: text("1")})...),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := document(t)
			after := before
			news := strings.Split(c.new, "|")
			if c.old != "" {
				for i, old := range strings.Split(c.old, "|") {
					require.Contains(t, after, old)
					after = strings.ReplaceAll(after, old, news[i])
				}
			}
			a, b := read(t, before), read(t, after)
			require.Equal(t, c.want, diff.Snapshots(a, b, c.opts))
			// The way back has as many differences, with both sides exchanged.
			back := diff.Snapshots(b, a, c.opts)
			require.Len(t, back, len(c.want))
		})
	}
}

func TestStatesADeviceDoesNotTell(t *testing.T) {
	a := read(t, document(t))
	// A mirror makes no states up.
	m := mdib.NewMirror(mdib.MirrorConfig{})
	r := read(t, document(t)).Response()
	r.Mdib.MdState.State = r.Mdib.MdState.State[1:]
	b, err := m.Reset(r)
	require.NoError(t, err)
	missing := pm.HandleOf(a.Response().Mdib.MdState.State[0])
	require.Equal(t, []diff.Change{{Kind: diff.Removed, Part: diff.State, Handle: missing, Type: "MdsState"}}, diff.Snapshots(a, b, diff.Options{}))
	require.Equal(t, []diff.Change{{Kind: diff.Added, Part: diff.State, Handle: missing, Type: "MdsState"}}, diff.Snapshots(b, a, diff.Options{}))
}

// A transaction shows as exactly what it changed.
func TestTransaction(t *testing.T) {
	store := mdib.NewStore(read(t, document(t)), mdib.Config{})
	before := store.Load()
	_, err := store.Update(func(tx *mdib.Tx) error {
		return tx.SetNumeric("temperature", pm.MustDecimal("39.0"), time.UnixMilli(1700000005000))
	})
	require.NoError(t, err)
	changes := diff.Snapshots(before, store.Load(), diff.Options{})
	require.Len(t, changes, 1)
	require.Equal(t, "temperature", changes[0].Handle)
	var paths []string
	for _, f := range changes[0].Fields {
		paths = append(paths, f.Path)
	}
	require.ElementsMatch(t, []string{"MetricValue/@Value", "MetricValue/@DeterminationTime"}, paths)
}

// What is written and read again is the same, for every sample.
func TestRoundTripIsNoDifference(t *testing.T) {
	for _, path := range reftest.Samples(t, "mdibs/*.xml") {
		a, err := mdib.ReadFile(path)
		if err != nil {
			continue // some must not be read: tested with the readers
		}
		var w strings.Builder
		require.NoError(t, a.Write(&w))
		require.Empty(t, diff.Snapshots(a, read(t, w.String()), diff.Options{Versions: true}), path)
	}
}
