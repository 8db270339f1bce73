package sdc_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/pki"
)

func authority(t *testing.T) *pki.CA {
	t.Helper()
	ca, err := pki.NewCA("", 0)
	require.NoError(t, err)
	return ca
}

func identity(t *testing.T, ca *pki.CA, r pki.Request) *sdc.Identity {
	t.Helper()
	p, err := ca.Issue(r)
	require.NoError(t, err)
	id, err := p.Identity()
	require.NoError(t, err)
	return id
}

// expired makes an identity that NewIdentity would rightly refuse.
func expired(t *testing.T, ca *pki.CA, trust *sdc.Identity) *sdc.Identity {
	t.Helper()
	p, err := ca.Issue(pki.Request{Name: "expired", Role: sdc.RoleBoth, Validity: -time.Hour})
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, p.Write(dir))
	cert, err := tls.LoadX509KeyPair(filepath.Join(dir, sdc.CertFile), filepath.Join(dir, sdc.KeyFile))
	require.NoError(t, err)
	return &sdc.Identity{Credentials: sdc.Credentials{Certificate: cert, CAs: trust.CAs}}
}

// handshake connects a client to a server over TCP loopback, sends one byte each way and returns what each side saw.
func handshake(t *testing.T, server, client *tls.Config) (serverErr, clientErr error, state tls.ConnectionState) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	done := make(chan error, 1)
	go func() {
		raw, err := ln.Accept()
		if err != nil {
			done <- err
			return
		}
		c := tls.Server(raw, server)
		defer c.Close()
		c.SetDeadline(time.Now().Add(time.Minute))
		if err = c.Handshake(); err == nil {
			_, err = c.Read(make([]byte, 1))
		}
		if err == nil {
			_, err = c.Write([]byte{1})
		}
		done <- err
	}()
	raw, err := net.Dial("tcp", ln.Addr().String())
	require.NoError(t, err)
	c := tls.Client(raw, client)
	defer c.Close()
	c.SetDeadline(time.Now().Add(time.Minute))
	if _, clientErr = c.Write([]byte{1}); clientErr == nil {
		_, clientErr = io.ReadFull(c, make([]byte, 1)) // in TLS 1.3 a refusal by the server shows only here
	}
	state = c.ConnectionState()
	c.Close()
	return <-done, clientErr, state
}

func TestMutualTLS(t *testing.T) {
	// covers: SDPi R0502, GLUE EKU provider, GLUE EKU consumer, SEC-1, SEC-2
	ca, other := authority(t), authority(t)
	provider := identity(t, ca, pki.Request{Name: "device", Role: sdc.RoleProvider})
	consumer := identity(t, ca, pki.Request{Name: "client", Role: sdc.RoleConsumer})
	both := identity(t, ca, pki.Request{Name: "gateway", Role: sdc.RoleBoth})
	plain := identity(t, ca, pki.Request{Name: "webserver", NoKeyPurpose: true})
	stranger := identity(t, other, pki.Request{Name: "stranger", Role: sdc.RoleBoth})
	old := expired(t, ca, provider)

	for name, c := range map[string]struct {
		server, client *sdc.Identity
		serverReason   sdc.Reason // what the server says of the client
		clientReason   sdc.Reason // what the client says of the server
	}{
		"provider and consumer":     {server: provider, client: consumer},
		"one certificate for both":  {server: both, client: both},
		"provider as caller":        {server: provider, client: provider, serverReason: sdc.WrongRole},
		"consumer as device":        {server: consumer, client: consumer, clientReason: sdc.WrongRole},
		"caller without purpose":    {server: provider, client: plain, serverReason: sdc.NoKeyPurpose},
		"device without purpose":    {server: plain, client: consumer, clientReason: sdc.NoKeyPurpose},
		"caller of other authority": {server: provider, client: &sdc.Identity{Credentials: sdc.Credentials{Certificate: stranger.Certificate, CAs: provider.CAs}}, serverReason: sdc.Untrusted},
		"device of other authority": {server: stranger, client: consumer, clientReason: sdc.Untrusted},
		"expired caller":            {server: provider, client: old, serverReason: sdc.OutsideValidity},
		"expired device":            {server: old, client: consumer, clientReason: sdc.OutsideValidity},
	} {
		t.Run(name, func(t *testing.T) {
			serverErr, clientErr, _ := handshake(t, c.server.ServerTLS(sdc.RoleConsumer), c.client.ClientTLS(sdc.RoleProvider))
			if c.serverReason == "" && c.clientReason == "" {
				require.NoError(t, serverErr)
				require.NoError(t, clientErr)
				return
			}
			require.Error(t, serverErr)
			require.Error(t, clientErr)
			if c.serverReason != "" {
				var refusal *sdc.PeerError
				require.ErrorAs(t, serverErr, &refusal)
				require.Equal(t, c.serverReason, refusal.Reason)
				require.NotEmpty(t, refusal.Subject)
				require.Contains(t, refusal.Error(), string(c.serverReason))
			}
			if c.clientReason != "" {
				var refusal *sdc.PeerError
				require.ErrorAs(t, clientErr, &refusal)
				require.Equal(t, c.clientReason, refusal.Reason)
			}
		})
	}

	t.Run("no client certificate", func(t *testing.T) {
		cfg := consumer.ClientTLS(sdc.RoleProvider)
		cfg.GetClientCertificate = nil
		cfg.Certificates = nil
		serverErr, clientErr, _ := handshake(t, provider.ServerTLS(sdc.RoleConsumer), cfg)
		require.Error(t, serverErr)
		require.Error(t, clientErr)
	})
}

