package misbehave

import (
	"context"
	"log/slog"
	"sync/atomic"
)

// mortal is the log of one life of a device: after it was killed it says nothing more. A process that is killed does not complain of what it could not
// deliver, and the reader of the log would look for a fault.
type mortal struct {
	slog.Handler
	dead *atomic.Bool
}

func newMortal(log *slog.Logger) (*slog.Logger, *atomic.Bool) {
	dead := new(atomic.Bool)
	return slog.New(&mortal{log.Handler(), dead}), dead
}

func (m *mortal) Enabled(ctx context.Context, l slog.Level) bool {
	return !m.dead.Load() && m.Handler.Enabled(ctx, l)
}

func (m *mortal) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &mortal{m.Handler.WithAttrs(attrs), m.dead}
}

func (m *mortal) WithGroup(name string) slog.Handler {
	return &mortal{m.Handler.WithGroup(name), m.dead}
}
