package proxy

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/internal/testkit/bubble"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/pki"
	"github.com/semeco/go-sdc/soap"
)

func at(n int) discovery.Announcement {
	return discovery.Announcement{Endpoint: discovery.Endpoint{
		EPR: epr(n), Types: discovery.DeviceTypes(), Scopes: []string{sdc.PKPScope(sdc.OIDProvider)},
		XAddrs: []string{"https://192.0.2.2:6464/"}, MetadataVersion: 1,
	}}
}

// Over mutual TLS certificates decide who may do what.
//
// covers: SDPi R7007
func TestRolesAndOwners(t *testing.T) {
	ca, err := pki.NewCA("", time.Hour)
	require.NoError(t, err)
	identity := func(name string, role sdc.Role) *sdc.Identity {
		pair, err := ca.Issue(pki.Request{Name: name, Role: role})
		require.NoError(t, err)
		id, err := pair.Identity()
		require.NoError(t, err)
		return id
	}
	_, err = New(Config{Identity: identity("half", sdc.RoleConsumer)})
	require.ErrorContains(t, err, "both roles")
	_, err = New(Config{MaxEntries: -1, CheckEvery: -1})
	require.ErrorContains(t, err, "an Identity is missing")
	require.ErrorContains(t, err, "MaxEntries")
	require.ErrorContains(t, err, "CheckEvery")

	p, err := New(Config{Identity: identity("proxy", sdc.RoleBoth), Quiet: true, MaxPerPeer: 2})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- p.Run(ctx) }()
	defer func() {
		cancel()
		require.NoError(t, <-ran)
	}()
	<-p.Ready()
	client := func(id *sdc.Identity) *soap.Client {
		c, err := soap.NewClient(soap.ClientConfig{TLS: id.ProxyTLS()})
		require.NoError(t, err)
		t.Cleanup(c.Close)
		return c
	}
	say := func(c *soap.Client, action string, body soap.Body) error {
		h := &soap.Header{To: discovery.To, Action: action, MessageID: soap.NewMessageID()}
		return c.Send(t.Context(), p.URL(), soap.AppendEnvelope(nil, h, body))
	}
	device, other := client(identity("device", sdc.RoleProvider)), client(identity("other", sdc.RoleProvider))
	desk := client(identity("desk", sdc.RoleConsumer))
	var f *soap.Fault

	require.NoError(t, say(device, discovery.ActionHello, discovery.HelloBody(at(1).Endpoint)))
	require.ErrorAs(t, say(desk, discovery.ActionHello, discovery.HelloBody(at(2).Endpoint)), &f)
	require.Contains(t, f.Reason, "provider")
	_, err = discovery.DirectedProbe(t.Context(), device, p.URL(), discovery.Filter{})
	require.ErrorAs(t, err, &f)
	require.Contains(t, f.Reason, "consumer")
	found, err := discovery.DirectedProbe(t.Context(), desk, p.URL(), discovery.Filter{})
	require.NoError(t, err)
	require.Len(t, found, 1)

	// Nobody else can take the endpoint over or away.
	forged := at(1).Endpoint
	forged.XAddrs = []string{"https://192.0.2.66/"}
	require.ErrorAs(t, say(other, discovery.ActionHello, discovery.HelloBody(forged)), &f)
	require.ErrorAs(t, say(other, discovery.ActionBye, discovery.ByeBody(epr(1))), &f)
	require.True(t, p.Endpoints(discovery.Filter{})[0].Equal(at(1).Endpoint))

	// Bounds, and addresses that the proxy cannot ask.
	require.NoError(t, say(device, discovery.ActionHello, discovery.HelloBody(at(2).Endpoint)))
	require.ErrorAs(t, say(device, discovery.ActionHello, discovery.HelloBody(at(3).Endpoint)), &f)
	require.Equal(t, http.StatusServiceUnavailable, f.Status)
	plain := at(4).Endpoint
	plain.XAddrs = []string{"http://192.0.2.2/"}
	require.ErrorAs(t, say(other, discovery.ActionHello, discovery.HelloBody(plain)), &f)
	huge := at(4).Endpoint
	huge.Scopes = []string{"a:" + strings.Repeat("b", maxEndpoint)}
	require.ErrorAs(t, say(other, discovery.ActionHello, discovery.HelloBody(huge)), &f)
	require.Equal(t, 2, p.Stats().Entries)
	require.NoError(t, say(device, discovery.ActionBye, discovery.ByeBody(epr(1))))
	require.Equal(t, 1, p.Stats().Entries)

	// A peer with one role only cannot pose as a proxy.
	require.Error(t, identity("x", sdc.RoleConsumer).ProxyTLS().VerifyConnection(stateOf(t, identity("y", sdc.RoleProvider))))

	doc, kind, err := desk.Get(t.Context(), p.URL()+"?wsdl")
	require.NoError(t, err)
	require.Contains(t, kind, "xml")
	require.Contains(t, string(doc), discovery.NamespaceProxy)
	require.Contains(t, string(doc), `name="DiscoveryProxy"`)
	require.NoError(t, description().Validate())
}

