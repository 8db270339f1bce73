package lint

import (
	"fmt"
	"iter"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
)

// The profiles of the rules.
const (
	base = mdib.ProfileBase
	sdpi = mdib.ProfileSDPi
)

// Rule describes one requirement that is checked.
type Rule struct {
	// ID as findings carry it.
	ID string
	// Profile is the first that asks for it.
	Profile mdib.Profile
	// Title says what is asked, in one sentence.
	Title string

	check func(*pass) // nil: checked by package mdib
}

// Rules lists everything that is checked. The list is the caller's.
func Rules() []Rule {
	var all []Rule
	all = append(all, structureRules()...)
	all = append(all, validateRules()...)
	all = append(all, stateRules()...)
	all = append(all, alertRules()...)
	all = append(all, contextRules()...)
	all = append(all, codeRules()...)
	all = append(all, equipmentRules()...)
	all = append(all, timeRules()...)
	all = append(all, relationRules()...)
	all = append(all, compoundRules()...)
	all = append(all, precisionRules()...)
	return append(all, extensionRules()...)
}

// Check judges a snapshot by a profile; one that is not known judges by mdib.ProfileBase alone.
func Check(s *mdib.Snapshot, profile mdib.Profile) []mdib.Finding {
	p := newPass(s)
	p.found = mdib.Validate(s)
	for _, r := range Rules() {
		if r.check != nil && profile.Includes(r.Profile) {
			p.rule = r.ID
			r.check(p)
		}
	}
	return p.found
}

// Snapshot judges a snapshot of a device and returns a report; source is what to call it by.
func Snapshot(source string, s *mdib.Snapshot, profile mdib.Profile) *Report {
	r := &Report{Source: source, Profile: profile}
	for _, f := range Check(s, profile) {
		r.Findings = append(r.Findings, Finding{Finding: f})
	}
	r.sort()
	return r
}

// pass is one snapshot being judged.
type pass struct {
	s        *mdib.Snapshot
	entities []mdib.Entity
	values   []value // everything walked
	rule     string  // id of the rule at work
	found    []mdib.Finding
}

func newPass(s *mdib.Snapshot) *pass {
	p := &pass{s: s}
	for e := range s.Entities() {
		p.entities = append(p.entities, e)
		p.walk(e.Handle, e.Descriptor)
		if e.State != nil {
			p.walk(e.Handle, e.State)
		}
		for _, c := range e.Contexts {
			p.walk(c.BaseMulti().Handle, c)
		}
	}
	return p
}

func (p *pass) add(sev mdib.Severity, handle, format string, args ...any) {
	p.found = append(p.found, mdib.Finding{ID: p.rule, Handle: handle, Severity: sev, Message: fmt.Sprintf(format, args...)})
}

func (p *pass) errorf(handle, format string, args ...any) {
	p.add(mdib.SeverityError, handle, format, args...)
}

func (p *pass) warnf(handle, format string, args ...any) {
	p.add(mdib.SeverityWarning, handle, format, args...)
}

func (p *pass) infof(handle, format string, args ...any) {
	p.add(mdib.SeverityInfo, handle, format, args...)
}

// pairs yields the entities whose descriptor is a D and whose single state is an S.
func pairs[D pm.Descriptor, S pm.State](p *pass) iter.Seq2[D, S] {
	return func(yield func(D, S) bool) {
		for _, e := range p.entities {
			d, ok := e.Descriptor.(D)
			if !ok {
				continue
			}
			s, ok := e.State.(S)
			if ok && !yield(d, s) {
				return
			}
		}
	}
}

// descriptors yields the descriptors of a type with their handles.
func descriptors[D pm.Descriptor](p *pass) iter.Seq2[string, D] {
	return func(yield func(string, D) bool) {
		for _, e := range p.entities {
			if d, ok := e.Descriptor.(D); ok && !yield(e.Handle, d) {
				return
			}
		}
	}
}

// contexts yields all context states with their handles.
func (p *pass) contexts() iter.Seq2[string, pm.ContextState] {
	return func(yield func(string, pm.ContextState) bool) {
		for _, e := range p.entities {
			for _, c := range e.Contexts {
				if !yield(c.BaseMulti().Handle, c) {
					return
				}
			}
		}
	}
}

func clip(s string) string {
	if len(s) > 100 {
		return s[:100] + "..."
	}
	return s
}
