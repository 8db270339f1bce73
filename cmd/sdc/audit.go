package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/semeco/go-sdc/sdc/audit"
)

type auditCmd struct {
	Verify auditVerifyCmd `cmd:"" help:"Check that no record of an audit file was changed, removed, inserted or moved. Exit code 1 if one was."`
	Show   auditShowCmd   `cmd:"" help:"Show the records of an audit file."`
}

type auditVerifyCmd struct {
	File   []string `arg:"" help:"Audit file (--audit of sdc simulate, station and workflow run), with those that were set aside for it; or several files, the oldest first."`
	After  string   `placeholder:"NUMBER:HASH" help:"Record that the first of the files continues, as this command prints it, where older files are kept elsewhere."`
	Expect string   `placeholder:"HASH" help:"Hash of a record noted earlier, as this command prints it. Without it nobody can tell that records were removed from the end, or the whole file was written anew."`
	JSON   bool     `name:"json" help:"One JSON object."`
}

func (c *auditVerifyCmd) Run(e *env) error {
	if c.Expect != "" && len(c.Expect) != 64 {
		return usagef("--expect takes the 64 hexadecimal digits of a hash, not %q", c.Expect)
	}
	after, err := c.after()
	if err != nil {
		return err
	}
	files := c.File
	if len(files) == 1 && after.Number == 0 {
		if files, err = audit.Files(files[0]); err != nil {
			return err
		}
	}
	rep, err := audit.VerifyFiles(files, after, strings.ToLower(c.Expect))
	if err != nil {
		return err
	}
	if c.JSON {
		if err := writeJSON(e.out, rep); err != nil {
			return err
		}
	} else {
		c.print(e.out, rep)
	}
	if len(rep.Problems) > 0 {
		return errSilent
	}
	return nil
}

// after is where the files begin.
func (c *auditVerifyCmd) after() (audit.Chain, error) {
	if c.After == "" {
		return audit.Chain{}, nil
	}
	number, hash, ok := strings.Cut(c.After, ":")
	n, err := strconv.ParseUint(number, 10, 64)
	if !ok || err != nil || n == 0 || len(hash) != 64 {
		return audit.Chain{}, usagef("--after takes the number and the hash of a record, NUMBER:HASH, not %q", c.After)
	}
	return audit.Chain{Number: n, Hash: strings.ToLower(hash)}, nil
}

func (c *auditVerifyCmd) print(w io.Writer, rep *audit.Report) {
	for _, p := range rep.Problems {
		fmt.Fprintf(w, "%s line %d: %s\n", p.File, p.Line, p.Message)
	}
	if rep.Records == 0 {
		fmt.Fprintln(w, "no records")
		return
	}
	fmt.Fprintf(w, "%d records from %s to %s\n", rep.Records, rep.First.Format(time.RFC3339), rep.Last.Format(time.RFC3339))
	if rep.Lost > 0 {
		fmt.Fprintf(w, "%d events were lost when they happened, as the file itself says\n", rep.Lost)
	}
	if len(rep.Problems) > 0 {
		return
	}
	fmt.Fprintf(w, "the chain is whole; it ends with record %d, hash %s\n", rep.End.Number, rep.End.Hash)
	if c.Expect == "" {
		fmt.Fprintln(w, "records removed from the end cannot be told without --expect")
	}
}

type auditShowCmd struct {
	File string       `arg:"" help:"Audit file."`
	Kind []audit.Kind `placeholder:"KIND" help:"Only these kinds: connected, refused, read, subscribed, invoked, finished, denied, controlled, decided, monitored, opened, lost."`
	Peer string       `placeholder:"TEXT" help:"Only records whose subject, fingerprint or user has this in it."`
	JSON bool         `name:"json" help:"One JSON object a record."`
}

func (c *auditShowCmd) Run(e *env) error {
	kinds := map[audit.Kind]bool{}
	for _, k := range c.Kind {
		switch k {
		case audit.Connected, audit.Refused, audit.Read, audit.Subscribed, audit.Invoked, audit.Finished, audit.Denied, audit.Controlled, audit.Decided, audit.Monitored, audit.Opened, audit.Lost:
			kinds[k] = true
		default:
			return usagef("there is no kind %q", k)
		}
	}
	f, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // it was only read
	var failed error
	found := false
	err = audit.Each(f, func(r *audit.Record) bool {
		found = true
		if len(kinds) > 0 && !kinds[r.Kind] || c.Peer != "" && !strings.Contains(r.Subject, c.Peer) && !strings.Contains(r.Fingerprint, c.Peer) && !strings.Contains(r.User, c.Peer) {
			return true
		}
		if c.JSON {
			failed = writeJSON(e.out, r)
		} else {
			_, failed = fmt.Fprintln(e.out, auditLine(r))
		}
		return failed == nil
	})
	if info, statErr := f.Stat(); !found && cmp.Or(err, failed, statErr) == nil && info.Size() > 0 {
		return fmt.Errorf("%s has no audit records", c.File)
	}
	return cmp.Or(err, failed)
}

// auditLine is a record for people. Texts of peers are quoted: they must not play with the terminal.
func auditLine(r *audit.Record) string {
	parts := []string{fmt.Sprint(r.Number), r.Time.Format(time.RFC3339Nano), string(r.Kind)}
	for _, p := range []struct{ name, value string }{
		{"peer", r.Subject}, {"sha256", shorten(r.Fingerprint)}, {"from", r.Remote}, {"user", r.User}, {"run", r.Run}, {"step", r.Step}, {"action", r.Action[strings.LastIndexByte(r.Action, '/')+1:]},
		{"operation", r.Operation}, {"target", r.Target}, {"outcome", r.Outcome}, {"reason", r.Reason},
	} {
		if p.value != "" {
			parts = append(parts, fmt.Sprintf("%s=%q", p.name, p.value))
		}
	}
	if r.Transaction != 0 {
		parts = append(parts, fmt.Sprintf("transaction=%d", r.Transaction))
	}
	if r.Count != 0 {
		parts = append(parts, fmt.Sprintf("count=%d", r.Count))
	}
	return strings.Join(parts, " ")
}

func shorten(fingerprint string) string { return fingerprint[:min(16, len(fingerprint))] }
