package xmlscan

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// referenceDir finds the reference material: SDC_REFERENCE_DIR or
// ../shared/reference next to the module. Without it the test is skipped, or
// fails if SDC_REQUIRE_REFERENCE is 1.
func referenceDir(t testing.TB) string {
	if dir := os.Getenv("SDC_REFERENCE_DIR"); dir != "" {
		return dir
	}
	dir, err := os.Getwd()
	require.NoError(t, err)
	for {
		ref := filepath.Join(dir, "..", "shared", "reference")
		if st, err := os.Stat(ref); err == nil && st.IsDir() {
			return ref
		}
		up := filepath.Dir(dir)
		if up == dir {
			break
		}
		dir = up
	}
	if os.Getenv("SDC_REQUIRE_REFERENCE") == "1" {
		t.Fatal("the reference material is missing")
	}
	t.Skip("the reference material is missing (set SDC_REFERENCE_DIR)")
	return ""
}

// The recorded messages and the sample MDIBs of independent implementations are
// read like encoding/xml reads them, and their parts survive as Raw.
func TestReferenceDocuments(t *testing.T) {
	dir := referenceDir(t)
	for _, c := range []struct {
		pattern string
		least   int
	}{
		{"wire/*.xml", 96},
		{"samples/mdibs/*.xml", 10},
		{"samples/sdpi-messages/*.xml", 30},
	} {
		files, err := filepath.Glob(filepath.Join(dir, filepath.FromSlash(c.pattern)))
		require.NoError(t, err)
		require.GreaterOrEqual(t, len(files), c.least)
		for _, file := range files {
			t.Run(filepath.Base(file), func(t *testing.T) {
				doc, err := os.ReadFile(file)
				require.NoError(t, err)
				ours, err := ourTokens(doc)
				switch {
				case len(doc) == 0: // a message without body
					require.ErrorContains(t, err, "no root element")
					return
				case strings.HasSuffix(file, "86-Fault-notWellFormed.xml"): // sent so on purpose
					require.ErrorIs(t, err, ErrSyntax)
					return
				}
				require.NoError(t, err)
				theirs, err := goTokens(doc)
				require.NoError(t, err)
				require.Equal(t, theirs, ours)

				s := NewScanner(doc, Limits{})
				require.NoError(t, s.Root())
				for s.Child() {
					for s.Child() {
						r, err := s.Raw()
						require.NoError(t, err)
						checkRaw(t, r)
					}
				}
				require.NoError(t, s.End())
			})
		}
	}
}

func TestReferenceMDIBWithoutAllocations(t *testing.T) {
	doc, err := os.ReadFile(filepath.Join(referenceDir(t), "samples", "mdibs", "sdc11073-70041_MDIB_Final.xml"))
	require.NoError(t, err)
	var s Scanner
	read := func() {
		s.Reset(doc, Limits{})
		for {
			k, err := s.Next()
			if err != nil {
				t.Fatal(err)
			}
			if k == EOF {
				return
			}
		}
	}
	for range 20 {
		read()
	}
	require.Zero(t, testing.AllocsPerRun(20, read))
}

func BenchmarkMDIB(b *testing.B) {
	doc, err := os.ReadFile(filepath.Join(referenceDir(b), "samples", "mdibs", "sdc11073-70041_MDIB_Final.xml"))
	require.NoError(b, err)
	benchTokens(b, doc)
}
