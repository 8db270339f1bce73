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
// sequence, or when a subscription ends, the Device says so by its [Link],
// reads the whole MDIB again, subscribes again where needed, and says when it is
// live again and from which version to which. It gives up, with [ErrLost],
// after Config.LostAfter without success. Stale data is never shown as live:
// look at [Device.Link] or the Link of an [Update].
package consumer
