package pairtest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/localization"
	"github.com/semeco/go-sdc/sdc/provider"
)

func TestQueries(t *testing.T) {
	// covers: SDPi-R DEV-37
	texts, err := localization.New(
		localization.Text{Ref: "hello", Version: 1, Lang: "en", Content: "hello"},
		localization.Text{Ref: "hello", Version: 1, Lang: "de", Content: "hallo"},
		localization.Text{Ref: "hello", Version: 2, Lang: "de", Content: "Hallo"},
	)
	require.NoError(t, err)
	s := setup{provider: func(c *provider.Config) {
		c.ContainmentTree, c.Localization, c.MaxSubscription = true, texts, 10*time.Second
	}}
	inBubble(t, s, func(t *testing.T, p *pair) {
		d := p.connect(t)
		ctx, snap := t.Context(), d.MDIB()
		var vmd, location string
		for e := range snap.Entities() {
			switch e.Descriptor.(type) {
			case *pm.VmdDescriptor:
				vmd = e.Handle
			case *pm.LocationContextDescriptor:
				if len(e.Contexts) > 0 {
					location = e.Handle
				}
			}
		}

		states, err := d.GetMdState(ctx)
		require.NoError(t, err)
		require.Len(t, states.MdState.State, snap.NumStates())
		require.Equal(t, snap.Version(), mdib.VersionOf(states.MdibVersionGroup))
		states, err = d.GetMdState(ctx, vmd, "no such handle")
		require.NoError(t, err)
		require.Len(t, states.MdState.State, 1)
		require.Equal(t, vmd, states.MdState.State[0].BaseState().DescriptorHandle)

		description, err := d.GetMdDescription(ctx, vmd)
		require.NoError(t, err)
		require.Len(t, description.MdDescription.Mds, 1)

		contexts, err := d.GetContextStates(ctx, location)
		require.NoError(t, err)
		require.NotEmpty(t, contexts.ContextState)
		for _, c := range contexts.ContextState {
			require.IsType(t, &pm.LocationContextState{}, c)
		}

		descriptors, err := d.GetDescriptor(ctx, vmd)
		require.NoError(t, err)
		require.Len(t, descriptors.Descriptor, 1)
		require.Equal(t, vmd, descriptors.Descriptor[0].Base().Handle)
		_, err = d.GetContainmentTree(ctx, vmd)
		require.NoError(t, err)

		languages, err := d.GetSupportedLanguages(ctx)
		require.NoError(t, err)
		require.ElementsMatch(t, []string{"en", "de"}, languages)
		all, err := d.GetLocalizedText(ctx, nil)
		require.NoError(t, err)
		require.Equal(t, "Hallo", all[0].Text, "no filter: the newest of all texts")
		got, err := d.GetLocalizedText(ctx, &msg.GetLocalizedText{Lang: []string{"de"}, Version: pm.Some[uint64](1)})
		require.NoError(t, err)
		require.Len(t, got, 1)
		require.Equal(t, "hallo", got[0].Text)

		subs := d.Subscriptions()
		require.NotEmpty(t, subs)
		for _, s := range subs {
			require.NoError(t, s.Err)
			require.Equal(t, 10*time.Second, s.Granted)
		}
		<-time.After(20 * time.Second) // virtual
		for i, s := range d.Subscriptions() {
			require.True(t, s.Expires.After(subs[i].Expires), "renewed")
		}
	})
}

func TestQueriesOfServicesThatAreNotThere(t *testing.T) {
	inBubble(t, setup{}, func(t *testing.T, p *pair) {
		d := p.connect(t)
		var none *consumer.ServiceError
		_, err := d.GetSupportedLanguages(t.Context())
		require.ErrorAs(t, err, &none)
		require.Equal(t, "LocalizationService", none.Service)
		_, err = d.GetLocalizedText(t.Context(), &msg.GetLocalizedText{})
		require.ErrorAs(t, err, &none)
		_, err = d.GetDescriptor(t.Context())
		require.ErrorAs(t, err, &none)
		require.Equal(t, "ContainmentTreeService", none.Service)
		_, err = d.GetContainmentTree(t.Context())
		require.ErrorAs(t, err, &none)
	})
}
