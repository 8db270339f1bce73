package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"github.com/semeco/go-sdc/sdc/audit"
	"github.com/semeco/go-sdc/station"
	"github.com/semeco/go-sdc/station/web"
)

// webFlags put a station's view on the web.
type webFlags struct {
	Web         string   `placeholder:"ADDR" help:"Show the view in browsers at this address, such as 127.0.0.1:8080."`
	WebHosts    []string `name:"web-host" placeholder:"NAME" help:"A name by which browsers may ask for the view. Default: addresses and localhost only."`
	WebCert     string   `type:"existingfile" placeholder:"FILE" help:"Certificate chain for browsers (PEM). Needed beyond loopback."`
	WebKey      string   `type:"existingfile" placeholder:"FILE" help:"Private key of --web-cert (PEM)."`
	WebClientCA string   `name:"web-client-ca" type:"existingfile" placeholder:"FILE" help:"Authorities (PEM) from which browsers need a certificate."`
	WebClients  int      `name:"web-clients" placeholder:"N" help:"How many browsers are followed at a time. Default: 32."`
	WebPerPeer  int      `name:"web-per-peer" placeholder:"N" help:"How many of them with one client certificate, or else from one address beyond loopback, as behind a proxy on another host. Default: a quarter."`
	Control     string   `placeholder:"FILE" help:"Let browsers take control of devices, and write everything they do to this file, values included (a JSON object a line)."`
	auditLimit
	Audit string `placeholder:"FILE" help:"Append who controlled what from browsers, without values, to this file too, whose records are chained (sdc audit verify). Needs --control."`
}

// checkWeb refuses what cannot be, before anything is opened.
func (c *webFlags) checkWeb() error {
	if c.WebClients < 0 || c.WebClients > maxBrowsers || c.WebPerPeer < 0 || c.WebPerPeer > maxBrowsers {
		return usagef("--web-clients and --web-per-peer take 1 to %d", maxBrowsers)
	}
	if c.WebPerPeer > max(c.WebClients, defaultBrowsers) || c.WebClients > 0 && c.WebPerPeer > c.WebClients {
		return usagef("--web-per-peer is a share of --web-clients, and cannot be more")
	}
	return errors.Join(checkListen("--web", c.Web), checkHosts("--web-host", c.WebHosts))
}

// defaultBrowsers is how many browsers are followed at a time unless --web-clients says otherwise; maxBrowsers is how many a view takes connections of.
const (
	defaultBrowsers = 32
	maxBrowsers     = 100
)

// webView is the web view of a station, listening already; nil without --web.
type webView struct {
	listener net.Listener
	handler  *web.Handler
	tls      *tls.Config
	audit    *controlAudit
}

// prepareWeb makes everything that can fail before the station runs.
func (c *webFlags) prepareWeb(ctx context.Context, e *env, s *station.Station) (*webView, error) {
	if c.Audit != "" && c.Control == "" {
		return nil, usagef("--audit records what browsers do under --control, which is not given")
	}
	if c.AuditMax != 0 && c.Audit == "" {
		return nil, usagef("--audit-max-mib goes with --audit, which is not given")
	}
	if c.Web == "" {
		if c.WebClients != 0 || c.WebPerPeer != 0 || c.Control != "" || c.WebCert != "" || c.WebKey != "" || c.WebClientCA != "" || len(c.WebHosts) > 0 {
			return nil, usagef("--control and the options that begin with --web need --web")
		}
		return nil, nil
	}
	v := &webView{}
	var err error
	if v.tls, err = c.webTLS(); err != nil {
		return nil, err
	}
	cfg := c.config(e, s)
	if c.Control != "" {
		if v.audit, err = c.openControlAudit(e); err != nil {
			return nil, err
		}
		cfg.Control = &web.Control{Audit: v.audit.keep}
	}
	if v.handler, err = web.New(cfg); err != nil {
		return nil, errors.Join(err, v.audit.close())
	}
	if v.listener, err = new(net.ListenConfig).Listen(ctx, "tcp", c.Web); err != nil {
		return nil, errors.Join(fmt.Errorf("--web: %w", err), v.audit.close())
	}
	scheme := "http"
	if v.tls != nil {
		scheme = "https"
	}
	if a, ok := v.listener.Addr().(*net.TCPAddr); v.tls == nil && (!ok || !a.IP.IsLoopback()) { // Serve refuses it as well; nobody is told of a view that does not come up
		return nil, errors.Join(fmt.Errorf("--web %s: %w", c.Web, web.ErrPlain), v.listener.Close(), v.audit.close())
	}
	fmt.Fprintf(e.err, "the view is at %s://%s/\n", scheme, v.listener.Addr())
	return v, nil
}

func (c *webFlags) config(e *env, s *station.Station) web.Config {
	return web.Config{Station: s, Hosts: c.WebHosts, MaxClients: c.WebClients, MaxPerPeer: c.WebPerPeer, Logger: e.log}
}

func (c *webFlags) webTLS() (*tls.Config, error) {
	if c.WebCert == "" && c.WebKey == "" {
		if c.WebClientCA != "" {
			return nil, usagef("--web-client-ca needs --web-cert and --web-key")
		}
		return nil, nil
	}
	cert, err := tls.LoadX509KeyPair(c.WebCert, c.WebKey)
	if err != nil {
		return nil, usageError{fmt.Errorf("--web-cert and --web-key: %w", err)}
	}
	cfg := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	if c.WebClientCA != "" {
		text, err := os.ReadFile(c.WebClientCA)
		if err != nil {
			return nil, err
		}
		cfg.ClientCAs = x509.NewCertPool()
		if !cfg.ClientCAs.AppendCertsFromPEM(text) {
			return nil, usagef("--web-client-ca: %s holds no certificate in PEM form", c.WebClientCA)
		}
		cfg.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return cfg, nil
}

// run answers browsers until ctx ends.
func (v *webView) run(ctx context.Context) error {
	return errors.Join(web.Serve(ctx, v.listener, v.handler, v.tls), v.audit.close())
}

// controlAudit keeps what was done from browsers, each event before the answer: with values in a file, without them in the chain.
type controlAudit struct {
	mu    sync.Mutex
	file  *os.File
	chain *audit.File // may be nil
}

func (c *webFlags) openControlAudit(e *env) (*controlAudit, error) {
	f, err := os.OpenFile(c.Control, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("--control: %w", err)
	}
	a := &controlAudit{file: f}
	if a.chain, err = c.openAudit(e, c.Audit); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return a, nil
}

// keepTime bounds the writing of an event: nothing can be done meanwhile.
const keepTime = 5 * time.Second

func (a *controlAudit) keep(e web.Event) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := writeJSON(synced{a.file}, e); err != nil || a.chain == nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), keepTime)
	defer cancel()
	return a.chain.Keep(ctx, e.Record())
}

// close may be called on nil.
func (a *controlAudit) close() error {
	if a == nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	var err error
	if a.chain != nil {
		err = a.chain.Close()
	}
	return errors.Join(err, a.file.Close())
}
