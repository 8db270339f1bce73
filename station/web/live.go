package web

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/semeco/go-sdc/station"
)

// Limits of one client.
const (
	maxWaves    = 64       // waveforms followed
	defaultRate = 200      // samples a second and waveform if the client does not say
	maxRate     = 1000     // the most it may say
	maxRequest  = 32 << 10 // bytes of a message of its
	wavesEvery  = 100 * time.Millisecond
	heartbeat   = time.Second // between messages when nothing changes
	pingEvery   = 10 * time.Second
)

// live follows the station over a WebSocket for as long as the browser stays.
func (h *Handler) live(w http.ResponseWriter, r *http.Request) {
	peer := peerOf(r)
	if !h.clients.take(peer, 1) {
		w.Header().Set("Retry-After", "10")
		h.refuse(w, r, http.StatusServiceUnavailable, "too many browsers are following already")
		return
	}
	defer h.clients.give(peer, 1)
	// The origin has been checked by the handler. Compression pays: structures repeat themselves.
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: websocket.CompressionContextTakeover})
	if err != nil {
		h.log.Debug("no WebSocket", "peer", r.RemoteAddr, "error", err)
		return
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(maxRequest)
	h.log.Debug("browser connected", "peer", r.RemoteAddr)

	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	c := &client{h: h, conn: conn, peer: peer, sent: map[station.Ref]sentValue{}, seqs: map[station.Ref]uint64{}}
	var reading sync.WaitGroup
	reading.Go(func() {
		defer cancel()
		c.read(ctx)
	})
	err = c.write(ctx)
	cancel()
	reading.Wait()
	h.log.Debug("browser left", "peer", r.RemoteAddr, "error", err)
}

// client is one browser.
type client struct {
	h    *Handler
	conn *websocket.Conn
	peer string

	// Of the goroutine that writes.
	structure [sha256.Size]byte // of the last one sent, without version and time
	sent      map[station.Ref]sentValue
	seqs      map[station.Ref]uint64 // the last block sent of each waveform

	mu    sync.Mutex
	waves []station.Ref
	rate  int
}

// sentValue is what a browser shows of a metric. Values are immutable, so the same one has not changed but for its status, which depends on the time.
type sentValue struct {
	value  *station.Value
	status station.Status
}

// read takes what the browser wants until it leaves.
func (c *client) read(ctx context.Context) {
	for {
		kind, data, err := c.conn.Read(ctx)
		if err != nil {
			return
		}
		var w want
		if kind != websocket.MessageText || json.Unmarshal(data, &w) != nil || w.Type != "want" || len(w.Waves) > maxWaves {
			_ = c.conn.Close(websocket.StatusPolicyViolation, "only {\"type\":\"want\"} with at most 64 waves is understood")
			return
		}
		refs := make([]station.Ref, 0, len(w.Waves))
		for _, r := range w.Waves {
			refs = append(refs, station.Ref{Device: r.Device, Handle: r.Handle})
		}
		if w.Rate <= 0 {
			w.Rate = defaultRate
		}
		c.mu.Lock()
		c.waves, c.rate = refs, min(w.Rate, maxRate)
		c.mu.Unlock()
	}
}

// write sends states and samples. It has no queue: each message is made of what is newest when it can be sent.
func (c *client) write(ctx context.Context) error {
	views := make(chan *station.View, 1)
	var watching sync.WaitGroup
	defer watching.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watching.Go(func() {
		for v := range c.h.cfg.Station.Views(ctx) {
			select { // the newest takes the place of one that has not been taken
			case <-views:
			default:
			}
			views <- v
		}
	})
	tick := time.NewTicker(wavesEvery)
	defer tick.Stop()
	var last, pinged time.Time
	view := c.h.cfg.Station.View()
	changed := true
	pinged = time.Now()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case view = <-views:
			changed = true
			continue // the next tick sends it
		case <-tick.C:
		}
		now := time.Now()
		if changed && now.Sub(last) >= c.h.cfg.Interval || now.Sub(last) >= heartbeat {
			if err := c.state(ctx, view, now); err != nil {
				return err
			}
			changed, last = false, now
		}
		if err := c.samples(ctx, now); err != nil {
			return err
		}
		if now.Sub(pinged) >= pingEvery {
			pinged = now
			ping, stop := context.WithTimeout(ctx, c.h.cfg.WriteTimeout)
			err := c.conn.Ping(ping)
			stop()
			if err != nil {
				return err
			}
		}
	}
}

