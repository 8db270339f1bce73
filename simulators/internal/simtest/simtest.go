// Package simtest runs simulated devices in virtual time for the tests.
package simtest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/testkit/reftest"
	"github.com/semeco/go-sdc/lint"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/devicetest"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/simulators"
)

// Bench is a simulated device under test, with what is checked of each of them.
type Bench struct {
	*devicetest.Bench
	T *testing.T

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
	devicetest.Run(t, func(ctx context.Context, cfg provider.Config, ready func(*provider.Provider)) error {
		sim, err := device()
		if err != nil {
			return err
		}
		cfg.MaxSubscription = 15 * time.Second
		return simulators.Run(ctx, sim, cfg, ready)
	}, devicetest.Options{}, func(t *testing.T, b *devicetest.Bench) { test(&Bench{Bench: b, T: t, documents: documents}) })
	if len(documents) > 0 && !t.Failed() {
		t.Run("schema", func(t *testing.T) { reftest.Validate(t, documents) })
	}
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
