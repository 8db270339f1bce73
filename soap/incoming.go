package soap

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"runtime/debug"

	"github.com/semeco/go-sdc/internal/xmlscan"
)

// incoming is a message that was posted, with what it occupies from its first byte until it has been handled. It is everything of SOAP: parsing, checking, dispatching, and
// turning errors into faults.
type incoming struct {
	s       *Server
	ep      *Endpoint
	req     *Request
	handler Handler
	early   bool  // may be confirmed before it is handled
	err     error // what it has failed with so far

	turn   turn
	memory metered
	room   *[]byte
	parser *Parser
}

// newIncoming returns a message that is to be received, and released whatever comes of that.
func (s *Server) newIncoming(r *http.Request, ep *Endpoint) *incoming {
	m := &incoming{
		s: s, ep: ep, room: s.mem.getBuffer(),
		turn: turn{of: s.turns, peer: peerOf(r), patience: s.cfg.ReadTimeout}, memory: metered{from: s.adm},
	}
	if c := connOf(r); c != nil {
		m.memory.conn = c.gated
	}
	return m
}

// receive reads and parses a message. If it cannot be read the status says what to answer.
func (m *incoming) receive(w http.ResponseWriter, r *http.Request) (status int, err error) {
	noted := m.s.exchangeOf(r)
	if noted != nil && m.ep.Notifications {
		noted.entry.Kind = KindNotification
	}
	if why := checkContentType(r.Header.Get("Content-Type")); why != "" {
		w.Header().Set("Accept", "application/soap+xml")
		return http.StatusUnsupportedMediaType, errors.New(why)
	}
	doc, status, err := m.s.readRequest(w, r, &m.memory, &m.turn, m.room)
	if err != nil {
		return status, err
	}
	noted.received(doc, noted != nil && len(doc) > 0 && zipped(r.Header))
	req := &Request{turns: &m.turn, RemoteAddr: r.RemoteAddr, Path: r.URL.Path, Host: r.Host, GzipOffered: offersGzip(r.Header["Accept-Encoding"])}
	if a, ok := r.Context().Value(http.LocalAddrContextKey).(interface{ AddrPort() netip.AddrPort }); ok { // *net.TCPAddr
		req.Local = netip.AddrPortFrom(a.AddrPort().Addr().Unmap(), a.AddrPort().Port())
	}
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		req.Peer = r.TLS.PeerCertificates[0]
	}
	m.req, m.early = req, m.ep.Early && prefersAsync(r.Header["Prefer"])
	m.parse(doc)
	return status, nil
}

func (m *incoming) parse(doc []byte) {
	parser, ok := m.s.mem.parsers.Get().(*Parser)
	if !ok {
		parser = new(Parser)
	}
	m.parser = parser
	env, err := parser.Parse(doc, m.s.cfg.Limits)
	m.req.Envelope = env
	if m.turn.end() && env != nil { // the handler may have to wait for others
		env.turn = &m.turn
	}
	if err == nil {
		err = env.Check(m.s.cfg.Understood...)
	}
	if err == nil {
		err = checkReply(env)
	}
	m.err = err
}

// release gives back what the message occupied. A handler that kept the request finds no body.
func (m *incoming) release() {
	if m.parser != nil {
		m.parser.drop()
		m.s.mem.parsers.Put(m.parser)
	}
	m.s.mem.putBody(m.room) // nothing of a request refers to its bytes
	m.memory.release()
	m.turn.end()
}

// admit finds out whether somebody handles the message, and whether he wants to.
func (m *incoming) admit(ctx context.Context) {
	if m.err != nil {
		return
	}
	action := m.req.Header.Action
	if m.handler = m.ep.Actions[action]; m.handler == nil {
		m.handler = m.ep.Fallback
	}
	switch {
	case m.handler == nil:
		m.err = ActionNotSupported(action)
	case m.ep.Admit != nil:
		defer m.recovered()
		m.err = m.ep.Admit(ctx, m.req)
	}
}

