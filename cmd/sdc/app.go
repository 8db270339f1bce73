package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/soap"
)

// Exit codes. Scripts can tell a wrong call from one that failed.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// streams are the process's three, injected so that tests run commands as functions.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// cli is the whole command line. Each command is a field whose type has a Run
// method that kong calls with the bound *env.
type cli struct {
	Verbose bool `short:"v" help:"Log what the stack does to standard error; without it, commands that run devices log warnings."`

	Demo      demoCmd      `cmd:"" help:"Two simulated devices and a consumer over mutual TLS on loopback: the whole stack in one command."`
	Simulate  simulateCmd  `cmd:"" help:"Run a simulated device until interrupted."`
	Proxy     proxyCmd     `cmd:"" name:"discovery-proxy" help:"Run a discovery proxy until interrupted: it knows who is present, without multicast."`
	Policy    policyCmd    `cmd:"" help:"Check a policy file: who may do what to a device."`
	Discover  discoverCmd  `cmd:"" help:"List the devices on the network."`
	Info      infoCmd      `cmd:"" help:"Show a device's metadata: model, serial number, services, contexts."`
	Tree      treeCmd      `cmd:"" help:"Show a device's containment tree with current values."`
	Get       getCmd       `cmd:"" help:"Show descriptors and states."`
	Watch     watchCmd     `cmd:"" help:"Show every update as it comes."`
	History   historyCmd   `cmd:"" help:"Show what a device's MDIB was like, from its history service."`
	Set       setCmd       `cmd:"" help:"Set a value or string by an operation and wait for the outcome."`
	Activate  activateCmd  `cmd:"" help:"Invoke an activate operation and wait for the outcome."`
	Context   contextCmd   `cmd:"" help:"Show or set context states: patient, location."`
	DAS       dasCmd       `cmd:"" name:"das" help:"Be the distributed alarm system of a device: show its alarms, and keep it quiet (experimental)."`
	Record    recordCmd    `cmd:"" help:"Record devices into a file until interrupted."`
	Replay    replayCmd    `cmd:"" help:"Replay a recording: its devices, live on the network, with their timing."`
	Recording recordingCmd `cmd:"" help:"Look at recordings and compare them."`
	Export    exportCmd    `cmd:"" help:"Write a recording as a table: CSV or Parquet."`
	Station   stationCmd   `cmd:"" help:"Follow many devices and show them by place and patient; --demo brings some up."`
	Lint      lintCmd      `cmd:"" help:"Check MDIBs, of files or devices, by the rules of the standards."`
	Diff      diffCmd      `cmd:"" help:"Compare two MDIBs, of files or devices."`
	Workflow  workflowCmd  `cmd:"" help:"Let several devices do something together: run and check workflows."`
	Plugathon plugathonCmd `cmd:"" help:"Play the consumer of the plug-a-thon script against a device."`
	Journal   journalCmd   `cmd:"" help:"Show and check the messages that --journal kept."`
	Audit     auditCmd     `cmd:"" help:"Verify and show the audit files of devices."`
	PKI       pkiCmd       `cmd:"" name:"pki" help:"Make test certificates."`
	Complete  completeCmd  `cmd:"" name:"completion" help:"Print a shell completion script."`
}

// env is what a command works with.
type env struct {
	ctx context.Context
	streams
	log     *slog.Logger
	journal soap.Journal // of --journal; nil: none
	keyLog  io.Writer    // of --tls-keylog; nil: none
}

// usageError is a wrong call, as opposed to one that failed.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// errSilent ends the program with exitFailed without another word: the command
// has said all on its own.
var errSilent = errors.New("")

const description = `An SDC (ISO/IEEE 11073) stack on the command line.

Start with a look at the whole:

    sdc demo

A device of your own, and who is there:

    sdc pki init pki
    sdc pki issue pki vent --role provider
    sdc simulate ventilator --tls pki/vent
    sdc discover

On a bench without certificates add --insecure instead of --tls.

A TARGET is an endpoint reference, a unique prefix of one, a friendly name or a URL of the device. Tables are for people; --json gives one object a line. The exit code is 0 for success, 1 for failure, 2 for a wrong call.`

