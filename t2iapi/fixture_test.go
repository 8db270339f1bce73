package t2iapi_test

import (
	"context"
	"iter"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/simulators/reference"
	"github.com/semeco/go-sdc/t2iapi"
	"github.com/semeco/go-sdc/t2iapi/t2ipb"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// ether is a discovery transport that keeps what is sent to the group.
type ether struct {
	mu   sync.Mutex
	sent []string
}

func (*ether) Serve(ctx context.Context, _ func(discovery.Datagram)) error {
	<-ctx.Done()
	return nil
}

func (e *ether) Multicast(data []byte) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sent = append(e.sent, string(data))
	return nil
}
func (*ether) Unicast(netip.AddrPort, []byte) error { return nil }
func (*ether) Close() error                         { return nil }

func (e *ether) all() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]string{}, e.sent...)
}

// bench is the reference device, which nothing animates, a consumer connected to it, and a test tool.
type bench struct {
	t     *testing.T
	dev   *provider.Provider
	ether *ether
	conn  *grpc.ClientConn
	held  []string

	consumer *consumer.Device
	told     *mdib.Snapshot // after the last update that was looked at
	next     func() (consumer.Update, error, bool)
}

func start(t *testing.T) *bench {
	t.Helper()
	return startWith(t, t2iapi.Config{})
}

func startWith(t *testing.T, cfg t2iapi.Config) *bench {
	t.Helper()
	b := &bench{t: t, ether: &ether{}}
	sim, err := reference.New(reference.Config{})
	require.NoError(t, err)
	b.dev, err = provider.New(provider.Config{
		MDIB: sim.MDIB(), Insecure: true, Transport: b.ether, Timing: discovery.Timing{HelloDelay: time.Hour, Repeat: -1},
	})
	require.NoError(t, err)
	require.NoError(t, sim.Attach(b.dev))
	require.NoError(t, b.dev.Update(func(tx *mdib.Tx) error {
		return tx.SetNumeric("mds0.vitals.rate", pm.MustDecimal("72"), time.Now())
	}))
	require.NoError(t, b.dev.Update(func(tx *mdib.Tx) error {
		return tx.SetSamples("mds0.waves.slow", pm.Samples{pm.MustDecimal("1"), pm.MustDecimal("2")}, time.Now())
	}))
	b.run("device", b.dev.Run)
	<-b.dev.Ready()

	ln, err := t2iapi.Listen(t.Context(), "127.0.0.1:0")
	require.NoError(t, err)
	cfg.Device, cfg.Hold = b.dev, func(h string) { b.held = append(b.held, h) }
	server, err := t2iapi.New(cfg)
	require.NoError(t, err)
	b.run("server", func(ctx context.Context) error { return server.Serve(ctx, ln) })
	b.conn, err = grpc.NewClient(ln.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.conn.Close()) })

	c, err := consumer.New(t.Context(), consumer.Config{Insecure: true, UpdateQueue: 1 << 12})
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		require.NoError(t, c.Close(ctx))
	})
	d, err := c.Connect(t.Context(), discovery.Endpoint{EPR: b.dev.EPR(), XAddrs: b.dev.XAddrs()})
	require.NoError(t, err)
	b.consumer = d
	next, stop := iter.Pull2(d.Updates(t.Context()))
	t.Cleanup(stop)
	b.next = next
	u, err, ok := next()
	require.NoError(t, err)
	require.True(t, ok)
	b.told = u.Snapshot
	return b
}

// run keeps something running until the test ends.
func (b *bench) run(what string, fn func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- fn(ctx) }()
	b.t.Cleanup(func() {
		cancel()
		require.NoError(b.t, <-ended, what)
	})
}

// seen returns what the consumer has been told about everything that has been answered up to now, and checks that no version on the way broke a
// rule.
func (b *bench) seen() []consumer.Update {
	b.t.Helper()
	to := b.dev.MDIB().Version().MdibVersion
	var out []consumer.Update
	for b.told.Version().MdibVersion < to {
		u, err, ok := b.next()
		require.NoError(b.t, err)
		require.True(b.t, ok)
		require.Nil(b.t, u.Gap)
		if u.Change == nil {
			continue
		}
		b.conforms(u.Snapshot)
		b.told = u.Snapshot
		out = append(out, u)
	}
	require.Equal(b.t, to, b.told.Version().MdibVersion)
	return out
}

func (b *bench) conforms(snap *mdib.Snapshot) {
	b.t.Helper()
	for _, f := range mdib.Validate(snap) {
		require.NotEqual(b.t, mdib.SeverityError, f.Severity, f.String())
	}
}

// last is the consumer's MDIB after all that has been answered.
func (b *bench) last() *mdib.Snapshot {
	b.t.Helper()
	b.seen()
	return b.told
}

type call[Q, R any] func(ctx context.Context, req Q, opts ...grpc.CallOption) (R, error)

// do makes a call.
func do[Q any, R any](b *bench, fn call[Q, R], req Q) (R, string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), time.Minute)
	defer cancel()
	var trailer metadata.MD
	resp, err := fn(ctx, req, grpc.Trailer(&trailer))
	require.NoError(b.t, err)
	reason := ""
	if r := trailer.Get(t2iapi.ReasonTrailer); len(r) > 0 {
		reason = r[0]
	}
	return resp, reason
}

// succeeds makes a call that must succeed.
func succeeds[Q any](b *bench, fn call[Q, *t2ipb.BasicResponse], req Q) {
	b.t.Helper()
	resp, reason := do(b, fn, req)
	require.Equal(b.t, t2ipb.Result_RESULT_SUCCESS, resp.GetResult(), reason)
}

// refused makes a call that must have the result, say why, and change nothing.
func refused[Q any](b *bench, want t2ipb.Result, fn call[Q, *t2ipb.BasicResponse], req Q) {
	b.t.Helper()
	before := b.dev.MDIB().Version()
	resp, reason := do(b, fn, req)
	require.Equal(b.t, want, resp.GetResult(), reason)
	require.NotEmpty(b.t, reason)
	require.Equal(b.t, before, b.dev.MDIB().Version())
}

const (
	fail         = t2ipb.Result_RESULT_FAIL
	notSupported = t2ipb.Result_RESULT_NOT_SUPPORTED
)
