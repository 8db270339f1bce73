package eventing

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/semeco/go-sdc/soap"
)

// consumer is one host and port that messages go to, with the goroutine that sends them one
// after the other.
type consumer struct {
	source *Source
	key    string
	refs   atomic.Int32  // subscriptions and endings that need it; changes while source.mu is held, is read without
	wake   chan struct{} // 1 when the goroutine has to look again

	mu      sync.Mutex
	queue   fifo
	urgent  []*ending     // overtake the queue
	sending *subscription // whose notification is under way

	// used by the goroutine alone
	line *soap.Line // the one connection (SDPi R1001)
	head []byte
}

// job is one entry of a consumer's queue: a notification, or, if end is set, the last message of
// a subscription.
type job struct {
	sub    *subscription
	action string
	body   []byte
	pooled *pooled // where body lives; nil if nobody else needs that memory
	end    *ending
	flush  chan<- struct{} // if set, nothing is sent; closed when its turn comes
	sent   chan<- struct{} // if set, closed when the notification has been confirmed or given up
}

// ending is a SubscriptionEnd to send.
type ending struct {
	sub    *subscription
	status Status
	reason string
}

// maxUrgent bounds the SubscriptionEnd messages waiting at one consumer.
const maxUrgent = 256

// consumerLocked returns the consumer with the key, started if need be, with one more reference.
func (s *Source) consumerLocked(key string) *consumer {
	c := s.consumers[key]
	if c == nil {
		c = &consumer{source: s, key: key, wake: make(chan struct{}, 1)}
		s.consumers[key] = c
		s.wg.Add(1)
		go c.run()
	}
	c.refs.Add(1)
	return c
}

func (s *Source) release(c *consumer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.releaseLocked(c)
}

func (s *Source) releaseLocked(c *consumer) {
	if c.refs.Add(-1) == 0 {
		c.signal()
	}
}

func (c *consumer) signal() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// pushEnd queues a SubscriptionEnd, before everything that waits if urgent, after it otherwise.
func (c *consumer) pushEnd(e *ending, urgent bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if urgent {
		if len(c.urgent) == maxUrgent {
			return false
		}
		c.urgent = append(c.urgent, e)
	} else {
		c.queue.push(job{sub: e.sub, end: e})
	}
	c.signal()
	return true
}

// seal lets no more notifications be queued for a subscription; those that wait are delivered.
func (c *consumer) seal(sub *subscription) {
	c.mu.Lock()
	sub.sealed = true
	c.mu.Unlock()
}

// discard forgets the notifications that wait for a subscription and returns how many it were,
// and whether one is under way.
func (c *consumer) discard(sub *subscription) (n int, sending bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	sub.ended = true
	n = sub.queued
	sub.queued, sub.queuedBytes = 0, 0
	if n > 0 {
		c.queue.remove(func(j job) bool { return j.sub == sub && j.end == nil })
	}
	return n, c.sending == sub
}

func (c *consumer) next() (job, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.urgent) > 0 {
		e := c.urgent[0]
		c.urgent[0] = nil
		c.urgent = c.urgent[1:]
		return job{sub: e.sub, end: e}, true
	}
	j, ok := c.queue.pop()
	if ok && j.end == nil && j.flush == nil {
		j.sub.queued--
		j.sub.queuedBytes -= len(j.body)
	}
	return j, ok
}

// more tells whether another notification waits.
func (c *consumer) more() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.queue.len() == 0 {
		return false
	}
	next := &c.queue.jobs[c.queue.head]
	return next.end == nil && next.flush == nil
}

// run delivers until nobody needs the consumer any more or the source is stopped.
func (c *consumer) run() {
	s := c.source
	defer s.wg.Done()
	defer c.disconnect()
	idle := time.NewTimer(s.cfg.Client.IdleTimeout)
	defer idle.Stop()
	for s.ctx.Err() == nil {
		if j, ok := c.next(); ok {
			switch {
			case j.flush != nil:
				close(j.flush)
			case j.end != nil:
				c.sendEnd(j.end)
			default:
				c.notify(j)
			}
			continue
		}
		if c.refs.Load() == 0 { // without a lock that all consumers share: this is on the path of every report
			// The connection goes first: a subscription that comes now must not
			// open a second one.
			c.disconnect()
			if s.forget(c) {
				return
			}
			continue
		}
		idle.Reset(s.cfg.Client.IdleTimeout)
		select {
		case <-c.wake:
		case <-idle.C:
			c.disconnect()
		case <-s.ctx.Done():
		}
	}
}

// forget removes a consumer that nobody needs; false when somebody does.
func (s *Source) forget(c *consumer) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refs.Load() > 0 || c.queue.len() > 0 || len(c.urgent) > 0 {
		return false
	}
	delete(s.consumers, c.key)
	return true
}

// connect makes the line the next message is sent over.
func (c *consumer) connect() (err error) {
	if c.line == nil {
		c.line, err = soap.NewLine(c.source.cfg.Client)
	}
	return err
}

// disconnect closes the connection and waits until it is closed.
func (c *consumer) disconnect() {
	if c.line != nil {
		c.line.Disconnect()
	}
}

