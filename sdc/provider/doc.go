// Package provider is the device side of SDC: it publishes an MDIB on the network, reports every change to subscribed
// consumers, and runs the operations they invoke.
//
//	dev, err := provider.New(provider.Config{MDIB: snapshot, Identity: identity})
//	dev.HandleSetValue("peep.set", func(ctx context.Context, call *provider.SetValue) error { ... })
//	err = dev.Run(ctx)                                       // Hello ... Bye; returns when ctx ends
//	err = dev.Update(func(tx *mdib.Tx) error { ... })        // from any goroutine
//
// # The way of a change
//
// Update commits a transaction and, still under the commit lock, encodes the one report that tells of it and hands the bytes to
// the subscriptions. The lock makes every subscriber see strictly ascending MDIB versions (SDPi R1006, R1007); the hand-over
// never waits for a consumer, whose queue is bounded.
//
// # The way of an operation
//
// A request is checked against the MDIB (SCO-2); states that it proposes belong to the operation's target or stand below it. It is
// given a transaction id and queued at its SCO; the operations of one SCO run one after the other (SCO-3). Whatever happens, each transaction ends with exactly one final state: handler errors, panics, time-outs
// and full queues become Fail with a reason (SCO-6).
//
// What an operation with InvocationEffectiveTimeout has brought about lasts until it is not called again in time; HandleEffectEnd says what ends it (SCO-10).
//
// # Services
//
// Get, Set and the four services that report are always there; StateEvent, Context, DescriptionEvent and Waveform share an address (GLUE R0034_0). The others
// are off until they are switched on in Config, and only then stand in metadata and WSDL: Localization (a catalogue of texts, checked against
// the MDIB), ContainmentTree, Archive (over a bounded log of changes in memory). ContextQueries adds two requests to Context, Periodic the periodic reports,
// ObservedValues the ObservedValueStream. AssociatePatient, SetLocation, JoinEnsemble and their like change contexts in the terms of an application.
package provider
