package attack

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/sdc"
)

// orders is what the attackers' process is told first.
type orders struct {
	EPR, XAddr string
	Discovery  netip.AddrPort
	Only       []string // names of attacks; all if there are none
	Slow       bool     // also those that take many seconds
	At         int      // how many at a time
}

// tally is what the attackers did since they were told to begin.
type tally struct {
	Attacks  int
	Failures []string // where the device did not answer as it should
}

// The files of the attackers: what the device trusts, and the keys that a hospital must not lose.
const (
	insiderDir, revokedDir, authorityDir = "insider", "revoked", "authority"

	begin, halt = "begin\n", "halt\n" // what they are told
)

// runAttackers attacks a device, at random, whenever it is told to on in, until in ends. When told to halt it lets the attacks under way end, and says on out what was done.
func runAttackers(dir string, in io.Reader, out io.Writer) error {
	if os.Getenv(childLow) != "" {
		if err := lowestPriority(childLow); err != nil {
			return err
		}
	}
	commands := bufio.NewReader(in)
	line, err := commands.ReadBytes('\n')
	if err != nil {
		return err
	}
	var o orders
	if err := json.Unmarshal(line, &o); err != nil {
		return err
	}
	target := newTarget(o.EPR, o.XAddr, o.Discovery)
	if err := arm(target, dir); err != nil {
		return err
	}
	attacks := All()
	attacks = slices.DeleteFunc(attacks, func(a Attack) bool {
		return a.Slow && !o.Slow || len(o.Only) > 0 && !slices.Contains(o.Only, a.Name)
	})
	if len(attacks) == 0 {
		return fmt.Errorf("no attack is called any of %q", o.Only)
	}
	for {
		switch line, err := commands.ReadString('\n'); {
		case err == io.EOF: //nolint:errorlint // ReadString gives it as it is
			return nil
		case err != nil:
			return err
		case line != begin:
			return fmt.Errorf("told %q", line)
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan tally, 1)
		go func() { done <- attackUntil(ctx, target, attacks, o.At) }()
		_, _ = commands.ReadString('\n') // to halt, or the end, which is told again
		cancel()
		if err := json.NewEncoder(out).Encode(<-done); err != nil {
			return err
		}
	}
}

// arm gives a target what attackers have.
func arm(t *Target, dir string) error {
	insider, err := sdc.LoadIdentity(filepath.Join(dir, insiderDir))
	if err != nil {
		return err
	}
	t.Trusted = insider.ClientTLS(sdc.RoleProvider)
	if t.Revoked, err = sdc.LoadIdentity(filepath.Join(dir, revokedDir)); err != nil {
		return err
	}
	ca, err := tls.LoadX509KeyPair(filepath.Join(dir, authorityDir, sdc.CertFile), filepath.Join(dir, authorityDir, sdc.KeyFile))
	if err != nil {
		return err
	}
	if t.Authority, err = loadAuthority(ca); err != nil {
		return err
	}
	bystander, err := t.Authority.Identity("bystander", sdc.RoleConsumer)
	if err != nil {
		return err
	}
	t.Bystander = bystander.ClientTLS(sdc.RoleProvider)
	return nil
}

