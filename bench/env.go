package main

import (
	"os"
	"runtime"
	"runtime/pprof"
	"time"
)

// env is what all sections share, and where they put their results.
type env struct {
	ca     *authority
	python string // interpreter with the peer; "" without
	dir    string // for files that live as long as the run
	short  bool
	begin  time.Time
	meter  meter
	loads  []string // what others did meanwhile, by section

	rows     []row
	plots    []plot
	profiles []profile
	ratios   map[string]float64 // what the short form checks
}

func newEnv(short bool) (*env, error) {
	ca, err := newAuthority()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return nil, err
	}
	return &env{ca: ca, python: peerPython(), dir: dir, short: short, begin: time.Now(), meter: startMeter(), ratios: make(map[string]float64)}, nil
}

func (e *env) close() { _ = os.RemoveAll(e.dir) }

// span is how long one run of a rate is measured.
func (e *env) span() time.Duration {
	if e.short {
		return 400 * time.Millisecond
	}
	return 2 * time.Second
}

// rounds is how often each is run, one after the other.
func (e *env) rounds() int {
	if e.short {
		return 1
	}
	return 3
}

func (e *env) add(r row)         { e.rows = append(e.rows, r) }
func (e *env) addPlot(p plot)    { e.plots = append(e.plots, p) }
func (e *env) hasPeer() bool     { return e.python != "" }
func settle()                    { runtime.GC() }
func ms(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }

func startProfile(file string) (stop func() error, err error) {
	if file == "" {
		return func() error { return nil }, nil
	}
	f, err := os.Create(file)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, err
	}
	return func() error {
		pprof.StopCPUProfile()
		return f.Close()
	}, nil
}
