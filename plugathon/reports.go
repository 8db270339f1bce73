package plugathon

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// enough is how many updates of a kind are to be seen.
const enough = 5

// Rates may be off by as much: clocks, and the time a message takes, vary.
const tolerance = 0.15

// settled is how long waveforms are watched before their rate is told.
const settled = 5 * time.Second

// watched are the steps that the notebook decides.
func watched() []string {
	return []string{"4a", "4b", "4c", "4d", "4e", "4f", "4g", "4h", "4i", "5a", "5b"}
}

// verdicts tells of each watched step how it stands.
func (n *notebook) verdicts() map[string]verdict {
	n.mu.Lock()
	defer n.mu.Unlock()
	return map[string]verdict{
		"4a": n.numbers.verdict("numeric metric"),
		"4b": n.strings.verdict("string metric"),
		"4c": n.conditions.verdict("alert condition"),
		"4d": n.signals.verdict("alert signal"),
		"4e": n.selfChecked(),
		"4f": n.streamed(3, 10, 100),
		"4g": both(n.times.verdict("clock or battery"), n.components.verdict("MDS or VMD")),
		"4h": n.operations.verdict("operation"),
		"4i": n.streamed(1, 2, 50),
		"5a": n.described(),
		"5b": n.visited(),
	}
}

func (t tally) verdict(what string) verdict {
	return judge(t.total() >= enough, "%d %s updates of %d entries", t.total(), what, len(t))
}

func both(a, b verdict) verdict {
	out := verdict{Pass, a.evidence + ", " + b.evidence}
	if a.outcome != Pass || b.outcome != Pass {
		out.outcome = Fail
	}
	return out
}

// mostPeriod is the longest self-check period a reference device may have.
const mostPeriod = 10 * time.Second

func (n *notebook) selfChecked() verdict {
	if len(n.checks) == 0 {
		return skipf("no alert system has a self-check period")
	}
	var seen []string
	good := true
	for _, handle := range sorted(n.checks) {
		c := n.checks[handle]
		text := fmt.Sprintf("%s: %d checks at a period of %s", handle, c.moves, c.period)
		switch {
		case c.period > mostPeriod:
			text += fmt.Sprintf(", longer than %s", mostPeriod)
			good = false
		case c.moves < 2:
			good = false
		case c.gap > c.period+c.period/2+time.Second:
			text += fmt.Sprintf(", once only after %s", c.gap.Round(time.Millisecond))
			good = false
		}
		seen = append(seen, text)
	}
	return judge(good, "%s", strings.Join(seen, "; "))
}

// streamed looks for waveforms of a rate and number of samples.
func (n *notebook) streamed(want int, rate float64, samples int) verdict {
	var fit, all []string
	for _, handle := range sorted(n.waves) {
		w := n.waves[handle]
		text := fmt.Sprintf("%s: %.1f/s of %d", handle, w.rate(), w.size())
		all = append(all, text)
		if w.size() == samples && w.last.Sub(w.first) >= settled-time.Second && w.rate() >= rate*(1-tolerance) && w.rate() <= rate*(1+tolerance) {
			fit = append(fit, text)
		}
	}
	if len(fit) >= want {
		return passf("%s", strings.Join(fit, "; "))
	}
	return failf("%d of %d: %s", len(fit), want, strings.Join(all, "; "))
}

// described: each kind twice, at most 10 s apart; a second is for the way.
func (n *notebook) described() verdict {
	const apart = 11 * time.Second
	twice := func(at []time.Time) bool {
		for i := 1; i < len(at); i++ {
			if at[i].Sub(at[i-1]) <= apart {
				return true
			}
		}
		return false
	}
	return judge(twice(n.concepts) && twice(n.causes) && twice(n.units),
		"%d changes of a condition's concept description, %d of its causes and remedies, %d of a metric's unit", len(n.concepts), len(n.causes), len(n.units))
}

func (n *notebook) visited() verdict {
	gone := 0
	for handle := range n.visitors {
		gone += min(n.removed[handle], 1)
	}
	if n.reused != "" {
		return failf("%s was inserted twice: handles are to be new", n.reused)
	}
	return judge(len(n.visitors) > 0 && n.removed.total() > 0, "%d VMDs inserted with channel and metric, %d removed, %d of them the same", len(n.visitors), n.removed.total(), gone)
}

func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
