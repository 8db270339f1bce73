// Package history keeps what an MDIB was like: an append-only log of its changes in memory, bounded by age and number, from which former
// descriptors and states can be asked for.
package history

import (
	"sync"
	"time"

	"github.com/semeco/go-sdc/mdib"
)

// Config bounds a Log. The zero value keeps an hour, at most 10 000 changes, without waveforms.
type Config struct {
	// MaxAge is how long a change is kept; 0 means 1 hour. The age is looked at when something is appended or read.
	MaxAge time.Duration
	// MaxChanges is how many changes are kept; 0 means 10 000. The oldest go first.
	MaxChanges int
	// MaxBytes is how much the changes that are kept may hold together, as XML; 0 means 64 MiB. The oldest go first. In memory it is up to twice as much.
	MaxBytes int
	// Waveforms keeps changes of waveforms too. They come so often that they would soon push everything else out.
	Waveforms bool
}

// Defaults of Config.
const (
	DefaultMaxAge     = time.Hour
	DefaultMaxChanges = 10_000
	DefaultMaxBytes   = 64 << 20
)

// Entry is one change and when it was committed.
type Entry struct {
	At     time.Time
	Change *mdib.Change
}

// Log is a record of the changes of one MDIB. It may be used from any goroutine.
type Log struct {
	cfg Config

	mu      sync.Mutex
	start   time.Time      // since when base holds
	base    *mdib.Snapshot // what the first entry changed
	entries []Entry        // appended to only; dropping moves the beginning
	sizes   []int          // of entries, in bytes of XML
	bytes   int            // the sum of sizes
	scratch []byte
}

// New starts a log with the MDIB as it is at the given time.
func New(base *mdib.Snapshot, at time.Time, cfg Config) *Log {
	if cfg.MaxAge <= 0 {
		cfg.MaxAge = DefaultMaxAge
	}
	if cfg.MaxChanges <= 0 {
		cfg.MaxChanges = DefaultMaxChanges
	}
	if cfg.MaxBytes <= 0 {
		cfg.MaxBytes = DefaultMaxBytes
	}
	return &Log{cfg: cfg, start: at, base: base}
}

// Append adds a change. The caller sees to the order; a time before that of the change before counts as that one, as when a clock was set back.
func (l *Log) Append(c *mdib.Change, at time.Time) {
	if c == nil || c.Kind == mdib.KindWaveform && !l.cfg.Waveforms {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	last := l.start
	if n := len(l.entries); n > 0 {
		last = l.entries[n-1].At
	}
	if at.Before(last) {
		at = last
	}
	size := l.size(c)
	l.entries, l.sizes = append(l.entries, Entry{at, c}), append(l.sizes, size)
	l.bytes += size
	l.drop(at)
}

// size is how many bytes the change holds, as XML: what it replaced is part of changes before.
func (l *Log) size(c *mdib.Change) int {
	n := 0
	count := func(x interface {
		AppendElement(b []byte, name, xsiType string) []byte
		XSIType() string
	}) {
		l.scratch = x.AppendElement(l.scratch[:0], "x", x.XSIType())
		n += len(l.scratch)
	}
	for i := range c.States {
		if s := c.States[i].After; s != nil {
			count(s)
		}
	}
	for i := range c.Descriptors {
		if d := c.Descriptors[i].After; d != nil {
			count(d)
		}
	}
	if cap(l.scratch) > maxScratch {
		l.scratch = nil
	}
	return n
}

// maxScratch is how much memory for measuring is kept.
const maxScratch = 64 << 10

// drop forgets what is too old or too much.
func (l *Log) drop(now time.Time) {
	n := max(0, len(l.entries)-l.cfg.MaxChanges)
	for n < len(l.entries) && now.Sub(l.entries[n].At) > l.cfg.MaxAge {
		n++
	}
	kept := l.bytes
	for _, size := range l.sizes[:n] {
		kept -= size
	}
	for ; n < len(l.entries) && kept > l.cfg.MaxBytes; n++ {
		kept -= l.sizes[n]
	}
	if n == 0 {
		return
	}
	l.bytes, l.sizes = kept, l.sizes[n:]
	l.start, l.base = l.entries[n-1].At, l.entries[n-1].Change.After
	clear(l.entries[:n:n]) // nobody looks at them any more: View copies
	l.entries = l.entries[n:]
}

// View is what a log holds at one moment; it does not change.
type View struct {
	// Base is the MDIB before the first entry, as it was since Start.
	Base    *mdib.Snapshot
	Start   time.Time
	Entries []Entry
}

// View returns what the log holds and is not older than MaxAge at the time now.
func (l *Log) View(now time.Time) View {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drop(now)
	return View{Base: l.base, Start: l.start, Entries: append([]Entry(nil), l.entries...)}
}
