// Package consumer is the client side of SDC: it connects to devices, mirrors
// their MDIBs, follows every report and invokes operations.
//
// A [Consumer] is one participant: one identity, one place where notifications
// arrive. It holds any number of connections to devices, each a [Device]:
//
//	c, err := consumer.New(consumer.Config{Identity: id})
//	defer c.Close(ctx)
//	dev, err := c.Connect(ctx, endpoint)
//	hr, ok := mdib.Get[*pm.NumericMetricState](dev.MDIB(), "hr")
//	for u, err := range dev.Updates(ctx) { ... }
//	res, err := dev.SetValue(ctx, "peep.set", pm.MustDecimal("8"))
//
// # What a Device promises
//
// [Device.MDIB] is an immutable snapshot that was the content of the device at
// one MDIB version. Updates come in the order of the device's versions.
// When a report is missing or cannot be applied, when the device starts a new
// sequence, falls silent, or ends a subscription, the Device says so by its [Link],
// finds the device again where needed, subscribes again, reads the whole MDIB, and says when it is
// live again and from which version to which ([Gap]). It gives up, with [ErrLost],
// after Config.LostAfter without success.
//
// # Stale is never shown as live
//
// A [View] holds a snapshot together with the link and the moment at which the snapshot was last
// known to be what the device has; [Current] reads a value only while that is now; [Device.Age]
// tells how old the knowledge of one value is. The link is live on evidence only: reports in
// order, or, from a device that is silent, an answer with its MDIB version
// (Config.ProofInterval).
//
// # Times of others are not taken on trust
//
// A device's clock may go wrong or be set. [Clock] compares it with this host's by the Date header of answers, Update.Clock tells of drift
// and steps, and [View.InstantOf] says what speaks against a time in the MDIB.
package consumer