// handle has the message handled.
func (m *incoming) handle(ctx context.Context) (resp *Response) {
	if m.err != nil {
		return nil
	}
	defer m.recovered()
	resp, m.err = m.handler(ctx, m.req)
	return resp
}

// recovered, deferred, makes an error of a panic.
func (m *incoming) recovered() {
	if p := recover(); p != nil {
		m.s.log.Error("panic in handler", "action", m.req.Header.Action, "path", m.req.Path, "panic", p, "stack", string(debug.Stack()))
		m.err = Receiver("internal error")
	}
}

// handleConfirmed has a message handled that has been confirmed, and returns whether there was no more to be said.
func (m *incoming) handleConfirmed(ctx context.Context) bool {
	m.req.Confirmed = true
	_, _, status := m.answer(ctx)
	if status/100 != 2 {
		m.s.log.Warn("message accepted before it failed", "peer", m.req.RemoteAddr, "path", m.req.Path, "status", status)
	}
	return status == http.StatusAccepted
}

// answer has the message handled and returns what to answer. A nil header means an empty answer with the status.
func (m *incoming) answer(ctx context.Context) (*Header, Body, int) {
	resp := m.handle(ctx)
	env := m.req.Envelope
	var relatesTo string
	if env != nil {
		relatesTo = env.Header.MessageID
	}
	to := answerEndpoint(env, m.err != nil)
	if m.err != nil {
		f := m.fault()
		status := f.HTTPStatus()
		if to.Address == None {
			return nil, nil, status
		}
		h := f.Header(relatesTo)
		h.ReferenceParameters = to.ReferenceParameters
		return h, f, status
	}
	if resp == nil || to.Address == None {
		return nil, nil, http.StatusAccepted
	}
	return &Header{
		Action: resp.Action, MessageID: NewMessageID(), RelatesTo: relatesTo,
		ReferenceParameters: to.ReferenceParameters, Extra: resp.Extra,
	}, resp.Body, http.StatusOK
}

// fault decides what of the error a peer is told.
func (m *incoming) fault() *Fault {
	var f *Fault
	var scan *xmlscan.Error
	req, action := m.req, ""
	if req.Envelope != nil {
		action = req.Header.Action
	}
	switch {
	case errors.As(m.err, &f):
	case errors.As(m.err, &scan):
		f = InvalidMessage(m.err.Error())
	default:
		m.s.log.Error("handler failed", "action", action, "path", req.Path, "error", m.err)
		return Receiver("internal error")
	}
	m.s.log.Debug("message refused", "peer", req.RemoteAddr, "action", action, "path", req.Path, "fault", f)
	return f
}

// answerEndpoint is what an answer is addressed to (WS-Addressing 1.0 core, 3.4): the back channel, with
// the reference parameters that the request gave it, or [None]. A message that asks for an
// answer elsewhere is refused on the back channel, which has none of the parameters of elsewhere.
func answerEndpoint(e *Envelope, fault bool) EndpointReference {
	var to *EndpointReference
	if e != nil {
		to = e.Header.ReplyTo
		if fault && e.Header.FaultTo != nil {
			to = e.Header.FaultTo
		}
	}
	if to == nil || to.Address != Anonymous && to.Address != None {
		return NewEndpoint(Anonymous)
	}
	return *to
}

// checkReply refuses reply endpoints other than the back channel, where the
// answer goes in any case. Anonymous is always fine (DPWS R0031).
func checkReply(e *Envelope) error {
	if r := e.Header.ReplyTo; r != nil && r.Address != Anonymous && r.Address != None {
		return InvalidAddressingHeader("ReplyTo", "OnlyAnonymousAddressSupported")
	}
	if r := e.Header.FaultTo; r != nil && r.Address != Anonymous && r.Address != None {
		return InvalidAddressingHeader("FaultTo", "OnlyAnonymousAddressSupported")
	}
	return nil
}
