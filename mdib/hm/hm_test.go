package hm_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/testkit/reftest"
	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/mdib/hm"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
)

func queries() map[string]*hm.Query {
	return map[string]*hm.Query{
		"versions": {
			ProvideInitialMdib: true, FollowMdsLang: pm.Some(false), Texts: true, Languages: []pm.Language{"en-US", "de"},
			Reports: []hm.ReportType{hm.EpisodicAlertReport, hm.WaveformStream}, Handles: []string{"a&b", "c"},
			Version: &hm.VersionRange{SequenceID: "urn:uuid:1", InstanceID: pm.Some[uint64](4), Start: 2, End: 18446744073709551615},
		},
		"time":        {Time: &hm.TimeRange{Start: 1667464770000, End: 1667464770001}},
		"empty lists": {Texts: true, Languages: []pm.Language{}, Reports: []hm.ReportType{}, Handles: []string{}, Time: &hm.TimeRange{}},
	}
}

func reports() map[string]*hm.Report {
	metric := &msg.EpisodicMetricReport{}
	metric.SequenceId, metric.MdibVersion = "urn:uuid:1", 8
	state := &pm.NumericMetricState{}
	state.DescriptorHandle = "num"
	metric.ReportPart = []msg.MetricReportPart{{MetricState: []pm.MetricState{state}}}
	mdib := &msg.GetMdibResponse{}
	mdib.SequenceId, mdib.Mdib.SequenceId = "urn:uuid:1", "urn:uuid:1"
	return map[string]*hm.Report{
		"last": {Last: true},
		"status": {Status: []hm.Status{
			{Kind: hm.StatusInitialMdibNotSupported}, {Kind: hm.StatusFollowMdsLangNotSupported}, {Kind: hm.StatusLocalizedTextsAreStatic},
			{Kind: hm.StatusNoTimeRangeSupport}, {Kind: hm.StatusNoVersionRangeSupport}, {Kind: hm.StatusTimeRangeImperfect},
			{Kind: hm.StatusLanguagesNotAvailable, Languages: []pm.Language{"fr"}},
			{Kind: hm.StatusVersionsNotFullyServed, Version: hm.VersionRange{SequenceID: "urn:uuid:1", Start: 1, End: 2}},
			{Kind: hm.StatusTimeNotFullyServed, Time: hm.TimeRange{Start: 1, End: 2}},
			{Kind: hm.StatusIncompleteRecords, Reports: []hm.ReportType{hm.WaveformStream}},
			{Kind: hm.StatusOther, Text: "why <not>", Code: "7", Language: "en"},
		}},
		"content": {Sequences: []hm.ChangeSequence{{
			SequenceID: "urn:uuid:1", InstanceID: pm.Some[uint64](0),
			Texts: []hm.HistoricTexts{
				{Text: []pm.LocalizedText{{Ref: "r", Lang: "en", Version: pm.Some[uint64](1), Text: "x"}}},
				{SequenceID: "urn:uuid:1", InstanceID: pm.Some[uint64](2)},
			},
			MDIB:    &hm.HistoricMdib{Time: 5, Response: mdib},
			Reports: []hm.HistoricReport{{Time: 6, Report: metric}, {Time: 7, Report: metric}},
		}}},
	}
}

func TestRoundTrip(t *testing.T) {
	docs := map[string][]byte{}
	for name, q := range queries() {
		docs["query "+name] = q.AppendXML(nil)
		got := decodeQuery(t, docs["query "+name])
		require.Equal(t, q, got, name)
	}
	for name, r := range reports() {
		docs["report "+name] = r.AppendXML(nil)
		got, err := hm.Unmarshal(docs["report "+name], msg.Options{})
		require.NoError(t, err, name)
		require.Equal(t, string(docs["report "+name]), string(got.AppendXML(nil)), name)
	}
	reftest.Validate(t, withHistorySchema(t, docs))
}

// withHistorySchema makes the schema of the history part of those that documents are validated against.
func withHistorySchema(t *testing.T, docs map[string][]byte) map[string][]byte {
	t.Helper()
	model := reftest.Samples(t, "xsd/sdpi-history/HistoryModel.xsd")
	dir := t.TempDir()
	files, err := filepath.Glob(filepath.Join(reftest.SchemaDir(t), "*.xsd"))
	require.NoError(t, err)
	for _, f := range append(files, model...) {
		b, err := os.ReadFile(f)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, filepath.Base(f)), b, 0o600))
	}
	t.Setenv("SDC_SCHEMA_DIR", dir)
	return docs
}

func decodeQuery(t *testing.T, doc []byte) *hm.Query {
	t.Helper()
	s := xmlscan.NewScanner(doc, xmlscan.Limits{})
	require.NoError(t, s.Root())
	q, err := hm.DecodeQuery(s)
	require.NoError(t, err)
	require.NoError(t, s.End())
	return q
}

// The examples of the profile, whose HistoricReport lacks the element Report that the schema asks for.
func TestExamplesOfTheProfile(t *testing.T) {
	last := 0
	for _, file := range reftest.Samples(t, "sdpi-messages/*dev-32-example-0[234].xml") {
		doc := reftest.Read(t, file)
		start, end := bytes.Index(doc, []byte("<hm:ChangeSequenceReport")), bytes.Index(doc, []byte("</s12:Body>"))
		r, err := hm.Unmarshal(declare(doc[start:end]), msg.Options{})
		require.NoError(t, err, file)
		for _, c := range r.Sequences {
			require.Equal(t, "urn:uuid:68c97947-6f7e-4122-82ed-971fbf6085af", c.SequenceID)
			require.NotEmpty(t, c.Reports)
		}
		if r.Last {
			last++
		}
	}
	require.Equal(t, 1, last)
	for _, file := range reftest.Samples(t, "sdpi-messages/*dev-32-example-00.xml") {
		doc := reftest.Read(t, file)
		start, end := bytes.Index(doc, []byte("<hm:HistoryQuery")), bytes.Index(doc, []byte("</wse:Filter>"))
		q := decodeQuery(t, declare(doc[start:end]))
		require.True(t, q.ProvideInitialMdib)
		require.Equal(t, uint64(7), q.Version.End)
	}
}

