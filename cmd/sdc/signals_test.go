//go:build unix

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/internal/testkit/bubble"
	"github.com/semeco/go-sdc/sdc"
)

// program starts sdc as a process of its own, which reads nothing, and ends with the test.
func program(t *testing.T, args ...string) (cmd *exec.Cmd, out io.ReadCloser, errs *strings.Builder) {
	t.Helper()
	cmd = exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	errs = new(strings.Builder)
	cmd.Stderr = errs
	require.NoError(t, cmd.Start())
	return cmd, out, errs
}

func lineOf(t *testing.T, out io.Reader) string {
	t.Helper()
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	return line
}

// A device says Bye whatever orderly way its program is ended: Ctrl-C, kill, or the terminal that is closed.
func TestSignalsEndInGoodOrder(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(s.String(), func(t *testing.T) {
			p := port(t)
			number, err := strconv.ParseUint(p, 10, 16)
			require.NoError(t, err)
			client, err := discovery.NewClient(discovery.ClientConfig{UDP: sdc.Network{DiscoveryPort: uint16(number)}.UDP()})
			require.NoError(t, err)
			defer func() { require.NoError(t, client.Close()) }()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			cmd, out, errs := program(t, "simulate", "pump", "--insecure", "--json", "--discovery-port", p)
			var a announced
			require.NoError(t, json.Unmarshal([]byte(lineOf(t, out)), &a))
			gone := false
			for ev := range client.Watch(ctx, discovery.Filter{Types: discovery.DeviceTypes()}) {
				if ev.Endpoint.EPR != a.EPR {
					continue
				}
				if gone = ev.Kind == discovery.Gone; gone {
					break
				}
				require.NoError(t, cmd.Process.Signal(s))
				if s != syscall.SIGHUP {
					require.NoError(t, cmd.Process.Signal(s)) // as timeout(1) does, which signals its child and then the group
				}
			}
			require.True(t, gone, "no Bye: %s", errs)
			require.NoError(t, cmd.Wait(), errs.String())
		})
	}
}

// Whoever starts a program by nohup wants it to go on when the terminal is closed.
func TestAHangupThatIsIgnoredStaysIgnored(t *testing.T) {
	shell, err := exec.LookPath("sh")
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), shell, "-c", `trap "" HUP; exec "$@"`, "sh", os.Args[0], "simulate", "pump", "--insecure", "--json", "--discovery-port", port(t))
	cmd.Env = append(os.Environ(), asProgram+"=1")
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var a announced
	require.NoError(t, json.Unmarshal([]byte(lineOf(t, out)), &a))
	require.NoError(t, cmd.Process.Signal(syscall.SIGHUP))
	code, seen, errs := call(t, "watch", a.XAddrs[0], "--for", "2s", "--insecure", "--discovery-port", port(t))
	require.Equal(t, exitOK, code, errs)
	require.NotEmpty(t, seen)
	require.NotContains(t, seen, "-- stale")
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(t, cmd.Wait())
}

// What reads the output may end before the program does. The device is left in good order, nothing is said, and the code is that of an interruption.
func TestNobodyReadsTheOutputAnyMore(t *testing.T) {
	p := port(t)
	epr, url := simulate(t, "monitor", "--insecure", "--discovery-port", p)
	for _, args := range [][]string{{"watch", url}, {"watch", url, "--json"}, {"station", "--every", "10ms"}} {
		cmd, out, errs := program(t, append(args, "--insecure", "--discovery-port", p)...)
		require.NotEmpty(t, lineOf(t, out))
		require.NoError(t, out.Close())
		require.NoError(t, cmd.Wait(), "%v: %s", args, errs)
		require.Empty(t, errs.String(), args)
	}
	// What has something to tell and cannot, has failed, without a word.
	cmd, out, errs := program(t, "tree", epr, "--insecure", "--discovery-port", p)
	require.NoError(t, out.Close())
	var exit *exec.ExitError
	require.ErrorAs(t, cmd.Wait(), &exit)
	require.Equal(t, exitFailed, exit.ExitCode(), "not by the signal")
	require.Empty(t, errs.String())
}

// A record is whole whoever reads what is said about it.
func TestRecordGoesOnWithoutAReader(t *testing.T) {
	p := port(t)
	_, url := simulate(t, "monitor", "--insecure", "--discovery-port", p)
	file := filepath.Join(t.TempDir(), "x.sdcrec")
	cmd, out, errs := program(t, "record", url, "-o", file, "--for", "1s", "--insecure", "--discovery-port", p)
	require.NoError(t, out.Close())
	require.NoError(t, cmd.Wait(), errs.String())
	code, info, text := call(t, "recording", "info", file)
	require.Equal(t, exitOK, code, text)
	require.Contains(t, info, "whole: ")
}

// One signal may come twice, by way of a shell and of the kernel. A second one of somebody who does not want to wait ends the program at once.
func TestTheSecondSignal(t *testing.T) {
	for name, c := range map[string]struct {
		second os.Signal
		after  time.Duration
		now    bool
	}{
		"the same, by another way": {syscall.SIGTERM, time.Millisecond, false},
		"impatience":               {os.Interrupt, time.Second, true},
		"a terminal that closes":   {syscall.SIGHUP, time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				signals := make(chan os.Signal, 1)
				ended := false
				ctx, stop := untilSignal(t.Context(), signals, func() { ended = true })
				defer stop()
				synctest.Wait()
				require.NoError(t, ctx.Err())
				signals <- syscall.SIGTERM
				synctest.Wait()
				require.ErrorIs(t, ctx.Err(), context.Canceled)
				time.Sleep(c.after)
				signals <- c.second
				synctest.Wait()
				require.Equal(t, c.now, ended)
			})
		})
	}
}

// refusing is a writer that takes nothing.
type refusing struct{ err error }

func (r refusing) Write([]byte) (int, error) {
	return 0, &os.PathError{Op: "write", Path: "/dev/stdout", Err: r.err}
}

// What could not be written is a failure, also of commands that do not look.
func TestOutputThatCannotBeWritten(t *testing.T) {
	var errs strings.Builder
	write := func(err error) int {
		errs.Reset()
		return run(t.Context(), []string{"workflow", "list"}, streams{in: strings.NewReader(""), out: refusing{err}, err: &errs})
	}
	require.Equal(t, exitFailed, write(syscall.ENOSPC))
	require.Equal(t, "sdc: write /dev/stdout: no space left on device\n", errs.String())
	require.Equal(t, exitFailed, write(syscall.EPIPE))
	require.Empty(t, errs.String(), "nobody wants to know")
}
