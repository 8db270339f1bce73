package alerts

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
)

func TestSignalsFollowTheirCondition(t *testing.T) {
	inBubble(t, Config{}, func(b *bench) {
		b.hr("130")
		require.Equal(t, "On", b.presence("hr.vis"))
		require.Equal(t, "Off", b.presence("hr.aud"), "it has a generation delay")
		b.after(2999 * time.Millisecond)
		require.Equal(t, "Off", b.presence("hr.aud"))
		b.after(time.Millisecond)
		require.Equal(t, "On", b.presence("hr.aud"))
		b.hr("100")
		require.Equal(t, "Latch", b.presence("hr.vis"))
		require.Equal(t, "Off", b.presence("hr.aud"))
		require.NoError(t, b.Acknowledge("hr.vis"), "whatever latches can be ended")
		require.Equal(t, "Off", b.presence("hr.vis"))

		require.NoError(t, b.SetPresence("pump", true))
		require.Equal(t, "On", b.presence("pump.vis"))
		require.Equal(t, "On", b.presence("pump.up"), "a signal of the system above")
	})
}

func TestAcknowledgement(t *testing.T) {
	// covers: BICEPS ack
	inBubble(t, Config{}, func(b *bench) {
		require.Error(t, b.Acknowledge("hr.aud"), "nothing to acknowledge")
		b.hr("130")
		b.after(3 * time.Second)
		require.Error(t, b.Acknowledge("hr.vis"), "not supported while the condition is present")
		require.NoError(t, b.Acknowledge("hr.aud"))
		require.Equal(t, "Ack", b.presence("hr.aud"))
		require.NoError(t, b.Acknowledge("hr.aud"), "already is")
		b.after(29 * time.Second)
		require.Equal(t, "Ack", b.presence("hr.aud"))
		b.after(time.Second)
		require.Equal(t, "On", b.presence("hr.aud"), "AcknowledgeTimeout")
		require.NoError(t, b.Acknowledge("hr.limit"), "all signals of a condition")
		require.Equal(t, "Ack", b.presence("hr.aud"))
		require.Equal(t, "On", b.presence("hr.vis"))

		require.NoError(t, b.SetPresence("sensor", true))
		b.after(2 * time.Second)
		require.NoError(t, b.Acknowledge("alerts"), "all signals of a system")
		require.Equal(t, "Ack", b.presence("sensor.aud"))
		b.after(time.Hour)
		require.Equal(t, "Ack", b.presence("sensor.aud"), "without AcknowledgeTimeout there is no limit")
		require.NoError(t, b.SetPresence("sensor", false))
		require.Equal(t, "Off", b.presence("sensor.aud"), "seen, so it does not latch")
		require.ErrorIs(t, b.Acknowledge("nobody"), mdib.ErrUnknownHandle)
		require.Error(t, b.Acknowledge("sensor"))
	})
}

func TestActivationOfASystem(t *testing.T) {
	// covers: BICEPS R0029_0, BICEPS R0116
	for _, a := range []pm.AlertActivation{pm.AlertActivationOff, pm.AlertActivationPsd} {
		inBubble(t, Config{}, func(b *bench) {
			require.NoError(t, b.SetActivation("sensor.vis", pm.AlertActivationOff))
			require.NoError(t, b.SetActivation("sensor", pm.AlertActivationPsd))
			b.hr("130")
			b.dev.take()
			require.NoError(t, b.SetActivation("alerts", a))
			changes := b.dev.take()
			require.Len(t, changes, 1, "one report")
			require.Empty(t, errorsOf(changes[0].After))
			for _, h := range []string{"hr.limit", "sensor", "hr.vis", "hr.aud", "sensor.vis", "hr.tan.remote"} {
				require.Equal(t, string(a), b.activation(h), h)
			}
			require.False(t, b.present("hr.limit"))
			require.Equal(t, "Off", b.presence("hr.vis"))
			require.Equal(t, "On", b.activation("pump"), "another system")
			b.hr("140")
			require.False(t, b.present("hr.limit"), "nothing is detected")
			require.NoError(t, b.SetPresence("sensor", true))
			b.after(time.Minute)
			require.False(t, b.present("sensor"))

			require.NoError(t, b.SetActivation("alerts", pm.AlertActivationOn))
			require.True(t, b.present("hr.limit"))
			require.Equal(t, "On", b.presence("hr.vis"))
			require.Equal(t, "Psd", b.activation("sensor"), "as it was")
			require.Equal(t, "Off", b.activation("sensor.vis"), "as it was")
			require.False(t, b.present("sensor"))
			require.NoError(t, b.SetActivation("sensor", pm.AlertActivationOn))
			require.False(t, b.present("sensor"), "the generation delay begins when it is detected")
			b.after(2 * time.Second)
			require.True(t, b.present("sensor"))
		})
	}
}

