package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/beevik/etree"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/soap"
	"github.com/semeco/go-sdc/soap/journal"
)

type journalCmd struct {
	Show  journalShowCmd  `cmd:"" default:"withargs" help:"Show the entries of a journal; the default."`
	Check journalCheckCmd `cmd:"" help:"Check that the messages in a journal can be read, by the codec of this stack. Exit code 1 if one cannot."`
}

type journalShowCmd struct {
	File      string   `arg:"" help:"Journal (--journal of any command that is on a network)."`
	Action    string   `placeholder:"TEXT" help:"Only messages whose action has this in it, and their answers."`
	Peer      string   `placeholder:"TEXT" help:"Only what went to, or came from, an address or certificate subject that has this in it."`
	Self      string   `placeholder:"TEXT" help:"Only what one of ours sent or received whose role or endpoint reference has this in it."`
	Direction string   `enum:"both,sent,received" default:"both" help:"Only what was ${enum}."`
	Kind      []string `placeholder:"KIND" enum:"request,answer,notification,datagram,connection" help:"Only these kinds: ${enum}."`
	From      string   `placeholder:"TIME" help:"Only what happened since: how long ago (10m), or a time (2006-01-02T15:04:05Z)."`
	To        string   `placeholder:"TIME" help:"Only what happened until then."`
	Errors    bool     `help:"Only what was refused, failed, or was answered with a status of 400 or more."`
	Pairs     bool     `help:"Show a request and its answer as one, when the answer has come."`
	Body      bool     `help:"Show the contents, XML indented."`
	Follow    bool     `short:"f" help:"Go on with what comes, until interrupted."`
	JSON      bool     `name:"json" help:"The entries as they stand in the file, one JSON object a line."`

	from, to time.Time
}

func (c *journalShowCmd) Run(e *env) (err error) {
	now := time.Now()
	for _, m := range []struct {
		name, text string
		at         *time.Time
	}{{"from", c.From, &c.from}, {"to", c.To, &c.to}} {
		if m.text != "" {
			if *m.at, err = moment(m.text, now); err != nil {
				return usagef("--%s: %w", m.name, err)
			}
		}
	}
	if c.JSON && (c.Body || c.Pairs) {
		return usagef("--json has everything: leave out --body and --pairs")
	}
	entries, done, err := openEntries(e, c.File, c.Follow)
	if err != nil {
		return err
	}
	defer done()
	show := journalShow{journalShowCmd: c, out: e.out, asked: make(map[uint64]asked)}
	for entry, err := range entries {
		if err != nil {
			return err
		}
		if err := show.next(&entry); err != nil {
			return err
		}
	}
	return show.rest()
}

// openEntries returns the entries of a journal, of a file that is one. Lines that are none are told on standard error.
func openEntries(e *env, file string, follow bool) (entries iter.Seq2[journal.Entry, error], done func(), err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, nil, err
	}
	r := journal.NewReader(f)
	first, err := r.Next()
	if err != nil || first.Kind != journal.KindStart {
		err = fmt.Errorf("%s is no journal", file)
		return nil, nil, errors.Join(err, f.Close())
	}
	if first.Format != journal.Format {
		err = fmt.Errorf("%s is a journal of format %d, and this is about %d", file, first.Format, journal.Format)
		return nil, nil, errors.Join(err, f.Close())
	}
	all := journal.Follow(e.ctx, file)
	if !follow {
		all = func(yield func(journal.Entry, error) bool) {
			for more := yield(first, nil); more; {
				entry, err := r.Next()
				if errors.Is(err, io.EOF) {
					return
				}
				var line *journal.LineError
				more = yield(entry, err) && (err == nil || errors.As(err, &line))
			}
		}
	}
	entries = func(yield func(journal.Entry, error) bool) {
		for entry, err := range all {
			var line *journal.LineError
			if errors.As(err, &line) {
				fmt.Fprintf(e.err, "sdc: warning: %s: %s\n", printable(file), oneLine(err))
				continue
			}
			if !yield(entry, err) {
				return
			}
		}
	}
	return entries, func() { _ = f.Close() }, nil // it was only read
}

// journalShow is one showing of a journal.
type journalShow struct {
	*journalShowCmd
	out   io.Writer
	asked map[uint64]asked // requests that have not been answered, by their number
	order []uint64         // those numbers, and some that have been
}

// asked is a request that has not been answered.
type asked struct {
	action string
	// With --pairs, what is shown of it, and whether it is without an answer.
	wanted bool
	line   string
	body   []byte
}

// maxAsked bounds the requests that wait for their answer: it may not be in the journal.
const maxAsked = 256

func (s *journalShow) next(e *journal.Entry) error {
	if e.Kind == journal.KindStart && !e.Continued {
		if err := s.rest(); err != nil { // nobody answers them any more
			return err
		}
	}
	request, answered := s.asked[e.Answers]
	delete(s.asked, e.Answers)
	wanted := s.wants(e, e.Action+" "+request.action)
	line, body := entryLine(e), []byte(nil)
	if s.Body {
		body = e.Document()
	}
	question := e.Kind == soap.KindRequest || e.Kind == soap.KindNotification
	if question && (e.Error == "" || e.Direction == journal.Received) { // it will be answered
		a := asked{action: e.Action}
		if s.Pairs {
			a = asked{e.Action, wanted, line, body}
			wanted = false
		}
		if err := s.remember(e.N, a); err != nil {
			return err
		}
	}
	if answered && s.Pairs {
		if !wanted && !request.wanted {
			return nil
		}
		if err := s.print(request.line, request.body); err != nil {
			return err
		}
		return s.print("  "+line, body)
	}
	switch {
	case !wanted:
		return nil
	case s.JSON:
		return writeJSON(s.out, e)
	}
	return s.print(line, body)
}

