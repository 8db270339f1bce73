package pm_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib/pm"
)

func TestTextsThatXMLCannotCarry(t *testing.T) {
	named := func(core pm.PatientDemographicsCoreData) pm.State { return &pm.PatientContextState{CoreData: &core} }
	mds := &pm.MdsDescriptor{Vmd: []*pm.VmdDescriptor{{}, {Channel: []*pm.ChannelDescriptor{{Metric: []pm.MetricDescriptor{&pm.StringMetricDescriptor{}}}}}}}
	mds.Vmd[1].Channel[0].Metric[0].Base().Type = &pm.CodedValue{Code: "1", ConceptDescription: []pm.LocalizedText{{Lang: "en", Text: "fine\n"}, {Lang: "de", Text: "\ufffe"}}}
	value := &pm.StringMetricState{MetricValue: &pm.StringMetricValue{Value: pm.Some("a\xff")}}
	for want, v := range map[string]any{
		"Familyname": named(pm.PatientDemographicsCoreData{BaseDemographics: pm.BaseDemographics{Familyname: "4711\x1d17"}}),
		"Middlename": named(pm.PatientDemographicsCoreData{BaseDemographics: pm.BaseDemographics{Middlename: []string{"Ann", "\x00"}}}),
		"Text":       mds,
		"Value":      value,
	} {
		require.Equal(t, want+" has a character that XML does not allow", pm.TextFlaw(v))
	}
	for _, v := range []any{nil, (*pm.VmdDescriptor)(nil), &pm.NumericMetricState{}, named(pm.PatientDemographicsCoreData{BaseDemographics: pm.BaseDemographics{Familyname: "Müller \U0001F600 \uFFFD\t"}})} {
		require.Empty(t, pm.TextFlaw(v))
	}
}
