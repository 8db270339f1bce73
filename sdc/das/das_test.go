package das_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/das"
)

// device is an MDIB with the operations.
func device(t testing.TB, change func(ops []*pm.ActivateOperationDescriptor)) *mdib.Snapshot {
	t.Helper()
	ops, err := das.Description{Target: "alerts", EffectiveTimeout: 9 * time.Second, ConfirmWithin: 2 * time.Second}.Operations()
	require.NoError(t, err)
	var all []*pm.ActivateOperationDescriptor
	for _, o := range ops {
		all = append(all, o.(*pm.ActivateOperationDescriptor))
	}
	if change != nil {
		change(all)
	}
	system := &pm.AlertSystemDescriptor{}
	system.Handle = "alerts"
	sco := &pm.ScoDescriptor{Operation: ops}
	sco.Handle = "sco"
	mds := &pm.MdsDescriptor{}
	mds.Handle, mds.AlertSystem, mds.Sco = "mds", system, sco
	s, err := mdib.FromMdib(&pm.Mdib{MdDescription: &pm.MdDescription{Mds: []*pm.MdsDescriptor{mds}}})
	require.NoError(t, err)
	return s
}

func TestOperationsAreFoundByTheirTypes(t *testing.T) {
	// covers: SDPi-A DAS option DEV-48, SDPi-A DAS option DEV-49
	want := das.Operations{
		MDS: "mds", Activate: "das.activate", Confirm: "das.confirm", End: "das.end", EffectiveTimeout: 9 * time.Second, ConfirmWithin: 2 * time.Second,
	}
	s := device(t, nil)
	got, err := das.Find(s, "", das.Codes{})
	require.NoError(t, err)
	require.Equal(t, want, got)
	read, err := mdib.Read(bytes.NewReader(s.Response().AppendXML(nil)))
	require.NoError(t, err)
	got, err = das.Find(read, "mds", das.Codes{})
	require.NoError(t, err, "the extension crosses the network")
	require.Equal(t, want, got)
	_, err = das.Find(s, "other", das.Codes{})
	require.ErrorIs(t, err, das.ErrNotOffered)

	numbers := das.Codes{Activate: pm.CodedValue{Code: "1"}, Confirm: pm.CodedValue{Code: "2"}, End: pm.CodedValue{Code: "3"}}
	_, err = das.Find(s, "", numbers)
	require.ErrorIs(t, err, das.ErrNotOffered)
	other := device(t, func(ops []*pm.ActivateOperationDescriptor) {
		ops[0].Type = &pm.CodedValue{Code: "9", Translation: []pm.Translation{{Code: "1"}}}
		ops[1].Type, ops[2].Type = &pm.CodedValue{Code: "2"}, &pm.CodedValue{Code: "3", CodingSystem: pm.DefaultCodingSystem}
	})
	got, err = das.Find(other, "", numbers)
	require.NoError(t, err, "by translation, and by the implied coding system")
	require.Equal(t, want, got)
	symbol := device(t, func(ops []*pm.ActivateOperationDescriptor) {
		ops[0].Type = &pm.CodedValue{Code: "9", SymbolicCodeName: das.SymbolActivate}
	})
	_, err = das.Find(symbol, "", das.Codes{})
	require.NoError(t, err, "by the symbolic name")
}

func TestOperationsThatCannotBeUsed(t *testing.T) {
	for name, change := range map[string]func(ops []*pm.ActivateOperationDescriptor){
		"no InvocationEffectiveTimeout": func(ops []*pm.ActivateOperationDescriptor) { ops[0].InvocationEffectiveTimeout = pm.Opt[pm.Duration]{} },
		"arguments":                     func(ops []*pm.ActivateOperationDescriptor) { ops[0].Argument = nil },
		"same type":                     func(ops []*pm.ActivateOperationDescriptor) { ops[2].Type = ops[0].Type },
		"not all of the three":          func(ops []*pm.ActivateOperationDescriptor) { ops[2].Type = nil },
	} {
		_, err := das.Find(device(t, change), "", das.Codes{})
		require.ErrorContains(t, err, name)
	}
	for _, d := range []das.Description{{}, {Target: "x", ConfirmWithin: -1}, {Target: "x", EffectiveTimeout: -1}} {
		_, err := d.Operations()
		require.Error(t, err)
	}
	var silent das.Operations
	silent, err := das.Find(device(t, func(ops []*pm.ActivateOperationDescriptor) { ops[0].Extension = nil }), "", das.Codes{})
	require.NoError(t, err)
	require.Zero(t, silent.ConfirmWithin, "the device does not say")
}

func TestOccurrences(t *testing.T) {
	list := []das.Occurrence{{"alarm.hr", 3}, {"a:b", 18446744073709551615}}
	text, err := das.FormatOccurrences(list)
	require.NoError(t, err)
	require.Equal(t, "3:alarm.hr 18446744073709551615:a:b", text)
	got, err := das.ParseOccurrences(" " + text + "\n")
	require.NoError(t, err)
	require.Equal(t, list, got)
	for _, bad := range []string{"", " ", "hr", "x:hr", "3:", "-1:hr", "18446744073709551616:hr", strings.Repeat("1:a ", das.MaxOccurrences+1), strings.Repeat("1", 1<<20+1)} {
		_, err := das.ParseOccurrences(bad)
		require.Error(t, err, "%.40q", bad)
	}
	for _, bad := range [][]das.Occurrence{nil, {{"a b", 1}}, {{"", 1}}, make([]das.Occurrence, das.MaxOccurrences+1)} {
		_, err := das.FormatOccurrences(bad)
		require.Error(t, err)
	}
}

func FuzzParseOccurrences(f *testing.F) {
	f.Add("3:alarm.hr 1:a:b")
	f.Add(" 0:\u00a0x\t7:y")
	f.Fuzz(func(t *testing.T, text string) {
		list, err := das.ParseOccurrences(text)
		if err != nil {
			return
		}
		again, err := das.FormatOccurrences(list)
		require.NoError(t, err)
		same, err := das.ParseOccurrences(again)
		require.NoError(t, err)
		require.Equal(t, list, same)
	})
}
