package consumer

import (
	"context"
	"iter"
	"sync"
)

// stream hands every item to every reader, in order. Each reader has a bounded
// queue of its own: one that is too slow loses its place, and learns so by
// ErrSlowReader, but never delays the sender or another reader.
type stream[T any] struct {
	capacity int

	mu      sync.Mutex
	readers map[*reader[T]]struct{}
	end     error // why there will be no more items; nil while open
}

// reader is one queue: a ring that grows up to the stream's capacity.
type reader[T any] struct {
	items    []T
	head, n  int
	overflow bool
	wake     chan struct{} // one token: something changed
}

func newStream[T any](capacity int) *stream[T] {
	return &stream[T]{capacity: capacity, readers: make(map[*reader[T]]struct{})}
}

// send queues v for every reader. It never blocks.
func (s *stream[T]) send(v T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for r := range s.readers {
		switch {
		case r.overflow:
			continue
		case r.n == s.capacity:
			// What is queued is still handed out, then the reader learns of the loss.
			r.overflow = true
		default:
			r.push(v, s.capacity)
		}
		r.signal()
	}
}

// close ends the stream: readers get what is queued, then err.
func (s *stream[T]) close(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.end == nil {
		s.end = err
	}
	for r := range s.readers {
		r.signal()
	}
}

func (r *reader[T]) push(v T, capacity int) {
	if r.n == len(r.items) {
		grown := make([]T, min(max(2*len(r.items), 16), capacity))
		for i := range r.n {
			grown[i] = r.items[(r.head+i)%len(r.items)]
		}
		r.items, r.head = grown, 0
	}
	r.items[(r.head+r.n)%len(r.items)] = v
	r.n++
}

func (r *reader[T]) pop() T {
	v := r.items[r.head]
	var zero T
	r.items[r.head] = zero
	r.head = (r.head + 1) % len(r.items)
	r.n--
	return v
}

func (r *reader[T]) signal() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// join adds a reader whose queue starts with the items given.
func (s *stream[T]) join(first ...T) *reader[T] {
	r := &reader[T]{wake: make(chan struct{}, 1)}
	for _, v := range first {
		r.push(v, s.capacity)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.readers[r] = struct{}{}
	return r
}

func (s *stream[T]) leave(r *reader[T]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.readers, r)
}

// next waits for the reader's next item.
func (s *stream[T]) next(ctx context.Context, r *reader[T]) (T, error) {
	for {
		s.mu.Lock()
		if r.n > 0 {
			v := r.pop()
			s.mu.Unlock()
			return v, nil
		}
		err := s.end
		if r.overflow {
			err = ErrSlowReader
		}
		s.mu.Unlock()
		var zero T
		if err != nil {
			return zero, err
		}
		select {
		case <-r.wake:
		case <-ctx.Done():
			return zero, context.Cause(ctx)
		}
	}
}

// all iterates until the stream ends, the reader falls behind, or ctx is done;
// the reason is yielded last, except for a done ctx, which simply ends it. join
// makes the reader when the iteration starts.
func (s *stream[T]) all(ctx context.Context, join func() *reader[T]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		r := join()
		defer s.leave(r)
		for {
			v, err := s.next(ctx, r)
			if err != nil && ctx.Err() != nil {
				return
			}
			if !yield(v, err) || err != nil {
				return
			}
		}
	}
}
