package replayer_test

import (
	"bytes"
	"context"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/semeco/go-sdc/diff"
	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/internal/testkit/bubble"
	"github.com/semeco/go-sdc/internal/testkit/memnet"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/recording"
	"github.com/semeco/go-sdc/recording/recorder"
	"github.com/semeco/go-sdc/recording/replayer"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/pki"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/simulators"
	"github.com/semeco/go-sdc/simulators/monitor"
	"github.com/semeco/go-sdc/simulators/reference"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const deviceEPR = "urn:uuid:5b0f4f5e-0c3e-4e0c-9c60-3c1f5c9d3a11"

// world is where devices and consumers meet.
type world struct {
	provider provider.Config
	consumer consumer.Config
}

func overTLS(t *testing.T) world {
	ca, err := pki.NewCA("test", time.Hour)
	require.NoError(t, err)
	id := func(name string, role sdc.Role) *sdc.Identity {
		p, err := ca.Issue(pki.Request{Name: name, Role: role})
		require.NoError(t, err)
		id, err := p.Identity()
		require.NoError(t, err)
		return id
	}
	return world{
		provider: provider.Config{Identity: id("device", sdc.RoleProvider), Transport: discovery.NewSilence()},
		consumer: consumer.Config{Identity: id("station", sdc.RoleConsumer)},
	}
}

func inMemory(t *testing.T) world {
	network := memnet.New(memnet.Config{})
	t.Cleanup(network.Close)
	here, there := network.Host("192.0.2.1"), network.Host("192.0.2.2")
	return world{
		provider: provider.Config{
			Insecure: true, Dial: here.Dial, Listen: here.ListenAny, Transport: discovery.NewSilence(),
		},
		consumer: consumer.Config{
			Insecure: true, Dial: there.Dial, Listen: there.ListenAny,
		},
	}
}

// session is a consumer that records a device into a file until stop is called.
type session struct {
	dev  *consumer.Device
	stop func()
}

func (w world) record(t *testing.T, p *provider.Provider, path string) *session {
	t.Helper()
	dev, err := consumer.Connect(t.Context(), discovery.Endpoint{EPR: p.EPR(), XAddrs: p.XAddrs()}, w.consumer)
	require.NoError(t, err)
	rec, err := recording.Create(path, recording.Config{KeyEvery: time.Second})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- recorder.Record(ctx, rec, dev) }()
	for rec.Stats().Records == 0 { // what happens before the recorder follows the device is not recorded
		select {
		case err := <-ended:
			require.FailNow(t, "the recorder ended", err)
		case <-time.After(time.Millisecond):
		}
		require.NoError(t, rec.Flush())
	}
	return &session{dev: dev, stop: sync.OnceFunc(func() {
		cancel()
		require.NoError(t, <-ended)
		require.NoError(t, rec.Close())
		closing, done := context.WithTimeout(context.Background(), time.Minute)
		defer done()
		require.NoError(t, dev.Close(closing))
	})}
}

// device records a simulated device for a while. use may do something with it meanwhile.
func (w world) device(t *testing.T, sim simulators.Simulator, path string, d time.Duration, use func(*provider.Provider, *consumer.Device)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ready, ended := make(chan *provider.Provider, 1), make(chan error, 1)
	cfg := w.provider
	cfg.EPR = deviceEPR
	go func() { ended <- simulators.Run(ctx, sim, cfg, func(p *provider.Provider) { ready <- p }) }()
	var p *provider.Provider
	select {
	case p = <-ready:
	case err := <-ended:
		require.NoError(t, err)
	}
	s := w.record(t, p, path)
	if use != nil {
		use(p, s.dev)
	}
	timer := time.NewTimer(d)
	<-timer.C
	s.stop()
	cancel()
	require.NoError(t, <-ended)
}

// again replays a recording and records that.
func (w world) again(t *testing.T, from *recording.Reader, path string, speed float64) {
	t.Helper()
	r, err := replayer.New(replayer.Config{Recording: from, Speed: speed, Provider: w.provider})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	start, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- r.Run(ctx, start) }()
	<-r.Provider().Ready()
	s := w.record(t, r.Provider(), path)
	close(start)
	select {
	case <-r.Done():
	case err := <-ended:
		require.NoError(t, err)
	}
	require.NoError(t, r.Provider().Flush(ctx))
	require.Positive(t, r.Played())
	require.Equal(t, r.Provider().MDIB().Version(), s.dev.MDIB().Version())
	s.stop()
	cancel()
	require.NoError(t, <-ended)
}

