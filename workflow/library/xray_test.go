package library_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/simulators"
	"github.com/semeco/go-sdc/simulators/physio"
	"github.com/semeco/go-sdc/simulators/ventilator"
	"github.com/semeco/go-sdc/simulators/xray"
	"github.com/semeco/go-sdc/workflow"
)

// xrayRoom has a ventilated patient and an X-ray device, and watches the ventilator itself: no pause may be longer than the device allows.
func xrayRoom(t *testing.T, test func(r *room, vent, x *device, d *xray.Device)) {
	t.Helper()
	opts := simulators.Options{Location: place, Bed: simulators.NewBed(physio.Config{Seed: 7})}
	vent, err := ventilator.New(opts)
	require.NoError(t, err)
	x, err := xray.New(opts)
	require.NoError(t, err)
	inRoom(t, map[string]simulators.Simulator{"ventilator": vent, "xray": x}, func(r *room) {
		v := r.devices["ventilator"]
		stop, ended := make(chan struct{}), make(chan time.Duration, 1)
		go func() { ended <- longestPause(v, stop) }()
		defer func() {
			close(stop)
			require.LessOrEqual(r.t, <-ended, ventilator.PauseLimit+200*time.Millisecond, "the hard limit of the device\n%s", r.audit.trail())
		}()
		r.pass(6 * time.Second)
		test(r, v, r.devices["xray"], x)
	})
}

func longestPause(v *device, stop <-chan struct{}) time.Duration {
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	var longest, now time.Duration
	for {
		select {
		case <-stop:
			return longest
		case <-ticker.C:
		}
		if s := ventilator.PauseState(v.text(ventilator.HandlePause)); s != ventilator.PausedInspiratory && s != ventilator.PausedExpiratory {
			now = 0
			continue
		}
		now += 100 * time.Millisecond
		longest = max(longest, now)
	}
}

// safe: the patient is ventilated and nothing is or can be exposed.
func (r *room) safeXRay(vent, x *device) {
	r.t.Helper()
	require.Equal(r.t, string(ventilator.NotPaused), vent.text(ventilator.HandlePause), "the patient is ventilated\n%s", r.audit.trail())
	require.Equal(r.t, string(xray.Standby), x.text(xray.HandleState), "nothing is exposed\n%s", r.audit.trail())
}

func TestXRayExposesWhileNothingMoves(t *testing.T) {
	xrayRoom(t, func(r *room, vent, x *device, _ *xray.Device) {
		res := r.run(r.t.Context(), "xray-ventilator", nil)
		require.NoError(r.t, res.Cause, r.audit.trail())
		require.Equal(r.t, workflow.Completed, res.Outcome)
		require.Equal(r.t, []string{"Largest flow in the airway during the exposure: 0.0 L/min"}, res.Report)
		require.InDelta(r.t, 1, x.number(xray.HandleCount), 0)
		r.safeXRay(vent, x)
		require.Equal(r.t, 1, r.human.asked)
		r.pass(10 * time.Second)
		require.InDelta(r.t, 14, vent.number(ventilator.HandleRR), 1)
		require.False(r.t, vent.present(ventilator.AlarmPauseOver))
		// What was decided on is in the audit before it was done.
		var events []string
		for _, e := range r.audit.entries {
			if e.Step == "expose" {
				events = append(events, string(e.Event))
			}
		}
		require.Equal(r.t, []string{"step", "judged", "invoke", "outcome", "judged", "done"}, events)
	})
}

// The fault matrix: at every operation of the workflow everything that can go wrong does.
func TestXRayFaults(t *testing.T) {
	for _, at := range []struct {
		operation string
		n         int
		device    string
		exposures float64 // at most
	}{
		{xray.OpPrepare, 1, "xray", 0},
		{ventilator.OpPauseInsp, 1, "ventilator", 0},
		{ventilator.OpPauseInsp, 2, "ventilator", 1}, // the first renewal
		{xray.OpExpose, 1, "xray", 1},
		{ventilator.OpResume, 1, "ventilator", 1},
	} {
		for _, f := range faults() {
			t.Run(fmt.Sprintf("%s %d %s", at.operation, at.n, f), func(t *testing.T) {
				xrayRoom(t, func(r *room, vent, x *device, _ *xray.Device) {
					ctx, cancel := context.WithCancel(r.t.Context())
					defer cancel()
					r.world.cancel = cancel
					r.world.inject(at.operation, at.n, f)
					res := r.run(ctx, "xray-ventilator", nil)
					require.LessOrEqual(r.t, x.number(xray.HandleCount), at.exposures)
					// Without anybody's help, at the latest after lease and limits of the devices.
					r.pass(ventilator.PauseLimit + 2*time.Second)
					// What is switched off shows nothing any more.
					if f != crash || at.device != "ventilator" {
						require.Equal(r.t, string(ventilator.NotPaused), vent.text(ventilator.HandlePause), "the patient is ventilated\n%s", r.audit.trail())
					}
					if f != crash || at.device != "xray" {
						require.Equal(r.t, string(xray.Standby), x.text(xray.HandleState), "nothing is exposed\n%s", r.audit.trail())
					}
					survives := at.operation == ventilator.OpResume && (f == refused || f == lost || f == noAnswer) ||
						at.n == 2 && (f == lost || f == noAnswer)
					if survives {
						require.Equal(r.t, workflow.Completed, res.Outcome, "it is tried again\n%s", r.audit.trail())
						return
					}
					require.Error(r.t, res.Cause)
					switch f {
					case cutBefore, dies, crash:
						// Whether there was something left to undo there depends on the step; if so, people are told.
						if res.Outcome == workflow.Unsafe {
							require.NotEmpty(r.t, res.NotUndone)
							require.Equal(r.t, res.NotUndone, r.human.alarms)
						}
					case refused, lost, noAnswer, cancelled:
						require.Equal(r.t, workflow.Undone, res.Outcome, "%v %v\n%s", res.Cause, res.NotUndone, r.audit.trail())
					}
				})
			})
		}
	}
}

