package sdc_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/testkit/bubble"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/pki"
)

func reason(t *testing.T, err error) sdc.Reason {
	t.Helper()
	if err == nil {
		return ""
	}
	var refused *sdc.PeerError
	require.ErrorAs(t, err, &refused)
	return refused.Reason
}

// TestOnlySDCPurposes: certificates without serverAuth and clientAuth are good in both directions.
func TestOnlySDCPurposes(t *testing.T) {
	// covers: GLUE EKU provider, GLUE EKU consumer
	ca := authority(t)
	provider := identity(t, ca, pki.Request{Name: "device", Role: sdc.RoleProvider, OnlySDC: true})
	consumer := identity(t, ca, pki.Request{Name: "client", Role: sdc.RoleConsumer, OnlySDC: true})
	require.Empty(t, provider.Leaf().ExtKeyUsage)
	serverErr, clientErr, _ := handshake(t, provider.ServerTLS(sdc.RoleConsumer), consumer.ClientTLS(sdc.RoleProvider))
	require.NoError(t, serverErr)
	require.NoError(t, clientErr)
	serverErr, clientErr, _ = handshake(t, consumer.ServerTLS(sdc.RoleProvider), provider.ClientTLS(sdc.RoleConsumer))
	require.NoError(t, serverErr, "notifications")
	require.NoError(t, clientErr)
}

// TestCipherSuites: with TLS 1.2 only suites with authenticated encryption.
func TestCipherSuites(t *testing.T) {
	ca := authority(t)
	both := identity(t, ca, pki.Request{Name: "both", Role: sdc.RoleBoth})
	for suite, good := range map[uint16]bool{
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256:       true,
		tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384:       true,
		tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: true,
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA:          false,
		tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA:          false,
	} {
		client := both.ClientTLS(sdc.RoleProvider)
		client.MaxVersion, client.CipherSuites = tls.VersionTLS12, []uint16{suite}
		serverErr, clientErr, state := handshake(t, both.ServerTLS(sdc.RoleConsumer), client)
		if !good {
			require.Error(t, serverErr, tls.CipherSuiteName(suite))
			require.Error(t, clientErr)
			continue
		}
		require.NoError(t, serverErr)
		require.NoError(t, clientErr)
		require.Equal(t, suite, state.CipherSuite)
	}
}

func TestKeyPurposesByConfiguration(t *testing.T) {
	const house, other = "1.3.6.1.4.1.99999.1", "1.3.6.1.4.1.99999.2"
	ca := authority(t)
	device := identity(t, ca, pki.Request{Name: "device", Role: sdc.RoleProvider})
	device.Purposes = sdc.KeyPurposes{Consumer: []string{house}}
	require.NoError(t, device.Validate())
	peer := func(r pki.Request) []*x509.Certificate {
		r.Name = "peer"
		return []*x509.Certificate{identity(t, ca, r).Leaf()}
	}
	require.NoError(t, device.VerifyPeer(peer(pki.Request{Purposes: []string{house}}), sdc.RoleConsumer))
	require.NoError(t, device.VerifyPeer(peer(pki.Request{Role: sdc.RoleConsumer}), sdc.RoleConsumer))
	require.Equal(t, sdc.NoKeyPurpose, reason(t, device.VerifyPeer(peer(pki.Request{Purposes: []string{other}}), sdc.RoleConsumer)))
	require.Equal(t, sdc.WrongRole, reason(t, device.VerifyPeer(peer(pki.Request{Purposes: []string{house}}), sdc.RoleProvider)))

	device.Purposes.Required = []string{other}
	err := device.VerifyPeer(peer(pki.Request{Role: sdc.RoleConsumer}), sdc.RoleConsumer)
	require.Equal(t, sdc.NoKeyPurpose, reason(t, err))
	require.ErrorContains(t, err, other)
	require.NoError(t, device.VerifyPeer(peer(pki.Request{Role: sdc.RoleConsumer, Purposes: []string{other}}), sdc.RoleConsumer))

	device.Purposes.Provider = []string{"king"}
	require.ErrorContains(t, device.Validate(), `"king"`)
}

