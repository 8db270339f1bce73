// Package station keeps one view of many devices: it follows discovery, connects to the devices that its rules ask
// for, and shows what they tell by place, by patient and by meaning.
//
//	c, err := consumer.New(ctx, consumer.Config{Identity: id})
//	s, err := station.New(station.Config{Consumer: c, Discovery: client, Rules: rules})
//	go s.Run(ctx)
//	for view := range s.Views(ctx) {
//		for _, p := range view.Patients { ... }
//	}
//
// A [View] is immutable. A new one is published whenever something changes, at most every Config.Interval; changes of
// alarms, contexts, operations and links are published at once. A reader that is slow gets the newest and misses those between.
//
// # Patients are never mixed
//
// The patient is a matter of the MDS, not of the device, and only what the MDS itself says of it counts: an associated
// patient context with an identifier that has both root and extension. Two MDSs show the same patient if they share
// such an identifier and contradict each other in none. Everything else stays apart and is told in View.Conflicts. A place
// never makes a patient.
//
// A measured value belongs to the patient only if it was determined after the patient was associated: what a
// monitor still shows of the patient before is [Former]. A value whose device is not live is [Stale], never [Current].
package station
