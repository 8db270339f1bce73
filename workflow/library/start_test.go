package library_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/simulators"
	"github.com/semeco/go-sdc/simulators/light"
	"github.com/semeco/go-sdc/simulators/monitor"
	"github.com/semeco/go-sdc/simulators/physio"
	"github.com/semeco/go-sdc/simulators/ventilator"
	"github.com/semeco/go-sdc/workflow"
)

func startRoom(t *testing.T, test func(r *room)) {
	t.Helper()
	bed := simulators.NewBed(physio.Config{})
	opts := simulators.Options{Location: place2(), Bed: bed}
	m, err := monitor.New(opts)
	require.NoError(t, err)
	l, err := light.New(opts)
	require.NoError(t, err)
	v, err := ventilator.New(simulators.Options{Bed: bed}) // stands nowhere yet
	require.NoError(t, err)
	inRoom(t, map[string]simulators.Simulator{"monitor": m, "light": l, "ventilator": v}, test)
}

func params(o *workflow.Options) {
	o.Parameters = map[string]string{
		"patient-root": "urn:patients", "patient-id": "4711", "family": "Test", "given": "Pat", "location": "fac=HOSP,poc=OR 1",
	}
}

// where is the place that a device says it is at, who the patient.
func (d *device) where() string {
	for s := range d.MDIB().Associated("context.location") {
		l := s.(*pm.LocationContextState).LocationDetail
		return sdc.LocationDetail{Facility: l.Facility, PoC: l.PoC}.String()
	}
	return ""
}

func (d *device) who() string {
	var out []string
	for s := range d.MDIB().Associated("context.patient") {
		out = append(out, s.BaseContext().Identification[0].Extension)
	}
	return strings.Join(out, " ")
}

func TestStartSetsPatientAndPlaceEverywhere(t *testing.T) {
	startRoom(t, func(r *room) {
		// One limit is where it should not be.
		mon, err := r.station.Device(r.devices["monitor"].epr)
		require.NoError(r.t, err)
		_, err = mon.SetValue(r.t.Context(), monitor.OpSet(monitor.HandleSpO2Low), pm.MustDecimal("70"))
		require.NoError(r.t, err)
		r.pass(time.Second)
		res := r.run(r.t.Context(), "or-start", params)
		require.NoError(r.t, res.Cause, r.audit.trail())
		require.Equal(r.t, workflow.Completed, res.Outcome)
		for name, d := range r.devices {
			require.Equal(r.t, "fac=HOSP,poc=OR 1", d.where(), name)
			require.Equal(r.t, "4711", d.who(), name)
			require.Empty(r.t, mdib.Validate(d.MDIB()))
		}
		report := strings.Join(res.Report, "\n")
		require.Contains(r.t, report, "NOT OK: saturation, the lower limit is 70, not within 88 to 95 (Monitor)")
		require.Contains(r.t, report, "ok: heart rate (Monitor)")
		require.Contains(r.t, report, "ok: airway pressure")
		r.until(5*time.Second, "one patient in the view", func() bool {
			v := r.station.View()
			return len(v.Patients) == 1 && len(v.Patients[0].Systems) == 3 && len(v.Places) == 1
		})
		// Once more, for the next patient; then the same again, which changes nothing.
		next := func(o *workflow.Options) {
			params(o)
			o.Parameters["patient-id"] = "4712"
		}
		require.Equal(r.t, workflow.Completed, r.run(r.t.Context(), "or-start", next).Outcome)
		require.Equal(r.t, workflow.Completed, r.run(r.t.Context(), "or-start", next).Outcome)
		for name, d := range r.devices {
			require.Equal(r.t, "4712", d.who(), name)
		}
	})
}

// All devices have the same patient and place, or what they had before.
func TestStartFaults(t *testing.T) {
	for _, op := range []string{opSetLocation, opSetPatient} {
		for n := 1; n <= 3; n++ {
			for _, f := range faults() {
				t.Run(fmt.Sprintf("%s %d %s", op, n, f), func(t *testing.T) {
					startRoom(t, func(r *room) {
						ctx, cancel := context.WithCancel(r.t.Context())
						defer cancel()
						r.world.cancel = cancel
						before := map[string]string{}
						for name, d := range r.devices {
							before[name] = d.where()
						}
						r.world.inject(op, n, f)
						res := r.run(ctx, "or-start", params)
						require.Error(r.t, res.Cause)
						restored := 0
						for name, d := range r.devices {
							if d.where() == before[name] && d.who() == "" {
								restored++
							}
						}
						switch f {
						case refused, lost, noAnswer, cancelled:
							require.Equal(r.t, workflow.Undone, res.Outcome, "%v\n%s", res.NotUndone, r.audit.trail())
							require.Equal(r.t, 3, restored, r.audit.trail())
						case cutBefore, crash:
							require.Equal(r.t, workflow.Unsafe, res.Outcome)
							require.GreaterOrEqual(r.t, restored, 2, "those that can be reached")
							require.NotEmpty(r.t, r.human.alarms, "people are told of the other")
						case dies:
							// Nobody is left who could; the devices contradict each other, which the view of any station tells. Where
							// the first request never got out, there is nothing to undo.
							require.True(r.t, res.Outcome == workflow.Unsafe || restored == 3, r.audit.trail())
						}
					})
				})
			}
		}
	}
}

func TestStartDoesNotEndTheAssociationOfSomebodyElse(t *testing.T) {
	startRoom(t, func(r *room) {
		r.world.inject(opSetPatient, 3, refused)
		other := pm.InstanceIdentifier{Root: "urn:patients", Extension: "9999"}
		res := r.run(r.t.Context(), "or-start", func(o *workflow.Options) {
			params(o)
			// Before the third device refuses, somebody admits another patient at the first two.
			o.World = before{o.World, opSetPatient, 3, new(int), func() {
				for _, d := range r.devices {
					if d.who() == "4711" {
						_, err := d.AssociatePatient(provider.Context{Identification: []pm.InstanceIdentifier{other}}, nil)
						require.NoError(r.t, err)
					}
				}
				<-time.After(time.Second)
			}}
		})
		require.Equal(r.t, workflow.Unsafe, res.Outcome)
		require.Len(r.t, r.human.alarms, 2)
		n := 0
		for _, d := range r.devices {
			if d.who() == "9999" {
				n++
			}
		}
		require.Equal(r.t, 2, n)
	})
}

func TestStartNeedsConsentAndParameters(t *testing.T) {
	startRoom(t, func(r *room) {
		r.human.yes = false
		res := r.run(r.t.Context(), "or-start", params)
		require.ErrorIs(r.t, res.Cause, workflow.ErrRefused)
		require.Equal(r.t, workflow.Refused, res.Outcome)
		require.Empty(r.t, r.world.counts)
	})
}

// Operations that all simulated devices have.
const (
	opSetLocation = "op.location.set"
	opSetPatient  = "op.patient.set"
)
