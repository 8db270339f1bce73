// Package simulators puts simulated medical devices on the network. The devices
// themselves live in the packages below it: ventilator, monitor, pump, xray and light,
// which work at a modelled patient, and reference, which animates any MDIB. Devices that get
// the same Bed work at the same patient.
//
// What a simulated device shows depends on its seed, its scenario, the simulated
// time and the operations invoked on it, and on nothing else. All values are made
// up: the devices say so by operating in demonstration mode.
package simulators
