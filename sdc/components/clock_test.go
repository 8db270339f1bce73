package components

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/testkit/bubble"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/ext"
	"github.com/semeco/go-sdc/mdib/pm"
)

// stepped is a clock of which the tests can turn the hands.
type stepped struct {
	*Clock
	dev    *device
	offset atomic.Int64 // what the hands are off by
	log    bytes.Buffer
	steps  []Step
}

func (s *stepped) now() time.Time { return time.Now().Add(time.Duration(s.offset.Load())).Round(0) }

func newStepped(t *testing.T, r Reaction) *stepped {
	t.Helper()
	s := &stepped{dev: newDevice(t, r == Epochs)}
	start := time.Now()
	var err error
	s.Clock, err = NewClock(ClockConfig{
		Device: s.dev, Handle: "clock", Reaction: r, Restart: func() { s.dev.st.NewSequence() }, Wall: s.now,
		Monotonic: func() time.Duration { return time.Since(start) }, Stepped: func(x Step) { s.steps = append(s.steps, x) },
		Logger: slog.New(slog.NewTextHandler(&s.log, nil)),
	})
	require.NoError(t, err)
	return s
}

func (s *stepped) state() *pm.ClockState {
	c, _ := mdib.Get[*pm.ClockState](s.dev.MDIB(), "clock")
	return c
}

func (s *stepped) measure(t *testing.T) {
	t.Helper()
	must(t, s.dev, func(tx *mdib.Tx) error { return tx.SetNumeric("msrmt", pm.MustDecimal("1"), s.now()) })
}

func TestClockHasAnAccuracyAndTellsWhenItWasSet(t *testing.T) {
	// covers: SDPi R1531, GLUE R0014
	bubble.Test(t, func(t *testing.T) {
		s := newStepped(t, StandBy)
		require.Equal(t, "180", s.state().Accuracy.Or(pm.Decimal{}).String()[:3], "set by hand, for all we know")
		ntp := Source{Protocol: &pm.CodedValue{Code: "1"}, References: []string{"192.0.2.9"}, Accuracy: 20 * time.Millisecond}
		after(time.Second)
		require.NoError(t, s.Synchronised(ntp))
		require.True(t, s.state().RemoteSync)
		require.Equal(t, pm.Some(pm.TimestampOf(s.now())), s.state().LastSet)
		require.InDelta(t, 0.02, s.state().Accuracy.Or(pm.Decimal{}).Float64(), 1e-9)
		version := s.state().StateVersion
		for range 9 {
			after(time.Minute)
			require.NoError(t, s.Synchronised(ntp))
		}
		require.Equal(t, version, s.state().StateVersion, "nothing but the moment changes")
		after(time.Minute)
		require.NoError(t, s.Synchronised(ntp))
		require.Equal(t, pm.Some(pm.TimestampOf(s.now())), s.state().LastSet)
		ntp.Accuracy = 30 * time.Millisecond
		require.NoError(t, s.Synchronised(ntp))
		require.Equal(t, version+2, s.state().StateVersion, "a change is told at once")
		require.Error(t, s.Synchronised(Source{Accuracy: -1}))
	})
}

func TestTickingIsNoChange(t *testing.T) {
	// covers: BICEPS ClockState
	d := newDevice(t, false)
	change := func(fn func(*pm.ClockState)) bool {
		before := d.MDIB()
		must(t, d, func(tx *mdib.Tx) error {
			s, err := mdib.Edit[*pm.ClockState](tx, "clock")
			fn(s)
			return err
		})
		return before != d.MDIB()
	}
	require.False(t, change(func(s *pm.ClockState) { s.DateAndTime = pm.Some(pm.Timestamp(1)) }))
	require.True(t, change(func(s *pm.ClockState) { s.LastSet = pm.Some(pm.Timestamp(1)) }))
	require.True(t, change(func(s *pm.ClockState) { s.Accuracy = pm.Some(pm.MustDecimal("1")) }))
	require.True(t, change(func(s *pm.ClockState) { s.ReferenceSource = []string{"x"} }))
	require.True(t, change(func(s *pm.ClockState) { s.ActivationState = pm.ComponentActivationStndBy }))
}

