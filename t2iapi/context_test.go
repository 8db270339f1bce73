package t2iapi_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/t2iapi/t2ipb"
)

func TestSetLocationDetail(t *testing.T) {
	// covers: BICEPS R0133
	b := start(t)
	client := t2ipb.NewContextServiceClient(b.conn)
	for _, bed := range []string{"7", "8"} {
		succeeds(b, client.SetLocationDetail, &t2ipb.SetLocationDetailRequest{Location: &t2ipb.LocationDetail{
			Facility: wrapperspb.String("Hospital"), Poc: wrapperspb.String("ICU"), Bed: wrapperspb.String(bed),
		}})
		snap := b.last()
		for _, context := range []string{"mds0.location", "mds1.location"} {
			var associated []*pm.LocationDetail
			for c := range snap.Associated(context) {
				associated = append(associated, c.(*pm.LocationContextState).LocationDetail)
			}
			require.Equal(t, []*pm.LocationDetail{{Facility: "Hospital", PoC: "ICU", Bed: bed}}, associated)
		}
	}
	refused(b, fail, client.SetLocationDetail, &t2ipb.SetLocationDetailRequest{})
	refused(b, fail, client.SetLocationDetail, &t2ipb.SetLocationDetailRequest{Location: &t2ipb.LocationDetail{Room: wrapperspb.String(string(make([]byte, 5000)))}})
}

// created calls one of the three calls that make context states, all alike on the wire.
type created func(ctx context.Context, descriptor string, a t2ipb.ContextAssociation, opts ...grpc.CallOption) (*t2ipb.CreateContextStateWithAssociationResponse, error)

func (b *bench) created(fn created, descriptor string, a t2ipb.ContextAssociation) (handle string, result t2ipb.Result) {
	b.t.Helper()
	resp, reason := do(b, func(ctx context.Context, _ struct{}, opts ...grpc.CallOption) (*t2ipb.CreateContextStateWithAssociationResponse, error) {
		return fn(ctx, descriptor, a, opts...)
	}, struct{}{})
	require.Equal(b.t, resp.GetStatus().GetResult() == t2ipb.Result_RESULT_SUCCESS, reason == "", reason)
	require.Equal(b.t, reason == "", resp.GetContextStateHandle() != "")
	return resp.GetContextStateHandle(), resp.GetStatus().GetResult()
}

