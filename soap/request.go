package soap

import (
	"context"
	"crypto/x509"
	"net/netip"
	"strings"
	"sync"
)

// Request is a message received by a [Server].
type Request struct {
	*Envelope

	// Peer is the certificate the client authenticated with; nil without TLS or without one.
	Peer *x509.Certificate
	// RemoteAddr is the client's address and port.
	RemoteAddr string
	// Local is our own address and port that the client reached, with the zone of a link-local one; not valid if the
	// connection does not tell.
	Local netip.AddrPort
	// Path is the URL path the message was posted to, unescaped.
	Path string
	// Host is the Host header: how the client reached us, for addresses in answers.
	Host string
	// GzipOffered tells that the client named gzip in Accept-Encoding (SDPi R0006).
	GzipOffered bool

	turns *turn // that of the message; nil if no server of ours has received it
	// Confirmed tells that the client has got its answer already, 202 Accepted ([Endpoint.Early]). The handler has to see to
	// everything itself then: what it returns is logged and told to nobody.
	Confirmed bool
}

// Turn returns a turn for work on behalf of the peer, after the request too: work of many milliseconds that a few bytes ask for must take turns with handshakes and large documents, see ServerConfig.Turns, or whoever asks
// often keeps everything else from the processors.
func (r *Request) Turn() *Turn {
	if r == nil || r.turns == nil {
		return nil
	}
	return &Turn{turn{of: r.turns.of, peer: r.turns.peer, patience: r.turns.patience}}
}

// respondAsync is the preference of RFC 7240, section 4.1.
const respondAsync = "respond-async"

// prefersAsync reads the Prefer headers of a request.
func prefersAsync(values []string) bool {
	for _, v := range values {
		for part := range strings.SplitSeq(v, ",") {
			if name, _, _ := strings.Cut(part, ";"); strings.EqualFold(strings.TrimSpace(name), respondAsync) {
				return true
			}
		}
	}
	return false
}

// Response is the answer to a request.
type Response struct {
	Action string
	Body   Body   // nil for an empty body
	Extra  []Body // further header blocks
}

// Handler answers a message. It has been checked already: SOAP 1.2, everything
// with mustUnderstand understood, an action present.
//
// A nil response without error is answered 202 Accepted with an empty body. Of
// the errors, a *Fault is answered as it is, an *xmlscan.Error (a body that could
// not be decoded) as an InvalidMessage fault, and anything else as a Receiver
// fault that does not tell the cause, which is logged. ctx ends when the client
// goes away or the server stops.
//
// The body's scanner serves the next message once the handler has returned;
// everything else of the request, and all that was decoded, may be kept.
type Handler func(ctx context.Context, r *Request) (*Response, error)

// Document is what a GET is answered with.
type Document struct {
	ContentType string // for example "text/xml; charset=utf-8"
	Body        []byte // not changed afterwards
}

// Endpoint is what lives at a path.
type Endpoint struct {
	// Actions maps wsa:Action to its handler.
	Actions map[string]Handler
	// Fallback takes every other action; nil answers them with ActionNotSupported.
	Fallback Handler
	// Admit, if set, decides whether a message is handled: an error is answered as one of the handler. It is called before the turn of
	// the message has come, so that others that came before it over the same connection may still be being handled.
	Admit func(ctx context.Context, r *Request) error
	// Early confirms messages that Admit lets in before they are handled, 202 Accepted, if the client prefers not to wait until they have been worked on
	// ([Sender.SendMore]). Over a connection of Notifications up to four that are confirmed wait for their turn or are being handled.
	Early bool
	// Get serves GET requests; query is the raw query, "wsdl" for ?wsdl. A nil
	// document is 404. A nil Get makes GET a 405.
	Get func(ctx context.Context, query string) (*Document, error)
	// Notifications says that messages come one after the other over connections that are kept, as notifications do, and that handlers are quick. The
	// server may then serve such a connection itself, which costs less than net/http does: when a message has been accepted and as long as requests are plain.
	// On such a connection ctx does not end when the client goes away while it waits for an answer.
	Notifications bool

	answers sync.Map // by action that is in Actions: int64, how much memory its last answer took, if that was large
}

// lastAnswer is how much memory the last answer to an action took, 0 if that was not large.
func (e *Endpoint) lastAnswer(action string) int64 {
	size, _ := e.answers.Load(action)
	n, _ := size.(int64)
	return n
}

// noteAnswer notes how much memory an answer has taken.
func (e *Endpoint) noteAnswer(action string, size int64) {
	switch {
	case size < costly:
		if e.lastAnswer(action) > 0 {
			e.answers.Delete(action)
		}
	case e.Actions[action] != nil: // else there is no end of them
		e.answers.Store(action, size)
	}
}

// action is that of a request, "" if its header could not be read.
func (r *Request) action() string {
	if r.Envelope == nil {
		return ""
	}
	return r.Header.Action
}