func TestTLSVersions(t *testing.T) {
	// covers: GLUE R0063, GLUE R0064, SDPi R1544, SDPi R1003
	ca := authority(t)
	both := identity(t, ca, pki.Request{Name: "both", Role: sdc.RoleBoth})
	only13 := &sdc.Identity{Credentials: both.Credentials, MinTLS: tls.VersionTLS13}
	for name, c := range map[string]struct {
		id       *sdc.Identity
		min, max uint16
		want     uint16
	}{
		"best common version":   {both, tls.VersionTLS12, tls.VersionTLS13, tls.VersionTLS13},
		"floor":                 {both, tls.VersionTLS12, tls.VersionTLS12, tls.VersionTLS12},
		"below the floor":       {both, tls.VersionTLS10, tls.VersionTLS11, 0},
		"1.3 demanded and met":  {only13, tls.VersionTLS12, tls.VersionTLS13, tls.VersionTLS13},
		"1.3 demanded, not met": {only13, tls.VersionTLS12, tls.VersionTLS12, 0},
	} {
		t.Run(name, func(t *testing.T) {
			client := both.ClientTLS(sdc.RoleProvider)
			client.MinVersion, client.MaxVersion = c.min, c.max
			client.NextProtos = []string{"h2", "http/1.1"}
			serverErr, clientErr, state := handshake(t, c.id.ServerTLS(sdc.RoleConsumer), client)
			if c.want == 0 {
				require.Error(t, serverErr)
				require.Error(t, clientErr)
				return
			}
			require.NoError(t, serverErr)
			require.NoError(t, clientErr)
			require.Equal(t, c.want, state.Version)
			require.Equal(t, "http/1.1", state.NegotiatedProtocol)
		})
	}
	require.Equal(t, uint16(tls.VersionTLS12), (&sdc.Identity{MinTLS: tls.VersionTLS10}).ServerTLS(sdc.RoleConsumer).MinVersion, "the floor cannot be lowered")
}

func TestMissingKeyPurposeAllowed(t *testing.T) {
	ca := authority(t)
	var log bytes.Buffer
	provider := identity(t, ca, pki.Request{Name: "device", Role: sdc.RoleProvider})
	provider.AllowMissingKeyPurpose = true
	provider.Logger = slog.New(slog.NewTextHandler(&log, nil))
	plain := identity(t, ca, pki.Request{Name: "webserver", NoKeyPurpose: true})
	require.NoError(t, provider.VerifyPeer([]*x509.Certificate{plain.Leaf()}, sdc.RoleConsumer))
	require.Contains(t, log.String(), "CN=webserver")
	require.Contains(t, log.String(), "level=WARN")

	var refusal *sdc.PeerError
	err := provider.VerifyPeer([]*x509.Certificate{provider.Leaf()}, sdc.RoleConsumer)
	require.ErrorAs(t, err, &refusal, "the wrong role is refused in any case")
	require.Equal(t, sdc.WrongRole, refusal.Reason)
	require.ErrorAs(t, provider.VerifyPeer(nil, sdc.RoleConsumer), &refusal)
	require.Equal(t, sdc.NoCertificate, refusal.Reason)
}

