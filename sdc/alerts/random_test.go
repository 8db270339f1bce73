package alerts

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/semeco/go-sdc/internal/testkit/bubble"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
)

// TestRandom drives a manager through random actions, some of them past it, and checks every version against the rules, and at
// the end that everything that was switched off around the signals leaves no trace.
func TestRandom(t *testing.T) {
	// covers: BICEPS R0029_0, BICEPS R0116, BICEPS B-128, BICEPS alert lists
	bubble.Test(t, func(t *testing.T) {
		rapid.Check(struct{ rapid.TB }{t}, func(rt *rapid.T) { // without Deadline, which a bubble forbids
			dev := newDevice(rt)
			m, err := New(Config{Device: dev})
			require.NoError(rt, err)
			systems := []string{"alerts", "alerts2"}
			conditions := []string{"hr.limit", "sensor", "pump"}
			signals := []string{"hr.vis", "hr.aud", "hr.tan", "hr.tan.remote", "sensor.vis", "sensor.aud", "pump.up", "pump.vis", "pump.moving"}
			all := append(append(append([]string{}, systems...), conditions...), signals...)
			activations := rapid.SampledFrom([]pm.AlertActivation{pm.AlertActivationOn, pm.AlertActivationOff, pm.AlertActivationPsd})
			manifestations := rapid.SampledFrom([]pm.AlertSignalManifestation{pm.AlertSignalManifestationAud, pm.AlertSignalManifestationVis, pm.AlertSignalManifestationTan})
			pick := func(label string, from []string) string { return rapid.SampledFrom(from).Draw(rt, label) }
			entry := func(system string, man pm.AlertSignalManifestation, a pm.AlertActivation) func(*mdib.Tx) error {
				return func(tx *mdib.Tx) error {
					s, err := mdib.Edit[*pm.AlertSystemState](tx, system)
					for i := range s.SystemSignalActivation {
						if e := &s.SystemSignalActivation[i]; e.Manifestation == man {
							e.State = a
						}
					}
					return err
				}
			}
			ok := func(err error) {
				rt.Helper()
				require.NoError(rt, err)
			}
			rt.Repeat(map[string]func(*rapid.T){
				"time": func(rt *rapid.T) {
					<-time.After(time.Duration(rapid.IntRange(0, 12000).Draw(rt, "ms")) * time.Millisecond)
					ok(m.Evaluate())
				},
				"metric": func(rt *rapid.T) {
					v := pm.NewDecimal(int64(rapid.IntRange(30, 140).Draw(rt, "hr")), 0)
					ok(m.Update(func(tx *mdib.Tx) error { return tx.SetNumeric("hr", v, time.Now()) }))
				},
				"presence":    func(rt *rapid.T) { ok(m.SetPresence(pick("c", conditions), rapid.Bool().Draw(rt, "p"))) },
				"activation":  func(rt *rapid.T) { ok(m.SetActivation(pick("h", all), activations.Draw(rt, "a"))) },
				"acknowledge": func(rt *rapid.T) { _ = m.Acknowledge(pick("h", all)) }, // may have nothing to do
				"pause": func(rt *rapid.T) {
					_ = m.Pause("alerts", manifestations.Draw(rt, "m"), time.Duration(rapid.IntRange(0, 20).Draw(rt, "s"))*time.Second)
				},
				"resume": func(rt *rapid.T) { _ = m.Resume("alerts", manifestations.Draw(rt, "m")) },
				"entry": func(rt *rapid.T) {
					ok(m.Update(entry(pick("s", systems), manifestations.Draw(rt, "m"), activations.Draw(rt, "a"))))
				},
				"past the manager": func(rt *rapid.T) {
					h, a := pick("h", all), activations.Draw(rt, "a")
					ok(dev.Update(func(tx *mdib.Tx) error { return tx.SetAlertActivation(h, a) }))
					ok(m.Evaluate())
				},
				"entry past the manager": func(rt *rapid.T) {
					ok(dev.Update(entry(pick("s", systems), manifestations.Draw(rt, "m"), activations.Draw(rt, "a"))))
					ok(m.Evaluate())
				},
				"delegate": func(rt *rapid.T) {
					p := &pm.AlertSignalState{}
					p.DescriptorHandle, p.ActivationState = "hr.tan.remote", pm.AlertActivationOn
					ok(m.SetAlertState(p))
				},
				"": func(rt *rapid.T) {
					for _, c := range dev.take() {
						require.Empty(rt, errorsOf(c.After))
					}
					signalsFit(rt, m)
					settled := dev.MDIB()
					ok(m.Evaluate())
					require.Same(rt, settled, dev.MDIB(), "nothing is left to settle")
				},
			})
			// Off and on again: as it was, as far as time has not passed.
			before := dev.MDIB()
			for _, s := range systems {
				was, _ := mdib.Get[*pm.AlertSystemState](before, s)
				for _, a := range []pm.AlertActivation{pm.AlertActivationOff, pm.AlertActivationPsd, was.ActivationState} {
					ok(m.SetActivation(s, a))
				}
			}
			for _, h := range all {
				x, _ := mdib.Get[pm.AlertState](before, h)
				y, _ := mdib.Get[pm.AlertState](dev.MDIB(), h)
				require.Equal(rt, x.BaseAlert().ActivationState, y.BaseAlert().ActivationState, h)
			}
		})
	})
}

// signalsFit: what signals show fits their condition and activation.
func signalsFit(t require.TestingT, m *Manager) {
	for e := range m.MDIB().Entities() {
		d, ok := e.Descriptor.(*pm.AlertSignalDescriptor)
		if !ok {
			continue
		}
		s := e.State.(*pm.AlertSignalState)
		c, _ := mdib.Get[pm.ConditionState](m.MDIB(), d.ConditionSignaled)
		present := c.BaseCondition().Presence
		switch p := s.PresenceOrDefault(); {
		case s.ActivationState != pm.AlertActivationOn:
			require.Equal(t, pm.AlertSignalPresenceOff, p, e.Handle)
		case p == pm.AlertSignalPresenceOn:
			require.True(t, present, e.Handle)
		case p == pm.AlertSignalPresenceAck:
			require.True(t, present && d.AcknowledgementSupported, e.Handle)
		case p == pm.AlertSignalPresenceLatch:
			require.True(t, d.Latching, e.Handle)
		case present:
			require.True(t, d.DefaultSignalGenerationDelay.IsSet(), "%s is silent for no reason", e.Handle)
		}
	}
}
