package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
)

// prompt asks the person at the terminal.
type prompt struct {
	e     *env
	yes   bool
	quiet bool

	once  sync.Once
	lines chan string
}

func newPrompt(e *env, yes, quiet bool) *prompt {
	return &prompt{e: e, yes: yes, quiet: quiet, lines: make(chan string, 1)}
}

// read hands over the lines of the terminal. Reading cannot be interrupted: it ends with the input, or with the program.
func (p *prompt) read() {
	defer close(p.lines)
	for s := bufio.NewScanner(p.e.in); s.Scan(); {
		p.lines <- s.Text()
	}
}

// Confirm wants the word yes.
func (p *prompt) Confirm(ctx context.Context, question string) (bool, string, error) {
	const who = "user at the terminal"
	if p.yes {
		return true, "--yes", nil
	}
	if p.quiet {
		fmt.Fprintf(p.e.err, "%s [yes/no] ", printable(question))
	} else {
		fmt.Fprintf(p.e.out, "%s [yes/no] ", printable(question))
	}
	p.once.Do(func() { go p.read() })
	select {
	case line, ok := <-p.lines:
		if !ok {
			return false, who, errors.New("the input has ended")
		}
		return strings.EqualFold(strings.TrimSpace(line), "yes"), who, nil
	case <-ctx.Done():
		return false, who, ctx.Err()
	}
}

// Alarm tells what a person has to see to.
func (p *prompt) Alarm(text string) {
	fmt.Fprintf(p.e.err, "\aATTENTION: not undone: %s\n", printable(text))
}
