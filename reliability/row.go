package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/semeco/go-sdc/internal/testkit/oracle"
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

// Soak is what came of a soak.
type Soak struct {
	Began  time.Time
	Length time.Duration
	// Bound is the time within which links must be live again after a fault.
	Bound time.Duration
	// Result is the line of the result, Faults tells how often each was brought about.
	Result string
	Faults map[string]int
	*Leaks
}

func readAll[T any](r io.Reader) ([]T, error) {
	var all []T
	for d := json.NewDecoder(r); ; {
		var one T
		switch err := d.Decode(&one); err {
		case nil:
			all = append(all, one)
		case io.EOF:
			return all, nil
		default:
			return nil, fmt.Errorf("results: %w", err)
		}
	}
}
