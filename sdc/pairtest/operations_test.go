package pairtest

import (
	"context"
	"encoding/pem"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/testkit/memnet"
	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/soap"
)

func applying(c *provider.Config) { c.ApplyProposals = true }

// operating is a device whose operations all do something.
var operating = setup{provider: applying, device: func(p *provider.Provider) {
	must(p.HandleActivate("act", func(_ context.Context, call *provider.Activate) error {
		var parts []string
		for _, a := range call.Arguments {
			parts = append(parts, a.Value)
		}
		return call.Update(func(tx *mdib.Tx) error { return tx.SetString(call.Target, strings.Join(parts, ""), time.Now()) })
	}))
	must(p.HandleActivate("slow", func(ctx context.Context, _ *provider.Activate) error {
		<-ctx.Done()
		return ctx.Err()
	}))
}}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func TestEachKindOfOperationTakesEffectInTheMirror(t *testing.T) {
	// covers: SCO-1, SCO-4, SCO-5, SCO-7
	test := func(t *testing.T, p *pair) {
		d := p.connect(t)
		ctx := t.Context()
		finished := func(r *consumer.Result, err error) *consumer.Result {
			t.Helper()
			require.NoError(t, err)
			require.Equal(t, msg.InvocationStateFin, r.State)
			// The final report carries a version at which the effect is visible.
			require.GreaterOrEqual(t, d.MDIB().Version().MdibVersion, r.Steps[len(r.Steps)-1].MDIBVersion)
			return r
		}
		finished(d.SetValue(ctx, "value.set", pm.MustDecimal("7.50")))
		n, _ := mdib.Get[*pm.NumericMetricState](d.MDIB(), "num.set")
		v, _ := n.MetricValue.Value.Get()
		require.Equal(t, "7.50", v.String(), "every digit arrives")

		finished(d.SetString(ctx, "string.set", "ON"))
		e, _ := mdib.Get[*pm.EnumStringMetricState](d.MDIB(), "mode")
		require.Equal(t, pm.Some("ON"), e.MetricValue.Value)

		finished(d.Activate(ctx, "act", "a b", "1.50", "urn:x"))
		s, _ := mdib.Get[*pm.StringMetricState](d.MDIB(), "text")
		require.Equal(t, pm.Some("a b1.50urn:x"), s.MetricValue.Value)

		proposed := &pm.NumericMetricState{MetricValue: &pm.NumericMetricValue{Value: pm.Some(pm.MustDecimal("3"))}}
		proposed.DescriptorHandle = "num.set"
		proposed.MetricValue.MetricQuality.Validity = pm.MeasurementValidityVld
		finished(d.SetMetricState(ctx, "metric.set", proposed))
		n, _ = mdib.Get[*pm.NumericMetricState](d.MDIB(), "num.set")
		v, _ = n.MetricValue.Value.Get()
		require.Equal(t, "3", v.String())

		vmd := &pm.VmdState{}
		vmd.DescriptorHandle, vmd.ActivationState = "vmd", pm.ComponentActivationStndBy
		finished(d.SetComponentState(ctx, "component.set", vmd))
		got, _ := mdib.Get[*pm.VmdState](d.MDIB(), "vmd")
		require.Equal(t, pm.ComponentActivationStndBy, got.ActivationState)

		sig := &pm.AlertSignalState{}
		sig.DescriptorHandle, sig.ActivationState = "sig", pm.AlertActivationPsd
		finished(d.SetAlertState(ctx, "alert.set", sig))
		signal, _ := mdib.Get[*pm.AlertSignalState](d.MDIB(), "sig")
		require.Equal(t, pm.AlertActivationPsd, signal.ActivationState)

		first := finished(d.SetContextState(ctx, "patient.set", patient("1")))
		second := finished(d.SetContextState(ctx, "patient.set", patient("2")))
		require.NotEqual(t, first.Target, second.Target, "each patient is a state of its own")
		former, _ := mdib.Get[*pm.PatientContextState](d.MDIB(), first.Target)
		current, _ := mdib.Get[*pm.PatientContextState](d.MDIB(), second.Target)
		require.Equal(t, pm.ContextAssociationDis, former.ContextAssociation)
		require.Equal(t, pm.ContextAssociationAssoc, current.ContextAssociation)
		require.True(t, d.MDIB().Equal(p.dev.MDIB()))
	}
	t.Run("in memory", func(t *testing.T) { inBubble(t, operating, test) })
	t.Run("mutual TLS", func(t *testing.T) { overTLS(t, operating, test) })
	t.Run("delayed", func(t *testing.T) {
		s := operating
		s.provider = func(c *provider.Config) { applying(c); c.Invocation = provider.Delayed }
		inBubble(t, s, func(t *testing.T, p *pair) {
			test(t, p)
			r, err := p.connect(t).SetString(t.Context(), "string.set", "OFF")
			require.NoError(t, err)
			var states []msg.InvocationState
			for _, s := range r.Steps {
				states = append(states, s.State)
			}
			require.Equal(t, []msg.InvocationState{"Wait", "Wait", "Start", "Fin"}, states, "the response, then three reports")
		})
	})
}

