package eventing

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/semeco/go-sdc/soap"
)

// Reasons for the end of a subscription, besides [*EndError] and [*RenewError].
var (
	// ErrUnsubscribed says that Unsubscribe or Close ended it.
	ErrUnsubscribed = errors.New("unsubscribed")
	// ErrExpired says that nobody renewed it.
	ErrExpired = errors.New("subscription expired")
)

// RenewError says that a subscription ended because it could not be renewed.
type RenewError struct {
	Err error // what the last attempt failed with
}

// Error gives the cause.
func (e *RenewError) Error() string { return "subscription not renewed: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *RenewError) Unwrap() error { return e.Err }

// Subscription is a subscription as the sink that asked for it sees it.
type Subscription struct {
	sink *Sink
	id   string
	req  Request

	order   chan struct{}   // holds a token while a message is handled
	renewed chan struct{}   // 1 when the expiration has changed
	ctx     context.Context // ends with the subscription
	cancel  context.CancelFunc

	mu       sync.Mutex
	manager  soap.EndpointReference // set before Subscribe returns
	err      error                  // why it ended
	expires  time.Time              // when it expires unless renewed
	duration time.Duration          // last granted
}

// ID tells the subscription from others of the sink; it is part of the paths it is notified at.
func (sub *Subscription) ID() string { return sub.id }

// Manager is the endpoint of the subscription manager at the source.
func (sub *Subscription) Manager() soap.EndpointReference {
	sub.mu.Lock()
	defer sub.mu.Unlock()
	return sub.manager
}

// Expires is when the subscription ends unless it is renewed. It is counted from when the request
// was sent, so the source's own time is a little later.
func (sub *Subscription) Expires() time.Time {
	sub.mu.Lock()
	defer sub.mu.Unlock()
	return sub.expires
}

// Granted is the duration the source granted last. Of a grant until an instant no more than 10 s
// count, because the clock of the source may be wrong; of less than a second, one second.
func (sub *Subscription) Granted() time.Duration {
	sub.mu.Lock()
	defer sub.mu.Unlock()
	return sub.duration
}

// Done is closed when the subscription has ended; Err says why.
func (sub *Subscription) Done() <-chan struct{} { return sub.ctx.Done() }

// Err is nil while the subscription lives. Afterwards it is [ErrUnsubscribed], [ErrExpired],
// an [*EndError] from the source, or a [*RenewError].
func (sub *Subscription) Err() error {
	sub.mu.Lock()
	defer sub.mu.Unlock()
	return sub.err
}

func (sub *Subscription) path() string    { return sub.sink.cfg.Path + "/" + sub.id }
func (sub *Subscription) endPath() string { return sub.path() + "/end" }

// end ends the subscription on this side; the first cause counts.
func (sub *Subscription) end(cause error) {
	sub.mu.Lock()
	first := sub.err == nil
	if first {
		sub.err = cause
		sub.cancel()
	}
	sub.mu.Unlock()
	if !first {
		return
	}
	k := sub.sink
	k.log.Debug("subscription ended", "id", sub.id, "source", sub.req.Source.Address, "cause", cause)
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.subs, sub.id)
	k.cfg.Server.Remove(sub.path())
	k.cfg.Server.Remove(sub.endPath())
}

// admit refuses what is not from the source, or not wanted any more.
func (sub *Subscription) admit(ctx context.Context, r *soap.Request) error {
	if err := sub.fromSource(ctx, r); err != nil {
		return err
	}
	if r.Header.Action == ActionSubscriptionEnd || sub.req.Admit == nil {
		return nil
	}
	if sub.Err() != nil {
		return soap.DestinationUnreachable(r.Path)
	}
	return sub.req.Admit(r)
}

func (sub *Subscription) handleNotification(ctx context.Context, r *soap.Request) (*soap.Response, error) {
	if err := sub.turn(ctx); err != nil {
		return nil, err
	}
	defer func() { <-sub.order }()
	if sub.Err() != nil {
		return nil, soap.DestinationUnreachable(r.Path)
	}
	return nil, sub.req.Notify(ctx, r)
}

// turn waits until no other message is being handled, or until nobody waits for the answer.
func (sub *Subscription) turn(ctx context.Context) error {
	select {
	case sub.order <- struct{}{}:
		return nil
	case <-ctx.Done():
		return soap.EndpointUnavailable("earlier messages are still being handled", 0)
	}
}

func (sub *Subscription) handleEnd(ctx context.Context, r *soap.Request) (*soap.Response, error) {
	m, err := decode(r, "SubscriptionEnd", decodeSubscriptionEnd)
	if err != nil {
		return nil, err
	}
	if err := sub.turn(ctx); err != nil {
		return nil, err
	}
	defer func() { <-sub.order }()
	sub.end(m)
	return nil, nil
}

// Bounds of what a grant counts for.
const (
	// minGrant keeps a source that grants next to nothing from being asked without end.
	minGrant = time.Second
	// maxInstant is for grants until an instant. That is one by the clock of the source, which may be
	// wrong by any amount: taken at its word, a subscription would run out long before it is renewed,
	// or seem to have ended before it began.
	maxInstant = 10 * time.Second
)

