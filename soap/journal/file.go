package journal

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
)

// file is a journal on disk, which is renamed when it is full, and begun anew.
type file struct {
	path string
	max  int64
	f    *os.File // nil: there is no new one yet
	full bool     // the one at the path has not been renamed yet
	size int64
}

// Open opens a journal for writing: a new file of mode 0600, or one that holds a journal already, whose mode becomes that, and which goes on. Anything else is refused and left
// alone. On Unix two processes cannot write to one file.
func Open(path string, cfg Config) (*Journal, error) {
	if err := cfg.setDefaults(); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	f := &file{path: path, max: cfg.MaxSize}
	if err := f.open(); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	return New(f, cfg)
}

// open opens the file at the path.
func (f *file) open() (err error) {
	info, err := os.Stat(f.path) // before it is opened: a pipe would wait for a reader
	if err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", f.path)
	}
	file, err := os.OpenFile(f.path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, file.Close())
		}
	}()
	if err := lock(file); err != nil {
		return fmt.Errorf("%s: %w", f.path, err)
	}
	if info, err = file.Stat(); err != nil {
		return err
	}
	f.size = info.Size()
	if f.size > 0 {
		if err := isJournal(file); err != nil {
			return fmt.Errorf("%s: %w", f.path, err)
		}
	}
	if info.Mode().Perm()&0o077 != 0 {
		if err := file.Chmod(0o600); err != nil {
			return fmt.Errorf("%s is open to others: %w", f.path, err)
		}
	}
	last := make([]byte, 1)
	if f.size > 0 {
		if _, err := file.ReadAt(last, f.size-1); err != nil {
			return err
		}
		if last[0] != '\n' { // whoever wrote it was killed; that line is passed over by readers
			if _, err := file.WriteString("\n"); err != nil {
				return err
			}
			f.size++
		}
	}
	f.f = file
	return nil
}

// errNoJournal refuses a file that holds something else.
var errNoJournal = errors.New("it is no journal: the first line does not say so")

func isJournal(file *os.File) error {
	line, err := bufio.NewReaderSize(file, 4096).ReadSlice('\n')
	var first Entry
	if err != nil || json.Unmarshal(line, &first) != nil || first.Kind != KindStart {
		return errNoJournal
	}
	if first.Format != Format {
		return fmt.Errorf("it is a journal of format %d, and this is about %d", first.Format, Format)
	}
	return nil
}

// Write writes a line. If that would make the file too long, it is renamed before.
func (f *file) Write(line []byte) (int, error) {
	if f.f != nil && f.size > 0 && f.size+int64(len(line)) > f.max {
		// Closed first: an open file cannot be renamed on every system.
		err := f.f.Close()
		f.f, f.full = nil, true
		if err != nil {
			return 0, err
		}
	}
	if f.f == nil {
		if err := f.next(); err != nil {
			return 0, err
		}
	}
	n, err := f.f.Write(line)
	f.size += int64(n)
	return n, err
}

// next begins the next file. What fails is tried again with the next line.
func (f *file) next() error {
	if f.full {
		if err := os.Rename(f.path, f.path+".1"); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		f.full = false
	}
	if err := f.open(); err != nil {
		return err
	}
	start := Entry{Time: now(), Kind: KindStart, Format: Format, Continued: true}
	line, err := start.appendLine(nil)
	if err != nil {
		return err
	}
	n, err := f.f.Write(line)
	f.size += int64(n)
	if err != nil { // without this line it would be no journal
		err = errors.Join(err, f.f.Truncate(0), f.f.Close())
		f.f = nil
	}
	return err
}

// Close closes the file.
func (f *file) Close() error {
	if f.f == nil {
		return nil
	}
	return f.f.Close()
}