func patient(id string) *pm.PatientContextState {
	s := &pm.PatientContextState{CoreData: &pm.PatientDemographicsCoreData{BaseDemographics: pm.BaseDemographics{Familyname: "Test"}}}
	s.DescriptorHandle, s.Handle = "pat", "pat" // its descriptor's: a new state
	s.ContextAssociation = pm.ContextAssociationAssoc
	s.Identification = []pm.InstanceIdentifier{{Root: "urn:oid:1.2.3", Extension: id}}
	return s
}

func TestCallersAreNamedByTheirCertificate(t *testing.T) {
	// covers: GLUE R0078_0, SEC-4
	overTLS(t, operating, func(t *testing.T, p *pair) {
		d := p.connect(t)
		i, err := d.Invoke(t.Context(), &msg.SetValue{AbstractSet: msg.AbstractSet{OperationHandleRef: "value.set"}, RequestedNumericValue: pm.MustDecimal("1")})
		require.NoError(t, err)
		r, err := i.Wait(t.Context())
		require.NoError(t, err)
		require.Equal(t, "http://standards.ieee.org/downloads/11073/11073-20701-2018/X509Certificate/PEM", r.Source.Root)
		block, _ := pem.Decode([]byte(r.Source.Extension))
		require.NotNil(t, block)
		require.Len(t, r.Steps, 2, "the response and one report")
	})
}

func TestRefusedOperationsSayWhyAndChangeNothing(t *testing.T) {
	// covers: SCO-2
	inBubble(t, operating, func(t *testing.T, p *pair) {
		d := p.connect(t)
		before := p.dev.MDIB()
		for what, call := range map[string]func() (*consumer.Result, error){
			"unknown operation":   func() (*consumer.Result, error) { return d.SetValue(t.Context(), "nothing", pm.MustDecimal("1")) },
			"wrong kind":          func() (*consumer.Result, error) { return d.SetString(t.Context(), "value.set", "1") },
			"out of range":        func() (*consumer.Result, error) { return d.SetValue(t.Context(), "value.set", pm.MustDecimal("11")) },
			"text not allowed":    func() (*consumer.Result, error) { return d.SetString(t.Context(), "string.set", "MAYBE") },
			"text too long":       func() (*consumer.Result, error) { return d.SetString(t.Context(), "string.set", "STANDBY-LONG") },
			"too few arguments":   func() (*consumer.Result, error) { return d.Activate(t.Context(), "act", "a") },
			"wrong argument type": func() (*consumer.Result, error) { return d.Activate(t.Context(), "act", "a", "b", "urn:x") },
			"disabled":            func() (*consumer.Result, error) { return d.Activate(t.Context(), "off") },
			"no handler":          func() (*consumer.Result, error) { return d.Activate(t.Context(), "unhandled") },
		} {
			r, err := call()
			var refused *consumer.OperationError
			require.ErrorAs(t, err, &refused, what)
			require.Equal(t, msg.InvocationStateFail, r.State, what)
			require.NotEmpty(t, r.Error, what)
			require.NotEmpty(t, r.Message, what)
			require.NotEmpty(t, r.Message[0].Text, what)
		}
		_, err := d.SetValue(t.Context(), "value.set", pm.MustDecimal("11"))
		require.ErrorContains(t, err, "11 is outside of the allowed range, 0 to 10", "what would be allowed is told")
		r, err := d.SetString(t.Context(), "string.set", "MAYBE")
		require.ErrorContains(t, err, `"MAYBE" is none of the allowed values: "ON", "OFF"`)
		require.Contains(t, r.String(), `Fail (Inv): "MAYBE" is none`)
		require.Same(t, before, p.dev.MDIB(), "nothing was changed")
	})
}

