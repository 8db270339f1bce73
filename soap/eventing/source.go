package eventing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/semeco/go-sdc/soap"
)

// SourceConfig configures a [Source]. The zero value is usable once Client permits TLS or plain HTTP.
type SourceConfig struct {
	// Client says how consumers are reached: TLS, Insecure, Dial, limits, Logger. Of it one
	// soap.Client is made per consumer; Timeout, MaxConnsPerHost and DisableCompression are
	// set by the source (no compression is offered for the empty answers to notifications).
	Client soap.ClientConfig

	// ManagerPath is the path below which every subscription gets a path of its own
	// (SDPi R7003). Mount [Source.ManagerEndpoint] there. Default: "/" and a random UUID.
	ManagerPath string
	// BaseURL precedes ManagerPath in the addresses given to subscribers, for example
	// "https://192.0.2.1:6464". Default: the host the subscriber used, with https if
	// Client.TLS is set.
	BaseURL string
	// BaseURLs, if set, takes the place of BaseURL for a source that is reached at several
	// addresses, or at changing ones: it returns those of now, first the one that the request
	// came to, at least one. It is called by several goroutines.
	BaseURLs func(r *soap.Request) []string

	// MaxExpires bounds and, for requests without wse:Expires, is the granted duration.
	// Default 1 min.
	MaxExpires time.Duration
	// MaxSubscriptions bounds the subscriptions of all peers. Default 1024.
	MaxSubscriptions int
	// MaxPerPeer bounds those of one peer: one certificate, or one IP address where there
	// is none. Default 128.
	MaxPerPeer int
	// Dialect is the one filter dialect that SubscribeHandler grants, another is refused with a
	// fault; its content is a list of actions. Default [DialectAction]. An empty list is refused
	// with that dialect, and means every action of the service with another.
	Dialect string
	// Authorise, if set, decides whether the subscriber may have notifications of these actions; an error, a fault of its
	// choice, refuses the subscription.
	Authorise func(ctx context.Context, r *soap.Request, actions []string) error
	// AllowTarget decides on addresses in NotifyTo and EndTo; an error refuses the
	// subscription and is told to the subscriber. Default [SameHost].
	AllowTarget func(r *soap.Request, target *url.URL) error

	// MaxQueue bounds the notifications waiting per subscription. Default 512.
	MaxQueue int
	// MaxQueueBytes bounds their bodies in bytes. Default 8 MiB. One message is accepted
	// by an empty queue whatever its size. A body takes at most twice as much memory, and 16 KiB.
	MaxQueueBytes int
	// NotifyTimeout bounds the delivery of one message with all attempts. Default 4 s, so that
	// a subscriber hears of a failure within 5 s.
	NotifyTimeout time.Duration
	// Attempts is how often delivery of one message is tried within NotifyTimeout: again
	// after a connection could not be made and after HTTP 429 and 503; after a connection
	// broke only if NumberHeader lets the consumer recognise the repetition. Anything else is
	// a delivery failure at once, as is a time-out. Default 2.
	Attempts int
	// RetryDelay passes between attempts unless the consumer asked for more. Default 100 ms.
	RetryDelay time.Duration

	// NumberHeader makes a header block from the number of the message within its
	// subscription: 1 for the first, one more only after a delivery was confirmed with 2xx,
	// the same for repetitions, which have the same content (SDPi R0800, R0801, R0802).
	// nil writes none. It is called by several goroutines.
	NumberHeader func(number uint64) soap.Body

	// Logger receives what happens to subscriptions (debug, failures as warnings); nil discards.
	Logger *slog.Logger
}

