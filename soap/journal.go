package soap

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Journal is told of every message that a participant sends and receives, for those who have to see what is said: package journal writes a file. ClientConfig, ServerConfig
// and the configurations of discovery take one. Without one a message costs nothing more; with one it costs what Note does.
type Journal interface {
	// Note is called by the goroutine that sends or receives the message, before it does anything else with it. It must return at once, whatever becomes of the entry,
	// may be called from several goroutines, and must not keep e.Document, whose memory serves other messages afterwards.
	// It returns a number that the answer names, greater than 0, or 0 if there is none.
	Note(e JournalEntry) uint64
}

// MessageKind says what a message is on the way that it goes.
type MessageKind string

// Kinds of messages.
const (
	// KindRequest is what a client posts or gets, KindAnswer what the server answers it, also if that is no more than a status.
	KindRequest MessageKind = "request"
	KindAnswer  MessageKind = "answer"
	// KindNotification is a request over a [Line], or to an Endpoint of Notifications.
	KindNotification MessageKind = "notification"
	// KindDatagram is a message over UDP.
	KindDatagram MessageKind = "datagram"
	// KindConnection is no message: a connection to a server that ended before there was one, because one side refused the other, gave up, or did not speak HTTP.
	KindConnection MessageKind = "connection"
)

// JournalEntry is a message on its way, or what was none in its place: then Problem says why.
type JournalEntry struct {
	// Time is when it was sent or had been received. A message that is sent is noted when there is a connection, before it is written.
	Time time.Time
	// Role and Self say who of ours sent or received it; see [JournalOf].
	Role, Self string
	// Sent tells those that are sent from those that are received.
	Sent bool
	Kind MessageKind
	// Transport is "http", "https" or "udp".
	Transport string
	// Peer is the IP address and port of the other side, or what was to be reached if it was not. It is empty for a datagram sent to the group.
	Peer string
	// Certificate is the one that the peer showed; nil without TLS.
	Certificate *x509.Certificate
	// Method and Path are those of the HTTP request, Path with the query; answers have those of their request.
	Method, Path string
	// Status is that of an HTTP answer.
	Status int
	// Answers is what Note returned for the request that this is the answer to, and Duration the time since then.
	Answers  uint64
	Duration time.Duration
	// Document is the content, inflated; nil if there is none, or if it was refused. Valid during Note only.
	Document []byte
	// Compressed says that it was, or will be, sent as gzip.
	Compressed bool
	// Multicast says that a datagram went to the group, and Repeated that it is the same as one before.
	Multicast, Repeated bool
	// Problem says why a message was refused before it was read, could not be sent or got no answer.
	Problem string
}

// JournalOf returns the journal in which one participant notes its messages: with its role, such as "provider", and self, its endpoint
// reference if it has one. It is nil if j is.
func JournalOf(j Journal, role, self string) Journal {
	if j == nil {
		return nil
	}
	return participant{j, role, self}
}

type participant struct {
	Journal
	role, self string
}

// Note implements [Journal].
func (p participant) Note(e JournalEntry) uint64 {
	e.Role, e.Self = p.role, p.self
	return p.Journal.Note(e)
}

// exchange is one HTTP exchange as the journal sees it: what was asked, and what came of it. The nil one is of no journal, and its methods do nothing.
type exchange struct {
	journal Journal
	entry   JournalEntry // of the request, the answer has most of it
	request uint64
	asked   bool // the request has been noted
	ended   bool // the answer has been noted
}

// exchange begins one of a client; nil without a journal.
func (c *Client) exchange(kind MessageKind, method string, u *url.URL, doc []byte) *exchange {
	if c.cfg.Journal == nil {
		return nil
	}
	return &exchange{journal: c.cfg.Journal, entry: JournalEntry{
		Sent: true, Kind: kind, Transport: u.Scheme, Peer: u.Host, Method: method, Path: u.RequestURI(), Document: doc,
	}}
}