func resume(r *room) {
	dev, err := r.station.Device(r.devices["ventilator"].epr)
	require.NoError(r.t, err)
	_, err = dev.Activate(r.t.Context(), ventilator.OpResume)
	require.NoError(r.t, err)
}

func TestXRayGuards(t *testing.T) {

	for name, c := range map[string]struct {
		when  ventilator.PauseState // of the ventilator
		spoil func(r *room, d *xray.Device)
		cause error
	}{
		"somebody else does not want the pause": {ventilator.PauseRequested, func(r *room, _ *xray.Device) { resume(r) }, workflow.ErrHold},
		"somebody else resumes": {ventilator.PausedInspiratory, func(r *room, _ *xray.Device) {
			r.pass(600 * time.Millisecond)
			resume(r)
		}, workflow.ErrGuard},
		"the ventilator moves to another room": {ventilator.PausedInspiratory, func(r *room, _ *xray.Device) {
			require.NoError(r.t, r.devices["ventilator"].SetLocation(place2()))
		}, workflow.ErrDevice},
		"the door is opened": {ventilator.PausedInspiratory, func(_ *room, d *xray.Device) { d.Interlock(true) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			xrayRoom(t, func(r *room, vent, x *device, d *xray.Device) {
				// While the pause is being asked for, the world changes.
				spoiled := make(chan struct{})
				go func() {
					defer close(spoiled)
					r.until(20*time.Second, "pause", func() bool { return vent.text(ventilator.HandlePause) == string(c.when) })
					c.spoil(r, d)
				}()
				res := r.run(r.t.Context(), "xray-ventilator", func(o *workflow.Options) {
					o.World = slow{o.World, xray.OpExpose, time.Second}
				})
				<-spoiled
				require.Error(r.t, res.Cause, r.audit.trail())
				require.Equal(r.t, workflow.Undone, res.Outcome, "%v", res.Cause)
				if c.cause != nil {
					require.ErrorIs(r.t, res.Cause, c.cause)
				}
				r.pass(5 * time.Second)
				r.safeXRay(vent, x)
				require.LessOrEqual(r.t, x.number(xray.HandleCount), 1.0)
			})
		})
	}
}

func TestXRayDoesNotBegin(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(r *room, d *xray.Device)
		cause error
	}{
		"the operator says no":      {func(r *room, _ *xray.Device) { r.human.yes = false }, workflow.ErrRefused},
		"nobody answers":            {func(r *room, _ *xray.Device) { r.human.silent = true }, workflow.ErrTooLate},
		"the door is open":          {func(_ *room, d *xray.Device) { d.Interlock(true) }, workflow.ErrCondition},
		"the audit is broken":       {func(r *room, _ *xray.Device) { r.audit.broken = true }, workflow.ErrAudit},
		"the ventilator is cut off": {func(r *room, _ *xray.Device) { r.cut("ventilator"); r.pass(15 * time.Second) }, nil},
		"it stands elsewhere": {func(r *room, _ *xray.Device) {
			require.NoError(r.t, r.devices["ventilator"].SetLocation(place2()))
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			xrayRoom(t, func(r *room, vent, x *device, d *xray.Device) {
				c.spoil(r, d)
				r.pass(time.Second)
				res := r.run(r.t.Context(), "xray-ventilator", nil)
				require.Error(r.t, res.Cause)
				if c.cause != nil {
					require.ErrorIs(r.t, res.Cause, c.cause)
				}
				require.Equal(r.t, workflow.Refused, res.Outcome)
				require.Empty(r.t, r.world.counts, "nothing was invoked")
				r.safeXRay(vent, x)
			})
		})
	}
}

func TestXRayDryRunInvokesNothing(t *testing.T) {
	xrayRoom(t, func(r *room, vent, x *device, _ *xray.Device) {
		res := r.run(r.t.Context(), "xray-ventilator", func(o *workflow.Options) { o.DryRun = true })
		require.NoError(r.t, res.Cause, r.audit.trail())
		require.Equal(r.t, workflow.Completed, res.Outcome)
		require.Empty(r.t, r.world.counts)
		require.Contains(r.t, r.audit.trail(), xray.OpExpose)
		require.True(r.t, strings.Contains(r.audit.trail(), "taken to hold"))
		for _, e := range r.audit.entries {
			require.True(r.t, e.DryRun)
		}
		r.safeXRay(vent, x)
	})
}
