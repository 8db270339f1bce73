package mdib

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/semeco/go-sdc/mdib/msg"
)

// MaxFileSize is the largest MDIB document that is read unless told otherwise, in bytes.
const MaxFileSize = 64 << 20

// Read reads an MDIB document whose root is msg:GetMdibResponse, msg:Mdib or pm:Mdib. It refuses what FromMdib refuses, and extensions that must be
// understood but are not known; see ReadWith.
func Read(r io.Reader) (*Snapshot, error) { return ReadWith(r, msg.Options{}) }

// ReadWith is Read with options: a device that reads its own MDIB knows its extensions, or only passes them on. Without a limit of
// bytes MaxFileSize holds.
func ReadWith(r io.Reader, o msg.Options) (*Snapshot, error) {
	if o.Limits.MaxBytes <= 0 {
		o.Limits.MaxBytes = MaxFileSize
	}
	limit := int64(o.Limits.MaxBytes)
	doc, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, fmt.Errorf("reading MDIB: %w", err)
	}
	if int64(len(doc)) > limit {
		return nil, fmt.Errorf("reading MDIB: more than %d bytes", limit)
	}
	m, err := o.Unmarshal(doc)
	if err != nil {
		return nil, fmt.Errorf("reading MDIB: %w", err)
	}
	response, ok := m.(*msg.GetMdibResponse)
	if !ok {
		return nil, fmt.Errorf("reading MDIB: the root is %s, not a GetMdibResponse or Mdib", m.BodyName().Local)
	}
	s, err := FromMdib(&response.Mdib)
	if err != nil {
		return nil, fmt.Errorf("reading MDIB: %w", err)
	}
	return s, nil
}

// ReadFile reads an MDIB document from a file; see Read.
func ReadFile(path string) (*Snapshot, error) { return ReadFileWith(path, msg.Options{}) }

// ReadFileWith reads an MDIB document from a file; see ReadWith.
func ReadFileWith(path string, o msg.Options) (*Snapshot, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	s, err := ReadWith(f, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// Response returns the whole MDIB as a GetMdibResponse.
func (s *Snapshot) Response() *msg.GetMdibResponse {
	r := &msg.GetMdibResponse{Mdib: *s.Mdib()}
	r.MdibVersionGroup = s.version.Group()
	return r
}

// Write writes the MDIB as a document with the root msg:GetMdibResponse, which Read reads.
func (s *Snapshot) Write(w io.Writer) error {
	doc := append([]byte(nil), `<?xml version="1.0" encoding="UTF-8"?>`+"\n"...)
	doc = append(s.Response().AppendXML(doc), '\n')
	if _, err := w.Write(doc); err != nil {
		return fmt.Errorf("writing MDIB: %w", err)
	}
	return nil
}

// WriteFile writes the MDIB to a file; see Write. The file is replaced as a whole, so that a crash leaves the old or the new one.
func (s *Snapshot) WriteFile(path string) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // the first error is the one to tell
		}
	}()
	if err := s.Write(f); err != nil {
		_ = f.Close()
		return err
	}
	if err := f.Sync(); err != nil {
		_ = f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
