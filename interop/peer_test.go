package interop

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/semeco/go-sdc/internal/testkit/reftest"
	"github.com/semeco/go-sdc/internal/testkit/udpport"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/pki"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait for the peer. Interpreters start slowly on a busy host.
const patience = 60 * time.Second

// python returns the peer's interpreter. Without one the test is skipped, or fails
// if SDC_REQUIRE_PEER=1.
func python(t *testing.T) string {
	t.Helper()
	path, ok := reftest.PeerPython()
	if ok {
		return path
	}
	const why = "no Python peer: make venv installs it into .venv"
	if os.Getenv("SDC_REQUIRE_PEER") == "1" {
		t.Fatalf("%s (SDC_REQUIRE_PEER=1)", why)
	}
	t.Skipf("SKIPPED, NOT TESTED: %s", why)
	return ""
}

// world is what the two sides of one test share.
type world struct {
	epr    string
	port   uint16 // of discovery, so that tests do not hear one another
	tlsDir string // of the peer; "" without TLS
	ours   *sdc.Identity
}

func newWorld(t *testing.T, secure bool, ours sdc.Role) *world {
	t.Helper()
	w := &world{epr: uuid.New().URN(), port: udpport.Free(t)}
	if !secure {
		return w
	}
	theirs := sdc.RoleBoth &^ ours
	ca, err := pki.NewCA("interop", time.Hour)
	require.NoError(t, err)
	peer, err := ca.Issue(pki.Request{Name: "peer", Role: theirs})
	require.NoError(t, err)
	w.tlsDir = t.TempDir()
	require.NoError(t, peer.Write(w.tlsDir))
	own, err := ca.Issue(pki.Request{Name: "own", Role: ours})
	require.NoError(t, err)
	w.ours, err = own.Identity()
	require.NoError(t, err)
	return w
}

func (w *world) network() sdc.Network {
	n := sdc.Loopback()
	n.DiscoveryPort = w.port
	return n
}

// event is one line of a peer's output.
type event struct {
	Event string `json:"event"`
	raw   []byte
}

func (e event) decode(t *testing.T, into any) {
	t.Helper()
	require.NoError(t, json.Unmarshal(e.raw, into), "%s", e.raw)
}

// peer is a running peer program.
type peer struct {
	name   string
	stdin  io.WriteCloser
	cmd    *exec.Cmd
	stderr strings.Builder
	exited chan struct{}

	mu     sync.Mutex
	events []event
	next   int           // the first event that expect has not looked at
	more   chan struct{} // one token: events has grown
}

// start runs one of the Python programs until the test ends.
func (w *world) start(t *testing.T, program string, args ...string) *peer {
	t.Helper()
	args = append([]string{filepath.Join("python", program), "--epr", w.epr, "--discovery-port", fmt.Sprint(w.port)}, args...)
	if w.tlsDir != "" {
		args = append(args, "--tls", w.tlsDir)
	}
	return launch(t, program, python(t), args...)
}

// launch runs a peer until the test ends.
func launch(t *testing.T, program, executable string, args ...string) *peer {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	p := &peer{name: program, more: make(chan struct{}, 1), exited: make(chan struct{})}
	p.cmd = exec.CommandContext(ctx, executable, args...)
	p.cmd.Stderr = &p.stderr
	p.cmd.WaitDelay = 5 * time.Second
	// Its notifications must reach the loopback, whatever proxy the host has.
	p.cmd.Env = append(os.Environ(), "no_proxy=127.0.0.1", "PYTHONDONTWRITEBYTECODE=1")
	stdout, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	p.stdin, err = p.cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	go func() {
		defer close(p.exited)
		p.read(stdout)
		// Killed or not: what it said is what counts.
		_ = p.cmd.Wait()
	}()
	t.Cleanup(func() {
		p.stdin.Close()
		select {
		case <-p.exited:
		case <-time.After(15 * time.Second):
			t.Errorf("%s does not end", program)
		}
		cancel()
		<-p.exited
		if t.Failed() {
			t.Logf("last words of %s:\n%s%s", program, p.tail(20), p.stderr.String())
		}
	})
	return p
}

