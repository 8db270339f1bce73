package t2iapi_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/semeco/go-sdc/internal/testkit/bubble"
	"github.com/semeco/go-sdc/internal/testkit/memnet"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/simulators/reference"
	"github.com/semeco/go-sdc/t2iapi"
	"github.com/semeco/go-sdc/t2iapi/t2ipb"
)

// implemented are the calls that do something.
func implemented() map[protoreflect.Name]bool {
	return map[protoreflect.Name]bool{
		"SendHello": true, "GetRemovableDescriptorsOfClass": true, "RemoveDescriptor": true, "InsertDescriptor": true,
		"TriggerDescriptorUpdate": true, "TriggerAnyDescriptorUpdate": true, "TriggerReport": true,
		"SetLocationDetail": true, "CreateContextStateWithAssociation": true,
		"CreateContextStateWithAssocAndBindingMdibVersion": true, "CreateContextStateWithAssocAndUnbindingMdibVersion": true,
		"SetAlertActivation": true, "SetComponentActivation": true, "SetSystemSignalActivation": true,
		"SetAlertConditionPresence": true, "SetMetricStatus": true, "CreateNewContextStateWithAssociation": true,
		"SetOperatingMode": true, "SetComponentActivationAndSetOperatingMode": true, "SetAlertActivationAndSetOperatingMode": true,
		"CreateContextStateWithAssociationAndSetOperatingMode": true,
	}
}

// TestOthersAreNotImplemented calls every method of the seven services with an empty request.
func TestOthersAreNotImplemented(t *testing.T) {
	b := start(t)
	before := b.dev.MDIB().Version()
	called, known := 0, 0
	for _, service := range []protoreflect.FullName{
		"t2iapi.device.DeviceService", "t2iapi.context.ContextService", "t2iapi.activation_state.ActivationStateService",
		"t2iapi.alert.AlertService", "t2iapi.metric.MetricService", "t2iapi.operation.OperationService", "t2iapi.combined.CombinedService",
	} {
		d, err := protoregistry.GlobalFiles.FindDescriptorByName(service)
		require.NoError(t, err)
		methods := d.(protoreflect.ServiceDescriptor).Methods()
		for i := range methods.Len() {
			m := methods.Get(i)
			if implemented()[m.Name()] {
				known++
				continue
			}
			in, err := protoregistry.GlobalTypes.FindMessageByName(m.Input().FullName())
			require.NoError(t, err)
			out, err := protoregistry.GlobalTypes.FindMessageByName(m.Output().FullName())
			require.NoError(t, err)
			resp := out.New().Interface()
			require.NoError(t, b.conn.Invoke(t.Context(), "/"+string(service)+"/"+string(m.Name()), in.New().Interface(), resp))
			require.Equal(t, t2ipb.Result_RESULT_NOT_IMPLEMENTED, resultIn(resp), m.FullName())
			called++
		}
	}
	require.Len(t, implemented(), known)
	require.Greater(t, called, 60)
	require.Equal(t, before, b.dev.MDIB().Version())

	err := b.conn.Invoke(t.Context(), "/t2iapi.device.DeviceService/Explode", &t2ipb.BasicHandleRequest{}, &t2ipb.BasicResponse{})
	require.Equal(t, codes.Unimplemented, status.Code(err), "no such method")
}

// resultIn finds the result in an answer.
func resultIn(m proto.Message) t2ipb.Result {
	if r, ok := m.(*t2ipb.BasicResponse); ok {
		return r.GetResult()
	}
	result := t2ipb.Result_RESULT_FAIL
	m.ProtoReflect().Range(func(_ protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if inner, ok := v.Interface().(protoreflect.Message); ok {
			if r, ok := inner.Interface().(*t2ipb.BasicResponse); ok {
				result = r.GetResult()
			}
		}
		return true
	})
	return result
}

func TestLimits(t *testing.T) {
	b := start(t)
	client := t2ipb.NewDeviceServiceClient(b.conn)
	_, err := client.RemoveDescriptor(t.Context(), handle(string(make([]byte, 1<<17))))
	require.Equal(t, codes.ResourceExhausted, status.Code(err))
	refused(b, fail, client.RemoveDescriptor, handle("umlauts äöü and \n control characters"))
}

func TestListenOnLoopbackOnly(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", ":0", "192.0.2.1:0", "localhost:0", "[::]:0", "127.0.0.1", ""} {
		_, err := t2iapi.Listen(t.Context(), address)
		require.Error(t, err, address)
	}
	ln, err := t2iapi.Listen(t.Context(), "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, ln.Close())
}

func TestNewRefuses(t *testing.T) {
	_, err := t2iapi.New(t2iapi.Config{})
	require.Error(t, err)
	b := start(t)
	_, err = t2iapi.New(t2iapi.Config{Device: b.dev, Removable: []string{"nobody"}})
	require.ErrorIs(t, err, mdib.ErrUnknownHandle)
}

func TestServeTellsOfABrokenListener(t *testing.T) {
	b := start(t)
	server, err := t2iapi.New(t2iapi.Config{Device: b.dev})
	require.NoError(t, err)
	ln, err := t2iapi.Listen(t.Context(), "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, ln.Close())
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	err = server.Serve(ctx, ln)
	require.Error(t, err)
	require.False(t, errors.Is(err, grpc.ErrServerStopped))
}

// Connections that say nothing do not take the device's descriptors: beyond the bound they are closed at once, and those that never begin are given up.
func TestConnectionsAreBounded(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		network := memnet.New(memnet.Config{})
		defer network.Close()
		sim, err := reference.New(reference.Config{})
		require.NoError(t, err)
		dev, err := provider.New(provider.Config{MDIB: sim.MDIB(), Insecure: true, Transport: &ether{}})
		require.NoError(t, err)
		server, err := t2iapi.New(t2iapi.Config{Device: dev})
		require.NoError(t, err)
		ln, err := network.Host("192.0.2.1").Listen(0)
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- server.Serve(ctx, ln) }()
		defer func() {
			cancel()
			require.NoError(t, <-served)
		}()

		// lasts is how long a connection is kept that says nothing.
		began := time.Now()
		lasts := func(c net.Conn) time.Duration {
			_, err := io.Copy(io.Discard, c)
			require.NoError(t, err)
			return time.Since(began)
		}
		var conns []net.Conn
		for range 24 {
			c, err := network.Host("192.0.2.2").Dial(t.Context(), "tcp", ln.Addr().String())
			require.NoError(t, err)
			conns = append(conns, c)
		}
		for _, c := range conns[16:] {
			require.Zero(t, lasts(c))
		}
		for _, c := range conns[:16] {
			require.Equal(t, 5*time.Second, lasts(c))
		}
		synctest.Wait()
		c, err := network.Host("192.0.2.2").Dial(t.Context(), "tcp", ln.Addr().String())
		require.NoError(t, err)
		require.Equal(t, 10*time.Second, lasts(c), "there is room again")
	})
}
