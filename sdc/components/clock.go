package components

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/ext"
	"github.com/semeco/go-sdc/mdib/pm"
)

// Reaction is what a device does after its clock has been stepped (SDPi R1522).
type Reaction uint8

// Reactions.
const (
	// NewSequence starts a new MDIB sequence, so that consumers read everything anew.
	NewSequence Reaction = iota
	// StandBy sets LastSet and puts the clock state to StndBy for as long as the MDIB holds a time taken before the step.
	StandBy
	// Epochs raises the version of the clock's sdpi:Epochs, tells the offset, and stays StndBy for as long as the MDIB holds a time taken before the
	// step. The clock descriptor must have sdpi:EpochSupport (R0600).
	Epochs
	// Fault sets LastSet and puts the MDS of the clock to Fail (SDPi R1569): for devices that cannot go on after a step. What helps then, the application decides.
	Fault
)

// Defaults of ClockConfig.
const (
	DefaultTolerance = 50 * time.Millisecond
	DefaultInterval  = time.Second
	DefaultSetEvery  = 10 * time.Minute
)

// maxEpochs bounds the adjustments told in sdpi:Epochs; the oldest go.
const maxEpochs = 64

// ClockConfig configures a Clock. Device and Handle are needed, and Restart for the reaction NewSequence.
type ClockConfig struct {
	// Device holds the clock.
	Device Updater
	// Handle of the clock's descriptor.
	Handle string
	// Reaction to steps.
	Reaction Reaction
	// Restart starts a new sequence of the device's MDIB, as provider.Provider.NewSequence does.
	Restart func()
	// Accuracy is the greatest error of the clock while it has not been synchronised; 0 means 3 minutes, the error of a clock that was set by hand.
	Accuracy time.Duration
	// Tolerance is by how much the clock may run away from the monotonic one between two looks before that counts as a step; 0 means
	// DefaultTolerance. Slewing stays far below.
	Tolerance time.Duration
	// Interval between two looks; 0 means DefaultInterval.
	Interval time.Duration
	// SetEvery is how often synchronisations are told at most, when nothing else has changed; 0 means DefaultSetEvery.
	SetEvery time.Duration
	// Wall is the device's clock, Monotonic one that is never set, from any beginning. Nil means those of the system.
	Wall      func() time.Time
	Monotonic func() time.Duration
	// Stepped is called after the reaction to each step; may be nil.
	Stepped func(Step)
	// Logger receives steps (SDPi R1560) and unreachable time services (R1534); nil discards.
	Logger *slog.Logger
}

// Step is an abrupt adjustment of a clock.
type Step struct {
	// Old and New are the moment of its discovery by the clock as it was and as it is.
	Old, New time.Time
}

// Offset is what has to be added to a time of before to get one of now.
func (s Step) Offset() time.Duration { return s.New.Sub(s.Old) }

// Clock keeps the state of a clock. There is no way to set it by hand (SDPi R1510). Its methods are safe for concurrent use, but not from within a
// transaction of the device.
type Clock struct {
	cfg ClockConfig
	log *slog.Logger

	mu        sync.Mutex
	wall      time.Time // at the last look
	monotonic time.Duration
	told      time.Duration          // monotonic, when a synchronisation was last told
	anyTold   bool                   // whether that was ever
	old       map[place]pm.Timestamp // times from before the last step; nil if there are none left
	before    pm.ComponentActivation // of the clock, before it went to StndBy
}

