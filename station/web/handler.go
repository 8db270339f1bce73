package web

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

//go:embed assets openapi.json
var files embed.FS

// Handler serves the pages and the API. Make it with New.
type Handler struct {
	cfg     Config
	log     *slog.Logger
	control *control // nil: read only
	clients *shares  // that are followed
	answers *shares  // bytes of what is on its way to browsers
	making  chan struct{}
	mux     *http.ServeMux
}

// New returns the handler of a web view. The error tells everything that is wrong with the configuration.
func New(cfg Config) (*Handler, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	h := &Handler{
		cfg: cfg, log: cfg.Logger, clients: newShares(cfg.MaxClients, cfg.MaxPerPeer), answers: newShares(maxAnswers, maxAnswers/4),
		making: make(chan struct{}, maxMaking), mux: http.NewServeMux(),
	}
	assets, err := fs.Sub(files, "assets")
	if err != nil {
		return nil, err
	}
	h.mux.Handle("GET /", http.FileServerFS(assets))
	h.mux.HandleFunc("GET /api/v1/view", h.view)
	h.mux.HandleFunc("GET /api/v1/tree", h.tree)
	h.mux.HandleFunc("GET /api/v1/trend", h.trend)
	h.mux.HandleFunc("GET /api/v1/live", h.live)
	h.mux.HandleFunc("GET /api/v1/openapi.json", h.openAPI)
	if cfg.Control != nil {
		h.control = &control{cfg: cfg.Control, st: cfg.Station, log: cfg.Logger}
		h.mux.HandleFunc("POST /api/v1/control", h.postControl)
		h.mux.HandleFunc("POST /api/v1/operations", h.postOperation)
	}
	return h, nil
}

// policy lets pages use what this server sends and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// ServeHTTP answers a browser. Requests under another name than this server's, and from pages of other origins, are refused.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for name, value := range map[string]string{
		"Content-Security-Policy":      policy,
		"X-Content-Type-Options":       "nosniff",
		"Referrer-Policy":              "no-referrer",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Permissions-Policy":           "camera=(), microphone=(), geolocation=()",
		// Patient data must not be found in a cache; the pages are small.
		"Cache-Control": "no-store",
	} {
		w.Header().Set(name, value)
	}
	if !h.knownHost(r) {
		h.refuse(w, r, http.StatusMisdirectedRequest, "this server is not known by the name "+r.Host)
		return
	}
	if !sameOrigin(r) {
		h.refuse(w, r, http.StatusForbidden, "requests from other origins are refused")
		return
	}
	h.mux.ServeHTTP(w, r)
}

// knownHost tells whether the browser asks for one of our names. An address cannot be pointed here by somebody else; a name can.
func (h *Handler) knownHost(r *http.Request) bool {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	if _, err := netip.ParseAddr(host); err == nil || host == "localhost" {
		return true
	}
	return slices.ContainsFunc(h.cfg.Hosts, func(name string) bool { return strings.EqualFold(name, host) })
}

// sameOrigin refuses what a page of another origin sends. Browsers say so in one of two headers; programs send neither.
func sameOrigin(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
	default:
		return false
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && strings.EqualFold(u.Host, r.Host)
}

func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, status int, why string) {
	h.log.Debug("request refused", "peer", r.RemoteAddr, "method", r.Method, "path", r.URL.Path, "status", status, "reason", why)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": why}) // the browser may have gone
}

func (h *Handler) json(w http.ResponseWriter, r *http.Request, v any) {
	w.Header().Set("Content-Type", "application/json")
	if _, err := w.Write(encode(v)); err != nil {
		h.log.Debug("answer not delivered", "peer", r.RemoteAddr, "path", r.URL.Path, "error", err)
	}
}

func (h *Handler) openAPI(w http.ResponseWriter, r *http.Request) {
	text, err := files.ReadFile("openapi.json")
	if err != nil {
		h.refuse(w, r, http.StatusInternalServerError, err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/json")
	http.ServeContent(w, r, "openapi.json", time.Time{}, bytes.NewReader(text))
}

// ErrPlain refuses to show patient data unencrypted to other machines.
var ErrPlain = errors.New("web: beyond loopback the view needs TLS")
