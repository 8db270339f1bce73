package soap

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/semeco/go-sdc/internal/xmlscan"
)

// ClientConfig configures a [Client]. The zero value is usable once TLS or
// Insecure is set.
type ClientConfig struct {
	// TLS is used for https URLs. It is cloned; HTTP/1.1 is the only protocol offered
	// (SDPi R1003). nil refuses https URLs.
	TLS *tls.Config
	// Insecure permits http URLs.
	Insecure bool
	// Dial opens connections; nil is a net.Dialer. TLS is added on top of it.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// Over, if set, lays something of the application's own on each connection that messages go over, above TLS: it sees them in the clear, and may
	// change them; to look at them there is Journal. Over a [Line] each Write is one whole request, and what is read until the next is its answer. Its Close is called when the
	// connection is closed, also when the one below has been closed before; that one is closed by it otherwise.
	// One that has a method Idle() bool is asked by a Line whether the connection can be used for another message; else what arrives unasked below makes
	// the Line take a new one.
	Over func(net.Conn) net.Conn
	// LocalAddr says which of our addresses to connect to a peer from; nil, also from it, leaves
	// that to the system. With a Dial of one's own it is not asked.
	LocalAddr func(ctx context.Context, addr string) net.Addr
	// Timeout bounds one exchange including the connection set-up, on top of the
	// context; 0 is 10 s, negative is none.
	Timeout time.Duration
	// MaxResponse bounds a received body in bytes after inflating; 0 is 16 MiB.
	MaxResponse int64
	// Limits bounds what the XML of an answer may hold; zero fields take defaults.
	Limits xmlscan.Limits
	// DisableCompression stops offering gzip in Accept-Encoding. Set it for
	// notifications: their answers are empty and gzip would give them a body.
	DisableCompression bool
	// MaxConnsPerHost bounds the connections to one host and port; 0 is 2. Use 1 for
	// notifications (SDPi R1001). Requests beyond it wait.
	MaxConnsPerHost int
	// IdleTimeout closes a connection unused for so long; 0 is 90 s.
	IdleTimeout time.Duration
	// Understood are header blocks that answers may mark mustUnderstand.
	Understood []Name
	// Recheck, if set, judges peers again before each message over TLS. One that is refused gets nothing: the connection is closed, and the error is
	// what opening another one gives, or that of Recheck.
	Recheck Recheck
	// Journal, if set, is told of every message; see [Journal].
	Journal Journal
	// UserAgent is the User-Agent header; "" sends none.
	UserAgent string
	// Logger receives debug records; nil discards.
	Logger *slog.Logger
}

const (
	defaultTimeout     = 10 * time.Second
	defaultMaxResponse = 16 << 20
	defaultIdleTimeout = 90 * time.Second
)

// Client sends messages over HTTP/1.1 with kept-alive connections, never
// pipelined. It follows no redirects and keeps no cookies. Its methods may be
// called from several goroutines. Close it when done.
type Client struct {
	cfg       ClientConfig
	transport *http.Transport
	header    http.Header // of envelopes; shared, read-only
	getHeader http.Header
	log       *slog.Logger
	closed    atomic.Bool
	mem       scratch
}

// NewClient returns a client, or ErrInsecure when the configuration permits
// neither TLS nor plain HTTP.
func NewClient(cfg ClientConfig) (*Client, error) {
	if cfg.TLS == nil && !cfg.Insecure {
		return nil, ErrInsecure
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = defaultTimeout
	}
	if cfg.MaxResponse <= 0 {
		cfg.MaxResponse = defaultMaxResponse
	}
	if cfg.MaxConnsPerHost <= 0 {
		cfg.MaxConnsPerHost = 2
	}
	if cfg.IdleTimeout <= 0 {
		cfg.IdleTimeout = defaultIdleTimeout
	}
	if cfg.Dial == nil {
		cfg.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			d := net.Dialer{Timeout: defaultTimeout, KeepAlive: 15 * time.Second}
			if cfg.LocalAddr != nil {
				d.LocalAddr = cfg.LocalAddr(ctx, addr)
			}
			conn, err := d.DialContext(ctx, network, addr)
			if err != nil || cfg.DisableCompression {
				return conn, err // answers to notifications are empty: nothing to wait for
			}
			return quickAck(conn), nil
		}
	}
	over := cfg.Over
	if over == nil {
		over = func(c net.Conn) net.Conn { return c }
	}
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	t := &http.Transport{
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := cfg.Dial(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return over(conn), nil
		},
		Protocols:              &protocols,
		DisableCompression:     true, // done here, with a bound
		MaxConnsPerHost:        cfg.MaxConnsPerHost,
		MaxIdleConnsPerHost:    cfg.MaxConnsPerHost,
		IdleConnTimeout:        cfg.IdleTimeout,
		MaxResponseHeaderBytes: maxAnswerHeader,
		TLSHandshakeTimeout:    defaultTimeout,
		WriteBufferSize:        32 << 10, // a usual message in one write
		TLSNextProto:           map[string]func(string, *tls.Conn) http.RoundTripper{},
	}
	if cfg.TLS != nil {
		t.TLSClientConfig = cfg.TLS.Clone()
		t.TLSClientConfig.NextProtos = []string{"http/1.1"}
		if t.TLSClientConfig.MinVersion < tls.VersionTLS12 {
			t.TLSClientConfig.MinVersion = tls.VersionTLS12
		}
		t.DialTLSContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := dialTLS(ctx, &cfg, t.TLSClientConfig, network, addr)
			if err != nil {
				return nil, err
			}
			return over(newClientConn(conn, &cfg, addr)), nil
		}
	}
	c := &Client{cfg: cfg, transport: t, log: orDiscard(cfg.Logger), getHeader: http.Header{}}
	c.getHeader["User-Agent"] = []string{cfg.UserAgent} // an empty value suppresses the default
	if !cfg.DisableCompression {
		c.getHeader["Accept-Encoding"] = []string{"gzip"}
	}
	c.header = c.getHeader.Clone()
	c.header["Content-Type"] = []string{ContentType}
	return c, nil
}

