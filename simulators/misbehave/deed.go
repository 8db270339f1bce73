// Package misbehave lets simulated devices do what devices should not: lose messages, hang, vanish, restart without a word, refuse. It is for testing consumers.
//
// The device itself is the one of package provider and knows nothing of it. What is done to its messages, connections and datagrams is done from outside, where a
// provider.Config can be changed: OverNotifications, Listen, Dial, Transport and the handlers of operations. Every deed is logged as a warning when it is done, so
// that it can be matched with what a consumer saw. When the context of [Run] ends, the device behaves again and leaves in good order, no-bye excepted.
package misbehave

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Plan says what a device does wrong. The zero value is a device that behaves.
type Plan struct {
	// Lose, Repeat, Garble and Swap are done to every so many-th notification of a connection; 0 is never. Swap is at least 2. Of several that meet in one
	// notification, the first in this order is done: Lose, Garble, Swap, Repeat.
	Lose, Repeat, Garble, Swap int
	// Delay is how long each notification is held back, while the device believes that it has arrived; at most MaxDelay.
	Delay time.Duration
	// Freeze is when the device neither reads nor answers nor sends, with its connections open. Vanish is when its connections are cut, new ones reset, and its
	// discovery silent.
	Freeze, Vanish Spell
	// Restart is how long the device lives before it starts anew, without Bye and SubscriptionEnd; 0 is for ever, at least MinLife otherwise.
	Restart time.Duration
	// RefuseOperations lets all calls of operations fail, HangOperations keeps them from ever ending. Only one of them may be set.
	RefuseOperations, HangOperations bool
	// NoHello and NoBye keep these from being sent by multicast.
	NoHello, NoBye bool
}

// Spell is something that lasts For out of every Every. The zero value is never.
type Spell struct{ For, Every time.Duration }

// Limits of a Plan.
const (
	// MaxDelay bounds Plan.Delay.
	MaxDelay = time.Minute
	// MinLife is the least Plan.Restart: instance identifiers count seconds (WSD-1).
	MinLife = 5 * time.Second
)

// deeds are the deeds by their names, in the order of the documentation.
func deeds() []deed {
	return []deed{
		{"lose", "N", func(p *Plan, a string) error { return count(&p.Lose, a, 1) }},
		{"repeat", "N", func(p *Plan, a string) error { return count(&p.Repeat, a, 1) }},
		{"garble", "N", func(p *Plan, a string) error { return count(&p.Garble, a, 1) }},
		{"swap", "N", func(p *Plan, a string) error { return count(&p.Swap, a, 2) }},
		{"delay", "DUR", func(p *Plan, a string) error { return duration(&p.Delay, a, time.Millisecond, MaxDelay) }},
		{"freeze", "DUR/EVERY", func(p *Plan, a string) error { return spell(&p.Freeze, a) }},
		{"vanish", "DUR/EVERY", func(p *Plan, a string) error { return spell(&p.Vanish, a) }},
		{"restart", "EVERY", func(p *Plan, a string) error { return duration(&p.Restart, a, MinLife, maxEvery) }},
		{"refuse-operations", "", func(p *Plan, _ string) error { p.RefuseOperations = true; return nil }},
		{"hang-operations", "", func(p *Plan, _ string) error { p.HangOperations = true; return nil }},
		{"no-hello", "", func(p *Plan, _ string) error { p.NoHello = true; return nil }},
		{"no-bye", "", func(p *Plan, _ string) error { p.NoBye = true; return nil }},
	}
}

type deed struct {
	name, arg string // arg is "" for a deed without
	set       func(p *Plan, arg string) error
}

// usage is how the deed is written.
func (d deed) usage() string {
	if d.arg == "" {
		return d.name
	}
	return d.name + "=" + d.arg
}

// maxEvery bounds periods.
const maxEvery = 30 * 24 * time.Hour

// Usage lists the deeds as they are written.
func Usage() string {
	var out []string
	for _, d := range deeds() {
		out = append(out, d.usage())
	}
	return strings.Join(out, ", ")
}

// Parse reads deeds as [Usage] lists them, each at most once. The error says which one is wrong, why, and what there is.
func Parse(args []string) (Plan, error) {
	var p Plan
	seen := map[string]bool{}
	for _, arg := range args {
		if err := p.add(arg, seen); err != nil {
			return Plan{}, fmt.Errorf("misbehave: %q: %w; the deeds are %s", arg, err, Usage())
		}
	}
	return p, nil
}

func (p *Plan) add(arg string, seen map[string]bool) error {
	name, value, given := strings.Cut(arg, "=")
	for _, d := range deeds() {
		switch {
		case d.name != name:
			continue
		case seen[name]:
			return errors.New("it is said twice")
		case given && d.arg == "":
			return errors.New("it takes no argument")
		case !given && d.arg != "":
			return fmt.Errorf("it takes an argument, %s", d.usage())
		}
		seen[name] = true
		if err := d.set(p, value); err != nil {
			return err
		}
		if p.RefuseOperations && p.HangOperations {
			return errors.New("operations are either refused or hang")
		}
		return nil
	}
	return errors.New("there is no such deed")
}

func count(to *int, arg string, least int) error {
	n, err := strconv.Atoi(arg)
	if err != nil || n < least || n > 1e9 {
		return fmt.Errorf("it takes a number from %d to 1000000000", least)
	}
	*to = n
	return nil
}

func duration(to *time.Duration, arg string, least, most time.Duration) error {
	d, err := time.ParseDuration(arg)
	if err != nil || d < least || d > most {
		return fmt.Errorf("it takes a duration from %v to %v, such as 10s", least, most)
	}
	*to = d
	return nil
}

func spell(to *Spell, arg string) error {
	long, every, ok := strings.Cut(arg, "/")
	var s Spell
	if !ok {
		return errors.New("it takes two durations, such as 5s/1m")
	}
	if err := duration(&s.For, long, time.Millisecond, maxEvery); err != nil {
		return err
	}
	if err := duration(&s.Every, every, time.Millisecond, maxEvery); err != nil {
		return err
	}
	if s.For >= s.Every {
		return errors.New("it lasts less than the time from one to the next")
	}
	*to = s
	return nil
}
