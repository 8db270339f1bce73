// Package simtest runs simulated devices in virtual time for the tests.
package simtest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/internal/testkit/bubble"
	"github.com/semeco/go-sdc/internal/testkit/memnet"
	"github.com/semeco/go-sdc/internal/testkit/reftest"
	"github.com/semeco/go-sdc/lint"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/simulators"
)

// Bench is a device on an in-memory network and a consumer connected to it.
type Bench struct {
	T        *testing.T
	Provider *provider.Provider
	Consumer *consumer.Device

	documents map[string][]byte // to be validated by the schemas once the bubble has ended
}

// Conforms checks that the device's MDIB has no findings now, and that it is valid
// by the schemas.
func (b *Bench) Conforms() {
	b.T.Helper()
	require.Empty(b.T, mdib.Validate(b.Provider.MDIB()))
	b.SchemaValid()
}

// Lints checks that the device's present MDIB has neither errors nor warnings by the rules of any profile.
func (b *Bench) Lints() {
	b.T.Helper()
	for _, profile := range []mdib.Profile{mdib.ProfileBase, mdib.ProfileSDPi} {
		r := lint.Snapshot("device", b.Provider.MDIB(), profile)
		r.Keep(mdib.SeverityWarning)
		require.Empty(b.T, r.Findings, "%s", profile)
	}
}

// SchemaValid has the device's present MDIB validated by the schemas after the test:
// the validator is a process of its own, and where there is none the test must not be
// skipped halfway.
func (b *Bench) SchemaValid() {
	snap := b.Provider.MDIB()
	b.documents[fmt.Sprintf("mdib version %d", snap.Version().MdibVersion)] = snap.Response().AppendXML(nil)
}

// Run puts the device made by device on an in-memory network in virtual time, connects a consumer and calls test.
func Run(t *testing.T, device func() (simulators.Simulator, error), test func(b *Bench)) {
	t.Helper()
	documents := make(map[string][]byte)
	bubble.Test(t, func(t *testing.T) {
		sim, err := device()
		require.NoError(t, err)
		network := memnet.New(memnet.Config{})
		defer network.Close()
		host, peer := network.Host("192.0.2.1"), network.Host("192.0.2.2")
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		ready := make(chan *provider.Provider, 1)
		ended := make(chan error, 1)
		stop := sync.OnceValue(func() error {
			cancel()
			return <-ended
		})
		defer stop() //nolint:errcheck // looked at below unless the test has failed before
		go func() {
			ended <- simulators.Run(ctx, sim, provider.Config{
				Insecure: true, Listen: host.ListenAny, Dial: host.Dial, Transport: discovery.NewSilence(), MaxSubscription: 15 * time.Second,
			}, func(p *provider.Provider) { ready <- p })
		}()
		b := &Bench{T: t, documents: documents}
		select {
		case b.Provider = <-ready:
		case err := <-ended:
			require.NoError(t, err)
			require.Fail(t, "the device ended before it was ready")
		}
		// A slow test is no reason to lose updates.
		c, err := consumer.New(ctx, consumer.Config{Insecure: true, Listen: peer.ListenAny, Dial: peer.Dial, UpdateQueue: 1 << 20})
		require.NoError(t, err)
		b.Consumer, err = c.Connect(ctx, discovery.Endpoint{EPR: b.Provider.EPR(), XAddrs: b.Provider.XAddrs()})
		require.NoError(t, err)
		leave := sync.OnceValue(func() error { return c.Close(context.WithoutCancel(ctx)) })
		defer leave() //nolint:errcheck // as above
		test(b)
		require.NoError(t, leave())
		require.NoError(t, stop())
	})
	if len(documents) > 0 && !t.Failed() {
		t.Run("schema", func(t *testing.T) { reftest.Validate(t, documents) })
	}
}

// Pass lets virtual time pass.
func (b *Bench) Pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// Until lets time pass until ok holds, at most d.
func (b *Bench) Until(d time.Duration, what string, ok func(*mdib.Snapshot) bool) {
	b.T.Helper()
	for end := time.Now().Add(d); time.Now().Before(end); b.Pass(100 * time.Millisecond) {
		if ok(b.Provider.MDIB()) {
			return
		}
	}
	require.Fail(b.T, "did not happen in "+d.String()+": "+what)
}

// Value is the current value of a numeric metric as the consumer sees it.
func (b *Bench) Value(handle string) float64 {
	b.T.Helper()
	s, ok := mdib.Get[*pm.NumericMetricState](b.Consumer.MDIB(), handle)
	require.True(b.T, ok, handle)
	require.NotNil(b.T, s.MetricValue, handle)
	v, ok := s.MetricValue.Value.Get()
	require.True(b.T, ok, "%s has no value (%s)", handle, s.MetricValue.MetricQuality.Validity)
	return v.Float64()
}

// Present tells whether an alert condition is present.
func Present(snap *mdib.Snapshot, condition string) bool {
	s, ok := mdib.Get[pm.ConditionState](snap, condition)
	return ok && s.BaseCondition().Presence
}

// Signal is the presence of an alert signal.
func Signal(snap *mdib.Snapshot, handle string) pm.AlertSignalPresence {
	s, ok := mdib.Get[*pm.AlertSignalState](snap, handle)
	if !ok {
		return ""
	}
	return s.PresenceOrDefault()
}

// Conforms checks that an MDIB has no findings and is valid by the schemas.
func Conforms(t *testing.T, snap *mdib.Snapshot) {
	t.Helper()
	require.Empty(t, mdib.Validate(snap))
	t.Run("schema", func(t *testing.T) {
		reftest.Validate(t, map[string][]byte{"mdib": snap.Response().AppendXML(nil)})
	})
}
