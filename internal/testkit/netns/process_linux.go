package netns

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// Program is what a process in a namespace runs: a function of the test binary. ctx ends when
// the test is over or stops it. It reads what [Process.Tell] sends from p.Told and writes lines
// for [Process.Expect] with p.Say; what it writes to the standard error is shown when the test
// fails. An error makes the process fail.
type Program func(ctx context.Context, p *Child, args []string) error

// Programs are the programs of a test binary by name.
type Programs map[string]Program

// Child is the program's end of a [Process].
type Child struct {
	// Told has the lines that the test sends; it is closed when ctx ends.
	Told <-chan string
	mu   sync.Mutex
	out  io.Writer
}

// Say sends one line to the test.
func (c *Child) Say(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fmt.Fprintf(c.out, format+"\n", args...)
}

// Variables between the test and its processes.
const (
	programVar = "SDC_NETNS_PROGRAM"
	insideVar  = "SDC_NETNS_INSIDE" // this test binary has been put into a user namespace
)

// Enter comes first in TestMain. In a process made by [Host.Start] it runs the program and ends
// the process. A user other than root gets the test binary run again within a user namespace in
// which he is root, if the kernel allows that. Otherwise it returns at once.
func Enter(programs Programs) {
	if name := os.Getenv(programVar); name != "" {
		os.Exit(runProgram(programs[name], name)) //nolint:forbidigo // the process is the program's
	}
	if os.Geteuid() == 0 {
		if os.Getenv(insideVar) != "" {
			// The new network namespace that came with the user namespace.
			if lo, err := netlink.LinkByName("lo"); err == nil {
				_ = netlink.LinkSetUp(lo)
			}
		}
		return
	}
	cmd := exec.CommandContext(context.Background(), "/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), insideVar+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr //nolint:forbidigo // it takes this process's place
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
	}
	if cmd.Start() != nil {
		return // not allowed; New says so
	}
	_ = cmd.Wait()
	os.Exit(cmd.ProcessState.ExitCode()) //nolint:forbidigo // it took this process's place
}

func runProgram(run Program, name string) int {
	if run == nil {
		fmt.Fprintf(os.Stderr, "no program %q\n", name) //nolint:forbidigo // of this process
		return 2
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	told := make(chan string, 16)
	go func() {
		defer close(told)
		defer cancel()
		in := bufio.NewScanner(os.Stdin)
		for in.Scan() {
			select {
			case told <- in.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	err := run(ctx, &Child{Told: told, out: os.Stdout}, os.Args[1:]) //nolint:forbidigo // of this process
	if err != nil {
		fmt.Fprintln(os.Stderr, err) //nolint:forbidigo // of this process
		return 1
	}
	return 0
}

// Process is a process on a host, or beside the test.
type Process struct {
	t     testing.TB
	name  string
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines chan string
	log   syncBuffer
	ended chan struct{}
	err   error // valid once ended is closed
	once  sync.Once
}

// Start runs a program of this test binary (see [Enter]) on the host. It is stopped at the end
// of the test, and the test fails if it does not end well.
func (h *Host) Start(program string, args ...string) *Process {
	h.lab.t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(h.lab.t.Context()), "/proc/self/exe", args...)
	cmd.Env = append(os.Environ(), programVar+"="+program)
	return h.Command(program, cmd)
}

// Command runs any command on the host, with the same supervision as Start: its standard input
// is closed, or it gets SIGTERM, whichever ends it first, at the end of the test.
func (h *Host) Command(name string, cmd *exec.Cmd) *Process {
	h.lab.t.Helper()
	// A process begins in its parent thread's namespace.
	return command(h.lab.t, h.name+"/"+name, cmd, func() error { return h.do(cmd.Start) })
}

// Start runs a program of this test binary as a process beside the test, in no network of its own, with more environment variables ("NAME=value").
// It is supervised as those of [Host.Start] are.
func Start(t testing.TB, env []string, program string, args ...string) *Process {
	t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), "/proc/self/exe", args...)
	cmd.Env = append(append(os.Environ(), env...), programVar+"="+program)
	return command(t, program, cmd, cmd.Start)
}

func command(t testing.TB, name string, cmd *exec.Cmd, start func() error) *Process {
	t.Helper()
	p := &Process{t: t, name: name, cmd: cmd, lines: make(chan string, 4096), ended: make(chan struct{})}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	p.in = stdin
	cmd.Stderr = &p.log
	if err := start(); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	go func() {
		defer close(p.ended)
		out := bufio.NewScanner(stdout)
		out.Buffer(nil, 1<<20)
		for out.Scan() {
			select {
			case p.lines <- out.Text():
			default:
				p.log.add("(line dropped, nobody reads) " + out.Text() + "\n")
			}
		}
		_, _ = io.Copy(io.Discard, stdout)
		close(p.lines)
		p.err = cmd.Wait()
	}()
	t.Cleanup(func() {
		p.Stop()
		if t.Failed() {
			t.Logf("standard error of %s:\n%s", p.name, p.log.text())
		}
	})
	return p
}

// patience bounds every wait for a process; it is there to end a test that hangs.
const patience = 60 * time.Second

// Expect returns the rest of the next line that begins with prefix; lines before it are
// skipped. The test fails when the process ends without saying it, or after a minute.
func (p *Process) Expect(prefix string) string {
	p.t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		select {
		case line, ok := <-p.lines:
			if !ok {
				p.t.Fatalf("%s has ended without saying %q\n%s", p.name, prefix, p.log.text())
			}
			if rest, ok := strings.CutPrefix(line, prefix); ok {
				return strings.TrimSpace(rest)
			}
			p.log.add("(skipped) " + line + "\n")
		case <-timer.C:
			p.t.Fatalf("%s does not say %q\n%s", p.name, prefix, p.log.text())
		}
	}
}

