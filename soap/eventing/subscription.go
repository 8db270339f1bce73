package eventing

import (
	"context"
	"crypto/x509"
	"sync/atomic"
	"time"

	"github.com/semeco/go-sdc/soap"
)

// subscription is one subscription as its source sees it.
type subscription struct {
	id       string
	manager  string // address of the subscription manager
	notifyTo soap.EndpointReference
	endTo    *soap.EndpointReference
	endKey   string // consumer of endTo
	actions  []string
	feed     Feed // what it gets instead of what is published
	peer     string
	// certificate of the subscriber; nil without TLS
	certificate *x509.Certificate
	consumer    *consumer

	expires atomic.Int64 // time.Duration since the source's start

	ctx    context.Context // ends when a delivery under way is to be given up
	cancel context.CancelFunc

	// guarded by consumer.mu
	ended       bool // nothing is delivered any more
	sealed      bool // nothing is queued any more
	queued      int  // messages waiting
	queuedBytes int
	number      uint64 // of the last confirmed message

	// used by the consumer's goroutine alone
	sender *soap.Sender
	header *soap.Header // of the last message
}

func (sub *subscription) expiresAt() time.Duration { return time.Duration(sub.expires.Load()) }

// headerOf is the header of a notification, until the next one.
func (sub *subscription) headerOf(action string, number uint64) *soap.Header {
	h, numberHeader := sub.header, sub.consumer.source.cfg.NumberHeader
	if h == nil {
		h = soap.NewHeader(sub.notifyTo, action)
		sub.header = h
	} else {
		h.Action, h.MessageID = action, soap.NewMessageID()
	}
	if numberHeader != nil {
		h.Extra = append(h.Extra[:0], numberHeader(number))
	}
	return h
}

// verdict is what became of a message that was to be queued.
type verdict uint8

const (
	queued verdict = iota
	gone           // the subscription has ended or expired
	overflow
)

func (sub *subscription) enqueue(j job, now time.Duration) verdict {
	if sub.expiresAt() <= now {
		return gone
	}
	c := sub.consumer
	c.mu.Lock()
	defer c.mu.Unlock()
	switch cfg := &c.source.cfg; {
	case sub.ended, sub.sealed:
		return gone
	case sub.queued >= cfg.MaxQueue, sub.queued > 0 && sub.queuedBytes+len(j.body) > cfg.MaxQueueBytes:
		return overflow
	}
	sub.queued++
	sub.queuedBytes += len(j.body)
	c.queue.push(j)
	c.signal()
	return queued
}

// SubscriptionStats describes one subscription of a source.
type SubscriptionStats struct {
	ID        string
	NotifyTo  string
	EndTo     string // "" if the subscriber does not want to be told
	Actions   []string
	Remaining time.Duration // until it expires
	Queued    int           // notifications waiting
	Bytes     int           // of their bodies
	Delivered uint64        // notifications confirmed by the consumer
}

// SourceStats counts since the start of a source.
type SourceStats struct {
	Subscriptions int    // now
	Consumers     int    // goroutines delivering now
	Granted       uint64 // subscriptions ever
	Expired       uint64 // subscriptions ended because nobody renewed them
	Unsubscribed  uint64
	Failed        uint64 // subscriptions ended because a notification could not be delivered
	Overflowed    uint64 // subscriptions ended because their queue was full
	Cancelled     uint64
	Delivered     uint64 // notifications confirmed
	Dropped       uint64 // notifications that were queued, or should have been, and never confirmed
}

// Stats returns the counters.
func (s *Source) Stats() SourceStats {
	s.mu.Lock()
	n, m := len(s.subs), len(s.consumers)
	s.mu.Unlock()
	c := &s.counters
	return SourceStats{
		Subscriptions: n, Consumers: m,
		Granted: c.granted.Load(), Expired: c.expired.Load(), Unsubscribed: c.unsubscribed.Load(),
		Failed: c.failed.Load(), Overflowed: c.overflowed.Load(), Cancelled: c.cancelled.Load(),
		Delivered: c.delivered.Load(), Dropped: c.dropped.Load(),
	}
}

// Subscriptions describes the current subscriptions, in no order.
func (s *Source) Subscriptions() []SubscriptionStats {
	s.mu.Lock()
	subs := make([]*subscription, 0, len(s.subs))
	for _, sub := range s.subs {
		subs = append(subs, sub)
	}
	s.mu.Unlock()
	now := s.now()
	out := make([]SubscriptionStats, len(subs))
	for i, sub := range subs {
		st := &out[i]
		st.ID, st.NotifyTo, st.Actions = sub.id, sub.notifyTo.Address, sub.actions
		if sub.endTo != nil {
			st.EndTo = sub.endTo.Address
		}
		st.Remaining = max(sub.expiresAt()-now, 0)
		sub.consumer.mu.Lock()
		st.Queued, st.Bytes, st.Delivered = sub.queued, sub.queuedBytes, sub.number
		sub.consumer.mu.Unlock()
	}
	return out
}
