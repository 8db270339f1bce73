package soap

import (
	"bytes"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
)

// serveHTTP answers a request that net/http has read.
func (s *Server) serveHTTP(w http.ResponseWriter, r *http.Request) {
	if s.handle(w, r) {
		s.takeOver(w, r)
	}
}

// handle is everything below SOAP: method, path, media type, sizes.
// What is refused here is refused with an empty body: peers choke on text.
// It returns whether the request was a notification that was accepted.
func (s *Server) handle(w http.ResponseWriter, r *http.Request) (notified bool) {
	if s.cfg.Journal != nil {
		r = s.noted(r)
	}
	if r.ProtoMajor != 1 || r.ProtoMinor < 1 {
		s.refuse(w, r, http.StatusHTTPVersionNotSupported, "only HTTP/1.1 is spoken")
		return false
	}
	done := s.admit(w, r)
	if done == nil {
		return false
	}
	defer done()
	if s.cfg.Recheck != nil && !s.recheck(w, r) {
		return false
	}
	ep := s.lookup(r.URL.Path)
	if ep == nil {
		s.refuse(w, r, http.StatusNotFound, "nothing at this path")
		return false
	}
	switch {
	case r.Method == http.MethodPost:
		return s.servePost(w, r, ep) && ep.Notifications
	case (r.Method == http.MethodGet || r.Method == http.MethodHead) && ep.Get != nil:
		s.serveGet(w, r, ep)
	default:
		allow := "POST"
		if ep.Get != nil {
			allow = "GET, HEAD, POST"
		}
		w.Header().Set("Allow", allow)
		s.refuse(w, r, http.StatusMethodNotAllowed, "method not allowed")
	}
	return false
}

func (s *Server) refuse(w http.ResponseWriter, r *http.Request, status int, why string) {
	s.log.Debug("request refused", "peer", r.RemoteAddr, "method", r.Method, "path", r.URL.Path, "status", status, "reason", why)
	s.exchangeOf(r).refused(status, why)
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(status)
}

// servePost handles a message and returns whether it was accepted: done, with nothing to be answered.
func (s *Server) servePost(w http.ResponseWriter, r *http.Request, ep *Endpoint) (accepted bool) {
	m, noted := s.newIncoming(r, ep), s.exchangeOf(r)
	defer func() {
		if m != nil {
			m.release()
		}
	}()
	if status, err := m.receive(w, r); err != nil {
		if status == http.StatusServiceUnavailable {
			w.Header().Set("Retry-After", retryAfterBusy)
		}
		s.refuse(w, r, status, err.Error())
		return false
	}
	ctx := r.Context()
	m.admit(ctx)
	line, _ := w.(*lineServer)
	switch {
	case !m.early || m.err != nil:
	case line != nil:
		line.confirm(m, noted)
		m = nil
		return true
	default:
		confirm(w, noted)
		return m.handleConfirmed(ctx)
	}
	if line != nil {
		line.settle()
	}
	h, body, status := m.answer(ctx)
	if h == nil {
		noted.answered(status, nil, false, "")
		w.Header().Set("Content-Length", "0")
		w.WriteHeader(status)
		return status == http.StatusAccepted
	}
	if err := m.reply(w, r, status, h, body); err != nil {
		s.refuseBusy(w, r, http.StatusServiceUnavailable, err.Error())
	}
	return false
}

// confirm answers 202 at once.
func confirm(w http.ResponseWriter, noted *exchange) {
	noted.answered(http.StatusAccepted, nil, false, "")
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusAccepted)
	_ = http.NewResponseController(w).Flush() // a client that is gone is noticed with the next message
}

// reply writes the answer. Actions whose answer was large the last time have their answers written in turn, and only if there is memory for one as large.
func (m *incoming) reply(w http.ResponseWriter, r *http.Request, status int, h *Header, content Body) error {
	s, action := m.s, m.req.action()
	held := answering{of: s.adm, peer: m.turn.peer}
	defer held.resize(0)
	last := m.ep.lastAnswer(action)
	if last >= costly {
		if err := m.turn.begin(); err != nil {
			return err
		}
		if !held.resize(last) {
			m.turn.end()
			return errAnswers
		}
	}
	buf := s.mem.getBuffer()
	if last > maxPooled { // it would be grown again and again, and leave several times its size to the collector
		large := s.mem.getLarge(int(last))
		buf = &large
	}
	*buf = AppendEnvelope((*buf)[:0], h, content)
	m.ep.noteAnswer(action, int64(len(*buf)))
	if !held.resize(int64(cap(*buf))) {
		m.turn.end()
		return errAnswers
	}
	zipped := s.zip(w, &m.turn, *buf, m.req.GzipOffered)
	s.exchangeOf(r).answered(status, *buf, zipped != nil, "")
	if zipped != nil {
		s.mem.putBody(buf)
		buf = zipped
		held.resize(min(held.size, int64(cap(*buf))))
	}
	m.turn.end()
	s.write(w, r, status, ContentType, *buf)
	s.mem.putBody(buf)
	return nil
}