// declare puts the declarations that an example has on its envelope onto the element cut out of it.
func declare(doc []byte) []byte {
	name := bytes.IndexAny(doc, " >")
	out := append([]byte(nil), doc[:name]...)
	out = append(out, ` xmlns:hm="`+hm.Namespace+`" xmlns:msg="`+xmlscan.NsMsg+`" xmlns:pm="`+xmlscan.NsPM+`"`...)
	return append(out, doc[name:]...)
}

func TestWhatIsRefused(t *testing.T) {
	const initial, span = `<hm:ProvideInitialMdib>true</hm:ProvideInitialMdib>`, `<hm:Range><hm:Time StartTime="1" EndTime="2"/></hm:Range>`
	for name, content := range map[string]string{
		"empty": "", "no range": initial, "no decision on the MDIB": span, "out of order": span + initial, "twice": initial + initial + span,
		"a range of nothing": initial + `<hm:Range/>`, "a range of both": initial + `<hm:Range><hm:Time StartTime="1" EndTime="2"/><hm:Time StartTime="1" EndTime="2"/></hm:Range>`,
		"no end":         initial + `<hm:Range><hm:Time StartTime="1"/></hm:Range>`,
		"no number":      initial + `<hm:Range><hm:Time StartTime="1" EndTime="soon"/></hm:Range>`,
		"no sequence":    initial + `<hm:Range><hm:Version StartVersion="1" EndVersion="2"/></hm:Range>`,
		"no boolean":     `<hm:ProvideInitialMdib>perhaps</hm:ProvideInitialMdib>` + span,
		"no report":      initial + `<hm:ReportFilter>PeriodicMetricReport</hm:ReportFilter>` + span,
		"no language":    initial + `<hm:LanguageFilter>e_n</hm:LanguageFilter>` + span,
		"foreign":        initial + `<x xmlns="urn:x"/>` + span,
		"unknown":        initial + span + `<hm:More/>`,
		"unknown range":  initial + `<hm:Range><hm:Place/></hm:Range>`,
		"other mistakes": initial + `<hm:Range><hm:Version SequenceId="x" InstanceId="-1" StartVersion="1" EndVersion="2"/></hm:Range>`,
	} {
		s := xmlscan.NewScanner([]byte(`<hm:HistoryQuery xmlns:hm="`+hm.Namespace+`">`+content+`</hm:HistoryQuery>`), xmlscan.Limits{})
		require.NoError(t, s.Root())
		_, err := hm.DecodeQuery(s)
		require.Error(t, err, name)
	}
	for name, content := range map[string]string{
		"no sequence":    `<hm:ChangeSequence/>`,
		"no report":      `<hm:ChangeSequence SequenceId="x"><hm:HistoricReport Time="1"/></hm:ChangeSequence>`,
		"no time":        `<hm:ChangeSequence SequenceId="x"><hm:HistoricReport><hm:Report><msg:WaveformStream SequenceId="x"/></hm:Report></hm:HistoricReport></hm:ChangeSequence>`,
		"no MDIB":        `<hm:ChangeSequence SequenceId="x"><hm:HistoricMdib Time="1"/></hm:ChangeSequence>`,
		"another":        `<hm:ChangeSequence SequenceId="x"><hm:HistoricMdib Time="1"><msg:WaveformStream SequenceId="x"/></hm:HistoricMdib></hm:ChangeSequence>`,
		"wrong report":   `<hm:ChangeSequence SequenceId="x"><hm:HistoricReport Time="1"><hm:Report><msg:PeriodicMetricReport SequenceId="x"/></hm:Report></hm:HistoricReport></hm:ChangeSequence>`,
		"no message":     `<hm:ChangeSequence SequenceId="x"><hm:HistoricReport Time="1"><hm:Report><hm:Report/></hm:Report></hm:HistoricReport></hm:ChangeSequence>`,
		"empty status":   `<hm:ResponseStatus/>`,
		"unknown status": `<hm:ResponseStatus><hm:Maybe/></hm:ResponseStatus>`,
		"unknown":        `<hm:Other/>`,
	} {
		_, err := hm.Unmarshal([]byte(`<hm:ChangeSequenceReport xmlns:hm="`+hm.Namespace+`" xmlns:msg="`+xmlscan.NsMsg+`">`+content+`</hm:ChangeSequenceReport>`), msg.Options{})
		require.Error(t, err, name)
	}
}

func FuzzDecode(f *testing.F) {
	for _, q := range queries() {
		f.Add(q.AppendXML(nil))
	}
	for _, r := range reports() {
		f.Add(r.AppendXML(nil))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		if r, err := hm.Unmarshal(doc, msg.Options{}); err == nil {
			again, err := hm.Unmarshal(r.AppendXML(nil), msg.Options{})
			require.NoError(t, err)
			require.Equal(t, string(r.AppendXML(nil)), string(again.AppendXML(nil)))
		}
		s := xmlscan.NewScanner(doc, xmlscan.Limits{})
		if s.Root() != nil {
			return
		}
		if q, err := hm.DecodeQuery(s); err == nil {
			require.Equal(t, q, decodeQuery(t, q.AppendXML(nil)))
		}
	})
}