// The list survives a restart; a file that was not written whole is noticed.
func TestState(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state")
	bubble.Test(t, func(t *testing.T) {
		w := newWard(t)
		p, stop := w.proxy(Config{Quiet: true, StateFile: file})
		w.device(deviceIP, epr(1), discovery.ManagedConfig{URL: proxyURL})
		pass(time.Second)
		require.Equal(t, uint64(1), p.Stats().Saves, "at once, in case of a crash")
		stop()

		w.net.Partition(proxyIP, deviceIP) // it cannot register anew
		p, stop = w.proxy(Config{Quiet: true, StateFile: file})
		require.Equal(t, 1, p.Stats().Entries)
		require.Equal(t, epr(1), p.Endpoints(discovery.Filter{})[0].EPR)
		pass(2 * time.Minute)
		require.Zero(t, p.Stats().Entries, "it does not answer")
		stop()
	})
	reg := newRegistry(&Config{MaxEntries: 10, MaxPerPeer: 10, CheckEvery: time.Minute})
	for n := range 3 {
		a := at(n)
		a.Sequence = &discovery.Sequence{Instance: 7, Number: uint32(n)}
		_, err := reg.hello(a, "somebody", time.Now())
		require.NoError(t, err)
	}
	data, err := encodeState(reg.copies())
	require.NoError(t, err)
	entries, err := decodeState(data)
	require.NoError(t, err)
	require.Len(t, entries, 3)
	for _, e := range entries {
		was := reg.entries[e.endpoint.EPR]
		require.True(t, e.endpoint.Equal(was.endpoint))
		require.Equal(t, was.sequence, e.sequence)
		require.Equal(t, was.owner, e.owner)
	}
	for n := range data {
		_, err := decodeState(data[:n])
		require.ErrorIs(t, err, ErrTorn, "%d bytes of %d", n, len(data))
	}
	data[len(data)/2] ^= 1
	_, err = decodeState(data)
	require.ErrorIs(t, err, ErrTorn)

	// A proxy sets it aside and begins anew.
	require.NoError(t, os.WriteFile(file, data, 0o600))
	var log strings.Builder
	p, err := New(Config{Insecure: true, StateFile: file, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	require.NoError(t, err)
	require.Zero(t, p.Stats().Entries)
	require.Contains(t, log.String(), "torn")
	require.FileExists(t, file+".torn")
	_, err = New(Config{Insecure: true, StateFile: filepath.Join(t.TempDir(), "none")})
	require.NoError(t, err, "no file is no devices")
	_, err = New(Config{Insecure: true, StateFile: filepath.Join(t.TempDir(), "no", "such")})
	require.ErrorIs(t, err, fs.ErrNotExist, "no folder: nothing would be kept")
	require.Error(t, writeState(filepath.Join(t.TempDir(), "no", "such"), data))
	_, err = New(Config{Insecure: true, StateFile: t.TempDir()})
	require.Error(t, err, "a folder")
}

// Ten thousand devices are listed, found and kept over a restart; one more is refused.
func TestTenThousand(t *testing.T) {
	const n = 10_000
	file := filepath.Join(t.TempDir(), "state")
	bubble.Test(t, func(t *testing.T) {
		w := newWard(t)
		p, stop := w.proxy(Config{Quiet: true, StateFile: file, MaxPerPeer: 2 * n})
		for i := range n {
			a := at(i)
			a.Endpoint.XAddrs = []string{"http://" + deviceIP + ":9/"}
			p.mu.Lock()
			what, err := p.reg.hello(a, "gateway", time.Now())
			p.mu.Unlock()
			require.NoError(t, err)
			require.Equal(t, changed, what)
		}
		var f *soap.Fault
		require.ErrorAs(t, trySay(w, deviceIP, discovery.ActionHello, discovery.HelloBody(discovery.Endpoint{EPR: epr(n + 1)})), &f)
		require.Equal(t, http.StatusServiceUnavailable, f.Status)

		found, err := discovery.DirectedProbe(t.Context(), w.http(consumerIP), proxyURL, discovery.Filter{Types: discovery.DeviceTypes()})
		require.NoError(t, err)
		require.Len(t, found, n)
		stop()

		p, _ = w.proxy(Config{Quiet: true, StateFile: file, MaxPerPeer: 2 * n})
		require.Equal(t, n, p.Stats().Entries)
	})
}

// When very many devices go at once, all are asked within the interval, twice, no more than Checkers at a time.
func TestManyDie(t *testing.T) {
	const n = 1000
	bubble.Test(t, func(t *testing.T) {
		w := newWard(t)
		p, _ := w.proxy(Config{Quiet: true})
		p.mu.Lock()
		for i := range n {
			a := at(i)
			a.Endpoint.XAddrs = []string{"http://" + deviceIP + ":9/"}
			_, err := p.reg.hello(a, "gateway", time.Now())
			require.NoError(t, err)
		}
		p.mu.Unlock()
		wake(p.earlier)
		pass(2 * time.Minute)
		s := p.Stats()
		require.Equal(t, uint64(2*n), s.Checks)
		require.Equal(t, uint64(n), s.Died)
		require.Zero(t, s.Entries)
	})
}

func FuzzState(f *testing.F) {
	reg := newRegistry(&Config{MaxEntries: 10, MaxPerPeer: 10, CheckEvery: time.Minute})
	_, _ = reg.hello(at(1), "somebody", time.Now())
	data, err := encodeState(reg.copies())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(stateMagic + "x 0\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := decodeState(data); err != nil {
			return
		}
	})
}

