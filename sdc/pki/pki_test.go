package pki_test

import (
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/pki"
)

func TestAuthorityOnDisk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "bench", "pki")
	ca, err := pki.NewCA("bench", time.Hour)
	require.NoError(t, err)
	require.NoError(t, ca.Write(dir))
	info, err := os.Stat(filepath.Join(dir, pki.CAKeyFile))
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode().Perm())

	back, err := pki.ReadCA(dir)
	require.NoError(t, err)
	require.Equal(t, ca.Certificate.Raw, back.Certificate.Raw)

	other, err := pki.NewCA("other", time.Hour)
	require.NoError(t, err)
	require.ErrorIs(t, other.Write(dir), fs.ErrExist)
	same, err := pki.ReadCA(dir)
	require.NoError(t, err)
	require.Equal(t, ca.Certificate.Raw, same.Certificate.Raw, "a refused write changes nothing")
}

func TestIssue(t *testing.T) {
	// covers: GLUE EKU provider, GLUE EKU consumer
	ca, err := pki.NewCA("bench", time.Hour)
	require.NoError(t, err)
	for text, c := range map[string]struct {
		role     sdc.Role
		purposes []string
	}{
		"provider": {sdc.RoleProvider, []string{"serverAuth", "clientAuth", "SDC provider (1.2.840.10004.20701.1.1)"}},
		"consumer": {sdc.RoleConsumer, []string{"serverAuth", "clientAuth", "SDC consumer (1.2.840.10004.20701.1.2)"}},
		"both":     {sdc.RoleBoth, []string{"serverAuth", "clientAuth", "SDC provider (1.2.840.10004.20701.1.1)", "SDC consumer (1.2.840.10004.20701.1.2)"}},
	} {
		role, err := pki.ParseRole(text)
		require.NoError(t, err)
		require.Equal(t, c.role, role)
		p, err := ca.Issue(pki.Request{Name: "dev-" + text, Role: role, Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.1")}})
		require.NoError(t, err)
		require.False(t, p.Certificate.NotAfter.After(ca.Certificate.NotAfter), "no longer than the authority")
		dir, err := pki.Folder(t.TempDir(), "dev-"+text)
		require.NoError(t, err)
		require.NoError(t, p.Write(dir))
		require.NoError(t, p.Write(dir), "reissue replaces")
		key, err := os.Stat(filepath.Join(dir, sdc.KeyFile))
		require.NoError(t, err)
		require.Equal(t, fs.FileMode(0o600), key.Mode().Perm())
		id, err := sdc.LoadIdentity(dir)
		require.NoError(t, err)
		require.Equal(t, role, id.Roles())

		infos, err := pki.Show(filepath.Join(dir, sdc.CertFile))
		require.NoError(t, err)
		require.Len(t, infos, 1)
		require.Equal(t, c.purposes, infos[0].Purposes)
		require.Equal(t, []string{"127.0.0.1", "::1", "192.0.2.1"}, infos[0].Addresses)
		require.Contains(t, infos[0].String(), "CN=dev-"+text)
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Len(t, entries, 3, "no temporary files left")
	}
	infos, err := pki.Show(writeCA(t, ca))
	require.NoError(t, err)
	require.True(t, infos[0].CA)
	require.Contains(t, infos[0].String(), "certificate authority")
}

func writeCA(t *testing.T, ca *pki.CA) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, ca.Write(dir))
	return filepath.Join(dir, sdc.CAFile)
}

func TestRefusals(t *testing.T) {
	ca, err := pki.NewCA("", 0)
	require.NoError(t, err)
	for _, name := range []string{"", "..", ".hidden", "a/b", `a\b`, "a\x00"} {
		_, err := ca.Issue(pki.Request{Name: name, Role: sdc.RoleBoth})
		require.Error(t, err, name)
		_, err = pki.Folder("x", name)
		require.Error(t, err, name)
	}
	_, err = ca.Issue(pki.Request{Name: "a"})
	require.ErrorContains(t, err, "role")
	_, err = pki.ParseRole("king")
	require.Error(t, err)

	dir := t.TempDir()
	_, err = pki.ReadCA(dir)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NoError(t, ca.Write(dir))
	other, err := pki.NewCA("", 0)
	require.NoError(t, err)
	otherDir := t.TempDir()
	require.NoError(t, other.Write(otherDir))
	key, err := os.ReadFile(filepath.Join(otherDir, pki.CAKeyFile))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, pki.CAKeyFile), key, 0o600))
	_, err = pki.ReadCA(dir)
	require.ErrorContains(t, err, "does not belong")
	_, err = pki.Show(filepath.Join(dir, pki.CAKeyFile))
	require.ErrorContains(t, err, "no certificate")
}
