// Package msg is the BICEPS message model (IEEE 11073-10207, namespace prefix "msg"): every request,
// response and report, as Go structs that carry the names and the order of the schema. How fields and
// tags read, and how strictly documents are checked, is told in package pm.
//
// Decode and Unmarshal read any message; Message.AppendXML writes one so that it stands alone or can be
// put into an envelope as it is.
package msg