// The registry by itself: order of messages, new lives, the queue of checks.
func TestRegistry(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	reg := newRegistry(&Config{MaxEntries: 10, MaxPerPeer: 10, CheckEvery: time.Minute, SilentAfter: time.Hour})
	hello := func(instance, number, version uint32) news {
		a := at(1)
		a.Endpoint.MetadataVersion = version
		a.Sequence = &discovery.Sequence{Instance: instance, Number: number}
		what, err := reg.hello(a, "a", now)
		require.NoError(t, err)
		return what
	}
	require.Equal(t, changed, hello(5, 10, 1))
	require.Equal(t, nothing, hello(5, 10, 2), "a repetition")
	require.Equal(t, nothing, hello(5, 9, 2), "overtaken")
	require.Equal(t, nothing, hello(5, 11, 1), "a sign of life")
	require.Equal(t, changed, hello(5, 12, 2))
	require.Equal(t, restarted, hello(6, 1, 2))
	bye := discovery.Announcement{Endpoint: discovery.Endpoint{EPR: epr(1)}, Sequence: &discovery.Sequence{Instance: 6, Number: 1}}
	left, err := reg.bye(bye, "a")
	require.NoError(t, err)
	require.False(t, left, "overtaken by the Hello")

	e, due := reg.next(now)
	require.Nil(t, e)
	require.WithinRange(t, due, now.Add(45*time.Second), now.Add(75*time.Second))
	_, err = reg.hello(at(1), "b", now)
	require.ErrorIs(t, err, errOwner)
	e, due = reg.next(now)
	require.Nil(t, e, "it has just said that it is")
	require.Equal(t, now.Add(hurry), due)
	now = now.Add(hurry)
	e, _ = reg.next(now)
	require.NotNil(t, e, "the device is asked whether it is still there")
	_, err = reg.hello(at(1), "b", now)
	require.ErrorIs(t, err, errOwner)
	e2, _ := reg.next(now.Add(time.Hour))
	require.Nil(t, e2, "once at a time")
	reg.checked(e, now)
	reg.alive(e, now)
	bye.Sequence.Number = 2
	left, err = reg.bye(bye, "a")
	require.NoError(t, err)
	require.True(t, left)
	require.True(t, e.gone)
	require.Empty(t, reg.queue)
	left, err = reg.bye(bye, "a")
	require.NoError(t, err)
	require.False(t, left)
}

