// Package das is what both sides of a distributed alarm system (DAS) share: the option of that name of IHE SDPi-A, with the transactions DEV-48 (establish) and
// DEV-49 (end). Package alertprovider is the device whose alarms are watched, package alertconsumer the one who watches them.
//
// It is experimental. SDPi 2.5 is informative here and names the operations, but neither their codes nor the form of their arguments: those belong to IEEE 11073-10702,
// which has not been published. What this package chooses in their place is marked as a choice below, can be exchanged where it is a code, and will change
// when the standard is there. docs/distributed-alarms.md has the whole in words.
//
// # What the text says
//
// A consumer invokes ActivateMonitoredByDAS with the name it wishes to be called by. The report with Fin marks the establishment and, by its MDIB version, from where on the
// consumer confirms changes of alert conditions. It invokes the operation again within InvocationEffectiveTimeout for as long as it watches, and
// ConfirmAlertsTechnicalDelivery within MaxTechnicalConfirmationDelay of each change. EndMonitoredByDAS ends it; the provider ends it by disabling the operations.
//
// # What is chosen
//
//   - Codes: words of the project's own coding system ([CodingSystem]). Operations are found by code and coding system, in the type or its translations, or by the
//     symbolic name; [Codes] takes others.
//   - MaxTechnicalConfirmationDelay: an extension of the activating operation's descriptor in [Namespace].
//   - An occurrence of an alert: the handle of the condition and the version of its state ([Occurrence]). A version confirms those before it.
//   - Arguments of the confirmation: the SequenceId, so that nothing is confirmed of another sequence, and the list of occurrences as one text.
package das