func errorsOf(s *mdib.Snapshot) []mdib.Finding {
	var out []mdib.Finding
	for _, f := range mdib.Validate(s) {
		if f.Severity == mdib.SeverityError {
			out = append(out, f)
		}
	}
	return out
}

func TestAudioPause(t *testing.T) {
	// covers: BICEPS B-128
	inBubble(t, Config{}, func(b *bench) {
		require.NoError(t, b.SetActivation("sensor.aud", pm.AlertActivationOff))
		b.hr("130")
		b.after(3 * time.Second)
		require.Equal(t, "On", b.presence("hr.aud"))
		require.NoError(t, b.PauseAudio("alerts", 2*time.Minute))
		require.Equal(t, "Psd", b.activation("hr.aud"))
		require.Equal(t, "Off", b.presence("hr.aud"))
		require.Equal(t, "Off", b.activation("sensor.aud"))
		require.Equal(t, "Psd", b.entry(pm.AlertSignalManifestationAud))
		require.Equal(t, "On", b.presence("hr.vis"))
		require.True(t, b.present("hr.limit"))
		b.after(2*time.Minute - time.Millisecond)
		require.Equal(t, "Psd", b.activation("hr.aud"))
		b.after(time.Millisecond)
		require.Equal(t, "On", b.presence("hr.aud"))
		require.Equal(t, "Off", b.activation("sensor.aud"), "as it was")
		require.Equal(t, "On", b.entry(pm.AlertSignalManifestationAud))

		require.NoError(t, b.PauseAudio("alerts", 0))
		b.after(time.Hour)
		require.Equal(t, "Psd", b.activation("hr.aud"))
		require.NoError(t, b.ResumeAudio("alerts"))
		require.Equal(t, "On", b.activation("hr.aud"))

		require.Error(t, b.PauseAudio("alerts2", time.Minute), "nothing to be heard there")
		require.Error(t, b.PauseAudio("alerts", -1))
		require.ErrorIs(t, b.PauseAudio("hr.aud", 1), mdib.ErrUnknownHandle)
	})
}

func TestSystemSignalActivationIsSetFromOutside(t *testing.T) {
	// covers: BICEPS B-128
	inBubble(t, Config{}, func(b *bench) {
		set := func(a pm.AlertActivation) {
			p := &pm.AlertSystemState{SystemSignalActivation: []pm.SystemSignalActivation{{Manifestation: pm.AlertSignalManifestationAud, State: a}}}
			p.DescriptorHandle = "alerts"
			require.NoError(t, b.SetAlertState(p))
			require.Equal(t, string(a), b.entry(pm.AlertSignalManifestationAud))
		}
		require.NoError(t, b.SetActivation("sensor.aud", pm.AlertActivationOff))
		set(pm.AlertActivationPsd)
		require.Equal(t, "Psd", b.activation("hr.aud"))
		set(pm.AlertActivationOff)
		require.Equal(t, "Off", b.activation("hr.aud"))
		set(pm.AlertActivationOn)
		require.Equal(t, "On", b.activation("hr.aud"))
		require.Equal(t, "Off", b.activation("sensor.aud"))
		set(pm.AlertActivationPsd)
		require.NoError(t, b.SetActivation("sensor.aud", pm.AlertActivationOn))
		require.Equal(t, "On", b.entry(pm.AlertSignalManifestationAud), "one that is on is enough")
		require.Equal(t, "Psd", b.activation("hr.aud"), "the other stays paused")
		set(pm.AlertActivationOff)
		set(pm.AlertActivationOn)
		require.NoError(t, b.SetActivation("sensor.aud", pm.AlertActivationOff))
		require.NoError(t, b.SetActivation("hr.aud", pm.AlertActivationOff))
		require.Equal(t, "Off", b.entry(pm.AlertSignalManifestationAud))
		set(pm.AlertActivationOn)
		require.Equal(t, "On", b.activation("hr.aud"), "all were off for themselves: on means all")
		require.Equal(t, "On", b.activation("sensor.aud"))
	})
}

