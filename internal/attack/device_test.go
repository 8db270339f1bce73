package attack

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/provider"
)

// The device under attack is a process of its own, so that its memory can be told from the attackers'.
const (
	childDir  = "SDC_ATTACK_DEVICE" // folder of its identity
	childPort = "SDC_ATTACK_PORT"   // its UDP port for discovery
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if err := runDevice(dir, os.Stdin, os.Stdout, os.Stderr); err != nil { //nolint:forbidigo // a program of its own
			panic(err)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

const (
	// counter is the metric that rises by one with each report.
	counter = "num"
	// stamp is the metric that tells when the report was committed, in microseconds since 1970.
	stamp = "text"
	// settable is an operation that takes what it is given.
	settable = "value.set"
	// reportEvery is how often the device reports.
	reportEvery = 20 * time.Millisecond
)

// runDevice is a device that reports all the time, until in ends. It says on out where it is.
func runDevice(dir string, in io.Reader, out, log io.Writer) error {
	id, err := sdc.LoadIdentity(dir)
	if err != nil {
		return err
	}
	port, err := strconv.ParseUint(os.Getenv(childPort), 10, 16)
	if err != nil {
		return err
	}
	snap, err := mdib.ReadFile("../../sdc/provider/testdata/device.xml")
	if err != nil {
		return err
	}
	dev, err := provider.New(provider.Config{
		MDIB: snap, Identity: id, Policy: provider.AllowAll(), Network: sdc.Network{DiscoveryPort: uint16(port)}, ApplyProposals: true,
		Logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelError})),
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- dev.Run(ctx) }()
	select {
	case <-dev.Ready():
	case err := <-ended:
		return err
	}
	if err := json.NewEncoder(out).Encode([]string{dev.EPR(), dev.XAddrs()[0]}); err != nil {
		return err
	}
	left := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, in)
		close(left)
	}()
	tick := time.NewTicker(reportEvery)
	defer tick.Stop()
	for n := int64(1); ; n++ {
		select {
		case <-left:
			cancel()
			return <-ended
		case <-tick.C:
		}
		err := dev.Update(func(tx *mdib.Tx) error {
			now := time.Now()
			if err := tx.SetNumeric(counter, pm.NewDecimal(n, 0), now); err != nil {
				return err
			}
			return tx.SetString(stamp, strconv.FormatInt(now.UnixMicro(), 10), now)
		})
		if err != nil {
			return err
		}
	}
}

// victim is the device's process.
type victim struct {
	*Target
	cmd *exec.Cmd
}

// startVictim runs the device until the test ends, and fails the test if it does not end in order.
func startVictim(t *testing.T) (*victim, *sdc.Identity) {
	t.Helper()
	ca, err := NewAuthority("test authority")
	require.NoError(t, err)
	device, err := ca.Identity("device", sdc.RoleProvider)
	require.NoError(t, err)
	good, err := ca.Identity("station", sdc.RoleConsumer)
	require.NoError(t, err)
	insider, err := ca.Identity("insider", sdc.RoleConsumer)
	require.NoError(t, err)
	revoked, err := ca.Identity("revoked", sdc.RoleConsumer)
	require.NoError(t, err)
	list, err := ca.Revoke(revoked.Leaf())
	require.NoError(t, err)

	dir := t.TempDir()
	key, err := x509.MarshalPKCS8PrivateKey(device.Certificate.PrivateKey.(*ecdsa.PrivateKey)) //nolint:errcheck,forcetypeassert // made above
	require.NoError(t, err)
	for _, f := range []struct {
		name, kind string
		der        []byte
	}{
		{sdc.CAFile, "CERTIFICATE", ca.certificate.Raw}, {sdc.CertFile, "CERTIFICATE", device.Certificate.Certificate[0]},
		{sdc.KeyFile, "PRIVATE KEY", key}, {sdc.CRLFile, "X509 CRL", list.Raw},
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, f.name), pem.EncodeToMemory(&pem.Block{Type: f.kind, Bytes: f.der}), 0o600))
	}
	port := freePort(t)

	cmd := exec.Command(os.Args[0]) //nolint:gosec // this very program
	cmd.Env = append(os.Environ(), childDir+"="+dir, childPort+"="+strconv.Itoa(int(port)))
	var said strings.Builder
	cmd.Stderr = &said
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = stdin.Close()
		err := cmd.Wait()
		require.NoError(t, err, said.String())
		require.Empty(t, said.String(), "errors in the device's log")
	})
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	require.NoError(t, err, "the device did not start")
	var where []string
	require.NoError(t, json.Unmarshal(line, &where))
	target := &Target{
		EPR: where[0], XAddr: where[1], Trusted: insider.ClientTLS(sdc.RoleProvider), Authority: ca, Revoked: revoked,
		Discovery: multicastGroup(port), Operation: settable,
	}
	target.GetPath, target.SetPath, target.EventPath = target.path()+"/Get", target.path()+"/Set", target.path()+"/StateEvent"
	return &victim{target, cmd}, good
}

// freePort is a UDP port that nobody uses at present.
func freePort(t *testing.T) uint16 {
	t.Helper()
	c, err := net.ListenPacket("udp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).AddrPort().Port() //nolint:errcheck,forcetypeassert // "udp4" gives one
}

// status reads a figure of the device's process in KiB, such as VmHWM, the most memory it ever had.
func (v *victim) status(t *testing.T, name string) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", v.cmd.Process.Pid))
	if err != nil {
		t.Logf("memory is not checked: %v", err) // other systems than Linux
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			kib, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(rest), " kB"))
			require.NoError(t, err)
			return kib
		}
	}
	t.Fatalf("no %s in the status of the process", name)
	return 0
}