func (c *SourceConfig) setDefaults() {
	def(&c.MaxExpires, time.Minute)
	def(&c.MaxSubscriptions, 1024)
	def(&c.MaxPerPeer, 128)
	def(&c.MaxQueue, 512)
	def(&c.MaxQueueBytes, 8<<20)
	def(&c.NotifyTimeout, 4*time.Second)
	def(&c.Attempts, 2)
	def(&c.RetryDelay, 100*time.Millisecond)
	if c.ManagerPath == "" {
		c.ManagerPath = "/" + uuid.NewString()
	}
	c.ManagerPath = "/" + strings.Trim(c.ManagerPath, "/")
	c.BaseURL = strings.TrimSuffix(c.BaseURL, "/")
	if c.Dialect == "" {
		c.Dialect = DialectAction
	}
	if c.AllowTarget == nil {
		c.AllowTarget = SameHost
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	def(&c.Client.IdleTimeout, 90*time.Second)
	c.Client.DisableCompression = true
	c.Client.MaxConnsPerHost = 1
	c.Client.Timeout = -1 // the source has its own
}

func def[T int | time.Duration](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}

// Source is an event source with its subscription managers. Create one for all hosted services
// of a device, so that all subscriptions of a consumer share one connection. Close it when done.
type Source struct {
	cfg   SourceConfig
	log   *slog.Logger
	start time.Time    // expirations are counted from here, on the monotonic clock
	check *soap.Client // never connects; it knows which addresses are permitted
	tail  []byte       // closes every envelope
	late  error        // why a delivery is given up

	ctx      context.Context // ends when delivery has to stop
	cancel   context.CancelFunc
	wg       sync.WaitGroup // janitor, consumers and feeds
	stop     chan struct{}  // closed when closing begins
	earlier  chan struct{}  // tells the janitor of an earlier expiration
	index    atomic.Pointer[index]
	counters counters
	bodies   sync.Pool // of *pooled

	mu        sync.Mutex
	closing   bool
	subs      map[string]*subscription // by id
	perPeer   map[string]int
	consumers map[string]*consumer // by scheme, host and port
	wake      time.Duration        // when the janitor looks next
}

// index is the immutable list that Publish reads.
type index struct {
	byAction map[string][]*subscription
}

// counters of ended subscriptions and of messages.
type counters struct {
	granted, expired, unsubscribed, failed, overflowed, cancelled atomic.Uint64
	delivered, dropped                                            atomic.Uint64
}

// never is the janitor's wake time when nothing expires.
const never = time.Duration(1<<63 - 1)

// NewSource returns a source, or soap.ErrInsecure when the client configuration permits neither
// TLS nor plain HTTP. It has one goroutine, which Close ends.
func NewSource(cfg SourceConfig) (*Source, error) {
	cfg.setDefaults()
	check, err := soap.NewClient(cfg.Client)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Source{
		cfg: cfg, log: cfg.Logger, start: time.Now(), check: check, tail: soap.AppendTail(nil),
		late: fmt.Errorf("no answer within %v", cfg.NotifyTimeout),
		ctx:  ctx, cancel: cancel,
		stop:      make(chan struct{}),
		earlier:   make(chan struct{}, 1),
		subs:      make(map[string]*subscription),
		perPeer:   make(map[string]int),
		consumers: make(map[string]*consumer),
		wake:      never,
	}
	s.index.Store(&index{})
	s.wg.Add(1)
	go s.janitor()
	return s, nil
}

// now is the monotonic time since the source exists.
func (s *Source) now() time.Duration { return time.Since(s.start) }

// Wants reports whether a subscription waits for the action, so that nobody encodes what nobody
// wants.
func (s *Source) Wants(action string) bool { return len(s.index.Load().byAction[action]) > 0 }

// Publish queues a notification for every subscription whose filter names the action and returns
// how many that are. It never waits for a consumer.
//
// body is the content of the SOAP body: one element that declares its prefixes. It is shared by
// all subscriptions and must never change again. Notifications reach a consumer in the order of
// the Publish calls; who publishes from several goroutines has to order the calls himself.
func (s *Source) Publish(action string, body []byte) int {
	return s.publish(job{action: action, body: body})
}

// PublishBody is Publish of a body that is not encoded yet, which is done once, and only if a subscription waits for the action. It returns its size
// in bytes, 0 if none does. The memory is used again when the last subscription has got it.
func (s *Source) PublishBody(action string, body soap.Body) (size int) {
	if !s.Wants(action) {
		return 0
	}
	p, ok := s.bodies.Get().(*pooled)
	if !ok {
		p = &pooled{home: &s.bodies}
	}
	p.users.Store(1)
	p.bytes = body.AppendXML(p.bytes[:0])
	p = p.fitted()
	size = len(p.bytes)
	s.publish(job{action: action, body: p.bytes, pooled: p})
	p.release()
	return size
}

// publish queues a notification for each subscription that waits for it.
func (s *Source) publish(j job) (n int) {
	subs, now := s.index.Load().byAction[j.action], s.now()
	for _, sub := range subs {
		j.sub = sub
		j.pooled.use()
		v := sub.enqueue(j, now)
		if v == queued {
			n++
			continue
		}
		j.pooled.release()
		if v == overflow {
			s.counters.overflowed.Add(1)
			s.end(sub, StatusDeliveryFailure, "the consumer is too slow: its queue is full")
		}
	}
	return n
}

// Flush waits until every notification published before has been confirmed by its consumer, or will never be because its subscription
// has ended. The error is that of ctx, or says that the source has been closed. Who flushes all the time makes the queues longer: it
// is for tests and for the end of something, not for every message.
func (s *Source) Flush(ctx context.Context) error {
	var pending []chan struct{}
	s.mu.Lock()
	for _, c := range s.consumers {
		reached := make(chan struct{})
		c.mu.Lock()
		c.queue.push(job{flush: reached})
		c.signal()
		c.mu.Unlock()
		pending = append(pending, reached)
	}
	s.mu.Unlock()
	for _, reached := range pending {
		select {
		case <-reached:
		case <-ctx.Done():
			return ctx.Err()
		case <-s.ctx.Done():
			return errClosed
		}
	}
	return nil
}

// errClosed is returned by Flush.
var errClosed = errors.New("eventing: the source has been closed")

// add makes a subscription known. The error is a fault that says why not.
func (s *Source) add(sub *subscription, key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closing:
		return unable("the event source is shutting down")
	case len(s.subs) >= s.cfg.MaxSubscriptions:
		return unable("the event source has too many subscriptions")
	case s.perPeer[sub.peer] >= s.cfg.MaxPerPeer:
		return unable("the event source has too many subscriptions of this peer")
	}
	sub.consumer = s.consumerLocked(key)
	s.subs[sub.id] = sub
	s.perPeer[sub.peer]++
	s.reindexLocked()
	s.expiresLocked(sub)
	s.counters.granted.Add(1)
	if sub.feed != nil {
		s.wg.Add(1)
		go s.serveFeed(sub)
	}
	return nil
}