// NewClock makes a Clock and sees to it that its state has an accuracy (SDPi R1531).
func NewClock(cfg ClockConfig) (*Clock, error) {
	if pm.IsNil(cfg.Device) {
		return nil, errors.New("components: the clock's device is missing")
	}
	descriptor, _ := cfg.Device.MDIB().Descriptor(cfg.Handle)
	d, ok := descriptor.(*pm.ClockDescriptor)
	if !ok {
		return nil, fmt.Errorf("components: there is no clock %q: %w", cfg.Handle, mdib.ErrUnknownHandle)
	}
	switch cfg.Reaction {
	case NewSequence:
		if cfg.Restart == nil {
			return nil, errors.New("components: the clock's reaction needs Restart")
		}
	case StandBy, Fault:
	case Epochs:
		if support, ok, err := ext.EpochSupport(d.Extension); err != nil || !ok || support.VersionOrDefault() != 1 {
			return nil, fmt.Errorf("components: the clock descriptor %q has no sdpi:EpochSupport of version 1 (SDPi R0600)", cfg.Handle)
		}
	default:
		return nil, fmt.Errorf("components: %d is no reaction", cfg.Reaction)
	}
	if cfg.Accuracy < 0 || cfg.Tolerance < 0 || cfg.Interval < 0 || cfg.SetEvery < 0 {
		return nil, errors.New("components: a duration of the clock is negative")
	}
	def := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	def(&cfg.Accuracy, 3*time.Minute)
	def(&cfg.Tolerance, DefaultTolerance)
	def(&cfg.Interval, DefaultInterval)
	def(&cfg.SetEvery, DefaultSetEvery)
	if cfg.Wall == nil {
		cfg.Wall = func() time.Time { return time.Now().Round(0) }
	}
	if cfg.Monotonic == nil {
		start := time.Now()
		cfg.Monotonic = func() time.Duration { return time.Since(start) }
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	c := &Clock{cfg: cfg, log: cfg.Logger, wall: cfg.Wall(), monotonic: cfg.Monotonic()}
	err := c.edit(func(s *pm.ClockState) {
		if !s.Accuracy.IsSet() {
			s.Accuracy = pm.Some(inSeconds(cfg.Accuracy))
		}
	})
	return c, err
}

func inSeconds(d time.Duration) pm.Decimal {
	return pm.NewDecimal(d.Milliseconds(), 3)
}

func (c *Clock) edit(fn func(*pm.ClockState)) error {
	return c.cfg.Device.Update(func(tx *mdib.Tx) error {
		s, err := mdib.Edit[*pm.ClockState](tx, c.cfg.Handle)
		if err != nil {
			return err
		}
		fn(s)
		return nil
	})
}

// Source is where a clock gets its time from.
type Source struct {
	// Protocol codes the way of synchronisation, for example NTP.
	Protocol *pm.CodedValue
	// References are the time servers.
	References []string
	// Accuracy is the greatest error against the primary reference; for NTP root dispersion + half the root delay.
	Accuracy time.Duration
}

// Synchronised says that a time service has just set or confirmed the clock, which is LastSet (GLUE R0014). While nothing but
// that moment changes, it is told every SetEvery only.
func (c *Clock) Synchronised(from Source) error {
	if from.Accuracy < 0 {
		return errors.New("components: the accuracy of the time service is negative")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.look(); err != nil { // the synchronisation may have been a step
		return err
	}
	now := c.cfg.Monotonic()
	s, ok := mdib.Get[*pm.ClockState](c.cfg.Device.MDIB(), c.cfg.Handle)
	if !ok {
		return fmt.Errorf("components: the clock %q is gone: %w", c.cfg.Handle, mdib.ErrUnknownHandle)
	}
	accuracy := pm.Some(inSeconds(from.Accuracy))
	same := s.RemoteSync && slices.Equal(s.ReferenceSource, from.References) && s.Accuracy == accuracy &&
		(s.ActiveSyncProtocol == nil) == (from.Protocol == nil) && (from.Protocol == nil || s.ActiveSyncProtocol.Equal(from.Protocol))
	if same && c.anyTold && now-c.told < c.cfg.SetEvery {
		return nil
	}
	err := c.edit(func(s *pm.ClockState) {
		s.RemoteSync, s.Accuracy, s.ReferenceSource = true, accuracy, slices.Clone(from.References)
		s.ActiveSyncProtocol = from.Protocol
		s.LastSet = pm.Some(pm.TimestampOf(c.cfg.Wall()))
	})
	if err == nil {
		c.told, c.anyTold = now, true
	}
	return err
}

// Unreachable logs that the time service cannot be reached (SDPi R1534). The clock goes on (R1530), with the given accuracy, which worsens as it drifts;
// 0 leaves the accuracy as it is.
func (c *Clock) Unreachable(cause error, accuracy time.Duration) error {
	c.log.Warn("the time service cannot be reached; the internal clock goes on", "clock", c.cfg.Handle, "err", cause)
	if accuracy <= 0 {
		return nil
	}
	return c.edit(func(s *pm.ClockState) { s.Accuracy = pm.Some(inSeconds(accuracy)) })
}

// Run looks for steps until ctx ends. It returns nil then.
func (c *Clock) Run(ctx context.Context) error {
	t := time.NewTicker(c.cfg.Interval)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
			if err := c.Look(); err != nil {
				c.log.Error("the reaction to a step of the clock failed", "clock", c.cfg.Handle, "err", err)
			}
		}
	}
}

// Look looks now whether the clock has been stepped since the last look, and whether times from before a step are still there.
func (c *Clock) Look() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.look()
}

func (c *Clock) look() error {
	wall, monotonic := c.cfg.Wall(), c.cfg.Monotonic()
	expected := c.wall.Add(monotonic - c.monotonic)
	offset := wall.Sub(expected)
	if offset.Abs() <= c.cfg.Tolerance {
		c.wall, c.monotonic = wall, monotonic
		return c.recover()
	}
	step := Step{Old: expected, New: wall}
	c.log.Warn("the clock has been stepped", "clock", c.cfg.Handle, "old", step.Old, "new", step.New, "offset", offset)
	if err := c.react(step); err != nil {
		return err // looked at again: the step is still there
	}
	c.wall, c.monotonic = wall, monotonic
	if c.cfg.Stepped != nil {
		c.cfg.Stepped(step)
	}
	return nil
}

