package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/testkit/reftest"
)

const root = "../.."

// Fails when a test names a requirement that does not exist, when a row claims
// tests it does not have, or when the committed page is not the one generated.
func TestPageIsCurrent(t *testing.T) {
	want, err := generate(root)
	require.NoError(t, err)
	have, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(page)))
	require.NoError(t, err)
	// Not require.Equal: its diff of the whole page helps nobody.
	require.True(t, string(have) == string(want), "%s is not current: run make conformance", page)
}

func TestEveryIDOnce(t *testing.T) {
	list, err := requirements()
	require.NoError(t, err)
	require.Len(t, list, 455)
}

// Every requirement of the reference is listed, ranges and lists of identifiers
// taken apart.
func TestListMatchesReference(t *testing.T) {
	source := string(reftest.Read(t, filepath.Join(reftest.Dir(t), "requirements.md")))
	list, err := requirements()
	require.NoError(t, err)
	area := map[string]int{}
	for _, q := range list {
		key, _, _ := strings.Cut(q.Area, " ")
		area[key]++
	}
	counts := regexp.MustCompile(`(?m)^\| (A\d+) [^|]*\| \d+ \| (\d+) \|$`).FindAllStringSubmatch(source, -1)
	require.Len(t, counts, 16)
	for _, c := range counts {
		require.Equal(t, c[2], strconv.Itoa(area[c[1]]), "identifiers in area %s", c[1])
	}
}

// What the base standards ask of a participant is shown or answered, and an answer that names a page or package of the project names one that is there.
func TestAnswers(t *testing.T) {
	list, err := requirements()
	require.NoError(t, err)
	place := regexp.MustCompile(`\b(?:docs|sdc|mdib|soap|discovery)/[\w./-]*\w`)
	for _, q := range list {
		if q.Profile == "base" {
			require.NotEqual(t, statusOpen, q.Status, q.ID)
		}
		for _, p := range place.FindAllString(q.Note, -1) {
			_, err := os.Stat(filepath.Join(root, filepath.FromSlash(p)))
			require.NoError(t, err, "%s: %s", q.ID, q.Note)
		}
	}
}

func TestClaims(t *testing.T) {
	found, err := claimsOf("x_test.go", []byte(`package x

// TestDoc says so above.
// covers: A 1
func TestDoc(t *testing.T) {}

func TestInside(t *testing.T) {
	// covers: A 2, B 3 (the second half), 4.
	t.Run("sub", func(t *testing.T) {
		// covers: C: with colon
	})
	help(t)
}

func help(t *testing.T) {
	// covers: D 1
}
`))
	require.NoError(t, err)
	require.Equal(t, []claim{
		{Test: test{"x_test.go", "TestDoc"}, Line: 4, IDs: []string{"A 1"}},
		{Test: test{"x_test.go", "TestInside"}, Line: 8, IDs: []string{"A 2", "B 3", "4"}},
		{Test: test{"x_test.go", "TestInside"}, Line: 10, IDs: []string{"C: with colon"}},
		{Test: test{"x_test.go", "TestInside"}, Line: 16, IDs: []string{"D 1"}},
	}, found)

	for name, src := range map[string]string{
		"outside":  "package x\n// covers: A 1\nvar a int\n",
		"helper":   "package x\nfunc help() {\n// covers: A 1\n}\n",
		"TestMain": "package x\nfunc TestMain() {\n// covers: A 1\n}\n",
		"nothing":  "package x\nfunc TestX() {\n// covers:\n}\n",
	} {
		_, err := claimsOf("x_test.go", []byte(src))
		require.Error(t, err, name)
	}
}

func TestJoin(t *testing.T) {
	list := []requirement{
		{ID: "A 1"}, {ID: "A 2", Status: statusOpen, Note: "later"}, {ID: "A 3", Status: statusNA, Note: "never"},
		{ID: "A 4", Status: statusPartly, Note: "half"}, {ID: "A 5"},
	}
	one := test{"x_test.go", "TestOne"}
	rows, err := join(list, []claim{{Test: one, IDs: []string{"A 1", "2", "A 1"}}, {Test: one, IDs: []string{"A 4"}}})
	require.NoError(t, err)
	var status []string
	for _, r := range rows {
		status = append(status, r.Status)
	}
	require.Equal(t, []string{statusTested, statusTested, statusNA, statusPartly, statusOpen}, status)
	require.Equal(t, []test{one}, rows[0].Tests)
	require.Equal(t, "not built yet", rows[4].Note)

	known := map[string]int{"A 1": 0, "A 2": 1, "A 3": 2, "B 1": 3}
	require.Equal(t, []string{"A 1", "A 2", "A 3", "B 1", "A 1", "A 2"}, resolve([]string{"A 1–3", "B 1", "A 1–A 2"}, known))
	require.Equal(t, []string{"A 3–A 9"}, resolve([]string{"A 3–A 9"}, known))

	_, err = join(list, nil)
	require.ErrorContains(t, err, "A 4 is said to be partly tested")
	_, err = join(list, []claim{{Test: one, Line: 7, IDs: []string{"A 4", "A 9"}}})
	require.ErrorContains(t, err, `x_test.go:7: TestOne covers "A 9"`)
}
