package main

import (
	"bytes"
	_ "embed"
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
)

//go:embed requirements.csv
var table []byte

// The statuses of a row. The first is never written by hand.
const (
	statusTested   = "tested"
	statusPartly   = "partly"
	statusByDesign = "by design"
	statusNA       = "n/a"
	statusOpen     = "open"
)

// requirement is one line of requirements.csv.
type requirement struct {
	Area    string
	ID      string
	Role    string
	Profile string
	Title   string
	Status  string
	Note    string
}

// row is a requirement with the tests that name it and the resulting status.
type row struct {
	requirement
	Tests []test
}

func requirements() ([]requirement, error) {
	r := csv.NewReader(bytes.NewReader(table))
	r.FieldsPerRecord = 7
	records, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("requirements.csv: %w", err)
	}
	var list []requirement
	seen := map[string]bool{}
	for i, f := range records[1:] {
		q := requirement{Area: f[0], ID: f[1], Role: f[2], Profile: f[3], Title: f[4], Status: f[5], Note: f[6]}
		switch {
		case seen[q.ID]:
			return nil, fmt.Errorf("requirements.csv:%d: %s is listed twice", i+2, q.ID)
		case q.ID == "" || q.Area == "" || q.Title == "":
			return nil, fmt.Errorf("requirements.csv:%d: incomplete", i+2)
		case !slices.Contains([]string{"", statusPartly, statusByDesign, statusNA, statusOpen}, q.Status):
			return nil, fmt.Errorf("requirements.csv:%d: status %q; what is tested is found out, not written", i+2, q.Status)
		case q.Status != "" && q.Note == "":
			return nil, fmt.Errorf("requirements.csv:%d: status %q needs a note", i+2, q.Status)
		}
		seen[q.ID] = true
		list = append(list, q)
	}
	return list, nil
}

// join brings requirements and claims together. A claim on an unknown identifier
// and a row said to be partly tested without a test are errors.
func join(list []requirement, claims []claim) ([]row, error) {
	known := map[string]int{}
	for i, q := range list {
		known[q.ID] = i
	}
	rows := make([]row, len(list))
	for i, q := range list {
		rows[i].requirement = q
	}
	var problems []error
	for _, c := range claims {
		for _, id := range resolve(c.IDs, known) {
			i, ok := known[id]
			if !ok {
				problems = append(problems, fmt.Errorf("%s:%d: %s covers %q, which is no requirement", c.Test.File, c.Line, c.Test.Name, id))
				continue
			}
			if !slices.Contains(rows[i].Tests, c.Test) {
				rows[i].Tests = append(rows[i].Tests, c.Test)
			}
		}
	}
	for i := range rows {
		r := &rows[i]
		sort.Slice(r.Tests, func(a, b int) bool {
			x, y := r.Tests[a], r.Tests[b]
			return x.File < y.File || x.File == y.File && x.Name < y.Name
		})
		switch {
		case r.Status == statusPartly && len(r.Tests) == 0:
			problems = append(problems, fmt.Errorf("%s is said to be partly tested, but no test names it", r.ID))
		case r.Status == statusPartly:
		case len(r.Tests) > 0:
			r.Status = statusTested
		case r.Status == "":
			r.Status, r.Note = statusOpen, "not built yet"
		}
	}
	return rows, errors.Join(problems...)
}

// renamed maps identifiers that a later standard gave to listed requirements.
func renamed(id string) string {
	switch id {
	case "BICEPS R0214":
		return "SDPi R1012"
	case "BICEPS R0215":
		return "SDPi R1013"
	}
	return id
}

// resolve completes shortened identifiers: after "BICEPS R5001", "R5002" means
// "BICEPS R5002", and "SDPi R0503–R0508" is the six from the first to the last.
func resolve(ids []string, known map[string]int) []string {
	var out []string
	prefix := ""
	complete := func(id string) string {
		id = renamed(id)
		if _, ok := known[id]; ok || prefix == "" {
			return id
		}
		if _, ok := known[prefix+" "+id]; ok {
			return prefix + " " + id
		}
		return id
	}
	for _, id := range ids {
		first, last, isRange := strings.Cut(id, "–")
		first = complete(strings.TrimSpace(first))
		if space := strings.LastIndexByte(first, ' '); space > 0 {
			prefix = first[:space]
		}
		if !isRange {
			out = append(out, first)
			continue
		}
		expanded := between(first, complete(strings.TrimSpace(last)), known)
		if expanded == nil {
			expanded = []string{id} // to be reported as written
		}
		out = append(out, expanded...)
	}
	return out
}

// between returns the identifiers listed from first to last, nil if there is no such
// range.
func between(first, last string, known map[string]int) []string {
	from, ok := known[first]
	to, ok2 := known[last]
	if !ok || !ok2 || from > to {
		return nil
	}
	out := make([]string, to-from+1)
	for id, i := range known {
		if from <= i && i <= to {
			out[i-from] = id
		}
	}
	return out
}
