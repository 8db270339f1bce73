package workflow_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.yaml.in/yaml/v4"

	"github.com/semeco/go-sdc/workflow"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const head = `workflow: test
version: 1
limit: 1m
systems: {x: "urn:x"}
devices: [{name: pump}, {name: monitor}]
`

func TestParseNamesThePlace(t *testing.T) {
	ok := head + `steps:
  - id: stop
    do: {at: pump, operation: "x:stop", no-undo: stopped is safe}
`
	w, err := workflow.Parse([]byte(ok))
	require.NoError(t, err)
	require.Equal(t, "x:stop", w.Steps[0].Do.Operation)
	for name, c := range map[string]struct{ doc, want string }{
		"unknown field":                 {strings.Replace(ok, "no-undo", "no_undo", 1), `8:`},
		"duplicate key":                 {"version: 1\n" + ok, "3:"},
		"no YAML":                       {"a: [", "1:"},
		"nothing":                       {"", "one document"},
		"two documents":                 {ok + "---\n" + ok, "one document"},
		"anchor":                        {strings.Replace(ok, "{at: pump", "&a {at: pump", 1), "8:9: "},
		"no such device":                {strings.Replace(ok, "at: pump", "at: toaster", 1), `8:9: $.steps[0].do: there is no device "toaster"`},
		"no such system":                {strings.Replace(ok, "x:stop", "y:stop", 1), `8:31: $.steps[0].do.operation: "y:stop": there is no coding system "y"`},
		"no undo":                       {strings.Replace(ok, ", no-undo: stopped is safe", "", 1), "exactly one of undo, restore and no-undo"},
		"negative":                      {strings.Replace(ok, "limit: 1m", "limit: -1m", 1), "3:8: $.limit: must not be negative"},
		"no limit":                      {strings.Replace(ok, "limit: 1m\n", "", 1), "a limit is needed"},
		"two kinds":                     {ok + "    confirm: Really?\n    within: 1s\n", "exactly one of check"},
		"not waiting":                   {ok + "    within: 1s\n", "for steps that wait"},
		"no end of waiting":             {head + "steps: [{id: a, confirm: Really?}]", "one of within and forever"},
		"endless":                       {head + "steps: [{id: a, confirm: Really?, forever: true}]", "does not go with the limit"},
		"same id":                       {ok + "  - {id: stop, report: [{text: x}]}\n", "the id \"stop\" is there twice"},
		"release of what does not hold": {ok + "  - {id: go, release: stop}\n", `no earlier step "stop" that holds`},
		"parameter":                     {head + "steps: [{id: a, confirm: '${who}?', within: 1s}]", `no parameter "who"`},
		"empty conditions":              {head + "steps: [{id: a, check: []}]", "1 to 100 conditions"},
		"condition of nothing":          {head + "steps: [{id: a, check: [{at: pump}]}]", "a condition is one of"},
		"condition of two":              {head + "steps: [{id: a, check: [{at: pump, live: true, value: '1'}]}]", "a condition is one of"},
		"comparing an alert":            {head + "steps: [{id: a, check: [{at: pump, alert: '1', below: 3}]}]", "comparisons are for values"},
		"at-least alone":                {head + "steps: [{id: a, check: [{at: pump, live: true, at-least: 2}]}]", "at-least goes with of"},
		"word as code":                  {head + "steps: [{id: a, check: [{at: pump, value: spo2}]}]", "no number of the nomenclature"},
		"until before":                  {head + "steps: [{id: a, check: [{at: pump, live: true}], guard: [{at: pump, live: true}], until: a}]", `no later step "a"`},
		"hold without undo":             {head + "steps: [{id: a, hold: {at: pump, operation: 'x:h', renew: 1s, limit: 5s}}]", "undo is needed"},
		"hold without limit":            {head + "steps: [{id: a, hold: {at: pump, operation: 'x:h', renew: 1s, undo: [{at: pump, operation: 'x:r'}]}}]", "renew and limit"},
		"place":                         {head + "steps: [{id: a, do: {at: pump, operation: 'x:h', location: nowhere, restore: true}}]", "nowhere"},
		"patient":                       {head + "steps: [{id: a, do: {at: pump, operation: 'x:h', patient: {family: X}, restore: true}}]", "root and id"},
		"two of a call":                 {head + "steps: [{id: a, do: {at: pump, operation: 'x:h', handle: h, no-undo: x}}]", "one of operation and handle"},
		"too deep":                      {head + "steps: [{id: a, check: [" + strings.Repeat("{all: [", 12) + "{at: pump, live: true}" + strings.Repeat("]}", 12) + "]}]", "within one another"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := workflow.Parse([]byte(c.doc))
			var invalid *workflow.InvalidError
			require.ErrorAs(t, err, &invalid)
			require.ErrorContains(t, err, c.want)
		})
	}
}