func TestClock(t *testing.T) {
	// covers: SEC-2
	ca := authority(t)
	device := identity(t, ca, pki.Request{Name: "device", Role: sdc.RoleProvider})
	peer := []*x509.Certificate{identity(t, ca, pki.Request{Name: "client", Role: sdc.RoleConsumer, Validity: time.Hour}).Leaf()}
	now := time.Now()
	device.Now = func() time.Time { return now }
	require.NoError(t, device.VerifyPeer(peer, sdc.RoleConsumer))
	for _, wrong := range []time.Duration{-time.Hour, 2 * time.Hour} {
		now = time.Now().Add(wrong)
		require.Equal(t, sdc.OutsideValidity, reason(t, device.VerifyPeer(peer, sdc.RoleConsumer)))
	}
	p, err := ca.Issue(pki.Request{Name: "soon", Role: sdc.RoleProvider})
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, p.Write(dir))
	_, err = sdc.Folder{Dir: dir, Now: func() time.Time { return time.Now().Add(-time.Hour) }}.Load()
	require.ErrorContains(t, err, "not yet valid")
}

func TestPeerLists(t *testing.T) {
	const epr = "urn:uuid:7f0d1c3e-2b6a-4a86-8f5b-0d9c1c6c3e11"
	ca := authority(t)
	device := identity(t, ca, pki.Request{Name: "device", Role: sdc.RoleProvider})
	one := identity(t, ca, pki.Request{Name: "workplace-1", Role: sdc.RoleConsumer, Identifiers: []string{epr}, Purposes: []string{"1.2.3.4"}}).Leaf()
	two := identity(t, ca, pki.Request{Name: "workplace-2", Role: sdc.RoleConsumer}).Leaf()
	check := func(cert *x509.Certificate) sdc.Reason {
		return reason(t, device.VerifyPeer([]*x509.Certificate{cert}, sdc.RoleConsumer))
	}
	colons := strings.ToUpper(sdc.Fingerprint(one))
	colons = colons[:2] + ":" + colons[2:]
	for _, only1 := range []string{
		"sha256:" + sdc.Fingerprint(one), "sha256:" + colons, "subject:CN=workplace-1", "cn:workplace-1", "epr:" + strings.ToUpper(epr[:4]) + epr[4:], "purpose:1.2.3.4",
	} {
		list, err := sdc.ParsePeerList([]byte("# who\n\n  " + only1 + "   # the first\n"))
		require.NoError(t, err)
		c := device.Current()
		c.Allow, c.Deny = list, nil
		require.NoError(t, device.Replace(c))
		require.Empty(t, check(one), only1)
		require.Equal(t, sdc.NotAllowed, check(two), only1)
		c.Allow, c.Deny = nil, list
		require.NoError(t, device.Replace(c))
		require.Equal(t, sdc.Denied, check(one), only1)
		require.Empty(t, check(two), only1)
	}
	for _, all := range []string{"role:consumer", "cn:workplace-*", "issuer:CN=SDC test CA"} {
		p, err := sdc.ParsePeerPattern(all)
		require.NoError(t, err)
		require.Equal(t, all, p.String())
		require.True(t, p.Match(one) && p.Match(two), all)
		require.False(t, p.Match(nil))
	}
	c := device.Current()
	c.Allow, c.Deny = sdc.PeerList{}, nil
	require.NoError(t, device.Replace(c))
	require.Equal(t, sdc.NotAllowed, check(one), "an empty list allows nobody")

	for text, want := range map[string]string{
		"x":                        "line 1",
		"\nsha256:12":              "line 2: \"sha256:12\" is no SHA-256 fingerprint",
		"cn:a*b":                   "at the end",
		"purpose:x":                "object identifier",
		"role:king":                "the roles are",
		"serial:1":                 "none of",
		"cn:":                      "none of",
		"cn:good\r\n\r\nname:bad ": "line 3",
	} {
		_, err := sdc.ParsePeerList([]byte(text))
		require.ErrorContains(t, err, want, text)
	}
	_, err := sdc.ParsePeerPattern("")
	require.Error(t, err)
}

func FuzzParsePeerList(f *testing.F) {
	f.Add([]byte("# a\nsha256:00\ncn:a*\nrole:consumer # b\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		list, err := sdc.ParsePeerList(text)
		if err != nil {
			return
		}
		for _, p := range list {
			again, err := sdc.ParsePeerPattern(p.String())
			if err != nil || again != p {
				t.Fatalf("%q does not survive: %v", p, err)
			}
		}
	})
}

