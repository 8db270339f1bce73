package journal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"time"
)

// maxLine bounds a line that is read, in bytes: more than any that is written.
const maxLine = 64 << 20

// LineError is a line that is no entry, as one is that was being written when the process was killed. Reading goes on behind it.
type LineError struct {
	// Line is its number in the file, from 1.
	Line int
	// Last says that nothing follows it, not even the end of a line.
	Last bool
	Err  error
}

// Error gives the number.
func (e *LineError) Error() string {
	if e.Last {
		return fmt.Sprintf("line %d is not complete: %v", e.Line, e.Err)
	}
	return fmt.Sprintf("line %d is no entry: %v", e.Line, e.Err)
}

// Unwrap returns what is wrong with it.
func (e *LineError) Unwrap() error { return e.Err }

var (
	errTooLong = errors.New("it is longer than any that is written")
	errNoKind  = errors.New("it has no kind")
)

// Reader reads the entries of one file.
type Reader struct {
	r       io.Reader
	buf     []byte // what has been read and not been returned
	max     int    // longest line
	line    int
	tooLong bool // the line under way, whose beginning has been thrown away
	more    bool // the file may grow: what is not complete at its end is left
}

// NewReader reads a journal from r.
func NewReader(r io.Reader) *Reader { return &Reader{r: r, max: maxLine} }

// Next returns the next entry, io.EOF at the end, a *LineError for a line that is none, after which it can be called again, or the error of reading.
func (r *Reader) Next() (Entry, error) {
	for {
		line, last, err := r.nextLine()
		if err != nil {
			return Entry{}, err
		}
		r.line++
		if r.tooLong {
			r.tooLong = false
			return Entry{}, &LineError{r.line, last, errTooLong}
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		var e Entry
		if err := json.Unmarshal(line, &e); err != nil {
			return Entry{}, &LineError{r.line, last, err}
		}
		if e.Kind == "" {
			return Entry{}, &LineError{r.line, last, errNoKind}
		}
		return e, nil
	}
}

// nextLine returns a line without its end; last says that it had none.
func (r *Reader) nextLine() (line []byte, last bool, err error) {
	seen := 0
	for {
		if i := bytes.IndexByte(r.buf[seen:], '\n'); i >= 0 {
			line, r.buf = r.buf[:seen+i], r.buf[seen+i+1:]
			return line, false, nil
		}
		if len(r.buf) > r.max {
			r.buf, r.tooLong = nil, true
		}
		seen = len(r.buf)
		if cap(r.buf)-seen < 32<<10 {
			r.buf = append(make([]byte, 0, 2*seen+64<<10), r.buf...)
		}
		n, err := r.r.Read(r.buf[seen:cap(r.buf)])
		r.buf = r.buf[:seen+n]
		switch {
		case n > 0:
		case errors.Is(err, io.EOF) && !r.more && (seen > 0 || r.tooLong):
			line, r.buf = r.buf, nil
			return line, true, nil
		case err != nil:
			return nil, false, err
		}
	}
}

// followEvery is how often a file is looked at that is followed.
const followEvery = 200 * time.Millisecond

// Follow returns the entries of the journal at the path, and those that come, through changes of the file, until ctx ends. The errors are *LineError, after which
// it goes on, and one that ends it.
func Follow(ctx context.Context, path string) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		f, err := os.Open(path)
		if err != nil {
			yield(Entry{}, err)
			return
		}
		var next *os.File // the file that has come in the place of this one
		defer func() {    // they were only read
			_ = f.Close()
			if next != nil {
				_ = next.Close()
			}
		}()
		r := &Reader{r: f, max: maxLine, more: true}
		tick := time.NewTicker(followEvery)
		defer tick.Stop()
		for ctx.Err() == nil {
			e, err := r.Next()
			var line *LineError
			switch {
			case err == nil || errors.As(err, &line):
				if !yield(e, err) {
					return
				}
				continue
			case !errors.Is(err, io.EOF):
				yield(e, err)
				return
			case next != nil: // and this one has been read to its end after that
				_ = f.Close()
				f, next = next, nil
				r = &Reader{r: f, max: maxLine, more: true}
				continue
			}
			if next, err = successor(f, path); err != nil {
				yield(Entry{}, err)
				return
			}
			if next != nil {
				continue
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
			}
		}
	}
}

// successor opens the file at the path if that is another one than f, or the same begun anew; nil if not.
func successor(f *os.File, path string) (*os.File, error) {
	now, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil //nolint:nilnil // there is none yet
	}
	if err != nil {
		return nil, err
	}
	was, err := f.Stat()
	if err != nil {
		return nil, err
	}
	at, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil, err
	}
	if os.SameFile(was, now) && now.Size() >= at {
		return nil, nil //nolint:nilnil // as it was
	}
	next, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil //nolint:nilnil // it will come
	}
	return next, err
}
