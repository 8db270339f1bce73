package provider_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/localization"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/soap"
	"github.com/semeco/go-sdc/soap/dpws"
)

// hostedTypes returns the port types by hosted service, their WSDL checked.
func hostedTypes(t *testing.T, b *bench) map[string][]string {
	t.Helper()
	m, err := dpws.GetDevice(t.Context(), b.peer.client, b.peer.device, b.dev.EPR())
	require.NoError(t, err)
	all := map[string][]string{}
	for _, h := range m.Hosted {
		own, err := dpws.GetHosted(t.Context(), b.peer.client, h.Endpoints[0])
		require.NoError(t, err)
		checkWSDL(t, b, own.WSDL[0], h)
		for _, typ := range h.Types {
			all[h.ServiceID] = append(all[h.ServiceID], typ.Local)
		}
	}
	return all
}

// requireSender checks for a Sender fault that says what is wrong.
func requireSender(t *testing.T, err error, says string) {
	t.Helper()
	var fault *soap.Fault
	require.ErrorAs(t, err, &fault)
	require.Equal(t, soap.CodeSender, fault.Code)
	require.Contains(t, fault.Error(), says)
}

func TestLowPriorityServicesAreOffUntilSwitchedOn(t *testing.T) {
	inBubble(t, nil, nil, func(t *testing.T, b *bench) {
		types := hostedTypes(t, b)
		require.Len(t, types, 3)
		_, err := call[*msg.GetLocalizedTextResponse](b.peer, "Localization", sdc.ActionGetLocalizedText, &msg.GetLocalizedText{})
		require.Error(t, err)
		_, err = call[*msg.GetContextStatesByFilterResponse](b.peer, "StateEvent", sdc.ActionGetContextStatesByFilter, &msg.GetContextStatesByFilter{})
		requireSender(t, err, "not supported")
		_, err = call[*msg.GetContextStatesByIdentificationResponse](b.peer, "StateEvent", sdc.ActionGetContextStatesByIdentification, &msg.GetContextStatesByIdentification{})
		requireSender(t, err, "not supported")
	})
}

func texts(t *testing.T) *localization.Catalogue {
	t.Helper()
	c, err := localization.New(
		localization.Text{Ref: "name", Version: 1, Lang: "en-US", Content: "Monitor"},
		localization.Text{Ref: "name", Version: 1, Lang: "de", Content: "Überwachungsgerät"},
		localization.Text{Ref: "name", Version: 2, Lang: "de", Content: "Monitor"},
	)
	require.NoError(t, err)
	return c
}

func TestLocalizationService(t *testing.T) {
	// covers: BICEPS R0101, SDPi R0503, SDPi R0504, SDPi R0505
	inBubble(t, func(c *provider.Config) { c.Localization = texts(t) }, nil, func(t *testing.T, b *bench) {
		require.Equal(t, []string{sdc.LocalizationService}, hostedTypes(t, b)["Localization"])
		langs := mustCall[*msg.GetSupportedLanguagesResponse](b.peer, "Localization", sdc.ActionGetSupportedLanguages, &msg.GetSupportedLanguages{})
		require.Equal(t, []string{"en-US", "de"}, langs.Lang)
		require.Equal(t, b.dev.MDIB().Version().SequenceID, langs.SequenceId)

		r := mustCall[*msg.GetLocalizedTextResponse](b.peer, "Localization", sdc.ActionGetLocalizedText, &msg.GetLocalizedText{})
		require.Equal(t, []pm.LocalizedText{{Ref: "name", Lang: "de", Version: pm.Some[uint64](2), TextWidth: pm.LocalizedTextWidthXs, Text: "Monitor"}}, r.Text)
		r = mustCall[*msg.GetLocalizedTextResponse](b.peer, "Localization", sdc.ActionGetLocalizedText,
			&msg.GetLocalizedText{Version: pm.Some[uint64](1), Lang: []string{"de"}})
		require.Len(t, r.Text, 1)
		require.Equal(t, "Überwachungsgerät", r.Text[0].Text)
		r = mustCall[*msg.GetLocalizedTextResponse](b.peer, "Localization", sdc.ActionGetLocalizedText, &msg.GetLocalizedText{Version: pm.Some[uint64](7)})
		require.Empty(t, r.Text)

		for name, body := range map[string]string{
			"empty reference": `<msg:Ref/>`,
			"unknown width":   `<msg:TextWidth>huge</msg:TextWidth>`,
			"no number":       `<msg:NumberOfLines>many</msg:NumberOfLines>`,
			"no version":      `<msg:Version>-1</msg:Version>`,
		} {
			_, err := call[*msg.GetLocalizedTextResponse](b.peer, "Localization", sdc.ActionGetLocalizedText, soap.RawBody(
				`<msg:GetLocalizedText xmlns:msg="`+sdc.NamespaceMessage+`">`+body+`</msg:GetLocalizedText>`))
			requireSender(t, err, "")
			_ = name
		}
	})
}

