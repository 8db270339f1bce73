package recording

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"
)

// Config of a Writer. The zero value is good for a file on a disk.
type Config struct {
	// Uncompressed leaves frames as they are. By default they are compressed with zstd.
	Uncompressed bool
	// FlushEvery is how long a record may wait before it is written; 0 is 1 s. That much is lost when the process is killed. Longer
	// compresses better.
	FlushEvery time.Duration
	// SyncEvery is how often the file is synchronised with the disk; 0 is 5 s, negative never. That much is lost when the machine loses power.
	SyncEvery time.Duration
	// FrameSize is how many bytes of records make a frame before FlushEvery has passed; 0 is 256 KiB.
	FrameSize int
	// KeyEvery is how often the whole MDIB of a device is repeated so that reading can begin there; 0 is one minute. It is not repeated before as many
	// bytes of reports came as it takes itself, so that a quiet device does not grow the file.
	KeyEvery time.Duration
	// Buffer bounds the bytes of records that wait to be written; 0 is 16 MiB. What does not fit is dropped and becomes a Gap.
	Buffer int
	// IndexEvery is after how many frames an index is written; 0 is 256.
	IndexEvery int
	// Program is told in the recording, "" for nothing.
	Program string
	// Logger receives what the operator should know; nil discards.
	Logger *slog.Logger
}

func (c Config) withDefaults() (Config, error) {
	for _, f := range []struct {
		value *time.Duration
		def   time.Duration
	}{{&c.FlushEvery, time.Second}, {&c.KeyEvery, time.Minute}} {
		if *f.value < 0 {
			return c, errors.New("recording: FlushEvery and KeyEvery must not be negative")
		}
		if *f.value == 0 {
			*f.value = f.def
		}
	}
	if c.SyncEvery == 0 {
		c.SyncEvery = 5 * time.Second
	}
	for _, f := range []struct {
		value *int
		def   int
	}{{&c.FrameSize, 256 << 10}, {&c.Buffer, 16 << 20}, {&c.IndexEvery, 256}} {
		if *f.value < 0 {
			return c, errors.New("recording: FrameSize, Buffer and IndexEvery must not be negative")
		}
		if *f.value == 0 {
			*f.value = f.def
		}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c, nil
}

// storage is the file; tests put one in that fails.
type storage interface {
	io.WriterAt
	Truncate(size int64) error
	Sync() error
	Close() error
}

// Stats tells how a Writer is doing.
type Stats struct {
	// Records and Frames were written to the file, Bytes is its size.
	Records, Frames uint64
	Bytes           int64
	// Raw is what the records take without compression.
	Raw int64
	// Waiting is how many bytes of records wait to be written.
	Waiting int
	// Dropped records could not be kept; each stands in a Gap, or will as soon as the file can be written again.
	Dropped uint64
	// Trouble is why the file cannot be written at the moment; nil if it can.
	Trouble error
}

// pending is a frame that is being filled or waits to be written.
type pending struct {
	raw         []byte
	first, last int64
	records     uint64
	keys        []uint64
	devices     int // how many devices are known with it
}

// Writer records into a file. Its methods may be called from any goroutine and never wait for the disk, Flush and Close excepted.
type Writer struct {
	cfg   Config
	log   *slog.Logger
	start time.Time // with monotonic reading
	file  storage
	zstd  *zstd.Encoder
	ids   map[string]uint64

	mu      sync.Mutex
	devices []Device
	tracked map[uint64]bool // by the device's number
	full    []*pending      // oldest first
	open    *pending        // nil if empty
	waiting int
	stats   Stats
	closed  bool
	kick    chan struct{} // one token: a frame is full

	writing    sync.Mutex // held by whoever writes; guards the next
	offset     int64
	number     uint64
	frames     []frameRef
	lastIndex  int64
	dirty      bool // written since the last Sync
	syncFailed error
	synced     time.Time
	buf        []byte

	stop chan struct{}
	done chan struct{}
}

// ErrClosed is returned by a Writer that has been closed.
var ErrClosed = errors.New("the recording is closed")

var errBehind = errors.New("the recorder could not keep up")

// Create makes a new recording. A file that exists is refused.
func Create(path string, cfg Config) (*Writer, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("recording: %w", err)
	}
	w, err := newWriter(f, cfg)
	if err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(path))
	}
	return w, nil
}

// newWriter begins a recording in an empty file, which belongs to the writer if there is no error.
func newWriter(f storage, cfg Config) (*Writer, error) {
	w, err := prepare(f, cfg)
	if err != nil {
		return nil, err
	}
	head := appendFileHeader(nil, w.start)
	if _, err := f.WriteAt(head, 0); err != nil {
		return nil, fmt.Errorf("recording: %w", err)
	}
	w.offset = int64(len(head))
	w.begin()
	return w, nil
}

