package audit_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/sdc/audit"
)

// rotated is a chain of several files, with n events.
func rotated(t *testing.T, n uint32) (path string, files []string, end audit.Chain) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "audit.log")
	for half := range uint32(2) { // the chain goes on over files and restarts alike
		f, err := audit.Open(path, audit.FileConfig{MaxSize: 4 << 10})
		require.NoError(t, err)
		for i := range n / 2 {
			require.NoError(t, f.Keep(t.Context(), event(half*n/2+i+1)))
		}
		require.NoError(t, f.Close())
		end = f.Last()
	}
	files, err := audit.Files(path)
	require.NoError(t, err)
	return path, files, end
}

func TestRotation(t *testing.T) {
	path, files, end := rotated(t, 40)
	require.Greater(t, len(files), 3)
	require.Equal(t, path, files[len(files)-1])
	for _, file := range files {
		info, err := os.Stat(file)
		require.NoError(t, err)
		require.LessOrEqual(t, info.Size(), int64(4<<10))
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	}
	rep, err := audit.VerifyFiles(files, audit.Chain{}, end.Hash)
	require.NoError(t, err)
	require.Empty(t, rep.Problems)
	require.Equal(t, uint64(42), rep.Records, "with two of opening")
	require.Equal(t, end, rep.End)

	// Older files may be kept elsewhere: what is left goes on from where they end.
	older, err := audit.VerifyFiles(files[:2], audit.Chain{}, "")
	require.NoError(t, err)
	require.Empty(t, older.Problems)
	rest, err := audit.VerifyFiles(files[2:], older.End, end.Hash)
	require.NoError(t, err)
	require.Empty(t, rest.Problems)
	require.Equal(t, rep.Records, older.Records+rest.Records)

	for name, c := range map[string]struct {
		files []string
		want  string
	}{
		"the first is missing": {files[1:], "follows record 0"},
		"one is missing":       {append(append([]string{}, files[:1]...), files[2:]...), "follows record"},
		"two are exchanged":    {append([]string{files[1], files[0]}, files[2:]...), "follows record"},
		"the last is missing":  {files[:len(files)-1], "removed from the end"},
	} {
		rep, err := audit.VerifyFiles(c.files, audit.Chain{}, end.Hash)
		require.NoError(t, err, name)
		require.NotEmpty(t, rep.Problems, name)
		require.Contains(t, rep.Problems[0].Message, c.want, name)
		require.NotEmpty(t, rep.Problems[0].File, name)
	}
	b, err := os.ReadFile(files[1])
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(files[1], []byte(strings.Replace(string(b), "\"op\"", "\"no\"", 1)), 0o600))
	rep, err = audit.VerifyFiles(files, audit.Chain{}, end.Hash)
	require.NoError(t, err)
	require.Equal(t, files[1], rep.Problems[0].File)
	require.Contains(t, rep.Problems[0].Message, "changed")
	_, err = audit.VerifyFiles([]string{path + ".none"}, audit.Chain{}, "")
	require.Error(t, err)
}

// A process may end after a full file was set aside and before the next has a record.
func TestRotationInterrupted(t *testing.T) {
	path, files, end := rotated(t, 10)
	require.NoError(t, os.Rename(path, path+".00000000000000000099"))
	f, err := audit.Open(path, audit.FileConfig{MaxSize: 4 << 10})
	require.NoError(t, err)
	require.NoError(t, f.Close())
	files[len(files)-1] = path + ".00000000000000000099"
	rep, err := audit.VerifyFiles(append(files, path), audit.Chain{}, end.Hash)
	require.NoError(t, err)
	require.Empty(t, rep.Problems)
	require.Equal(t, end.Number+1, rep.End.Number)
}

// A folder in which nothing can be renamed: records are kept, in a file that is too large.
func TestRotationFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	f, err := audit.Open(path, audit.FileConfig{MaxSize: 2 << 10})
	require.NoError(t, err)
	for n := range 9 { // takes the names
		require.NoError(t, os.MkdirAll(fmt.Sprintf("%s.%020d/x", path, n+1), 0o700))
	}
	last := f.Last().Number
	for err == nil {
		last = f.Last().Number
		err = f.Keep(t.Context(), event(2))
	}
	require.ErrorContains(t, err, "set")
	for n := range 9 {
		require.NoError(t, os.RemoveAll(fmt.Sprintf("%s.%020d", path, n+1)))
	}
	require.NoError(t, f.Close(), "what waited is written once that can be")
	files, err := audit.Files(path)
	require.NoError(t, err)
	rep, err := audit.VerifyFiles(files, audit.Chain{}, "")
	require.NoError(t, err)
	require.Empty(t, rep.Problems)
	require.Equal(t, last+1, rep.Records)
}
