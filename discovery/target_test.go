package discovery

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/testkit/bubble"
	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/soap"
)

// ask sends a message to the group as a participant that is not one of ours.
func (p *tap) ask(m body) (id string) {
	h := &soap.Header{To: To, Action: m.kind.action(), MessageID: soap.NewMessageID()}
	require.NoError(p.t, p.transport.Multicast(soap.AppendEnvelope(nil, h, m)))
	return h.MessageID
}

func TestTargetLife(t *testing.T) {
	// covers: MDPWS R0008, WSD-1, WSD-5, SDPi R2002
	bubble.Test(t, func(t *testing.T) {
		l := newLAN(t)
		p := l.tap(t, "10.0.0.9")
		began := time.Now()
		_, stop := l.target(t, "10.0.0.1", TargetConfig{Endpoint: testEndpoint(testEPR), InstanceID: 77})
		time.Sleep(4 * time.Second)

		hellos := p.seen(kindHello)
		require.Len(t, hellos, 2, "one repeat")
		requireCopies(t, hellos)
		require.LessOrEqual(t, hellos[0].at.Sub(began), 2500*time.Millisecond)
		require.Equal(t, DeviceTypes(), hellos[0].msg.endpoints[0].Types)
		require.Equal(t, testEndpoint(testEPR), hellos[0].msg.endpoints[0])
		require.True(t, strings.Contains(string(hellos[0].data), "<wsa:To>"+To+"</wsa:To>"))

		// both questions, for the types and the numbers of the answers
		p.ask(body{kind: kindProbe})
		time.Sleep(4 * time.Second)
		p.ask(body{kind: kindResolve, endpoints: []Endpoint{{EPR: testEPR}}})
		time.Sleep(4 * time.Second)
		stop()
		synctest.Wait()
		last := uint32(0)
		for _, k := range []kind{kindHello, kindProbeMatches, kindResolveMatches, kindBye} {
			all := p.seen(k)
			require.Len(t, all, 2, k)
			requireCopies(t, all)
			m := all[0].msg
			require.EqualValues(t, 77, m.sequence.InstanceID)
			require.Greater(t, m.sequence.MessageNumber, last, k)
			last = m.sequence.MessageNumber
			require.Equal(t, testEPR, m.endpoints[0].EPR)
			if k != kindBye {
				require.Equal(t, DeviceTypes(), m.endpoints[0].Types, k)
			}
		}
		time.Sleep(10 * time.Minute)
		require.Len(t, p.seen(0), 8+2, "silence after the Bye (and the two questions)")
	})
}

func TestSayHello(t *testing.T) {
	// covers: MDPWS R0008
	bubble.Test(t, func(t *testing.T) {
		l := newLAN(t)
		p := l.tap(t, "10.0.0.9")
		idle, err := NewTarget(TargetConfig{Endpoint: testEndpoint(testEPR)})
		require.NoError(t, err)
		require.ErrorIs(t, idle.SayHello(), ErrNotRunning)

		target, stop := l.target(t, "10.0.0.1", TargetConfig{Endpoint: testEndpoint(testEPR)})
		time.Sleep(4 * time.Second)
		require.Len(t, first(p.seen(kindHello)), 1)
		before := target.Endpoint()
		require.NoError(t, target.SayHello())
		time.Sleep(time.Second)
		hellos := first(p.seen(kindHello))
		require.Len(t, hellos, 2)
		require.Equal(t, before, hellos[1].msg.endpoints[0], "nothing has changed by it")
		stop()
		require.ErrorIs(t, target.SayHello(), ErrNotRunning)
		time.Sleep(time.Second)
		require.Len(t, first(p.seen(kindHello)), 2, "none after the Bye")
	})
}

// requireCopies checks that datagrams are copies of one message at the right distance.
func requireCopies(t *testing.T, all []captured) {
	t.Helper()
	for i, c := range all[1:] {
		require.Equal(t, all[0].data, c.data)
		gap := c.at.Sub(all[i].at)
		require.GreaterOrEqual(t, gap, 50*time.Millisecond)
		require.LessOrEqual(t, gap, 450*time.Millisecond)
		if i == 0 {
			require.LessOrEqual(t, gap, 250*time.Millisecond)
		}
	}
}

