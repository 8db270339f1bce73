// Package physio is a small, deterministic model of one patient: mechanics of
// the lung, exchange of oxygen and carbon dioxide, heart and circulation, and
// the raw signals that sensors would pick up from them.
//
// The simulated devices do not invent their curves: a ventilator drives the
// lung through [Patient.Step] and gets pressure and flow back, a monitor reads
// [Patient.Signals] and derives its numerics from those samples. What one
// device does to the patient is therefore seen by every other device that is
// attached to the same Patient.
//
// A pump puts drugs into the vein through [Patient.Infuse]: an opioid lowers the
// drive to breathe of a patient who breathes on his own (Config.Spontaneous), carbon
// dioxide rises and saturation falls; a vasopressor raises the arterial pressure.
//
// The model is meant to be plausible, not clinical. It reproduces exactly from
// the same seed, scenario, sequence of steps and drives. A Patient is not safe
// for concurrent use; devices that share one serialise their access.
package physio