// What a trusted peer that is hostile can do to the devices of others, and to those who listen, is bounded.
func TestHostilePeers(t *testing.T) {
	start := time.Unix(1_000_000, 0)
	registry := func() *registry {
		return newRegistry(&Config{MaxEntries: 1000, MaxPerPeer: 100, CheckEvery: time.Minute, SilentAfter: time.Hour})
	}
	t.Run("a device without an address is not taken away", func(t *testing.T) {
		reg := registry()
		a := at(1)
		a.Endpoint.XAddrs = nil
		_, err := reg.hello(a, "owner", start)
		require.NoError(t, err)
		_, err = reg.hello(at(1), "thief", start)
		require.ErrorIs(t, err, errOwner)
		e, due := reg.next(start.Add(time.Minute))
		require.Nil(t, e, "it cannot be asked, so it would be taken for gone")
		require.Equal(t, start.Add(time.Hour), due)
	})
	t.Run("a device is not asked all the time", func(t *testing.T) {
		reg := registry()
		_, err := reg.hello(at(1), "owner", start)
		require.NoError(t, err)
		asked := 0
		for now := start; now.Before(start.Add(5 * time.Minute)); now = now.Add(10 * time.Millisecond) {
			_, err = reg.hello(at(1), "thief", now)
			require.ErrorIs(t, err, errOwner)
			if e, _ := reg.next(now); e != nil {
				asked++
				reg.checked(e, now)
				reg.alive(e, now)
			}
		}
		require.LessOrEqual(t, asked, 30)
	})
	t.Run("slow devices delay their owner's", func(t *testing.T) {
		reg := registry()
		for n := range 100 {
			_, err := reg.hello(at(n), "slow", start)
			require.NoError(t, err)
		}
		_, err := reg.hello(at(100), "other", start.Add(time.Minute))
		require.NoError(t, err)
		now := start.Add(time.Hour)
		first, _ := reg.next(now)
		require.Equal(t, "slow", first.owner, "it has been due for longest")
		second, _ := reg.next(now)
		require.Equal(t, "other", second.owner)
		reg.checked(second, now)
		for range 99 {
			e, _ := reg.next(now)
			require.Equal(t, "slow", e.owner, "the rest of the time is for whoever needs it")
		}
		none, _ := reg.next(now)
		require.Nil(t, none)
	})
	t.Run("news without an end", func(t *testing.T) {
		reg := registry()
		storm := func(now time.Time, n int) (told int) {
			for i := range n {
				a := at(1)
				a.Sequence = &discovery.Sequence{Instance: uint32(i + 1), Number: 1}
				switch what, err := reg.hello(a, "noisy", now); {
				case err == nil && what == restarted, err == nil && what == changed:
					told += 2
				default:
					require.ErrorIs(t, err, errNews)
				}
				if i%3 == 0 { // leaving does not help
					a.Sequence.Number = 2
					_, err := reg.bye(a, "noisy")
					require.NoError(t, err)
				}
			}
			return told
		}
		require.LessOrEqual(t, storm(start, 10_000), 200, "twice the devices it may have")
		_, err := reg.hello(at(2), "quiet", start)
		require.NoError(t, err)
		require.InDelta(t, 100, storm(start.Add(10*time.Second), 10_000), 2)
		require.InDelta(t, 200, storm(start.Add(time.Hour), 10_000), 2)
	})
	t.Run("what is remembered of those who have no devices", func(t *testing.T) {
		reg := registry()
		for n := range 10_000 {
			now := start.Add(time.Duration(n) * time.Second)
			a := at(1)
			owner := fmt.Sprint(n)
			_, err := reg.hello(a, owner, now)
			require.NoError(t, err)
			_, err = reg.bye(a, owner)
			require.NoError(t, err)
		}
		require.LessOrEqual(t, len(reg.peers), 2*1000+1)
	})
	t.Run("more metadata than one answer holds", func(t *testing.T) {
		reg := newRegistry(&Config{MaxEntries: 10_000, MaxPerPeer: 1000, CheckEvery: time.Minute})
		large := func(n int) discovery.Announcement {
			a := at(n)
			a.Endpoint.Scopes = []string{"a:" + strings.Repeat("x", 7000)}
			return a
		}
		listed := map[string]int{}
		for n := range 4000 {
			owner := fmt.Sprint(n % 8)
			if _, err := reg.hello(large(n), owner, start); err == nil {
				listed[owner]++
			} else {
				require.ErrorIs(t, err, errRoom)
			}
		}
		require.LessOrEqual(t, reg.bytes, maxMetadata)
		require.Greater(t, reg.bytes, maxMetadata*9/10)
		for n := range 1000 {
			_, _ = reg.hello(large(10_000+n), "late", start)
			_, _ = reg.hello(at(20_000+n), "late", start)
		}
		require.LessOrEqual(t, reg.bytes, maxMetadata)
		for _, e := range reg.copies() {
			_, err := reg.bye(discovery.Announcement{Endpoint: e.endpoint}, e.owner)
			require.NoError(t, err)
		}
		require.Zero(t, reg.bytes)
		for n := range 1000 {
			_, _ = reg.hello(large(n), "alone", start)
		}
		require.LessOrEqual(t, reg.bytes, maxMetadata/4)
		small := at(0)
		small.Endpoint.MetadataVersion = 2
		_, err := reg.hello(small, "alone", start)
		require.NoError(t, err, "one that says less than before")
	})
	t.Run("metadata that take more memory than bytes", func(t *testing.T) {
		reg := registry()
		for name, e := range map[string]discovery.Endpoint{
			"types":     {EPR: epr(1), Types: slices.Repeat([]discovery.Name{{Local: "a"}}, 300)},
			"scopes":    {EPR: epr(1), Scopes: slices.Repeat([]string{"a:"}, 300)},
			"addresses": {EPR: epr(1), XAddrs: slices.Repeat([]string{"http://a/"}, 17)},
			"bytes":     {EPR: epr(1), Scopes: []string{"a:" + strings.Repeat("x", 9000)}},
			"escaped":   {EPR: epr(1), Scopes: []string{"a:" + strings.Repeat("&", 2000)}},
		} {
			_, err := reg.hello(discovery.Announcement{Endpoint: e}, "a", start)
			var f *soap.Fault
			require.ErrorAs(t, err, &f, name)
			require.Empty(t, reg.entries, name)
			require.Empty(t, reg.peers, name)
		}
	})
}
