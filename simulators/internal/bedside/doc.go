// Package bedside is what the simulated devices at a patient have in common at
// run time: a steady pace, numerics and waveforms brought into the MDIB, an alarm
// system, and operations on limits, contexts and the alarm pause.
package bedside