func TestRepetition(t *testing.T) {
	// covers: SDPi R2002
	for range 100 {
		pauses := Timing{Repeat: 5}.withDefaults().copies()
		require.Len(t, pauses, 5)
		require.GreaterOrEqual(t, pauses[0], 50*time.Millisecond)
		require.LessOrEqual(t, pauses[0], 250*time.Millisecond)
		for i, d := range pauses[1:] {
			require.Equal(t, min(2*pauses[i], 450*time.Millisecond), d)
		}
	}
	require.Len(t, Timing{}.withDefaults().copies(), 1)
	require.Empty(t, Timing{Repeat: -1}.withDefaults().copies())
}

func TestPeriodicHello(t *testing.T) {
	// covers: SDPi R2001
	bubble.Test(t, func(t *testing.T) {
		l := newLAN(t)
		p := l.tap(t, "10.0.0.9")
		l.target(t, "10.0.0.1", TargetConfig{Endpoint: testEndpoint(testEPR)})
		time.Sleep(21 * 2 * time.Minute)
		hellos := first(p.seen(kindHello))
		require.GreaterOrEqual(t, len(hellos), 21)
		gaps := map[time.Duration]bool{}
		for i, h := range hellos[1:] {
			gap := h.at.Sub(hellos[i].at)
			require.GreaterOrEqual(t, gap, 60*time.Second)
			require.LessOrEqual(t, gap, 120*time.Second)
			require.Equal(t, hellos[0].msg.endpoints, h.msg.endpoints)
			require.Greater(t, h.msg.sequence.MessageNumber, hellos[i].msg.sequence.MessageNumber)
			gaps[gap] = true
		}
		require.Greater(t, len(gaps), 10, "each wait is drawn anew")
	})
}

func TestPeriodicHelloOff(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		l := newLAN(t)
		p := l.tap(t, "10.0.0.9")
		l.target(t, "10.0.0.1", TargetConfig{Endpoint: testEndpoint(testEPR), Timing: Timing{HelloEvery: -1}})
		time.Sleep(time.Hour)
		require.Len(t, first(p.seen(kindHello)), 1)
	})
}

func TestMetadataVersion(t *testing.T) {
	// covers: WSD-4
	bubble.Test(t, func(t *testing.T) {
		l := newLAN(t)
		p := l.tap(t, "10.0.0.9")
		target, _ := l.target(t, "10.0.0.1", TargetConfig{Endpoint: testEndpoint(testEPR), Timing: Timing{HelloDelay: -1}})
		synctest.Wait()
		time.Sleep(time.Second)

		version := target.Endpoint().MetadataVersion
		for name, set := range map[string]func() error{
			"types":  func() error { return target.SetTypes(append(DeviceTypes(), Name{Space: "urn:x", Local: "Y"})) },
			"scopes": func() error { return target.SetScopes([]string{"sdc.ctxt.loc:/sdc.ctxt.loc.detail/x?bed=2"}) },
			"xaddrs": func() error { return target.SetXAddrs([]string{"https://10.0.0.1:2/x"}) },
		} {
			p.forget()
			require.NoError(t, set())
			version++
			require.Equal(t, version, target.Endpoint().MetadataVersion, name)
			time.Sleep(time.Second)
			hellos := first(p.seen(kindHello))
			require.Len(t, hellos, 1, name)
			require.Equal(t, []Endpoint{target.Endpoint()}, hellos[0].msg.endpoints)

			p.forget()
			require.NoError(t, set(), "nothing changes")
			time.Sleep(time.Second)
			require.Equal(t, version, target.Endpoint().MetadataVersion)
			require.Empty(t, p.seen(0))
		}

		// one step, one rise; EPR and version are not the caller's to change
		p.forget()
		require.NoError(t, target.Update(func(e *Endpoint) {
			e.EPR, e.MetadataVersion = otherEPR, 1
			e.Scopes, e.XAddrs = []string{"a:b"}, nil
		}))
		time.Sleep(time.Second)
		require.Len(t, first(p.seen(kindHello)), 1)
		e := target.Endpoint()
		require.Equal(t, version+1, e.MetadataVersion)
		require.Equal(t, testEPR, e.EPR)

		// what is refused changes nothing
		p.forget()
		for _, bad := range []string{"", "no uri", "nouri", "a:" + strings.Repeat("x", MaxDatagram)} {
			require.Error(t, target.SetScopes([]string{bad}), bad)
			require.Error(t, target.SetXAddrs([]string{bad}), bad)
		}
		require.Error(t, target.SetTypes([]Name{{}}))
		require.ErrorIs(t, target.SetScopes([]string{"a:" + strings.Repeat("x", MaxDatagram)}), ErrTooLong)
		time.Sleep(time.Second)
		require.Equal(t, e, target.Endpoint())
		require.Empty(t, p.seen(0))
	})
}

