package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"
)

// FileConfig configures a File. The zero value is usable.
type FileConfig struct {
	// Queue bounds the events waiting to be written; 0 is 4096. When it is full, further events are lost: a device must not wait for its disk.
	// How many were lost is recorded as soon as there is room.
	Queue int
	// SyncEvery is how often what was written is forced onto the disk; 0 is 1 s, negative is after each record. What was written survives the end of the process, however it
	// came about; only a power failure takes what was not forced onto the disk yet.
	SyncEvery time.Duration
	// RetryEvery is how often writing is tried again after it has failed, as on a full disk; 0 is 1 s.
	RetryEvery time.Duration
	// MaxSize bounds a file in bytes; 0 does not. Before it would grow beyond, it is renamed to its path, a dot and the number of its last record in 20 digits, and
	// the chain goes on in a new file; see Files and VerifyFiles. A single write of up to 64 records may exceed it.
	MaxSize int64
	// Failed is told when writing fails, once until it works again: then it is told nil.
	Failed func(error)
	// Logger receives failures (error) and recoveries; nil discards.
	Logger *slog.Logger
	// Now is the clock of the file's own records; nil means time.Now.
	Now func() time.Time

	open func(path string) (file, error) // nil: the file system
}

// file is what a File needs of an *os.File.
type file interface {
	io.ReaderAt
	io.WriterAt
	Truncate(size int64) error
	Sync() error
	Close() error
}

// File is an append-only file of events, one JSON object a line, each with its number and the hash of the one before. It has one goroutine, which Close ends.
type File struct {
	cfg   FileConfig
	path  string
	queue chan Event
	kept  chan chan error // of Keep
	stop  chan struct{}
	done  chan struct{}

	mu     sync.Mutex
	closed bool
	lost   uint64 // events that found no room
	err    error  // why nothing is written at the moment
	last   Chain

	// used by the goroutine alone
	file   file
	size   int64
	dirty  bool
	failed bool
}

// Open opens a file for appending, made with mode 0600 if there is none. A record at the end that was not written completely is removed, which the first new record
// tells; anything else that is wrong with the end is an error, and nothing is changed. Two processes must not write to one file.
func Open(path string, cfg FileConfig) (*File, error) {
	if cfg.Queue <= 0 {
		cfg.Queue = 4096
	}
	if cfg.SyncEvery == 0 {
		cfg.SyncEvery = time.Second
	}
	if cfg.RetryEvery <= 0 {
		cfg.RetryEvery = time.Second
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.open == nil {
		cfg.open = openLocked
	}
	f, err := cfg.open(path)
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	a := &File{cfg: cfg, path: path, queue: make(chan Event, cfg.Queue), kept: make(chan chan error), stop: make(chan struct{}), done: make(chan struct{}), file: f}
	torn, err := a.findEnd()
	if err == nil {
		err = a.write([]Event{{Time: cfg.Now(), Kind: Opened, Count: torn}})
	}
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		return nil, fmt.Errorf("audit: %s: %w", path, errors.Join(err, f.Close()))
	}
	go a.run()
	return a, nil
}

// findEnd reads the last complete record, and removes what follows it.
func (a *File) findEnd() (torn uint64, err error) {
	size, err := fileSize(a.file)
	if err != nil {
		return 0, err
	}
	if size == 0 {
		// It may have ended between setting a full file aside and the first record of the next.
		a.last, err = lastOf(a.path)
		return 0, err
	}
	start := max(size-2*maxRecord, 0)
	tail := make([]byte, size-start)
	if _, err := a.file.ReadAt(tail, start); err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	end := bytes.LastIndexByte(tail, '\n') + 1
	torn = uint64(len(tail) - end)
	a.size = start + int64(end)
	a.last = Chain{Hash: zeroHash}
	if end > 0 {
		line := tail[:end-1]
		line = line[bytes.LastIndexByte(line, '\n')+1:]
		r, err := parseRecord(line)
		if err != nil {
			return 0, fmt.Errorf("the last record: %w", err)
		}
		a.last = Chain{Number: r.Number, Hash: r.Hash}
	} else if start > 0 {
		return 0, errors.New("no record at the end")
	}
	if torn > 0 {
		return torn, a.file.Truncate(a.size)
	}
	return 0, nil
}

// Record queues an event. It never waits.
func (a *File) Record(e Event) {
	_ = a.add(e) // it is counted
}

// add queues an event; the error says that it is lost.
func (a *File) add(e Event) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return errClosed
	}
	select {
	case a.queue <- e:
		return nil
	default:
		a.lost++
		return errors.Join(errFull, a.err)
	}
}

var (
	errClosed = errors.New("audit: the file is closed")
	errFull   = errors.New("audit: too many events wait to be written")
)

