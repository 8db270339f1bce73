package provider_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/soap"
)

// operationKind is a kind of operation with a request for it that would be carried out, and requests that must not be.
type operationKind struct {
	handle, service, action string
	request                 func(handle string) msg.SetRequest
	bad                     map[string]msg.SetRequest // by what the refusal has to say
}

func operationKinds() map[string]operationKind {
	set := func(h string) msg.AbstractSet { return msg.AbstractSet{OperationHandleRef: h} }
	metric := func(h string) pm.MetricState {
		s := &pm.NumericMetricState{}
		s.DescriptorHandle = h
		return s
	}
	component := func(h string) pm.ComponentState {
		s := &pm.VmdState{}
		s.DescriptorHandle = h
		return s
	}
	signal := func(h string) *pm.AlertSignalState {
		s := &pm.AlertSignalState{}
		s.DescriptorHandle, s.ActivationState = h, pm.AlertActivationOff
		return s
	}
	patient := func(descriptor, handle string) *pm.PatientContextState {
		s := &pm.PatientContextState{}
		s.DescriptorHandle, s.Handle = descriptor, handle
		return s
	}
	metrics := func(h string, states ...pm.MetricState) msg.SetRequest {
		return &msg.SetMetricState{AbstractSet: set(h), ProposedMetricState: states}
	}
	components := func(h string, states ...pm.ComponentState) msg.SetRequest {
		return &msg.SetComponentState{AbstractSet: set(h), ProposedComponentState: states}
	}
	contexts := func(states ...pm.ContextState) msg.SetRequest {
		return &msg.SetContextState{AbstractSet: set("patient.set"), ProposedContextState: states}
	}
	enum := &pm.EnumStringMetricState{}
	enum.DescriptorHandle = "num.set"
	condition := &pm.AlertConditionState{}
	condition.DescriptorHandle, condition.ActivationState = "sig", pm.AlertActivationOn
	present := signal("sig")
	present.Presence = pm.AlertSignalPresenceOn
	location := &pm.LocationContextState{}
	location.DescriptorHandle, location.Handle = "pat", "pat"
	elsewhere := &pm.LocationContextState{}
	elsewhere.DescriptorHandle, elsewhere.Handle = "loc", "loc"
	otherAlert := &pm.AlertConditionState{}
	otherAlert.DescriptorHandle, otherAlert.ActivationState = "cond", pm.AlertActivationOff
	above := &pm.MdsState{}
	above.DescriptorHandle, above.ActivationState = "mds", pm.ComponentActivationOff
	many := func(n int) (states []pm.MetricState) {
		for range n {
			states = append(states, metric("num.set"))
		}
		return states
	}
	return map[string]operationKind{
		"SetValue": {
			handle: "value.set", service: "Set", action: sdc.ActionSetValue,
			request: func(h string) msg.SetRequest { return setValue(h, "5") },
			bad: map[string]msg.SetRequest{
				"-0.001 is outside": setValue("value.set", "-0.001"), "10.5 is outside": setValue("value.set", "10.5"), "30.0000001 is outside": setValue("value.set", "30.0000001"),
				"1000000000000000000000000000000 is outside": setValue("value.set", "1000000000000000000000000000000"),
			},
		},
		"SetString": {
			handle: "string.set", service: "Set", action: sdc.ActionSetString,
			request: func(h string) msg.SetRequest { return setString(h, "ON") },
			bad: map[string]msg.SetRequest{
				"none of the allowed": setString("string.set", "on"), `"" is none`: setString("string.set", ""), "longer than 8": setString("string.set", "STANDBY-LONG"),
			},
		},
		"Activate": {
			handle: "act", service: "Set", action: sdc.ActionActivate,
			request: func(h string) msg.SetRequest { return activate(h, "text", "1.5", "urn:x") },
			bad: map[string]msg.SetRequest{
				"takes 3 arguments, not 0": activate("act"), "not 2": activate("act", "a", "1"), "not 1500": activate("act", strings.Fields(strings.Repeat("x ", 1500))...),
				"argument 2": activate("act", "a", "many", "urn:x"), `"" is no xsd:decimal`: activate("act", "a", " ", "urn:x"), "argument 3": activate("act", "a", "1", "%zz"),
			},
		},
		"SetMetricState": {
			handle: "metric.set", service: "Set", action: sdc.ActionSetMetricState,
			request: func(h string) msg.SetRequest { return metrics(h, metric("num.set")) },
			bad: map[string]msg.SetRequest{
				`no descriptor "nowhere"`: metrics("metric.set", metric("nowhere")), "is no state of mode": metrics("metric.set", metric("mode")),
				"is no state of num.set": metrics("metric.set", enum), "proposed twice": metrics("metric.set", many(2)...), "more than 1000": metrics("metric.set", many(1001)...),
				"num is neither the target": metrics("metric.set", metric("num.set"), metric("num")),
			},
		},
		"SetComponentState": {
			handle: "component.set", service: "Set", action: sdc.ActionSetComponentState,
			request: func(h string) msg.SetRequest { return components(h, component("vmd")) },
			bad: map[string]msg.SetRequest{
				`no descriptor "nowhere"`: components("component.set", component("nowhere")), "is no state of ch": components("component.set", component("ch")),
				"proposed twice":            components("component.set", component("vmd"), component("vmd")),
				"mds is neither the target": components("component.set", above),
			},
		},
		"SetAlertState": {
			handle: "alert.set", service: "Set", action: sdc.ActionSetAlertState,
			request: func(h string) msg.SetRequest {
				return &msg.SetAlertState{AbstractSet: set(h), ProposedAlertState: signal("sig")}
			},
			bad: map[string]msg.SetRequest{
				`no descriptor "nowhere"`:    &msg.SetAlertState{AbstractSet: set("alert.set"), ProposedAlertState: signal("nowhere")},
				"is no state of sig":         &msg.SetAlertState{AbstractSet: set("alert.set"), ProposedAlertState: condition},
				"@Presence of sig cannot":    &msg.SetAlertState{AbstractSet: set("alert.set"), ProposedAlertState: present},
				"cond is neither the target": &msg.SetAlertState{AbstractSet: set("alert.set"), ProposedAlertState: otherAlert},
			},
		},
		"SetContextState": {
			handle: "patient.set", service: "StateEvent", action: sdc.ActionSetContextState,
			request: func(h string) msg.SetRequest {
				return &msg.SetContextState{AbstractSet: set(h), ProposedContextState: []pm.ContextState{patient("pat", "pat")}}
			},
			bad: map[string]msg.SetRequest{
				`no descriptor "nowhere"`: contexts(patient("nowhere", "nowhere")), `pat has no state "nobody"`: contexts(patient("pat", "nobody")),
				"is no state of pat": contexts(location), "LocationContextState": contexts(location),
				"loc is neither the target": contexts(patient("pat", "pat"), elsewhere),
			},
		},
	}
}

