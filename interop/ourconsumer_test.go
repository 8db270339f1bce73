package interop

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/internal/testkit/reftest"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
)

// Our consumer finds the peer's provider, mirrors it through every kind of report,
// renews, invokes every kind of operation and leaves.
func TestOurConsumerOfPeerProvider(t *testing.T) {
	// covers: COEX-1, COEX-7, CONS-3, EVT-4, EVT-5, SCO-8
	for _, secure := range []bool{false, true} {
		t.Run(map[bool]string{false: "plain", true: "tls"}[secure], func(t *testing.T) {
			t.Parallel()
			ourConsumer(t, "testdata/device.xml", secure, everyOperation)
		})
	}
}

// The same with the plug-a-thon's MDIB, which has another shape.
func TestOurConsumerOfPlugathonDevice(t *testing.T) {
	t.Parallel()
	python(t)
	file, err := filepath.Abs(reftest.Samples(t, "mdibs/sdc11073-PlugathonMdibV2.xml")[0])
	require.NoError(t, err)
	ourConsumer(t, file, true, []string{"SetValue", "SetString", "Activate", "SetMetricState", "SetContextState"})
}

func ourConsumer(t *testing.T, file string, secure bool, operations []string) {
	w := newWorld(t, secure, sdc.RoleConsumer)
	p := w.start(t, "provider.py", "--mdib", file, "--max-subscription", "8", "--periodic", "1")
	var ready struct{ XAddrs []string }
	p.expect(t, "ready").decode(t, &ready)

	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	target := resolve(ctx, t, w)
	require.Equal(t, ready.XAddrs, target.XAddrs)

	dev, err := consumer.Connect(ctx, target, consumer.Config{
		Identity: w.ours, Insecure: !secure, Network: w.network(),
		Logger: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	require.NoError(t, err)
	closed := false
	defer func() {
		if !closed {
			_ = dev.Close(ctx)
		}
	}()
	require.Equal(t, "Interop provider", dev.Metadata().ThisDevice.FriendlyName[0].Text)

	seen := follow(dev)
	p.do(t, "animate", map[string]any{"do": "animate", "interval": 0.3})

	read(ctx, t, dev)
	done := operate(ctx, t, dev)
	for _, kind := range operations {
		require.Positive(t, done[kind], "%s was invoked: %v", kind, done)
	}
	missing := seen.wait(ctx, append([]string{"PeriodicMetricReport", "PeriodicAlertReport"}, everyReport...))
	require.Empty(t, missing, "of %v", seen.counts())

	// Subscriptions of 8 s, renewed often enough to outlive two of them: of much shorter ones a busy machine, which has the peer answer late, would let some expire.
	stay(ctx, t, dev, 17*time.Second)

	p.do(t, "animate", map[string]any{"do": "animate", "interval": 0})
	var theirs picture
	p.do(t, "mdib", map[string]any{"do": "dump"}).decode(t, &theirs)
	require.True(t, seen.reach(ctx, theirs.Version), "the mirror reaches version %d, is at %d", theirs.Version, dev.MDIB().Version().MdibVersion)
	requireSame(t, pictureOf(dev.MDIB()), theirs)
	require.Empty(t, seen.gaps(), "no update was missed")

	require.NoError(t, dev.Close(ctx))
	closed = true
	require.ErrorIs(t, seen.end(ctx), consumer.ErrClosed)
	p.stop(t)
	p.complaints(t, whileStopping...)
}

// whileStopping is what the peer logs as it stops: with a stack trace, when the thread of its periodic reports outlives its sender for
// a moment; and that a connection kept alive by us outlives the second it gives the thread behind it.
var whileStopping = []string{"async send loop is not running", "_simple_periodic_reports_send_loop", "could not end client thread for notifications"}

func resolve(ctx context.Context, t *testing.T, w *world) discovery.Endpoint {
	t.Helper()
	client, err := discovery.NewClient(discovery.ClientConfig{UDP: discovery.UDPConfig{Port: w.port}})
	require.NoError(t, err)
	defer client.Close()
	target, err := client.Resolve(ctx, w.epr)
	require.NoError(t, err)

	found, err := client.Probe(ctx, discovery.Filter{}, 2*time.Second)
	require.NoError(t, err)
	require.Len(t, found, 1, "Probe finds it as well")
	require.Equal(t, w.epr, found[0].EPR)
	return target
}

// read calls every read service.
func read(ctx context.Context, t *testing.T, dev *consumer.Device) {
	t.Helper()
	states, err := dev.GetMdState(ctx)
	require.NoError(t, err)
	require.NotEmpty(t, states.MdState.State)
	unknown, err := dev.GetMdState(ctx, "no.such.handle")
	require.NoError(t, err)
	require.Empty(t, unknown.MdState.State)
	contexts, err := dev.GetContextStates(ctx)
	require.NoError(t, err)
	require.NotEmpty(t, contexts.ContextState)
	languages, err := dev.GetSupportedLanguages(ctx)
	require.NoError(t, err)
	require.ElementsMatch(t, []pm.Language{"en-US", "de"}, languages)
	texts, err := dev.GetLocalizedText(ctx, &msg.GetLocalizedText{Lang: []pm.Language{"de"}})
	require.NoError(t, err)
	require.Len(t, texts, 2)
}

// operate invokes every enabled operation once and counts those that ended well.
func operate(ctx context.Context, t *testing.T, dev *consumer.Device) map[string]int {
	t.Helper()
	done := map[string]int{}
	snap := dev.MDIB()
	for e := range snap.Entities() {
		descriptor, ok := e.Descriptor.(pm.OperationDescriptor)
		if !ok {
			continue
		}
		kind := strings.TrimSuffix(e.Descriptor.TypeName().Local, "OperationDescriptor")
		target := descriptor.BaseOperation().OperationTarget
		result, err := invoke(ctx, dev, snap, kind, e, target)
		if errors.Is(err, errDoesNotFit) {
			continue
		}
		var failed *consumer.OperationError
		if errors.As(err, &failed) {
			// Switched off by the peer at this very moment.
			require.Contains(t, fmt.Sprint(failed.Result.Message), "not enabled", "%s: %v", e.Handle, err)
			continue
		}
		require.NoError(t, err, "%s", e.Handle)
		require.Equal(t, msg.InvocationStateFin, result.State, "%s", e.Handle)
		var steps []msg.InvocationState
		for _, s := range result.Steps {
			steps = append(steps, s.State)
		}
		require.Equal(t, msg.InvocationStateFin, steps[len(steps)-1], "%s: %v", e.Handle, steps)
		require.NotEmpty(t, result.Target, "%s", e.Handle)
		done[kind]++
	}
	return done
}

var errDoesNotFit = errors.New("the MDIB has nothing to propose for this operation")

func invoke(ctx context.Context, dev *consumer.Device, snap *mdib.Snapshot, kind string, e mdib.Entity, target string) (*consumer.Result, error) {
	switch kind {
	case "SetValue":
		value := pm.MustDecimal("10")
		if s, ok := mdib.Get[*pm.SetValueOperationState](snap, e.Handle); ok && len(s.AllowedRange) > 0 {
			value = s.AllowedRange[0].Lower.Or(value)
		}
		return dev.SetValue(ctx, e.Handle, value)
	case "SetString":
		value := "interop"
		if d, ok := mdib.Get[*pm.EnumStringMetricDescriptor](snap, target); ok {
			value = d.AllowedValue[0].Value
		}
		return dev.SetString(ctx, e.Handle, value)
	case "Activate":
		var arguments []string
		for _, a := range e.Descriptor.(*pm.ActivateOperationDescriptor).Argument {
			arguments = append(arguments, map[string]string{"string": "a", "decimal": "1.5", "anyURI": "urn:a"}[a.Arg.Local])
		}
		return dev.Activate(ctx, e.Handle, arguments...)
	case "SetMetricState":
		for below := range snap.Subtree(target) {
			d, isNumeric := below.Descriptor.(*pm.NumericMetricDescriptor)
			if !isNumeric || d.MetricCategory == pm.MetricCategoryMsrmt {
				continue
			}
			s := pm.CloneState(below.State).(*pm.NumericMetricState)
			s.MetricValue = &pm.NumericMetricValue{Value: pm.Some(pm.MustDecimal("12"))}
			s.MetricValue.MetricQuality.Validity = pm.MeasurementValidityVld
			return dev.SetMetricState(ctx, e.Handle, s)
		}
		return nil, errDoesNotFit
	case "SetComponentState":
		s, ok := mdib.Get[pm.ComponentState](snap, target)
		if !ok {
			return nil, errDoesNotFit
		}
		return dev.SetComponentState(ctx, e.Handle, pm.CloneState(s).(pm.ComponentState))
	case "SetAlertState":
		s, ok := mdib.Get[pm.AlertState](snap, target)
		if !ok {
			return nil, errDoesNotFit
		}
		return dev.SetAlertState(ctx, e.Handle, pm.CloneState(s).(pm.AlertState))
	case "SetContextState":
		s := &pm.PatientContextState{}
		s.DescriptorHandle, s.Handle = target, target
		s.ContextAssociation = pm.ContextAssociationAssoc
		s.Identification = []pm.InstanceIdentifier{{Root: "urn:oid:1.2.3", Extension: "4711"}}
		return dev.SetContextState(ctx, e.Handle, s)
	}
	return nil, errDoesNotFit
}

// stay checks that the link stays up for a while.
func stay(ctx context.Context, t *testing.T, dev *consumer.Device, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	for u, err := range dev.Updates(ctx) {
		if errors.Is(err, context.DeadlineExceeded) {
			break
		}
		require.NoError(t, err)
		require.Equal(t, consumer.Live, u.Link.State)
	}
	require.Equal(t, consumer.Live, dev.Link().State)
}

// follower counts the updates of a device.
type follower struct {
	mu      sync.Mutex
	reports map[string]int
	version uint64
	missed  []consumer.Gap
	err     error
	changed chan struct{} // closed and replaced at every change
	done    chan struct{}
}

func follow(dev *consumer.Device) *follower {
	f := &follower{reports: map[string]int{}, changed: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(f.done)
		for u, err := range dev.Updates(context.Background()) {
			f.mu.Lock()
			switch {
			case err != nil:
				f.err = err
			case u.Gap != nil:
				f.missed = append(f.missed, *u.Gap)
			case u.Report != nil:
				f.reports[u.Report.BodyName().Local]++
			}
			if u.Snapshot != nil {
				f.version = u.Snapshot.Version().MdibVersion
			}
			close(f.changed)
			f.changed = make(chan struct{})
			f.mu.Unlock()
		}
	}()
	return f
}

func (f *follower) counts() map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := map[string]int{}
	for k, n := range f.reports {
		out[k] = n
	}
	return out
}

func (f *follower) gaps() []consumer.Gap {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.missed
}

// until waits for a condition on the follower.
func (f *follower) until(ctx context.Context, met func() bool) bool {
	for {
		f.mu.Lock()
		ok, changed := met(), f.changed
		f.mu.Unlock()
		if ok {
			return true
		}
		select {
		case <-changed:
		case <-f.done:
			return false
		case <-ctx.Done():
			return false
		}
	}
}

// wait waits for every kind of report and returns those that did not come.
func (f *follower) wait(ctx context.Context, kinds []string) (missing []string) {
	f.until(ctx, func() bool {
		missing = nil
		for _, k := range kinds {
			if f.reports[k] == 0 {
				missing = append(missing, k)
			}
		}
		return missing == nil
	})
	return missing
}

func (f *follower) reach(ctx context.Context, version uint64) bool {
	return f.until(ctx, func() bool { return f.version >= version })
}

// end waits for the end of the updates and returns the reason.
func (f *follower) end(ctx context.Context) error {
	select {
	case <-f.done:
		return f.err
	case <-ctx.Done():
		return ctx.Err()
	}
}