func TestUnreachableTimeServiceIsLoggedAndTheClockGoesOn(t *testing.T) {
	// covers: SDPi R1534, SDPi R1530
	bubble.Test(t, func(t *testing.T) {
		s := newStepped(t, StandBy)
		require.NoError(t, s.Unreachable(errors.New("no route"), 0))
		require.Contains(t, s.log.String(), "no route")
		require.Equal(t, pm.ComponentActivationOn, s.state().ActivationStateOrDefault())
		require.NoError(t, s.Unreachable(errors.New("no route"), time.Minute))
		require.InDelta(t, 60, s.state().Accuracy.Or(pm.Decimal{}).Float64(), 1e-9)
	})
}

func TestStepsAreFoundAndLoggedInBothFrames(t *testing.T) {
	// covers: SDPi R1560, 10700 TR1340
	bubble.Test(t, func(t *testing.T) {
		s := newStepped(t, StandBy)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		after(time.Hour)
		s.offset.Store(int64(20 * time.Millisecond)) // slewed within a second
		after(time.Minute)
		require.Empty(t, s.steps)
		s.offset.Add(int64(time.Hour))
		after(time.Second)
		require.Len(t, s.steps, 1)
		require.Equal(t, time.Hour, s.steps[0].Offset())
		require.Equal(t, s.now(), s.steps[0].New)
		require.Contains(t, s.log.String(), "old="+s.steps[0].Old.Format("2006-01-02T15:04:05"))
		require.Contains(t, s.log.String(), "new="+s.steps[0].New.Format("2006-01-02T15:04:05"))
		s.offset.Add(-int64(10 * time.Second))
		after(time.Second)
		require.Len(t, s.steps, 2)
		require.Equal(t, -10*time.Second, s.steps[1].Offset())
		cancel()
		require.NoError(t, <-done)
	})
}

func TestStepBeginsANewSequence(t *testing.T) {
	// covers: SDPi R1522
	bubble.Test(t, func(t *testing.T) {
		s := newStepped(t, NewSequence)
		s.measure(t)
		before := s.dev.MDIB().Version()
		s.offset.Store(int64(time.Minute))
		require.NoError(t, s.Look())
		now := s.dev.MDIB().Version()
		require.NotEqual(t, before.SequenceID, now.SequenceID)
		require.Equal(t, pm.Some(pm.TimestampOf(s.now())), s.state().LastSet)
		require.NoError(t, s.Look())
		require.Equal(t, now, s.dev.MDIB().Version())
	})
}

func TestStepPutsTheClockToStandByUntilOldTimesAreGone(t *testing.T) {
	// covers: SDPi R1522
	bubble.Test(t, func(t *testing.T) {
		s := newStepped(t, StandBy)
		require.NoError(t, s.Look())
		s.measure(t)
		must(t, s.dev, func(tx *mdib.Tx) error { return tx.SetPresence("cond", true) })
		s.offset.Store(int64(-time.Minute))
		require.NoError(t, s.Look())
		require.Equal(t, pm.ComponentActivationStndBy, s.state().ActivationState)
		after(time.Second)
		s.measure(t)
		require.NoError(t, s.Look())
		require.Equal(t, pm.ComponentActivationStndBy, s.state().ActivationState, "the condition is from before")
		s.offset.Store(int64(-2 * time.Minute))
		require.NoError(t, s.Look())
		must(t, s.dev, func(tx *mdib.Tx) error { return tx.SetPresence("cond", false) })
		require.NoError(t, s.Look())
		require.Equal(t, pm.ComponentActivationStndBy, s.state().ActivationState, "the value is from before the second step")
		after(time.Second)
		s.measure(t)
		require.NoError(t, s.Look())
		require.Equal(t, pm.ComponentActivationOn, s.state().ActivationStateOrDefault())
	})
}

