package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/semeco/go-sdc/internal/oracle"
)

// Where a fault was brought about.
const (
	InMemory = "in memory, virtual time"
	Loopback = "loopback"
	Spaces   = "network namespaces"
)

// Row is one line of the fault matrix, as a test found it.
type Row struct {
	// Fault is what was done.
	Fault string
	// Where is InMemory, Loopback or Spaces.
	Where string
	// Bound is the time within which the link must be live again, Healed how long it took, both from the end of the fault.
	Bound, Healed time.Duration
	oracle.Verdict
	// Leaks is what was left afterwards, compared with before; nil where goroutines alone are looked at, as at the end of every test.
	Leaks *Leaks
}

// Leaks is the difference of two countings.
type Leaks struct {
	Goroutines, Files int
	Heap              int64 // bytes
}

func readRows(r io.Reader) ([]Row, error) {
	var rows []Row
	for d := json.NewDecoder(r); ; {
		var row Row
		switch err := d.Decode(&row); err {
		case nil:
			rows = append(rows, row)
		case io.EOF:
			return rows, nil
		default:
			return nil, fmt.Errorf("results: %w", err)
		}
	}
}
