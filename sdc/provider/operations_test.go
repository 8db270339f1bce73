package provider_test

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/provider"
)

func setValue(op, value string) *msg.SetValue {
	return &msg.SetValue{AbstractSet: msg.AbstractSet{OperationHandleRef: op}, RequestedNumericValue: pm.MustDecimal(value)}
}

func setString(op, value string) *msg.SetString {
	return &msg.SetString{AbstractSet: msg.AbstractSet{OperationHandleRef: op}, RequestedStringValue: value}
}

func activate(op string, args ...string) *msg.Activate {
	r := &msg.Activate{AbstractSet: msg.AbstractSet{OperationHandleRef: op}}
	for _, a := range args {
		r.Argument = append(r.Argument, msg.Argument{ArgValue: a})
	}
	return r
}

// invoked checks that a note is an OperationInvokedReport of one part and returns that.
func invoked(t *testing.T, n note) msg.OperationInvokedReportPart {
	t.Helper()
	r, ok := n.message.(*msg.OperationInvokedReport)
	require.True(t, ok, "%s is no OperationInvokedReport", n.action)
	require.Equal(t, sdc.ActionOperationInvokedReport, n.action)
	require.Len(t, r.ReportPart, 1)
	return r.ReportPart[0]
}

func applying(c *provider.Config) { c.ApplyProposals = true }

func TestDirectInvocation(t *testing.T) {
	// covers: SCO-1, SCO-7
	inBubble(t, applying, nil, func(t *testing.T, b *bench) {
		b.peer.subscribeAll()
		r := mustCall[*msg.SetValueResponse](b.peer, "Set", sdc.ActionSetValue, setValue("value.set", "25.0"))
		require.Equal(t, msg.InvocationStateFin, r.InvocationInfo.InvocationState)
		require.Equal(t, b.dev.MDIB().Version().MdibVersion, r.MdibVersion)
		notes := b.peer.take(2)
		effect := notes[0].message.(*msg.EpisodicMetricReport)
		require.Equal(t, "25.0", effect.ReportPart[0].MetricState[0].(*pm.NumericMetricState).MetricValue.Value.Or(pm.Decimal{}).String())
		part := invoked(t, notes[1])
		require.Equal(t, r.InvocationInfo.TransactionId, part.InvocationInfo.TransactionId)
		require.Equal(t, msg.InvocationStateFin, part.InvocationInfo.InvocationState)
		require.Equal(t, "value.set", part.OperationHandleRef)
		require.Equal(t, "num.set", part.OperationTarget)
		require.Equal(t, effect.MdibVersion, notes[1].message.(*msg.OperationInvokedReport).MdibVersion)

		next := mustCall[*msg.SetValueResponse](b.peer, "Set", sdc.ActionSetValue, setValue("value.set", "3"))
		require.Greater(t, next.InvocationInfo.TransactionId, r.InvocationInfo.TransactionId)
		b.peer.take(2)
		require.NoError(t, b.stop())
		require.Equal(t, 2, b.peer.pending(), "exactly one report for each call, and the two SubscriptionEnds")
	})
}

func TestDelayedInvocation(t *testing.T) {
	// covers: SCO-1
	inBubble(t, applying, func(p *provider.Provider) { p.SetInvocation("string.set", provider.Delayed) }, func(t *testing.T, b *bench) {
		b.peer.subscribeAll()
		r := mustCall[*msg.SetStringResponse](b.peer, "Set", sdc.ActionSetString, setString("string.set", "OFF"))
		require.Equal(t, msg.InvocationStateWait, r.InvocationInfo.InvocationState)
		var states []msg.InvocationState
		for _, n := range b.peer.take(4) {
			if _, ok := n.message.(*msg.EpisodicMetricReport); ok {
				states = append(states, "effect")
				continue
			}
			part := invoked(t, n)
			require.Equal(t, r.InvocationInfo.TransactionId, part.InvocationInfo.TransactionId)
			require.Equal(t, part.InvocationInfo.InvocationState == msg.InvocationStateFin, part.OperationTarget == "mode", "the target is told at the end")
			states = append(states, part.InvocationInfo.InvocationState)
		}
		require.Equal(t, []msg.InvocationState{"Wait", "Start", "effect", "Fin"}, states)
	})
}

