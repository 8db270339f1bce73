package localization

import (
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
// a missing version, anything behind the document and documents above MaxFileSize are errors, and so is what New refuses.
func Read(r io.Reader) (*Catalogue, error) {
	limited := &io.LimitedReader{R: r, N: MaxFileSize + 1}
	d := json.NewDecoder(limited)
	d.DisallowUnknownFields()
	var f file
	if err := d.Decode(&f); err != nil {
		if limited.N == 0 {
			return nil, fmt.Errorf("localization: more than %d bytes", MaxFileSize)
		}
		return nil, fmt.Errorf("localization: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("localization: something follows the document")
	}
	var texts []Text
	for _, t := range f.Texts {
		if t.Version == nil {
			return nil, fmt.Errorf("localization: %q has no version", t.Ref)
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