// referring is the device of the tests with a text reference.
func referring(t *testing.T, ref string, version uint64) *mdib.Snapshot {
	t.Helper()
	store := mdib.NewStore(device(t), mdib.Config{})
	_, err := store.Update(func(tx *mdib.Tx) error {
		d, err := tx.EditDescriptor("vmd")
		if err == nil {
			d.Base().Type.ConceptDescription = []pm.LocalizedText{{Ref: ref, Version: pm.Some(version)}}
		}
		return err
	})
	require.NoError(t, err)
	return store.Load()
}

func TestTextReferencesAreCheckedWhenTheDeviceIsMade(t *testing.T) {
	// covers: SDPi R0509, BICEPS R5049
	for name, c := range map[string]struct {
		mdib         *mdib.Snapshot
		localization *localization.Catalogue
		profile      mdib.Profile
		want, warns  string
	}{
		"no references":               {mdib: device(t), profile: mdib.ProfileSDPi},
		"resolved":                    {mdib: referring(t, "name", 1), localization: texts(t), profile: mdib.ProfileSDPi},
		"nobody to ask, in SDPi":      {mdib: referring(t, "name", 1), profile: mdib.ProfileSDPi, want: "SDPi R0509"},
		"nobody to ask, elsewhere":    {mdib: referring(t, "name", 1), warns: "SDPi R0509"},
		"not there":                   {mdib: referring(t, "other", 1), localization: texts(t), want: `no text for the reference "other"`},
		"not there in that version":   {mdib: referring(t, "name", 3), localization: texts(t), want: "version 3"},
		"a profile that nobody knows": {mdib: device(t), profile: "x", want: "Profile"},
	} {
		var log strings.Builder
		_, err := provider.New(provider.Config{
			MDIB: c.mdib, Insecure: true, Localization: c.localization, Profile: c.profile, Logger: slog.New(slog.NewTextHandler(&log, nil)),
		})
		if c.want != "" {
			require.ErrorContains(t, err, c.want, name)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, c.warns != "", strings.Contains(log.String(), "SDPi R0509"), "%s: %s", name, log.String())
	}
}

func TestAChangeThatRefersToNoTextIsLogged(t *testing.T) {
	var log strings.Builder
	dev, err := provider.New(provider.Config{MDIB: device(t), Insecure: true, Localization: texts(t), Logger: slog.New(slog.NewTextHandler(&log, nil))})
	require.NoError(t, err)
	refer := func(ref string) func(*mdib.Tx) error {
		return func(tx *mdib.Tx) error {
			d, err := tx.EditDescriptor("vmd")
			if err == nil {
				d.Base().Type.ConceptDescription = []pm.LocalizedText{{Ref: ref, Version: pm.Some[uint64](1)}}
			}
			return err
		}
	}
	require.NoError(t, dev.Update(refer("name")))
	require.NotContains(t, log.String(), "text that is not there")
	require.NoError(t, dev.Update(refer("other")))
	require.Contains(t, log.String(), "text that is not there")
}