// Keep records an event and waits until it, and all before it, has been forced onto the disk: for what must not be done unless it is known who did it. An error means that it is not, or not
// yet; it may be written later all the same.
func (a *File) Keep(ctx context.Context, e Event) error {
	if err := a.add(e); err != nil {
		return err
	}
	answer := make(chan error, 1)
	select {
	case a.kept <- answer:
	case <-a.done:
		return errClosed
	case <-ctx.Done():
		return fmt.Errorf("audit: %w", context.Cause(ctx))
	}
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return fmt.Errorf("audit: %w", context.Cause(ctx))
	}
}

// Err tells why nothing is written at the moment, or nil.
func (a *File) Err() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.err
}

// Last is the end of the chain as it was written. Kept elsewhere, it lets Verify find that records at the end were removed.
func (a *File) Last() Chain {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.last
}

// Close writes what waits, forces it onto the disk and closes the file. The error tells what could not be written.
func (a *File) Close() error {
	a.mu.Lock()
	first := !a.closed
	a.closed = true
	a.mu.Unlock()
	if first {
		close(a.stop)
	}
	<-a.done
	return a.Err()
}

func (a *File) run() {
	defer close(a.done)
	every := a.cfg.SyncEvery
	if every < 0 {
		every = time.Hour
	}
	force := time.NewTicker(every)
	defer force.Stop()
	retry := time.NewTicker(a.cfg.RetryEvery)
	defer retry.Stop()
	var waiting []Event
	for {
		in := a.queue
		if len(waiting) > 0 {
			in = nil // the queue bounds what waits
		}
		select {
		case e := <-in:
			waiting = a.flush(a.more(e))
		case <-retry.C:
			if len(waiting) > 0 || a.failed {
				waiting = a.flush(waiting)
			}
		case <-force.C:
			a.sync()
		case answer := <-a.kept:
			if waiting = a.flush(waiting); len(waiting) == 0 {
				waiting = a.flush(a.drain(nil))
			}
			a.sync()
			answer <- a.Err()
		case <-a.stop:
			a.flush(a.drain(waiting))
			a.sync()
			if a.file == nil {
				return // which Err tells of
			}
			if err := a.file.Close(); err != nil {
				a.fail(err)
			}
			return
		}
	}
}

// more adds what else waits, so that a burst takes few writes.
func (a *File) more(e Event) []Event {
	out := []Event{e}
	for len(out) < 64 {
		select {
		case e := <-a.queue:
			out = append(out, e)
		default:
			return out
		}
	}
	return out
}

func (a *File) drain(out []Event) []Event {
	for {
		select {
		case e := <-a.queue:
			out = append(out, e)
		default:
			return out
		}
	}
}

// flush writes events, and before them how many were lost. What could not be written is returned.
func (a *File) flush(events []Event) []Event {
	a.mu.Lock()
	lost := a.lost
	a.mu.Unlock()
	all := events
	if lost > 0 {
		all = append([]Event{{Time: a.cfg.Now(), Kind: Lost, Count: lost}}, events...)
	}
	if err := a.write(all); err != nil {
		a.fail(err)
		return events
	}
	a.mu.Lock()
	a.lost -= lost
	a.mu.Unlock()
	if a.cfg.SyncEvery < 0 {
		a.sync()
	}
	if a.failed {
		a.failed = false
		a.setErr(nil)
		a.cfg.Logger.Info("audit records are written again", "lost", lost)
	}
	return nil
}

// write appends records; all of them or none.
func (a *File) write(events []Event) error {
	if len(events) == 0 {
		return nil
	}
	var buf bytes.Buffer
	last := a.last
	for _, e := range events {
		line, err := appendRecord(&buf, last, e)
		if err != nil {
			return err
		}
		last = line
	}
	if a.file == nil || a.cfg.MaxSize > 0 && a.size > 0 && a.size+int64(buf.Len()) > a.cfg.MaxSize {
		if err := a.rotate(); err != nil {
			return fmt.Errorf("setting a full file aside: %w", err)
		}
	}
	if _, err := a.file.WriteAt(buf.Bytes(), a.size); err != nil {
		// A part may have been written: what is not complete must not stand there.
		return errors.Join(err, a.file.Truncate(a.size))
	}
	a.size += int64(buf.Len())
	a.dirty = true
	a.mu.Lock()
	a.last = last
	a.mu.Unlock()
	return nil
}

func (a *File) sync() {
	if !a.dirty {
		return
	}
	if err := a.file.Sync(); err != nil {
		a.fail(err)
		return
	}
	a.dirty = false
}

// fail reports a failure once until writing works again.
func (a *File) fail(err error) {
	if a.failed {
		return
	}
	a.failed = true
	a.setErr(err)
	a.cfg.Logger.Error("audit records cannot be written; they wait, and are lost when the queue is full", "error", err)
}

func (a *File) setErr(err error) {
	a.mu.Lock()
	a.err = err
	a.mu.Unlock()
	if a.cfg.Failed != nil {
		a.cfg.Failed(err)
	}
}

func fileSize(f file) (int64, error) {
	if s, ok := f.(interface{ Stat() (os.FileInfo, error) }); ok {
		info, err := s.Stat()
		if err != nil {
			return 0, err
		}
		return info.Size(), nil
	}
	return 0, errors.New("the size of the file is not known")
}