func TestDatagramSize(t *testing.T) {
	// covers: WSD-3
	bubble.Test(t, func(t *testing.T) {
		l := newLAN(t)
		p := l.tap(t, "10.0.0.9")
		target, stop := l.target(t, "10.0.0.1", TargetConfig{Endpoint: testEndpoint(testEPR), Timing: Timing{HelloDelay: -1}})
		// the longest scope that is accepted
		lo, hi := 0, MaxDatagram
		for hi-lo > 1 {
			mid := (lo + hi) / 2
			if target.SetScopes([]string{"a:" + strings.Repeat("&", mid)}) == nil {
				lo = mid
			} else {
				hi = mid
			}
		}
		require.NoError(t, target.SetScopes([]string{"a:" + strings.Repeat("&", lo)}))
		p.ask(body{kind: kindProbe})
		p.ask(body{kind: kindResolve, endpoints: []Endpoint{{EPR: testEPR}}})
		time.Sleep(5 * time.Second)
		stop()
		largest := 0
		for _, c := range p.seen(0) {
			largest = max(largest, c.size)
		}
		require.LessOrEqual(t, largest, MaxDatagram)
		require.Greater(t, largest, MaxDatagram-100, "nearly full")
		require.NotEmpty(t, p.seen(kindProbeMatches))
		require.NotEmpty(t, p.seen(kindResolveMatches))
	})
}

