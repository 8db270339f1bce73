package yamldoc_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/yamldoc"
)

type document struct {
	Name   string        `yaml:"name"`
	Number int           `yaml:"number"`
	Part   *float64      `yaml:"part"`
	Wait   time.Duration `yaml:"wait"`
	On     bool          `yaml:"on"`
	List   []document    `yaml:"list"`
	Words  []string      `yaml:"words"`
}

func parse(text string) (document, error) {
	var d document
	n, err := yamldoc.Read([]byte(text))
	if err == nil {
		err = yamldoc.Decode(n, &d)
	}
	return d, err
}

func TestDocuments(t *testing.T) {
	d, err := parse("# a comment\n---\nname: 007\nwait: 1m30s\nlist: [{number: 3, on: true}]\nwords: [~x, 'null', 1]\n...\n")
	require.NoError(t, err)
	require.Equal(t, document{Name: "007", Wait: 90 * time.Second, List: []document{{Number: 3, On: true}}, Words: []string{"~x", "null", "1"}}, d)
	d, err = parse(`{"name": "json", "words": []}`)
	require.NoError(t, err)
	require.Equal(t, document{Name: "json", Words: []string{}}, d)
	for _, none := range []string{"", "# nothing\n", "---\n", "~"} {
		_, err := parse(none)
		require.ErrorIs(t, err, yamldoc.ErrNone, none)
	}
	_, err = parse("name: a\n---\nname: b\n")
	require.ErrorIs(t, err, yamldoc.ErrMany)
}

func TestMistakesHaveTheirPlaces(t *testing.T) {
	for text, want := range map[string][]yamldoc.Problem{
		"name: a\ncolour: red\nnumber: x\n": {{2, 1, `there is no field "colour" here`}, {3, 9, "`x` is no whole number"}},
		"name: a\nname: b":                  {{2, 1, `mapping key "name" already defined at line 1`}},
		"part: x":                           {{1, 7, "`x` is no number"}},
		"on: maybe":                         {{1, 5, "`maybe` is neither true nor false"}},
		"wait: soon":                        {{1, 7, "`soon` is no duration such as 1m30s"}},
		"wait: 5":                           {{1, 7, "`5` is no duration such as 1m30s"}},
		"words: x":                          {{1, 8, "`x` is no list"}},
		"words: {a: b}":                     {{1, 8, "a mapping is no list"}},
		"name: [a]":                         {{1, 7, "a list does not belong here"}},
		"list: [3]":                         {{1, 8, "`3` does not belong here"}},
		"words:\n - a\n -\n":                {{3, 3, "an item of a list is empty"}},
		"list: [{words: [~]}]":              {{1, 17, "an item of a list is empty"}},
		"name: [":                           {{1, 8, "did not find expected node content"}},
		"list:\n  - [a,\nb: c\n":            {{3, 2, "mapping values are not allowed in this context"}},
		"list: [\n{name: a}\nname: b":       {{3, 1, "did not find expected ',' or ']' while parsing a flow sequence that begins in line 1"}},
		"name: *x":                          {{1, 7, "unknown anchor 'x' referenced"}},
		"name: a\n---\nname: [":             {{3, 8, "did not find expected node content"}},
	} {
		_, err := parse(text)
		var e *yamldoc.Error
		require.ErrorAs(t, err, &e, text)
		require.Equal(t, want, e.Problems, text)
	}
	_, err := parse("name: a\ncolour: red\nnumber: x\n")
	require.EqualError(t, err, "line 2: there is no field \"colour\" here\nline 3: `x` is no whole number")
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("name: a\nlist: [{words: [b, c]}]\nwait: 1s\n"))
	f.Add([]byte("list: &a [{name: !!str 1}, *a]\n<<: {on: yes}\n"))
	f.Add([]byte("list:\n  - {name: a}\nwords: !00\n0\n  - b: c\nd: e"))
	f.Add([]byte("? |\n  block\n: >-\n  folded\n--- %tag\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		n, err := yamldoc.Read(text)
		if (n == nil) == (err == nil) {
			t.Fatal("either a document or an error")
		}
		if err != nil {
			return
		}
		var d document
		if err := yamldoc.Decode(n, &d); err != nil {
			require.NotEmpty(t, err.Error())
		}
	})
}