func open(t *testing.T, path string) *recording.Reader {
	t.Helper()
	r, err := recording.Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// check requires that a recording is whole and without gaps.
func check(t *testing.T, r *recording.Reader) *recording.Summary {
	t.Helper()
	s, err := r.Check(t.Context())
	require.NoError(t, err)
	require.True(t, s.Whole(), "%+v", s)
	require.Len(t, s.Devices, 1)
	require.Zero(t, s.Devices[0].Gaps)
	return s
}

// TestReplayIsIdentical: what is recorded of a replay is what was replayed, over mutual TLS on real sockets.
func TestReplayIsIdentical(t *testing.T) {
	w := overTLS(t)
	sim, err := monitor.New(simulators.Options{Seed: 7})
	require.NoError(t, err)
	dir := t.TempDir()
	first, second := filepath.Join(dir, "1"), filepath.Join(dir, "2")
	w.device(t, sim, first, time.Second, nil)
	a := open(t, first)
	w.again(t, a, second, 10)
	b := open(t, second)
	was, is := check(t, a), check(t, b)
	require.Equal(t, was.Devices[0].Reports, is.Devices[0].Reports)
	require.Greater(t, is.Devices[0].Reports, uint64(5))
	require.NoError(t, recording.Compare(t.Context(), a, "", b, ""))
	require.Equal(t, was.Devices[0].ModelName, is.Devices[0].ModelName)
	require.Equal(t, deviceEPR, is.Devices[0].EPR)
}

// TestLongReplayIsIdentical: half a minute of the reference device, with changes of every kind, an operation and an original timing.
func TestLongReplayIsIdentical(t *testing.T) {
	dir := t.TempDir()
	first, second := filepath.Join(dir, "1"), filepath.Join(dir, "2")
	bubble.Test(t, func(t *testing.T) {
		w := inMemory(t)
		sim, err := reference.New(reference.Config{})
		require.NoError(t, err)
		w.device(t, sim, first, 30*time.Second, func(p *provider.Provider, dev *consumer.Device) {
			for e := range dev.MDIB().Entities() {
				if d, ok := e.Descriptor.(*pm.SetValueOperationDescriptor); ok {
					_, err := dev.SetValue(t.Context(), d.Handle, pm.MustDecimal("1"))
					t.Log("invoked", d.Handle, err)
					break
				}
			}
		})
		a := open(t, first)
		w.again(t, a, second, 1)
		b := open(t, second)
		require.NoError(t, recording.Compare(t.Context(), a, "", b, ""))
		was, is := check(t, a), check(t, b)
		require.InDelta(t, was.Last.Sub(was.First).Seconds(), is.Last.Sub(is.First).Seconds(), 0.2, "original timing")
		kinds := map[mdib.Kind]int{}
		for s, err := range b.Play(time.Time{}) {
			require.NoError(t, err)
			if s.Change != nil {
				kinds[s.Change.Kind]++
			}
		}
		for _, k := range []mdib.Kind{mdib.KindMetric, mdib.KindWaveform, mdib.KindAlert, mdib.KindDescription, mdib.KindComponent, mdib.KindOperational, mdib.KindInvocation} {
			require.Positive(t, kinds[k], "%s %v", k, kinds)
		}
		// Both tell the same of any moment, wherever one begins to read.
		middle := was.First.Add(was.Last.Sub(was.First) / 2)
		snap, err := a.MDIBAt("", middle)
		require.NoError(t, err)
		other, err := b.MDIBVersion("", snap.Version().MdibVersion)
		require.NoError(t, err)
		require.Empty(t, diff.Snapshots(snap, other, diff.Options{Versions: true}))
	})
}

// TestReplayFromTheMiddleAndGaps begins at a moment and shows gaps where the recording has them.
func TestReplayFromTheMiddleAndGaps(t *testing.T) {
	dir := t.TempDir()
	first := filepath.Join(dir, "1")
	bubble.Test(t, func(t *testing.T) {
		w := inMemory(t)
		sim, err := monitor.New(simulators.Options{Seed: 3})
		require.NoError(t, err)
		w.device(t, sim, first, 20*time.Second, func(p *provider.Provider, _ *consumer.Device) {
			// Between two reports: one of the old sequence that comes after the new MDIB was read is a second gap.
			timer := time.AfterFunc(10*time.Second+50*time.Millisecond, p.NewSequence)
			t.Cleanup(func() { timer.Stop() })
		})
		a := open(t, first)
		begin, end := a.Span()
		gaps := func(r *recording.Reader) (out []recording.Gap) {
			for s, err := range r.Play(time.Time{}) {
				require.NoError(t, err)
				if s.Gap != nil {
					out = append(out, *s.Gap)
				}
			}
			return out
		}
		require.Len(t, gaps(a), 1)

		from := begin.Add(5*time.Second + time.Millisecond)
		want, err := a.MDIBAt("", from)
		require.NoError(t, err)
		r, err := replayer.New(replayer.Config{Recording: a, From: from, Speed: 4, Provider: w.provider})
		require.NoError(t, err)
		require.True(t, bytes.Equal(want.Response().AppendXML(nil), r.Provider().MDIB().Response().AppendXML(nil)))
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		start, ended := make(chan struct{}), make(chan error, 1)
		go func() { ended <- r.Run(ctx, start) }()
		<-r.Provider().Ready()
		s := w.record(t, r.Provider(), filepath.Join(dir, "2"))
		close(start)
		started := time.Now()
		<-r.Done()
		require.InDelta(t, end.Sub(from).Seconds()/4, time.Since(started).Seconds(), 0.2)
		require.NoError(t, r.Provider().Flush(ctx))
		s.stop()
		cancel()
		require.NoError(t, <-ended)
		b := open(t, filepath.Join(dir, "2"))
		got := gaps(b)
		require.Len(t, got, 1)
		require.Equal(t, recording.OriginDevice, got[0].Origin)
	})
}

func TestConfigIsChecked(t *testing.T) {
	_, err := replayer.New(replayer.Config{})
	require.ErrorContains(t, err, "Recording is missing")
	path := filepath.Join(t.TempDir(), "1")
	w, err := recording.Create(path, recording.Config{})
	require.NoError(t, err)
	require.NoError(t, w.Close())
	r := open(t, path)
	_, err = replayer.New(replayer.Config{Recording: r, Speed: -1})
	require.ErrorContains(t, err, "negative")
	_, err = replayer.New(replayer.Config{Recording: r})
	require.ErrorIs(t, err, recording.ErrNoDevice)
}
