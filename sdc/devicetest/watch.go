package devicetest

import (
	"errors"
	"fmt"
	"sync"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/sdc/consumer"
)

// MaxUpdates is how many updates a Watch keeps that have not been taken.
const MaxUpdates = 100_000

// Watch collects what the consumer gets from the device, and looks at each version of the MDIB. Its methods may be called from any goroutine.
type Watch struct {
	mu       sync.Mutex
	updates  []consumer.Update
	findings []mdib.Finding
	seen     map[mdib.Finding]bool
	last     *mdib.Snapshot
	trouble  []error
}

// Watch begins to watch; it goes on until the test ends.
func (b *Bench) Watch() *Watch {
	w := &Watch{seen: map[mdib.Finding]bool{}}
	begun := make(chan struct{})
	b.watches.Go(func() {
		first := true
		for u, err := range b.Consumer.Updates(b.ctx) {
			if first { // what was there before
				close(begun)
				first = false
			}
			if err != nil {
				if b.ctx.Err() == nil && !errors.Is(err, consumer.ErrLost) {
					w.complain(fmt.Errorf("the updates ended: %w", err))
				}
				break
			}
			w.take(u)
		}
		if first {
			close(begun)
		}
	})
	<-begun
	return w
}

func (w *Watch) complain(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trouble = append(w.trouble, err)
}

func (w *Watch) take(u consumer.Update) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.last != nil && u.Before != w.last {
		w.trouble = append(w.trouble, fmt.Errorf("an update is missing before version %v", u.Snapshot.Version()))
	}
	if u.Snapshot != w.last {
		for _, f := range mdib.Validate(u.Snapshot) {
			if f.Severity >= mdib.SeverityError && !w.seen[f] {
				w.seen[f] = true
				w.findings = append(w.findings, f)
			}
		}
	}
	first := w.last == nil
	w.last = u.Snapshot
	switch {
	case first: // no news
	case len(w.updates) == MaxUpdates:
		w.trouble = append(w.trouble, fmt.Errorf("more than %d updates were not taken", MaxUpdates))
	case len(w.updates) < MaxUpdates:
		w.updates = append(w.updates, u)
	}
}

// Take returns the updates since the last call, or since the watch began, in order.
func (w *Watch) Take() []consumer.Update {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.updates
	w.updates = nil
	return out
}

// Err tells whether every report was consistent: it names the rules (mdib.Validate, errors alone) that any version of the MDIB has broken since the watch
// began, in between as well, each once, and updates that do not follow one another. nil says that all was in order.
func (w *Watch) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	errs := w.trouble[:len(w.trouble):len(w.trouble)]
	for _, f := range w.findings {
		errs = append(errs, errors.New(f.String()))
	}
	return errors.Join(errs...)
}