func (p *peer) read(r io.Reader) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		e := event{raw: append([]byte(nil), lines.Bytes()...)}
		if err := json.Unmarshal(e.raw, &e); err != nil {
			e.Event = "garbage"
		}
		p.mu.Lock()
		p.events = append(p.events, e)
		p.mu.Unlock()
		select {
		case p.more <- struct{}{}:
		default:
		}
	}
}

// do sends a command and waits for the event that answers it.
func (p *peer) do(t *testing.T, answer string, command map[string]any) event {
	t.Helper()
	line, err := json.Marshal(command)
	require.NoError(t, err)
	return p.say(t, answer, string(line))
}

// say sends a line and waits for the event that answers it.
func (p *peer) say(t *testing.T, answer, line string) event {
	t.Helper()
	_, err := io.WriteString(p.stdin, line+"\n")
	require.NoError(t, err, "%s", p.tail(10))
	return p.expect(t, answer)
}

// expect waits for the next event of a kind; an event "error" ends the test.
func (p *peer) expect(t *testing.T, kind string) event {
	t.Helper()
	deadline := time.After(patience)
	for {
		p.mu.Lock()
		for p.next < len(p.events) {
			e := p.events[p.next]
			p.next++
			if e.Event == "error" || e.Event == kind {
				p.mu.Unlock()
				require.Equal(t, kind, e.Event, "%s: %s", p.name, e.raw)
				return e
			}
		}
		p.mu.Unlock()
		select {
		case <-p.more:
		case <-p.exited:
			p.mu.Lock()
			rest := len(p.events) - p.next
			p.mu.Unlock()
			if rest == 0 {
				require.FailNow(t, "the peer has ended", "%s, waiting for %q: %s%s", p.name, kind, p.tail(10), p.stderr.String())
			}
		case <-deadline:
			require.FailNow(t, "the peer says nothing", "%s, waiting for %q: %s", p.name, kind, p.tail(10))
		}
	}
}

// all returns the events of a kind so far.
func (p *peer) all(kind string) []event {
	p.mu.Lock()
	defer p.mu.Unlock()
	var found []event
	for _, e := range p.events {
		if e.Event == kind {
			found = append(found, e)
		}
	}
	return found
}

func (p *peer) tail(n int) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var b strings.Builder
	for _, e := range p.events[max(0, len(p.events)-n):] {
		fmt.Fprintf(&b, "%.300s\n", e.raw)
	}
	return b.String()
}

// complaints fails the test for everything the peer warned of or refused, except
// texts that contain one of the excuses: known behaviour of the peer's own.
func (p *peer) complaints(t *testing.T, excuses ...string) {
	t.Helper()
	for _, e := range append(p.all("log"), append(p.all("error"), p.all("garbage")...)...) {
		excused := false
		for _, x := range excuses {
			excused = excused || strings.Contains(string(e.raw), x)
		}
		if !excused {
			t.Errorf("%s complains: %.1500s", p.name, e.raw)
		}
	}
}

// stop ends the peer in an orderly way.
func (p *peer) stop(t *testing.T) {
	t.Helper()
	p.do(t, "stopped", map[string]any{"do": "stop"})
}

// picture is an MDIB as the peer describes it.
type picture struct {
	Version     uint64                     `json:"version"`
	Sequence    string                     `json:"sequence"`
	Descriptors map[string]descriptorImage `json:"descriptors"`
	States      map[string]stateImage      `json:"states"`
}

type descriptorImage struct {
	Type    string `json:"type"`
	Parent  string `json:"parent"`
	Version uint64 `json:"version"`
}

type stateImage struct {
	Type              string   `json:"type"`
	Descriptor        string   `json:"descriptor"`
	Version           uint64   `json:"version"`
	DescriptorVersion uint64   `json:"descriptor_version"`
	Association       string   `json:"association,omitempty"`
	Value             string   `json:"value,omitempty"`
	Samples           []string `json:"samples,omitempty"`
	Presence          string   `json:"Presence,omitempty"`
	ActivationState   string   `json:"ActivationState,omitempty"`
	OperatingMode     string   `json:"OperatingMode,omitempty"`
}