func TestOperationThatTakesTooLongFails(t *testing.T) {
	// covers: SCO-6
	inBubble(t, operating, func(t *testing.T, p *pair) {
		d := p.connect(t)
		begin := time.Now()
		r, err := d.Activate(t.Context(), "slow")
		var refused *consumer.OperationError
		require.ErrorAs(t, err, &refused)
		require.Equal(t, msg.InvocationStateFail, r.State)
		require.Equal(t, 3*time.Second, time.Since(begin).Round(time.Second), "MaxTimeToFinish of the descriptor")
	})
}

func TestOutcomeIsUnknownWhenTheDeviceIsLost(t *testing.T) {
	s := operating
	s.consumer = func(c *consumer.Config) { c.LostAfter = 10 * time.Second }
	s.provider = func(c *provider.Config) {
		applying(c)
		c.Invocation, c.MaxTimeToFinish = provider.Delayed, time.Hour
	}
	s.device = func(p *provider.Provider) {
		must(p.HandleActivate("unhandled", func(ctx context.Context, _ *provider.Activate) error {
			<-ctx.Done()
			return ctx.Err()
		}))
	}
	inBubble(t, s, func(t *testing.T, p *pair) {
		d := p.connect(t)
		i, err := d.Invoke(t.Context(), &msg.Activate{AbstractSet: msg.AbstractSet{OperationHandleRef: "unhandled"}})
		require.NoError(t, err)
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = i.Wait(short)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		p.net.Partition(deviceIP, consumerIP)
		_, err = i.Wait(t.Context())
		require.ErrorIs(t, err, consumer.ErrLost)
		p.net.Heal(deviceIP, consumerIP)
	})
}

func TestServiceFaultsAreTyped(t *testing.T) {
	inBubble(t, operating, func(t *testing.T, p *pair) {
		d := p.connect(t)
		p.net.SetLink(memnet.Link{Latency: time.Millisecond})
		// An extension that has to be understood, and is not.
		req := &msg.SetValue{AbstractSet: msg.AbstractSet{OperationHandleRef: "value.set"}, RequestedNumericValue: pm.MustDecimal("1")}
		raw, err := xmlscan.ParseRaw([]byte(`<x:odd xmlns:x="urn:x" xmlns:ext="http://standards.ieee.org/downloads/11073/11073-10207-2017/extension" ext:MustUnderstand="true"/>`), xmlscan.Limits{})
		require.NoError(t, err)
		req.Extension = pm.Extension{{Raw: raw, MustUnderstand: true}}
		_, err = d.Invoke(t.Context(), req)
		var fault *soap.Fault
		require.True(t, errors.As(err, &fault), "%v", err)
		require.Equal(t, soap.CodeSender, fault.Code)
	})
}

