package localization

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/semeco/go-sdc/mdib/pm"
)

// MaxFileSize is the largest catalogue file that is read, in bytes.
const MaxFileSize = 16 << 20

type file struct {
	Texts []struct {
		Ref          string  `json:"ref"`
		Version      *uint64 `json:"version"`
		Translations []struct {
			Lang  string                `json:"lang"`
			Width pm.LocalizedTextWidth `json:"width"`
			Text  string                `json:"text"`
		} `json:"translations"`
	} `json:"texts"`
}

// Read reads a catalogue in the JSON form that the package comment shows; "width" may be given with a translation and is measured otherwise. Unknown fields,
// a missing version, a reference without translations, anything behind the document and documents above MaxFileSize are errors, and so is what New refuses.
func Read(r io.Reader) (*Catalogue, error) {
	document, err := io.ReadAll(io.LimitReader(r, MaxFileSize+1))
	if err != nil {
		return nil, fmt.Errorf("localization: %w", err)
	}
	if len(document) > MaxFileSize {
		return nil, fmt.Errorf("localization: more than %d bytes", MaxFileSize)
	}
	d := json.NewDecoder(bytes.NewReader(document))
	d.DisallowUnknownFields()
	var f file
	if err := d.Decode(&f); err != nil {
		return nil, fmt.Errorf("localization: %s%w", place(document, err), err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("localization: something follows the document")
	}
	var texts []Text
	for _, t := range f.Texts {
		if t.Version == nil {
			return nil, fmt.Errorf("localization: %q has no version", t.Ref)
		}
		if len(t.Translations) == 0 {
			return nil, fmt.Errorf("localization: %q has no translations", t.Ref)
		}
		for _, tr := range t.Translations {
			texts = append(texts, Text{Ref: t.Ref, Version: *t.Version, Lang: tr.Lang, Width: tr.Width, Content: tr.Text})
		}
	}
	c, err := New(texts...)
	if err != nil {
		return nil, fmt.Errorf("localization: %w", err)
	}
	return c, nil
}

// place is the line of an error of the decoder, "line 3: "; "" where the decoder does not tell, as of an unknown field, whose name it tells.
func place(document []byte, err error) string {
	var at int64
	var syntax *json.SyntaxError
	var mismatch *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		at = syntax.Offset
	case errors.As(err, &mismatch):
		at = mismatch.Offset
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		at = int64(len(document))
	default:
		return ""
	}
	return fmt.Sprintf("line %d: ", bytes.Count(document[:min(max(at, 0), int64(len(document)))], []byte("\n"))+1)
}

// ReadFile reads a catalogue from a file; see Read.
func ReadFile(path string) (*Catalogue, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("localization: %w", err)
	}
	defer f.Close()
	c, err := Read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}
