package attack

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/internal/testkit/bubble"
	"github.com/semeco/go-sdc/internal/testkit/memnet"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/provider"
)

// script says which messages of a session are changed, and how. It is what the fuzzer makes up: edits of 5 bytes each.
type script struct {
	mu    sync.Mutex
	edits []edit
	n     int      // messages so far
	past  [][]byte // the first of them
}

// edit changes one message.
type edit struct {
	message byte // its number in the session
	op      byte // what is done
	at      int  // where
	arg     byte // with what
}

// Bounds of a script.
const (
	editSize = 5
	maxEdits = 16
	maxPast  = 64
)

func newScript(data []byte) *script {
	s := new(script)
	for len(data) >= editSize && len(s.edits) < maxEdits {
		s.edits = append(s.edits, edit{data[0], data[1], int(binary.BigEndian.Uint16(data[2:])), data[4]})
		data = data[editSize:]
	}
	return s
}

// tokens are what messages are made of, and what has broken parsers before.
func tokens() []string {
	return []string{
		"<", ">", "/>", "</a>", "<a>", "&", "&lt;", "&#0;", "&#x10FFFF;", "&a;", "<!-- -->", "<![CDATA[", "]]>", "<?xml version='1.0'?>", "<!DOCTYPE a>", "\x00", "\xff", "\xef\xbb\xbf",
		` a="b"`, ` xmlns=""`, ` xmlns:x="urn:x"`, ` xsi:nil="true"`, ` xsi:type="pm:NumericMetricState"`, ` xsi:type="x:y"`, `"`, "'", "=", " ",
		"<s12:Fault/>", "<wsa:Action>x</wsa:Action>", "<wsa:RelatesTo/>", `<x s12:mustUnderstand="true"/>`, "<wsa:ReplyTo><wsa:Address>http://192.0.2.9/</wsa:Address></wsa:ReplyTo>",
	}
}

// values are put in the place of the values of attributes and elements.
func values() []string {
	return []string{
		"", "0", "1", "-1", "18446744073709551615", "18446744073709551616", "4294967296", "1e308", "NaN", "INF", "0.0000000000000000000000000001", "true", "nobody", "mds", "num", "pat", "loc", "sco",
		"PT0S", "P1Y", "-PT1S", "PT99999999999999999999S", "2001-01-01T00:00:00Z", "http://192.0.2.9/", "file:///etc/passwd", "urn:uuid:00000000-0000-4000-8000-000000000000", "//", "..", "%00",
		"\t\n", "x y z", "pm:MdsState", "Del", "Crt", "Upt", "Fin", "Fail", "Wait", "Assoc", "No", "Pre", "Dis",
	}
}

// change changes the next message of the session as the script says. It returns memory of its own.
func (s *script) change(doc []byte) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	doc = slices.Clone(doc)
	if len(s.past) < maxPast {
		s.past = append(s.past, slices.Clone(doc))
	}
	for _, e := range s.edits {
		if int(e.message) == s.n {
			doc = e.apply(doc, s.past)
		}
	}
	s.n++
	return doc
}

func (e edit) apply(doc []byte, past [][]byte) []byte {
	if len(doc) == 0 {
		return doc
	}
	at := e.at % len(doc)
	span := min(len(doc)-at, 1+int(e.arg))
	switch e.op % 10 {
	case 0:
		doc[at] ^= e.arg
	case 1:
		return doc[:at]
	case 2:
		return slices.Delete(doc, at, at+span)
	case 3:
		return slices.Insert(doc, at, bytes.Repeat(doc[at:at+span], 4)...)
	case 4:
		return slices.Insert(doc, at, []byte(tokens()[int(e.arg)%len(tokens())])...)
	case 5: // the value of the next attribute
		return e.between(doc, at, `="`, `"`)
	case 6: // the content of the next element that has only text
		return e.between(doc, at, `>`, `</`)
	case 7: // something that was said before
		return slices.Clone(past[int(e.arg)%len(past)])
	case 8:
		return append(doc, doc...)
	case 9: // one byte range in the place of another
		other := (at + 7*int(e.arg)) % len(doc)
		n := min(span, len(doc)-other)
		copy(doc[at:at+n], slices.Clone(doc[other:other+n]))
	}
	return doc
}

// between replaces what stands between two marks behind a place.
func (e edit) between(doc []byte, at int, open, end string) []byte {
	i := bytes.Index(doc[at:], []byte(open))
	if i < 0 {
		return doc
	}
	from := at + i + len(open)
	n := bytes.Index(doc[from:], []byte(end))
	if n < 0 || bytes.IndexByte(doc[from:from+n], '<') >= 0 {
		return doc
	}
	return slices.Replace(doc, from, from+n, []byte(values()[int(e.arg)%len(values())])...)
}

// scripts are the seeds: every kind of change, and changes of every message of a session.
func scripts(f *testing.F) {
	f.Add([]byte{})
	for message := range byte(24) {
		for op := range byte(10) {
			e := []byte{message, op, 0, 0, message*10 + op}
			binary.BigEndian.PutUint16(e[2:], uint16(message)*97+uint16(op)*211)
			switch (int(message) + int(op)) % 5 {
			case 0:
				f.Add(e)
			case 1:
				f.Add(append(e, message+1, op+3, 3, 7, 41-op))
			}
		}
	}
}

// changing is a transport whose datagrams are changed.
type changing struct {
	discovery.Transport
	change func([]byte) []byte
}

func (c changing) Multicast(data []byte) error { return c.Transport.Multicast(c.change(data)) }
func (c changing) Unicast(to netip.AddrPort, data []byte) error {
	return c.Transport.Unicast(to, c.change(data))
}

