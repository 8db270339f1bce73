package eventing

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/testkit/reftest"
	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/soap"
)

// TestRecordedMessages reads the subscription messages recorded between two peers of another
// implementation.
func TestRecordedMessages(t *testing.T) {
	seen := 0
	for _, m := range reftest.Wire(t) {
		if len(m.XML) == 0 {
			continue
		}
		env, err := soap.Parse(m.XML, xmlscan.Limits{})
		if err != nil || env.BodyName().Space != xmlscan.NsEventing {
			continue
		}
		seen++
		switch env.BodyName().Local {
		case "Subscribe":
			s, err := soap.Decode(env, wse("Subscribe"), decodeSubscribe)
			require.NoError(t, err, m.Name)
			require.Equal(t, ModePush, s.mode)
			require.Equal(t, DialectAction, s.dialect)
			require.Equal(t, "PT1M", s.expires)
			require.True(t, strings.HasPrefix(s.endTo.Address, s.notifyTo.Address), m.Name)
			require.Contains(t, []int{1, 13}, len(s.actions), m.Name)
			require.Equal(t, ActionSubscribe, env.Header.Action)
		case "SubscribeResponse":
			s, err := soap.Decode(env, wse("SubscribeResponse"), decodeSubscribeResponse)
			require.NoError(t, err, m.Name)
			require.Equal(t, "PT15S", s.expires)
			require.True(t, strings.HasPrefix(s.manager.Address, "http://127.0.0.1:"))
			require.Equal(t, ActionSubscribeResponse, env.Header.Action)
		case "Renew", "RenewResponse", "GetStatusResponse":
			text, err := soap.Decode(env, env.BodyName(), decodeExpires)
			require.NoError(t, err, m.Name)
			e, err := ParseExpiration(text)
			require.NoError(t, err, m.Name)
			require.GreaterOrEqual(t, e.From(time.Now()), 10*time.Second)
		case "GetStatus", "Unsubscribe":
			_, err := soap.Decode(env, env.BodyName(), decodeNothing)
			require.NoError(t, err, m.Name)
		case "SubscriptionEnd":
			end, err := soap.Decode(env, wse("SubscriptionEnd"), decodeSubscriptionEnd)
			require.NoError(t, err, m.Name)
			require.Equal(t, EndError{Status: StatusSourceShuttingDown, Reason: "Event source going off line."}, *end)
		default:
			t.Errorf("%s: unexpected %v", m.Name, env.BodyName())
		}
	}
	require.GreaterOrEqual(t, seen, 10)
}

// TestRecordedRequests puts the recorded requests to a source.
func TestRecordedRequests(t *testing.T) {
	// covers: EVT-2, SDPi R7004, SDPi R7005
	recorded := make(map[string]string)
	for _, m := range reftest.Wire(t) {
		env, err := soap.Parse(m.XML, xmlscan.Limits{})
		if err != nil || env.BodyName().Space != xmlscan.NsEventing {
			continue
		}
		name := env.BodyName().Local
		raw, err := env.Body().Raw()
		require.NoError(t, err)
		if recorded[name] == "" {
			recorded[name] = string(raw.AppendXML(nil))
		}
	}
	inBubble(t, SourceConfig{AllowTarget: AnyTarget, MaxExpires: 15 * time.Second}, func(t *testing.T, b *bench) {
		env, err := b.client.Call(b.ctx, soap.NewEndpoint(b.url+"/StateEvent"), ActionSubscribe, soap.RawBody(recorded["Subscribe"]))
		require.NoError(t, err)
		m, err := soap.Decode(env, wse("SubscribeResponse"), decodeSubscribeResponse)
		require.NoError(t, err)
		require.Equal(t, "PT15S", m.expires)
		got, err := b.call(*m.manager, ActionRenew, soap.RawBody(recorded["Renew"]), "RenewResponse")
		require.NoError(t, err)
		require.Equal(t, "PT15S", got)
		got, err = b.call(*m.manager, ActionGetStatus, soap.RawBody(recorded["GetStatus"]), "GetStatusResponse")
		require.NoError(t, err)
		require.Regexp(t, `^PT14\.99\d*S$`, got)
		_, err = b.call(*m.manager, ActionUnsubscribe, soap.RawBody(recorded["Unsubscribe"]), "")
		require.NoError(t, err)
	})
}

// TestSchemas validates every kind of message that is written.
func TestSchemas(t *testing.T) {
	// covers: SDPi R0013
	epr := soap.NewEndpoint("http://127.0.0.1:1/a")
	docs := make(map[string][]byte)
	for name, body := range map[string]soap.Body{
		"Subscribe":         &subscribeRequest{notifyTo: epr, endTo: epr, expires: time.Minute, dialect: DialectAction, filter: actionFilter{actMetric, actAlert}},
		"SubscribeResponse": subscribeResponse{manager: epr.Address, expires: 14030 * time.Millisecond},
		"Renew":             expiresMessage{element: "wse:Renew", expires: time.Hour},
		"RenewResponse":     expiresMessage{element: "wse:RenewResponse", expires: time.Hour + time.Second},
		"GetStatus":         emptyMessage("wse:GetStatus"),
		"GetStatusResponse": expiresMessage{element: "wse:GetStatusResponse"},
		"Unsubscribe":       emptyMessage("wse:Unsubscribe"),
		"SubscriptionEnd":   subscriptionEnd{manager: epr.Address, status: StatusDeliveryFailure, reason: "a < b & c"},
		"mode fault":        soap.DeliveryModeUnavailable(ModePush),
		"filter fault":      soap.FilteringUnavailable(DialectAction),
	} {
		docs[name] = soap.AppendEnvelope(nil, soap.NewHeader(epr, xmlscan.NsEventing+"/"+strings.ReplaceAll(name, " ", "")), body)
	}
	docs["UnsubscribeResponse"] = soap.AppendEnvelope(nil, &soap.Header{Action: ActionUnsubscribeResponse, MessageID: soap.NewMessageID()}, nil)
	reftest.Validate(t, docs)
}
