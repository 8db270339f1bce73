package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/semeco/go-sdc/soap"
)

// Config configures a [Journal]. The zero value is usable.
type Config struct {
	// NoBodies leaves the contents of messages out: headers, addresses, times and sizes stay. What stays still tells which devices there are, and what was done with them.
	NoBodies bool
	// MaxBody bounds what is kept of the content of one message in bytes, up to 16 MiB; 0 is 1 MiB. The entry says when it was more.
	MaxBody int
	// MaxSize bounds a file in bytes, at least 1 MiB; 0 is 64 MiB. Before it would grow beyond, it is renamed to its path and ".1", in the place of the one
	// that was there, and a new one is begun: there are never more than two. A body is kept to a quarter of it at most.
	MaxSize int64
	// Queue and QueueBytes bound the entries that wait to be written, and the memory of their bodies; 0 is 4096 and 16 MiB. An entry that finds no room is lost, since no message may wait
	// for a disk. An entry says how many were, as soon as there is room.
	Queue      int
	QueueBytes int64
	// Logger is told when entries are lost (warn); nil discards.
	Logger *slog.Logger
}

const (
	defaultMaxBody    = 1 << 20
	maxMaxBody        = 16 << 20
	defaultMaxSize    = 64 << 20
	minMaxSize        = 1 << 20
	defaultQueue      = 4096
	defaultQueueBytes = 16 << 20
	headOnly          = 64 << 10 // what is looked at of a content that is not kept
)

func (c *Config) setDefaults() error {
	if c.MaxBody < 0 || c.MaxBody > maxMaxBody {
		return fmt.Errorf("a MaxBody of %d is not within 1 to %d bytes", c.MaxBody, maxMaxBody)
	}
	if c.MaxSize != 0 && c.MaxSize < minMaxSize {
		return fmt.Errorf("a MaxSize of %d is less than %d bytes", c.MaxSize, minMaxSize)
	}
	if c.Queue < 0 || c.QueueBytes < 0 {
		return errors.New("a bound of the queue is negative")
	}
	if c.MaxBody == 0 {
		c.MaxBody = defaultMaxBody
	}
	if c.MaxSize == 0 {
		c.MaxSize = defaultMaxSize
	}
	if c.Queue == 0 {
		c.Queue = defaultQueue
	}
	if c.QueueBytes == 0 {
		c.QueueBytes = defaultQueueBytes
	}
	// The content may take up to three times its length, as characters that JSON or a terminal has to be spared.
	c.MaxBody = int(min(int64(c.MaxBody), c.MaxSize/4))
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return nil
}

// Journal writes entries; it is a [soap.Journal]. One goroutine writes, which Close ends.
type Journal struct {
	cfg    Config
	out    io.WriteCloser
	queue  chan noted
	done   chan struct{} // closed when all has been written
	noting sync.WaitGroup

	mu        sync.Mutex
	closed    bool
	n         uint64
	waiting   int   // entries in the queue, and those that are being put there
	bytes     int64 // of their documents
	lost      uint64
	lostSince time.Time
	lostAll   uint64
	err       error // the last one of writing

	// Used by the goroutine alone.
	parser soap.Parser
	line   []byte
	torn   bool // the last line was not written to its end
}

// noted is an entry that waits to be written.
type noted struct {
	n         uint64
	entry     soap.JournalEntry // without Document
	doc       []byte            // what is kept of it
	size      int               // of all of it
	lost      uint64            // so many were lost just before it
	lostSince time.Time
}

// New returns a journal that writes to w, one line with each Write, and closes it in the end. Writers may take their time: see Config.Queue.
// Config.MaxSize is the business of w, except that it bounds bodies.
func New(w io.WriteCloser, cfg Config) (*Journal, error) {
	if err := cfg.setDefaults(); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	j := &Journal{cfg: cfg, out: w, queue: make(chan noted, cfg.Queue), done: make(chan struct{})}
	go j.run()
	return j, nil
}

// Note implements [soap.Journal]: it copies what is kept of the document. After Close it does nothing.
func (j *Journal) Note(e soap.JournalEntry) uint64 {
	size := len(e.Document)
	keep := min(size, j.cfg.MaxBody)
	if j.cfg.NoBodies {
		keep = min(size, headOnly)
	}
	item, ok := j.reserve(int64(keep), e.Time)
	if !ok {
		return item.n
	}
	defer j.noting.Done()
	if keep > 0 {
		item.doc = bytes.Clone(e.Document[:keep])
	}
	e.Document = nil
	item.entry, item.size = e, size
	j.queue <- item // there is room
	return item.n
}

