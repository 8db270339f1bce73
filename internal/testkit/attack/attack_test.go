package attack

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
)

// witness is a well-behaved consumer that has to see every report, in time.
type witness struct {
	device *consumer.Device
	done   chan error

	mu   sync.Mutex
	last int64
	ages []time.Duration // from commit to update
}

// watch connects and follows the device until the test ends.
func watch(t *testing.T, target *Target, id *sdc.Identity) *witness {
	t.Helper()
	cfg := consumer.Config{Identity: id}
	if *most == 0 {
		cfg.ProofInterval = patience // nothing may be missing, but what is late may be so because of the machine
	}
	c, err := consumer.New(t.Context(), cfg)
	require.NoError(t, err)
	d, err := c.Connect(t.Context(), discovery.Endpoint{EPR: target.EPR, XAddrs: []string{target.XAddr}})
	require.NoError(t, err)
	w := &witness{device: d, done: make(chan error, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	go func() { w.done <- w.follow(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-w.done; err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("the well-behaved consumer was disturbed: %v", err)
		}
		ctx, stop := context.WithTimeout(context.Background(), patience)
		defer stop()
		require.NoError(t, c.Close(ctx))
	})
	return w
}

func (w *witness) follow(ctx context.Context) error {
	for u, err := range w.device.Updates(ctx) {
		switch {
		case err != nil:
			return err
		case u.Gap != nil && u.Before != nil:
			return fmt.Errorf("reports may be missing: %v", u.Gap.Cause)
		case u.Change == nil:
			continue
		}
		n, okN := mdib.Get[*pm.NumericMetricState](u.Snapshot, counter)
		s, okS := mdib.Get[*pm.StringMetricState](u.Snapshot, stamp)
		if !okN || !okS || n.MetricValue == nil || s.MetricValue == nil {
			continue
		}
		if err := w.note(n, s); err != nil {
			return err
		}
	}
	return nil
}

func (w *witness) note(n *pm.NumericMetricState, s *pm.StringMetricState) error {
	value, ok := n.MetricValue.Value.Get()
	if !ok {
		return nil
	}
	text, _ := s.MetricValue.Value.Get()
	micros, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return err
	}
	count := int64(value.Float64())
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case count == w.last: // a report of something else
	case w.last != 0 && count != w.last+1:
		return fmt.Errorf("report %d came after %d", count, w.last)
	default:
		w.last = count
		w.ages = append(w.ages, time.Since(time.UnixMicro(micros)))
	}
	return nil
}

// await waits for further reports.
func (w *witness) await(t *testing.T, reports int) {
	t.Helper()
	w.take()
	require.Eventually(t, func() bool {
		w.undisturbed(t)
		w.mu.Lock()
		defer w.mu.Unlock()
		return len(w.ages) >= reports
	}, time.Minute, 10*time.Millisecond, "no reports")
}

// during returns the ages of the reports that come within a time.
func (w *witness) during(t *testing.T, d time.Duration) []time.Duration {
	t.Helper()
	w.take()
	<-time.After(d)
	w.undisturbed(t)
	var ages []time.Duration
	require.Eventually(t, func() bool { // one at least: the machine may be very busy
		ages = append(ages, w.take()...)
		return len(ages) > 0
	}, time.Minute, 10*time.Millisecond, "no reports")
	return ages
}

// take returns the ages of reports since it was called last.
func (w *witness) take() []time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	ages := w.ages
	w.ages = nil
	return ages
}

// undisturbed fails the test if the consumer has missed anything.
func (w *witness) undisturbed(t *testing.T) {
	t.Helper()
	select {
	case err := <-w.done:
		w.done <- err
		require.NoError(t, err, "the well-behaved consumer was disturbed")
	default:
	}
}

// others are the states that no attack may have changed.
func others(s *mdib.Snapshot) map[string]string {
	found := map[string]string{}
	for _, st := range s.MdState().State {
		base := st.BaseState()
		if base.DescriptorHandle != counter && base.DescriptorHandle != stamp {
			found[base.DescriptorHandle] += fmt.Sprint(base.StateVersion, ";")
		}
	}
	return found
}

// Every attack once.
//
// covers: SEC-1, 10700 TR1164
func TestEachAttack(t *testing.T) {
	v, id := startVictim(t)
	w := watch(t, v.Target, id)
	w.await(t, 10)
	before := others(w.device.MDIB())
	var names []string
	t.Run("attacks", func(t *testing.T) {
		for _, a := range All() {
			require.NotContains(t, names, a.Name)
			names = append(names, a.Name)
			t.Run(a.Name, func(t *testing.T) {
				if a.Slow {
					t.Parallel() // the others one by one: many would pass because of another's load
				}
				ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
				defer cancel()
				require.NoError(t, a.Run(ctx, v.Target), a.About)
			})
		}
	})
	w.await(t, 10)
	require.Equal(t, before, others(w.device.MDIB()), "an attack changed the device")
	checkMemory(t, v)
}

// maxMemory is what a device under attack may take, in MiB. The race detector takes several times as much.
const maxMemory = 64

func checkMemory(t *testing.T, v *victim) {
	t.Helper()
	peak := v.peak(t)
	t.Logf("the device's memory peaked at %d MiB", peak)
	if !raceEnabled {
		require.Less(t, peak, maxMemory)
	}
}

var write = flag.Bool("attack.write", false, "write the tables of docs/security.md anew")

// page is what tells of the attacks.
const page = "../../../docs/security.md"

// writeBetween writes what stands on the page between the marks of a name anew.
func writeBetween(t *testing.T, name, text string) {
	t.Helper()
	old, err := os.ReadFile(page)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(page, []byte(between(t, string(old), name, text)), 0o600))
}

// between puts a text between the marks of a name.
func between(t *testing.T, old, name, text string) string {
	t.Helper()
	begin, end := "<!-- "+name+" -->\n", "<!-- end of "+name+" -->\n"
	before, rest, ok := strings.Cut(old, begin)
	require.True(t, ok, begin)
	_, after, ok := strings.Cut(rest, end)
	require.True(t, ok, end)
	return before + begin + text + end + after
}

// The tables of docs/security.md are what the attacks and lies say of themselves.
func TestEveryAttackIsDocumented(t *testing.T) {
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	var table strings.Builder
	table.WriteString("| attack | at | what is done; what must come of it | test |\n|---|---|---|---|\n")
	for _, a := range All() {
		fmt.Fprintf(&table, "| `%s` | %s | %s | `TestEachAttack/attacks/%s` |\n", a.Name, a.Area, a.About, a.Name)
	}
	var second strings.Builder
	second.WriteString("| the device | in | what it does; what must come of it | test |\n|---|---|---|---|\n")
	for _, l := range lies() {
		test := l.test
		if l.run != nil {
			test = "`TestEachLie/" + l.name + "`"
		}
		fmt.Fprintf(&second, "| `%s` | %s | %s | %s |\n", l.name, l.area, l.about, test)
	}
	want := between(t, between(t, string(text), "attacks", table.String()), "lies", second.String())
	if *write {
		require.NoError(t, os.WriteFile(page, []byte(want), 0o600))
		return
	}
	require.Equal(t, want, string(text), "go test ./internal/testkit/attack -run Documented -attack.write")
}