// notify delivers one notification or ends its subscription.
func (c *consumer) notify(j job) {
	s, sub := c.source, j.sub
	defer j.pooled.release()
	if j.sent != nil {
		defer close(j.sent)
	}
	c.mu.Lock()
	ended, number := sub.ended || sub.expiresAt() <= s.now(), sub.number+1
	if !ended {
		c.sending = sub
	}
	c.mu.Unlock()
	if ended {
		s.counters.dropped.Add(1)
		return
	}
	err := c.connect()
	if err == nil && sub.sender == nil {
		sub.sender, err = c.line.Sender(sub.notifyTo.Address)
	}
	if err == nil {
		err = c.send(sub.ctx, sub.sender, sub.headerOf(j.action, number), j.body, s.cfg.NumberHeader != nil)
	}
	c.mu.Lock()
	c.sending = nil
	if ended = sub.ended; err == nil {
		sub.number = number
	}
	c.mu.Unlock()
	if ended {
		sub.cancel() // it ended meanwhile and nothing follows
	}
	if err == nil {
		s.counters.delivered.Add(1)
		return
	}
	s.counters.dropped.Add(1)
	if s.end(sub, StatusDeliveryFailure, "a notification could not be delivered: "+err.Error()) {
		s.counters.failed.Add(1)
		return
	}
	// Ended meanwhile, or the source is closing: nothing more is tried for this subscription.
	n, _ := c.discard(sub)
	s.counters.dropped.Add(uint64(n))
}

// sendEnd tells a subscriber the end of his subscription; what cannot be told is only logged.
func (c *consumer) sendEnd(e *ending) {
	s := c.source
	defer s.release(c)
	defer e.sub.cancel()
	err := c.connect()
	var to *soap.Sender
	if err == nil {
		to, err = c.line.Sender(e.sub.endTo.Address)
	}
	if err == nil {
		h := soap.NewHeader(*e.sub.endTo, ActionSubscriptionEnd)
		body := subscriptionEnd{manager: e.sub.manager, status: e.status, reason: e.reason}.AppendXML(nil)
		err = c.send(s.ctx, to, h, body, true) // hearing it twice does no harm
	}
	if err != nil {
		s.log.Warn("subscription end not delivered", "id", e.sub.id, "end", e.sub.endTo.Address, "error", err)
	}
}

// send posts one message, again if that may help and repeatable permits it.
func (c *consumer) send(ctx context.Context, to *soap.Sender, h *soap.Header, body []byte, repeatable bool) error {
	cfg := &c.source.cfg
	until := time.Now().Add(cfg.NotifyTimeout)
	c.line.SetDeadline(until, c.source.late)
	c.head = soap.AppendHead(c.head[:0], h)
	for attempt := 1; ; attempt++ {
		var err error
		if c.more() { // the last is confirmed when it has been worked on: Flush stands for everything before it
			err = to.SendMore(ctx, c.head, body, c.source.tail)
		} else {
			err = to.Send(ctx, c.head, body, c.source.tail)
		}
		if err == nil {
			return nil
		}
		delay, again := retry(err, repeatable, cfg.RetryDelay)
		if !again || attempt >= cfg.Attempts || ctx.Err() != nil || !time.Now().Add(delay).Before(until) {
			if !answered(err) {
				c.disconnect() // whatever state it is in, the next message starts afresh
			}
			return err
		}
		t := time.NewTimer(delay)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return err
		}
	}
}

// answered tells whether err is an answer of the consumer, so that the connection is in order.
func answered(err error) bool {
	var fault *soap.Fault
	var status *soap.HTTPError
	return errors.As(err, &fault) || errors.As(err, &status)
}

// retry decides whether a message may be sent again after err, and when.
func retry(err error, repeatable bool, delay time.Duration) (time.Duration, bool) {
	var (
		fault  *soap.Fault
		status *soap.HTTPError
		op     *net.OpError
	)
	switch {
	case errors.As(err, &status):
		return max(delay, status.RetryAfter), status.Busy()
	case errors.As(err, &fault):
		return delay, fault.Status == 503
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, soap.ErrClosed):
		return 0, false
	case errors.As(err, &op) && op.Op == "dial":
		return delay, true
	default: // the connection broke and nobody knows whether the message arrived
		return delay, repeatable
	}
}

// fifo is a queue of jobs.
type fifo struct {
	jobs []job
	head int
}

func (q *fifo) len() int { return len(q.jobs) - q.head }

func (q *fifo) push(j job) {
	if q.head > 0 && len(q.jobs) == cap(q.jobs) { // move up before growing
		n := copy(q.jobs, q.jobs[q.head:])
		clear(q.jobs[n:])
		q.jobs, q.head = q.jobs[:n], 0
	}
	q.jobs = append(q.jobs, j)
}

func (q *fifo) pop() (job, bool) {
	if q.len() == 0 {
		return job{}, false
	}
	j := q.jobs[q.head]
	q.jobs[q.head] = job{}
	if q.head++; q.head == len(q.jobs) {
		q.jobs, q.head = q.jobs[:0], 0
	}
	return j, true
}

func (q *fifo) remove(match func(job) bool) {
	kept := q.jobs[:0]
	for _, j := range q.jobs[q.head:] {
		if !match(j) {
			kept = append(kept, j)
		}
	}
	clear(q.jobs[len(kept):])
	q.jobs, q.head = kept, 0
}