func TestAnswers(t *testing.T) {
	// covers: WSD-2, COEX-5
	bubble.Test(t, func(t *testing.T) {
		l := newLAN(t)
		p := l.tap(t, "10.0.0.9")
		other := l.tap(t, "10.0.0.8")
		l.target(t, "10.0.0.1", TargetConfig{Endpoint: testEndpoint(testEPR), Timing: Timing{HelloDelay: -1}})
		time.Sleep(time.Second)
		silent := func(name string, m body) {
			p.forget()
			p.ask(m)
			time.Sleep(10 * time.Second)
			require.Empty(t, p.seen(kindProbeMatches), name)
			require.Empty(t, p.seen(kindResolveMatches), name)
		}
		silent("other type", body{kind: kindProbe, filter: Filter{Types: []Name{{Space: "urn:printer", Local: "Print"}}}})
		silent("other scope", body{kind: kindProbe, filter: Filter{Scopes: []string{"sdc.ctxt.pat:"}}})
		silent("unsupported rule to the group", body{kind: kindProbe, filter: Filter{Scopes: []string{"a:b"}, MatchBy: MatchLDAP}})
		silent("other device", body{kind: kindResolve, endpoints: []Endpoint{{EPR: otherEPR}}})
		silent("another's Hello", body{kind: kindHello, endpoints: []Endpoint{testEndpoint(otherEPR)}})

		// delays: random, up to 2.5 s
		other.forget()
		var longest time.Duration
		delays := map[time.Duration]bool{}
		for range 20 {
			p.forget()
			id := p.ask(body{kind: kindProbe, filter: Filter{Types: DeviceTypes()}})
			asked := time.Now()
			time.Sleep(5 * time.Second)
			got := first(p.seen(kindProbeMatches))
			require.Len(t, got, 1)
			require.Equal(t, id, got[0].msg.relatesTo)
			d := got[0].at.Sub(asked)
			require.LessOrEqual(t, d, 2500*time.Millisecond)
			longest, delays[d] = max(longest, d), true
		}
		require.Greater(t, longest, time.Second)
		require.Greater(t, len(delays), 15)
		require.Empty(t, other.seen(kindProbeMatches), "answers go to the one who asked")

		// a repeated question is answered once
		p.forget()
		h := &soap.Header{To: To, Action: ActionProbe, MessageID: soap.NewMessageID()}
		for range 5 {
			require.NoError(t, p.transport.Multicast(soap.AppendEnvelope(nil, h, body{kind: kindProbe})))
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(5 * time.Second)
		require.Len(t, first(p.seen(kindProbeMatches)), 1)

		// garbage and foreign traffic do no harm
		p.forget()
		for name, data := range refusedDatagrams(t) {
			require.NoError(t, p.transport.Multicast(data), name)
		}
		require.NoError(t, p.transport.Multicast(make([]byte, maxReceive+1)))
		time.Sleep(5 * time.Second)
		for _, c := range p.seen(0) {
			// The Hello that comes from time to time is no answer.
			if c.msg == nil || c.msg.kind != kindHello {
				require.NotEqual(t, "10.0.0.1", c.from.Addr().String(), "no answer to garbage")
			}
		}
		p.ask(body{kind: kindProbe})
		time.Sleep(5 * time.Second)
		require.NotEmpty(t, p.seen(kindProbeMatches), "still there")
	})
}

func TestUnicastFault(t *testing.T) {
	// covers: WSD-2
	bubble.Test(t, func(t *testing.T) {
		l := newLAN(t)
		p := l.tap(t, "10.0.0.9")
		l.target(t, "10.0.0.1", TargetConfig{Endpoint: testEndpoint(testEPR), Timing: Timing{HelloDelay: -1}})
		time.Sleep(time.Second)
		hello := p.seen(kindHello)[0] // its source is the unicast address
		p.forget()
		h := &soap.Header{To: To, Action: ActionProbe, MessageID: soap.NewMessageID()}
		m := body{kind: kindProbe, filter: Filter{Scopes: []string{"a:b"}, MatchBy: MatchUUID}}
		require.NoError(t, p.transport.Unicast(hello.from, soap.AppendEnvelope(nil, h, m)))
		time.Sleep(5 * time.Second)
		got := p.seen(0)
		require.Len(t, got, 2, "once repeated")
		env, err := soap.Parse(got[0].data, xmlscan.Limits{})
		require.NoError(t, err)
		require.Equal(t, h.MessageID, env.Header.RelatesTo)
		f, ok, err := env.Fault()
		require.NoError(t, err)
		require.True(t, ok)
		require.True(t, f.HasSubcode(xmlscan.NsDiscovery, "MatchingRuleNotSupported"))
	})
}

func TestResolveDelay(t *testing.T) {
	// covers: SDPi R0001
	bubble.Test(t, func(t *testing.T) {
		l := newLAN(t)
		p := l.tap(t, "10.0.0.9")
		l.target(t, "10.0.0.1", TargetConfig{Endpoint: testEndpoint(testEPR)})
		l.target(t, "10.0.0.2", TargetConfig{Endpoint: testEndpoint(otherEPR), Timing: Timing{ResolveDelay: 8 * time.Second}})
		delay := func(epr string) time.Duration {
			p.forget()
			p.ask(body{kind: kindResolve, endpoints: []Endpoint{{EPR: epr}}})
			asked := time.Now()
			time.Sleep(10 * time.Second)
			return p.seen(kindResolveMatches)[0].at.Sub(asked)
		}
		require.Zero(t, delay(testEPR), "by default at once")
		var longest time.Duration
		for range 20 {
			longest = max(longest, delay(otherEPR))
		}
		require.Greater(t, longest, 3*time.Second)

		// the client tolerates it
		c := l.client(t, "10.0.0.3", ClientConfig{})
		e, err := c.Resolve(t.Context(), otherEPR)
		require.NoError(t, err)
		require.Equal(t, testEndpoint(otherEPR), e)
	})
}

func TestRestart(t *testing.T) {
	// covers: WSD-1
	bubble.Test(t, func(t *testing.T) {
		l := newLAN(t)
		p := l.tap(t, "10.0.0.9")
		e := testEndpoint(testEPR)
		e.MetadataVersion = 0
		last := appSequence{}
		version := uint32(0)
		for i := range 4 {
			p.forget()
			target, stop := l.target(t, "10.0.0.1", TargetConfig{Endpoint: e, Timing: Timing{HelloDelay: -1}})
			time.Sleep(10 * time.Millisecond << (3 * i)) // two lives within a second, then longer ones
			stop()
			for _, c := range p.seen(0) {
				s := c.msg.sequence
				require.True(t, s.InstanceID > last.InstanceID ||
					s.InstanceID == last.InstanceID && s.MessageNumber >= last.MessageNumber, "%v after %v", s, last)
				last = s
			}
			require.GreaterOrEqual(t, target.Endpoint().MetadataVersion, version)
			version = target.Endpoint().MetadataVersion
			require.Equal(t, testEPR, target.Endpoint().EPR)
		}
	})
}

func TestDirectedProbe(t *testing.T) {
	// covers: MDPWS R0015, WSD-2, MDPWS R0008
	bubble.Test(t, func(t *testing.T) {
		l := newLAN(t)
		target, err := NewTarget(TargetConfig{Endpoint: testEndpoint(testEPR), Transport: l.transport(t, "10.0.0.1")})
		require.NoError(t, err)
		runTarget(t, target)

		server, err := soap.NewServer(soap.ServerConfig{Insecure: true})
		require.NoError(t, err)
		server.Handle("/dev", &soap.Endpoint{Actions: map[string]soap.Handler{ActionProbe: target.HandleProbe}})
		ln, err := l.net.Host("10.0.0.1").Listen(0)
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- server.Serve(ctx, ln) }()
		client, err := soap.NewClient(soap.ClientConfig{Insecure: true, Dial: l.net.Host("10.0.0.2").Dial})
		require.NoError(t, err)
		url := "http://" + ln.Addr().String() + "/dev"

		for name, f := range map[string]Filter{
			"all": {}, "types": {Types: DeviceTypes()}, "scope": {Scopes: []string{"sdc.mds.pkp:"}, MatchBy: MatchRFC3986},
		} {
			got, err := DirectedProbe(t.Context(), client, url, f)
			require.NoError(t, err, name)
			require.Equal(t, []Endpoint{testEndpoint(testEPR)}, got, name)
		}
		got, err := DirectedProbe(t.Context(), client, url, Filter{Types: []Name{{Space: "urn:x", Local: "Y"}}})
		require.NoError(t, err)
		require.Empty(t, got)

		_, err = DirectedProbe(t.Context(), client, url, Filter{Scopes: []string{"a:b"}, MatchBy: MatchUUID})
		var f *soap.Fault
		require.ErrorAs(t, err, &f)
		require.Equal(t, soap.CodeSender, f.Code)
		require.True(t, f.HasSubcode(xmlscan.NsDiscovery, "MatchingRuleNotSupported"))

		// the answer is numbered like those that go by datagram
		env, err := client.Call(t.Context(), soap.NewEndpoint(url), ActionProbe, body{kind: kindProbe})
		require.NoError(t, err)
		_, numbered := env.Header.Block(appSequenceName())
		require.True(t, numbered)

		// a wrong body is the sender's fault
		_, err = client.Call(t.Context(), soap.NewEndpoint(url), ActionProbe, body{kind: kindResolve, endpoints: []Endpoint{{}}})
		require.ErrorAs(t, err, &f)
		require.Equal(t, soap.CodeSender, f.Code)

		client.Close()
		cancel()
		require.NoError(t, <-served)
	})
}

