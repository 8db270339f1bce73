package pairtest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/localization"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/soap"
)

// lowPriority switches on every service that is off by default.
func lowPriority(t *testing.T) func(*provider.Config) {
	t.Helper()
	texts, err := localization.New(
		localization.Text{Ref: "hello", Version: 1, Lang: "en-US", Content: "Welcome"},
		localization.Text{Ref: "hello", Version: 1, Lang: "de", Content: "Willkommen"},
	)
	require.NoError(t, err)
	return func(c *provider.Config) {
		c.Localization, c.ContainmentTree, c.ContextQueries, c.Archive = texts, true, true, true
	}
}

func TestConsumerAsksTheLowPriorityServices(t *testing.T) {
	// covers: BICEPS R5032, BICEPS R5033, BICEPS R5037, BICEPS R5044, BICEPS R5049
	test := func(t *testing.T, p *pair) {
		d := p.connect(t)
		ctx := t.Context()

		langs, err := d.GetSupportedLanguages(ctx)
		require.NoError(t, err)
		require.Equal(t, []pm.Language{"en-US", "de"}, langs)
		texts, err := d.GetLocalizedText(ctx, &msg.GetLocalizedText{Lang: []pm.Language{"de"}, Version: pm.Some[uint64](1)})
		require.NoError(t, err)
		require.Len(t, texts, 1)
		require.Equal(t, "Willkommen", texts[0].Text)

		tree, err := d.GetContainmentTree(ctx)
		require.NoError(t, err)
		require.Len(t, tree.ContainmentTree.Entry, 2)
		one, err := d.GetDescriptor(ctx, "vmd", "nowhere")
		require.NoError(t, err)
		require.Len(t, one.Descriptor, 1)
		mirrored, _ := d.MDIB().Descriptor("vmd")
		require.True(t, pm.EqualDescriptor(mirrored, one.Descriptor[0]))

		byFilter, err := d.GetContextStatesByFilter(ctx, pm.Opt[pm.QName]{}, "pm:State[@ContextAssociation='Assoc']/pm:LocationDetail[@Bed='3']")
		require.NoError(t, err)
		require.Len(t, byFilter.ContextState, 1)
		var fault *soap.Fault
		_, err = d.GetContextStatesByFilter(ctx, pm.Opt[pm.QName]{}, "count(pm:State)")
		require.ErrorAs(t, err, &fault)
		require.Equal(t, soap.CodeSender, fault.Code)
		require.NoError(t, setNumber(p.dev, "1"))
		require.NoError(t, setNumber(p.dev, "2"))
		states, err := d.GetStatesFromArchive(ctx, &msg.GetStatesFromArchive{TimeFrame: &msg.TimeFrame{}, Handle: []string{"num"}})
		require.NoError(t, err)
		require.Len(t, states.State, 3)
		descriptors, err := d.GetDescriptorsFromArchive(ctx, &msg.GetDescriptorsFromArchive{DescriptorRevisions: &msg.VersionFrame{}, Handle: []string{"num", "vmd"}})
		require.NoError(t, err)
		require.Len(t, descriptors.Descriptor, 2)
		_, err = d.GetStatesFromArchive(ctx, &msg.GetStatesFromArchive{})
		require.ErrorAs(t, err, &fault)

		byID, err := d.GetContextStatesByIdentification(ctx, pm.Opt[pm.QName]{}, pm.InstanceIdentifier{Root: "urn:x"})
		require.NoError(t, err)
		require.Empty(t, byID.ContextState)
	}
	t.Run("in memory", func(t *testing.T) { inBubble(t, setup{provider: lowPriority(t)}, test) })
	t.Run("mutual TLS", func(t *testing.T) { overTLS(t, setup{provider: lowPriority(t)}, test) })
	t.Run("switched off", func(t *testing.T) {
		inBubble(t, setup{}, func(t *testing.T, p *pair) {
			d := p.connect(t)
			var missing *consumer.ServiceError
			_, err := d.GetSupportedLanguages(t.Context())
			require.ErrorAs(t, err, &missing)
			_, err = d.GetContainmentTree(t.Context())
			require.ErrorAs(t, err, &missing)
		})
	})
}

func TestContextsInTheTermsOfApplicationsReachTheMirror(t *testing.T) {
	// covers: BICEPS R0124, BICEPS R0133, BICEPS R0125
	overTLS(t, setup{}, func(t *testing.T, p *pair) {
		d := p.connect(t)
		f := follow(t, d)
		defer f.stop()
		check := func() {
			t.Helper()
			f.next("the change", version(p.dev.MDIB().Version().MdibVersion))
			require.True(t, d.MDIB().Equal(p.dev.MDIB()))
		}
		associated := func(descriptor string) (handles []string) {
			for s := range d.MDIB().Associated(descriptor) {
				handles = append(handles, s.BaseMulti().Handle)
			}
			return handles
		}
		who := func(extension string) provider.Context {
			return provider.Context{Identification: []pm.InstanceIdentifier{{Root: "urn:hospital", Extension: extension}}}
		}
		first, err := p.dev.AssociatePatient(who("1"), &pm.PatientDemographicsCoreData{BaseDemographics: pm.BaseDemographics{Familyname: "Doe"}})
		require.NoError(t, err)
		check()
		require.Equal(t, []string{first}, associated("pat"))
		second, err := p.dev.AssociatePatient(who("2"), nil)
		require.NoError(t, err)
		check()
		require.Equal(t, []string{second}, associated("pat"))
		require.NoError(t, p.dev.SetLocation(sdc.LocationDetail{Facility: "HOSP", Bed: "12"}))
		check()
		require.Len(t, associated("loc"), 1)
		require.NotEqual(t, "loc.1", associated("loc")[0])
		require.NoError(t, p.dev.DisassociatePatient(""))
		check()
		require.Empty(t, associated("pat"))
	})
}
