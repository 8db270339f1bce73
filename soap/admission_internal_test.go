package soap

import (
	"bytes"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

// A body that was refused for want of memory holds none of it, so that it is in nobody's way until its request has ended; and bodies of the usual size need none.
func TestRefusedBodyHoldsNoMemory(t *testing.T) {
	adm := newAdmission(&ServerConfig{MaxBodies: 256 << 10})
	read := func(size int) (*metered, error) {
		m := &metered{r: bytes.NewReader(make([]byte, size)), from: adm}
		_, err := io.CopyBuffer(io.Discard, struct{ io.Reader }{m}, make([]byte, size))
		return m, err
	}
	held, err := read(64 << 10)
	require.NoError(t, err)
	refused, err := read(1 << 20)
	require.ErrorIs(t, err, errBusy)

	small, err := read(free)
	require.NoError(t, err, "needs nothing")
	large, err := read(64 << 10)
	require.NoError(t, err, "there is room")
	for _, m := range []*metered{held, refused, small, large} {
		m.release()
	}
	require.EqualValues(t, 256<<10, adm.memory.Load())
}
