package soap

import (
	"context"
	"slices"
	"sync"
	"time"
)

// guard gives up the exchange under way on a line when the context of its message ends or its time is over. It registers with a context once, not for each
// message, and has one timer, which it lets run from message to message: a context with a timer of its own and a registration for each would
// take more than the message itself does before it is written.
type guard struct {
	mu      sync.Mutex
	conn    *lineConn       // of the exchange under way; nil: there is none
	done    <-chan struct{} // of its context
	at      time.Time       // when its time is over; zero: never
	gone    bool            // it has been given up
	watched []watched       // the latest last
	timer   *time.Timer     // nil: there was no need of it so far
	fires   time.Time       // when the timer does; zero: it does not run
}

// watched is a context whose end the guard will be told.
type watched struct {
	done    <-chan struct{}
	release func() bool
}

// maxWatched bounds the contexts that are watched. As many subscriptions of one peer take turns without one being registered again.
const maxWatched = 8

// begin is called when an exchange begins, and end when it is over.
func (g *guard) begin(ctx context.Context, conn *lineConn, at time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.conn, g.done, g.at, g.gone = conn, ctx.Done(), at, false
	if g.done != nil && !slices.ContainsFunc(g.watched, func(w watched) bool { return w.done == g.done }) {
		g.watch(ctx, g.done)
	}
	if !at.IsZero() && (g.fires.IsZero() || at.Before(g.fires)) {
		g.arm()
	}
}

// end tells whether the exchange has been given up.
func (g *guard) end() (gone bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.conn, g.done = nil, nil
	return g.gone
}

// rest forgets every context and stops the timer until there is another exchange.
func (g *guard) rest() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, w := range g.watched {
		w.release()
	}
	clear(g.watched)
	g.watched = g.watched[:0]
	if g.timer != nil {
		g.timer.Stop()
	}
	g.fires = time.Time{}
}

// watch registers with a context. One that has ended says so at once. The caller holds mu.
func (g *guard) watch(ctx context.Context, done <-chan struct{}) {
	if len(g.watched) == maxWatched {
		g.watched[0].release()
		g.watched = slices.Delete(g.watched, 0, 1)
	}
	g.watched = append(g.watched, watched{done, context.AfterFunc(ctx, func() { g.ended(done) })})
}

// ended is called when a context has ended.
func (g *guard) ended(done <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.watched = slices.DeleteFunc(g.watched, func(w watched) bool { return w.done == done })
	if g.conn != nil && g.done == done {
		g.giveUp()
	}
}

// arm lets the timer fire when the time of the exchange is over. The caller holds mu.
func (g *guard) arm() {
	g.fires = g.at
	if g.timer == nil {
		g.timer = time.AfterFunc(time.Until(g.at), g.late)
	} else {
		g.timer.Reset(time.Until(g.at))
	}
}

// late is called when the timer fires, which was set for the exchange under way or for an earlier one.
func (g *guard) late() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.fires = time.Time{}
	switch {
	case g.conn == nil || g.at.IsZero(): // the next exchange sets it anew
	case time.Now().Before(g.at):
		g.arm()
	default:
		g.giveUp()
	}
}

// giveUp ends the exchange. The caller holds mu, so that the connection is the one of this exchange and of no later one.
func (g *guard) giveUp() {
	g.gone = true
	g.conn.abort()
}
