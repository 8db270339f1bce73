package provider_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/soap"
)

func TestGetMdib(t *testing.T) {
	// covers: BICEPS R0021, SDPi R7002
	inBubble(t, nil, nil, func(t *testing.T, b *bench) {
		r := mustCall[*msg.GetMdibResponse](b.peer, "Get", sdc.ActionGetMdib, &msg.GetMdib{})
		require.NotNil(t, r.Mdib.MdState)
		back, err := mdib.FromMdib(&r.Mdib)
		require.NoError(t, err)
		require.True(t, b.dev.MDIB().Equal(back), "what is sent is what there is")
		require.Equal(t, b.dev.MDIB().Version().MdibVersion, r.MdibVersion)
		require.Equal(t, b.dev.MDIB().Version().SequenceID, r.SequenceId)
		var contexts int
		for _, s := range r.Mdib.MdState.State {
			if _, ok := s.(pm.ContextState); ok {
				contexts++
			}
		}
		all := mustCall[*msg.GetContextStatesResponse](b.peer, "StateEvent", sdc.ActionGetContextStates, &msg.GetContextStates{})
		require.Len(t, all.ContextState, contexts)

		require.NoError(t, b.dev.Update(setNum("12.5")))
		next := mustCall[*msg.GetMdibResponse](b.peer, "Get", sdc.ActionGetMdib, &msg.GetMdib{})
		require.Equal(t, r.MdibVersion+1, next.MdibVersion, "the cache follows the version")
	})
}

func TestGetMdDescription(t *testing.T) {
	// covers: BICEPS C-55_0, COEX-6
	inBubble(t, nil, nil, func(t *testing.T, b *bench) {
		for name, c := range map[string]struct{ handles, want []string }{
			"none":                 {nil, []string{"mds", "mds2"}},
			"an MDS":               {[]string{"mds2"}, []string{"mds2"}},
			"a descendant":         {[]string{"num"}, []string{"mds"}},
			"a context state":      {[]string{"loc.1"}, []string{"mds"}},
			"both, one twice":      {[]string{"loc2", "clock2", "mds"}, []string{"mds", "mds2"}},
			"unknown beside known": {[]string{"nowhere", "clock"}, []string{"mds"}},
			"unknown only":         {[]string{"nowhere"}, nil},
		} {
			r := mustCall[*msg.GetMdDescriptionResponse](b.peer, "Get", sdc.ActionGetMdDescription, &msg.GetMdDescription{HandleRef: c.handles})
			var got []string
			for _, mds := range r.MdDescription.Mds {
				got = append(got, mds.Handle)
			}
			require.Equal(t, c.want, got, name)
			require.Equal(t, b.dev.MDIB().Version().MdibVersion, r.MdibVersion)
		}
		whole := mustCall[*msg.GetMdDescriptionResponse](b.peer, "Get", sdc.ActionGetMdDescription, &msg.GetMdDescription{HandleRef: []string{"num"}})
		require.NotEmpty(t, whole.MdDescription.Mds[0].Vmd, "an MDS comes with its whole tree")
	})
}

func TestGetMdState(t *testing.T) {
	// covers: BICEPS C-62, COEX-6
	inBubble(t, nil, nil, func(t *testing.T, b *bench) {
		all := mustCall[*msg.GetMdStateResponse](b.peer, "Get", sdc.ActionGetMdState, &msg.GetMdState{})
		want := mustCall[*msg.GetMdibResponse](b.peer, "Get", sdc.ActionGetMdib, &msg.GetMdib{}).Mdib.MdState.State
		require.Len(t, all.MdState.State, len(want))
		for name, c := range map[string]struct{ handles, want []string }{
			"a descriptor":             {[]string{"num"}, []string{"num"}},
			"a context descriptor":     {[]string{"loc"}, []string{"loc.1"}},
			"a context state":          {[]string{"loc.1"}, []string{"loc.1"}},
			"an MDS is all below":      {[]string{"mds2"}, []string{"clock2", "mds2", "sys2"}},
			"union, each once":         {[]string{"clock2", "mds2", "num", "num"}, []string{"clock2", "mds2", "num", "sys2"}},
			"unknown handles are none": {[]string{"nowhere"}, nil},
			"unknown beside known":     {[]string{"nowhere", "ch"}, []string{"ch"}},
		} {
			r := mustCall[*msg.GetMdStateResponse](b.peer, "Get", sdc.ActionGetMdState, &msg.GetMdState{HandleRef: c.handles})
			var got []string
			for _, s := range r.MdState.State {
				got = append(got, pm.HandleOf(s))
			}
			require.ElementsMatch(t, c.want, got, name)
		}
	})
}