// removeLocked forgets a subscription; false when it has been forgotten before.
func (s *Source) removeLocked(sub *subscription) bool {
	if s.subs[sub.id] != sub {
		return false
	}
	delete(s.subs, sub.id)
	if s.perPeer[sub.peer]--; s.perPeer[sub.peer] == 0 {
		delete(s.perPeer, sub.peer)
	}
	s.reindexLocked()
	return true
}

func (s *Source) reindexLocked() {
	ix := &index{byAction: make(map[string][]*subscription)}
	for _, sub := range s.subs {
		for _, a := range sub.actions {
			ix.byAction[a] = append(ix.byAction[a], sub)
		}
	}
	s.index.Store(ix)
}

// expiresLocked tells the janitor when a subscription expires earlier than it expects.
func (s *Source) expiresLocked(sub *subscription) {
	if at := sub.expiresAt(); at < s.wake {
		s.wake = at
		select {
		case s.earlier <- struct{}{}:
		default:
		}
	}
}

// drop forgets a subscription and what waits for it, without a word to the subscriber.
func (s *Source) drop(sub *subscription, why string) bool {
	s.mu.Lock()
	known := s.removeLocked(sub)
	s.mu.Unlock()
	if !known {
		return false
	}
	n, sending := sub.consumer.discard(sub)
	s.log.Debug("subscription ended", "id", sub.id, "notify", sub.notifyTo.Address, "reason", why, "dropped", n)
	s.counters.dropped.Add(uint64(n))
	if !sending {
		sub.cancel() // otherwise when the message is out
	}
	s.release(sub.consumer)
	return true
}

