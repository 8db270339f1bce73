package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const program = "github.com/semeco/go-sdc/cmd/sdc"

func TestBillOfMaterials(t *testing.T) {
	b, err := describe(t.Context(), program, "v1.2.3+x")
	require.NoError(t, err)
	again, err := describe(t.Context(), program, "v1.2.3+x")
	require.NoError(t, err)
	require.True(t, bytes.Equal(b, again), "nothing changes from run to run")
	var bill bom
	require.NoError(t, json.Unmarshal(b, &bill))
	require.Equal(t, "CycloneDX", bill.Format)
	require.Equal(t, "github.com/semeco/go-sdc", bill.Metadata.Component.Name)
	require.Equal(t, "v1.2.3+x", bill.Metadata.Component.Version)
	versions := map[string]string{}
	refs := map[string]bool{bill.Metadata.Component.Ref: true}
	for _, c := range bill.Components {
		require.False(t, refs[c.Ref], c.Ref)
		refs[c.Ref] = true
		versions[c.Name] = c.Version
		require.True(t, strings.HasPrefix(c.PURL, "pkg:golang/"+strings.ToLower(c.Name)+"@v"), c.PURL)
		require.Len(t, c.Properties, 1)
		require.True(t, strings.HasPrefix(c.Properties[0].Value, "h1:"), c.Name)
	}
	require.True(t, slices.IsSortedFunc(bill.Components, func(a, b component) int { return strings.Compare(a.Name, b.Name) }))
	require.NotEmpty(t, versions["github.com/google/uuid"])
	require.NotEmpty(t, versions["github.com/alecthomas/kong"])
	require.Empty(t, versions["github.com/stretchr/testify"], "what only tests need is not shipped")
	for _, d := range bill.Dependencies {
		for _, on := range append(d.DependsOn, d.Ref) {
			require.True(t, refs[on], on)
		}
	}
	mod, err := os.ReadFile("../../go.mod")
	require.NoError(t, err)
	for name, version := range versions {
		require.Contains(t, string(mod), name+" "+version)
	}
}

func TestCommand(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sbom.json")
	require.NoError(t, run(t.Context(), []string{"-o", file, program}, nil))
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Contains(t, string(b), `"devel"`)
	var out bytes.Buffer
	require.Error(t, run(t.Context(), nil, &out))
	require.Error(t, run(t.Context(), []string{"no/such/package"}, &out))
	require.ErrorContains(t, run(t.Context(), []string{"fmt"}, &out), "no package of this module")
	require.Empty(t, out.String())
}