func TestDelegationFallsBack(t *testing.T) {
	// covers: BICEPS delegation
	inBubble(t, Config{}, func(b *bench) {
		p := &pm.AlertSignalState{}
		p.DescriptorHandle, p.ActivationState, p.Presence = "hr.tan.remote", pm.AlertActivationOn, pm.AlertSignalPresenceOn
		require.Equal(t, "On", b.activation("hr.tan"))
		require.NoError(t, b.SetAlertState(p))
		require.Equal(t, "On", b.activation("hr.tan.remote"))
		require.Equal(t, "Psd", b.activation("hr.tan"), "somebody else does it")
		require.Equal(t, "Psd", b.entry(pm.AlertSignalManifestationTan))
		b.hr("130")
		require.Equal(t, "On", b.presence("hr.tan.remote"))
		for range 10 {
			b.after(7 * time.Second)
			require.NoError(t, b.SetAlertState(p))
		}
		require.Equal(t, "Off", b.presence("hr.tan"))
		b.after(8*time.Second - time.Millisecond)
		require.Equal(t, "On", b.activation("hr.tan.remote"))
		b.after(time.Millisecond)
		require.Equal(t, "Off", b.activation("hr.tan.remote"), "8 s without a sign")
		require.Equal(t, "Off", b.presence("hr.tan.remote"))
		require.Equal(t, "On", b.presence("hr.tan"), "at once")
		require.Equal(t, "On", b.entry(pm.AlertSignalManifestationTan))

		require.NoError(t, b.SetAlertState(p))
		require.Equal(t, "Off", b.presence("hr.tan"))
		p.ActivationState = pm.AlertActivationOff
		require.NoError(t, b.SetAlertState(p), "the delegate says so")
		require.Equal(t, "On", b.presence("hr.tan"))
		require.NoError(t, b.Pause("alerts", pm.AlertSignalManifestationTan, time.Minute))
		p.ActivationState = pm.AlertActivationOn
		require.NoError(t, b.SetAlertState(p))
		b.after(time.Minute)
		require.Equal(t, "On", b.presence("hr.tan"))
	})
}

func TestSignalThatMovesToADelegateAndBack(t *testing.T) {
	// covers: BICEPS delegation
	inBubble(t, Config{}, func(b *bench) {
		location := func() pm.AlertSignalPrimaryLocation {
			s, _ := mdib.Get[*pm.AlertSignalState](b.MDIB(), "pump.moving")
			return s.LocationOrDefault()
		}
		p := &pm.AlertSignalState{Location: pm.AlertSignalPrimaryLocationRem}
		p.DescriptorHandle = "pump.moving"
		require.NoError(t, b.SetAlertState(p))
		for range 5 {
			b.after(3 * time.Second)
			require.NoError(t, b.SetAlertState(p))
		}
		b.after(3999 * time.Millisecond)
		require.Equal(t, pm.AlertSignalPrimaryLocationRem, location())
		b.after(time.Millisecond)
		require.Equal(t, pm.AlertSignalPrimaryLocationLoc, location(), "InvocationEffectiveTimeout of its operation")
		p.DescriptorHandle = "pump.vis"
		require.Error(t, b.SetAlertState(p), "it cannot be delegated")
	})
}