// attackUntil makes so many attacks at a time until ctx ends; those under way then are made to their end.
func attackUntil(ctx context.Context, target *Target, attacks []Attack, at int) tally {
	var sum tally
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range at {
		wg.Go(func() {
			for ctx.Err() == nil {
				a := attacks[rand.IntN(len(attacks))]
				err := a.Run(context.WithoutCancel(ctx), target)
				mu.Lock()
				sum.Attacks++
				if err != nil {
					sum.Failures = append(sum.Failures, fmt.Sprintf("%s: %v", a.Name, err))
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return sum
}

// attackers are a process of their own.
type attackers struct{ *child }

// startAttackers makes them ready, until the test ends.
func startAttackers(t *testing.T, v *victim, low bool) *attackers {
	t.Helper()
	dir := t.TempDir()
	insider, err := v.Authority.Identity("insider", sdc.RoleConsumer)
	require.NoError(t, err)
	for name, cert := range map[string]tls.Certificate{insiderDir: insider.Certificate, revokedDir: v.Revoked.Certificate, authorityDir: v.Authority.pair()} {
		writePair(t, filepath.Join(dir, name), cert)
		writePEM(t, filepath.Join(dir, name), sdc.CAFile, "CERTIFICATE", v.Authority.certificate.Raw)
	}
	env := []string{childAttacks + "=" + dir}
	if low {
		env = append(env, childLow+"=1")
	}
	a := &attackers{startChild(t, env...)}
	o := orders{EPR: v.EPR, XAddr: v.XAddr, Discovery: v.Discovery, At: *atATime, Slow: *lasting >= longForm || *only != ""}
	if *only != "" {
		o.Only = strings.Split(*only, ",")
	}
	line, err := json.Marshal(o)
	require.NoError(t, err)
	a.tell(t, string(line)+"\n")
	return a
}

func (a *attackers) tell(t *testing.T, what string) {
	t.Helper()
	_, err := io.WriteString(a.in, what)
	require.NoError(t, err)
}

var (
	lasting = flag.Duration("attack.for", 3*time.Second, "how long the mixed attack lasts, at least")
	most    = flag.Float64("attack.ratio", 0, "fail if reports under attack are older than so many times what they are without; 0 is never: the machine may be busy with other tests")
	only    = flag.String("attack.only", "", "names of attacks, with commas; the mixed attack makes only these")
	atATime = flag.Int("attack.at", 2, "how many attacks the mixed attack makes at a time")
	record  = flag.Bool("attack.record", false, "write what the mixed attack has measured into docs/security.md")
)

const (
	// longForm is from when on a mixed attack is long enough for attacks that take many seconds, and for its 99th percentile to say something.
	longForm = 3 * time.Minute
	// rounds are the fewest of a measurement.
	rounds = 5
	// settle is how long what an attack has left behind may take to be over.
	settle = 500 * time.Millisecond
)

// A mix of all attacks, several at a time, while a well-behaved consumer has to see every report, and in time: its reports under attack are compared with those between attacks, in turn, so that
// whatever else the machine does is in both.
//
// On a machine that is busy with other tests the 99th percentile is that of the machine. The short form of `make ratios` therefore looks at the 90th percentile of each round, takes the median of the
// rounds, and measures up to three times.
func TestMixedAttack(t *testing.T) {
	v, id := startVictim(t)
	w := watch(t, v.Target, id)
	a := startAttackers(t, v, *most > 0)
	w.await(t, 20)

	m := measure(t, w, a)
	t.Log(m)
	if *record {
		writeBetween(t, "measured", m.page(v.peak(t)))
	}
	checkMemory(t, v)
	switch {
	case *most == 0:
	case *lasting >= longForm:
		require.LessOrEqual(t, ratio(m.calm, m.attacked, 99), *most, "the 99th percentile under attack, as a multiple of that without")
	default:
		for tries := 1; m.typical() > *most && tries < 3; tries++ {
			m = measure(t, w, a)
			t.Log(m)
		}
		require.LessOrEqual(t, m.typical(), *most, "the 90th percentile under attack, as a multiple of that without")
	}
	w.await(t, 10)
}

// measurement is what was seen of reports in turns with and without attacks.
type measurement struct {
	took           time.Duration
	attacks        int
	calm, attacked []time.Duration // ages of all reports
	ratios         []float64       // of the 90th percentiles, by round
}

// measure alternates between calm and attacks for as long as was asked for. Every answer of the device has to be as it should.
func measure(t *testing.T, w *witness, a *attackers) *measurement {
	t.Helper()
	m := new(measurement)
	quiet := min(max(*lasting/40, 500*time.Millisecond), 10*time.Second)
	start := time.Now()
	for len(m.ratios) < rounds || time.Since(start) < *lasting {
		calm := w.during(t, quiet)

		a.tell(t, begin)
		attacked := w.during(t, 2*quiet)
		a.tell(t, halt)
		var did tally
		a.read(t, &did) // attacks under way go on to their end
		attacked = append(attacked, w.take()...)

		for _, failure := range did.Failures {
			t.Error(failure)
		}
		m.attacks += did.Attacks
		m.calm, m.attacked = append(m.calm, calm...), append(m.attacked, attacked...)
		m.ratios = append(m.ratios, ratio(calm, attacked, 90))
		w.during(t, settle)
	}
	m.took = time.Since(start)
	return m
}

// typical is the median of the rounds.
func (m *measurement) typical() float64 {
	sorted := slices.Sorted(slices.Values(m.ratios))
	return sorted[len(sorted)/2]
}

// percentiles are those that are told.
func percentiles() []int { return []int{50, 90, 99, 100} }

func (m *measurement) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d attacks in %v; age of reports:", m.attacks, m.took.Round(time.Second))
	for _, p := range percentiles() {
		fmt.Fprintf(&b, " p%d %v calm, %v attacked, ratio %.2f;", p, percentile(m.calm, p).Round(time.Microsecond), percentile(m.attacked, p).Round(time.Microsecond), ratio(m.calm, m.attacked, p))
	}
	fmt.Fprintf(&b, " median of the p90 ratios of %d rounds %.2f; %d reports, none missing", len(m.ratios), m.typical(), len(m.calm)+len(m.attacked))
	return b.String()
}

// page is what docs/security.md says of it.
func (m *measurement) page(peak int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d attacks, %d at a time, within %v, on %d processors: none of %d reports was missing, and the device's memory peaked at %d MiB.\n\n",
		m.attacks, *atATime, m.took.Round(time.Second), runtime.NumCPU(), len(m.calm)+len(m.attacked), peak)
	b.WriteString("| age of reports | calm | attacked | ratio |\n|---|---|---|---|\n")
	for _, p := range percentiles() {
		name := fmt.Sprintf("%d %% are below", p)
		if p == 100 {
			name = "the oldest"
		}
		fmt.Fprintf(&b, "| %s | %v | %v | %.2f |\n", name, percentile(m.calm, p).Round(time.Microsecond), percentile(m.attacked, p).Round(time.Microsecond), ratio(m.calm, m.attacked, p))
	}
	return b.String()
}

// percentile is the age below which so many percent are.
func percentile(ages []time.Duration, percent int) time.Duration {
	sorted := slices.Sorted(slices.Values(ages))
	return sorted[min(len(sorted)*percent/100, len(sorted)-1)]
}

// ratio compares a percentile of the ages of reports.
func ratio(calm, attacked []time.Duration, percent int) float64 {
	return float64(percentile(attacked, percent)) / float64(percentile(calm, percent))
}
