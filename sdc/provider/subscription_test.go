package provider_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/soap"
	"github.com/semeco/go-sdc/soap/eventing"
)

// answered returns the first element of the given name in an answer, as text or, for an address, the text within.
func answered(t *testing.T, env *soap.Envelope, names ...string) (texts []string) {
	t.Helper()
	raw, err := env.Body().Raw()
	require.NoError(t, err)
	for _, name := range names {
		s := raw.Scanner()
		for found := false; !found; {
			kind, err := s.Next()
			require.NoError(t, err)
			require.NotEqual(t, xmlscan.EOF, kind, name)
			if kind == xmlscan.Start && s.Name().Local == name {
				text, err := s.Text()
				require.NoError(t, err)
				texts = append(texts, text)
				found = true
			}
		}
	}
	return texts
}

func TestSubscriptionManager(t *testing.T) {
	// covers: EVT-2, SDPi R7003, SDPi R7004, SDPi R7005, SDCcc subscription set
	inBubble(t, func(c *provider.Config) { c.MaxSubscription = 15 * time.Second }, nil, func(t *testing.T, b *bench) {
		var actions []string
		for _, s := range sdc.Services() {
			actions = append(actions, s.Notifications()...)
		}
		env, err := b.peer.subscribeRaw("StateEvent", "one", actions...)
		require.NoError(t, err, "actions of other services and ones that are never sent do no harm")
		got := answered(t, env, "Address", "Expires")
		require.Equal(t, "PT15S", got[1])
		manager := soap.NewEndpoint(got[0])

		<-time.After(10 * time.Second) // of the bubble
		renewed, err := b.peer.client.Call(t.Context(), manager, eventing.ActionRenew,
			soap.RawBody(`<wse:Renew xmlns:wse="`+xmlscan.NsEventing+`"><wse:Expires>PT1H</wse:Expires></wse:Renew>`))
		require.NoError(t, err)
		require.Equal(t, []string{"PT15S"}, answered(t, renewed, "Expires"))
		<-time.After(10 * time.Second)
		require.Equal(t, 1, b.dev.Stats().Subscriptions)
		require.NoError(t, b.dev.Update(setNum("1")))
		b.peer.take(1)
		<-time.After(10 * time.Second)
		require.Zero(t, b.dev.Stats().Subscriptions, "not renewed again")
		require.Equal(t, uint64(1), b.dev.Stats().Delivered)
	})
}

// TestChecksAgainBeforeItRuns: what was allowed when the request came may not be any more when its turn comes.
func TestChecksAgainBeforeItRuns(t *testing.T) {
	// covers: SCO-2
	var release chan struct{}
	prepare := func(p *provider.Provider) {
		release = make(chan struct{})
		p.SetInvocation("slow", provider.Delayed)
		p.SetInvocation("value.set", provider.Delayed)
		must(p.HandleActivate("slow", func(context.Context, *provider.Activate) error {
			<-release
			return nil
		}))
		must(p.HandleSetValue("value.set", func(context.Context, *provider.SetValue) error { panic("must not run") }))
	}
	inBubble(t, nil, prepare, func(t *testing.T, b *bench) {
		require.NoError(t, b.peer.subscribe("Set", "set", sdc.ActionOperationInvokedReport))
		mustCall[*msg.ActivateResponse](b.peer, "Set", sdc.ActionActivate, activate("slow"))
		mustCall[*msg.SetValueResponse](b.peer, "Set", sdc.ActionSetValue, setValue("value.set", "5"))
		b.peer.take(3) // Wait and Start of the one, Wait of the other
		require.NoError(t, b.dev.Update(edit("value.set", func(s *pm.SetValueOperationState) { s.OperatingMode = pm.OperatingModeNA })))
		close(release)
		notes := b.peer.take(3)
		require.Equal(t, msg.InvocationStateFin, invoked(t, notes[0]).InvocationInfo.InvocationState)
		require.Equal(t, msg.InvocationStateStart, invoked(t, notes[1]).InvocationInfo.InvocationState)
		last := invoked(t, notes[2]).InvocationInfo
		require.Equal(t, msg.InvocationStateFail, last.InvocationState)
		require.Contains(t, last.InvocationErrorMessage[0].Text, "NA")
	})
}