// Whatever is wrong with a call, the answer says so in the terms of the standard, and nothing has happened.
func TestBadCallsOfEveryKindOfOperation(t *testing.T) {
	// covers: SCO-2, MDPWS R0012
	prepare := func(p *provider.Provider) {
		require.NoError(t, p.HandleActivate("act", func(context.Context, *provider.Activate) error { return nil }))
	}
	inBubble(t, applying, prepare, func(t *testing.T, b *bench) {
		kinds := operationKinds()
		require.Len(t, kinds, 7)
		refused := func(name string, k operationKind, r msg.SetRequest, code msg.InvocationError, says string) {
			t.Helper()
			before := b.dev.MDIB()
			env, err := b.peer.client.Call(t.Context(), soap.NewEndpoint(b.peer.device+"/"+k.service), k.action, r)
			require.NoError(t, err, "%s: %s", name, says)
			m, err := soap.Decode(env, env.BodyName(), msg.Decode)
			require.NoError(t, err)
			info := m.(msg.SetResponse).BaseSetResponse().InvocationInfo
			require.Equal(t, msg.InvocationStateFail, info.InvocationState, "%s: %s", name, says)
			require.Equal(t, code, info.InvocationError, "%s: %v", name, info.InvocationErrorMessage)
			require.Len(t, info.InvocationErrorMessage, 1)
			require.Contains(t, info.InvocationErrorMessage[0].Text, says, name)
			require.Equal(t, "en", info.InvocationErrorMessage[0].Lang)
			require.Empty(t, info.InvocationErrorMessage[0].Ref)
			require.Same(t, before, b.dev.MDIB(), "%s: %s", name, says)
		}
		for name, k := range kinds {
			refused(name, k, k.request("nowhere"), msg.InvocationErrorUnkn, `no operation "nowhere"`)
			refused(name, k, k.request("num"), msg.InvocationErrorUnkn, `no operation "num"`)
			refused(name, k, k.request(strings.Repeat("x", 5000)), msg.InvocationErrorUnkn, "...")
			for other, o := range kinds {
				if other != name {
					refused(name, k, k.request(o.handle), msg.InvocationErrorInv, "takes "+other+", not "+name)
				}
			}
			for says, r := range k.bad {
				refused(name, k, r, msg.InvocationErrorInv, says)
			}
			for _, mode := range []pm.OperatingMode{pm.OperatingModeDis, pm.OperatingModeNA, pm.OperatingModeEn} {
				require.NoError(t, b.dev.Update(func(tx *mdib.Tx) error { return tx.SetOperatingMode(k.handle, mode) }))
				if mode != pm.OperatingModeEn {
					refused(name, k, k.request(k.handle), msg.InvocationErrorOth, "not enabled")
				}
			}
			// That it is none of that which is wrong with the rest: the same call as it should be.
			env, err := b.peer.client.Call(t.Context(), soap.NewEndpoint(b.peer.device+"/"+k.service), k.action, k.request(k.handle))
			require.NoError(t, err, name)
			m, err := soap.Decode(env, env.BodyName(), msg.Decode)
			require.NoError(t, err, name)
			info := m.(msg.SetResponse).BaseSetResponse().InvocationInfo
			require.Equal(t, msg.InvocationStateFin, info.InvocationState, "%s: %v", name, info.InvocationErrorMessage)
		}
	})
}

