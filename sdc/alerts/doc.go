// Package alerts is the alert behaviour of a provider. The application says which facts there are (a sensor is off, a battery is low)
// and which values its metrics have; the package keeps everything that depends on them right:
//
//   - limit conditions are judged by the metric values in the MDIB, so the value that raised an alert has been reported before it;
//   - conditions become present after their generation delay, and only while they and their alert system are on (BICEPS R0029_0);
//   - signals follow their condition: generation delay, On, Ack, Latch, Off, with the acknowledgement's timeout;
//   - activation states agree with one another (R0116, B-128), and what was switched off for itself is still off when the system
//     around it, or the audible signals, come back on;
//   - signals delegated to another participant fall back to this device when it stops confirming;
//   - alert systems check themselves with their SelfCheckPeriod and report it;
//   - priorities escalate and de-escalate.
//
// A [Manager] sits before the device: it has the same MDIB and Update methods, and settles the alert states in the transaction that
// changed them, or in the next one if that was about metrics. What is committed past it is picked up after [Manager.Notice].
//
// # How signals go
//
//	condition   signal before       becomes
//	present     Off                 On, once the generation delay has passed
//	present     On                  Ack, when acknowledged; On again when AcknowledgeTimeout has passed
//	present     Latch               On, once the generation delay has passed
//	gone        On, latching        Latch, until somebody acknowledges
//	gone        On, not latching    Off
//	gone        Ack                 Off: somebody has seen it
//
// A signal that is paused is not generated (Off), but acknowledgements and latches outlast the pause. Switching off ends them.
//
// # Delegation
//
// A signal with SignalDelegationSupported that is remote (Location Rem) is switched on by the participant that generates it, with an operation that it
// repeats as a sign of life. As long as that goes on, the local signals of the same condition and manifestation are paused. When the
// signs stop for the operation's InvocationEffectiveTimeout, or for the generation delay of such a fallback signal if that is shorter, the
// remote signal goes Off and the local ones On at once. A delegable signal without such siblings moves itself: Location Rem while
// confirmed, Loc again afterwards.
package alerts
