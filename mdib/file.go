package mdib

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/mdib/msg"
)

// MaxFileSize is the largest MDIB document Read accepts, in bytes.
const MaxFileSize = 64 << 20

// Read reads an MDIB document whose root is msg:GetMdibResponse, msg:Mdib or pm:Mdib. It refuses what FromMdib refuses.
func Read(r io.Reader) (*Snapshot, error) {
	doc, err := io.ReadAll(io.LimitReader(r, MaxFileSize+1))
	if err != nil {
		return nil, fmt.Errorf("reading MDIB: %w", err)
	}
	if len(doc) > MaxFileSize {
		return nil, fmt.Errorf("reading MDIB: more than %d bytes", MaxFileSize)
	}
	m, err := msg.Options{Limits: xmlscan.Limits{MaxBytes: MaxFileSize}}.Unmarshal(doc)
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
func ReadFile(path string) (*Snapshot, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	s, err := Read(f)
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
