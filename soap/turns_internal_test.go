package soap

import (
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/testkit/bubble"
)

// Peers take turns, however many one of them asks for; who came first among those of one peer is first.
func TestTurnsGoRound(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		turns := newTurns(1)
		require.True(t, turns.take("first", 0, nil))
		var mu sync.Mutex
		var order []string
		var all sync.WaitGroup
		queue := func(peer, name string) {
			all.Go(func() {
				require.True(t, turns.take(peer, time.Hour, nil))
				mu.Lock()
				order = append(order, name)
				mu.Unlock()
				turns.give()
			})
			synctest.Wait()
		}
		queue("greedy", "g1")
		queue("greedy", "g2")
		queue("greedy", "g3")
		queue("modest", "m1")
		queue("other", "o1")
		require.Empty(t, order)
		turns.give()
		all.Wait()
		require.Equal(t, []string{"g1", "m1", "o1", "g2", "g3"}, order)
		require.Equal(t, 1, turns.free)
		require.Empty(t, turns.waiting)
		require.Empty(t, turns.order)
	})
}

// Who loses patience, or leaves, takes nobody's turn along.
func TestTurnsAreNotLost(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		turns := newTurns(1)
		require.True(t, turns.take("a", 0, nil))
		left := make(chan struct{})
		var all sync.WaitGroup
		all.Go(func() { require.False(t, turns.take("a", time.Second, nil)) })
		all.Go(func() { require.False(t, turns.take("b", time.Hour, left)) })
		all.Go(func() { require.True(t, turns.take("b", time.Hour, nil)) })
		synctest.Wait()
		close(left)
		time.Sleep(2 * time.Second)
		turns.give()
		all.Wait()
		turns.give()
		require.Equal(t, 1, turns.free)
		require.Empty(t, turns.waiting)
		require.Empty(t, turns.order)
	})
}

// What comes of a large body is worked on in turn, and no turn is held while more is waited for; of a small one it is not.
func TestLargeBodiesAreReadInTurn(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		turns := newTurns(1)
		require.True(t, turns.take("other", 0, nil)) // who takes long
		near, far := net.Pipe()
		defer far.Close()
		defer near.Close()
		c := &gatedConn{Conn: near, gate: &connGate{turns: turns, bodies: time.Minute}, who: "peer"}
		c.settle()
		m := &metered{r: c, conn: c, from: newAdmission(&ServerConfig{MaxBodies: 1 << 30})}
		read := func(p []byte) <-chan error {
			done := make(chan error, 1)
			go func() {
				_, err := m.Read(p)
				done <- err
			}()
			_, err := far.Write(make([]byte, len(p)))
			require.NoError(t, err)
			synctest.Wait()
			return done
		}
		require.NoError(t, <-read(make([]byte, costly)))

		second := read(make([]byte, 10))
		require.Empty(t, second, "read while it is another's turn")
		turns.give()
		require.NoError(t, <-second)
		require.Equal(t, 1, turns.free, "the turn is held although nothing is computed")

		go func() { _, _ = m.Read(make([]byte, 10)) }()
		synctest.Wait()
		require.Equal(t, 1, turns.free, "the turn is held while more is waited for")
		_, err := far.Write(make([]byte, 10))
		require.NoError(t, err)
		synctest.Wait()

		require.True(t, turns.take("other", 0, nil))
		require.ErrorIs(t, <-read(make([]byte, 10)), errNoTurn)
		turns.give()
		require.Equal(t, 1, turns.free)
	})
}
