package attack

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/semeco/go-sdc/internal/testkit/udpport"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/history"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/provider"
)

// The device under attack is a process of its own, so that its memory can be told from the attackers'; they are one too where time is measured, so that the witness is not made to wait by what they
// do. Both are this program, and end when their input does.
const (
	childDir     = "SDC_ATTACK_DEVICE"    // folder of the device's identity
	childPort    = "SDC_ATTACK_PORT"      // its UDP port for discovery
	childAttacks = "SDC_ATTACK_ATTACKERS" // folder of what the attackers have
	childLow     = "SDC_ATTACK_LOW"       // set if they run with the lowest priority
)

func TestMain(m *testing.M) {
	var err error
	switch dir, attackers := os.Getenv(childDir), os.Getenv(childAttacks); {
	case dir != "":
		err = runDevice(dir, os.Stdin, os.Stdout, os.Stderr) //nolint:forbidigo // a program of its own
	case attackers != "":
		err = runAttackers(attackers, os.Stdin, os.Stdout) //nolint:forbidigo // a program of its own
	default:
		goleak.VerifyTestMain(m)
		return
	}
	if err != nil {
		panic(err)
	}
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
	snap, err := mdib.ReadFile("../../../sdc/provider/testdata/device.xml")
	if err != nil {
		return err
	}
	dev, err := provider.New(provider.Config{
		MDIB: snap, Identity: id, Policy: provider.AllowAll(), Network: sdc.Network{DiscoveryPort: uint16(port)}, ApplyProposals: true, Archive: true, History: true, Log: history.Config{MaxChanges: 500},
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

// child is a process of this program.
type child struct {
	cmd  *exec.Cmd
	in   io.Writer
	said *bufio.Reader
}

// startChild runs this program until the test ends, and fails the test if it does not end in order or says anything on its standard error.
func startChild(t *testing.T, env ...string) *child {
	t.Helper()
	cmd := exec.Command(os.Args[0]) //nolint:gosec // this very program
	cmd.Env = append(os.Environ(), env...)
	var problems strings.Builder
	cmd.Stderr = &problems
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = stdin.Close()
		err := cmd.Wait()
		require.NoError(t, err, problems.String())
		require.Empty(t, problems.String(), "errors in the log of the process")
	})
	return &child{cmd, stdin, bufio.NewReader(stdout)}
}

// read waits for a line in JSON.
func (c *child) read(t *testing.T, v any) {
	t.Helper()
	line, err := c.said.ReadBytes('\n')
	require.NoError(t, err, "the process has ended")
	require.NoError(t, json.Unmarshal(line, v))
}

// victim is the device's process.
type victim struct {
	*Target
	*child
}

// startVictim runs the device until the test ends.
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
	bystander, err := ca.Identity("bystander", sdc.RoleConsumer)
	require.NoError(t, err)
	revoked, err := ca.Identity("revoked", sdc.RoleConsumer)
	require.NoError(t, err)
	list, err := ca.Revoke(revoked.Leaf())
	require.NoError(t, err)

	dir := t.TempDir()
	writePEM(t, dir, sdc.CAFile, "CERTIFICATE", ca.certificate.Raw)
	writePEM(t, dir, sdc.CRLFile, "X509 CRL", list.Raw)
	writePair(t, dir, device.Certificate)
	port := udpport.Free(t)

	c := startChild(t, childDir+"="+dir, childPort+"="+strconv.Itoa(int(port)))
	var where []string
	c.read(t, &where)
	target := newTarget(where[0], where[1], multicastGroup(port))
	target.Trusted, target.Bystander = insider.ClientTLS(sdc.RoleProvider), bystander.ClientTLS(sdc.RoleProvider)
	target.Authority, target.Revoked = ca, revoked
	return &victim{target, c}, good
}

// newTarget is a device of this program without what attackers have.
func newTarget(epr, xaddr string, discovery netip.AddrPort) *Target {
	t := &Target{EPR: epr, XAddr: xaddr, Discovery: discovery, Operation: settable}
	t.GetPath, t.SetPath, t.EventPath = t.path()+"/Get", t.path()+"/Set", t.path()+"/StateEvent"
	return t
}

// writePair writes a certificate and its key as [sdc.LoadIdentity] reads them.
func writePair(t *testing.T, dir string, c tls.Certificate) {
	t.Helper()
	key, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey.(*ecdsa.PrivateKey)) //nolint:errcheck,forcetypeassert // issued by an Authority
	require.NoError(t, err)
	writePEM(t, dir, sdc.CertFile, "CERTIFICATE", c.Certificate[0])
	writePEM(t, dir, sdc.KeyFile, "PRIVATE KEY", key)
}

func writePEM(t *testing.T, dir, name, kind string, der []byte) {
	t.Helper()
	require.NoError(t, os.MkdirAll(dir, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
}

// peak is the most memory that the device ever had, in MiB.
func (v *victim) peak(t *testing.T) int {
	t.Helper()
	return v.status(t, "VmHWM") >> 10
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
