package attack

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/semeco/go-sdc/soap"
)

// datagrams abuse discovery. Nobody who sends them needs a certificate.
func datagrams() []Attack {
	const area = "discovery"
	flood := func(name, about string, n int, data func(t *Target, i int) []byte) Attack {
		return Attack{name, area, about, false, func(ctx context.Context, t *Target) error {
			c, err := t.datagramSocket(ctx)
			if err != nil || c == nil {
				return err
			}
			defer c.Close()
			for i := range n {
				if _, err := c.WriteToUDPAddrPort(data(t, i), t.Discovery); err != nil {
					return err
				}
			}
			return t.alive(ctx)
		}}
	}
	return []Attack{
		flood("garbage-datagrams", "random bytes; ignored", 1000, func(*Target, int) []byte {
			b := make([]byte, 1400)
			_, _ = rand.Read(b)
			return b
		}),
		flood("huge-datagrams", "datagrams of 60 KB; ignored", 100, func(*Target, int) []byte {
			return probe(soap.NewMessageID(), "", strings.Repeat("urn:a ", 10_000))
		}),
		flood("bomb-datagrams", "entities and depth in datagrams; ignored", 200, func(*Target, int) []byte {
			return []byte(`<!DOCTYPE a [<!ENTITY a "aaaa">]>` + strings.Repeat("<a>", 1000) + "&a;")
		}),
		flood("huge-scope", "a probe for a scope of 15 KB; ignored", 100, func(*Target, int) []byte {
			return probe(soap.NewMessageID(), "", "urn:"+strings.Repeat("a", 15<<10))
		}),
		flood("many-scopes", "a probe for 3 000 scopes, each to be compared with all of the device's; ignored", 300, func(*Target, int) []byte {
			return probe(soap.NewMessageID(), "", strings.Repeat("a:b ", 3000))
		}),
		flood("forged-bye", "a Bye in the device's name; who follows the device by its connection does not believe it", 3, func(t *Target, _ int) []byte {
			return announcement("Bye", "<wsd:Bye><wsa:EndpointReference><wsa:Address>"+t.EPR+"</wsa:Address></wsa:EndpointReference></wsd:Bye>")
		}),
		flood("forged-hello", "a Hello in the device's name with another address; who follows the device by its connection does not go there", 3, func(t *Target, _ int) []byte {
			return announcement("Hello", "<wsd:Hello><wsa:EndpointReference><wsa:Address>"+t.EPR+"</wsa:Address></wsa:EndpointReference>"+
				"<wsd:XAddrs>https://127.0.0.1:9/intruder</wsd:XAddrs><wsd:MetadataVersion>4000000000</wsd:MetadataVersion></wsd:Hello>")
		}),
		{"replayed-probe", area, "the same probe 200 times; answered once, with its one repetition", true, func(ctx context.Context, t *Target) error {
			id := soap.NewMessageID()
			n, _, err := t.probeAll(ctx, 200, func() string { return id })
			if err == nil && n > 2 {
				err = fmt.Errorf("%d answers", n)
			}
			return errors.Join(err, t.alive(ctx))
		}},
		{"resolve-flood", area, "3 000 times where the device is, at once, as if from a victim; fewer bytes come back than went out", true, func(ctx context.Context, t *Target) error {
			n, amplification, err := t.askAll(ctx, 3000, func() []byte {
				return fmt.Appendf(nil, wsdHead, "Resolve", soap.NewMessageID(), "", "<wsd:Resolve><wsa:EndpointReference><wsa:Address>"+t.EPR+"</wsa:Address></wsa:EndpointReference></wsd:Resolve>")
			})
			if err == nil && amplification > 1 {
				err = fmt.Errorf("%d answers, %.1f times the bytes of the questions", n, amplification)
			}
			return errors.Join(err, t.alive(ctx))
		}},
		{"probe-flood", area, "3 000 probes at once, as if from a victim; fewer bytes come back than went out", true, func(ctx context.Context, t *Target) error {
			n, amplification, err := t.probeAll(ctx, 3000, soap.NewMessageID)
			if err == nil && amplification > 1 {
				err = fmt.Errorf("%d answers, %.1f times the bytes of the probes", n, amplification)
			}
			return errors.Join(err, t.alive(ctx))
		}},
	}
}

// datagramSocket opens a socket on loopback; nil if the target has no discovery.
func (t *Target) datagramSocket(ctx context.Context) (*net.UDPConn, error) {
	if !t.Discovery.IsValid() {
		return nil, nil
	}
	c, err := new(net.ListenConfig).ListenPacket(ctx, "udp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return c.(*net.UDPConn), nil //nolint:errcheck,forcetypeassert // "udp4" gives one
}

// probeAll is askAll with probes.
func (t *Target) probeAll(ctx context.Context, n int, id func() string) (answers int, amplification float64, err error) {
	return t.askAll(ctx, n, func() []byte { return probe(id(), "dpws:Device", "") })
}

// askAll sends questions, counts the answers that come within APP_MAX_DELAY and their repetitions, and compares the bytes of both.
func (t *Target) askAll(ctx context.Context, n int, question func() []byte) (answers int, amplification float64, err error) {
	c, err := t.datagramSocket(ctx)
	if err != nil || c == nil {
		return 0, 0, err
	}
	defer c.Close()
	sent, received := 0, 0
	for range n {
		size, err := c.WriteToUDPAddrPort(question(), t.Discovery)
		if err != nil {
			return 0, 0, err
		}
		sent += size
	}
	if err := c.SetReadDeadline(time.Now().Add(3500 * time.Millisecond)); err != nil {
		return 0, 0, err
	}
	buf := make([]byte, 64<<10)
	for {
		size, _, err := c.ReadFromUDPAddrPort(buf)
		if err != nil { // the deadline
			return answers, float64(received) / float64(sent), nil
		}
		answers, received = answers+1, received+size
	}
}

const wsdHead = `<s12:Envelope xmlns:s12="http://www.w3.org/2003/05/soap-envelope" xmlns:wsa="http://www.w3.org/2005/08/addressing" ` +
	`xmlns:wsd="http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01" xmlns:dpws="http://docs.oasis-open.org/ws-dd/ns/dpws/2009/01"><s12:Header>` +
	`<wsa:To>urn:docs-oasis-open-org:ws-dd:ns:discovery:2009:01</wsa:To><wsa:Action>http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01/%s</wsa:Action>` +
	`<wsa:MessageID>%s</wsa:MessageID>%s</s12:Header><s12:Body>%s</s12:Body></s12:Envelope>`

func probe(id, types, scopes string) []byte {
	return fmt.Appendf(nil, wsdHead, "Probe", id, "", "<wsd:Probe><wsd:Types>"+types+"</wsd:Types><wsd:Scopes>"+scopes+"</wsd:Scopes></wsd:Probe>")
}

func announcement(kind, body string) []byte {
	return fmt.Appendf(nil, wsdHead, kind, soap.NewMessageID(), `<wsd:AppSequence InstanceId="4000000000" MessageNumber="1"/>`, body)
}

// multicastGroup is where devices listen.
func multicastGroup(port uint16) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{239, 255, 255, 250}), port)
}