func TestAllOperationKinds(t *testing.T) {
	// covers: SCO-4, SCO-5
	var mu sync.Mutex
	calls := map[string]any{}
	record := func(kind string, call any) error {
		mu.Lock()
		defer mu.Unlock()
		calls[kind] = call
		return nil
	}
	prepare := func(p *provider.Provider) {
		for _, err := range []error{
			p.HandleSetValue("value.set", func(_ context.Context, c *provider.SetValue) error { return record("SetValue", c) }),
			p.HandleSetString("string.set", func(_ context.Context, c *provider.SetString) error { return record("SetString", c) }),
			p.HandleActivate("act", func(_ context.Context, c *provider.Activate) error { return record("Activate", c) }),
			p.HandleSetMetricState("metric.set", func(_ context.Context, c *provider.SetMetricState) error { return record("SetMetricState", c) }),
			p.HandleSetComponentState("component.set", func(_ context.Context, c *provider.SetComponentState) error {
				return record("SetComponentState", c)
			}),
			p.HandleSetAlertState("alert.set", func(_ context.Context, c *provider.SetAlertState) error { return record("SetAlertState", c) }),
			p.HandleSetContextState("patient.set", func(_ context.Context, c *provider.SetContextState) error { return record("SetContextState", c) }),
		} {
			if err != nil {
				panic(err)
			}
		}
	}
	inBubble(t, nil, prepare, func(t *testing.T, b *bench) {
		set := func(op string) msg.AbstractSet { return msg.AbstractSet{OperationHandleRef: op} }
		metric := &pm.NumericMetricState{}
		metric.DescriptorHandle = "num.set"
		component := &pm.VmdState{}
		component.DescriptorHandle = "vmd"
		alert := &pm.AlertSignalState{}
		alert.DescriptorHandle, alert.ActivationState = "sig", pm.AlertActivationOff
		patient := &pm.PatientContextState{}
		patient.DescriptorHandle, patient.Handle = "pat", "pat"

		fin := func(info msg.InvocationInfo) {
			t.Helper()
			require.Equal(t, msg.InvocationStateFin, info.InvocationState, "%v", info)
		}
		fin(mustCall[*msg.SetValueResponse](b.peer, "Set", sdc.ActionSetValue, setValue("value.set", "5")).InvocationInfo)
		fin(mustCall[*msg.SetStringResponse](b.peer, "Set", sdc.ActionSetString, setString("string.set", "ON")).InvocationInfo)
		fin(mustCall[*msg.ActivateResponse](b.peer, "Set", sdc.ActionActivate, activate("act", "abc", " 1.50 ", "urn:x")).InvocationInfo)
		fin(mustCall[*msg.SetMetricStateResponse](b.peer, "Set", sdc.ActionSetMetricState, &msg.SetMetricState{AbstractSet: set("metric.set"), ProposedMetricState: []pm.MetricState{metric}}).InvocationInfo)
		fin(mustCall[*msg.SetComponentStateResponse](b.peer, "Set", sdc.ActionSetComponentState, &msg.SetComponentState{AbstractSet: set("component.set"), ProposedComponentState: []pm.ComponentState{component}}).InvocationInfo)
		fin(mustCall[*msg.SetAlertStateResponse](b.peer, "Set", sdc.ActionSetAlertState, &msg.SetAlertState{AbstractSet: set("alert.set"), ProposedAlertState: alert}).InvocationInfo)
		fin(mustCall[*msg.SetContextStateResponse](b.peer, "StateEvent", sdc.ActionSetContextState, &msg.SetContextState{AbstractSet: set("patient.set"), ProposedContextState: []pm.ContextState{patient}}).InvocationInfo)

		require.Len(t, calls, 7)
		require.Equal(t, "5", calls["SetValue"].(*provider.SetValue).Value.String())
		require.Equal(t, "num.set", calls["SetValue"].(*provider.SetValue).Target)
		require.Equal(t, "ON", calls["SetString"].(*provider.SetString).Value)
		args := calls["Activate"].(*provider.Activate).Arguments
		require.Len(t, args, 3)
		require.Equal(t, "abc", args[0].Value)
		d, err := args[1].Decimal()
		require.NoError(t, err)
		require.Equal(t, "1.50", d.String())
		require.Equal(t, "anyURI", args[2].Type.Local)
		require.Equal(t, "4", args[2].Name.Code)
		require.Equal(t, pm.AlertActivationOff, calls["SetAlertState"].(*provider.SetAlertState).Proposed.BaseAlert().ActivationState)
		require.Len(t, calls["SetContextState"].(*provider.SetContextState).Proposed, 1)
	})
}

