package localization_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/localization"
)

func TestMeasure(t *testing.T) {
	for text, want := range map[string]struct {
		width pm.LocalizedTextWidth
		lines int
	}{
		"":          {pm.LocalizedTextWidthXs, 0},
		"12345678":  {pm.LocalizedTextWidthXs, 1},
		"123456789": {pm.LocalizedTextWidthS, 1},
		"欢迎光临":      {pm.LocalizedTextWidthXs, 1},
		"欢迎光临。":     {pm.LocalizedTextWidthS, 1},
		"欢迎光临a":     {pm.LocalizedTextWidthS, 1},
		"e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301": {pm.LocalizedTextWidthXs, 1},
		"👨‍👩‍👧‍👦👩🏽‍⚕️":                                             {pm.LocalizedTextWidthXs, 1},
		strings.Repeat("x", 16):                                    {pm.LocalizedTextWidthS, 1},
		strings.Repeat("x", 17):                                    {pm.LocalizedTextWidthM, 1},
		strings.Repeat("x", 25):                                    {pm.LocalizedTextWidthL, 1},
		strings.Repeat("x", 33):                                    {pm.LocalizedTextWidthXl, 1},
		strings.Repeat("x", 40):                                    {pm.LocalizedTextWidthXl, 1},
		strings.Repeat("x", 41):                                    {pm.LocalizedTextWidthXxl, 1},
		"one\ntwo\n":                                               {pm.LocalizedTextWidthXs, 2},
		"one\r\ntwo":                                               {pm.LocalizedTextWidthXs, 2},
		"one\n\ntwo":                                               {pm.LocalizedTextWidthXs, 3},
		"Stop. Go on!":                                             {pm.LocalizedTextWidthXs, 2},
		"Stop.\nGo on?!":                                           {pm.LocalizedTextWidthXs, 2},
		"\"Go on!\" Yes":                                           {pm.LocalizedTextWidthXs, 2},
		"wait...":                                                  {pm.LocalizedTextWidthXs, 1},
		"3.5 mmHg":                                                 {pm.LocalizedTextWidthXs, 1},
		"1. 2":                                                     {pm.LocalizedTextWidthXs, 2},
	} {
		width, lines := localization.Measure(text)
		require.Equal(t, want.width, width, "%q", text)
		require.Equal(t, want.lines, lines, "%q", text)
	}
}

func catalogue(t *testing.T) *localization.Catalogue {
	t.Helper()
	c, err := localization.ReadFile("testdata/texts.json")
	require.NoError(t, err)
	return c
}