func TestCreateContextState(t *testing.T) {
	// covers: BICEPS R0097, BICEPS R0124, BICEPS R0133, BICEPS R0125, GLUE R0013, GLUE R0072
	b := start(t)
	client := t2ipb.NewContextServiceClient(b.conn)
	plain := func(ctx context.Context, d string, a t2ipb.ContextAssociation, opts ...grpc.CallOption) (*t2ipb.CreateContextStateWithAssociationResponse, error) {
		return client.CreateContextStateWithAssociation(ctx, &t2ipb.CreateContextStateWithAssociationRequest{DescriptorHandle: d, ContextAssociation: a}, opts...)
	}
	bound := func(ctx context.Context, d string, a t2ipb.ContextAssociation, opts ...grpc.CallOption) (*t2ipb.CreateContextStateWithAssociationResponse, error) {
		return client.CreateContextStateWithAssocAndBindingMdibVersion(ctx, &t2ipb.CreateContextStateWithAssocAndBindingMdibVersionRequest{DescriptorHandle: d, ContextAssociation: a}, opts...)
	}
	unbound := func(ctx context.Context, d string, a t2ipb.ContextAssociation, opts ...grpc.CallOption) (*t2ipb.CreateContextStateWithAssociationResponse, error) {
		return client.CreateContextStateWithAssocAndUnbindingMdibVersion(ctx, &t2ipb.CreateContextStateWithAssocAndUnbindingMdibVersionRequest{DescriptorHandle: d, ContextAssociation: a}, opts...)
	}
	const (
		no    = t2ipb.ContextAssociation_CONTEXT_ASSOCIATION_NOT_ASSOCIATED
		pre   = t2ipb.ContextAssociation_CONTEXT_ASSOCIATION_PRE_ASSOCIATED
		assoc = t2ipb.ContextAssociation_CONTEXT_ASSOCIATION_ASSOCIATED
		dis   = t2ipb.ContextAssociation_CONTEXT_ASSOCIATION_DISASSOCIATED
	)
	as := map[t2ipb.ContextAssociation]pm.ContextAssociation{
		no: pm.ContextAssociationNo, pre: pm.ContextAssociationPre, assoc: pm.ContextAssociationAssoc, dis: pm.ContextAssociationDis,
	}
	handles := map[string]bool{}
	for _, descriptor := range []string{
		"mds0.patient", "mds0.location", "mds0.ensemble", "mds0.operator", "mds0.workflow", "mds0.means", "mds1.patient", "mds1.location",
	} {
		for _, x := range []struct {
			fn             created
			a              t2ipb.ContextAssociation
			begun, hasEnd  bool
			cannotBeReally bool
		}{
			{fn: plain, a: no}, {fn: plain, a: pre}, {fn: plain, a: assoc, begun: true}, {fn: plain, a: assoc, begun: true}, {fn: plain, a: dis, begun: true, hasEnd: true},
			{fn: bound, a: assoc, begun: true}, {fn: bound, a: dis, begun: true, hasEnd: true}, {fn: bound, a: no, begun: true, hasEnd: true}, {fn: bound, a: pre, cannotBeReally: true},
			{fn: unbound, a: dis, begun: true, hasEnd: true}, {fn: unbound, a: no, begun: true, hasEnd: true}, {fn: unbound, a: assoc, cannotBeReally: true}, {fn: unbound, a: pre, cannotBeReally: true},
		} {
			before := b.dev.MDIB().Version()
			handle, result := b.created(x.fn, descriptor, x.a)
			if x.cannotBeReally {
				require.Equal(t, notSupported, result)
				require.Equal(t, before, b.dev.MDIB().Version())
				continue
			}
			require.Equal(t, t2ipb.Result_RESULT_SUCCESS, result)
			require.False(t, handles[handle], "always a new one")
			handles[handle] = true
			snap := b.last()
			s, ok := mdib.Get[pm.ContextState](snap, handle)
			require.True(t, ok)
			require.Equal(t, descriptor, s.BaseState().DescriptorHandle)
			base := s.BaseContext()
			require.Equal(t, as[x.a], base.ContextAssociationOrDefault())
			require.Equal(t, x.begun, base.BindingMdibVersion.IsSet())
			require.Equal(t, x.begun, base.BindingStartTime.IsSet())
			require.Equal(t, x.hasEnd, base.UnbindingMdibVersion.IsSet())
			require.Equal(t, x.hasEnd, base.BindingEndTime.IsSet())
			require.Len(t, base.Identification, 1)
			require.Len(t, base.Validator, 1)
			count := 0
			for range snap.Associated(descriptor) {
				count++
			}
			switch s.(type) {
			case *pm.PatientContextState, *pm.LocationContextState:
				require.LessOrEqual(t, count, 1)
			}
		}
	}
	for _, descriptor := range []string{"", "nobody", "mds0", "mds0.context"} {
		before := b.dev.MDIB().Version()
		_, result := b.created(plain, descriptor, assoc)
		require.Equal(t, fail, result, descriptor)
		require.Equal(t, before, b.dev.MDIB().Version())
	}
	_, result := b.created(plain, "mds0.patient", 17)
	require.Equal(t, fail, result)

	for range 60 {
		_, result := b.created(plain, "mds0.patient", assoc)
		require.Equal(t, t2ipb.Result_RESULT_SUCCESS, result)
	}
	left := 0
	for range b.dev.MDIB().ContextStates("mds0.patient") {
		left++
	}
	require.Less(t, left, 50, "contexts of the past leave; consumers are not told (BICEPS R5027)")
}