func TestRequestsThatCannotBeMeantAreNotSent(t *testing.T) {
	s := operating
	s.provider = func(c *provider.Config) {
		applying(c)
		c.Hooks.Operation = func(handle string, state msg.InvocationState) { t.Errorf("%q has been called: %s", handle, state) }
	}
	inBubble(t, s, func(t *testing.T, p *pair) {
		d := p.connect(t)
		ctx := t.Context()
		signal := &pm.AlertSignalState{}
		signal.DescriptorHandle, signal.ActivationState = "sig", "Loud"
		garbled := patient("1")
		garbled.CoreData.(*pm.PatientDemographicsCoreData).Middlename = []string{"Ann", "M\x1b"}
		invoke := func(req msg.SetRequest) error {
			_, err := d.Invoke(ctx, req)
			return err
		}
		of := func(_ *consumer.Result, err error) error { return err }
		for what, c := range map[string]struct {
			err  error
			want string
		}{
			"no request":           {invoke(nil), "there is no request"},
			"nil request":          {invoke((*msg.SetValue)(nil)), "there is no request"},
			"no operation":         {of(d.SetValue(ctx, "", pm.MustDecimal("1"))), "handle of the operation is empty"},
			"operation not XML":    {of(d.SetValue(ctx, "a\x00", pm.MustDecimal("1"))), "character at byte 1"},
			"text not XML":         {of(d.SetString(ctx, "string.set", "O\x1bN")), "character at byte 1"},
			"text not UTF-8":       {of(d.SetString(ctx, "string.set", "ON\xff")), "character at byte 2"},
			"argument not XML":     {of(d.Activate(ctx, "act", "a", "\x00")), "argument 2 has a character at byte 0"},
			"no alert state":       {of(d.SetAlertState(ctx, "alert.set", nil)), "a proposed state is missing"},
			"nil metric state":     {of(d.SetMetricState(ctx, "metric.set", (*pm.NumericMetricState)(nil))), "a proposed state is missing"},
			"no component states":  {of(d.SetComponentState(ctx, "component.set")), "a proposed state is missing"},
			"nil context state":    {of(d.SetContextState(ctx, "patient.set", patient("1"), nil)), "a proposed state is missing"},
			"state of nothing":     {of(d.SetContextState(ctx, "patient.set", &pm.PatientContextState{})), "PatientContextState has no descriptor handle"},
			"name not XML":         {of(d.SetContextState(ctx, "patient.set", patient("1"), garbled)), `in the proposed state of "pat" Middlename has a character`},
			"not of the schema":    {of(d.SetAlertState(ctx, "alert.set", signal)), `of the proposed state of "sig" ActivationState cannot be "Loud"`},
			"no archive question":  {func() error { _, err := d.GetStatesFromArchive(ctx, nil); return err }(), "there is no request"},
			"no archive question'": {func() error { _, err := d.GetDescriptorsFromArchive(ctx, nil); return err }(), "there is no request"},
		} {
			var refused *consumer.RequestError
			require.ErrorAs(t, c.err, &refused, what)
			require.ErrorContains(t, c.err, c.want, what)
		}
	})
}

func TestUnknownOperationIsRefusedAtOnce(t *testing.T) {
	inBubble(t, operating, func(t *testing.T, p *pair) {
		d := p.connect(t)
		begin := time.Now()
		_, err := d.SetValue(t.Context(), "nothing", pm.MustDecimal("1"))
		require.ErrorContains(t, err, `there is no operation "nothing"`)
		require.Less(t, time.Since(begin), time.Second, "no report tells of it, so none is waited for")
	})
}

func TestOperationsAreOfferedToTheUsersTheyAreMeantFor(t *testing.T) {
	// covers: SCO-9
	restricted := operating
	restricted.device = func(p *provider.Provider) {
		operating.device(p)
		must(p.Update(func(tx *mdib.Tx) error {
			d, err := mdib.EditDescriptorAs[*pm.SetValueOperationDescriptor](tx, "value.set")
			if err == nil {
				d.AccessLevel = pm.AccessLevelSP
			}
			return err
		}))
	}
	inBubble(t, restricted, func(t *testing.T, p *pair) {
		d := p.connect(t)
		before := p.dev.MDIB()
		_, err := d.SetValue(t.Context(), "value.set", pm.MustDecimal("1"))
		var denied *consumer.AccessError
		require.ErrorAs(t, err, &denied)
		require.Equal(t, pm.AccessLevelSP, denied.Level)
		require.Same(t, before, p.dev.MDIB())
		_, err = d.SetString(t.Context(), "string.set", "ON")
		require.NoError(t, err, "operations for any user are")
	})
	restricted.consumer = func(c *consumer.Config) { c.AccessLevels = []pm.AccessLevel{pm.AccessLevelUsr, pm.AccessLevelSP} }
	inBubble(t, restricted, func(t *testing.T, p *pair) {
		_, err := p.connect(t).SetValue(t.Context(), "value.set", pm.MustDecimal("1"))
		require.NoError(t, err)
	})
}
