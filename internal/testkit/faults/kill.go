package faults

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// Kill starts the program of the running test once more, with the variable set by which its TestMain knows that it is to be a child and what to
// work on, and kills it in the middle of its work, when it has printed so many lines. It returns the last of them. A child that ends by itself fails the test.
func Kill(t testing.TB, variable, value string, lines int) string {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	child := exec.CommandContext(t.Context(), exe)
	child.Env = append(os.Environ(), variable+"="+value)
	var said bytes.Buffer
	child.Stderr = &said
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	in := bufio.NewScanner(out)
	for lines > 0 && in.Scan() {
		lines--
	}
	last := in.Text()
	require.NoError(t, child.Process.Kill())
	require.Error(t, child.Wait(), "it was not killed")
	require.Zero(t, lines, "lines that the child did not get to, and what it said: %s", &said)
	return last
}