func TestAuthorise(t *testing.T) {
	ca := authority(t)
	id := identity(t, ca, pki.Request{Name: "device", Role: sdc.RoleBoth})
	no := errors.New("not on the list")
	id.Authorise = func(leaf *x509.Certificate) error {
		if leaf.Subject.CommonName == "device" {
			return no
		}
		return nil
	}
	err := id.VerifyPeer([]*x509.Certificate{id.Leaf()}, sdc.RoleConsumer)
	var refusal *sdc.PeerError
	require.ErrorAs(t, err, &refusal)
	require.ErrorIs(t, err, no)
	require.Equal(t, sdc.Unauthorised, refusal.Reason)
}

func TestLoadIdentity(t *testing.T) {
	ca := authority(t)
	p, err := ca.Issue(pki.Request{Name: "device", Role: sdc.RoleProvider})
	require.NoError(t, err)
	second, err := ca.Issue(pki.Request{Name: "second", Role: sdc.RoleProvider})
	require.NoError(t, err)
	old, err := ca.Issue(pki.Request{Name: "old", Role: sdc.RoleProvider, Validity: -time.Hour})
	require.NoError(t, err)
	foreign, err := authority(t).Issue(pki.Request{Name: "foreign", Role: sdc.RoleProvider})
	require.NoError(t, err)

	write := func(t *testing.T, p *pki.Participant) string {
		dir := t.TempDir()
		require.NoError(t, p.Write(dir))
		return dir
	}
	good := write(t, p)
	id, err := sdc.LoadIdentity(good)
	require.NoError(t, err)
	require.Equal(t, sdc.RoleProvider, id.Roles())
	require.Equal(t, "CN=device", id.Leaf().Subject.String())

	from := func(dir, name string) []byte {
		b, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		return b
	}
	for name, c := range map[string]struct {
		spoil func(dir string)
		want  []string
	}{
		"no ca":             {func(d string) { os.Remove(filepath.Join(d, "ca.pem")) }, []string{"ca.pem", "missing"}},
		"no key":            {func(d string) { os.Remove(filepath.Join(d, "key.pem")) }, []string{"key.pem", "missing"}},
		"empty certificate": {func(d string) { os.WriteFile(filepath.Join(d, "cert.pem"), []byte("\n"), 0o600) }, []string{"cert.pem", "empty"}},
		"ca is no pem":      {func(d string) { os.WriteFile(filepath.Join(d, "ca.pem"), []byte("x"), 0o600) }, []string{"ca.pem", "no certificate"}},
		"encrypted key": {func(d string) {
			os.WriteFile(filepath.Join(d, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte{1}}), 0o600)
		}, []string{"key.pem", "encrypted", "passphrase"}},
		"someone else's key": {func(d string) { os.WriteFile(filepath.Join(d, "key.pem"), from(write(t, second), "key.pem"), 0o600) }, []string{"key.pem", "does not match"}},
		"expired": {func(d string) {
			o := write(t, old)
			os.WriteFile(filepath.Join(d, "cert.pem"), from(o, "cert.pem"), 0o600)
			os.WriteFile(filepath.Join(d, "key.pem"), from(o, "key.pem"), 0o600)
		}, []string{"CN=old", "expired"}},
		"enormous":        {func(d string) { require.NoError(t, os.Truncate(filepath.Join(d, "cert.pem"), 33<<20)) }, []string{"cert.pem", "larger than 32 MiB"}},
		"other authority": {func(d string) { os.WriteFile(filepath.Join(d, "ca.pem"), from(write(t, foreign), "ca.pem"), 0o600) }, []string{"CN=device", "unknown authority"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := write(t, p)
			c.spoil(dir)
			_, err := sdc.LoadIdentity(dir)
			require.Error(t, err)
			for _, w := range c.want {
				require.ErrorContains(t, err, w)
			}
			require.ErrorContains(t, err, dir)
		})
	}
}

