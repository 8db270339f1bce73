package library_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/simulators"
	"github.com/semeco/go-sdc/simulators/monitor"
	"github.com/semeco/go-sdc/simulators/physio"
	"github.com/semeco/go-sdc/simulators/pump"
	"github.com/semeco/go-sdc/workflow"
)

// ward has a patient who breathes on his own and gets an opioid, watched by a monitor.
type ward struct {
	*room
	bed           *simulators.Bed
	pump, monitor *device
	sensors       *monitor.Monitor

	cancel context.CancelFunc
	ended  chan *workflow.Result
}

func inWard(t *testing.T, scenario physio.Scenario, isDrowsy bool, test func(w *ward)) {
	t.Helper()
	bed := simulators.NewBed(physio.Config{Seed: 3, Spontaneous: 14, Scenario: scenario})
	if isDrowsy {
		drowsy(bed)
	}
	opts := simulators.Options{Location: place, Bed: bed}
	p, err := pump.New(opts)
	require.NoError(t, err)
	m, err := monitor.New(opts)
	require.NoError(t, err)
	inRoom(t, map[string]simulators.Simulator{"pump": p, "monitor": m}, func(r *room) {
		w := &ward{room: r, bed: bed, pump: r.devices["pump"], monitor: r.devices["monitor"], sensors: m, ended: make(chan *workflow.Result, 1)}
		for _, d := range []*device{w.pump, w.monitor} {
			w.admit(d, "4711")
		}
		dev, err := r.station.Device(w.pump.epr)
		require.NoError(r.t, err)
		_, err = dev.Activate(r.t.Context(), pump.OpStart)
		require.NoError(r.t, err)
		r.pass(12 * time.Second)
		test(w)
	})
}

func (w *ward) admit(d *device, id string) {
	_, err := d.AssociatePatient(provider.Context{Identification: []pm.InstanceIdentifier{{Root: "urn:patients", Extension: id}}}, nil)
	require.NoError(w.t, err)
}

// drowsy lets the patient have had some of an opioid for a while, in no time. It comes before the devices look at him.
func drowsy(bed *simulators.Bed) {
	defer bed.Infuse(func(dt time.Duration) (physio.Drug, float64) { return physio.Remifentanil, 900 * dt.Hours() })()
	tap := bed.Tap()
	defer tap.Close()
	tap.Next(nil, int(2*time.Minute/simulators.SampleStep))
}

// start runs the interlock until it ends or stop is called.
func (w *ward) start() {
	ctx, cancel := context.WithCancel(w.t.Context())
	w.cancel, w.world.cancel = cancel, cancel
	go func() { w.ended <- w.run(ctx, "infusion-interlock", nil) }()
}

func (w *ward) status() string { return w.pump.text(pump.HandleStatus) }

// overdose puts so much of an opioid into the vein that the respiration fails; the pump at the bed is not the only source of it.
func (w *ward) overdose(microgramsPerHour float64) (end func()) {
	return w.bed.Infuse(func(dt time.Duration) (physio.Drug, float64) {
		return physio.Remifentanil, microgramsPerHour * dt.Hours()
	})
}

func TestInterlockStopsTheOpioid(t *testing.T) {
	inWard(t, physio.Stable, false, func(w *ward) {
		w.human.silent = true
		w.start()
		w.pass(time.Minute)
		require.Equal(w.t, string(pump.Infusing), w.status(), "nothing is wrong with the patient\n%s", w.audit.trail())
		require.Equal(w.t, pump.Supervised, w.pump.text(pump.HandleSupervised))
		end := w.overdose(9000)
		lowest := 100.0
		w.until(4*time.Minute, "stop", func() bool {
			lowest = min(lowest, w.monitor.number(monitor.HandleSpO2))
			return w.status() == string(pump.Standby)
		})
		require.Greater(w.t, lowest, 80.0, "in time")
		require.Contains(w.t, w.audit.trail(), "Respiratory rate:")
		end()
		// Nothing starts again by itself.
		w.pass(2 * time.Minute)
		require.Equal(w.t, string(pump.Standby), w.status())
		w.cancel()
		res := <-w.ended
		require.Equal(w.t, workflow.Undone, res.Outcome, "%v", res.Cause)
		require.Equal(w.t, string(pump.Standby), w.status())
	})
}

func TestInterlockGoesOnWhenTheUserHasSeenToThePatient(t *testing.T) {
	inWard(t, physio.Stable, false, func(w *ward) {
		w.human.answer = make(chan bool)
		w.start()
		end := w.overdose(1200)
		w.until(4*time.Minute, "stop", func() bool { return w.status() == string(pump.Standby) })
		end()
		w.pass(6 * time.Minute)
		dev, err := w.station.Device(w.pump.epr)
		require.NoError(w.t, err)
		_, err = dev.Activate(w.t.Context(), pump.OpStart)
		require.NoError(w.t, err)
		w.human.answer <- true
		w.pass(time.Minute)
		require.Equal(w.t, string(pump.Infusing), w.status(), "it does not stop what is right\n%s", w.audit.trail())
		require.Equal(w.t, pump.Supervised, w.pump.text(pump.HandleSupervised), "and watches again\n%s", w.audit.trail())
		w.cancel()
		<-w.ended
		require.Equal(w.t, string(pump.Standby), w.status(), "without anybody who watches there is no opioid")
	})
}

