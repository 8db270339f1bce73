package discovery

import (
	"context"
	"fmt"
	"time"

	"github.com/semeco/go-sdc/internal/localnet"
	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/soap"
)

// This file is discovery over HTTP(S): what a discovery proxy receives and answers, and how it
// is asked (SDPi DEV-46, DEV-47).

// URIs of SDPi's discovery proxy.
const (
	// NamespaceProxy is the namespace of the proxy's port type (SDPi R7007).
	NamespaceProxy = "urn:oid:1.3.6.1.4.1.19376.1.6.2.10.1.2.2"
	// DialectProxy is the filter dialect of subscriptions to Hello and Bye at a proxy (SDPi R7008, R7009).
	DialectProxy = "urn:oid:1.3.6.1.4.1.19376.1.6.2.10.1.2.1"
)

// ProxyTypes are the types of a discovery proxy: dp:DiscoveryProxy of SDPi (R7007) and
// wsd:DiscoveryProxy of WS-Discovery 1.1.
func ProxyTypes() []Name {
	return []Name{{Space: NamespaceProxy, Local: "DiscoveryProxy"}, wsd("DiscoveryProxy")}
}

// isProxy reports whether the endpoint has one of the types of a proxy.
func (e Endpoint) isProxy() bool {
	for _, n := range ProxyTypes() {
		if e.HasType(n) {
			return true
		}
	}
	return false
}

// Sequence orders the messages of one endpoint: Instance grows with each of its lives, Number
// with each message (WS-Discovery 1.1, 7).
type Sequence struct{ Instance, Number uint32 }

// AppendXML writes the wsd:AppSequence header block.
func (s Sequence) AppendXML(b []byte) []byte {
	return appSequence{s.Instance, s.Number}.AppendXML(b)
}

// Announcement is a received Hello or Bye; of the latter's endpoint only the EPR counts.
type Announcement struct {
	Endpoint Endpoint
	// Sequence orders it; nil when the sender left it out.
	Sequence *Sequence
}

// DecodeHello reads a Hello. What is wrong is a *soap.Fault or a decoding error, as handlers return it.
func DecodeHello(env *soap.Envelope) (Announcement, error) { return decodeAnnouncement(env, kindHello) }

// DecodeBye reads a Bye.
func DecodeBye(env *soap.Envelope) (Announcement, error) { return decodeAnnouncement(env, kindBye) }

func decodeAnnouncement(env *soap.Envelope, k kind) (Announcement, error) {
	var a Announcement
	m, err := decodeMessageOf(env, k)
	if err != nil {
		return a, err
	}
	a.Endpoint = m.endpoints[0]
	if block, ok := env.Header.Block(appSequenceName()); ok {
		seq, err := decodeSequence(block)
		if err != nil {
			return a, err
		}
		a.Sequence = &Sequence{seq.InstanceID, seq.MessageNumber}
	}
	return a, nil
}

// DecodeProbe reads a Probe. A matching rule that is not supported is a
// MatchingRuleNotSupported fault (WSD-2).
func DecodeProbe(env *soap.Envelope) (Filter, error) {
	m, err := decodeMessageOf(env, kindProbe)
	if err == nil && m.filter.Validate() != nil {
		err = soap.MatchingRuleNotSupported(SupportedRules()...)
	}
	return m.filter, err
}

// DecodeResolve reads a Resolve and returns the EPR looked for.
func DecodeResolve(env *soap.Envelope) (string, error) {
	m, err := decodeMessageOf(env, kindResolve)
	if err != nil {
		return "", err
	}
	return m.endpoints[0].EPR, nil
}

func decodeMessageOf(env *soap.Envelope, k kind) (body, error) {
	return soap.Decode(env, wsd(k.String()), func(s *xmlscan.Scanner) (body, error) {
		m := body{kind: k}
		err := decodeBody(s, &m)
		return m, err
	})
}

// HelloBody is the content of a Hello.
func HelloBody(e Endpoint) soap.Body { return body{kind: kindHello, endpoints: []Endpoint{e}} }

// ByeBody is the content of a Bye.
func ByeBody(epr string) soap.Body { return body{kind: kindBye, endpoints: []Endpoint{{EPR: epr}}} }

// ProbeMatchesBody is the answer to a Probe.
func ProbeMatchesBody(matches []Endpoint) soap.Body {
	return body{kind: kindProbeMatches, endpoints: matches}
}

// ResolveMatchesBody is the answer to a Resolve: one endpoint or none.
func ResolveMatchesBody(match ...Endpoint) soap.Body {
	return body{kind: kindResolveMatches, endpoints: match}
}

// proxyLink asks one discovery proxy.
type proxyLink struct {
	client  *soap.Client
	url     string
	timeout time.Duration
}

// say sends a Hello or Bye (SDPi DEV-46). The proxy need not answer anything.
func (p proxyLink) say(ctx context.Context, m body, seq appSequence) error {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	h := &soap.Header{To: To, Action: m.kind.action(), MessageID: soap.NewMessageID(), Extra: []soap.Body{seq}}
	return p.client.Send(ctx, p.url, soap.AppendEnvelope(nil, h, m))
}

// probe asks for what is present (SDPi DEV-47).
func (p proxyLink) probe(ctx context.Context, f Filter) ([]Endpoint, error) {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	return DirectedProbe(ctx, p.client, p.url, f)
}

// resolve asks for one endpoint; ok is false when the proxy does not know it.
func (p proxyLink) resolve(ctx context.Context, epr string) (e Endpoint, ok bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	found, err := exchange(ctx, p.client, p.url, body{kind: kindResolve, endpoints: []Endpoint{{EPR: epr}}}, kindResolveMatches)
	for _, e := range found {
		if e.EPR == epr {
			return e, true, nil
		}
	}
	return Endpoint{}, false, err
}

// exchange sends a question over HTTP(S) and returns the endpoints of the answer.
func exchange(ctx context.Context, c *soap.Client, url string, question body, answer kind) ([]Endpoint, error) {
	h := &soap.Header{To: To, Action: question.kind.action(), MessageID: soap.NewMessageID()}
	env, err := c.Exchange(ctx, url, h, question)
	if err != nil {
		return nil, err
	}
	m, err := soap.DecodeAnswer(env, wsd(answer.String()), func(s *xmlscan.Scanner) (body, error) {
		m := body{kind: answer}
		err := decodeBody(s, &m)
		return m, err
	})
	if err != nil {
		return nil, fmt.Errorf("%v to %s: %w", question.kind, url, err)
	}
	m.setZone(localnet.ZoneOf(url))
	return m.endpoints, nil
}
