package provider_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/audit"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/soap"
)

// trail collects the events of a device.
type trail struct {
	mu     sync.Mutex
	events []audit.Event
}

func (tr *trail) Record(e audit.Event) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.events = append(tr.events, e)
}

func (tr *trail) of(kind audit.Kind) []audit.Event {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	var out []audit.Event
	for _, e := range tr.events {
		if e.Kind == kind {
			out = append(out, e)
		}
	}
	return out
}

// TestReadOnlyByDefault: without a policy a trusted consumer reads and subscribes, and changes nothing.
func TestReadOnlyByDefault(t *testing.T) {
	tr := &trail{}
	overTLS(t, func(c *provider.Config) { c.Policy, c.Audit, c.ApplyProposals = nil, tr, true }, nil, func(t *testing.T, b *bench) {
		b.peer.subscribeAll()
		mustCall[*msg.GetMdibResponse](b.peer, "Get", sdc.ActionGetMdib, &msg.GetMdib{})
		before := b.dev.MDIB()
		r := mustCall[*msg.SetValueResponse](b.peer, "Set", sdc.ActionSetValue, setValue("value.set", "1"))
		require.Equal(t, msg.InvocationStateFail, r.InvocationInfo.InvocationState)
		require.Equal(t, msg.InvocationErrorOth, r.InvocationInfo.InvocationError)
		require.Contains(t, r.InvocationInfo.InvocationErrorMessage[0].Text, "not permitted")
		require.Same(t, before, b.dev.MDIB(), "nothing changed")
		require.Equal(t, msg.InvocationStateFail, invoked(t, b.peer.take(1)[0]).InvocationInfo.InvocationState, "refused in the open")

		wrong := mustCall[*msg.SetStringResponse](b.peer, "Set", sdc.ActionSetString, setString("string.set", "far too long a text"))
		require.Contains(t, wrong.InvocationInfo.InvocationErrorMessage[0].Text, "not permitted", "before anything is said of the argument")

		require.Len(t, tr.of(audit.Denied), 2)
		require.Empty(t, tr.of(audit.Invoked))
		e := tr.of(audit.Denied)[0]
		require.Equal(t, "value.set", e.Operation)
		require.Equal(t, sdc.Fingerprint(b.peer.cert), e.Fingerprint)
		require.NotZero(t, e.Time)
		require.Equal(t, b.dev.EPR(), e.Device)
	})
}

// TestCallersAreKnownEverywhere: who asks reaches the policy for every service and the handlers of operations, and the audit tells of all.
func TestCallersAreKnownEverywhere(t *testing.T) {
	// covers: SEC-4
	tr := &trail{}
	var mu sync.Mutex
	asked := map[provider.AccessKind]int{}
	var cert string
	policy := provider.PolicyFunc(func(ctx context.Context, a *provider.Access) error {
		mu.Lock()
		defer mu.Unlock()
		asked[a.Kind]++
		cert = a.Peer.Fingerprint()
		if a.MDIB == nil || a.Peer.Certificate == nil || a.Action == "" {
			return errors.New("something is missing")
		}
		return nil
	})
	overTLS(t, func(c *provider.Config) { c.Policy, c.Audit = policy, tr }, func(p *provider.Provider) {
		require.NoError(t, p.HandleSetValue("value.set", func(_ context.Context, call *provider.SetValue) error {
			if call.Peer.Certificate != call.Caller || call.Peer.Remote == "" {
				return errors.New("who is that?")
			}
			return nil
		}))
	}, func(t *testing.T, b *bench) {
		b.peer.subscribeAll()
		mustCall[*msg.GetMdibResponse](b.peer, "Get", sdc.ActionGetMdib, &msg.GetMdib{})
		r := mustCall[*msg.SetValueResponse](b.peer, "Set", sdc.ActionSetValue, setValue("value.set", "1"))
		require.Equal(t, msg.InvocationStateFin, r.InvocationInfo.InvocationState)
		mustCall[*msg.SetValueResponse](b.peer, "Set", sdc.ActionSetValue, setValue("nothing", "1"))
		want := sdc.Fingerprint(b.peer.cert)
		mu.Lock()
		require.Equal(t, want, cert)
		require.Equal(t, 1, asked[provider.AccessRead])
		require.Equal(t, 1, asked[provider.AccessControl], "of an operation that does not exist nobody is asked")
		require.Positive(t, asked[provider.AccessSubscribe])
		mu.Unlock()
		require.NotEmpty(t, tr.of(audit.Connected))
		require.Len(t, tr.of(audit.Read), 1)
		require.Len(t, tr.of(audit.Subscribed), asked[provider.AccessSubscribe])
		require.Len(t, tr.of(audit.Invoked), 2)
		ends := tr.of(audit.Finished)
		require.Equal(t, "Fin", ends[0].Outcome)
		require.Equal(t, r.InvocationInfo.TransactionId, ends[0].Transaction)
		require.Equal(t, "Fail Unkn", ends[1].Outcome)
		for _, e := range tr.events {
			require.Equal(t, want, e.Fingerprint, e.Kind)
			require.NotEmpty(t, e.Remote)
		}
	})
}