// noted begins the exchange of a request to a server.
func (s *Server) noted(r *http.Request) *http.Request {
	x := &exchange{journal: s.cfg.Journal, entry: JournalEntry{
		Kind: KindRequest, Transport: "http", Peer: r.RemoteAddr, Method: r.Method, Path: r.URL.RequestURI(),
	}}
	if r.TLS != nil {
		x.entry.Transport, x.entry.Certificate = "https", leafOf(*r.TLS)
	}
	if c := connOf(r); c != nil && c.gated != nil {
		c.gated.unread.Store(false)
	}
	return r.WithContext(context.WithValue(r.Context(), exchangeKey{}, x))
}

func leafOf(cs tls.ConnectionState) *x509.Certificate {
	if len(cs.PeerCertificates) == 0 {
		return nil
	}
	return cs.PeerCertificates[0]
}

// reached notes the request of a client that is about to be sent, once: one that is sent again over another connection is the same.
func (x *exchange) reached(remote string, leaf *x509.Certificate) {
	if x == nil || x.asked {
		return
	}
	x.entry.Peer, x.entry.Certificate = remote, leaf
	x.ask("")
}

// received notes the request that a server has got.
func (x *exchange) received(doc []byte, compressed bool) {
	if x == nil || x.asked {
		return
	}
	x.entry.Document, x.entry.Compressed = doc, compressed
	x.ask("")
}

// ask notes the request.
func (x *exchange) ask(problem string) {
	x.asked = true
	x.entry.Time, x.entry.Problem = time.Now(), problem
	x.request = x.journal.Note(x.entry)
	x.entry.Document, x.entry.Compressed = nil, false
}

// answered notes the answer, once.
func (x *exchange) answered(status int, doc []byte, compressed bool, problem string) {
	if x == nil || x.ended {
		return
	}
	x.ended = true
	e := x.entry
	e.Sent, e.Kind, e.Status, e.Document, e.Compressed, e.Problem = !e.Sent, KindAnswer, status, doc, compressed, problem
	e.Time = time.Now()
	e.Answers, e.Duration = x.request, e.Time.Sub(x.entry.Time)
	x.journal.Note(e)
}

// refused notes that a server does not take a request, or does not answer it as it should.
func (x *exchange) refused(status int, why string) {
	switch {
	case x == nil:
	case x.asked:
		x.answered(status, nil, false, why)
	default:
		x.ask(why)
		x.answered(status, nil, false, "")
	}
}

// failed notes that the request of a client was not sent, or was not answered, if neither has been noted.
func (x *exchange) failed(err error) {
	switch {
	case x == nil || err == nil:
	case !x.asked:
		x.entry.Document = nil
		x.ask(err.Error())
		x.ended = true
	default:
		x.answered(0, nil, false, err.Error())
	}
}

// problemOf is the text of an error, "" for none.
func problemOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

type exchangeKey struct{}

// exchangeOf is the exchange of a request to a server; nil without a journal.
func (s *Server) exchangeOf(r *http.Request) *exchange {
	if s.cfg.Journal == nil {
		return nil
	}
	x, _ := r.Context().Value(exchangeKey{}).(*exchange)
	return x
}

// noteState notes connections to a server that end before there is a message, which net/http keeps to itself: in the handshake, whoever did not want to go on, and with what is no HTTP.
func (v *serving) noteState(conn net.Conn, st http.ConnState) {
	secure, _ := conn.(interface{ ConnectionState() tls.ConnectionState })
	var gated *gatedConn
	switch c := conn.(type) {
	case interface{ peer() *peerConn }:
		gated = c.peer().gated
	case *tls.Conn:
		gated, _ = c.NetConn().(*gatedConn)
	default:
		gated, _ = conn.(*gatedConn)
	}
	if gated == nil {
		return
	}
	e := JournalEntry{Kind: KindConnection, Transport: "http"}
	switch st {
	case http.StateActive: // something has been read
		gated.unread.Store(true)
		return
	case http.StateClosed:
	default:
		return
	}
	if secure != nil {
		state := secure.ConnectionState()
		e.Transport, e.Certificate = "https", leafOf(state)
		if !state.HandshakeComplete {
			e.Problem = "the connection ended before its TLS handshake had succeeded"
		}
	}
	if gated.unread.Load() {
		e.Problem = "what came was no HTTP request"
	}
	if e.Problem != "" {
		e.Time, e.Peer = time.Now(), conn.RemoteAddr().String()
		v.journal.Note(e)
	}
}
