package eventing

import (
	"context"
	"iter"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/soap"
)

// Notification is one message to a subscriber: its action and the content of its SOAP body, as for [Source.Publish].
type Notification struct {
	Action string
	Body   []byte
}

// Feed is what one subscription gets that asks for notifications of its own. The next one is drawn when the one before
// has been confirmed, so a feed may be long without anything piling up. When it is exhausted, the
// subscription ends with [StatusSourceCancelling].
type Feed iter.Seq[Notification]

// FeedHandler returns the handler of the action [ActionSubscribe] for a hosted service whose subscriptions are no choice among what is
// published, but questions that are answered by notifications. They are asked in a filter dialect of their own; open gets the
// element wse:Filter and returns the answer. An error of open, a fault of the caller's choice, refuses the subscription; so do the
// reasons of [Source.SubscribeHandler].
//
// A feed is drawn from by one goroutine of the source, until it is exhausted or its subscription has ended for another reason.
func (s *Source) FeedHandler(dialect string, open func(ctx context.Context, r *soap.Request, filter xmlscan.Raw) (Feed, error)) soap.Handler {
	return func(ctx context.Context, r *soap.Request) (*soap.Response, error) {
		m, err := readSubscribe(r, dialect)
		if err != nil {
			return nil, err
		}
		feed, err := open(ctx, r, m.filter)
		if err != nil {
			return nil, err
		}
		return s.admit(r, m, &subscription{feed: feed})
	}
}

// serveFeed delivers a feed to its subscription.
func (s *Source) serveFeed(sub *subscription) {
	defer s.wg.Done()
	for n := range sub.feed {
		sent := make(chan struct{})
		if sub.enqueue(job{sub: sub, action: n.Action, body: n.Body, sent: sent}, s.now()) != queued {
			return
		}
		select {
		case <-sent:
		case <-sub.ctx.Done():
			return
		}
	}
	if s.end(sub, StatusSourceCancelling, "everything asked for has been delivered") {
		s.counters.cancelled.Add(1)
	}
}
