package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
)

// bar is one bar of a plot.
type bar struct {
	Label string
	Value float64
	Kind  barKind
}

type barKind uint8

const (
	ours barKind = iota
	reference
	other
)

func (k barKind) colour() string {
	return [...]string{"#0b6e99", "#8a8f98", "#c8893b"}[k]
}

// plot is a bar chart, written without the help of any library.
type plot struct {
	File  string
	Title string
	Unit  string
	Log   bool // logarithmic, for what differs by orders of magnitude
	Bars  []bar
}

var svgEscape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// svg draws horizontal bars, which leaves room for their names.
func (p plot) svg() string {
	const left, width, right, line, top = 250, 420, 130, 26, 44
	height := top + line*len(p.Bars) + 14
	highest, lowest := 0.0, math.Inf(1)
	for _, b := range p.Bars {
		highest = max(highest, b.Value)
		if b.Value > 0 {
			lowest = min(lowest, b.Value)
		}
	}
	scale := func(v float64) float64 {
		switch {
		case highest == 0 || v <= 0 || math.IsNaN(v):
			return 0
		case p.Log:
			lo := math.Floor(math.Log10(lowest)) - 0.3
			return width * (math.Log10(v) - lo) / (math.Log10(highest) - lo)
		default:
			return width * v / highest
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="system-ui, sans-serif" font-size="13">`+"\n",
		left+width+right, height, left+width+right, height)
	b.WriteString(`<rect width="100%" height="100%" fill="#ffffff"/>` + "\n")
	note := p.Unit
	if p.Log {
		note += ", logarithmic"
	}
	fmt.Fprintf(&b, `<text x="12" y="24" font-size="15" fill="#1c2024">%s <tspan fill="#6b7078" font-size="12">(%s)</tspan></text>`+"\n", svgEscape.Replace(p.Title), svgEscape.Replace(note))
	for i, bar := range p.Bars {
		y := top + i*line
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end" fill="#1c2024">%s</text>`+"\n", left-8, y+15, svgEscape.Replace(bar.Label))
		fmt.Fprintf(&b, `<rect x="%d" y="%d" width="%.1f" height="18" fill="%s"/>`+"\n", left, y+1, math.Max(1, scale(bar.Value)), bar.Kind.colour())
		fmt.Fprintf(&b, `<text x="%.1f" y="%d" fill="#1c2024">%s</text>`+"\n", left+math.Max(1, scale(bar.Value))+6, y+15, num(bar.Value))
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func (p plot) write(dir string) error {
	return os.WriteFile(filepath.Join(dir, p.File), []byte(p.svg()), 0o644)
}