func prepare(f storage, cfg Config) (*Writer, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	w := &Writer{
		cfg: cfg, log: cfg.Logger, start: time.Now(), file: f, ids: map[string]uint64{}, tracked: map[uint64]bool{},
		kick: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{}),
	}
	w.synced = w.start
	if !cfg.Uncompressed {
		w.zstd, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true), zstd.WithWindowSize(1<<20))
		if err != nil {
			return nil, fmt.Errorf("recording: %w", err)
		}
	}
	return w, nil
}

// begin starts the session.
func (w *Writer) begin() {
	_ = w.put(w.record(KindSession, 0, w.start, jsonOf(Session{Program: w.cfg.Program, Wall: w.start})))
	go w.run()
}

func jsonOf(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // structs of strings, numbers and times
	}
	return b
}

// instant is a time on the session's steady line.
func (w *Writer) instant(t time.Time) int64 { return w.start.UnixNano() + int64(t.Sub(w.start)) }

func (w *Writer) record(kind Kind, device uint64, at time.Time, body []byte) *record {
	return &record{kind: kind, device: device, at: w.instant(at), wall: at.UnixNano(), body: body}
}

// put queues records that belong into one frame, or none of them: the error then says why there is no room.
func (w *Writer) put(records ...*record) error {
	size := 0
	for _, r := range records {
		size += len(r.body) + 40
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.closed:
		return ErrClosed
	case size > maxPayload:
		return fmt.Errorf("recording: a record of %d bytes; at most %d are possible", size, maxPayload)
	// A single MDIB may be larger than the whole buffer: it has to pass all the same.
	case w.waiting > 0 && w.waiting+size > w.cfg.Buffer:
		if w.stats.Trouble != nil {
			return w.stats.Trouble
		}
		return errBehind
	}
	if w.open != nil && len(w.open.raw)+size > max(w.cfg.FrameSize, frameHeaderSize) {
		w.shut()
	}
	if w.open == nil {
		w.open = &pending{first: records[0].at, last: records[0].at}
	}
	p := w.open
	before := len(p.raw)
	for _, r := range records {
		p.raw = appendRecord(p.raw, r, p.first)
		p.last = max(p.last, r.at)
		p.records++
		if r.kind == KindMDIB {
			p.keys = append(p.keys, r.device)
		}
	}
	p.devices = len(w.devices)
	w.waiting += len(p.raw) - before
	if len(p.raw) >= w.cfg.FrameSize {
		w.shut()
	}
	return nil
}

// drop counts records that could not be kept.
func (w *Writer) drop(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stats.Dropped += uint64(n)
}

// shut ends the frame that is being filled. The caller holds w.mu.
func (w *Writer) shut() {
	if w.open == nil {
		return
	}
	w.full = append(w.full, w.open)
	w.open = nil
	select {
	case w.kick <- struct{}{}:
	default:
	}
}

// run writes what is due until the writer is closed.
func (w *Writer) run() {
	defer close(w.done)
	tick := time.NewTicker(w.cfg.FlushEvery)
	defer tick.Stop()
	for {
		select {
		case <-w.stop:
			return
		case <-tick.C:
			w.mu.Lock()
			w.shut()
			w.mu.Unlock()
		case <-w.kick:
		}
		// Trouble is kept in the stats and told in the log; the next tick tries again.
		_ = w.write(false)
	}
}

// write writes the frames that are full, oldest first, and stops at the first that cannot be written. Then it synchronises the file, if that is due or asked for.
func (w *Writer) write(sync bool) error {
	w.writing.Lock()
	defer w.writing.Unlock()
	for {
		w.mu.Lock()
		var p *pending
		if len(w.full) > 0 {
			p = w.full[0]
		}
		w.mu.Unlock()
		if p == nil {
			break
		}
		err := w.writeFrame(p)
		w.settle(p, err)
		if err != nil {
			return err
		}
		if len(w.frames) >= w.cfg.IndexEvery {
			if err := w.writeIndex(p.devices); err != nil {
				w.trouble(err)
				return err
			}
		}
	}
	if !sync && (w.cfg.SyncEvery < 0 || time.Since(w.synced) < w.cfg.SyncEvery) {
		return nil
	}
	return w.sync()
}

// settle notes how writing the oldest frame went.
func (w *Writer) settle(p *pending, err error) {
	w.mu.Lock()
	was := w.stats.Trouble
	w.stats.Trouble = err
	if err == nil {
		w.full = w.full[1:]
		w.waiting -= len(p.raw)
		w.stats.Records += p.records
		w.stats.Frames++
		w.stats.Raw += int64(len(p.raw))
		w.stats.Bytes = w.offset
	}
	w.mu.Unlock()
	switch {
	case err != nil && was == nil:
		w.log.Error("the recording cannot be written", "error", err)
	case err == nil && was != nil:
		w.log.Info("the recording can be written again")
	}
}

