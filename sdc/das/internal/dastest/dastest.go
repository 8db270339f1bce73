// Package dastest has the device of the tests of both sides of a distributed alarm system.
package dastest

import (
	"strings"
	"testing"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/das"
)

// The times of the device.
const (
	EffectiveTimeout = 10 * time.Second
	ConfirmWithin    = 3 * time.Second
	SelfCheckPeriod  = 5 * time.Second
)

// Snapshot is Slow with the times above.
func Snapshot(t testing.TB) *mdib.Snapshot { return Slow(t, 1) }

// Slow has two conditions, each with an audible and a visible signal, and the operations. Its times are longer by a factor, for tests in real time.
func Slow(t testing.TB, factor time.Duration) *mdib.Snapshot {
	t.Helper()
	system := &pm.AlertSystemDescriptor{SelfCheckPeriod: pm.Some(pm.DurationOf(factor * SelfCheckPeriod))}
	system.Handle = "alerts"
	states := []pm.State{}
	on := func(handle string, s pm.AlertState) {
		s.BaseState().DescriptorHandle, s.BaseAlert().ActivationState = handle, pm.AlertActivationOn
		states = append(states, s)
	}
	on("alerts", &pm.AlertSystemState{SystemSignalActivation: []pm.SystemSignalActivation{{Manifestation: pm.AlertSignalManifestationAud, State: pm.AlertActivationOn}}})
	for _, name := range []string{"hr", "spo2"} {
		c := &pm.AlertConditionDescriptor{Kind: pm.AlertConditionKindPhy, Priority: pm.AlertConditionPriorityHi}
		c.Handle, c.Type = name, &pm.CodedValue{Code: "1"}
		system.AlertCondition = append(system.AlertCondition, c)
		on(name, &pm.AlertConditionState{})
		for _, m := range []pm.AlertSignalManifestation{pm.AlertSignalManifestationAud, pm.AlertSignalManifestationVis} {
			g := &pm.AlertSignalDescriptor{ConditionSignaled: name, Manifestation: m}
			g.Handle, g.Type = name+"."+strings.ToLower(string(m)), &pm.CodedValue{Code: "1"}
			system.AlertSignal = append(system.AlertSignal, g)
			on(g.Handle, &pm.AlertSignalState{})
		}
	}
	ops, err := das.Description{Target: "alerts", EffectiveTimeout: factor * EffectiveTimeout, ConfirmWithin: factor * ConfirmWithin}.Operations()
	if err != nil {
		t.Fatal(err)
	}
	sco := &pm.ScoDescriptor{Operation: ops}
	sco.Handle = "sco"
	system.Type, sco.Type = &pm.CodedValue{Code: "1"}, &pm.CodedValue{Code: "1"}
	clock := &pm.ClockDescriptor{}
	clock.Handle, clock.Type = "clock", &pm.CodedValue{Code: "1"}
	mds := &pm.MdsDescriptor{Clock: clock}
	mds.Type = &pm.CodedValue{Code: "1"}
	mds.Handle, mds.AlertSystem, mds.Sco = "mds", system, sco
	s, err := mdib.FromMdib(&pm.Mdib{MdDescription: &pm.MdDescription{Mds: []*pm.MdsDescriptor{mds}}, MdState: &pm.MdState{State: states}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