// Tell sends one line to the program.
func (p *Process) Tell(format string, args ...any) {
	p.t.Helper()
	if _, err := fmt.Fprintf(p.in, format+"\n", args...); err != nil {
		p.t.Fatalf("tell %s: %v", p.name, err)
	}
}

// Stop ends the process in an orderly way and waits. The test fails when it does not end or
// ends with an error. A process that has been killed is left alone.
func (p *Process) Stop() {
	p.t.Helper()
	p.once.Do(func() {
		_ = p.in.Close()
		if p.cmd.Env == nil || !hasProgram(p.cmd.Env) {
			_ = p.cmd.Process.Signal(syscall.SIGTERM)
		}
		timer := time.NewTimer(patience)
		defer timer.Stop()
		select {
		case <-p.ended:
			if p.err != nil {
				p.t.Errorf("%s: %v\n%s", p.name, p.err, p.log.text())
			}
		case <-timer.C:
			_ = p.cmd.Process.Kill()
			<-p.ended
			p.t.Errorf("%s does not end\n%s", p.name, p.log.text())
		}
	})
}

// Kill ends the process as a crash or a power cut does.
func (p *Process) Kill() {
	p.once.Do(func() {
		_ = p.cmd.Process.Kill()
		<-p.ended
	})
}

// Signal sends a signal to the process. One that is stopped must be continued before the end of the test.
func (p *Process) Signal(sig syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		p.t.Fatalf("%s to %s: %v", sig, p.name, err)
	}
}

// Log returns what the process has written to its standard error so far.
func (p *Process) Log() string { return p.log.text() }

func hasProgram(env []string) bool {
	for _, e := range env {
		if strings.HasPrefix(e, programVar+"=") {
			return true
		}
	}
	return false
}

// syncBuffer keeps the last of what is written.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// keepLog bounds what is kept of a process's standard error, in bytes.
const keepLog = 256 << 10

func (s *syncBuffer) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.b.Len()+len(b) > keepLog {
		s.b.Next(s.b.Len() / 2)
	}
	return s.b.Write(b)
}

func (s *syncBuffer) add(line string) { _, _ = s.Write([]byte(line)) }

func (s *syncBuffer) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func nsHandle(f *os.File) netns.NsHandle { return netns.NsHandle(f.Fd()) }