func TestContainmentTreeService(t *testing.T) {
	// covers: BICEPS R0119, BICEPS R5030, BICEPS R5031, BICEPS R5032, BICEPS R5033, BICEPS R5034, BICEPS R5035
	inBubble(t, func(c *provider.Config) { c.ContainmentTree = true }, nil, func(t *testing.T, b *bench) {
		require.Equal(t, []string{sdc.ContainmentTreeService}, hostedTypes(t, b)["ContainmentTree"])
		tree := func(handles ...string) pm.ContainmentTree {
			r := mustCall[*msg.GetContainmentTreeResponse](b.peer, "ContainmentTree", sdc.ActionGetContainmentTree, &msg.GetContainmentTree{HandleRef: handles})
			require.Equal(t, b.dev.MDIB().Version().MdibVersion, r.MdibVersion)
			return r.ContainmentTree
		}
		entries := func(tree pm.ContainmentTree) (handles []string) {
			for _, e := range tree.Entry {
				handles = append(handles, e.HandleRef)
			}
			return handles
		}
		require.Equal(t, []string{"mds", "mds2"}, entries(tree()))
		require.Empty(t, tree().HandleRef)

		two := tree("num", "nowhere", "wave", "num")
		require.Equal(t, []string{"num", "wave"}, entries(two))
		require.Equal(t, "ch", two.HandleRef, "the parent the entries share")
		require.Equal(t, "vmd", two.ParentHandleRef)
		require.Equal(t, int32(5), two.ChildrenCount.Or(0))
		require.Equal(t, pm.QName{Space: pm.Namespace, Local: "ChannelDescriptor"}, two.EntryType.Or(pm.QName{}))
		require.Equal(t, "ch", two.Entry[0].ParentHandleRef)
		require.Equal(t, pm.QName{Space: pm.Namespace, Local: "NumericMetricDescriptor"}, two.Entry[0].EntryType.Or(pm.QName{}))
		require.Equal(t, int32(0), two.Entry[0].ChildrenCount.Or(-1))
		require.Equal(t, "151562", two.Entry[0].Type.Code)

		mixed := tree("num", "clock")
		require.Equal(t, []string{"num", "clock"}, entries(mixed))
		require.Empty(t, mixed.HandleRef)
		require.Empty(t, entries(tree("nowhere", "loc.1")), "a context state is no descriptor")

		get := func(handles ...string) []pm.Descriptor {
			return mustCall[*msg.GetDescriptorResponse](b.peer, "ContainmentTree", sdc.ActionGetDescriptor, &msg.GetDescriptor{HandleRef: handles}).Descriptor
		}
		all := get()
		require.Len(t, all, b.dev.MDIB().Len())
		for _, d := range append(all, get("vmd", "nowhere", "mds", "vmd")...) {
			have, ok := b.dev.MDIB().Descriptor(d.Base().Handle)
			require.True(t, ok)
			require.True(t, pm.EqualDescriptor(have, d), "%s as it is, without children", d.Base().Handle)
		}
		require.Len(t, get("vmd", "nowhere", "mds", "vmd"), 2)

		_, err := call[*msg.GetDescriptorResponse](b.peer, "ContainmentTree", sdc.ActionGetDescriptor, &msg.GetContainmentTree{})
		requireSender(t, err, "")
	})
}

// withContexts puts contexts into the MDIB: a former and a current patient beside the location that is there.
func withContexts(t *testing.T, dev *provider.Provider) {
	t.Helper()
	for _, p := range []struct {
		handle, name, id string
		association      pm.ContextAssociation
	}{{"p1", "Doe", "4711", pm.ContextAssociationAssoc}, {"p2", "O'Hara", "4712", pm.ContextAssociationAssoc}} {
		require.NoError(t, dev.Update(func(tx *mdib.Tx) error {
			s := patient(p.handle, p.association, p.name)
			s.Identification = []pm.InstanceIdentifier{{Root: "urn:hospital", Extension: p.id}, {Extension: "x" + p.id}}
			_, err := tx.InsertContextState(s)
			return err
		}))
	}
}

func handlesOf(states []pm.ContextState) (handles []string) {
	for _, s := range states {
		handles = append(handles, s.BaseMulti().Handle)
	}
	return handles
}

func contextType(local string) pm.Opt[pm.QName] {
	return pm.Some(pm.QName{Space: pm.Namespace, Local: local})
}