func (w *Writer) trouble(err error) {
	w.mu.Lock()
	was := w.stats.Trouble
	w.stats.Trouble = err
	w.mu.Unlock()
	if was == nil {
		w.log.Error("the recording cannot be written", "error", err)
	}
}

func (w *Writer) writeFrame(p *pending) error {
	h := frameHeader{kind: frameRecords, number: w.number, first: p.first, last: p.last, inflated: uint32(len(p.raw))}
	if len(p.keys) > 0 {
		h.flags |= flagKey
	}
	w.buf = append(w.buf[:0], make([]byte, frameHeaderSize)...)
	if w.zstd != nil {
		h.compression = compressionZstd
		w.buf = w.zstd.EncodeAll(p.raw, w.buf)
	} else {
		w.buf = append(w.buf, p.raw...)
	}
	offset := w.offset
	if err := w.append(&h); err != nil {
		return err
	}
	w.frames = append(w.frames, frameRef{
		Offset: offset, Size: w.offset - offset, Number: h.number, First: h.first, Last: h.last, Keys: p.keys,
	})
	return nil
}

// writeIndex writes an index of the frames since the last one.
func (w *Writer) writeIndex(devices int) error {
	w.mu.Lock()
	idx := index{Previous: w.lastIndex, Devices: w.devices[:devices:devices], Frames: w.frames}
	w.mu.Unlock()
	h := frameHeader{kind: frameIndex, number: w.number}
	if n := len(w.frames); n > 0 {
		h.first, h.last = w.frames[0].First, w.frames[n-1].Last
	}
	w.buf = append(w.buf[:0], make([]byte, frameHeaderSize)...)
	w.buf = append(w.buf, jsonOf(idx)...)
	w.buf = appendFooter(w.buf, w.offset)
	h.inflated = uint32(len(w.buf) - frameHeaderSize)
	offset := w.offset
	if err := w.append(&h); err != nil {
		return err
	}
	w.lastIndex, w.frames = offset, nil
	w.mu.Lock()
	w.stats.Bytes = w.offset
	w.mu.Unlock()
	return nil
}

// append writes the frame in w.buf, whose first bytes are left for the header, by one write. What a failed write has left is taken back, so that the file always ends
// with a whole frame.
func (w *Writer) append(h *frameHeader) error {
	payload := w.buf[frameHeaderSize:]
	h.stored, h.payloadSum = uint32(len(payload)), checksum(payload)
	h.append(w.buf[:0])
	if _, err := w.file.WriteAt(w.buf, w.offset); err != nil {
		return errors.Join(fmt.Errorf("recording: %w", err), w.file.Truncate(w.offset))
	}
	w.offset += int64(len(w.buf))
	w.number++
	w.dirty = true
	if cap(w.buf) > 4<<20 {
		w.buf = nil // a large MDIB is no reason to hold that much for good
	}
	return nil
}

// sync waits for the disk. A failure stays: nobody knows what has become of the bytes.
func (w *Writer) sync() error {
	w.synced = time.Now()
	if !w.dirty {
		return w.syncFailed
	}
	w.dirty = false
	if err := w.file.Sync(); err != nil {
		w.log.Error("the recording cannot be synchronised with the disk", "error", err)
		w.syncFailed = errors.Join(w.syncFailed, fmt.Errorf("recording: what was written may not be on the disk: %w", err))
	}
	return w.syncFailed
}

// Flush writes everything recorded so far and synchronises it with the disk.
func (w *Writer) Flush() error {
	w.mu.Lock()
	w.shut()
	w.mu.Unlock()
	return w.write(true)
}

// Stats tells how the writer is doing.
func (w *Writer) Stats() Stats {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.stats
	s.Waiting = w.waiting
	return s
}

// Close writes what is left, an end mark and an index, and closes the file. The error says if something is missing: the recording then has no end mark, or a Gap.
func (w *Writer) Close() error {
	_ = w.put(w.record(KindEnd, 0, time.Now(), jsonOf(End{}))) // without room the end mark is missing, and that is told below
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return ErrClosed
	}
	w.closed = true
	w.shut()
	w.mu.Unlock()
	close(w.stop)
	<-w.done
	err := w.write(false)
	if err == nil && len(w.frames) > 0 {
		err = w.writeIndex(len(w.devices))
	}
	if err != nil {
		n := uint64(0)
		for _, p := range w.full {
			n += p.records
		}
		err = fmt.Errorf("%w; the last %d records are not in the recording, which has no end mark", err, n)
	}
	err = errors.Join(err, w.sync(), w.file.Close())
	if w.zstd != nil {
		err = errors.Join(err, w.zstd.Close())
	}
	return err
}