// What cannot be read is no call at all: a Sender fault, at every service alike.
func TestBadMessagesAtEveryService(t *testing.T) {
	// covers: MDPWS R0012, DPWS R0013, SOAP-1
	inBubble(t, func(c *provider.Config) {
		c.ApplyProposals, c.Localization, c.ContainmentTree, c.ContextQueries, c.Archive = true, texts(t), true, true, true
	}, nil, func(t *testing.T, b *bench) {
		before := b.dev.MDIB()
		ids := map[string]string{}
		for _, s := range []string{sdc.StateEventService, sdc.ContextService, sdc.DescriptionEventService, sdc.WaveformService} {
			ids[s] = "StateEvent"
		}
		n := 0
		for _, s := range sdc.Services() {
			id := ids[s.Name]
			if id == "" {
				id = strings.TrimSuffix(s.Name, "Service")
			}
			to := soap.NewEndpoint(b.peer.device + "/" + id)
			fault := func(name, action string, body soap.Body, subcode string) {
				t.Helper()
				_, err := b.peer.client.Call(t.Context(), to, action, body)
				var f *soap.Fault
				require.ErrorAs(t, err, &f, "%s: %s", action, name)
				require.Equal(t, soap.CodeSender, f.Code, "%s: %s", action, name)
				require.Equal(t, 400, f.Status)
				require.NotEmpty(t, f.Reason)
				require.Equal(t, subcode, f.Subcodes[0].Local, "%s: %s: %s", action, name, f.Reason)
				n++
			}
			fault("an action nobody knows", sdc.NamespaceGlue+"/"+s.Name+"/Explode", soap.RawBody(""), "ActionNotSupported")
			for _, o := range s.Operations {
				if o.Notification {
					fault("a notification to the device", o.Action, soap.RawBody(""), "ActionNotSupported")
					continue
				}
				element := func(attributes, content string) soap.Body {
					return soap.RawBody(fmt.Sprintf(`<msg:%s xmlns:msg="%s" xmlns:pm="%s" xmlns:ext="http://standards.ieee.org/downloads/11073/11073-10207-2017/extension"%s>%s</msg:%[1]s>`,
						o.Input(), sdc.NamespaceMessage, sdc.NamespaceParticipant, attributes, content))
				}
				fault("no body", o.Action, soap.RawBody(""), "InvalidMessage")
				fault("a body of another request", o.Action, soap.RawBody(`<msg:Explode xmlns:msg="`+sdc.NamespaceMessage+`"/>`), "InvalidMessage")
				fault("a body of another namespace", o.Action, soap.RawBody(`<`+o.Input()+` xmlns="urn:x"/>`), "InvalidMessage")
				fault("an unknown attribute", o.Action, element(` Urgent="true"`, ""), "InvalidMessage")
				fault("an unknown element", o.Action, element("", "<msg:Urgent/>"), "InvalidMessage")
				fault("text", o.Action, element("", "now!"), "InvalidMessage")
				fault("an extension that must be understood", o.Action, element("", `<ext:Extension><x:y xmlns:x="urn:x" ext:MustUnderstand="true"/></ext:Extension>`), "InvalidMessage")
				switch s.Name {
				case sdc.SetService:
					fault("no operation", o.Action, element("", ""), "InvalidMessage")
					fault("an empty operation", o.Action, element("", "<msg:OperationHandleRef/>"), "InvalidMessage")
					if o.Name != "Activate" && !strings.HasSuffix(o.Name, "ricState") && !strings.HasSuffix(o.Name, "nentState") {
						fault("no argument", o.Action, element("", "<msg:OperationHandleRef>value.set</msg:OperationHandleRef>"), "InvalidMessage")
					}
				}
			}
		}
		require.Greater(t, n, 100)
		for action, body := range map[string]string{
			sdc.ActionSetValue:        `<msg:RequestedNumericValue>five</msg:RequestedNumericValue>`,
			sdc.ActionSetMetricState:  `<msg:ProposedMetricState DescriptorHandle="num.set"/>`,
			sdc.ActionSetAlertState:   `<msg:ProposedAlertState xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="pm:VmdState" DescriptorHandle="vmd"/>`,
			sdc.ActionSetContextState: `<msg:ProposedContextState xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="pm:PatientContextState" DescriptorHandle="pat"/>`,
		} {
			name := action[strings.LastIndexByte(action, '/')+1:]
			id := "Set"
			if action == sdc.ActionSetContextState {
				id = "StateEvent"
			}
			_, err := b.peer.client.Call(t.Context(), soap.NewEndpoint(b.peer.device+"/"+id), action, soap.RawBody(
				`<msg:`+name+` xmlns:msg="`+sdc.NamespaceMessage+`" xmlns:pm="`+sdc.NamespaceParticipant+`"><msg:OperationHandleRef>value.set</msg:OperationHandleRef>`+body+`</msg:`+name+`>`))
			var f *soap.Fault
			require.ErrorAs(t, err, &f, action)
			require.Equal(t, soap.CodeSender, f.Code, action)
		}
		// A request that is too large is not even read.
		_, err := b.peer.client.Call(t.Context(), soap.NewEndpoint(b.peer.device+"/Get"), sdc.ActionGetMdState, &msg.GetMdState{HandleRef: strings.Fields(strings.Repeat("handle ", 200_000))})
		var status *soap.HTTPError
		require.Error(t, err)
		if errors.As(err, &status) { // otherwise the connection was closed while the request was still being sent
			require.Equal(t, 413, status.Status)
		}
		require.Same(t, before, b.dev.MDIB())
	})
}