// remember keeps a request until its answer comes.
func (s *journalShow) remember(n uint64, a asked) error {
	s.asked[n] = a
	s.order = append(s.order, n)
	for len(s.order) > maxAsked {
		if err := s.giveUp(); err != nil {
			return err
		}
	}
	return nil
}

// giveUp shows the oldest request without its answer, if it is still without.
func (s *journalShow) giveUp() error {
	n := s.order[0]
	s.order = s.order[1:]
	a, ok := s.asked[n]
	delete(s.asked, n)
	if !ok || !a.wanted {
		return nil
	}
	return s.print(a.line+"  (no answer in the journal)", a.body)
}

// rest shows the requests whose answers are missing.
func (s *journalShow) rest() error {
	for len(s.order) > 0 {
		if err := s.giveUp(); err != nil {
			return err
		}
	}
	return nil
}

// wants tells whether the flags ask for an entry. That some are missing concerns everybody. action has that of the request, too.
func (s *journalShow) wants(e *journal.Entry, action string) bool {
	if !s.from.IsZero() && e.Time.Before(s.from) || !s.to.IsZero() && e.Time.After(s.to) {
		return false
	}
	switch e.Kind {
	case journal.KindLost:
		return true
	case journal.KindStart:
		return s.Action == "" && s.Peer == "" && s.Self == "" && s.Direction != journal.Sent && s.Direction != journal.Received && len(s.Kind) == 0 && !s.Errors
	}
	switch {
	case !strings.Contains(action, s.Action),
		!strings.Contains(e.Peer+" "+e.Subject, s.Peer),
		!strings.Contains(e.Role+" "+e.Self, s.Self),
		s.Direction != "both" && s.Direction != e.Direction,
		len(s.Kind) > 0 && !slices.Contains(s.Kind, string(e.Kind)),
		s.Errors && e.Error == "" && e.Status < 400:
		return false
	}
	return true
}

// entryLine is an entry for people.
func entryLine(e *journal.Entry) string {
	at := e.Time.Local().Format("2006-01-02 15:04:05.000000")
	switch e.Kind {
	case journal.KindStart:
		if e.Continued {
			return at + "  the journal goes on in this file"
		}
		return at + "  the journal begins"
	case journal.KindLost:
		return fmt.Sprintf("%s  %d entries are missing", at, e.Lost)
	}
	parts := []string{at, fmt.Sprint("#", e.N), e.Role, map[string]string{journal.Sent: "->", journal.Received: "<-"}[e.Direction]}
	add := func(when bool, format string, args ...any) {
		if when {
			parts = append(parts, fmt.Sprintf(format, args...))
		}
	}
	add(e.Peer != "", "%s", e.Peer)
	add(e.Multicast, "multicast")
	add(e.Subject != "", "(%s)", e.Subject)
	add(true, "%s", e.Kind)
	add(e.Answers > 0, "to #%d", e.Answers)
	add(e.Status != 0, "%d", e.Status)
	add(e.Action != "", "%s", shortAction(e.Action))
	add(e.Kind != soap.KindAnswer && e.Path != "" && (e.Method != "POST" || e.Action == ""), "%s %s", e.Method, e.Path)
	add(e.Repeated, "again")
	add(e.Size > 0, "%d bytes", e.Size)
	add(e.Compressed, "gzip")
	add(e.Truncated, "truncated")
	add(e.Kind == soap.KindAnswer && e.Answers > 0, "after %.3f ms", e.DurationMs)
	add(e.Error != "", "error: %s", e.Error)
	return strings.Join(parts, " ")
}

// shortAction is the end of an action, which tells it from all others that usually come: service and message.
func shortAction(action string) string {
	service, message := path.Split(action)
	if service = path.Base(service); service == "." || strings.Trim(service, "0123456789") == "" { // WS-Discovery has a date there
		return message
	}
	return service + "/" + message
}

// print shows a line, and a content below it.
func (s *journalShow) print(line string, body []byte) error {
	var b bytes.Buffer
	indent := line[:len(line)-len(strings.TrimLeft(line, " "))] + "    "
	fmt.Fprintln(&b, printable(line))
	if len(body) > 0 {
		for text := range strings.Lines(indented(body)) {
			fmt.Fprintln(&b, indent+printable(strings.TrimRight(text, "\r\n")))
		}
	}
	_, err := b.WriteTo(s.out)
	return err
}

// indented is a document with its elements one below the other, if it is XML within the limits of this stack, else as it is.
func indented(doc []byte) string {
	if wellFormed(doc) != nil {
		return string(doc)
	}
	tree := etree.NewDocument()
	if err := tree.ReadFromBytes(doc); err != nil {
		return string(doc)
	}
	tree.Indent(2)
	text, err := tree.WriteToString()
	if err != nil {
		return string(doc)
	}
	return text
}

// wellFormed reads a document to its end. What is deeper than anything that devices send is refused, too.
func wellFormed(doc []byte) error {
	s := xmlscan.NewScanner(doc, xmlscan.Limits{})
	if err := s.Root(); err != nil {
		return err
	}
	if err := s.Skip(); err != nil {
		return err
	}
	return s.End()
}
