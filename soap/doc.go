// Package soap carries messages: SOAP 1.2 envelopes with WS-Addressing 1.0
// headers and faults, and their binding to HTTP/1.1 with and without TLS, as
// DPWS and MDPWS (IEEE 11073-20702) profile them.
//
// The package knows nothing of medicine. Bodies are spliced: whatever has an
// AppendXML method, or bytes encoded earlier and shared by many messages, is
// written under an envelope without being parsed; received bodies are handed out
// as a scanner standing on the body element.
//
// What is safe is the default: [NewClient] and [NewServer] refuse plain HTTP
// unless Insecure is set, every input is bounded, and no redirect is followed.
package soap