// Whoever may call operations cannot make the MDIB grow until no consumer can read it, neither with large calls nor with many.
func TestCallsDoNotMakeTheMdibGrowForEver(t *testing.T) {
	inBubble(t, applying, nil, func(t *testing.T, b *bench) {
		large := strings.Repeat("x", 200<<10)
		s := &pm.PatientContextState{}
		s.DescriptorHandle, s.Handle = "pat", "pat"
		core := &pm.PatientDemographicsCoreData{BaseDemographics: pm.BaseDemographics{Givenname: large}}
		s.CoreData = core
		admit := &msg.SetContextState{AbstractSet: msg.AbstractSet{OperationHandleRef: "patient.set"}, ProposedContextState: []pm.ContextState{s}}
		_, err := call[*msg.SetContextStateResponse](b.peer, operationKinds()["SetContextState"].service, sdc.ActionSetContextState, admit)
		var fault *soap.Fault
		require.ErrorAs(t, err, &fault)
		require.ErrorContains(t, err, "SetContextState of more than 131072 bytes")

		core.Givenname = large[:100<<10]
		for range 30 {
			r := mustCall[*msg.SetContextStateResponse](b.peer, operationKinds()["SetContextState"].service, sdc.ActionSetContextState, admit)
			require.Equal(t, msg.InvocationStateFin, r.InvocationInfo.InvocationState)
		}
		kept := 0
		for range b.dev.MDIB().ContextStates("pat") {
			kept++
		}
		require.Less(t, kept, 14, "a megabyte of them, and some that are about to leave")
	})
}
