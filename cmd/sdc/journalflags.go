package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/semeco/go-sdc/soap/journal"
)

// journalFlags keep the messages of a command that is on a network.
type journalFlags struct {
	Journal         string `placeholder:"FILE" help:"Keep every message that is sent and received in this file (sdc journal shows it). It may hold patient data: mode 0600, for test benches."`
	JournalMax      int64  `name:"journal-max-mib" placeholder:"MIB" help:"Size of that file; when it is full it becomes FILE.1, in the place of the one before. Default: 64."`
	JournalNoBodies bool   `name:"journal-no-bodies" help:"Leave the contents of messages out of it: times, addresses and actions stay."`
}

func (f *journalFlags) journaling() *journalFlags { return f }

func (f *trustFlags) keyLogFile() (path string, insecure bool) { return f.TLSKeyLog, f.Insecure }

// openJournal opens what the flags of the command that was chosen ask for: the files of --journal and --tls-keylog. Problems at the end are told, and
// change nothing about what the command has come to.
func (e *env) openJournal(k *kong.Context) (closeAll func(), err error) {
	var closing []func()
	closeAll = func() {
		for _, c := range closing {
			c()
		}
	}
	command := k.Selected().Target.Addr().Interface()
	if c, ok := command.(interface{ journaling() *journalFlags }); ok {
		j, err := c.journaling().open(e)
		if err != nil {
			return nil, err
		}
		if j != nil {
			e.journal = j
			closing = append(closing, func() {
				ctx, cancel := context.WithTimeout(context.WithoutCancel(e.ctx), 5*time.Second)
				defer cancel()
				if err := j.Close(ctx); err != nil {
					fmt.Fprintln(e.err, "sdc: warning:", oneLine(err))
				}
			})
		}
	}
	if c, ok := command.(interface{ keyLogFile() (string, bool) }); ok {
		path, insecure := c.keyLogFile()
		if path != "" && insecure {
			closeAll()
			return nil, usagef("--tls-keylog does not go with --insecure, which has no keys")
		}
		if path != "" {
			f, err := openKeyLog(path)
			if err != nil {
				closeAll()
				return nil, fmt.Errorf("--tls-keylog: %w", err)
			}
			fmt.Fprintf(e.err, "sdc: warning: the keys of all TLS connections are written to %s: whoever has it reads all that is said\n", printable(path))
			e.keyLog = f
			closing = append(closing, func() {
				if err := f.Close(); err != nil {
					fmt.Fprintln(e.err, "sdc: warning:", oneLine(err))
				}
			})
		}
	}
	return closeAll, nil
}

// open opens the journal; nil without --journal.
func (f *journalFlags) open(e *env) (*journal.Journal, error) {
	if f.JournalMax < 0 || f.JournalMax > 1<<20 || (f.JournalMax > 0 || f.JournalNoBodies) && f.Journal == "" {
		return nil, usagef("--journal-max-mib takes 1 to 1048576, and like --journal-no-bodies goes with --journal")
	}
	if f.Journal == "" {
		return nil, nil //nolint:nilnil // there is none
	}
	j, err := journal.Open(f.Journal, journal.Config{MaxSize: f.JournalMax << 20, NoBodies: f.JournalNoBodies, Logger: e.log})
	if err != nil {
		return nil, fmt.Errorf("--journal: %w", err)
	}
	return j, nil
}

// openKeyLog opens a file of keys for appending, as browsers do. Another file is refused and left alone.
func openKeyLog(path string) (*os.File, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	first, _ := bufio.NewReader(f).ReadString('\n')
	known := first == ""
	for _, prefix := range []string{"#", "CLIENT_", "SERVER_", "EXPORTER_", "EARLY_", "RSA "} {
		known = known || strings.HasPrefix(first, prefix)
	}
	if !known {
		return nil, errors.Join(fmt.Errorf("%s holds something else than keys of TLS", path), f.Close())
	}
	if info, err := f.Stat(); err != nil {
		return nil, errors.Join(err, f.Close())
	} else if info.Mode().Perm()&0o077 != 0 {
		if err := f.Chmod(0o600); err != nil {
			return nil, errors.Join(fmt.Errorf("%s is open to others: %w", path, err), f.Close())
		}
	}
	return f, nil
}
