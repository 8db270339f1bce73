// Package components is the behaviour of the components and metrics of a provider that goes beyond single transactions.
//
//   - [Cascade] switches components off together with everything below them, and on again as it was (BICEPS R0025_0), and counts operating
//     hours.
//   - [SetStage] sets the activation of a metric by the stage of its measurement, setting or calculation (BICEPS 5-4-7_0_0 to 5-4-7_17);
//     [SetValidity] keeps values and validity apart where they exclude one another.
//   - [StartCalibration], [EndCalibration], [PlanCalibration], [AddCycles] and [SetPower] are about states of components and batteries.
//   - [Clock] keeps a clock state right, notices when the clock is stepped and reacts as SDPi R1522 asks.
//
// What takes a transaction of the device is for use within provider.Update; a transaction is about one kind of state.
package components
