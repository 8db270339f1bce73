// Package aggregate derives values from what several devices measure at one patient and publishes them as a device of its own.
//
//	a, err := aggregate.New(aggregate.Config{Source: station, Provider: provider.Config{Identity: id}})
//	go a.Run(ctx)
//
// A [Rule] is a Go function with a description of what it needs and of what comes out; [BuiltIn] are those that come with the package. [Derive] is the
// pure core: it takes a station's view and says what the value is, or why there is none.
//
// # What a derived value is good for
//
// It is never better than the worst of its inputs. Inputs are of one patient for sure, of devices that do not contradict each other about the place, and
// close enough in time by the station's estimate of each device's clock; otherwise there is no value. A value that cannot be derived any more is withdrawn:
// the metric stays, without a value, its validity says that, and an annotation says why. It is never frozen.
//
// # What is published
//
// One MDS per patient, since a patient is a matter of the MDS, with the patient and the place associated as the devices say. MDSs come and go with the patients; no
// handle is ever used for another patient. The inputs are published beside the derived values: what was used, converted, with the device and the handle it came
// from (sdpi:CodedAttributes). Derived metrics name the inputs they may be derived from in their descriptors (pm:Relation DCE) and those that they are
// derived from now in their states (sdpi:Relations). The inputs have codes of [PrivateCodes], lest anybody take them for a second
// measurement of the same thing.
package aggregate