func orDiscard(l *slog.Logger) *slog.Logger {
	if l == nil {
		return slog.New(slog.DiscardHandler)
	}
	return l
}

// end is called when an exchange is over: one that outlives Close must not leave
// its connection behind.
func (c *Client) end() {
	if c.closed.Load() {
		c.transport.CloseIdleConnections()
	}
}

// Close closes the idle connections and makes further calls fail with ErrClosed.
// Exchanges under way end on their own; cancel their contexts to hurry them.
func (c *Client) Close() {
	c.closed.Store(true)
	c.transport.CloseIdleConnections()
}

// Call sends a request to an endpoint whose address is a URL and returns the
// answer. A SOAP fault in the answer is returned as *Fault, whatever the HTTP
// status; another unsuccessful status as *HTTPError; an answer without envelope
// as ErrNoResponse.
func (c *Client) Call(ctx context.Context, to EndpointReference, action string, body Body) (*Envelope, error) {
	return c.Exchange(ctx, to.Address, NewHeader(to, action), body)
}

// Exchange is Call with the URL and the header given apart, for example to reach
// a device whose wsa:To is a urn:uuid: at one of its transport addresses.
// An answer that relates to a message other than h.MessageID is ErrRelatesTo.
func (c *Client) Exchange(ctx context.Context, url string, h *Header, body Body) (*Envelope, error) {
	u, err := c.parseURL(url)
	if err != nil {
		return nil, err
	}
	ctx, cancel := c.timeout(ctx)
	defer cancel()
	defer c.end()
	doc := AppendEnvelope(make([]byte, 0, 1024), h, body)
	x := c.exchange(KindRequest, http.MethodPost, u, doc)
	resp, err := c.roundTrip(ctx, http.MethodPost, u, c.header, doc, x) //nolint:bodyclose // answer closes it
	if err != nil {
		return nil, fmt.Errorf("%s to %s: %w", h.Action, url, err)
	}
	env, err := c.answer(resp, x)
	if err == nil && env == nil {
		err = ErrNoResponse
	}
	if err == nil && env.Header.RelatesTo != "" && env.Header.RelatesTo != h.MessageID {
		err = fmt.Errorf("%w: %q, want %q", ErrRelatesTo, env.Header.RelatesTo, h.MessageID)
	}
	if err == nil {
		err = env.checkAnswer(c.cfg.Understood)
	}
	if err != nil {
		return nil, fmt.Errorf("%s to %s: %w", h.Action, url, err)
	}
	return env, nil
}

// checkAnswer is Check without the demand for an action: HTTP says what an
// answer belongs to, and peers are known to write the wrong one.
func (e *Envelope) checkAnswer(understood []Name) error {
	err := e.Check(understood...)
	var f *Fault
	if e.Header.Action == "" && errors.As(err, &f) && f.HasSubcode(xmlscan.NsAddressing, "MessageAddressingHeaderRequired") {
		return nil
	}
	return err
}

// Get fetches a document such as a WSDL, with its media type. Non-2xx is *HTTPError.
func (c *Client) Get(ctx context.Context, url string) (doc []byte, contentType string, err error) {
	u, err := c.parseURL(url)
	if err != nil {
		return nil, "", err
	}
	ctx, cancel := c.timeout(ctx)
	defer cancel()
	defer c.end()
	x := c.exchange(KindRequest, http.MethodGet, u, nil)
	resp, err := c.roundTrip(ctx, http.MethodGet, u, c.getHeader, nil, x) //nolint:bodyclose // readBody closes it
	if err != nil {
		return nil, "", fmt.Errorf("GET %s: %w", url, err)
	}
	doc, err = c.readBody(resp, x)
	if resp.StatusCode/100 != 2 {
		err = c.httpError(resp, err)
	}
	if err != nil {
		return nil, "", fmt.Errorf("GET %s: %w", url, err)
	}
	return doc, resp.Header.Get("Content-Type"), nil
}

func (c *Client) timeout(ctx context.Context) (context.Context, context.CancelFunc) {
	if c.cfg.Timeout < 0 {
		return ctx, func() {} // the caller bounds it
	}
	return context.WithTimeout(ctx, c.cfg.Timeout)
}

// parseURL refuses what the configuration does not permit. The path is sent as
// written: paths of peers hold urn:uuid: with its colons.
func (c *Client) parseURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("address %q: %w", raw, err)
	}
	switch {
	case u.Host == "":
		return nil, fmt.Errorf("address %q is no http(s) URL", raw)
	case u.Scheme == "https" && c.cfg.TLS == nil:
		return nil, fmt.Errorf("address %q needs TLS, which is not configured", raw)
	case u.Scheme == "http" && !c.cfg.Insecure:
		return nil, fmt.Errorf("address %q: %w", raw, ErrInsecure)
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("address %q is no http(s) URL", raw)
	case u.User != nil:
		return nil, fmt.Errorf("address %q holds credentials", u.Redacted())
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return nil, fmt.Errorf("address %q has no possible port", raw)
		}
	}
	u.Fragment, u.RawFragment = "", ""
	return u, nil
}