func compile(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(workflow.Schema()))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource("schema.json", doc))
	s, err := c.Compile("schema.json")
	require.NoError(t, err)
	return s
}

func instance(t *testing.T, doc []byte) any {
	t.Helper()
	var content any
	require.NoError(t, yaml.Load(doc, &content))
	b, err := json.Marshal(content)
	require.NoError(t, err)
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	require.NoError(t, err)
	return v
}

func TestSchema(t *testing.T) {
	s := compile(t)
	files, err := filepath.Glob("library/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, f := range files {
		doc, err := os.ReadFile(f)
		require.NoError(t, err)
		require.NoError(t, s.Validate(instance(t, doc)), f)
	}
	for _, bad := range []string{
		"workflow: test", head, head + "steps: [{id: a}]", head + "steps: [{id: A, report: [{text: x}]}]", head + "steps: [{id: a, report: [{txt: x}]}]",
		head + "steps: [{id: a, await: [{at: pump, live: true}], within: soon}]", head + "steps: [{id: a, do: {at: pump, operation: 'x:h'}}]",
	} {
		require.Error(t, s.Validate(instance(t, []byte(bad))), bad)
	}
}

// TestSchemaHasEveryField keeps the schema and the types together.
func TestSchemaHasEveryField(t *testing.T) {
	var doc struct {
		Properties map[string]any
		Defs       map[string]struct{ Properties map[string]any } `json:"$defs"`
	}
	require.NoError(t, json.Unmarshal([]byte(workflow.Schema()), &doc))
	for name, typ := range map[string]any{
		"": workflow.Workflow{}, "step": workflow.Step{}, "condition": workflow.Condition{}, "call": workflow.Call{}, "action": workflow.Action{},
		"hold": workflow.Hold{}, "item": workflow.Item{}, "range": workflow.Range{},
	} {
		want := fields(reflect.TypeOf(typ))
		have := doc.Properties
		if name != "" {
			have = doc.Defs[name].Properties
		}
		var got []string
		for k := range have {
			got = append(got, k)
		}
		require.ElementsMatch(t, want, got, name)
	}
}

func fields(t reflect.Type) (out []string) {
	for i := range t.NumField() {
		f := t.Field(i)
		switch tag := f.Tag.Get("yaml"); tag {
		case "-":
		case ",inline":
			out = append(out, fields(f.Type)...)
		default:
			out = append(out, tag)
		}
	}
	return out
}

func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("library/*.yaml")
	require.NoError(f, err)
	for _, name := range files {
		doc, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(doc)
	}
	f.Add([]byte(head + "steps: [{id: a, check: [{at: pump, live: true}]}]"))
	f.Add([]byte(head + "steps:\n  - {id: a}\nsame: !00\n0\n  - b: c\nd: e"))
	f.Fuzz(func(t *testing.T, doc []byte) {
		w, err := workflow.Parse(doc)
		if (w == nil) == (err == nil) {
			t.Fatal("either a workflow or an error")
		}
	})
}
