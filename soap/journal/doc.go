// Package journal keeps the messages that a participant sends and receives in a file, for those who test and integrate devices: what was said, when, by whom
// to whom, and what was refused before it was a message. The configurations of provider, consumer, proxy, soap and discovery take a [Journal] as it is.
//
//	j, err := journal.Open("bench.jsonl", journal.Config{})
//	p, err := provider.New(provider.Config{Journal: j, ...})
//	...
//	err = j.Close(ctx)
//
// A journal may hold what patients are called and what is measured of them. The file is for its owner alone (mode 0600); NoBodies keeps the
// contents of messages out of it. It is made for test benches and for hunting faults, not to be kept: what has to be kept of who did what is the business of package audit.
//
// # Format
//
// A journal is a text of JSON objects, one a line ([Entry]), UTF-8. Whoever reads it should pass over members that he does not know, lines that are no object and kinds that he
// does not know. Each file begins with an entry of the kind "start" that states the format, 1. Members that have nothing to say are left out:
//
//	n           number of the entry since the journal was opened, from 1; one that is missing was lost. Entries may stand a few places apart from their order
//	time        RFC 3339, UTC: when the message was about to be sent, or had been received
//	kind        request, answer, notification, datagram: a message. connection: one to a server that ended before there was a message.
//	            start: the journal was opened, or its next file begun. lost: entries are missing
//	direction   sent or received
//	role, self  who of ours: provider, consumer, proxy; its endpoint reference, if it has one
//	transport   http, https, udp
//	peer        IP address and port of the other side; none for what is sent to the multicast group
//	subject     subject of the certificate that the peer showed (RFC 2253)
//	multicast   true: sent to the group
//	repeated    true: a datagram that was sent, or had come, before
//	method      of the HTTP request; also in its answer
//	path        likewise, with the query
//	status      of the HTTP answer
//	answers     n of the request that this is the answer to, if that was not lost
//	durationMs  milliseconds from the request to the answer
//	action, messageId, relatesTo
//	            addressing of the message (WS-Addressing 1.0), as far as it could be read
//	size        length of the content in bytes, inflated
//	compressed  true: the content was sent as gzip
//	truncated   true: the content is longer than what is in body
//	body        the content, byte for byte; bodyBase64 in its place if it is no plain text in UTF-8
//	error       why there is no message, or nothing more of it: refused before it was read, not sent, not answered
//	lost        of kind lost: how many entries are missing since time
//	format, continued
//	            of kind start: 1; true if the file continues another one
//
// A message that is sent is noted when there is a connection for it, before it is written: one that then fails has an answer with error in place of status. What is refused
// has no body. A request that cannot be sent at all, since nobody listens for example, is an entry with error.
package journal