func TestProposals(t *testing.T) {
	limits := func(low, high string) *pm.LimitAlertConditionState {
		s := &pm.LimitAlertConditionState{}
		s.DescriptorHandle = "hr.limit"
		if low != "" {
			s.Limits.Lower = decimal(low)
		}
		if high != "" {
			s.Limits.Upper = decimal(high)
		}
		return s
	}
	sig := func(handle string, change func(*pm.AlertSignalState)) *pm.AlertSignalState {
		s := &pm.AlertSignalState{}
		s.DescriptorHandle = handle
		change(s)
		return s
	}
	cond := func(change func(*pm.AlertConditionState)) *pm.AlertConditionState {
		s := &pm.AlertConditionState{}
		s.DescriptorHandle = "sensor"
		change(s)
		return s
	}
	system := func(change func(*pm.AlertSystemState)) *pm.AlertSystemState {
		s := &pm.AlertSystemState{}
		s.DescriptorHandle = "alerts"
		change(s)
		return s
	}
	delay := func(n int) func(*pm.AlertSignalState) {
		return func(s *pm.AlertSignalState) { s.ActualSignalGenerationDelay = seconds(n) }
	}
	present := func(p pm.AlertSignalPresence) func(*pm.AlertSignalState) {
		return func(s *pm.AlertSignalState) { s.Presence = p }
	}
	monitored := limits("", "")
	monitored.MonitoredAlertLimits = "Some"
	unknownActivation := limits("", "")
	unknownActivation.ActivationState = "Maybe"
	wrongType := &pm.AlertConditionState{}
	wrongType.DescriptorHandle = "hr.limit"
	nobody := &pm.AlertSignalState{}
	nobody.DescriptorHandle = "nobody"
	inBubble(t, Config{}, func(b *bench) {
		b.hr("130")
		b.after(3 * time.Second)
		before := b.MDIB()
		for name, p := range map[string]pm.AlertState{
			"limits beyond MaxLimits":       limits("10", ""),
			"limits crossed":                limits("130", ""),
			"monitored":                     monitored,
			"activation":                    unknownActivation,
			"type":                          wrongType,
			"handle":                        nobody,
			"signal delay too short":        sig("hr.aud", delay(0)),
			"signal delay too long":         sig("hr.aud", delay(11)),
			"acknowledge without support":   sig("hr.vis", present(pm.AlertSignalPresenceAck)),
			"silence without acknowledging": sig("hr.aud", present(pm.AlertSignalPresenceOff)),
			"acknowledge nothing":           sig("sensor.aud", present(pm.AlertSignalPresenceAck)),
			"unknown presence":              sig("hr.aud", present("Loud")),
			"fixed location":                sig("hr.tan.remote", func(s *pm.AlertSignalState) { s.Location = pm.AlertSignalPrimaryLocationLoc }),
			"negative delay":                cond(func(s *pm.AlertConditionState) { s.ActualConditionGenerationDelay = pm.Some(pm.MustDuration("-PT1S")) }),
			"priority":                      cond(func(s *pm.AlertConditionState) { s.ActualPriority = pm.AlertConditionPriorityHi }),
			"no such entry": system(func(s *pm.AlertSystemState) {
				s.SystemSignalActivation = []pm.SystemSignalActivation{{Manifestation: pm.AlertSignalManifestationOth, State: pm.AlertActivationOn}}
			}),
			"entry without a state": system(func(s *pm.AlertSystemState) {
				s.SystemSignalActivation = []pm.SystemSignalActivation{{Manifestation: pm.AlertSignalManifestationAud}}
			}),
		} {
			require.Error(t, b.SetAlertState(p), name)
			require.Same(t, before, b.MDIB(), name)
		}
		ack := sig("hr.aud", present(pm.AlertSignalPresenceAck))
		require.NoError(t, b.SetAlertState(ack))
		require.Equal(t, "Ack", b.presence("hr.aud"))
		require.NoError(t, b.SetAlertState(limits("60", "140")))
		require.False(t, b.present("hr.limit"), "the new limits are in force at once")
		require.Equal(t, "Latch", b.presence("hr.vis"))
		require.NoError(t, b.SetAlertState(sig("hr.vis", present(pm.AlertSignalPresenceOff))))
		require.Equal(t, "Off", b.presence("hr.vis"))
		require.NoError(t, b.SetAlertState(sig("hr.aud", delay(1))))
		require.NoError(t, b.SetAlertState(cond(func(s *pm.AlertConditionState) {
			s.ActualConditionGenerationDelay, s.Rank, s.Presence = seconds(0), pm.Some(int32(3)), true
		})))
		require.False(t, b.present("sensor"), "presence is the device's")
		require.NoError(t, b.SetPresence("sensor", true))
		require.True(t, b.present("sensor"), "the delay is the one that was set")
		b.hr("150")
		b.after(time.Second)
		require.Equal(t, "On", b.presence("hr.aud"))
	})
}