func TestRefusals(t *testing.T) {
	// covers: SCO-2, BICEPS R5010, BICEPS R5011
	calledOff := func(p *provider.Provider) {
		must(p.HandleActivate("off", func(context.Context, *provider.Activate) error { panic("must not run") }))
		must(p.HandleActivate("act", func(context.Context, *provider.Activate) error { return nil }))
		must(p.HandleSetValue("later", func(context.Context, *provider.SetValue) error { return nil }))
	}
	inBubble(t, applying, calledOff, func(t *testing.T, b *bench) {
		b.peer.subscribeAll()
		before := b.dev.MDIB()
		set := func(op string) msg.AbstractSet { return msg.AbstractSet{OperationHandleRef: op} }
		numeric := func(descriptor string) *pm.NumericMetricState {
			s := &pm.NumericMetricState{}
			s.DescriptorHandle = descriptor
			return s
		}
		signal := &pm.AlertSignalState{Presence: pm.AlertSignalPresenceOn}
		signal.DescriptorHandle, signal.ActivationState = "sig", pm.AlertActivationOn
		patient := &pm.PatientContextState{}
		patient.DescriptorHandle, patient.Handle = "pat", "no.such.state"
		value := func(r *msg.SetValue) func() msg.InvocationInfo {
			return func() msg.InvocationInfo {
				return mustCall[*msg.SetValueResponse](b.peer, "Set", sdc.ActionSetValue, r).InvocationInfo
			}
		}
		text := func(op, v string) func() msg.InvocationInfo {
			return func() msg.InvocationInfo {
				return mustCall[*msg.SetStringResponse](b.peer, "Set", sdc.ActionSetString, setString(op, v)).InvocationInfo
			}
		}
		act := func(r *msg.Activate) func() msg.InvocationInfo {
			return func() msg.InvocationInfo {
				return mustCall[*msg.ActivateResponse](b.peer, "Set", sdc.ActionActivate, r).InvocationInfo
			}
		}
		metrics := func(s ...pm.MetricState) func() msg.InvocationInfo {
			return func() msg.InvocationInfo {
				return mustCall[*msg.SetMetricStateResponse](b.peer, "Set", sdc.ActionSetMetricState, &msg.SetMetricState{AbstractSet: set("metric.set"), ProposedMetricState: s}).InvocationInfo
			}
		}
		for name, c := range map[string]struct {
			call func() msg.InvocationInfo
			want msg.InvocationError
			text string
			mute bool // nothing to report on
		}{
			"unknown operation":        {call: value(setValue("nope", "1")), want: msg.InvocationErrorUnkn, text: "nope", mute: true},
			"no operation at all":      {call: value(setValue("num", "1")), want: msg.InvocationErrorUnkn, text: "num", mute: true},
			"handler without entry":    {call: value(setValue("later", "1")), want: msg.InvocationErrorUnkn, mute: true},
			"another kind":             {call: text("value.set", "1"), want: msg.InvocationErrorInv, text: "SetValue"},
			"disabled":                 {call: act(activate("off")), want: msg.InvocationErrorOth, text: "Dis"},
			"nobody implements it":     {call: act(activate("unhandled")), want: msg.InvocationErrorOth},
			"between the ranges":       {call: value(setValue("value.set", "15")), want: msg.InvocationErrorInv, text: "range"},
			"above the ranges":         {call: value(setValue("value.set", "30.1")), want: msg.InvocationErrorInv, text: "range"},
			"no allowed value":         {call: text("string.set", "HALF"), want: msg.InvocationErrorInv, text: "HALF"},
			"too long":                 {call: text("string.set", "STANDBY-LONG"), want: msg.InvocationErrorInv, text: "8"},
			"too few arguments":        {call: act(activate("act", "a")), want: msg.InvocationErrorInv, text: "3"},
			"too many arguments":       {call: act(activate("act", "a", "1", "u", "x")), want: msg.InvocationErrorInv, text: "3"},
			"argument of another type": {call: act(activate("act", "a", "one", "u")), want: msg.InvocationErrorInv, text: "argument 2"},
			"unknown metric":           {call: metrics(numeric("nowhere")), want: msg.InvocationErrorInv, text: "nowhere"},
			"state of another type":    {call: metrics(numeric("mode")), want: msg.InvocationErrorInv, text: "NumericMetricState"},
			"one state twice":          {call: metrics(numeric("num.set"), numeric("num.set")), want: msg.InvocationErrorInv, text: "twice"},
			"not modifiable": {call: func() msg.InvocationInfo {
				return mustCall[*msg.SetAlertStateResponse](b.peer, "Set", sdc.ActionSetAlertState, &msg.SetAlertState{AbstractSet: set("alert.set"), ProposedAlertState: signal}).InvocationInfo
			}, want: msg.InvocationErrorInv, text: "Presence"},
			"unknown context state": {call: func() msg.InvocationInfo {
				return mustCall[*msg.SetContextStateResponse](b.peer, "StateEvent", sdc.ActionSetContextState, &msg.SetContextState{AbstractSet: set("patient.set"), ProposedContextState: []pm.ContextState{patient}}).InvocationInfo
			}, want: msg.InvocationErrorInv, text: "no.such.state"},
		} {
			info := c.call()
			require.Equal(t, msg.InvocationStateFail, info.InvocationState, name)
			require.Equal(t, c.want, info.InvocationError, name)
			require.NotEmpty(t, info.InvocationErrorMessage, name)
			require.Empty(t, info.InvocationErrorMessage[0].Ref, name)
			require.NotEmpty(t, info.InvocationErrorMessage[0].Lang, name)
			require.Contains(t, info.InvocationErrorMessage[0].Text, c.text, name)
			if !c.mute {
				part := invoked(t, b.peer.take(1)[0])
				require.Equal(t, info, part.InvocationInfo, name)
				require.Empty(t, part.OperationTarget, name)
			}
		}
		require.Same(t, before, b.dev.MDIB(), "a refused call changes nothing")
		require.Zero(t, b.peer.pending())
	})
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func TestHandlerResults(t *testing.T) {
	// covers: SCO-1, SCO-6
	var result chan func(*provider.Activate) error
	prepare := func(p *provider.Provider) {
		result = make(chan func(*provider.Activate) error, 1) // channels of a bubble are made inside
		must(p.HandleActivate("slow", func(_ context.Context, c *provider.Activate) error { return (<-result)(c) }))
	}
	inBubble(t, nil, prepare, func(t *testing.T, b *bench) {
		require.NoError(t, b.peer.subscribe("Set", "set", sdc.ActionOperationInvokedReport))
		for name, c := range map[string]struct {
			run   func(*provider.Activate) error
			state msg.InvocationState
			code  msg.InvocationError
			text  string
		}{
			"done":      {func(*provider.Activate) error { return nil }, msg.InvocationStateFin, "", ""},
			"next best": {func(c *provider.Activate) error { c.Modified(); return nil }, msg.InvocationStateFinMod, "", ""},
			"refused":   {func(*provider.Activate) error { return provider.Refuse("no gas") }, msg.InvocationStateFail, msg.InvocationErrorOth, "no gas"},
			"refused, Inv": {func(*provider.Activate) error {
				return &provider.Refused{Code: msg.InvocationErrorInv, Message: "kein Gas", Lang: "de"}
			}, msg.InvocationStateFail, msg.InvocationErrorInv, "kein Gas"},
			"error":     {func(*provider.Activate) error { return errors.New("secret detail") }, msg.InvocationStateFail, msg.InvocationErrorUnspec, "could not"},
			"panic":     {func(*provider.Activate) error { panic("secret detail") }, msg.InvocationStateFail, msg.InvocationErrorUnspec, "could not"},
			"cancelled": {func(*provider.Activate) error { return provider.ErrCancelled }, msg.InvocationStateCnclld, "", ""},
			"by hand":   {func(*provider.Activate) error { return provider.ErrCancelledManually }, msg.InvocationStateCnclldMan, "", ""},
		} {
			result <- c.run
			info := mustCall[*msg.ActivateResponse](b.peer, "Set", sdc.ActionActivate, activate("slow")).InvocationInfo
			require.Equal(t, c.state, info.InvocationState, name)
			require.Equal(t, c.code, info.InvocationError, name)
			if c.text != "" {
				require.Contains(t, info.InvocationErrorMessage[0].Text, c.text, name)
				require.NotContains(t, info.InvocationErrorMessage[0].Text, "secret", name)
			}
			require.Equal(t, info, invoked(t, b.peer.take(1)[0]).InvocationInfo, name)
		}
	})
}

func TestTargetOfTheCall(t *testing.T) {
	// covers: SEC-4
	prepare := func(p *provider.Provider) {
		must(p.HandleActivate("slow", func(_ context.Context, c *provider.Activate) error {
			if c.Caller != nil {
				return errors.New("nobody is known over plain HTTP")
			}
			for _, unknown := range []string{"", "nowhere"} {
				if err := c.SetTarget(unknown); !errors.Is(err, mdib.ErrUnknownHandle) {
					return fmt.Errorf("target %q: %w", unknown, err)
				}
			}
			if err := c.SetTarget("vmd"); err != nil {
				return err
			}
			if err := c.SetTarget("elsewhere"); !errors.Is(err, mdib.ErrUnknownHandle) { // vmd stays
				return fmt.Errorf("elsewhere: %w", err)
			}
			return nil
		}))
	}
	inBubble(t, nil, prepare, func(t *testing.T, b *bench) {
		require.NoError(t, b.peer.subscribe("Set", "set", sdc.ActionOperationInvokedReport))
		mustCall[*msg.ActivateResponse](b.peer, "Set", sdc.ActionActivate, activate("slow"))
		part := invoked(t, b.peer.take(1)[0])
		require.Equal(t, "vmd", part.OperationTarget)
		require.Equal(t, "mds", part.SourceMds)
		require.Equal(t, sdc.NamespaceGlue, part.InvocationSource.Root)
		require.Equal(t, "AnonymousSdcParticipant", part.InvocationSource.Extension)
	})
}

// What a proposal says of a value has to fit the metric, as with calls that set a value alone.
func TestProposedMetricValues(t *testing.T) {
	// covers: SCO-2, BICEPS ranges
	inBubble(t, func(c *provider.Config) { c.ApplyProposals, c.MetricsBeyondTarget = true, true }, nil, func(t *testing.T, b *bench) {
		number := func(value string) pm.MetricState {
			s := &pm.NumericMetricState{MetricValue: &pm.NumericMetricValue{Value: pm.Some(pm.MustDecimal(value))}}
			s.DescriptorHandle, s.MetricValue.MetricQuality.Validity = "num.set", pm.MeasurementValidityVld
			return s
		}
		mode := func(value string) pm.MetricState {
			s := &pm.EnumStringMetricState{}
			s.DescriptorHandle, s.MetricValue = "mode", &pm.StringMetricValue{Value: pm.Some(value)}
			s.MetricValue.MetricQuality.Validity = pm.MeasurementValidityVld
			return s
		}
		for _, c := range []struct {
			proposed pm.MetricState
			says     string
		}{
			{number("60"), ""}, {mode("OFF"), ""},
			{number("60.5"), "60.5 is outside of the allowed range, 0 to 60"}, {number("-1"), "outside"}, {mode("SLEEP"), "none of the allowed values"},
		} {
			before := b.dev.MDIB()
			request := &msg.SetMetricState{AbstractSet: msg.AbstractSet{OperationHandleRef: "metric.set"}, ProposedMetricState: []pm.MetricState{c.proposed}}
			info := mustCall[*msg.SetMetricStateResponse](b.peer, "Set", sdc.ActionSetMetricState, request).InvocationInfo
			if c.says == "" {
				require.Equal(t, msg.InvocationStateFin, info.InvocationState, "%v", info.InvocationErrorMessage)
				continue
			}
			require.Equal(t, msg.InvocationErrorInv, info.InvocationError)
			require.Contains(t, info.InvocationErrorMessage[0].Text, c.says)
			require.Same(t, before, b.dev.MDIB())
		}
	})
}

// Below a component that is off nothing can be operated, wherever the operation stands; the component itself can, to bring it back.
func TestOperationsOnWhatIsSwitchedOff(t *testing.T) {
	// covers: BICEPS R0025_0, SCO-2
	inBubble(t, applying, nil, func(t *testing.T, b *bench) {
		set := func() msg.InvocationInfo {
			return mustCall[*msg.SetValueResponse](b.peer, "Set", sdc.ActionSetValue, setValue("value.set", "5")).InvocationInfo
		}
		activation := func(handle string, a pm.ComponentActivation) {
			require.NoError(t, b.dev.Update(func(tx *mdib.Tx) error { return tx.SetActivation(handle, a) }))
		}
		for _, handle := range []string{"vmd", "ch"} {
			activation(handle, pm.ComponentActivationOff)
			before := b.dev.MDIB()
			info := set()
			require.Equal(t, msg.InvocationStateFail, info.InvocationState)
			require.Equal(t, msg.InvocationErrorOth, info.InvocationError)
			require.Contains(t, info.InvocationErrorMessage[0].Text, `"`+handle+`" is off`)
			require.Same(t, before, b.dev.MDIB())
			for _, a := range []pm.ComponentActivation{pm.ComponentActivationStndBy, pm.ComponentActivationNotRdy, pm.ComponentActivationOn} {
				activation(handle, a)
				require.Equal(t, msg.InvocationStateFin, set().InvocationState, "%s: %s is not off", handle, a)
			}
		}
		activation("vmd", pm.ComponentActivationOff)
		on := &pm.VmdState{}
		on.DescriptorHandle, on.ActivationState = "vmd", pm.ComponentActivationOn
		request := &msg.SetComponentState{AbstractSet: msg.AbstractSet{OperationHandleRef: "component.set"}, ProposedComponentState: []pm.ComponentState{on}}
		info := mustCall[*msg.SetComponentStateResponse](b.peer, "Set", sdc.ActionSetComponentState, request).InvocationInfo
		require.Equal(t, msg.InvocationStateFin, info.InvocationState, "%v", info.InvocationErrorMessage)
		require.Equal(t, msg.InvocationStateFin, set().InvocationState)
		// The SCO itself is a component, and what it holds goes with it.
		activation("sco", pm.ComponentActivationOff)
		require.Contains(t, set().InvocationErrorMessage[0].Text, `"sco" is off`)
	})
}

func TestCallerCertificate(t *testing.T) {
	// covers: GLUE R0078_0, SEC-4
	var called *provider.Activate
	prepare := func(p *provider.Provider) {
		must(p.HandleActivate("slow", func(_ context.Context, c *provider.Activate) error {
			called = c
			return nil
		}))
	}
	overTLS(t, nil, prepare, func(t *testing.T, b *bench) {
		require.NoError(t, b.peer.subscribe("Set", "set", sdc.ActionOperationInvokedReport))
		info := mustCall[*msg.ActivateResponse](b.peer, "Set", sdc.ActionActivate, activate("slow")).InvocationInfo
		require.Equal(t, msg.InvocationStateFin, info.InvocationState)
		require.Equal(t, b.peer.cert.Raw, called.Caller.Raw)
		source := invoked(t, b.peer.take(1)[0]).InvocationSource
		require.Equal(t, "http://standards.ieee.org/downloads/11073/11073-20701-2018/X509Certificate/PEM", source.Root)
		block, _ := pem.Decode([]byte(source.Extension))
		require.NotNil(t, block, "%q", source.Extension)
		require.Equal(t, b.peer.cert.Raw, block.Bytes)
	})
}

// TestInvoke: what the device invokes itself is told with its own certificate, whatever the policy says of others.
func TestInvoke(t *testing.T) {
	// covers: GLUE R0078_0
	var called *provider.Activate
	prepare := func(p *provider.Provider) {
		must(p.HandleActivate("slow", func(_ context.Context, c *provider.Activate) error {
			called = c
			return nil
		}))
	}
	overTLS(t, func(c *provider.Config) { c.Policy = provider.ReadOnly() }, prepare, func(t *testing.T, b *bench) {
		require.NoError(t, b.peer.subscribe("Set", "set", sdc.ActionOperationInvokedReport))
		info := b.dev.Invoke(t.Context(), activate("slow"))
		require.Equal(t, msg.InvocationStateFin, info.InvocationState)
		part := invoked(t, b.peer.take(1)[0])
		require.Equal(t, info.TransactionId, part.InvocationInfo.TransactionId)
		require.Equal(t, msg.InvocationStateFin, part.InvocationInfo.InvocationState)
		require.Equal(t, sdc.InvocationSourcePEM, part.InvocationSource.Root)
		root, extension := sdc.InvocationSource(called.Caller)
		require.Equal(t, pm.InstanceIdentifier{Root: root, Extension: extension}, part.InvocationSource, "line breaks included")
		require.Equal(t, "device", called.Caller.Subject.CommonName)

		info = b.dev.Invoke(t.Context(), activate("nobody"))
		require.Equal(t, msg.InvocationStateFail, info.InvocationState)
		require.NotEmpty(t, info.InvocationErrorMessage)
	})
	inBubble(t, nil, prepare, func(t *testing.T, b *bench) {
		require.NoError(t, b.peer.subscribe("Set", "set", sdc.ActionOperationInvokedReport))
		b.dev.Invoke(t.Context(), activate("slow"))
		require.Equal(t, sdc.AnonymousParticipant, invoked(t, b.peer.take(1)[0]).InvocationSource.Extension)
	})
}

func TestMaxTimeToFinish(t *testing.T) {
	// covers: SCO-6
	var obedient chan error
	prepare := func(p *provider.Provider) {
		obedient = make(chan error, 1)
		must(p.HandleActivate("slow", func(ctx context.Context, c *provider.Activate) error {
			<-ctx.Done()
			obedient <- ctx.Err()
			return ctx.Err()
		}))
		p.SetInvocation("slow", provider.Delayed)
	}
	inBubble(t, nil, prepare, func(t *testing.T, b *bench) {
		require.NoError(t, b.peer.subscribe("Set", "set", sdc.ActionOperationInvokedReport))
		start := time.Now()
		mustCall[*msg.ActivateResponse](b.peer, "Set", sdc.ActionActivate, activate("slow"))
		last := invoked(t, b.peer.take(3)[2])
		require.Equal(t, msg.InvocationStateFail, last.InvocationInfo.InvocationState)
		require.Contains(t, last.InvocationInfo.InvocationErrorMessage[0].Text, "in time")
		require.Equal(t, 3*time.Second, time.Since(start).Truncate(time.Second))
		require.ErrorIs(t, <-obedient, context.DeadlineExceeded)
	})
}

// TestStubbornHandler: a handler that does not look at its context cannot keep its caller waiting, but keeps its SCO to itself.
func TestStubbornHandler(t *testing.T) {
	// covers: SCO-3, SCO-6
	var release chan struct{}
	prepare := func(p *provider.Provider) {
		release = make(chan struct{})
		must(p.HandleActivate("slow", func(context.Context, *provider.Activate) error {
			<-release
			return nil
		}))
		p.SetInvocation("slow", provider.Delayed)
	}
	inBubble(t, func(c *provider.Config) { c.ApplyProposals = true; c.MaxTimeToFinish = 10 * time.Second }, prepare, func(t *testing.T, b *bench) {
		require.NoError(t, b.peer.subscribe("Set", "set", sdc.ActionOperationInvokedReport))
		mustCall[*msg.ActivateResponse](b.peer, "Set", sdc.ActionActivate, activate("slow"))
		require.Equal(t, msg.InvocationStateFail, invoked(t, b.peer.take(3)[2]).InvocationInfo.InvocationState)

		r := mustCall[*msg.SetValueResponse](b.peer, "Set", sdc.ActionSetValue, setValue("value.set", "5"))
		require.Equal(t, msg.InvocationStateWait, r.InvocationInfo.InvocationState, "still in the queue after DirectTimeout")
		part := invoked(t, b.peer.take(1)[0])
		require.Equal(t, msg.InvocationStateFail, part.InvocationInfo.InvocationState, "its own time is over")
		close(release)

		again := mustCall[*msg.SetValueResponse](b.peer, "Set", sdc.ActionSetValue, setValue("value.set", "6"))
		require.Equal(t, msg.InvocationStateFin, again.InvocationInfo.InvocationState)
		s, _ := mdib.Get[*pm.NumericMetricState](b.dev.MDIB(), "num.set")
		require.Equal(t, "6", s.MetricValue.Value.Or(pm.Decimal{}).String(), "the timed-out call never ran")
		require.Equal(t, uint64(1), s.StateVersion)
	})
}

func TestQueue(t *testing.T) {
	// covers: SCO-3
	var release chan struct{}
	var mu sync.Mutex
	var order []string
	var running int
	handle := func(_ context.Context, c *provider.Activate) error {
		mu.Lock()
		running++
		if running > 1 {
			order = append(order, "overlap")
		}
		order = append(order, c.Arguments[0].Value)
		mu.Unlock()
		<-release
		mu.Lock()
		running--
		mu.Unlock()
		return nil
	}
	inBubble(t, func(c *provider.Config) { c.QueueLength = 4; c.Invocation = provider.Delayed }, func(p *provider.Provider) {
		release = make(chan struct{})
		must(p.HandleActivate("act", handle))
	}, func(t *testing.T, b *bench) {
		require.NoError(t, b.peer.subscribe("Set", "set", sdc.ActionOperationInvokedReport))
		for _, n := range strings.Split("abcd", "") {
			r := mustCall[*msg.ActivateResponse](b.peer, "Set", sdc.ActionActivate, activate("act", n, "1", "u"))
			require.Equal(t, msg.InvocationStateWait, r.InvocationInfo.InvocationState)
		}
		r := mustCall[*msg.ActivateResponse](b.peer, "Set", sdc.ActionActivate, activate("act", "e", "1", "u"))
		require.Equal(t, msg.InvocationStateFail, r.InvocationInfo.InvocationState)
		require.Contains(t, r.InvocationInfo.InvocationErrorMessage[0].Text, "too many")
		b.peer.take(6) // four Wait, one Start, one Fail
		close(release)
		b.peer.take(7) // three Start, four Fin
		require.Equal(t, []string{"a", "b", "c", "d"}, order)
		r = mustCall[*msg.ActivateResponse](b.peer, "Set", sdc.ActionActivate, activate("act", "f", "1", "u"))
		require.Equal(t, msg.InvocationStateWait, r.InvocationInfo.InvocationState, "there is room again")
		b.peer.take(3)
	})
}

func TestStopCancelsOperations(t *testing.T) {
	// covers: SCO-6, EVT-3
	var started chan struct{}
	prepare := func(p *provider.Provider) {
		started = make(chan struct{})
		must(p.HandleActivate("slow", func(ctx context.Context, _ *provider.Activate) error {
			close(started)
			<-ctx.Done()
			return ctx.Err()
		}))
		p.SetInvocation("slow", provider.Delayed)
	}
	inBubble(t, nil, prepare, func(t *testing.T, b *bench) {
		require.NoError(t, b.peer.subscribe("Set", "set", sdc.ActionOperationInvokedReport))
		mustCall[*msg.ActivateResponse](b.peer, "Set", sdc.ActionActivate, activate("slow"))
		<-started
		require.NoError(t, b.stop())
		notes := b.peer.take(4)
		require.Equal(t, msg.InvocationStateCnclld, invoked(t, notes[2]).InvocationInfo.InvocationState)
		require.Contains(t, notes[3].raw, "SourceShuttingDown")
		require.Equal(t, "/sink/set_e", notes[3].path)
	})
}

func TestRegistrationChecksTheKind(t *testing.T) {
	p, err := provider.New(provider.Config{MDIB: device(t), Insecure: true})
	require.NoError(t, err)
	require.ErrorContains(t, p.HandleSetString("value.set", nil), "SetValueOperationDescriptor")
	require.ErrorContains(t, p.HandleActivate("num", nil), "NumericMetricDescriptor")
	require.ErrorContains(t, p.HandleActivate("inserted.later", nil), "nil")
	require.NoError(t, p.HandleActivate("inserted.later", func(context.Context, *provider.Activate) error { return nil }))
}

// What is likely forgotten or mistyped is told when the device starts, not when a clinician's call fails.
func TestForgottenHandlersAreTold(t *testing.T) {
	var log strings.Builder
	configure := func(c *provider.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) }
	prepare := func(p *provider.Provider) {
		require.NoError(t, p.HandleSetValue("valeu.set", func(context.Context, *provider.SetValue) error { return nil }))
		require.NoError(t, p.HandleActivate("act", func(context.Context, *provider.Activate) error { return nil }))
	}
	inBubble(t, configure, prepare, func(*testing.T, *bench) {})
	require.Regexp(t, `have no handler.*value\.set`, log.String())
	require.NotRegexp(t, `have no handler.*\bact\b`, log.String())
	require.Regexp(t, `does not have" handles=\[valeu\.set\]`, log.String())

	var quiet strings.Builder
	inBubble(t, func(c *provider.Config) {
		c.Logger, c.ApplyProposals = slog.New(slog.NewTextHandler(&quiet, nil)), true
	}, nil, func(*testing.T, *bench) {})
	require.NotContains(t, quiet.String(), "value.set")
	require.NotContains(t, quiet.String(), "read-only", "without an identity it is not")

	var tls strings.Builder
	overTLS(t, func(c *provider.Config) { c.Logger, c.Policy = slog.New(slog.NewTextHandler(&tls, nil)), nil }, nil, func(*testing.T, *bench) {})
	require.Contains(t, tls.String(), "read-only")
}