func TestInvocationSource(t *testing.T) {
	// covers: GLUE R0078_0
	id := identity(t, authority(t), pki.Request{Name: "client", Role: sdc.RoleConsumer})
	root, ext := sdc.InvocationSource(id.Leaf())
	require.Equal(t, "http://standards.ieee.org/downloads/11073/11073-20701-2018/X509Certificate/PEM", root)
	block, rest := pem.Decode([]byte(ext))
	require.NotNil(t, block)
	require.Empty(t, rest)
	require.Equal(t, id.Leaf().Raw, block.Bytes)
	require.Equal(t, string(pem.EncodeToMemory(block)), ext, "the text that every tool writes, compared as such")
	root, ext = sdc.InvocationSource(nil)
	require.Equal(t, sdc.NamespaceGlue, root)
	require.Equal(t, "AnonymousSdcParticipant", ext)
}

func TestRoles(t *testing.T) {
	require.Equal(t, "none", sdc.Role(0).String())
	require.Equal(t, "provider", sdc.RoleProvider.String())
	require.Equal(t, "provider+consumer", sdc.RoleBoth.String())
	require.Equal(t, sdc.OIDConsumer, sdc.RoleConsumer.OIDs()[0].String())
	require.Equal(t, sdc.OIDProvider, sdc.RoleProvider.OIDs()[0].String())
}

func TestRevokedPeersAreRefused(t *testing.T) {
	// covers: SEC-3
	ca := authority(t)
	issue := func(name string, role sdc.Role) *pki.Participant {
		p, err := ca.Issue(pki.Request{Name: name, Role: role})
		require.NoError(t, err)
		return p
	}
	device, good, bad := issue("device", sdc.RoleProvider), issue("good", sdc.RoleConsumer), issue("bad", sdc.RoleConsumer)
	dir := t.TempDir()
	require.NoError(t, device.Write(dir))
	load := func(list []byte, err error) *sdc.Identity {
		t.Helper()
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, sdc.CRLFile), list, 0o600))
		id, err := sdc.LoadIdentity(dir)
		require.NoError(t, err)
		return id
	}
	reason := func(id *sdc.Identity, peer *pki.Participant) sdc.Reason {
		err := id.VerifyPeer([]*x509.Certificate{peer.Certificate}, sdc.RoleConsumer)
		if err == nil {
			return ""
		}
		var refused *sdc.PeerError
		require.ErrorAs(t, err, &refused)
		return refused.Reason
	}
	var logged bytes.Buffer
	id := load(ca.RevocationList(1, 0, bad.Certificate))
	id.Logger = slog.New(slog.NewTextHandler(&logged, nil))
	require.Empty(t, reason(id, good))
	require.Equal(t, sdc.Revoked, reason(id, bad))
	require.Empty(t, logged.String(), "asking is not refusing")

	badID, err := bad.Identity()
	require.NoError(t, err)
	serverErr, clientErr, _ := handshake(t, id.ServerTLS(sdc.RoleConsumer), badID.ClientTLS(sdc.RoleProvider))
	require.ErrorContains(t, serverErr, "revoked")
	require.Error(t, clientErr)
	require.Contains(t, logged.String(), "reason=revoked")
	require.Contains(t, logged.String(), "CN=bad")

	require.Equal(t, sdc.Revoked, reason(load(ca.RevocationList(2, -time.Minute)), good), "a list out of date says nothing")
	other := authority(t)
	require.Equal(t, sdc.Revoked, reason(load(other.RevocationList(1, 0)), good), "a list of another authority says nothing")

	for _, broken := range []string{"", "not PEM", "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n", "-----BEGIN X509 CRL-----\nAA==\n-----END X509 CRL-----\n"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, sdc.CRLFile), []byte(broken), 0o600))
		_, err := sdc.LoadIdentity(dir)
		require.ErrorContains(t, err, sdc.CRLFile)
	}
}
