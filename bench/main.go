// Command bench measures the stack on loopback and writes docs/performance.md: every row with its target and
// what was measured, missed targets included. References run in between, so that ratios hold on any machine:
//
//	F  the floor: as many bytes POSTed serially over one kept-alive net/http connection with the same TLS
//	P  the independent Python stack from PyPI, without the stall of its HTTP server (make venv)
//	X  encoding/xml and etree, for the codec
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"time"

	"github.com/semeco/go-sdc/internal/heapfloor"
)

func main() {
	var o options
	flag.BoolVar(&o.short, "short", false, "one short round of everything, for a look; figures are rough")
	flag.StringVar(&o.only, "only", "", "run the sections that match this regular expression, and print instead of writing the page: "+strings.Join(sectionNames(), ", "))
	flag.StringVar(&o.out, "out", "docs/performance.md", "page to write; plots go into a folder of that name beside it")
	flag.StringVar(&o.role, "role", "", "serve another bench process (internal)")
	flag.BoolVar(&o.plainGC, "plain-gc", false, "leave the garbage collector as Go has it: see internal/heapfloor")
	flag.StringVar(&o.profile, "cpuprofile", "", "write a CPU profile of the sections run")
	flag.Parse()
	if !o.plainGC {
		defer heapfloor.Raise(heapfloor.Size)() // as cmd/sdc does
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := o.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

type options struct {
	short   bool
	only    string
	out     string
	role    string
	profile string
	plainGC bool
}

// section is a group of rows that share what they set up.
type section struct {
	name string
	run  func(e *env, ctx context.Context) error
}

func sections() []section {
	return []section{
		{"codec", (*env).codec},
		{"reports", (*env).reports},
		{"latency", (*env).latency},
		{"getmdib", (*env).getMdib},
		{"commit", (*env).commit},
		{"audience", (*env).audience100},
		{"stalled", (*env).stalled},
		{"devices", (*env).devices100},
		{"ward", (*env).ward},
		{"fleet", (*env).fleet},
		{"footprint", (*env).footprint},
		{"discovery", (*env).finding},
	}
}

func sectionNames() []string {
	var out []string
	for _, s := range sections() {
		out = append(out, s.name)
	}
	return out
}

// limit bounds a whole run.
const limit = 15 * time.Minute

func (o options) run(ctx context.Context) error {
	if o.role != "" {
		return serveRole(ctx, o.role)
	}
	only, err := regexp.Compile(o.only)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("the run took longer than %v", limit))
	defer cancel()
	e, err := newEnv(o.short)
	if err != nil {
		return err
	}
	defer e.close()
	if e.python == "" {
		fmt.Fprintln(os.Stderr, strings.Repeat("!", 100)+"\nTHE PYTHON PEER IS MISSING (make venv): its column stays empty and targets relative to it are not measured.\n"+strings.Repeat("!", 100))
	}
	stopProfile, err := startProfile(o.profile)
	if err != nil {
		return err
	}
	for _, s := range sections() {
		if !only.MatchString(s.name) {
			continue
		}
		begin, m := time.Now(), startMeter()
		fmt.Fprintf(os.Stderr, "%-10s", s.name)
		if err := s.run(e, ctx); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		fmt.Fprintf(os.Stderr, " %5.1f s", time.Since(begin).Seconds())
		if o, ok := m.others(); ok {
			fmt.Fprintf(os.Stderr, ", others %.2f processors", o)
			e.loads = append(e.loads, fmt.Sprintf("%s %.2f", s.name, o))
		}
		fmt.Fprintln(os.Stderr)
	}
	if err := stopProfile(); err != nil {
		return err
	}
	if o.only != "" {
		fmt.Print(e.table())
		for _, r := range e.rows {
			if r.Note != "" {
				fmt.Printf("\n%s: %s\n", r.What, r.Note)
			}
		}
		return nil
	}
	return e.writePage(o.out)
}
