package audit_test

import (
	"bytes"
	"io"
	"os"
	"sync"
	"time"
)

// disk is a file in memory that can be full.
type disk struct {
	mu   sync.Mutex
	data []byte
	err  error
}

func (d *disk) set(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.err = err
}

func (d *disk) bytes() []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	return bytes.Clone(d.data)
}

func (d *disk) ReadAt(b []byte, off int64) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return bytes.NewReader(d.data).ReadAt(b, off)
}

// WriteAt writes half of it when it is full, as file systems do.
func (d *disk) WriteAt(b []byte, off int64) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err != nil {
		b = b[:len(b)/2]
	}
	if need := int(off) + len(b); need > len(d.data) {
		d.data = append(d.data, make([]byte, need-len(d.data))...)
	}
	copy(d.data[off:], b)
	return len(b), d.err
}

func (d *disk) Truncate(size int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.data = d.data[:size]
	return nil
}

func (d *disk) Sync() error  { return nil }
func (d *disk) Close() error { return nil }

func (d *disk) Stat() (os.FileInfo, error) { return info(len(d.bytes())), nil }

type info int

func (i info) Size() int64      { return int64(i) }
func (info) Name() string       { return "disk" }
func (info) Mode() os.FileMode  { return 0o600 }
func (info) ModTime() time.Time { return time.Time{} }
func (info) IsDir() bool        { return false }
func (info) Sys() any           { return nil }

var _ io.WriterAt = (*disk)(nil)
