package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// row is one line of the page: what was to be reached, and what was.
type row struct {
	What    string
	Target  string
	Figure  string
	Verdict verdict
	// Note says why, where the figure alone does not.
	Note string
	// Raw are the single runs behind the figure.
	Raw []series
}

// verdict is the outcome of a row.
type verdict uint8

const (
	missed verdict = iota
	met
	unmeasured // a reference is missing on this machine
)

func (v verdict) String() string {
	switch v {
	case met:
		return "met"
	case missed:
		return "**missed**"
	default:
		return "not measured"
	}
}

func verdictOf(ok bool) verdict {
	if ok {
		return met
	}
	return missed
}

// series are the runs of one thing in the order they were made.
type series struct {
	Name   string
	Unit   string
	Values []float64
}

func (s series) median() float64 { return median(s.Values) }

func median(v []float64) float64 { return quantile(v, 0.5) }

// quantile is by nearest rank; NaN without values.
func quantile(v []float64, q float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	v = slices.Sorted(slices.Values(v))
	if q == 0.5 && len(v)%2 == 0 {
		return (v[len(v)/2-1] + v[len(v)/2]) / 2
	}
	return v[min(len(v)-1, int(math.Ceil(q*float64(len(v))))-1+b2i(q == 0))]
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// micros turns durations into microseconds.
func micros(d []time.Duration) []float64 {
	out := make([]float64, len(d))
	for i := range d {
		out[i] = float64(d[i].Nanoseconds()) / 1e3
	}
	return out
}

// num writes a number with three significant digits and thin groups.
func num(v float64) string {
	switch a := math.Abs(v); {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return "-"
	case a >= 1000:
		digits := fmt.Sprintf("%.0f", math.Round(v))
		var b strings.Builder
		for i, c := range digits {
			if i > 0 && (len(digits)-i)%3 == 0 && digits[i-1] != '-' {
				b.WriteByte(' ')
			}
			b.WriteRune(c)
		}
		return b.String()
	case a >= 100 || a == math.Trunc(a):
		return fmt.Sprintf("%.0f", v)
	case a >= 10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}

func times(v float64) string { return num(v) + " x" }