// session is a device and a consumer, and a script between them.
type session struct {
	*scene
	play   *script
	seeker *discovery.Client
}

// inSession runs a session in virtual time; nothing may be left of it. The script changes what the device says, or what the consumer says.
func inSession(t *testing.T, data []byte, deviceLies bool, test func(s *session)) {
	bubble.Test(t, func(t *testing.T) {
		network := memnet.New(memnet.Config{StreamBuffer: 256 << 10})
		defer network.Close()
		s := &session{scene: &scene{t: t, net: network}, play: newScript(data)}
		plain := func(doc []byte) []byte { return doc }
		device, client := s.play.change, plain
		if !deviceLies {
			device, client = plain, s.play.change
		}
		says := func(change func([]byte) []byte) func(string, []byte) []byte {
			return func(_ string, doc []byte) []byte { return change(doc) }
		}
		announcing := s.transport(liarIP)
		defer func() { _ = announcing.Close() }()
		s.liar = startLiar(t, network, func(c *provider.Config) {
			c.Transport = changing{announcing, func(b []byte) []byte {
				if s.liar != nil && s.liar.inner != "" {
					b = bytes.ReplaceAll(b, []byte(s.liar.inner), []byte(s.liar.outer))
				}
				return device(b)
			}}
		})
		defer s.liar.stop()
		seeking := s.transport(consumerIP)
		defer func() { _ = seeking.Close() }()
		var err error
		s.seeker, err = discovery.NewClient(discovery.ClientConfig{Transport: changing{seeking, client}})
		require.NoError(t, err)
		defer func() { require.NoError(t, s.seeker.Close()) }()
		here := network.Host(consumerIP)
		s.consumer, err = consumer.New(t.Context(), consumer.Config{
			Insecure: true, Dial: here.Dial, Listen: here.ListenAny,
			Locators: []consumer.Locator{s.seeker},
		})
		require.NoError(t, err)
		defer func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			_ = s.consumer.Close(ctx) // what was said in the end decides whether it can part in peace
		}()
		s.liar.lie(func(l *liar) {
			if deviceLies {
				l.answer, l.report = says(s.play.change), says(s.play.change)
			} else {
				l.question, l.reply = says(s.play.change), says(s.play.change)
			}
		})
		test(s)
	})
}

// live plays a session: it finds the device, connects, follows it for a while, operates it and parts.
func (s *session) live() {
	ctx, cancel := context.WithTimeout(s.t.Context(), 10*time.Minute)
	defer cancel()
	target := s.liar.endpoint()
	found, err := s.seeker.Probe(ctx, discovery.Filter{Types: discovery.DeviceTypes()}, time.Second)
	require.NoError(s.t, err)
	for _, e := range found {
		if e.EPR == liarEPR && len(e.XAddrs) > 0 {
			target = e
		}
	}
	_, _ = s.seeker.Resolve(ctx, liarEPR)
	d, err := s.consumer.Connect(ctx, target)
	require.NoError(s.t, ctx.Err(), "connecting takes bounded time")
	if err != nil {
		require.NotEmpty(s.t, s.play.edits, "nothing was changed: %v", err)
		return
	}
	for n := range int64(3) {
		commit(s.t, s.liar.dev, n)
	}
	describe(s.t, s.liar.dev)
	_, _ = d.SetValue(ctx, settable, decimal(7))
	_, _ = d.GetContextStates(ctx)
	commit(s.t, s.liar.dev, 9)
	time.Sleep(45 * time.Second) // it is asked for a sign of life, and subscriptions are renewed
	require.NoError(s.t, sound(d.MDIB()))
	leaving, cancelLeaving := context.WithTimeout(ctx, time.Minute)
	defer cancelLeaving()
	_ = d.Close(leaving)
	require.NoError(s.t, leaving.Err(), "parting takes bounded time")
}

// describe changes a descriptor.
func describe(t testing.TB, dev *provider.Provider) {
	t.Helper()
	require.NoError(t, dev.Update(func(tx *mdib.Tx) error {
		d, err := mdib.EditDescriptorAs[*pm.NumericMetricDescriptor](tx, counter)
		if err == nil {
			d.Resolution = decimal(2)
		}
		return err
	}))
}

// sound tells what is wrong with the structure of an MDIB.
func sound(s *mdib.Snapshot) error {
	for e := range s.Entities() {
		for _, c := range e.Contexts {
			if c.BaseState().DescriptorHandle != e.Handle {
				return fmt.Errorf("a state of %q hangs on %q", c.BaseState().DescriptorHandle, e.Handle)
			}
		}
	}
	return nil
}

// FuzzSessionOfConsumer changes what a device says in a whole session: announcements, metadata, subscriptions, the MDIB, reports, answers to operations. The consumer
// neither panics nor hangs, leaves nothing behind, and its mirror stays sound.
func FuzzSessionOfConsumer(f *testing.F) {
	scripts(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		inSession(t, data, true, func(s *session) { s.live() })
	})
}

// FuzzSessionOfProvider changes what a consumer says in a whole session: probes, requests, subscriptions, operations, answers to notifications. The device neither
// panics nor hangs, serves a good consumer afterwards as before, and leaves the network in order.
func FuzzSessionOfProvider(f *testing.F) {
	scripts(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		inSession(t, data, false, func(s *session) {
			s.live()
			s.liar.honest()
			d, err := s.connect()
			require.NoError(s.t, err)
			commit(s.t, s.liar.dev, 99)
			s.settled(d)
			require.NoError(s.t, d.Close(s.t.Context()))
		})
	})
}
