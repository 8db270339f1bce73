// Package attack holds what faulty and hostile peers do to an SDC device, one way at a time, so that
// tests can do it to ours: each attack is short and bounded, and says whether the device
// answered as it should. docs/security.md has a row for each.
//
// It sends to the address in [Target] only, which tests take from a device of their own on loopback.
package attack

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/soap"
)

// Target is the device under attack.
type Target struct {
	// EPR and XAddr are the device's, as in its Hello.
	EPR, XAddr string
	// Trusted is the TLS configuration of a consumer that the device trusts: many attacks come from the inside.
	Trusted *tls.Config
	// Bystander is that of another consumer, who must be served whatever the attackers do; nil is Trusted. An attacker may be told 429 for what he holds himself.
	Bystander *tls.Config
	// Authority has issued the certificates of device and consumer; attacks on trust issue bad ones with it.
	Authority *Authority
	// Revoked is a consumer whose certificate the device's lists revoke.
	Revoked *sdc.Identity
	// Discovery is the group and port at which the device listens for discovery; the zero value leaves those attacks out.
	Discovery netip.AddrPort
	// GetPath, SetPath and EventPath are the URL paths of the services for Get, Set and StateEvent.
	GetPath, SetPath, EventPath string
	// Operation is the handle of a SetValue operation that the device has.
	Operation string

	first func(*wire) error // if set, what is done with a connection before the attack
}

// Attack is one way of misbehaving.
type Attack struct {
	// Name identifies the attack: a word or a few, joined by hyphens.
	Name string
	// Area is the layer it aims at.
	Area string
	// About says what is done and what a device should answer.
	About string
	// Slow tells that it takes seconds, in which it waits for the device to lose patience.
	Slow bool
	// Run does it once, in bounded time. The error says in what the device did not answer as it should.
	Run func(ctx context.Context, t *Target) error
}

// All returns every attack, by area.
func All() []Attack {
	var all []Attack
	for _, group := range [][]Attack{handshakes(), exchanges(), bodies(), documents(), subscriptions(), datagrams()} {
		all = append(all, group...)
	}
	return all
}

// patience bounds what a device may take to answer or to close.
const patience = 20 * time.Second

// host is the address and port of the device's server.
func (t *Target) host() string {
	rest := t.XAddr[strings.Index(t.XAddr, "://")+3:]
	host, _, _ := strings.Cut(rest, "/")
	return host
}

// path is that of the device's own endpoint.
func (t *Target) path() string {
	rest := t.XAddr[strings.Index(t.XAddr, "://")+3:]
	_, path, _ := strings.Cut(rest, "/")
	return "/" + path
}

// plain opens a TCP connection.
func (t *Target) plain(ctx context.Context) (net.Conn, error) {
	c, err := new(net.Dialer).DialContext(ctx, "tcp", t.host())
	if err != nil {
		return nil, fmt.Errorf("the device cannot be reached: %w", err)
	}
	return c, c.SetDeadline(time.Now().Add(patience))
}

// elsewhere is where floods of connections come from, so that the device can tell them from the others: it lets each address push out its own. Systems on which not all of 127.0.0.0/8 is there have one
// address for all.
const elsewhere = "127.0.0.66:0"

// flood opens a TCP connection on which nothing good will come.
func (t *Target) flood(ctx context.Context) (net.Conn, error) {
	from, err := net.ResolveTCPAddr("tcp", elsewhere)
	if err != nil {
		return nil, err
	}
	c, err := (&net.Dialer{LocalAddr: from}).DialContext(ctx, "tcp", t.host())
	if err != nil {
		return t.plain(ctx)
	}
	return c, c.SetDeadline(time.Now().Add(patience))
}

// tries is how often a good consumer tries to connect where it shares its address with a flood.
const tries = 5

// open opens a connection as a trusted consumer.
func (t *Target) open(ctx context.Context) (w *wire, err error) { return t.reach(ctx, t.Trusted) }

// reach opens a connection as somebody who is trusted.
func (t *Target) reach(ctx context.Context, who *tls.Config) (w *wire, err error) {
	for range tries {
		if w, err = t.openAs(ctx, who); err != nil {
			continue
		}
		if t.first == nil {
			return w, nil
		}
		if err = t.first(w); err == nil {
			return w, nil
		}
		_ = w.Close() // the device may have lost patience with a peer that a busy machine held up
	}
	return nil, err
}

func (t *Target) openAs(ctx context.Context, cfg *tls.Config) (*wire, error) {
	c, err := t.plain(ctx)
	if err != nil {
		return nil, err
	}
	if cfg == nil {
		return &wire{c, bufio.NewReader(c)}, nil
	}
	secure := tls.Client(c, cfg)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = c.Close()
		return nil, fmt.Errorf("handshake: %w", err)
	}
	return &wire{secure, bufio.NewReader(secure)}, nil
}

// wire is a connection on which anything may be written.
type wire struct {
	net.Conn
	in *bufio.Reader
}