// reserve takes a place in the queue; ok is false if there is none.
func (j *Journal) reserve(size int64, now time.Time) (item noted, ok bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return item, false
	}
	j.n++
	item.n = j.n
	// One document that is larger than all the room there is gets it alone.
	if j.waiting == j.cfg.Queue || j.bytes+size > j.cfg.QueueBytes && j.bytes > 0 {
		j.loseLocked(1, now)
		return item, false
	}
	j.waiting++
	j.bytes += size
	item.lost, item.lostSince = j.lost, j.lostSince
	j.lost = 0
	j.noting.Add(1)
	return item, true
}

func (j *Journal) loseLocked(count uint64, since time.Time) {
	if j.lost == 0 {
		j.lostSince = since
	}
	j.lost += count
	j.lostAll += count
}

// run writes what is in the queue until that is closed.
func (j *Journal) run() {
	defer close(j.done)
	j.write(&Entry{Time: now(), Kind: KindStart, Format: Format})
	for item := range j.queue {
		if item.lost > 0 {
			j.write(&Entry{Time: item.lostSince.UTC().Round(0), Kind: KindLost, Lost: item.lost})
		}
		e := describe(&item.entry, item.doc, item.size, !j.cfg.NoBodies, &j.parser)
		e.N = item.n
		j.write(&e)
		j.mu.Lock()
		j.waiting--
		j.bytes -= int64(len(item.doc))
		j.mu.Unlock()
		if len(j.queue) == 0 {
			j.tellLost()
		}
	}
	j.tellLost()
	if err := j.out.Close(); err != nil {
		j.failed(err)
	}
}

func now() time.Time { return time.Now().UTC().Round(0) }

// tellLost writes how many entries are missing here.
func (j *Journal) tellLost() {
	j.mu.Lock()
	e := Entry{Time: j.lostSince.UTC().Round(0), Kind: KindLost, Lost: j.lost}
	j.lost = 0
	j.mu.Unlock()
	if e.Lost > 0 {
		j.write(&e)
	}
}

// write writes an entry. One that cannot be written is lost.
func (j *Journal) write(e *Entry) {
	j.line = j.line[:0]
	if j.torn {
		j.line = append(j.line, '\n')
	}
	var err error
	if j.line, err = e.appendLine(j.line); err == nil {
		var n int
		n, err = j.out.Write(j.line)
		j.torn = err != nil && (n > 0 && n < len(j.line) || j.torn && n == 0)
	}
	if cap(j.line) > 1<<20 {
		j.line = nil
	}
	if err == nil {
		j.mu.Lock()
		j.err = nil
		j.mu.Unlock()
		return
	}
	j.failed(err)
	j.mu.Lock()
	defer j.mu.Unlock()
	switch e.Kind {
	case KindStart:
	case KindLost:
		j.lostAll -= e.Lost // they are counted again
		j.loseLocked(e.Lost, e.Time)
		j.lostSince = e.Time
	default:
		j.loseLocked(1, e.Time)
	}
}

// failed keeps an error, and tells of the first in a row.
func (j *Journal) failed(err error) {
	j.mu.Lock()
	first := j.err == nil
	j.err = err
	j.mu.Unlock()
	if first {
		j.cfg.Logger.Warn("the journal cannot be written: entries are lost", "error", err)
	}
}

// Lost is how many entries have been lost so far.
func (j *Journal) Lost() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.lostAll
}

// ErrLost is part of the error of Close when entries are missing. The journal says where.
var ErrLost = errors.New("entries are missing in the journal")

// Close writes what waits and closes the file. What is noted afterwards is not kept. If ctx ends before all has been written, it returns without waiting for a writer that
// hangs, whose goroutine ends when the writer returns. It can be called once.
func (j *Journal) Close(ctx context.Context) error {
	j.mu.Lock()
	if j.closed {
		j.mu.Unlock()
		return nil
	}
	j.closed = true
	j.mu.Unlock()
	j.noting.Wait() // for copies that are being made
	close(j.queue)
	select {
	case <-j.done:
	case <-ctx.Done():
		return fmt.Errorf("journal: %d entries have not been written: %w", len(j.queue), context.Cause(ctx))
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.err != nil:
		return fmt.Errorf("journal: %w: %w", ErrLost, j.err)
	case j.lostAll > 0:
		return fmt.Errorf("journal: %w: %d", ErrLost, j.lostAll)
	}
	return nil
}
