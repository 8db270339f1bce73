package localization

import (
	"slices"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"

	"github.com/semeco/go-sdc/mdib/pm"
)

// Measure returns the class of a text's widest line and the number of its lines, as pm:LocalizedTextWidth defines them: a line ends at a full
// stop, question mark, exclamation mark or line feed. The unit is what a reader sees as one character (a grapheme cluster): a full-width one
// counts 1, any other 0.5. A full stop between two digits is a decimal point and ends nothing. An empty text has no lines and the smallest width.
func Measure(text string) (width pm.LocalizedTextWidth, lines int) {
	m := measure{}
	state, rest := -1, text
	var before rune
	for rest != "" {
		var cluster string
		var half int
		cluster, rest, half, state = uniseg.FirstGraphemeClusterInString(rest, state)
		first, _ := utf8.DecodeRuneInString(cluster)
		switch {
		case first == '\n' || first == '\r' || first == '\u2028' || first == '\u2029':
			m.finish()
		case endsLine(first) && !decimalPoint(before, first, rest):
			m.add(half)
			m.ended = true
		case m.ended && (unicode.Is(unicode.Pe, first) || unicode.Is(unicode.Pf, first) || first == '"' || first == '\''):
			m.add(half) // the closing quotation mark or bracket of a sentence
		case m.ended && unicode.IsSpace(first):
			// Between two sentences: part of neither line.
		default:
			if m.ended {
				m.finish()
			}
			m.add(half)
		}
		before, _ = utf8.DecodeLastRuneInString(cluster)
	}
	if m.open {
		m.finish()
	}
	return classOf(m.widest), m.lines
}

// measure counts widths in half-width characters.
type measure struct {
	width, widest, lines int
	open                 bool // the line has begun
	ended                bool // its end was seen; what follows decides whether it goes on
}

func (m *measure) add(half int) {
	m.width += half
	m.open = true
}

func (m *measure) finish() {
	m.lines++
	m.widest = max(m.widest, m.width)
	m.width, m.open, m.ended = 0, false, false
}

func endsLine(r rune) bool {
	switch r {
	case '.', '?', '!', '。', '．', '？', '！', '…', '؟', '।':
		return true
	}
	return false
}

func decimalPoint(before, point rune, rest string) bool {
	next, _ := utf8.DecodeRuneInString(rest)
	return point == '.' && unicode.IsDigit(before) && unicode.IsDigit(next)
}

// ranks is the number of classes of width.
const ranks = 6

// widths lists the classes from narrow to wide.
func widths() [ranks]pm.LocalizedTextWidth {
	return [ranks]pm.LocalizedTextWidth{
		pm.LocalizedTextWidthXs, pm.LocalizedTextWidthS, pm.LocalizedTextWidthM, pm.LocalizedTextWidthL, pm.LocalizedTextWidthXl, pm.LocalizedTextWidthXxl,
	}
}

// rank orders the classes of width; -1 for one the schema does not know.
func rank(w pm.LocalizedTextWidth) int {
	all := widths()
	return slices.Index(all[:], w)
}

// classOf returns the narrowest class for a line of so many half-width characters.
func classOf(half int) pm.LocalizedTextWidth {
	for i, full := range [ranks - 1]int{4, 8, 12, 16, 20} {
		if half <= 2*full {
			return widths()[i]
		}
	}
	return pm.LocalizedTextWidthXxl
}
