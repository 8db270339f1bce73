package yamldoc_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/yamldoc"
)

// layers is a document in which each line refers to the one before ten times.
func layers(n int, first, line, reference string) string {
	var b strings.Builder
	b.WriteString(first)
	for i := 1; i < n; i++ {
		fmt.Fprintf(&b, line, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf(reference, i-1), 10), ","))
	}
	return b.String()
}

// keys is a mapping of many.
func keys(n int, indent string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%sk%d: v\n", indent, i)
	}
	return b.String()
}

// Documents of a megabyte at most that would become something far larger, or take far longer than others of their size, are refused with what is wrong with them.
func TestBombs(t *testing.T) {
	for name, tt := range map[string]struct{ doc, want string }{
		"lists of lists":         {layers(12, "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n", "a%[1]d: &a%[1]d [%[2]s]\n", "*a%d,"), "excessive aliasing"},
		"merged mappings":        {layers(30, "m0: &m0 {k: v}\n", "m%[1]d: &m%[1]d {<<: [%[2]s], k%[1]d: v}\n", "*m%d,"), "excessive aliasing"},
		"a list in itself":       {"a: &a [*a]\n", "contains itself"},
		"a mapping in itself":    {"a: &a {b: *a}\n", "contains itself"},
		"merged with itself":     {"a: &a {<<: *a, b: c}\n", "cyclic"},
		"lists in lists":         {strings.Repeat("[", 1<<20), "max depth"},
		"mappings in mappings":   {strings.Repeat("{a: ", 1<<18), "max depth"},
		"indented lists":         {strings.Repeat("- ", 1<<19), "max depth"},
		"keys in keys":           {strings.Repeat("? ", 1<<19), "max depth"},
		"many keys":              {keys(60_000, ""), "more than 1000 keys"},
		"many keys further in":   {"a:\n  - b:\n" + keys(60_000, "      "), "more than 1000 keys"},
		"many keys of a merge":   {"a:\n  <<: &x\n" + keys(60_000, "    "), "more than 1000 keys"},
		"as many keys as may be": {keys(1000, ""), ""},
	} {
		t.Run(name, func(t *testing.T) {
			require.LessOrEqual(t, len(tt.doc), 1<<20)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			content, err := yamldoc.Read([]byte(tt.doc))
			if err == nil {
				var out map[string]any
				err = yamldoc.Decode(content, &out)
			}
			runtime.ReadMemStats(&after)
			require.Less(t, (after.TotalAlloc-before.TotalAlloc)>>20, uint64(200), "MiB")
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			var wrong *yamldoc.Error
			require.ErrorAs(t, err, &wrong)
			require.ErrorContains(t, err, tt.want)
			require.Positive(t, wrong.Problems[0].Line)
		})
	}
}
