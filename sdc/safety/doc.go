// Package safety is the safe data transmission of MDPWS (IEEE 11073-20702): what a device may ask for with a call, beyond the call itself, so that a mistake on
// the way does not become a mistake at the patient.
//
// A [Requirement] stands in the extension of an operation's descriptor (mdpws:SafetyReq). It has selectors, a small part of XPath, in two lists:
//
//   - dual channel: values of the request, which the caller gives a second time, as digests;
//   - safety context: values of the MDIB as the caller knows it, such as the patient or the unit of a metric. A caller whose picture of the device is
//     outdated is found out.
//
// The caller puts the values into a header block of the request (mdpws:SafetyInfo), [Info]. The device refuses a call with a value that is missing, unknown
// or wrong before anything is done.
//
// What is compared is what the device is about to do: selectors are applied to the request as it was understood, not to its bytes. Values that are computed by the
// stack protect the way of the message; that also the application asked for what its user wanted, only values of the application's own can show
// (consumer.Config.SafetyInfo).
package safety