func TestSelect(t *testing.T) {
	// covers: SDPi R0503, SDPi R0504, SDPi R0505, SDPi R0506, SDPi R0507, SDPi R0508
	c := catalogue(t)
	v := pm.Some[uint64]
	for name, test := range map[string]struct {
		filter msg.GetLocalizedText
		want   []string // reference, version, language, first word
	}{
		"nothing asked for: the newest of all": {msg.GetLocalizedText{}, []string{
			"alarm 2 en-US Oxygen", "alarm 2 en-US SpO2", "alarm 2 de Sauerstoffsättigung", "welcome 1 en-US Welcome", "welcome 1 de Willkommen", "welcome 1 zh-CN 欢迎", "help 2 en-US Call",
		}},
		"one reference":                       {msg.GetLocalizedText{Ref: []string{"welcome"}}, []string{"welcome 1 en-US Welcome", "welcome 1 de Willkommen", "welcome 1 zh-CN 欢迎"}},
		"references, one unknown":             {msg.GetLocalizedText{Ref: []string{"nothing", "help", "help"}}, []string{"help 2 en-US Call"}},
		"unknown reference":                   {msg.GetLocalizedText{Ref: []string{"nothing"}}, nil},
		"an older version":                    {msg.GetLocalizedText{Version: v(1)}, []string{"alarm 1 en-US Alarm", "alarm 1 fr Alarme", "welcome 1 en-US Welcome", "welcome 1 de Willkommen", "welcome 1 zh-CN 欢迎"}},
		"an unknown version":                  {msg.GetLocalizedText{Version: v(9)}, nil},
		"a language":                          {msg.GetLocalizedText{Lang: []string{"de"}}, []string{"alarm 2 de Sauerstoffsättigung", "welcome 1 de Willkommen"}},
		"languages, whatever the case":        {msg.GetLocalizedText{Lang: []string{"ZH-cn", "el-GR"}}, []string{"welcome 1 zh-CN 欢迎"}},
		"no part of a tag":                    {msg.GetLocalizedText{Lang: []string{"en"}}, nil},
		"a language only of an older version": {msg.GetLocalizedText{Lang: []string{"fr"}}, nil},
		"that language with that version":     {msg.GetLocalizedText{Lang: []string{"fr"}, Version: v(1)}, []string{"alarm 1 fr Alarme"}},
		"a width":                             {msg.GetLocalizedText{TextWidth: []pm.LocalizedTextWidth{pm.LocalizedTextWidthXs}}, []string{"alarm 2 en-US SpO2", "welcome 1 en-US Welcome", "welcome 1 zh-CN 欢迎"}},
		"the widest of widths":                {msg.GetLocalizedText{Ref: []string{"alarm"}, TextWidth: []pm.LocalizedTextWidth{pm.LocalizedTextWidthM, pm.LocalizedTextWidthXs}}, []string{"alarm 2 en-US Oxygen", "alarm 2 en-US SpO2"}},
		"all widths":                          {msg.GetLocalizedText{Ref: []string{"help"}, TextWidth: []pm.LocalizedTextWidth{pm.LocalizedTextWidthXxl}}, []string{"help 2 en-US Call"}},
		"a number of lines":                   {msg.GetLocalizedText{NumberOfLines: []int64{1}, Ref: []string{"help", "alarm"}}, []string{"alarm 2 en-US Oxygen", "alarm 2 en-US SpO2", "alarm 2 de Sauerstoffsättigung"}},
		"the largest of numbers of lines":     {msg.GetLocalizedText{NumberOfLines: []int64{1, 3, 2}, Ref: []string{"help"}}, []string{"help 2 en-US Call"}},
		"no lines":                            {msg.GetLocalizedText{NumberOfLines: []int64{0, -5}}, nil},
		"everything together":                 {msg.GetLocalizedText{Ref: []string{"alarm", "welcome"}, Version: v(2), Lang: []string{"en-US"}, TextWidth: []pm.LocalizedTextWidth{pm.LocalizedTextWidthS}, NumberOfLines: []int64{1}}, []string{"alarm 2 en-US SpO2"}},
		"filters that exclude one another":    {msg.GetLocalizedText{Ref: []string{"welcome"}, Version: v(2)}, nil},
	} {
		var got []string
		for _, text := range c.Select(&test.filter) {
			version := "1"
			if text.Version.Or(0) == 2 {
				version = "2"
			}
			word, _, _ := strings.Cut(text.Text, " ")
			got = append(got, text.Ref+" "+version+" "+text.Lang+" "+word)
			width, _ := localization.Measure(text.Text)
			require.Equal(t, width, text.TextWidth)
		}
		require.Equal(t, test.want, got, name)
	}
	require.Equal(t, []string{"en-US", "fr", "de", "zh-CN"}, c.Languages())
	require.Equal(t, 9, c.Len())
}

