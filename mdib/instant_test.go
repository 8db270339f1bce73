package mdib

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib/ext"
	"github.com/semeco/go-sdc/mdib/pm"
)

// clocked is an MDIB with a clock in a state.
func clocked(t *testing.T, change func(*pm.MdsState, *pm.ClockState)) *Snapshot {
	t.Helper()
	clock := &pm.ClockDescriptor{}
	clock.Handle = "clock"
	ext.SetEpochSupport(&clock.Extension, ext.EpochSupportType{})
	vmd := &pm.VmdDescriptor{}
	vmd.Handle = "vmd"
	mds := &pm.MdsDescriptor{Clock: clock, Vmd: []*pm.VmdDescriptor{vmd}}
	mds.Handle = "mds"
	root, state := &pm.MdsState{}, &pm.ClockState{}
	root.DescriptorHandle, state.DescriptorHandle = "mds", "clock"
	change(root, state)
	s, err := FromMdib(&pm.Mdib{MdDescription: &pm.MdDescription{Mds: []*pm.MdsDescriptor{mds}}, MdState: &pm.MdState{State: []pm.State{root, state}}})
	require.NoError(t, err)
	return s
}

func TestTimesOfADeviceWhoseClockWasSetAreDoubted(t *testing.T) {
	// covers: SDPi R1603, SDPi R1604
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	at := func(d time.Duration) time.Time { return noon.Add(d) }
	none := pm.Opt[uint64]{}
	standby := func(set time.Duration, epochs ...ext.EpochType) func(*pm.MdsState, *pm.ClockState) {
		return func(_ *pm.MdsState, c *pm.ClockState) {
			c.ActivationState, c.LastSet = pm.ComponentActivationStndBy, pm.Some(pm.TimestampOf(at(set)))
			if epochs != nil {
				ext.SetEpochs(&c.Extension, ext.EpochsType{Version: epochs[len(epochs)-1].Version + 1, Epoch: epochs})
			}
		}
	}
	step := func(version uint64, old, offset time.Duration) ext.EpochType {
		return ext.EpochType{Version: version, Timestamp: pm.TimestampOf(at(old)), Offset: pm.DurationOf(offset)}
	}
	forward, back := step(0, 0, time.Hour), step(0, 0, -time.Hour)
	for name, c := range map[string]struct {
		clock func(*pm.MdsState, *pm.ClockState)
		time  time.Duration
		epoch pm.Opt[uint64]
		want  Instant
	}{
		"a clock that was never set":         {func(*pm.MdsState, *pm.ClockState) {}, 0, none, Instant{At: at(0)}},
		"before LastSet":                     {standby(time.Hour), time.Minute, none, Instant{At: at(time.Minute), Doubt: DoubtBeforeStep}},
		"after LastSet, it may be set back":  {standby(time.Hour), 2 * time.Hour, none, Instant{At: at(2 * time.Hour), Doubt: DoubtEpoch}},
		"set forward, before":                {standby(2*time.Hour, forward), -time.Minute, none, Instant{At: at(59 * time.Minute), Doubt: DoubtBeforeStep, Corrected: true}},
		"set forward, after":                 {standby(2*time.Hour, forward), 61 * time.Minute, none, Instant{At: at(61 * time.Minute)}},
		"set forward, a time that never was": {standby(2*time.Hour, forward), time.Minute, none, Instant{At: at(time.Minute), Doubt: DoubtBeforeStep}},
		"set back, before":                   {standby(-time.Hour, back), -2 * time.Hour, none, Instant{At: at(-3 * time.Hour), Doubt: DoubtBeforeStep, Corrected: true}},
		"set back, either":                   {standby(-time.Hour, back), -time.Minute, none, Instant{At: at(-time.Minute), Doubt: DoubtEpoch}},
		"set back, after all":                {standby(-time.Hour, back), time.Minute, none, Instant{At: at(time.Minute)}},
		"set back, told to be before":        {standby(-time.Hour, back), -time.Minute, pm.Some[uint64](0), Instant{At: at(-61 * time.Minute), Doubt: DoubtBeforeStep, Corrected: true}},
		"set back, told to be after":         {standby(-time.Hour, back), -time.Minute, pm.Some[uint64](1), Instant{At: at(-time.Minute)}},
		"set twice, told": {
			standby(0, forward, step(1, 2*time.Hour, -time.Minute)), -time.Minute, pm.Some[uint64](0),
			Instant{At: at(58 * time.Minute), Doubt: DoubtBeforeStep, Corrected: true},
		},
		"set twice, by how much first is not told": {
			standby(0, step(1, 2*time.Hour, -time.Minute)), -time.Minute, pm.Some[uint64](0), Instant{At: at(-time.Minute), Doubt: DoubtBeforeStep},
		},
		"set twice, not told": {
			standby(0, forward, step(1, 2*time.Hour, -time.Minute)), -time.Minute, none, Instant{At: at(-time.Minute), Doubt: DoubtBeforeStep},
		},
		"set, nobody knows when": {func(_ *pm.MdsState, c *pm.ClockState) { c.ActivationState = pm.ComponentActivationStndBy }, 0, none, Instant{At: at(0), Doubt: DoubtEpoch}},
		"a clock that failed":    {func(_ *pm.MdsState, c *pm.ClockState) { c.ActivationState = pm.ComponentActivationFail }, 0, none, Instant{At: at(0), Doubt: DoubtClock}},
		"a device that failed":   {func(m *pm.MdsState, _ *pm.ClockState) { m.ActivationState = pm.ComponentActivationFail }, 0, none, Instant{At: at(0), Doubt: DoubtClock}},
	} {
		require.Equal(t, c.want, InstantOf(clocked(t, c.clock), "vmd", pm.TimestampOf(at(c.time)), c.epoch), name)
	}
	require.Equal(t, Instant{At: noon}, InstantOf(clocked(t, standby(0)), "unknown", pm.TimestampOf(noon), none))
	require.Equal(t, "before the clock was set, the clock does not work", (DoubtBeforeStep | DoubtClock).String())
	require.Empty(t, Doubt(0).String())
}