// end ends a subscription and tells the subscriber. A delivery under way is given up: only this
// subscription is to suffer from its consumer.
func (s *Source) end(sub *subscription, status Status, reason string) bool {
	s.mu.Lock()
	known := s.removeLocked(sub)
	var to *consumer
	if known && sub.endTo != nil {
		to = s.consumerLocked(sub.endKey) // released when the message is out
	}
	s.mu.Unlock()
	if !known {
		return false
	}
	n, _ := sub.consumer.discard(sub)
	s.log.Warn("subscription ended", "id", sub.id, "notify", sub.notifyTo.Address, "status", string(status), "reason", reason, "dropped", n)
	s.counters.dropped.Add(uint64(n))
	sub.cancel()
	if to != nil && !to.pushEnd(&ending{sub: sub, status: status, reason: reason}, true) {
		s.log.Warn("subscription end not sent: too many are waiting", "id", sub.id, "end", sub.endTo.Address)
		s.release(to)
	}
	s.release(sub.consumer)
	return true
}

// Cancel ends a subscription with [StatusSourceCancelling]; false when there is none with the id.
func (s *Source) Cancel(id, reason string) bool {
	s.mu.Lock()
	sub := s.subs[id]
	s.mu.Unlock()
	if sub == nil || !s.end(sub, StatusSourceCancelling, reason) {
		return false
	}
	s.counters.cancelled.Add(1)
	return true
}

// Close refuses new subscriptions and notifications, delivers what waits and then sends every
// subscriber SubscriptionEnd with [StatusSourceShuttingDown] (EVT-3), all consumers at the same
// time. It returns when that is done and every goroutine has ended. When ctx ends earlier, the
// rest is given up and the error is that of ctx.
func (s *Source) Close(ctx context.Context) error {
	s.mu.Lock()
	if !s.closing {
		s.closing = true
		close(s.stop)
		s.index.Store(&index{})
		for id, sub := range s.subs {
			delete(s.subs, id)
			sub.consumer.seal(sub)
			if sub.endTo != nil {
				to := s.consumerLocked(sub.endKey)
				to.pushEnd(&ending{sub: sub, status: StatusSourceShuttingDown, reason: "the event source is going off line"}, false)
			}
			s.releaseLocked(sub.consumer)
		}
	}
	s.mu.Unlock()
	done := make(chan struct{})
	go func() {
		s.wg.Wait()
		close(done)
	}()
	var err error
	select {
	case <-done:
	case <-ctx.Done():
		err = fmt.Errorf("event source closed before all was delivered: %w", context.Cause(ctx))
	}
	s.cancel()
	<-done
	s.check.Close()
	return err
}

// janitor removes expired subscriptions.
func (s *Source) janitor() {
	defer s.wg.Done()
	timer := time.NewTimer(time.Hour)
	timer.Stop() // nothing expires yet
	defer timer.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-s.earlier:
		case <-timer.C:
		}
		now := s.now()
		s.mu.Lock()
		s.wake = never
		var expired []*subscription
		for _, sub := range s.subs {
			if at := sub.expiresAt(); at <= now {
				expired = append(expired, sub)
			} else {
				s.wake = min(s.wake, at)
			}
		}
		if s.wake != never {
			timer.Reset(s.wake - now)
		}
		s.mu.Unlock()
		for _, sub := range expired {
			if s.drop(sub, "expired") {
				s.counters.expired.Add(1)
			}
		}
	}
}

// SameHost is the default policy on targets: the address has to be that of the subscriber, or
// both have to be of the loopback interface. A name is accepted only if it is "localhost".
func SameHost(r *soap.Request, target *url.URL) error {
	from, err := hostAddr(r.RemoteAddr)
	if err != nil {
		return errors.New("the address of the subscriber is not known")
	}
	host := target.Hostname()
	if host == "localhost" && from.IsLoopback() {
		return nil
	}
	to, err := parseAddr(host)
	if err != nil || (to != from && !(to.IsLoopback() && from.IsLoopback())) {
		return fmt.Errorf("notifications go to the subscriber's own address %v, not to %s", from, host)
	}
	return nil
}

// AnyTarget is a policy that refuses no target. Use it where subscribers have several addresses.
func AnyTarget(*soap.Request, *url.URL) error { return nil }
