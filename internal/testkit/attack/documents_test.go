package attack

import (
	"bytes"
	"compress/gzip"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

// The bomb must be sound to its last byte: what is refused for being broken shows nothing.
func TestGzipBombIsGzip(t *testing.T) {
	bomb := gzipBomb()
	require.Less(t, len(bomb), 2<<20)
	zr, err := gzip.NewReader(bytes.NewReader(bomb))
	require.NoError(t, err)
	n, err := io.Copy(io.Discard, zr)
	require.NoError(t, err, "with its checksum and length")
	require.EqualValues(t, 256<<20, n)
}