// state sends what of the structure and the values the browser does not have yet.
func (c *client) state(ctx context.Context, v *station.View, now time.Time) error {
	for _, message := range []func() []byte{
		func() []byte { return c.newStructure(v, now) },
		func() []byte { return c.newValues(v, now) },
	} {
		data, err := c.h.make(ctx, message)
		if err == nil && data != nil {
			err = c.send(ctx, data)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// newStructure is a message if anything in it has changed, else nil.
func (c *client) newStructure(v *station.View, now time.Time) []byte {
	s := structureOf(v, c.h.cfg.Title, c.h.control != nil)
	sum := sha256.Sum256(encode(s))
	if sum == c.structure {
		return nil
	}
	c.structure = sum
	s.Version, s.Time = v.Version, millis(now)
	return encode(s)
}

// newValues is a message with the values that have changed.
func (c *client) newValues(v *station.View, now time.Time) []byte {
	out := values{Type: "values", Version: v.Version, Time: millis(now), Values: []valueJSON{}}
	seen := 0
	for _, d := range v.Devices {
		for _, sys := range d.Systems {
			for _, m := range sys.Values {
				seen++
				status := m.Status(now)
				if is := (sentValue{m, status}); c.sent[m.Ref] != is {
					c.sent[m.Ref] = is
					out.Values = append(out.Values, valueOf(m, status))
				}
			}
		}
	}
	if len(c.sent) > seen { // devices have gone: remember only what is there
		clear(c.sent)
	}
	return encode(out)
}

// samples sends the blocks that have come since the last call.
func (c *client) samples(ctx context.Context, now time.Time) error {
	c.mu.Lock()
	refs, rate := c.waves, c.rate
	c.mu.Unlock()
	out := waves{Type: "waves", Time: millis(now), Blocks: []blockJSON{}}
	for _, ref := range refs {
		after, known := c.seqs[ref]
		q := station.Query{Ref: ref}
		if !known {
			q.Since = now.Add(-2 * time.Second) // a screen begins with what is new
		}
		for _, b := range c.h.cfg.Station.Blocks(q, after) {
			c.seqs[ref] = b.Seq
			factor := max(factorFor(b.Period.Seconds(), rate), 1)
			drawn := decimate(b.Samples, factor)
			block := blockJSON{
				Device: ref.Device, Handle: ref.Handle, Start: millis(b.Start),
				// The last step may be a part of one: the block stays as long as it is, or blocks would overlap.
				Period:  float64(b.Period) / float64(time.Millisecond) * float64(len(b.Samples)) / float64(max(len(drawn), 1)),
				Samples: drawn, Validity: string(b.Validity),
				Gap: b.Gap || known && b.Seq > after+1,
			}
			if factor > 1 {
				block.Factor = factor
			}
			out.Blocks = append(out.Blocks, block)
			after, known = b.Seq, true
		}
	}
	if len(c.seqs) > 2*maxWaves { // pages come and go
		clear(c.seqs)
	}
	if len(out.Blocks) == 0 {
		return nil
	}
	return c.send(ctx, encode(out))
}

// send gives a browser up that does not take a message in time, or for which there is no room: it may come again.
func (c *client) send(ctx context.Context, message []byte) error {
	if n := len(message); n >= largeAnswer {
		if !c.h.answers.take(c.peer, n) {
			return errNoRoom
		}
		defer c.h.answers.give(c.peer, n)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.h.cfg.WriteTimeout, errSlowBrowser)
	defer cancel()
	if err := c.conn.Write(ctx, websocket.MessageText, message); err != nil {
		return errors.Join(err, context.Cause(ctx))
	}
	return nil
}

var errSlowBrowser = errors.New("the browser is too slow")