// TestDeniedRequests: a service that is not for a caller is a fault, and leaves nothing behind.
func TestDeniedRequests(t *testing.T) {
	tr := &trail{}
	no := provider.PolicyFunc(func(_ context.Context, a *provider.Access) error {
		if a.Kind == provider.AccessMetadata || a.Action == sdc.ActionGetMdState {
			return nil
		}
		return errors.New("not for you")
	})
	overTLS(t, func(c *provider.Config) { c.Policy, c.Audit = no, tr }, nil, func(t *testing.T, b *bench) {
		refused := func(err error) {
			t.Helper()
			var f *soap.Fault
			require.ErrorAs(t, err, &f)
			require.Equal(t, soap.CodeSender, f.Code)
			require.Equal(t, "FailedAuthentication", f.Subcodes[0].Local)
			require.Equal(t, http.StatusForbidden, f.Status)
			require.Contains(t, f.Reason, "not for you")
		}
		_, err := call[*msg.GetMdibResponse](b.peer, "Get", sdc.ActionGetMdib, &msg.GetMdib{})
		refused(err)
		_, err = call[*msg.GetContextStatesResponse](b.peer, "StateEvent", sdc.ActionGetContextStates, &msg.GetContextStates{})
		refused(err)
		refused(b.peer.subscribe("StateEvent", "x", sdc.ActionEpisodicMetricReport))
		require.Zero(t, b.dev.Stats().Granted)
		mustCall[*msg.GetMdStateResponse](b.peer, "Get", sdc.ActionGetMdState, &msg.GetMdState{})
		require.Len(t, tr.of(audit.Denied), 3)
	})
}

// TestRefusedPeersAreRecorded: the audit tells of handshakes that failed.
func TestRefusedPeersAreRecorded(t *testing.T) {
	tr := &trail{}
	overTLS(t, func(c *provider.Config) {
		c.Audit = tr
		c.Identity.Deny = sdc.PeerList{}
		p, err := sdc.ParsePeerPattern("cn:consumer")
		require.NoError(t, err)
		c.Identity.Deny = append(c.Identity.Deny, p)
	}, nil, func(t *testing.T, b *bench) {
		_, err := call[*msg.GetMdibResponse](b.peer, "Get", sdc.ActionGetMdib, &msg.GetMdib{})
		require.Error(t, err)
		e := tr.of(audit.Refused)
		require.NotEmpty(t, e)
		require.Equal(t, sdc.Fingerprint(b.peer.cert), e[0].Fingerprint)
		require.Contains(t, e[0].Reason, "deny list")
		require.Empty(t, tr.of(audit.Connected))
	})
}

// TestInsecureCallersAreUnknown: a bench without certificates controls by default; with a policy its callers have no identity.
func TestInsecureCallersAreUnknown(t *testing.T) {
	inBubble(t, applying, nil, func(t *testing.T, b *bench) {
		r := mustCall[*msg.SetValueResponse](b.peer, "Set", sdc.ActionSetValue, setValue("value.set", "1"))
		require.Equal(t, msg.InvocationStateFin, r.InvocationInfo.InvocationState)
	})
	inBubble(t, func(c *provider.Config) { c.Policy = provider.ReadOnly() }, nil, func(t *testing.T, b *bench) {
		r := mustCall[*msg.SetValueResponse](b.peer, "Set", sdc.ActionSetValue, setValue("value.set", "1"))
		require.Equal(t, msg.InvocationStateFail, r.InvocationInfo.InvocationState)
	})
}
