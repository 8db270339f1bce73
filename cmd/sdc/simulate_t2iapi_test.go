package main

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/semeco/go-sdc/t2iapi/t2ipb"
)

func TestSimulateServesTestCalls(t *testing.T) {
	// covers: BICEPS C-7, BICEPS R5042
	a := simulated(t, "reference", "--insecure", "--t2iapi", "127.0.0.1:0", "--discovery-port", port(t))
	conn, err := grpc.NewClient(a.T2IAPI, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer conn.Close() //nolint:errcheck // nothing depends on it
	client := t2ipb.NewDeviceServiceClient(conn)
	resp, err := client.GetRemovableDescriptorsOfClass(t.Context(), &t2ipb.GetRemovableDescriptorsOfClassRequest{DescriptorClass: t2ipb.DescriptorClass_DESCRIPTOR_CLASS_MDS})
	require.NoError(t, err)
	require.Equal(t, []string{"mds1"}, resp.GetHandle())
	for _, calling := range []func() (*t2ipb.BasicResponse, error){
		func() (*t2ipb.BasicResponse, error) { return client.SendHello(t.Context(), nil) },
		func() (*t2ipb.BasicResponse, error) {
			return client.InsertDescriptor(t.Context(), &t2ipb.BasicHandleRequest{Handle: "mds1"})
		},
	} {
		code, out, errs := call(t, "tree", a.XAddrs[0], "--insecure")
		require.Equal(t, exitOK, code, errs)
		require.Contains(t, out, "mds0")
		require.NotContains(t, out, "mds1", "one MDS until a test puts another in")
		answer, err := calling()
		require.NoError(t, err)
		require.Equal(t, t2ipb.Result_RESULT_SUCCESS, answer.GetResult())
	}
	code, out, errs := call(t, "tree", a.XAddrs[0], "--insecure")
	require.Equal(t, exitOK, code, errs)
	require.Contains(t, out, "mds1.vmd")

	code, _, errs = call(t, "simulate", "reference", "--insecure", "--t2iapi", "0.0.0.0:0")
	require.Equal(t, exitFailed, code)
	require.Contains(t, errs, "loopback")
	code, _, _ = call(t, "simulate", "reference", "--insecure", "--t2iapi", a.T2IAPI)
	require.Equal(t, exitFailed, code, "the address is taken")
}
