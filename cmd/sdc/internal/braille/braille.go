// Package braille draws curves into terminal cells with the braille patterns of
// Unicode, two by four dots a cell.
package braille

import (
	"math"
	"strings"
)

// Sweep is a curve that is drawn from left to right and starts over at the left
// edge, with a gap ahead of the newest sample, as on a patient monitor. It keeps
// one column of extremes for each column of dots, so that narrow peaks stay
// visible at any width. A Sweep is not safe for concurrent use.
type Sweep struct {
	width, height int       // cells
	span          float64   // seconds over the full width
	lo, hi        []float64 // per column of dots; NaN = blank
	col           int
	at            float64 // seconds into the sweep
	last          float64
	min, max      float64 // scale
	seen          [2]float64
}

// gap is the number of blank dot columns ahead of the newest sample.
const gap = 6

// NewSweep returns an empty curve of width by height cells that takes span
// seconds from edge to edge. Sizes below one cell count as one.
func NewSweep(width, height int, span float64) *Sweep {
	s := &Sweep{width: max(width, 1), height: max(height, 1), span: span}
	s.lo, s.hi = make([]float64, 2*s.width), make([]float64, 2*s.width)
	s.clear()
	return s
}

func (s *Sweep) clear() {
	for i := range s.lo {
		s.lo[i], s.hi[i] = math.NaN(), math.NaN()
	}
	s.col, s.at, s.last = 0, 0, math.NaN()
	s.min, s.max = math.NaN(), math.NaN()
	s.seen = [2]float64{math.NaN(), math.NaN()}
}

// Add draws one sample that lasts for period seconds. A NaN leaves a blank.
func (s *Sweep) Add(v, period float64) {
	if !math.IsNaN(v) {
		// The scale holds the extremes of the current and the former sweep.
		s.seen = [2]float64{math.Min(orElse(s.seen[0], v), v), math.Max(orElse(s.seen[1], v), v)}
		s.min, s.max = math.Min(orElse(s.min, v), v), math.Max(orElse(s.max, v), v)
	}
	end := s.at + period
	for {
		s.put(v)
		next := float64(s.col+1) * s.span / float64(len(s.lo))
		if end < next {
			break
		}
		s.advance()
		if s.col == 0 {
			end -= s.span
		}
	}
	s.at = end
	s.last = v
}

func orElse(v, def float64) float64 {
	if math.IsNaN(v) {
		return def
	}
	return v
}

func (s *Sweep) put(v float64) {
	if math.IsNaN(v) {
		return
	}
	// The last value joins in, so that a steep edge is a line and not two dots.
	lo, hi := v, v
	if !math.IsNaN(s.last) && s.col > 0 {
		lo, hi = math.Min(lo, s.last), math.Max(hi, s.last)
	}
	s.lo[s.col] = math.Min(orElse(s.lo[s.col], lo), lo)
	s.hi[s.col] = math.Max(orElse(s.hi[s.col], hi), hi)
}

func (s *Sweep) advance() {
	s.col = (s.col + 1) % len(s.lo)
	if s.col == 0 {
		s.last = math.NaN()
		s.min, s.max = s.seen[0], s.seen[1]
		s.seen = [2]float64{math.NaN(), math.NaN()}
	}
	for i := range gap + 1 {
		c := s.col + i
		if c < len(s.lo) {
			s.lo[c], s.hi[c] = math.NaN(), math.NaN()
		}
	}
}

// dots[row][column] are the bits of a braille pattern.
var dots = [4][2]rune{{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}}

// Lines renders the curve as height strings of width runes.
func (s *Sweep) Lines() []string {
	rows := 4 * s.height
	cells := make([]rune, s.width*s.height)
	lo, hi := s.min, s.max
	if !(hi > lo) {
		lo, hi = orElse(lo, 0)-1, orElse(hi, 0)+1
	}
	y := func(v float64) int {
		return min(max(int(math.Round((hi-v)/(hi-lo)*float64(rows-1))), 0), rows-1)
	}
	for c := range s.lo {
		if math.IsNaN(s.lo[c]) {
			continue
		}
		for r := y(s.hi[c]); r <= y(s.lo[c]); r++ {
			cells[r/4*s.width+c/2] |= dots[r%4][c%2]
		}
	}
	out := make([]string, s.height)
	var b strings.Builder
	for r := range out {
		b.Reset()
		for _, cell := range cells[r*s.width : (r+1)*s.width] {
			b.WriteRune(0x2800 + cell)
		}
		out[r] = b.String()
	}
	return out
}
