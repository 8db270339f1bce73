// Package ventilator is a simulated intensive care ventilator. Its settings act on a lung
// model; pressure, flow and volume at the Y piece come back from there, and all
// measured values are derived from those signals.
//
// Pressures are in cmH2O, volumes in mL, flows in L/min, times in seconds.
package ventilator
