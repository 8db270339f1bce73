package keyfile_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/keyfile"
	"github.com/semeco/go-sdc/sdc/pki"
)

const secret = "correct horse"

// folder is an issued identity on disk.
func folder(t *testing.T) (string, *pki.Participant) {
	t.Helper()
	ca, err := pki.NewCA("", time.Hour)
	require.NoError(t, err)
	p, err := ca.Issue(pki.Request{Name: "device", Role: sdc.RoleProvider})
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, p.Write(dir))
	return dir, p
}

func load(dir, passphrase string) (*sdc.Identity, error) {
	f := sdc.Folder{Dir: dir}
	if passphrase != "" {
		f.Decrypter = keyfile.Passphrase(passphrase)
	}
	return f.Load()
}

func TestEncryptedKey(t *testing.T) {
	dir, p := folder(t)
	key, err := keyfile.Passphrase(secret).EncryptQuickly(p.Key())
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, sdc.KeyFile), key, 0o600))
	check(t, dir, sdc.KeyFile)
}

func TestBundle(t *testing.T) {
	dir, p := folder(t)
	data, err := keyfile.Passphrase(secret).EncodeBundle(p.Key(), p.Certificate, p.CA)
	require.NoError(t, err)
	for _, name := range []string{sdc.KeyFile, sdc.CertFile, sdc.CAFile} {
		require.NoError(t, os.Remove(filepath.Join(dir, name)))
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, sdc.BundleFile), data, 0o600))
	check(t, dir, sdc.BundleFile)
	require.NoError(t, os.WriteFile(filepath.Join(dir, sdc.BundleFile), []byte("no bundle"), 0o600))
	_, err = load(dir, secret)
	require.ErrorContains(t, err, sdc.BundleFile)
}

// check opens a folder with and without the right passphrase.
func check(t *testing.T, dir, file string) {
	t.Helper()
	id, err := load(dir, secret)
	require.NoError(t, err)
	require.Equal(t, "CN=device", id.Leaf().Subject.String())
	require.NoError(t, id.Reload(), "the passphrase is remembered")
	_, err = load(dir, "wrong")
	require.ErrorIs(t, err, keyfile.ErrPassphrase)
	require.ErrorContains(t, err, file)
	_, err = load(dir, "")
	require.ErrorContains(t, err, "needs a passphrase")
}

// TestOpenSSL: what another program encrypted is read, and what is written here can be read there.
func TestOpenSSL(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("SKIPPED, NOT TESTED: there is no openssl")
	}
	run := func(args ...string) {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), openssl, args...).CombinedOutput()
		require.NoError(t, err, "%v: %s", args, out)
	}
	dir, p := folder(t)
	at := func(name string) string { return filepath.Join(dir, name) }
	run("pkcs8", "-topk8", "-v2", "aes-256-cbc", "-in", at(sdc.KeyFile), "-out", at("sealed"), "-passout", "pass:"+secret)
	require.NoError(t, os.Rename(at("sealed"), at(sdc.KeyFile)))
	check(t, dir, sdc.KeyFile)

	run("pkcs12", "-export", "-in", at(sdc.CertFile), "-inkey", at(sdc.KeyFile), "-certfile", at(sdc.CAFile), "-out", at(sdc.BundleFile),
		"-passin", "pass:"+secret, "-passout", "pass:"+secret)
	check(t, dir, sdc.BundleFile)

	data, err := keyfile.Passphrase(secret).EncodeBundle(p.Key(), p.Certificate, p.CA)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(at("ours.p12"), data, 0o600))
	run("pkcs12", "-in", at("ours.p12"), "-passin", "pass:"+secret, "-noout")
	key, err := keyfile.Passphrase(secret).EncryptQuickly(p.Key())
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(at("ours.key"), key, 0o600))
	run("pkey", "-in", at("ours.key"), "-passin", "pass:"+secret, "-noout")
}

func TestRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "passphrase")
	require.NoError(t, os.WriteFile(path, []byte(secret+"\r\n"), 0o600))
	p, err := keyfile.Read(path)
	require.NoError(t, err)
	require.Equal(t, secret, string(p))
	require.NotContains(t, fmt.Sprintf("%v %+v %#v %s", p, p, p, p), "horse")

	t.Setenv(keyfile.PassphraseVariable, "from the environment")
	p, err = keyfile.Read("")
	require.NoError(t, err)
	require.Equal(t, "from the environment", string(p))
	t.Setenv(keyfile.PassphraseVariable, "")
	_, err = keyfile.Read("")
	require.ErrorContains(t, err, "empty")
	require.NoError(t, os.Unsetenv(keyfile.PassphraseVariable))
	p, err = keyfile.Read("")
	require.NoError(t, err)
	require.Nil(t, p)
	_, err = keyfile.Read(path + "x")
	require.ErrorIs(t, err, os.ErrNotExist)
}