// errClosed says that the device closed the connection rather than answer.
var errClosed = errors.New("connection closed")

// answer reads one answer.
func (w *wire) answer() (status int, body []byte, err error) {
	resp, err := http.ReadResponse(w.in, nil)
	if err != nil {
		if isTimeout(err) {
			return 0, nil, fmt.Errorf("neither an answer nor an end within %v", patience)
		}
		return 0, nil, errClosed
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil && isTimeout(err) {
		return 0, nil, fmt.Errorf("the answer did not end within %v", patience)
	}
	return resp.StatusCode, body, nil
}

// ended waits until the device closes the connection, answers on it being read over.
func (w *wire) ended() error {
	_, err := io.Copy(io.Discard, w.in)
	if err != nil && isTimeout(err) {
		return fmt.Errorf("the connection is still open after %v", patience)
	}
	return nil
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

// once sends raw text on a connection of its own and expects one of the statuses; 0 stands for a closed connection.
func (t *Target) once(ctx context.Context, raw string, want ...int) error {
	for n := 1; ; n++ {
		status, err := t.sent(ctx, raw)
		if err != nil {
			return err
		}
		// An answer may be lost when the connection is reset for what was still on its way.
		if err = oneOf(status, want); err == nil || status != 0 || n == tries {
			return err
		}
	}
}

// sent sends raw text on a connection of its own and returns the status of the answer, 0 for none.
func (t *Target) sent(ctx context.Context, raw string) (status int, err error) {
	w, err := t.open(ctx)
	if err != nil {
		return 0, err
	}
	defer w.Close()
	// What cannot be written any more has been refused: the answer tells.
	go func() { _, _ = io.WriteString(w, raw) }()
	status, _, err = w.answer()
	if errors.Is(err, errClosed) {
		err = nil
	}
	return status, err
}

func oneOf(status int, want []int) error {
	for _, s := range want {
		if s == status {
			return nil
		}
	}
	return fmt.Errorf("answered %d (0: closed), not %v", status, want)
}

// request is the text of an HTTP POST; more are further header lines, each with its end of line.
func (t *Target) request(path, more string, body []byte) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/soap+xml; charset=utf-8\r\n%sContent-Length: %d\r\n\r\n%s",
		path, t.host(), more, len(body), body)
}

// post sends a document to the device's endpoint and returns what came back.
func (t *Target) post(ctx context.Context, path string, body []byte) (status int, answer []byte, err error) {
	return t.postAs(ctx, t.Trusted, path, body)
}

func (t *Target) postAs(ctx context.Context, who *tls.Config, path string, body []byte) (status int, answer []byte, err error) {
	w, err := t.reach(ctx, who)
	if err != nil {
		return 0, nil, err
	}
	defer w.Close()
	go func() { _, _ = io.WriteString(w, t.request(path, "", body)) }()
	status, answer, err = w.answer()
	if errors.Is(err, errClosed) {
		err = nil
	}
	return status, answer, err
}

// refused sends a document and expects a fault, or a refusal below SOAP, or that the connection is closed.
func (t *Target) refused(ctx context.Context, path string, body []byte) error {
	status, answer, err := t.post(ctx, path, body)
	if err != nil {
		return err
	}
	switch {
	case status == 0, status >= 400 && status < 500, status == 503:
		return nil
	case status == 500 && bytes.Contains(answer, []byte("Fault")) && !bytes.Contains(answer, []byte("internal error")):
		return nil
	}
	return fmt.Errorf("answered %d: %.200s", status, answer)
}

// alive asks the device for its metadata as any other consumer does.
func (t *Target) alive(ctx context.Context) error {
	who := t.Bystander
	if who == nil {
		who = t.Trusted
	}
	for n := 1; ; n++ {
		status, answer, err := t.postAs(ctx, who, t.path(), envelope(transferGet, "", ""))
		switch {
		case err != nil:
			return err
		case status == 200:
			return nil
		case status != 0 || n == tries:
			return fmt.Errorf("a good request is answered %d (0: closed), tried %d times: %.200s", status, n, answer)
		}
	}
}

// transferGet is the action of WS-Transfer Get.
const transferGet = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Get"

// envelope is a message with an action, further header blocks and a body.
func envelope(action, header, body string) []byte {
	return fmt.Appendf(nil, `<s12:Envelope xmlns:s12="http://www.w3.org/2003/05/soap-envelope" xmlns:wsa="http://www.w3.org/2005/08/addressing" `+
		`xmlns:wse="http://schemas.xmlsoap.org/ws/2004/08/eventing" xmlns:msg="http://standards.ieee.org/downloads/11073/11073-10207-2017/message">`+
		`<s12:Header><wsa:Action>%s</wsa:Action><wsa:MessageID>%s</wsa:MessageID>%s</s12:Header><s12:Body>%s</s12:Body></s12:Envelope>`,
		action, soap.NewMessageID(), header, body)
}