func TestBadCatalogues(t *testing.T) {
	one := func(text string) string {
		return `{"texts":[{"ref":"r","version":1,"translations":[` + text + `]}]}`
	}
	for name, test := range map[string]struct{ document, want string }{
		"no JSON":         {`<texts/>`, "invalid character"},
		"empty":           {``, "EOF"},
		"cut off":         {`{"texts":[{"ref":"r"`, "EOF"},
		"unknown field":   {`{"text":[]}`, "unknown field"},
		"rest":            {`{"texts":[]} {}`, "follows"},
		"no version":      {`{"texts":[{"ref":"r","translations":[]}]}`, "no version"},
		"no reference":    {`{"texts":[{"ref":"","version":1,"translations":[{"lang":"de","text":"x"}]}]}`, "no reference"},
		"no language":     {one(`{"text":"x"}`), "no language tag"},
		"bad language":    {one(`{"lang":"d_e","text":"x"}`), "no language tag"},
		"long language":   {one(`{"lang":"abcdefghi","text":"x"}`), "no language tag"},
		"no content":      {one(`{"lang":"de","text":" \n"}`), "no content"},
		"unknown width":   {one(`{"lang":"de","text":"x","width":"tiny"}`), "unknown width"},
		"too narrow":      {one(`{"lang":"de","text":"Sauerstoffsättigung","width":"xs"}`), "needs m"},
		"twice":           {one(`{"lang":"de","text":"ja"},{"lang":"DE","text":"so"}`), "twice"},
		"negative":        {`{"texts":[{"ref":"r","version":-1}]}`, "cannot unmarshal"},
		"no translations": {`{"texts":[{"ref":"r","version":1}]}`, `"r" has no translations`},
		"not XML":         {one(`{"lang":"de","text":"ja\u0000"}`), "byte 2 of the text"},
		"line of syntax":  {"{\n\"texts\":[\n{\"ref\":\"r\" \"version\":1}]}", "line 3: invalid character"},
		"line of type":    {"{\n\"texts\":[\n\n{\"ref\":1}]}", "line 4: json: cannot unmarshal number"},
		"line of the end": {"{\n\"texts\":[\n", "line 3: unexpected EOF"},
		"too large":       {`{"texts":[` + strings.Repeat(" ", localization.MaxFileSize), "more than"},
	} {
		_, err := localization.Read(strings.NewReader(test.document))
		require.ErrorContains(t, err, test.want, name)
	}
	_, err := localization.New(make([]localization.Text, 100)...)
	require.Equal(t, 20, strings.Count(err.Error(), "\n")+1, "bounded")
	_, err = localization.ReadFile("testdata/none.json")
	require.Error(t, err)
}

func TestCheck(t *testing.T) {
	// covers: BICEPS R5047, BICEPS R5049
	c := catalogue(t)
	text := func(ref, lang string, version pm.Opt[uint64]) []pm.LocalizedText {
		return []pm.LocalizedText{{Ref: ref, Lang: lang, Version: version}}
	}
	for name, test := range map[string]struct {
		texts []pm.LocalizedText
		want  string
	}{
		"there":                        {text("alarm", "", pm.Some[uint64](2)), ""},
		"there in the language":        {text("alarm", "fr", pm.Some[uint64](1)), ""},
		"without version":              {text("alarm", "", pm.Opt[uint64]{}), ""},
		"without reference":            {[]pm.LocalizedText{{Text: "x", Lang: "de"}}, ""},
		"unknown":                      {text("none", "", pm.Some[uint64](1)), `BICEPS R5049`},
		"unknown version":              {text("alarm", "", pm.Some[uint64](3)), `version 3`},
		"not in the language":          {text("alarm", "el-GR", pm.Some[uint64](2)), `BICEPS R5047`},
		"not in the language any more": {text("alarm", "fr", pm.Some[uint64](2)), `BICEPS R5047`},
	} {
		mds := &pm.MdsDescriptor{}
		mds.Handle = "mds"
		mds.MetaData = &pm.MetaData{Manufacturer: test.texts}
		snap, err := mdib.FromMdib(&pm.Mdib{MdDescription: &pm.MdDescription{Mds: []*pm.MdsDescriptor{mds}}})
		require.NoError(t, err)
		findings := c.Check(snap)
		if test.want == "" {
			require.Empty(t, findings, name)
			continue
		}
		require.Len(t, findings, 1, name)
		require.Contains(t, findings[0].String(), test.want, name)
		require.Equal(t, "mds", findings[0].Handle)
	}
	var none *localization.Catalogue
	require.Len(t, none.CheckPart("p", &pm.PatientContextState{AbstractContextState: pm.AbstractContextState{
		Identification: []pm.InstanceIdentifier{{IdentifierName: text("alarm", "", pm.Some[uint64](2))}},
	}}), 1, "no catalogue resolves nothing, wherever the reference stands")
}

func FuzzMeasure(f *testing.F) {
	for _, s := range []string{"", "a.b", "3.5", "\n\n", "欢迎。", "e\u0301!", "\xff\xfe", "👩🏽‍⚕️?"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		width, lines := localization.Measure(s)
		if !width.Valid() || lines < 0 || (lines == 0) != (s == "") {
			t.Errorf("%q: %s, %d lines", s, width, lines)
		}
	})
}
