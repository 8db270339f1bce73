package braille

import (
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestEmptySweepIsBlank(t *testing.T) {
	lines := NewSweep(5, 2, 1).Lines()
	require.Equal(t, []string{strings.Repeat("⠀", 5), strings.Repeat("⠀", 5)}, lines)
}

func TestSweepDrawsFromLeftToRightAndScales(t *testing.T) {
	s := NewSweep(4, 1, 8) // 8 dot columns, one second each
	for i := range 4 {
		s.Add(float64(i), 1)
	}
	lines := s.Lines()
	require.Len(t, lines, 1)
	require.Equal(t, 4, utf8.RuneCountInString(lines[0]))
	r := []rune(lines[0])
	require.NotZero(t, r[0]-0x2800, "the oldest sample is at the left")
	require.NotZero(t, (r[0]-0x2800)&dots[3][0], "the lowest value is at the bottom")
	require.NotZero(t, (r[1]-0x2800)&dots[0][1], "the highest value is at the top")
	require.Zero(t, r[3]-0x2800, "nothing is drawn ahead")
}

func TestSweepStartsOverWithAGap(t *testing.T) {
	s := NewSweep(10, 1, 20)
	for i := range 23 {
		s.Add(math.Sin(float64(i)), 1)
	}
	r := []rune(s.Lines()[0])
	require.NotZero(t, r[0]-0x2800)
	require.Zero(t, r[3]-0x2800, "gap ahead of the newest sample")
	require.NotZero(t, r[9]-0x2800, "the former sweep stays beyond the gap")
}

func TestNarrowPeaksStayVisible(t *testing.T) {
	s := NewSweep(10, 2, 10)
	for i := range 100 {
		v := 0.0
		if i == 37 {
			v = 10
		}
		s.Add(v, 0.1)
	}
	top := s.Lines()[0]
	require.NotEqual(t, strings.Repeat("⠀", 10), top)
}

func TestBlankSamplesAreNotDrawn(t *testing.T) {
	s := NewSweep(4, 1, 8)
	for range 5 {
		s.Add(math.NaN(), 1)
	}
	require.Equal(t, strings.Repeat("⠀", 4), s.Lines()[0])
}