// granted notes what a source granted by an answer to a request for asked, sent at the given time. An answer
// without expiration leaves the duration as it was.
func (sub *Subscription) granted(text string, asked time.Duration, sent time.Time) error {
	sub.mu.Lock()
	defer sub.mu.Unlock()
	d := sub.duration
	switch {
	case text != "":
		e, err := ParseExpiration(text)
		if err != nil {
			return err
		}
		d = e.From(sent)
		if e.Instant() && (d <= 0 || d > maxInstant) {
			d = min(asked, maxInstant)
		}
	case d == 0:
		d = asked
	}
	if d <= 0 {
		return fmt.Errorf("the source granted %q", text)
	}
	d = max(d, min(asked, minGrant))
	sub.duration, sub.expires = d, sent.Add(d)
	select {
	case sub.renewed <- struct{}{}:
	default:
	}
	return nil
}

// Renew asks for d more from now and returns what was granted. Subscriptions renew themselves;
// this is for those with NoRenew and for other durations.
func (sub *Subscription) Renew(ctx context.Context, d time.Duration) (time.Duration, error) {
	if err := sub.Err(); err != nil {
		return 0, err
	}
	sent := time.Now()
	env, err := sub.sink.cfg.Client.Call(ctx, sub.Manager(), ActionRenew, expiresMessage{element: "wse:Renew", expires: d})
	if err != nil {
		return 0, err
	}
	text, err := soap.Decode(env, wse("RenewResponse"), decodeExpires)
	if err != nil {
		return 0, err
	}
	if err := sub.granted(text, d, sent); err != nil {
		return 0, err
	}
	return sub.Granted(), nil
}

// GetStatus asks the source how long the subscription has left. If it answers by an instant, that is
// compared with the clock of this host.
func (sub *Subscription) GetStatus(ctx context.Context) (time.Duration, error) {
	if err := sub.Err(); err != nil {
		return 0, err
	}
	env, err := sub.sink.cfg.Client.Call(ctx, sub.Manager(), ActionGetStatus, emptyMessage("wse:GetStatus"))
	if err != nil {
		return 0, err
	}
	text, err := soap.Decode(env, wse("GetStatusResponse"), decodeExpires)
	if err != nil {
		return 0, err
	}
	e, err := ParseExpiration(text)
	if err != nil {
		return 0, err
	}
	return e.From(time.Now()), nil
}

// Unsubscribe ends the subscription here and at the source. Here it has ended whatever the error,
// which tells what the source said. Unsubscribing from what has ended does nothing.
func (sub *Subscription) Unsubscribe(ctx context.Context) error {
	if sub.Err() != nil {
		return nil
	}
	defer sub.end(ErrUnsubscribed)
	if sub.Manager().Address == "" { // Subscribe is under way and sees to it
		return nil
	}
	if err := sub.unsubscribe(ctx); err != nil {
		return fmt.Errorf("unsubscribe: %w", err)
	}
	return nil
}

func (sub *Subscription) unsubscribe(ctx context.Context) error {
	_, err := sub.sink.cfg.Client.Call(ctx, sub.Manager(), ActionUnsubscribe, emptyMessage("wse:Unsubscribe"))
	if errors.Is(err, soap.ErrNoResponse) {
		return nil // the answer has no content anyway
	}
	return err
}

// keep renews the subscription until it ends, or ends it when it expires.
func (sub *Subscription) keep() {
	defer sub.sink.wg.Done()
	var failure error // of the last attempt
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		granted, left := sub.Granted(), time.Until(sub.Expires())
		if left <= 0 {
			if failure != nil {
				sub.end(&RenewError{Err: failure})
			} else {
				sub.end(ErrExpired)
			}
			return
		}
		wait := left
		if !sub.req.NoRenew {
			wait = min(left, max(left-granted/2, 0))
			if failure != nil {
				wait = min(left, max(granted/16, minRetry))
			}
		}
		timer.Reset(wait)
		select {
		case <-sub.ctx.Done():
			return
		case <-sub.renewed:
			failure = nil
			continue
		case <-timer.C:
		}
		if sub.req.NoRenew || time.Until(sub.Expires()) <= 0 {
			continue
		}
		// An attempt is given up early enough for another.
		ctx, cancel := context.WithTimeout(sub.ctx, min(max(granted/4, minAttempt), maxAttempt))
		_, failure = sub.Renew(ctx, sub.req.Expires)
		cancel()
		if failure != nil && sub.Err() == nil {
			sub.sink.log.Warn("subscription not renewed", "id", sub.id, "source", sub.req.Source.Address, "error", failure)
			if final(failure) {
				sub.end(&RenewError{Err: failure})
				return
			}
		}
	}
}

const (
	minRetry   = 50 * time.Millisecond  // between attempts to renew
	minAttempt = 250 * time.Millisecond // for one attempt
	maxAttempt = 10 * time.Second
)

// final tells whether trying to renew again is useless: the source has answered, and not that it
// is busy.
func final(err error) bool {
	var fault *soap.Fault
	var status *soap.HTTPError
	switch {
	case errors.As(err, &fault):
		return fault.Status != 503
	case errors.As(err, &status):
		return !status.Busy()
	}
	return false
}
