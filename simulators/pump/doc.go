// Package pump is a simulated infusion pump at the vein of the patient. What it delivers acts on the patient: an opioid depresses
// the breathing, which the monitor at the same bed sees in carbon dioxide and saturation.
//
// Rates are in mL/h, volumes in mL, concentrations in ug/mL, pressures in mmHg.
//
// # Stop and hold
//
// OpStop is always accepted and lasts until somebody starts the pump again. OpHold is for interlocks: it lasts while it is
// invoked again within HoldLease. What happens when whoever held the pump falls silent depends on the drug, since
// what is safe does: an opioid stays stopped until a person starts it again, because the reason for the hold may still be there;
// of a vasopressor the missing infusion is the greater danger, so it goes on, after HoldLimit in any case. An
// alarm tells of either.
//
// OpSupervise is the other way round: whoever watches over the patient renews it within SupervisionLease, and when that is
// not renewed any more, because the watcher has died or no longer sees the patient, an opioid is stopped, with an alarm. It is ended in good
// order by OpSuperviseEnd.
package pump
