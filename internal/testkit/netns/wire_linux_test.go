package netns

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestWire: TCP brings everything over a wire that loses, doubles and reorders, and nothing over one that is cut.
func TestWire(t *testing.T) {
	lab := New(t)
	a, b := lab.Host("a"), lab.Host("b")
	wire := lab.Wire(1)
	a.AttachWire(wire, "eth0", "10.7.0.1/24")
	b.AttachWire(wire, "eth0", "10.7.0.2/24")
	l, err := a.Listen(t.Context(), "tcp", "10.7.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	served := make(chan error, 1)
	go func() {
		c, err := l.Accept()
		if err == nil {
			_, err = io.Copy(c, c)
			_ = c.Close()
		}
		served <- err
	}()
	c, err := b.Dial(t.Context(), "tcp", l.Addr().String())
	require.NoError(t, err)
	require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
	exchange := func(n int) {
		sent := bytes.Repeat([]byte("0123456789abcdef"), n/16)
		written := make(chan error, 1)
		go func() {
			_, err := c.Write(sent)
			written <- err
		}()
		got := make([]byte, len(sent))
		_, err = io.ReadFull(c, got)
		require.NoError(t, err)
		require.NoError(t, <-written)
		require.True(t, bytes.Equal(sent, got))
	}
	exchange(1 << 20)
	require.Zero(t, wire.Stats(a).Lost)
	wire.ImpairBoth(Impairment{Loss: 0.02, Duplicate: 0.1, Reorder: 0.1, ReorderBy: 5 * time.Millisecond, Delay: time.Millisecond})
	suffered := func(h *Host) bool {
		s := wire.Stats(h)
		return s.Lost > 0 && s.Duplicated > 0 && s.Reordered > 0
	}
	for n := 0; n == 0 || !suffered(a) || !suffered(b); n++ { // how many frames there are is up to the kernel
		require.Less(t, n, 20, "%+v %+v", wire.Stats(a), wire.Stats(b))
		exchange(256 << 10)
	}
	wire.Impair(a, Impairment{Cut: true})
	_, err = c.Write([]byte("x"))
	require.NoError(t, err)
	require.NoError(t, c.SetReadDeadline(time.Now().Add(300*time.Millisecond)))
	_, err = c.Read(make([]byte, 1))
	require.ErrorContains(t, err, "timeout", "the other direction alone is of no use")
	wire.ImpairBoth(Impairment{})
	require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
	_, err = io.ReadFull(c, make([]byte, 1))
	require.NoError(t, err, "it was only late")
	require.NoError(t, c.Close())
	require.NoError(t, <-served)

	// With a delay of 50 ms in each direction the way there and back takes 100.
	c, err = b.Dial(t.Context(), "tcp", l.Addr().String())
	require.NoError(t, err, "the connection is made by the kernel")
	wire.ImpairBoth(Impairment{Delay: 50 * time.Millisecond})
	begin := time.Now()
	again, err := b.Dial(t.Context(), "tcp", l.Addr().String())
	require.NoError(t, err)
	require.GreaterOrEqual(t, time.Since(begin), 100*time.Millisecond)
	require.NoError(t, again.Close())
	require.NoError(t, c.Close())
}