// checkContentType accepts the media type of SOAP 1.2 and, for peers that name
// their XML more generally, application/xml and text/xml; only in UTF-8.
func checkContentType(v string) string {
	if v == ContentType {
		return "" // what this stack sends: nothing to take apart
	}
	if v == "" {
		return "no content type"
	}
	media, params, err := mime.ParseMediaType(v)
	if err != nil {
		return "content type: " + err.Error()
	}
	switch media {
	case "application/soap+xml", "application/xml", "text/xml":
	default:
		return "content type " + media
	}
	switch cs := params["charset"]; strings.ToLower(cs) {
	case "", "utf-8", "us-ascii": // US-ASCII is a subset
		return ""
	default:
		return "charset " + cs
	}
}

// readRequest reads the body within the limits; on error the status says what to answer.
// memory is charged with it, on the wire and inflated. room is used for it. The turn is held when the document is large.
func (s *Server) readRequest(w http.ResponseWriter, r *http.Request, memory *metered, turn *turn, room *[]byte) ([]byte, int, error) {
	if r.ContentLength > s.cfg.MaxBody {
		// net/http reads on for a little so that the client gets to see the answer.
		return nil, http.StatusRequestEntityTooLarge, ErrTooLarge
	}
	coding := codingOf(r.Header)
	switch coding {
	case "", "identity", "gzip", "x-gzip":
	default:
		w.Header().Set("Accept-Encoding", "gzip, identity") // RFC 7694
		return nil, http.StatusUnsupportedMediaType, fmt.Errorf("content encoding %q", coding)
	}
	memory.r = http.MaxBytesReader(w, r.Body, s.cfg.MaxBody)
	doc, err := s.readBody(room, memory, r.ContentLength, strings.HasSuffix(coding, "gzip"), turn)
	var tooLong *http.MaxBytesError
	switch {
	case err == nil:
		return doc, http.StatusOK, nil
	case errors.Is(err, errBusy), errors.Is(err, errNoTurn):
		return nil, http.StatusServiceUnavailable, err
	case errors.Is(err, ErrTooLarge), errors.As(err, &tooLong):
		return nil, http.StatusRequestEntityTooLarge, ErrTooLarge
	default: // broken chunks, a broken gzip, a connection lost, a body too slow
		return nil, http.StatusBadRequest, err
	}
}

// readBody reads a body into room, and inflates it there. The turn is held when the document is large, and while anything large is worked on.
func (s *Server) readBody(room *[]byte, memory *metered, size int64, deflated bool, turn *turn) ([]byte, error) {
	b := body{mem: &s.mem, head: *room}
	err := b.read(memory, size, s.cfg.MaxBody)
	*room = b.head
	defer b.drop()
	deflated = deflated && b.size() > 0
	if err == nil && (deflated || b.size() >= costly) {
		err = turn.begin()
	}
	if err != nil {
		return nil, err
	}
	*room = b.join()
	if deflated {
		var doc []byte
		if doc, err = s.mem.inflate(*room, s.cfg.MaxBody, memory); err == nil {
			wire := *room
			s.mem.putBody(&wire)
			*room = doc
		}
	}
	if err != nil || len(*room) < costly {
		turn.end()
	}
	return *room, err
}

func (s *Server) serveGet(w http.ResponseWriter, r *http.Request, ep *Endpoint) {
	noted := s.exchangeOf(r)
	noted.received(nil, false)
	var doc *Document
	err := func() (err error) {
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
			}
		}()
		doc, err = ep.Get(r.Context(), r.URL.RawQuery)
		return err
	}()
	switch {
	case err != nil:
		s.log.Error("document failed", "path", r.URL.Path, "query", r.URL.RawQuery, "error", err)
		s.refuse(w, r, http.StatusInternalServerError, "internal error")
	case doc == nil:
		s.refuse(w, r, http.StatusNotFound, "no such document")
	default:
		turn := &turn{of: s.turns, peer: peerOf(r), patience: s.cfg.ReadTimeout}
		defer turn.end()
		body := doc.Body
		zipped := s.zip(w, turn, body, offersGzip(r.Header["Accept-Encoding"]))
		if r.Method == http.MethodHead {
			noted.answered(http.StatusOK, nil, false, "")
		}
		noted.answered(http.StatusOK, body, zipped != nil, "")
		if zipped != nil {
			defer s.mem.putBuffer(zipped)
			body = *zipped
		}
		turn.end()
		s.write(w, r, http.StatusOK, doc.ContentType, body)
	}
}

// zip compresses an answer if that was offered and pays; nil if not. The memory is for scratch.putBuffer.
func (s *Server) zip(w http.ResponseWriter, turn *turn, body []byte, offered bool) *[]byte {
	if s.cfg.GzipThreshold < 0 {
		return nil
	}
	h := w.Header()
	h.Set("Vary", "Accept-Encoding")
	if !offered || len(body) < s.cfg.GzipThreshold || len(body) >= costly && turn.begin() != nil {
		return nil
	}
	h.Set("Content-Encoding", "gzip")
	buf := s.mem.getBuffer()
	*buf = s.mem.deflate((*buf)[:0], body)
	return buf
}

// write answers with a body of known length.
func (s *Server) write(w http.ResponseWriter, r *http.Request, status int, contentType string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return
	}
	if _, err := bytes.NewReader(body).WriteTo(w); err != nil {
		s.log.Debug("answer not delivered", "peer", r.RemoteAddr, "path", r.URL.Path, "error", err)
	}
}