func TestContextStatesByIdentification(t *testing.T) {
	// covers: BICEPS R5036, BICEPS R5037
	inBubble(t, func(c *provider.Config) { c.ContextQueries = true }, nil, func(t *testing.T, b *bench) {
		withContexts(t, b.dev)
		id := func(root, extension string) pm.InstanceIdentifier {
			return pm.InstanceIdentifier{Root: root, Extension: extension}
		}
		for name, c := range map[string]struct {
			of   pm.Opt[pm.QName]
			ids  []pm.InstanceIdentifier
			want []string
		}{
			"none":                   {},
			"one":                    {ids: []pm.InstanceIdentifier{id("urn:hospital", "4711")}, want: []string{"p1"}},
			"both":                   {ids: []pm.InstanceIdentifier{id("urn:hospital", "4712"), id("", "x4712")}, want: []string{"p2"}},
			"the null flavour":       {ids: []pm.InstanceIdentifier{id("biceps.uri.unk", "x4712")}, want: []string{"p2"}},
			"of two patients":        {ids: []pm.InstanceIdentifier{id("urn:hospital", "4712"), id("", "x4711")}},
			"another root":           {ids: []pm.InstanceIdentifier{id("urn:clinic", "4712")}},
			"of that type":           {of: contextType("PatientContextState"), ids: []pm.InstanceIdentifier{id("urn:hospital", "4711")}, want: []string{"p1"}},
			"of the base type":       {of: contextType("AbstractContextState"), ids: []pm.InstanceIdentifier{id("urn:hospital", "4711")}, want: []string{"p1"}},
			"of another type":        {of: contextType("LocationContextState"), ids: []pm.InstanceIdentifier{id("urn:hospital", "4711")}},
			"of a type that is none": {of: contextType("Nonsense"), ids: []pm.InstanceIdentifier{id("urn:hospital", "4711")}},
		} {
			r := mustCall[*msg.GetContextStatesByIdentificationResponse](b.peer, "StateEvent", sdc.ActionGetContextStatesByIdentification,
				&msg.GetContextStatesByIdentification{ContextType: c.of, Identification: c.ids})
			require.Equal(t, c.want, handlesOf(r.ContextState), name)
			require.Equal(t, b.dev.MDIB().Version().MdibVersion, r.MdibVersion)
		}
		_, err := call[*msg.GetContextStatesByIdentificationResponse](b.peer, "StateEvent", sdc.ActionGetContextStatesByIdentification,
			&msg.GetContextStatesByIdentification{Identification: make([]pm.InstanceIdentifier, 1001)})
		requireSender(t, err, "more than 1000")
	})
}