func TestBoundTo(t *testing.T) {
	const epr, equipment = "urn:uuid:7f0d1c3e-2b6a-4a86-8f5b-0d9c1c6c3e11", "https://hospital.example/Pump-7"
	cert := identity(t, authority(t), pki.Request{Name: "device", Role: sdc.RoleProvider, Identifiers: []string{epr, equipment}}).Leaf()
	require.True(t, sdc.BoundTo(cert, epr))
	require.True(t, sdc.BoundTo(cert, strings.ToUpper(epr)))
	require.True(t, sdc.BoundTo(cert, equipment))
	require.False(t, sdc.BoundTo(cert, strings.ToLower(equipment)), "only URNs are compared without case")
	require.False(t, sdc.BoundTo(cert, epr[:len(epr)-1]))
	require.False(t, sdc.BoundTo(cert, ""))
}

// TestReadableRefusals: log, counter and event of a refusal, with the address where it came from.
func TestReadableRefusals(t *testing.T) {
	var log bytes.Buffer
	ca := authority(t)
	device := identity(t, ca, pki.Request{Name: "device", Role: sdc.RoleProvider})
	device.Logger = slog.New(slog.NewTextHandler(&log, nil))
	var told []*sdc.PeerError
	device.Refused = func(e *sdc.PeerError) { told = append(told, e) }
	intruder := identity(t, ca, pki.Request{Name: "intruder", Role: sdc.RoleProvider})
	admitted := 0
	serverErr, clientErr, _ := handshake(t, device.Accept(sdc.Admission{Role: sdc.RoleConsumer, Refused: func(*sdc.PeerError) { admitted++ }}), intruder.ClientTLS(sdc.RoleProvider))
	require.Equal(t, sdc.WrongRole, reason(t, serverErr))
	require.Len(t, told, 1)
	require.Equal(t, 1, admitted)
	require.Equal(t, sdc.Fingerprint(intruder.Leaf()), told[0].Fingerprint)
	require.Contains(t, told[0].Remote, "127.0.0.1:")
	require.Equal(t, map[sdc.Reason]uint64{sdc.WrongRole: 1}, device.Refusals())
	require.Contains(t, log.String(), "CN=intruder")
	require.Contains(t, log.String(), told[0].Fingerprint)

	err := intruder.Explain(clientErr)
	require.Equal(t, sdc.RefusedByPeer, reason(t, err), "the other side: %v", clientErr)
	require.ErrorContains(t, err, "CN=intruder")
	require.ErrorContains(t, err, "provider")
	require.ErrorIs(t, err, errors.Unwrap(err))
	require.NoError(t, intruder.Explain(nil))
	other := errors.New("other")
	require.Equal(t, other, intruder.Explain(other))
}

// TestResumption: a resumed session is judged again, on either side, and one that is refused is not tried again.
func TestResumption(t *testing.T) {
	ca := authority(t)
	device := identity(t, ca, pki.Request{Name: "device", Role: sdc.RoleProvider})
	client := identity(t, ca, pki.Request{Name: "client", Role: sdc.RoleConsumer})
	client.Resume = true
	server, opening := device.ServerTLS(sdc.RoleConsumer), client.ClientTLS(sdc.RoleProvider)
	opening.ServerName = "device" // the key of the session
	connect := func() (error, error, bool) {
		serverErr, clientErr, state := handshake(t, server, opening)
		return serverErr, clientErr, state.DidResume
	}
	serverErr, clientErr, resumed := connect()
	require.NoError(t, serverErr)
	require.NoError(t, clientErr)
	require.False(t, resumed)
	_, clientErr, resumed = connect()
	require.NoError(t, clientErr)
	require.True(t, resumed)

	c := device.Current()
	c.Deny = sdc.PeerList{mustPattern(t, "cn:client")}
	require.NoError(t, device.Replace(c))
	serverErr, clientErr, _ = connect()
	require.Equal(t, sdc.Denied, reason(t, serverErr))
	require.Error(t, clientErr)
	c.Deny = nil
	require.NoError(t, device.Replace(c))
	_, clientErr, _ = connect()
	require.NoError(t, clientErr)

	// The client no longer accepts what the session remembers; the device has a new certificate by now.
	d := client.Current()
	d.Deny = sdc.PeerList{mustPattern(t, "cn:device")}
	require.NoError(t, client.Replace(d))
	_, clientErr, resumed = connect()
	require.Equal(t, sdc.Denied, reason(t, clientErr))
	require.False(t, resumed, "changed credentials make no use of former sessions")
}

func mustPattern(t *testing.T, text string) sdc.PeerPattern {
	t.Helper()
	p, err := sdc.ParsePeerPattern(text)
	require.NoError(t, err)
	return p
}

