package lint

import (
	"bytes"
	"regexp"
	"unicode/utf8"
)

type place struct{ line, column int }

// locate finds where handles are written: an attribute Handle, or DescriptorHandle where there is no other. It is good enough to show a reader
// the place; what the document means is not decided by it.
func locate(doc []byte) map[string]place {
	out := map[string]place{}
	strong := map[string]bool{}
	line, start, at := 1, 0, 0 // start: offset of the line; at: what has been counted
	for _, m := range regexp.MustCompile(`\s(Descriptor)?Handle\s*=\s*(?:"([^"<]*)"|'([^'<]*)')`).FindAllSubmatchIndex(doc, -1) {
		pos := m[0] + 1
		if n := bytes.Count(doc[at:pos], []byte("\n")); n > 0 {
			line += n
			start = bytes.LastIndexByte(doc[:pos], '\n') + 1
		}
		at = pos
		lo, hi := m[4], m[5]
		if lo < 0 {
			lo, hi = m[6], m[7]
		}
		handle := string(doc[lo:hi])
		own := m[2] < 0
		if _, known := out[handle]; known && (strong[handle] || !own) {
			continue
		}
		out[handle] = place{line, utf8.RuneCount(doc[start:pos]) + 1}
		strong[handle] = own
	}
	return out
}
