package bedside

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/simulators/internal/build"
)

func TestPaceKeepsTimeAndLeavesOutWhatIsTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		begin := time.Now()
		var times []time.Duration
		err := Pace(ctx, Step, func(at time.Time) error {
			times = append(times, at.Sub(begin))
			switch len(times) {
			case 3:
				<-time.After(500 * time.Millisecond) // late, but not too late
			case 10:
				<-time.After(time.Hour)
			case 40:
				cancel()
			}
			return nil
		})
		require.NoError(t, err)
		require.Len(t, times, 40)
		for i := range 9 {
			require.Equal(t, time.Duration(i+1)*Step, times[i], "nothing is lost by a small delay")
		}
		require.Greater(t, times[10], 59*time.Minute, "a long one is left out")
		require.Less(t, time.Hour-times[10], (catchUp+20)*Step)
		for i := 11; i < len(times); i++ {
			require.Equal(t, Step, times[i]-times[i-1])
		}
	})
}

// device is the smallest device with an alarm on a number.
type device struct{ *mdib.Store }

func (d device) MDIB() *mdib.Snapshot { return d.Load() }

func (d device) Update(fn func(*mdib.Tx) error) error {
	_, err := d.Store.Update(fn)
	return err
}

func newDevice(t *testing.T) (device, *Alarms) {
	limits := []build.Limit{{
		Handle: "alarm", Source: "number", Type: build.Private("limit", "Limit"), Priority: pm.AlertConditionPriorityHi,
		Low: "10", High: "20", Min: "0", Max: "100", Delay: 2 * time.Second,
	}}
	number := build.Numeric{
		Handle: "number", Type: build.Private("number", "Number"), Unit: build.Dimensionless(), Category: pm.MetricCategoryMsrmt,
		Resolution: "0.1", Low: "0", High: "100", Period: time.Second,
	}
	snap, err := build.Device{
		Type: build.Private("device", "Device"), Model: "Device", Number: "1", Serial: "1",
		Alerts: build.AlertSystem(build.HandleAlertSystem, 5*time.Second, limits, nil),
		VMDs:   []*pm.VmdDescriptor{build.VMD("vmd", build.Private("vmd", "VMD"), build.Channel("channel", build.Private("channel", "Channel"), number.Descriptor()))},
		States: append([]pm.State{build.AlertSystemState(build.HandleAlertSystem)}, build.InitialLimits(limits)...),
	}.MDIB()
	require.NoError(t, err)
	return device{mdib.NewStore(snap, mdib.Config{})}, NewAlarms(build.HandleAlertSystem, 5*time.Second, limits, nil)
}

func (d device) set(t *testing.T, v float64, ok bool) {
	t.Helper()
	require.NoError(t, d.Update(func(tx *mdib.Tx) error {
		return Numerics(tx, time.Now(), []Value{{Handle: "number", Value: v, OK: ok}})
	}))
}

func (d device) pass(t *testing.T, a *Alarms, duration time.Duration) (present bool, vis, aud pm.AlertSignalPresence) {
	t.Helper()
	for ; duration > 0; duration -= Step {
		require.NoError(t, a.Step(d, Step, time.Now()))
	}
	s, _ := mdib.Get[*pm.LimitAlertConditionState](d.Load(), "alarm")
	v, _ := mdib.Get[*pm.AlertSignalState](d.Load(), "alarm.vis")
	u, _ := mdib.Get[*pm.AlertSignalState](d.Load(), "alarm.aud")
	return s.Presence, v.PresenceOrDefault(), u.PresenceOrDefault()
}

func TestLimitAlarm(t *testing.T) {
	// covers: BICEPS R0029_0
	const on, off = pm.AlertSignalPresenceOn, pm.AlertSignalPresenceOff
	d, a := newDevice(t)
	expect := func(wantPresent bool, wantVis, wantAud pm.AlertSignalPresence, duration time.Duration) {
		t.Helper()
		present, vis, aud := d.pass(t, a, duration)
		require.Equal(t, wantPresent, present)
		require.Equal(t, wantVis, vis)
		require.Equal(t, wantAud, aud)
		require.Empty(t, mdib.Validate(d.Load()))
	}
	expect(false, off, off, 5*time.Second)
	d.set(t, 20, true)
	expect(false, off, off, 5*time.Second) // the limit itself is inside
	d.set(t, 20.1, true)
	expect(false, off, off, 2*time.Second) // not long enough
	expect(true, on, on, time.Second)
	a.PauseAudio(time.Second)
	expect(true, on, off, 500*time.Millisecond)
	expect(true, on, on, time.Second)
	a.PauseAudio(time.Minute)
	expect(true, on, off, time.Second)
	a.ResumeAudio()
	expect(true, on, on, time.Second)
	d.set(t, 0, false)
	expect(false, off, off, time.Second) // without a value there is nothing to judge
	d.set(t, 9.9, true)
	expect(true, on, on, 3*time.Second)
	edit := func(change func(*pm.LimitAlertConditionState)) {
		require.NoError(t, d.Update(func(tx *mdib.Tx) error {
			s, err := mdib.Edit[*pm.LimitAlertConditionState](tx, "alarm")
			if err == nil {
				change(s)
			}
			return err
		}))
	}
	edit(func(s *pm.LimitAlertConditionState) { s.MonitoredAlertLimits = pm.AlertConditionMonitoredLimitsLoOff })
	expect(false, off, off, Step)
	edit(func(s *pm.LimitAlertConditionState) { s.MonitoredAlertLimits = pm.AlertConditionMonitoredLimitsAll })
	expect(true, on, on, 3*time.Second)
	edit(func(s *pm.LimitAlertConditionState) {
		s.ActivationState, s.Presence = pm.AlertActivationOff, false
	})
	expect(false, off, off, 3*time.Second)
}
