package consumer

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/testkit/bubble"
)

func TestStreamIsOrderedAndLossless(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		s := newStream[int](1000)
		ended := errors.New("ended")
		var wg sync.WaitGroup
		got := make([][]int, 3)
		for i := range got {
			wg.Go(func() {
				for v, err := range s.all(t.Context(), func() *reader[int] { return s.join() }) {
					if err != nil {
						require.ErrorIs(t, err, ended)
						return
					}
					got[i] = append(got[i], v)
				}
			})
		}
		synctest.Wait() // all three have joined
		for v := range 500 {
			s.send(v)
		}
		s.close(ended)
		wg.Wait()
		for _, g := range got {
			require.Len(t, g, 500)
			for i, v := range g {
				require.Equal(t, i, v)
			}
		}
		require.Empty(t, s.readers)
	})
}

func TestSlowReaderLosesItsPlaceAndIsTold(t *testing.T) {
	s := newStream[int](3)
	slow, fast := s.join(), s.join()
	for v := range 5 {
		s.send(v)
		got, err := s.next(t.Context(), fast)
		require.NoError(t, err)
		require.Equal(t, v, got)
	}
	for want := range 3 {
		got, err := s.next(t.Context(), slow)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	_, err := s.next(t.Context(), slow)
	require.ErrorIs(t, err, ErrSlowReader)
}

func TestStreamStartsWithTheFirstItemAndEndsWithTheContext(t *testing.T) {
	s := newStream[int](3)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	for v, err := range s.all(ctx, func() *reader[int] { return s.join(42) }) {
		require.NoError(t, err)
		require.Equal(t, 42, v)
		n++
		cancel()
	}
	require.Equal(t, 1, n, "a done context ends the loop without an error")
	require.Empty(t, s.readers)
}