func TestGetContextStates(t *testing.T) {
	// covers: BICEPS R5039, BICEPS R5040, BICEPS R5041, BICEPS R5042, COEX-6
	inBubble(t, nil, nil, func(t *testing.T, b *bench) {
		require.NoError(t, b.dev.SetLocation(sdc.LocationDetail{Facility: "HOSP", Bed: "9"}))
		location := func(mds string) (handles []string) {
			for s := range b.dev.MDIB().ContextStates(mds) {
				handles = append(handles, pm.HandleOf(s))
			}
			return handles
		}
		first, second := location("loc"), location("loc2")
		require.Len(t, first, 2, "the former location is kept, disassociated")
		require.Len(t, second, 1)
		for name, c := range map[string]struct{ handles, want []string }{
			"none":                 {nil, append(append([]string{}, first...), second...)},
			"a descriptor":         {[]string{"loc"}, first},
			"a state":              {[]string{"loc.1"}, []string{"loc.1"}},
			"an MDS":               {[]string{"mds2"}, second},
			"mixed":                {[]string{"loc.1", "mds2", "loc.1"}, append([]string{"loc.1"}, second...)},
			"without any states":   {[]string{"pat"}, nil},
			"no context":           {[]string{"num"}, nil},
			"unknown":              {[]string{"nowhere"}, nil},
			"unknown beside known": {[]string{"nowhere", "loc2"}, second},
		} {
			r := mustCall[*msg.GetContextStatesResponse](b.peer, "StateEvent", sdc.ActionGetContextStates, &msg.GetContextStates{HandleRef: c.handles})
			var got []string
			for _, s := range r.ContextState {
				got = append(got, pm.HandleOf(s))
			}
			require.ElementsMatch(t, c.want, got, name)
		}
	})
}

func TestBadRequests(t *testing.T) {
	// covers: MDPWS R0012, DPWS R0013
	inBubble(t, nil, nil, func(t *testing.T, b *bench) {
		before := b.dev.MDIB()
		for name, c := range map[string]struct {
			service, action string
			body            soap.Body
			want            string
		}{
			"wrong body":           {"Get", sdc.ActionGetMdib, &msg.GetMdState{}, "Sender"},
			"empty body":           {"Get", sdc.ActionGetMdib, nil, "Sender"},
			"unknown action":       {"Get", "urn:unknown", &msg.GetMdib{}, "Sender"},
			"action of the others": {"Get", sdc.ActionSetValue, &msg.SetValue{}, "Sender"},
			"set on the context":   {"Set", sdc.ActionSetContextState, &msg.GetMdib{}, "Sender"},
			"broken content": {"Set", sdc.ActionSetValue, soap.RawBody(`<msg:SetValue xmlns:msg="` + sdc.NamespaceMessage +
				`"><msg:OperationHandleRef>value.set</msg:OperationHandleRef><msg:RequestedNumericValue>1e3</msg:RequestedNumericValue></msg:SetValue>`), "Sender"},
			"two bodies": {"Get", sdc.ActionGetMdib, soap.RawBody(`<msg:GetMdib xmlns:msg="` + sdc.NamespaceMessage + `"/><msg:GetMdib xmlns:msg="` + sdc.NamespaceMessage + `"/>`), "Sender"},
		} {
			_, err := b.peer.client.Call(t.Context(), soap.NewEndpoint(b.peer.device+"/"+c.service), c.action, c.body)
			var fault *soap.Fault
			require.ErrorAs(t, err, &fault, name)
			require.Equal(t, c.want, string(fault.Code), name)
			require.Equal(t, 400, fault.Status, name)
		}
		require.Same(t, before, b.dev.MDIB())
		mustCall[*msg.GetMdibResponse](b.peer, "Get", sdc.ActionGetMdib, &msg.GetMdib{})
	})
}
