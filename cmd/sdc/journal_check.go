package main

import (
	"fmt"
	"time"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/soap"
)

type journalCheckCmd struct {
	File string `arg:"" help:"Journal (--journal of any command that is on a network)."`
	JSON bool   `name:"json" help:"One JSON object a problem."`
}

// journalProblem is a message that cannot be read.
type journalProblem struct {
	N         uint64    `json:"n"`
	Time      time.Time `json:"time"`
	Direction string    `json:"direction"`
	Peer      string    `json:"peer,omitempty"`
	Action    string    `json:"action,omitempty"`
	Message   string    `json:"message"`
}

func (c *journalCheckCmd) Run(e *env) error {
	entries, done, err := openEntries(e, c.File, false)
	if err != nil {
		return err
	}
	defer done()
	var whole, passed, problems int
	for entry, err := range entries {
		switch {
		case err != nil:
			return err
		case entry.Size == 0 || entry.Method == "GET" || entry.Method == "HEAD": // documents such as WSDL are no messages
			continue
		case !entry.Whole():
			passed++
			continue
		}
		whole++
		err := checkMessage(entry.Document())
		if err == nil {
			continue
		}
		problems++
		p := journalProblem{entry.N, entry.Time, entry.Direction, entry.Peer, entry.Action, err.Error()}
		if c.JSON {
			err = writeJSON(e.out, p)
		} else {
			_, err = fmt.Fprintf(e.out, "%s: %s\n", printable(entryLine(&entry)), onOneLine(p.Message))
		}
		if err != nil {
			return err
		}
	}
	if !c.JSON {
		fmt.Fprintf(e.out, "%d messages read, %d cannot be; %d were not kept whole\n", whole, problems, passed)
	}
	if problems > 0 {
		return errSilent
	}
	return nil
}

// checkMessage reads a message as its receiver does: the envelope, its header, a fault, a message of BICEPS. Other bodies have to be well-formed.
func checkMessage(doc []byte) error {
	env, err := soap.Parse(doc, xmlscan.Limits{})
	if err != nil {
		return err
	}
	var understood []soap.Name // whether the receiver did is not known here
	for _, b := range env.Header.Blocks {
		understood = append(understood, b.Name)
	}
	if err := env.Check(understood...); err != nil {
		return err
	}
	if _, fault, err := env.Fault(); fault {
		return err
	}
	if env.BodyName().Space != msg.Namespace {
		return wellFormed(doc)
	}
	_, err = soap.DecodeAnswer(env, env.BodyName(), msg.Decode)
	return err
}