func TestReplaceAndReload(t *testing.T) {
	ca := authority(t)
	p, err := ca.Issue(pki.Request{Name: "first", Role: sdc.RoleProvider})
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, p.Write(dir))
	id, err := sdc.LoadIdentity(dir)
	require.NoError(t, err)
	server := id.ServerTLS(sdc.RoleConsumer)
	client := identity(t, ca, pki.Request{Name: "client", Role: sdc.RoleConsumer})
	seen := func() string {
		t.Helper()
		_, err, state := handshake(t, server, client.ClientTLS(sdc.RoleProvider))
		require.NoError(t, err)
		return state.PeerCertificates[0].Subject.CommonName
	}
	require.Equal(t, "first", seen())

	second, err := ca.Issue(pki.Request{Name: "second", Role: sdc.RoleProvider})
	require.NoError(t, err)
	require.NoError(t, second.Write(dir))
	require.NoError(t, id.Reload())
	require.Equal(t, "second", seen(), "new handshakes use the new material")
	require.Equal(t, "CN=second", id.Leaf().Subject.String())

	require.NoError(t, os.WriteFile(filepath.Join(dir, sdc.KeyFile), []byte("broken"), 0o600))
	require.Error(t, id.Reload())
	require.Equal(t, "second", seen(), "what cannot be used changes nothing")
	require.ErrorIs(t, client.Reload(), sdc.ErrNoFolder)
	require.ErrorIs(t, client.Watch(t.Context(), 0), sdc.ErrNoFolder)
	require.Error(t, id.Replace(sdc.Credentials{}))
}

func TestWatch(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p, err := authority(t).Issue(pki.Request{Name: "first", Role: sdc.RoleProvider})
		require.NoError(t, err)
		dir := t.TempDir()
		require.NoError(t, p.Write(dir))
		id, err := sdc.LoadIdentity(dir)
		require.NoError(t, err)
		var outcomes []error
		id.Reloaded = func(err error) { outcomes = append(outcomes, err) }
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- id.Watch(ctx, time.Second) }()
		time.Sleep(5500 * time.Millisecond)
		synctest.Wait()
		require.Equal(t, []error{nil}, outcomes, "once at the beginning")

		require.NoError(t, os.WriteFile(filepath.Join(dir, sdc.DenyFile), []byte("nonsense\n"), 0o600))
		time.Sleep(5 * time.Second)
		synctest.Wait()
		require.Len(t, outcomes, 2, "told once, not every second")
		require.ErrorContains(t, outcomes[1], "deny.txt: line 1")
		require.Empty(t, id.Current().Deny)

		require.NoError(t, os.WriteFile(filepath.Join(dir, sdc.DenyFile), []byte("cn:bad\n"), 0o600))
		time.Sleep(time.Second)
		synctest.Wait()
		require.Len(t, outcomes, 3)
		require.NoError(t, outcomes[2])
		require.Len(t, id.Current().Deny, 1)
		cancel()
		require.NoError(t, <-ended)
	})
}

func TestRecheck(t *testing.T) {
	ca := authority(t)
	device := identity(t, ca, pki.Request{Name: "device", Role: sdc.RoleProvider})
	now := time.Now()
	device.Now = func() time.Time { return now }
	peer := identity(t, ca, pki.Request{Name: "client", Role: sdc.RoleConsumer, Validity: time.Hour}).Leaf()
	check := device.Recheck(sdc.Admission{Role: sdc.RoleConsumer})(tls.ConnectionState{PeerCertificates: []*x509.Certificate{peer}}, "192.0.2.1:1")
	require.NoError(t, check())
	now = now.Add(2 * time.Hour)
	require.Equal(t, sdc.OutsideValidity, reason(t, check()), "a certificate expires while its connection is open")
	require.Equal(t, sdc.OutsideValidity, reason(t, check()), "and it stays so")
	now = now.Add(-2 * time.Hour)
	check = device.Recheck(sdc.Admission{Role: sdc.RoleConsumer})(tls.ConnectionState{PeerCertificates: []*x509.Certificate{peer}}, "192.0.2.1:1")
	require.NoError(t, check())
	require.Zero(t, testing.AllocsPerRun(100, func() { _ = check() }))
	c := device.Current()
	c.Deny = sdc.PeerList{mustPattern(t, "role:consumer")}
	require.NoError(t, device.Replace(c))
	require.Equal(t, sdc.Denied, reason(t, check()), "at once, not after a minute")
}
