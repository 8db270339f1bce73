package consumer

import "time"

// SubscriptionInfo describes a subscription that a Device holds.
type SubscriptionInfo struct {
	// ID tells it from others of the same Consumer.
	ID string
	// Granted is how long the device granted last, at subscribing or at the last renewal.
	Granted time.Duration
	// Expires is when it ends unless it is renewed; it moves with every renewal.
	Expires time.Time
	// Err is why it has ended; nil while it lives.
	Err error
}

// Subscriptions describes the subscriptions the device has granted, in no order. After the loss of one all are replaced.
func (d *Device) Subscriptions() []SubscriptionInfo {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := make([]SubscriptionInfo, len(d.subs))
	for i, s := range d.subs {
		out[i] = SubscriptionInfo{ID: s.ID(), Granted: s.Granted(), Expires: s.Expires(), Err: s.Err()}
	}
	return out
}
