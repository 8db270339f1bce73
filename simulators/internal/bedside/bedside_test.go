package bedside

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/testkit/bubble"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/simulators/internal/build"
)

func TestPaceKeepsTimeAndLeavesOutWhatIsTooLate(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
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
	d, a := device{mdib.NewStore(snap, mdib.Config{})}, NewAlarms(build.HandleAlertSystem, limits)
	require.NoError(t, a.attach(d))
	return d, a
}

func (d device) set(t *testing.T, v float64, ok bool) {
	t.Helper()
	require.NoError(t, d.Update(func(tx *mdib.Tx) error {
		return Numerics(tx, time.Now(), []Value{{Handle: "number", Value: v, OK: ok}})
	}))
}

func (d device) alarm() (present bool, vis, aud pm.AlertSignalPresence) {
	s, _ := mdib.Get[*pm.LimitAlertConditionState](d.Load(), "alarm")
	v, _ := mdib.Get[*pm.AlertSignalState](d.Load(), "alarm.vis")
	u, _ := mdib.Get[*pm.AlertSignalState](d.Load(), "alarm.aud")
	return s.Presence, v.PresenceOrDefault(), u.PresenceOrDefault()
}

func TestLimitAlarm(t *testing.T) {
	// covers: BICEPS R0029_0
	const on, off, ack = pm.AlertSignalPresenceOn, pm.AlertSignalPresenceOff, pm.AlertSignalPresenceAck
	bubble.Test(t, func(t *testing.T) {
		d, a := newDevice(t)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- a.Pace(ctx, func(time.Time) error { return a.Step() }) }()
		expect := func(wantPresent bool, wantVis, wantAud pm.AlertSignalPresence, after time.Duration) {
			t.Helper()
			<-time.After(after + time.Millisecond)
			synctest.Wait()
			present, vis, aud := d.alarm()
			require.Equal(t, wantPresent, present)
			require.Equal(t, wantVis, vis)
			require.Equal(t, wantAud, aud)
			require.Empty(t, mdib.Validate(d.Load()))
		}
		limits := func(low, high string, monitored pm.AlertConditionMonitoredLimits, activation pm.AlertActivation) error {
			s := &pm.LimitAlertConditionState{Limits: build.Range(low, high), MonitoredAlertLimits: monitored}
			s.DescriptorHandle, s.ActivationState = "alarm", activation
			return a.manager.SetAlertState(s)
		}
		expect(false, off, off, 5*time.Second)
		d.set(t, 20, true)
		expect(false, off, off, 5*time.Second) // the limit itself is inside
		d.set(t, 20.1, true)
		expect(false, off, off, 1900*time.Millisecond) // not long enough
		expect(true, on, on, time.Second)
		require.NoError(t, a.manager.PauseAudio(a.system, time.Second))
		expect(true, on, off, 500*time.Millisecond)
		expect(true, on, on, time.Second)
		require.NoError(t, a.manager.PauseAudio(a.system, time.Minute))
		expect(true, on, off, time.Second)
		require.NoError(t, a.manager.ResumeAudio(a.system))
		expect(true, on, on, time.Second)
		require.NoError(t, a.acknowledge())
		require.NoError(t, a.acknowledge(), "again")
		expect(true, on, ack, build.AcknowledgeTimeout-time.Second)
		expect(true, on, on, 2*time.Second) // it is still there
		d.set(t, 0, false)
		expect(false, off, off, time.Second) // without a value there is nothing to judge
		require.NoError(t, a.acknowledge(), "nothing sounds")
		d.set(t, 9.9, true)
		expect(true, on, on, 3*time.Second)
		require.NoError(t, limits("10", "20", pm.AlertConditionMonitoredLimitsLoOff, pm.AlertActivationOn))
		expect(false, off, off, 0)
		require.NoError(t, limits("10", "20", pm.AlertConditionMonitoredLimitsAll, pm.AlertActivationOn))
		expect(true, on, on, 3*time.Second)
		require.Error(t, limits("10", "100.1", pm.AlertConditionMonitoredLimitsAll, pm.AlertActivationOn))
		require.Error(t, limits("20", "10", pm.AlertConditionMonitoredLimitsAll, pm.AlertActivationOn))
		require.NoError(t, limits("10", "20", pm.AlertConditionMonitoredLimitsAll, pm.AlertActivationOff))
		expect(false, off, off, 3*time.Second)
		s, _ := mdib.Get[*pm.AlertSystemState](d.Load(), build.HandleAlertSystem)
		require.Positive(t, s.SelfCheckCount.Or(0))
		cancel()
		require.NoError(t, <-ended)
	})
}