// run executes one command line and returns the exit code.
func run(ctx context.Context, args []string, s streams) int {
	s.err = &lockedWriter{w: s.err}
	written := &output{w: s.out}
	s.out = written
	var c cli
	exited, code := false, 0
	parser, err := kong.New(&c,
		kong.Name("sdc"), kong.Description(description), kong.UsageOnError(),
		kong.Writers(s.out, s.err),
		kong.Exit(func(n int) { exited, code = true, n }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110}),
	)
	if err != nil { // a mistake in the definitions above, found by every test
		fmt.Fprintln(s.err, "sdc:", err)
		return exitFailed
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	k, err := parser.Parse(args)
	if exited {
		return code
	}
	if err != nil {
		var parse *kong.ParseError
		if errors.As(err, &parse) {
			k = parse.Context
		}
		message := err.Error()
		if k != nil && (k.Selected() == nil || !k.Selected().Leaf()) { // what is not expected stands where a command would
			message = strings.Replace(message, "unexpected argument", "there is no command", 1)
		}
		fmt.Fprintf(s.err, "sdc: %s\nTry: %s --help\n", message, calledAs(k))
		return exitUsage
	}
	logs := slog.New(slog.DiscardHandler)
	switch command, _, _ := strings.Cut(k.Command(), " "); {
	case c.Verbose:
		logs = slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: slog.LevelDebug}))
	case command == "simulate" || command == "replay" || command == "discovery-proxy":
		// Who runs a device has to hear that nobody can find it, or that its state is not saved.
		logs = slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: slog.LevelWarn}))
	}
	e := &env{ctx: ctx, streams: s, log: logs}
	closeJournal := func() {}
	if err = checkGiven(k); err == nil {
		closeJournal, err = e.openJournal(k)
	}
	if err == nil {
		err = k.Run(e, parser)
		closeJournal()
	}
	if err == nil {
		err = written.failed()
	}
	var usage usageError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errSilent):
	case errors.Is(err, syscall.EPIPE): // who reads it has seen enough (sdc watch | head -1), which ends a command that would go on until interrupted
		if command, _, _ := strings.Cut(k.Command(), " "); slices.Contains(untilInterrupted(), command) {
			return exitOK
		}
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		fmt.Fprintln(s.err, "sdc: interrupted")
	case errors.As(err, &usage):
		fmt.Fprintf(s.err, "sdc: %s\nTry: %s --help\n", oneLine(err), calledAs(k))
		return exitUsage
	default:
		fmt.Fprintf(s.err, "sdc: %s%s\n", oneLine(err), advice(err))
	}
	return exitFailed
}

// advice says what to do about errors whose texts, which come from the system, do not.
func advice(err error) string {
	switch {
	case errors.Is(err, discovery.ErrNoLink):
		return "; without multicast here, name devices by their URL, by --peer or by --discovery-proxy, or choose another --ip or --interface"
	case errors.Is(err, syscall.EMFILE):
		return "; this program may not open so many files and connections: raise the limit (ulimit -n), or ask for less"
	}
	return ""
}

// untilInterrupted are the commands that run until they are interrupted.
func untilInterrupted() []string {
	return []string{"simulate", "replay", "discovery-proxy", "station", "record", "watch"}
}

// oneLine is an error as scripts get it (docs/commands.md): several that were joined have a line each, and the same one is told once.
func oneLine(err error) string {
	var lines []string
	for line := range strings.SplitSeq(err.Error(), "\n") {
		if !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return onOneLine(strings.Join(lines, "\n"))
}

func onOneLine(text string) string { return printable(strings.ReplaceAll(text, "\n", "; ")) }

// calledAs is what to type for the command that was meant, as far as it was understood.
func calledAs(k *kong.Context) string {
	if k != nil {
		for _, p := range slices.Backward(k.Path) {
			if p.Command != nil {
				return p.Command.FullPath()
			}
		}
	}
	return "sdc"
}
