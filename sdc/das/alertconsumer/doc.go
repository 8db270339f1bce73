// Package alertconsumer is the consumer side of a distributed alarm system: the SOMDS Medical Alert Consumer of IHE SDPi-A with the option of that name (DEV-48 and
// DEV-49; experimental, see package das). It takes over the monitoring of the alarms of a device, which is quiet as long as that goes well.
//
//	mon, err := alertconsumer.New(dev, alertconsumer.Config{
//		Name:    "Ward 3 central station",
//		Deliver: func(ctx context.Context, alerts []alertconsumer.Alert) error { ... },    // to where people see and hear them
//		Changed: func(s alertconsumer.Status) { ... },                                     // also that monitoring was lost
//	})
//	err = mon.Run(ctx)    // until ctx ends; ends monitoring then
//
// Deliver is what it is all about: it returns nil only when the alerts have arrived where they will be noticed. Then, and not before, their technical delivery is confirmed to the
// device. At a takeover it gets the state of every alert condition, later every change, in order.
//
// # Loss
//
// Monitoring is lost, and Config.Changed called at once, when the link to the device is not live any more, the device disables the operations, begins a new
// sequence or refuses, nothing has been renewed in time, a delivery failed or was late, or the device does not check its alert system. From then on the device must be taken to
// sound by itself, or to be silent for not longer than its MaxTechnicalConfirmationDelay. What the device cannot know, as a delivery that failed, is told to it by ending.
// Unless Config.Once is set, monitoring is then taken over again as soon as that is possible.
package alertconsumer