// brokenTransport fails when told to.
type brokenTransport struct {
	fail chan error
}

func (b *brokenTransport) Serve(ctx context.Context, _ func(Datagram)) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-b.fail:
		return err
	}
}

func (b *brokenTransport) Multicast([]byte) error               { return net.ErrClosed }
func (b *brokenTransport) Unicast(netip.AddrPort, []byte) error { return net.ErrClosed }
func (b *brokenTransport) Close() error                         { return nil }

func TestBrokenTransport(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		broken := errors.New("interface has gone")
		b := &brokenTransport{fail: make(chan error, 1)}
		target, err := NewTarget(TargetConfig{Endpoint: testEndpoint(testEPR), Transport: b})
		require.NoError(t, err)
		ran := make(chan error, 1)
		go func() { ran <- target.Run(t.Context()) }()
		time.Sleep(5 * time.Minute) // sending fails all the time, which ends nothing
		select {
		case err := <-ran:
			t.Fatal("ended", err)
		default:
		}
		b.fail <- broken
		require.ErrorIs(t, <-ran, broken)
		require.ErrorIs(t, target.Run(t.Context()), ErrRan)

		b = &brokenTransport{fail: make(chan error, 1)}
		c, err := NewClient(ClientConfig{Transport: b})
		require.NoError(t, err)
		_, err = c.Probe(t.Context(), Filter{}, time.Second)
		require.ErrorIs(t, err, net.ErrClosed)
		b.fail <- broken
		for range c.Watch(t.Context(), Filter{}) {
			t.Fatal("an event from nowhere")
		}
		require.ErrorIs(t, c.Err(), broken)
		_, err = c.Resolve(t.Context(), testEPR)
		require.ErrorIs(t, err, broken)
		require.NoError(t, c.Close())
	})
}

