// Package measure derives vital signs from sampled signals, as the
// measuring channels of a monitor or ventilator do: heart rate from an ECG,
// systolic, diastolic and mean from a pressure wave, saturation from two light
// intensities, breaths from a capnogram or a flow.
//
// Each detector is fed sample by sample with the time between two samples fixed
// at construction, allocates nothing while running and is not safe for
// concurrent use. A value that cannot be derived yet, or no longer because the
// signal is gone, is reported as absent, never as the last one known.
package measure