func TestStepBeginsANewEpoch(t *testing.T) {
	// covers: SDPi R1522, SDPi R0605, SDPi R0610
	bubble.Test(t, func(t *testing.T) {
		s := newStepped(t, Epochs)
		s.measure(t)
		old := s.now()
		s.offset.Store(int64(-90 * time.Second))
		require.NoError(t, s.Look())
		epochs, ok, err := ext.Epochs(s.state().Extension)
		require.NoError(t, err)
		require.True(t, ok)
		require.EqualValues(t, 1, epochs.Version)
		require.Equal(t, []ext.EpochType{{Version: 0, Timestamp: pm.TimestampOf(old), Offset: pm.DurationOf(-90 * time.Second)}}, epochs.Epoch)
		require.Equal(t, pm.Some(pm.TimestampOf(s.now())), s.state().LastSet)
		require.Equal(t, pm.ComponentActivationStndBy, s.state().ActivationState)
		s.offset.Store(int64(0))
		require.NoError(t, s.Look())
		epochs, _, _ = ext.Epochs(s.state().Extension)
		require.EqualValues(t, 2, epochs.Version)
		require.Len(t, epochs.Epoch, 2)
		after(time.Second)
		s.measure(t)
		require.NoError(t, s.Look())
		require.Equal(t, pm.ComponentActivationOn, s.state().ActivationStateOrDefault())
	})
}

func TestStepIsAFault(t *testing.T) {
	// covers: SDPi R1569
	bubble.Test(t, func(t *testing.T) {
		s := newStepped(t, Fault)
		s.offset.Store(int64(time.Minute))
		require.NoError(t, s.Look())
		mds, ok := s.dev.MDIB().MDSOf("clock")
		require.True(t, ok)
		state, ok := mdib.Get[*pm.MdsState](s.dev.MDIB(), mds)
		require.True(t, ok)
		require.Equal(t, pm.ComponentActivationFail, state.ActivationState)
		require.Equal(t, pm.Some(pm.TimestampOf(s.now())), s.state().LastSet)
		version := s.dev.MDIB().Version()
		require.NoError(t, s.Look())
		require.Equal(t, version, s.dev.MDIB().Version(), "told once")
	})
}

func TestEpochsBeginAnewWithASequence(t *testing.T) {
	// covers: SDPi R0606
	bubble.Test(t, func(t *testing.T) {
		s := newStepped(t, NewSequence)
		must(t, s.dev, func(tx *mdib.Tx) error {
			c, err := mdib.Edit[*pm.ClockState](tx, "clock")
			ext.SetEpochs(&c.Extension, ext.EpochsType{Version: 7})
			return err
		})
		s.offset.Store(int64(time.Minute))
		require.NoError(t, s.Look())
		epochs, ok, err := ext.Epochs(s.state().Extension)
		require.NoError(t, err)
		require.True(t, ok)
		require.Zero(t, epochs.Version)
		require.Empty(t, epochs.Epoch)
	})
}

func TestClockConfigIsChecked(t *testing.T) {
	// covers: SDPi R0600
	d := newDevice(t, false)
	for name, cfg := range map[string]ClockConfig{
		"no device":        {Handle: "clock", Reaction: StandBy},
		"no clock":         {Device: d, Handle: "vmd", Reaction: StandBy},
		"no restart":       {Device: d, Handle: "clock"},
		"no epoch support": {Device: d, Handle: "clock", Reaction: Epochs},
		"no reaction":      {Device: d, Handle: "clock", Reaction: 9},
		"negative":         {Device: d, Handle: "clock", Reaction: StandBy, Interval: -1},
	} {
		_, err := NewClock(cfg)
		require.Error(t, err, name)
	}
}
