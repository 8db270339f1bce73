package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestGeneratedFilesAreCurrent fails when the structs changed and go generate was not run.
func TestGeneratedFilesAreCurrent(t *testing.T) {
	for _, pkg := range []string{"pm", "msg", "ext"} {
		dir := filepath.Join("..", "..", "mdib", pkg)
		out, err := generate(dir)
		require.NoError(t, err)
		again, err := generate(dir)
		require.NoError(t, err)
		require.Equal(t, out, again, "output differs from run to run")
		onDisk, err := filepath.Glob(filepath.Join(dir, "*_gen.go"))
		require.NoError(t, err)
		require.Len(t, onDisk, len(out))
		for name, src := range out {
			have, err := os.ReadFile(filepath.Join(dir, name))
			require.NoError(t, err)
			require.Equal(t, string(src), string(have), "%s/%s is stale: run go generate ./mdib/...", pkg, name)
		}
	}
}

func TestRefusesWhatItDoesNotUnderstand(t *testing.T) {
	for _, c := range []struct{ name, src, want string }{
		{"occurrence", "type A struct { X string `sdc:\"X,9\"` }", "not understood"},
		{"list without repetition", "type A struct { X []string `sdc:\"X,?\"` }", "does not go with the type"},
		{"unknown type", "type A struct { X float64 `sdc:\"X,?\"` }", "float64"},
		{"base not first", "type B struct { Y string `sdc:\"Y,?\"` }\ntype A struct {\nX string `sdc:\"X,?\"`\nB\n}", "come first"},
		{"map", "type A struct { X map[string]string `sdc:\"X,?\"` }", "not understood"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(dir, "a.go"), []byte("package pm\n"+c.src), 0o600))
			_, err := generate(dir)
			require.ErrorContains(t, err, c.want)
		})
	}
}