func TestContextStatesByFilter(t *testing.T) {
	// covers: BICEPS R5043, BICEPS R5044, BICEPS R5045
	inBubble(t, func(c *provider.Config) { c.ContextQueries = true }, nil, func(t *testing.T, b *bench) {
		withContexts(t, b.dev)
		ask := func(of pm.Opt[pm.QName], filters ...string) ([]string, error) {
			r, err := call[*msg.GetContextStatesByFilterResponse](b.peer, "StateEvent", sdc.ActionGetContextStatesByFilter,
				&msg.GetContextStatesByFilter{ContextType: of, Filter: filters})
			if err != nil {
				return nil, err
			}
			return handlesOf(r.ContextState), nil
		}
		for filter, want := range map[string][]string{
			`pm:State`:                              {"p1", "p2", "loc.1"},
			`*`:                                     {"p1", "p2", "loc.1"},
			`/pm:MdState/pm:State[@Handle='p2']`:    {"p2"},
			`pm:MdState/pm:State[ @Handle = "p2" ]`: {"p2"},
			`State[@xsi:type='dom:PatientContextState']`:                      {"p1", "p2"},
			`//pm:Identification[@Root='urn:hospital' and @Extension='4711']`: {"p1"},
			`//Identification[@Root='urn:hospital'][@Extension=4711]`:         {"p1"},
			`/MdState//@Bed`: {"loc.1"},
			`pm:State[pm:CoreData/pm:Familyname="O'Hara"]`:                                 {"p2"},
			`pm:State[pm:CoreData[pm:Familyname='Doe' or pm:Familyname="O'Hara"]]/@Handle`: {"p1", "p2"},
			`pm:State[pm:CoreData//Familyname[.='Doe']]`:                                   {"p1"},
			`pm:State[not(pm:CoreData)]`:                                                   {"loc.1"},
			`pm:State[@ContextAssociation='Assoc'][not(@Handle!='p2' and pm:CoreData)]`:    {"p2", "loc.1"},
			`pm:State[(@Handle='p1' or @Handle='loc.1') and not(contains(@Handle,'loc'))]`: {"p1"},
			`pm:State[starts-with(@Handle, 'p')]/pm:CoreData`:                              {"p1", "p2"},
			`pm:State[contains(pm:Nothing, 'p')]`:                                          nil,
			`pm:State/pm:LocationDetail[@PoC='ICU']/@*`:                                    {"loc.1"},
			`pm:State[@UnbindingMdibVersion=2]`:                                            {"p1"},
			`pm:State[@Nothing]`:                                                           nil,
			`pm:State/.[@Handle='p1']/./@Handle`:                                           {"p1"},
			`pm:MdDescription`:                                                             nil,
		} {
			got, err := ask(pm.Opt[pm.QName]{}, filter)
			require.NoError(t, err, filter)
			require.Equal(t, want, got, filter)
		}
		got, err := ask(contextType("LocationContextState"), "pm:State")
		require.NoError(t, err)
		require.Equal(t, []string{"loc.1"}, got)
		got, err = ask(pm.Opt[pm.QName]{}, "pm:State[pm:CoreData]", "pm:State[@ContextAssociation='Dis']")
		require.NoError(t, err)
		require.Equal(t, []string{"p1"}, got, "filters are joined by and")
		got, err = ask(pm.Opt[pm.QName]{})
		require.NoError(t, err)
		require.Empty(t, got, "no filter, no states")

		for filter, says := range map[string]string{
			``:                                   "name is expected",
			`pm:State[`:                          "name is expected",
			`pm:State[1]`:                        "name is expected",
			`pm:State[@Handle='x'`:               "] is expected",
			`pm:State[@Handle='x]`:               "does not end",
			`pm:State[@Handle=x]`:                "text in quotes",
			`pm:State[count(pm:Validator)=2]`:    "function count",
			`pm:State[position()=1]`:             "function position",
			`pm:State/child::node()`:             "axes",
			`pm:State/..`:                        "parent",
			`pm:State/@Handle/x`:                 "below an attribute",
			`pm:State | pm:X`:                    "not understood",
			`pm:State[@a < 2]`:                   "] is expected",
			`/`:                                  "absolute path",
			`/pm:MdState`:                        "path below it",
			`/pm:Mdib/pm:MdState/pm:State`:       "absolute path",
			`pm:State[contains(@Handle 'x')]`:    "comma",
			`pm:State[contains(@Handle,'x']`:     ") is expected",
			`pm:State[not(@Handle]`:              ") is expected",
			strings.Repeat("a", 5000):            "longer than",
			"a" + strings.Repeat("[a", 40):       "too deeply",
			"a[" + strings.Repeat("(", 40) + "b": "too deeply",
		} {
			_, err := ask(pm.Opt[pm.QName]{}, filter)
			requireSender(t, err, says)
		}
		_, err = ask(pm.Opt[pm.QName]{}, make([]string, 65)...)
		requireSender(t, err, "more than 64")
		_, err = ask(pm.Opt[pm.QName]{}, "//*[not("+strings.Repeat(".//", 1000)+"x)]")
		requireSender(t, err, "too much work")
	})
}

func FuzzContextFilter(f *testing.F) {
	for _, s := range []string{"pm:State", "//a[@b='c' and not(d)]", "/pm:MdState/x[contains(.,'y') or z=1.5]", "a[b[c", "@*", "."} {
		f.Add(s)
	}
	state := patient("p", pm.ContextAssociationAssoc, "Doe")
	f.Fuzz(func(t *testing.T, filter string) {
		begin := time.Now()
		_, _ = provider.MatchContextFilter(filter, state)
		if d := time.Since(begin); d > 5*time.Second {
			t.Errorf("%q took %v", filter, d)
		}
	})
}
