// Package localization holds the texts that an MDIB refers to instead of carrying them: the content of the BICEPS Localization service.
//
// A Catalogue never changes and may be used from any goroutine. It is read from a JSON file,
//
//	{"texts": [
//	  {"ref": "alarm.spo2.low", "version": 1, "translations": [
//	    {"lang": "en-US", "text": "Oxygen saturation low"},
//	    {"lang": "en-US", "text": "SpO2 low"},
//	    {"lang": "de",    "text": "Sauerstoffsättigung niedrig"}
//	  ]}
//	]}
//
// or made of Texts. A translation may stand there in several widths; devices with small screens ask for the narrow one. All
// translations of one reference have one version (BICEPS R5007): a newer version makes all of the older obsolete.
package localization

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
)

// Text is one translation of a referenced text.
type Text struct {
	// Ref is the name by which an MDIB refers to the text; needed.
	Ref string
	// Version of the text with all its translations.
	Version uint64
	// Lang is the language tag (RFC 5646); needed.
	Lang string
	// Width is the class of the widest line; "" means measured. A class narrower than the text is an error.
	Width pm.LocalizedTextWidth
	// Content is what a person reads; line feeds separate lines. Needed.
	Content string
}

// Catalogue is an immutable set of texts.
type Catalogue struct {
	texts     []text
	refs      map[string]reference
	languages []pm.Language
}

type reference struct {
	newest uint64
	texts  []int // indices
}

type text struct {
	pm.LocalizedText
	version     uint64
	rank, lines int
}

// maxErrors bounds what an error about a catalogue tells.
const maxErrors = 20

// New makes a catalogue. The error joins up to 20 things that are wrong: a missing reference, language or content, a language tag of the wrong
// form, a width that does not fit, and the same reference, version, language, width and number of lines twice.
func New(texts ...Text) (*Catalogue, error) {
	type key struct {
		ref, lang   string
		version     uint64
		rank, lines int
	}
	c := &Catalogue{refs: map[string]reference{}}
	seen := map[key]bool{}
	known := map[string]bool{}
	var errs []error
	for i, t := range texts {
		if len(errs) == maxErrors {
			break
		}
		bad := func(format string, args ...any) {
			errs = append(errs, fmt.Errorf("text %d (%q, %q): %w", i+1, t.Ref, t.Lang, fmt.Errorf(format, args...)))
		}
		width, lines := Measure(t.Content)
		if t.Width == "" {
			t.Width = width
		}
		lang := strings.ToLower(t.Lang)
		k := key{t.Ref, lang, t.Version, rank(t.Width), lines}
		switch {
		case t.Ref == "":
			bad("no reference")
		case !isLanguage(t.Lang):
			bad("the language is no language tag")
		case strings.TrimSpace(t.Content) == "":
			bad("no content")
		case xmlscan.Illegal(t.Content) >= 0:
			bad("byte %d of the text is a character that XML does not allow", xmlscan.Illegal(t.Content))
		case k.rank < 0:
			bad("unknown width %q", t.Width)
		case k.rank < rank(width):
			bad("the width is given as %s but a line needs %s", t.Width, width)
		case seen[k]:
			bad("version %d stands there twice with %d lines of width %s", t.Version, lines, t.Width)
		default:
			seen[k] = true
			c.texts = append(c.texts, text{
				LocalizedText: pm.LocalizedText{Ref: t.Ref, Lang: t.Lang, Version: pm.Some(t.Version), TextWidth: t.Width, Text: t.Content},
				version:       t.Version, rank: k.rank, lines: lines,
			})
			of := c.refs[t.Ref]
			c.refs[t.Ref] = reference{newest: max(of.newest, t.Version), texts: append(of.texts, len(c.texts)-1)}
			if !known[lang] {
				known[lang] = true
				c.languages = append(c.languages, t.Lang)
			}
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return c, nil
}

// Len is the number of texts, all versions and translations counted.
func (c *Catalogue) Len() int { return len(c.texts) }

// Languages lists the languages there are texts in, in the order they come up in the catalogue. The list is the caller's.
func (c *Catalogue) Languages() []pm.Language { return slices.Clone(c.languages) }

// Has tells whether a reference has a text; with a version or language, one of it.
func (c *Catalogue) Has(ref string, version pm.Opt[uint64], lang pm.Language) bool {
	of, ok := c.refs[ref]
	if !ok {
		return false
	}
	v, versioned := version.Get()
	return slices.ContainsFunc(of.texts, func(i int) bool {
		t := &c.texts[i]
		return (!versioned || t.version == v) && (lang == "" || strings.EqualFold(t.Lang, lang))
	})
}

// Select returns the texts that pass every filter of a request, in the order of the catalogue (SDPi R0503 to R0508): references (none: all), version
// (none: the newest of each reference; one that is not there: nothing), languages (none: all; compared as whole tags, without regard to case), widths (none: all;
// else no wider than the widest one asked for) and numbers of lines (none: all; else no more than the largest one asked for).
func (c *Catalogue) Select(r *msg.GetLocalizedText) []pm.LocalizedText {
	refs := make(map[string]bool, len(r.Ref))
	for _, ref := range r.Ref {
		refs[ref] = true
	}
	langs := make(map[string]bool, len(r.Lang))
	for _, l := range r.Lang {
		langs[strings.ToLower(l)] = true
	}
	widest := -1
	for _, w := range r.TextWidth {
		widest = max(widest, rank(w))
	}
	var most int64
	for _, n := range r.NumberOfLines {
		most = max(most, n)
	}
	version, versioned := r.Version.Get()
	var out []pm.LocalizedText
	for i := range c.texts {
		t := &c.texts[i]
		want := version
		if !versioned {
			want = c.refs[t.Ref].newest
		}
		if t.version == want &&
			(len(refs) == 0 || refs[t.Ref]) &&
			(len(langs) == 0 || langs[strings.ToLower(t.Lang)]) &&
			(len(r.TextWidth) == 0 || t.rank <= widest) &&
			(len(r.NumberOfLines) == 0 || int64(t.lines) <= most) {
			out = append(out, t.LocalizedText)
		}
	}
	return out
}

// isLanguage tells whether a tag has the form of xsd:language.
func isLanguage(tag string) bool {
	for i, part := range strings.Split(tag, "-") {
		if len(part) == 0 || len(part) > 8 {
			return false
		}
		for _, b := range []byte(part) {
			letter, digit := b|0x20 >= 'a' && b|0x20 <= 'z', b >= '0' && b <= '9'
			if !letter && (i == 0 || !digit) {
				return false
			}
		}
	}
	return true
}