func TestNewTargetRefuses(t *testing.T) {
	for name, e := range map[string]Endpoint{
		"no EPR":   {},
		"no URI":   {EPR: "x"},
		"bad XAdr": {EPR: testEPR, XAddrs: []string{"x y"}},
		"too long": {EPR: testEPR, Scopes: []string{"a:" + strings.Repeat("x", 4000)}},
	} {
		_, err := NewTarget(TargetConfig{Endpoint: e})
		require.Error(t, err, name)
	}
}

func TestFlood(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		l := newLAN(t)
		l.target(t, "10.0.0.1", TargetConfig{Endpoint: testEndpoint(testEPR), Timing: Timing{HelloDelay: -1}})
		p := l.tap(t, "10.0.0.9")
		others := []*tap{l.tap(t, "10.0.0.10"), l.tap(t, "10.0.0.11"), l.tap(t, "10.0.0.12")}
		time.Sleep(time.Second)
		answers := func() (n int) {
			for _, p := range append(others, p) {
				n += len(first(p.seen(kindProbeMatches)))
				p.forget()
			}
			return n
		}
		answers()
		for range 900 {
			p.ask(body{kind: kindProbe})
		}
		time.Sleep(10 * time.Second)
		require.Equal(t, maxAnswers, answers(), "one address gets no more at a time, be it a victim's")
		for range 900 {
			for _, p := range append(others, p) {
				p.ask(body{kind: kindProbe})
			}
		}
		time.Sleep(10 * time.Second)
		require.Equal(t, maxPending, answers(), "the rest is dropped")
		for range 10 {
			for range 20 {
				p.ask(body{kind: kindProbe})
			}
			time.Sleep(20 * answersEvery)
		}
		time.Sleep(10 * time.Second)
		require.Equal(t, 200, answers(), "as many a second as one address gets")
		p.ask(body{kind: kindProbe})
		time.Sleep(10 * time.Second)
		require.Len(t, first(p.seen(kindProbeMatches)), 1, "and then it answers again")
	})
}

// However many addresses ask, or seem to, what is remembered of them is bounded, and who asks for the first time is answered as long as there is anything for those that cannot be told apart.
func TestManyAsk(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		n := &node{owed: map[netip.Addr]*allowance{}, log: slog.New(slog.DiscardHandler)}
		address := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}) }
		answered := 0
		for i := range 100_000 {
			if n.mayAnswer(address(i)) {
				answered++
			}
		}
		require.Equal(t, maxAsking+maxAnswers, answered)
		require.LessOrEqual(t, len(n.owed), maxAsking+1)
		require.True(t, n.mayAnswer(address(5)), "who is known has an allowance of his own")
		time.Sleep(time.Minute)
		require.True(t, n.mayAnswer(address(1_000_000)))
		require.Len(t, n.owed, 1, "those that were quiet are forgotten")
	})
}

// Who was quiet is forgotten, but not looked for at each datagram of a flood: that would be a search of the whole table for each.
func TestQuietAreLookedForAtTimes(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		n := &node{owed: map[netip.Addr]*allowance{}, log: slog.New(slog.DiscardHandler)}
		address := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}) }
		for i := range maxAsking {
			require.True(t, n.mayAnswer(address(i)))
		}
		time.Sleep(answersEvery / 2)
		require.True(t, n.mayAnswer(address(maxAsking)), "from what strangers share")
		require.Len(t, n.owed, maxAsking+1)
		time.Sleep(answersEvery / 2)
		require.True(t, n.mayAnswer(address(maxAsking+1)), "from what strangers share")
		require.Len(t, n.owed, maxAsking+1, "it was looked a moment ago")
		time.Sleep(answersEvery / 2)
		last := address(maxAsking + 2)
		require.True(t, n.mayAnswer(last))
		require.Len(t, n.owed, 2, "those that were quiet are forgotten; what strangers share is not whole yet")
		require.Contains(t, n.owed, last)
	})
}
