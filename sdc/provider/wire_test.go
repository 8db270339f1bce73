package provider_test

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/soap"
)

// wire is a discovery transport that records what is sent and delivers what a test feeds in.
type wire struct {
	mu      sync.Mutex
	sent    [][]byte // each message once, however often it is repeated
	seen    map[string]bool
	feed    chan discovery.Datagram
	closed  chan struct{}
	closing sync.Once
}

func newQuiet() *wire {
	return &wire{seen: map[string]bool{}, feed: make(chan discovery.Datagram), closed: make(chan struct{})}
}

func (w *wire) Serve(ctx context.Context, handle func(discovery.Datagram)) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-w.closed:
			return errors.New("closed")
		case d := <-w.feed:
			handle(d)
		}
	}
}

func (w *wire) record(data []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	env, err := soap.Parse(slices.Clone(data), xmlscan.Limits{})
	if err != nil {
		return err
	}
	if id := env.Header.MessageID; !w.seen[id] {
		w.seen[id] = true
		w.sent = append(w.sent, slices.Clone(data))
	}
	return nil
}

func (w *wire) Multicast(data []byte) error                 { return w.record(data) }
func (w *wire) Unicast(_ netip.AddrPort, data []byte) error { return w.record(data) }

func (w *wire) Close() error {
	w.closing.Do(func() { close(w.closed) })
	return nil
}

// messages returns the messages of an action so far.
func (w *wire) messages(action string) (docs []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, doc := range w.sent {
		if env, err := soap.Parse(slices.Clone(doc), xmlscan.Limits{}); err == nil && env.Header.Action == action {
			docs = append(docs, string(doc))
		}
	}
	return docs
}