func (c *Clock) react(step Step) error {
	set := func(s *pm.ClockState) {
		s.LastSet = pm.Some(pm.TimestampOf(step.New))
		if s.DateAndTime.IsSet() {
			s.DateAndTime = s.LastSet
		}
	}
	if c.cfg.Reaction == NewSequence {
		c.cfg.Restart()
		return c.edit(func(s *pm.ClockState) { // the first report of the new sequence
			set(s)
			if _, ok, _ := ext.Epochs(s.Extension); ok {
				ext.SetEpochs(&s.Extension, ext.EpochsType{}) // epochs begin anew with the sequence (SDPi R0606)
			}
		})
	}
	if c.cfg.Reaction == Fault {
		return c.cfg.Device.Update(func(tx *mdib.Tx) error {
			s, err := mdib.Edit[*pm.ClockState](tx, c.cfg.Handle)
			if err != nil {
				return err
			}
			set(s)
			mds, _ := c.cfg.Device.MDIB().MDSOf(c.cfg.Handle)
			return tx.SetActivation(mds, pm.ComponentActivationFail)
		})
	}
	old := times(c.cfg.Device.MDIB(), c.cfg.Handle)
	before := c.before
	err := c.edit(func(s *pm.ClockState) {
		set(s)
		if c.cfg.Reaction == Epochs {
			addEpoch(s, step)
		}
		if c.old == nil {
			before = s.ActivationState
		}
		s.ActivationState = pm.ComponentActivationStndBy
	})
	if err != nil {
		return err
	}
	c.old, c.before = old, before
	return c.recover()
}

func addEpoch(s *pm.ClockState, step Step) {
	epochs, _, err := ext.Epochs(s.Extension)
	if err != nil {
		epochs = ext.EpochsType{} // unreadable: nobody could have used it
	}
	epochs.Epoch = append(epochs.Epoch, ext.EpochType{
		Version: epochs.Version, Timestamp: pm.TimestampOf(step.Old), Offset: pm.DurationOf(step.Offset().Round(time.Millisecond)),
	})
	if n := len(epochs.Epoch); n > maxEpochs {
		epochs.Epoch = epochs.Epoch[n-maxEpochs:]
	}
	epochs.Version++
	ext.SetEpochs(&s.Extension, epochs)
}

// recover ends StndBy when no time from before the step is left.
func (c *Clock) recover() error {
	if c.old == nil {
		return nil
	}
	now := times(c.cfg.Device.MDIB(), c.cfg.Handle)
	for p, was := range c.old {
		if is, ok := now[p]; ok && is == was {
			return nil
		}
		delete(c.old, p)
	}
	err := c.edit(func(s *pm.ClockState) {
		if s.ActivationState == pm.ComponentActivationStndBy {
			s.ActivationState = c.before
		}
	})
	if err == nil {
		c.old = nil
		c.log.Info("no time from before the step of the clock is left", "clock", c.cfg.Handle)
	}
	return err
}

// place is where the MDIB holds a time.
type place struct{ handle, field string }

// times returns the times of what has happened in the MDS of a clock, without those of the clock itself. Times that are planned
// (NextCalibration) or belong to another clock (birth dates) do not count.
func times(s *mdib.Snapshot, clock string) map[place]pm.Timestamp {
	out := map[place]pm.Timestamp{}
	mds, _ := s.MDSOf(clock)
	add := func(handle, field string, t pm.Opt[pm.Timestamp]) {
		if v, ok := t.Get(); ok {
			out[place{handle, field}] = v
		}
	}
	value := func(handle string, v *pm.AbstractMetricValue) {
		add(handle, "DeterminationTime", v.DeterminationTime)
		add(handle, "StartTime", v.StartTime)
		add(handle, "StopTime", v.StopTime)
	}
	for e := range s.Subtree(mds) {
		if e.Handle == clock {
			continue
		}
		for _, ctx := range e.Contexts {
			b := ctx.BaseContext()
			add(b.Handle, "BindingStartTime", b.BindingStartTime)
			add(b.Handle, "BindingEndTime", b.BindingEndTime)
		}
		switch state := e.State.(type) {
		case *pm.NumericMetricState:
			if state.MetricValue != nil {
				value(e.Handle, &state.MetricValue.AbstractMetricValue)
			}
		case *pm.EnumStringMetricState:
			if state.MetricValue != nil {
				value(e.Handle, &state.MetricValue.AbstractMetricValue)
			}
		case *pm.StringMetricState:
			if state.MetricValue != nil {
				value(e.Handle, &state.MetricValue.AbstractMetricValue)
			}
		case *pm.RealTimeSampleArrayMetricState:
			if state.MetricValue != nil {
				value(e.Handle, &state.MetricValue.AbstractMetricValue)
			}
		case *pm.DistributionSampleArrayMetricState:
			if state.MetricValue != nil {
				value(e.Handle, &state.MetricValue.AbstractMetricValue)
			}
		case *pm.AlertSystemState:
			add(e.Handle, "LastSelfCheck", state.LastSelfCheck)
		case pm.ConditionState:
			add(e.Handle, "DeterminationTime", state.BaseCondition().DeterminationTime)
		case pm.ComponentState:
			if i := state.BaseComponent().CalibrationInfo; i != nil {
				add(e.Handle, "CalibrationInfo", i.Time)
			}
		}
	}
	return out
}