// One signal alone does not stop the infusion: a shunt lets the saturation fall while the patient breathes.
func TestInterlockWantsTwoSignals(t *testing.T) {
	inWard(t, physio.Desaturation, false, func(w *ward) {
		w.start()
		low := false
		for range 120 {
			w.pass(500 * time.Millisecond)
			if v := w.monitor.number(monitor.HandleSpO2); v > 0 && v < 90 {
				low = true
			}
		}
		require.True(w.t, low)
		require.Equal(w.t, string(pump.Infusing), w.status(), w.audit.trail())
		w.cancel()
		<-w.ended
	})
}

// The interlock stops the opioid as well when it can no longer see what it has to watch.
func TestInterlockFailsSafe(t *testing.T) {
	for name, c := range map[string]struct {
		spoil   func(w *ward)
		outcome workflow.Outcome
		within  time.Duration
		alarm   bool // of the pump's own: it has ended by itself
	}{
		"the oximeter falls off": {func(w *ward) { w.sensors.Plug(monitor.SensorSpO2, false) }, workflow.Undone, 25 * time.Second, false},
		"the capnograph too":     {func(w *ward) { w.sensors.Plug(monitor.SensorCO2, false) }, workflow.Undone, 70 * time.Second, false},
		"the monitor is cut off": {func(w *ward) { w.cut("monitor") }, workflow.Undone, 40 * time.Second, false},
		"the monitor is off":     {func(w *ward) { w.devices["monitor"].stop() }, workflow.Undone, 40 * time.Second, false},
		"another patient":        {func(w *ward) { w.admit(w.monitor, "4712") }, workflow.Undone, time.Second, false},
		"the pump is cut off":    {func(w *ward) { w.cut("pump") }, workflow.Unsafe, pump.SupervisionLease + time.Second, true},
		"the operator cancels":   {func(w *ward) { w.cancel() }, workflow.Undone, time.Second, false},
		"the orchestrator dies": {func(w *ward) {
			w.world.mu.Lock()
			w.world.dead = true
			w.world.mu.Unlock()
		}, workflow.Unsafe, pump.SupervisionLease + time.Second, true},
		"the audit breaks": {func(w *ward) {
			w.audit.mu.Lock()
			w.audit.broken = true
			w.audit.mu.Unlock()
		}, workflow.Undone, 7 * time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			inWard(t, physio.Stable, false, func(w *ward) {
				w.start()
				w.pass(12 * time.Second)
				require.Equal(w.t, string(pump.Infusing), w.status(), w.audit.trail())
				c.spoil(w)
				w.until(c.within, "stop", func() bool { return w.status() == string(pump.Standby) })
				res := <-w.ended
				require.Equal(w.t, c.outcome, res.Outcome, "%v %v\n%s", res.Cause, res.NotUndone, w.audit.trail())
				require.Equal(w.t, c.outcome == workflow.Unsafe, len(w.human.alarms) > 0, "people are told")
				w.pass(time.Second)
				require.Equal(w.t, c.alarm, w.pump.present(pump.AlarmUnwatched))
				w.pass(20 * time.Second)
				require.Equal(w.t, string(pump.Standby), w.status())
			})
		})
	}
}

func TestInterlockFaults(t *testing.T) {
	for _, at := range []struct {
		operation string
		n         int
	}{{pump.OpSupervise, 1}, {pump.OpSupervise, 2}, {pump.OpStop, 1}} {
		for _, f := range faults() {
			t.Run(fmt.Sprintf("%s %d %s", at.operation, at.n, f), func(t *testing.T) {
				inWard(t, physio.Stable, at.operation == pump.OpStop, func(w *ward) {
					w.world.inject(at.operation, at.n, f)
					w.start()
					end := w.overdose(9000)
					if f == crash { // what is switched off delivers nothing
						w.until(4*time.Minute, "end", func() bool { return len(w.ended) > 0 })
					} else if !(at.operation == pump.OpSupervise && at.n == 1 && (f == dies || f == cutBefore)) {
						w.until(5*time.Minute, "stop", func() bool { return w.status() == string(pump.Standby) })
					} else {
						// The interlock never was in force; people are told at once.
						w.until(time.Minute, "end", func() bool { return len(w.ended) > 0 })
						require.NotEmpty(w.t, w.human.alarms)
					}
					end()
					w.cancel()
					res := <-w.ended
					require.Error(w.t, res.Cause)
				})
			})
		}
	}
}

func TestInterlockDoesNotBegin(t *testing.T) {
	for name, spoil := range map[string]func(w *ward){
		"without the oximeter": func(w *ward) { w.sensors.Plug(monitor.SensorSpO2, false) },
		"with another patient": func(w *ward) { w.admit(w.monitor, "4712") },
		"with another drug": func(w *ward) {
			dev, err := w.station.Device(w.pump.epr)
			require.NoError(w.t, err)
			_, err = dev.Activate(w.t.Context(), pump.OpStop)
			require.NoError(w.t, err)
			_, err = dev.SetString(w.t.Context(), pump.OpSet(pump.HandleSetDrug), string(pump.Saline))
			require.NoError(w.t, err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			inWard(t, physio.Stable, false, func(w *ward) {
				spoil(w)
				w.pass(5 * time.Second)
				w.start()
				res := <-w.ended
				require.Equal(w.t, workflow.Refused, res.Outcome, "%v", res.Cause)
				require.Empty(w.t, w.world.counts)
			})
		})
	}
}
