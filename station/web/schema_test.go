package web_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/simulators/physio"
)

// What is sent is what openapi.json says: every field is described, and none that is required is missing.
func TestMessagesAreAsDescribed(t *testing.T) {
	s := newScene(t, nil)
	_, mon := s.bed(physio.Stable)
	s.live(2)
	var doc struct {
		Components struct{ Schemas map[string]any }
	}
	require.NoError(t, json.NewDecoder(s.get("api/v1/openapi.json", nil).Body).Decode(&doc))
	schemas := doc.Components.Schemas

	for path, name := range map[string]string{"api/v1/view": "View", "api/v1/tree?device=" + mon.epr: "Tree", "api/v1/trend?device=" + mon.epr + "&handle=none": "Trend"} {
		var v any
		require.NoError(t, json.NewDecoder(s.get(path, nil).Body).Decode(&v))
		require.NoError(t, conforms(schemas, schemas[name], v, name))
	}

	f := s.follow()
	wave := ""
	for _, d := range f.next("structure").Devices {
		if d.EPR == mon.epr {
			wave = d.Systems[0].Waves[0].Handle
		}
	}
	want := fmt.Sprintf(`{"type":"want","waves":[{"device":%q,"handle":%q}],"rate":100}`, mon.epr, wave)
	require.NoError(t, f.conn.Write(t.Context(), websocket.MessageText, []byte(want)))
	for names := map[string]string{"values": "Values", "waves": "Waves"}; len(names) > 0; {
		_, data, err := f.conn.Read(t.Context())
		require.NoError(t, err)
		var v map[string]any
		require.NoError(t, json.NewDecoder(bytes.NewReader(data)).Decode(&v))
		kind, _ := v["type"].(string)
		if name, ok := names[kind]; ok {
			require.NoError(t, conforms(schemas, schemas[name], v, name))
			delete(names, kind)
		}
	}
}

// conforms checks a document by the part of JSON Schema that openapi.json uses, and more strictly: what is not described is an error.
func conforms(all map[string]any, schema, v any, at string) error {
	s, ok := schema.(map[string]any)
	if !ok {
		return fmt.Errorf("%s: no schema", at)
	}
	if ref, ok := s["$ref"].(string); ok {
		return conforms(all, all[ref[len("#/components/schemas/"):]], v, at)
	}
	if parts, ok := s["allOf"].([]any); ok {
		merged := map[string]any{"type": "object"}
		properties, required := map[string]any{}, []any{}
		for _, p := range parts {
			part, _ := p.(map[string]any)
			if ref, ok := part["$ref"].(string); ok {
				part, _ = all[ref[len("#/components/schemas/"):]].(map[string]any)
			}
			for k, x := range part["properties"].(map[string]any) { //nolint:errcheck,forcetypeassert // a test of our own file
				properties[k] = x
			}
			required = append(required, part["required"].([]any)...) //nolint:errcheck,forcetypeassert // see above
		}
		merged["properties"], merged["required"] = properties, required
		return conforms(all, merged, v, at)
	}
	if allowed, ok := s["enum"].([]any); ok {
		for _, a := range allowed {
			if a == v {
				return nil
			}
		}
		return fmt.Errorf("%s: %v is none of %v", at, v, allowed)
	}
	switch x := v.(type) {
	case map[string]any:
		properties, _ := s["properties"].(map[string]any)
		for k, inner := range x {
			p, ok := properties[k]
			if !ok {
				return fmt.Errorf("%s: %s is not described", at, k)
			}
			if err := conforms(all, p, inner, at+"."+k); err != nil {
				return err
			}
		}
		required, _ := s["required"].([]any)
		for _, k := range required {
			if _, ok := x[fmt.Sprint(k)]; !ok {
				return fmt.Errorf("%s: %v is missing", at, k)
			}
		}
	case []any:
		if s["type"] != "array" {
			return fmt.Errorf("%s: a list, not %v", at, s["type"])
		}
		for i, inner := range x {
			if err := conforms(all, s["items"], inner, fmt.Sprintf("%s[%d]", at, i)); err != nil {
				return err
			}
		}
	case string:
		if c, ok := s["const"]; ok && c != x || !ok && s["type"] != "string" {
			return fmt.Errorf("%s: %q does not conform to %v", at, x, s)
		}
	case bool:
		if s["type"] != "boolean" {
			return fmt.Errorf("%s: a boolean, not %v", at, s["type"])
		}
	case float64:
		whole := s["type"] == "integer" && x == float64(int64(x))
		if types, ok := s["type"].([]any); !whole && s["type"] != "number" && (!ok || types[0] != "number") {
			return fmt.Errorf("%s: %v does not conform to %v", at, x, s["type"])
		}
	}
	return nil
}
