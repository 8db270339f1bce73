package audit

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// rotate sets a full file aside and begins the next. What fails is tried again with the next records.
func (a *File) rotate() error {
	if a.file != nil {
		if err := errors.Join(a.file.Sync(), a.file.Close()); err != nil {
			return err
		}
		a.file, a.dirty = nil, false
		if err := os.Rename(a.path, asideName(a.path, a.last.Number)); err != nil {
			// Better too large a file than none.
			var openErr error
			a.file, openErr = a.cfg.open(a.path)
			return errors.Join(err, openErr)
		}
		a.size = 0
	}
	var err error
	a.file, err = a.cfg.open(a.path)
	return err
}

func asideName(path string, last uint64) string { return fmt.Sprintf("%s.%020d", path, last) }

// Files are the file at a path and those that were set aside for it (FileConfig.MaxSize), the oldest first.
func Files(path string) ([]string, error) {
	aside, err := asideOf(path)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	return append(aside, path), nil
}

// asideOf lists the files that were set aside for one, the oldest first.
func asideOf(path string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	var out []string // ReadDir sorts by name, which is by number
	for _, e := range entries {
		number, ok := strings.CutPrefix(e.Name(), filepath.Base(path)+".")
		if ok && len(number) == 20 && strings.Trim(number, "0123456789") == "" && e.Type().IsRegular() {
			out = append(out, filepath.Join(filepath.Dir(path), e.Name()))
		}
	}
	return out, nil
}

// lastOf is the end of the chain in the files that were set aside; that of no records if there are none.
func lastOf(path string) (Chain, error) {
	last := Chain{Hash: zeroHash}
	aside, err := asideOf(path)
	if err != nil || len(aside) == 0 {
		return last, err
	}
	f, err := os.Open(aside[len(aside)-1])
	if err != nil {
		return last, err
	}
	defer f.Close() //nolint:errcheck // it was only read
	a := &File{file: readOnly{f}}
	if _, err := a.findEnd(); err != nil {
		return last, fmt.Errorf("%s: %w", aside[len(aside)-1], err)
	}
	return a.last, nil
}

// readOnly is a file whose end is looked at: what is torn there stays.
type readOnly struct{ *os.File }

func (readOnly) Truncate(int64) error { return nil }
