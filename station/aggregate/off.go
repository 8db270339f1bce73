package aggregate

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/semeco/go-sdc/station"
)

// Causes of what is not derived at all.
const (
	CauseUnidentified Cause = "patient-unidentified" // no identifier of the patient is known to others
	CauseRoom         Cause = "too-many-patients"    // more patients than Config.MaxPatients
	CauseGone         Cause = "patient-gone"         // no device tells of the patient any more
)

// Off is a function of the aggregator that is turned off: a rule that had a value for a patient and has none now, or all rules for a patient who is left out.
// Users have to be told (SDPi R1542): pass it on. Why it is off goes to the log as well (SDPi R1543).
type Off struct {
	// Patient is the key of the patient in the view.
	Patient string
	// Rule and Label are those of the rule; both are "" for all rules.
	Rule, Label string
	// Since is when it was turned off.
	Since time.Time
	// Cause and Reason, for people, say why.
	Cause  Cause
	Reason string
}

// String is for people. It names the patient by the key.
func (o Off) String() string {
	if o.Rule == "" {
		return fmt.Sprintf("%s: nothing is derived: %s", o.Patient, o.Reason)
	}
	return fmt.Sprintf("%s: %s is turned off: %s", o.Patient, o.Label, o.Reason)
}

func (o *Off) matches(p Off) bool { return o.Patient == p.Patient && o.Rule == p.Rule }

// Off lists what is turned off now, by patient and rule. It may be called from any goroutine; the list is not to be changed.
func (a *Aggregator) Off() []Off {
	if l := a.off.Load(); l != nil {
		return *l
	}
	return nil
}

// left tells why a patient is left out.
func (a *Aggregator) left(p *station.Patient, cause Cause) {
	reason := fmt.Sprintf("there are more than %d patients", a.cfg.MaxPatients)
	if cause == CauseUnidentified {
		reason = "no identifier of the patient is known to others, so that values of several devices cannot be told to be of one person, nor whose the result is"
	}
	a.turnedOff = append(a.turnedOff, Off{Patient: p.Key, Cause: cause, Reason: reason})
}

// ended tells the end of what was derived for a patient who is not there any more.
func (a *Aggregator) ended(key string, p *patient, now time.Time) {
	if slices.Contains(p.on, true) {
		a.tell(Off{Patient: key, Since: now, Cause: CauseGone, Reason: "no device tells of the patient any more"})
	}
}

func labelOf(r *Rule) string {
	for _, t := range r.Type.ConceptDescription {
		if t.Text != "" {
			return t.Text
		}
	}
	return r.Name
}

// compareOff finds out what was turned off, and on again, since the last time.
func (a *Aggregator) compareOff(now time.Time) {
	list := a.turnedOff
	a.turnedOff = nil
	for key, p := range a.patients {
		for i := range a.plan.rules {
			r := &p.rules[i].result
			if r.Value.IsSet() {
				p.on[i] = true
			} else if p.on[i] {
				list = append(list, Off{Patient: key, Rule: a.plan.rules[i].Name, Label: labelOf(&a.plan.rules[i]), Cause: r.Cause, Reason: r.Reason})
			}
		}
	}
	slices.SortFunc(list, func(x, y Off) int { return cmp.Or(cmp.Compare(x.Patient, y.Patient), cmp.Compare(x.Rule, y.Rule)) })
	before := a.Off()
	for i := range list {
		list[i].Since = now
		if k := slices.IndexFunc(before, list[i].matches); k >= 0 {
			list[i].Since = before[k].Since
		}
	}
	a.off.Store(&list) // whoever is told sees it there
	for i := range list {
		if !slices.ContainsFunc(before, list[i].matches) {
			a.tell(list[i])
		}
	}
	for i := range before {
		if !slices.ContainsFunc(list, before[i].matches) {
			a.log.Info("no longer turned off", "patient", before[i].Patient, "rule", before[i].Rule)
		}
	}
}

func (a *Aggregator) tell(o Off) {
	a.log.Warn("derived values are turned off", "patient", o.Patient, "rule", o.Rule, "cause", o.Cause, "reason", o.Reason)
	if a.cfg.TurnedOff != nil {
		a.cfg.TurnedOff(o)
	}
}
