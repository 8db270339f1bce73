package eventing

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/semeco/go-sdc/soap"
)

// Bounds of what is remembered of a source.
const (
	maxKnown   = 4 // certificates it has shown
	maxRefused = 8 // certificates of others
	// refusedFor is how long a certificate of somebody else is refused without asking the source again.
	refusedFor = 10 * time.Second
	// askTimeout bounds the question which certificate a source has now.
	askTimeout = 5 * time.Second
)

// Senders knows the certificates of one event source, so that nobody else can notify in its name: every participant of a network is trusted to be what
// its certificate says, and that is not the source of this subscription.
//
// A source is known by the certificates that it has shown at its own address, and by their keys. When a message comes with another one,
// the source is asked, by a handshake at its address, which it has now: so one that has got a new certificate goes on without a loss, and whoever
// poses as it gains nothing. Subscriptions to one source may share a Senders, for as long as they last and one after the other; make one with NewSenders.
type Senders struct {
	asking chan struct{} // holds a token while the source is asked

	mu      sync.Mutex
	known   []*x509.Certificate // the latest last
	refused []refusal           // the latest last
}

type refusal struct {
	cert *x509.Certificate
	at   time.Time
}

// NewSenders returns a Senders that knows nobody.
func NewSenders() *Senders { return &Senders{asking: make(chan struct{}, 1)} }

// Know notes a certificate that the source has shown at its own address. nil is ignored.
func (s *Senders) Know(cert *x509.Certificate) {
	if cert == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known = append(slices.DeleteFunc(s.known, cert.Equal), cert)
	if len(s.known) > maxKnown {
		s.known = slices.Delete(s.known, 0, 1)
	}
}

// Known lists the certificates noted, the latest last.
func (s *Senders) Known() []*x509.Certificate {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.known)
}

// Knows tells whether a certificate is one of the source, or has the key of one.
func (s *Senders) Knows(cert *x509.Certificate) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.known, func(c *x509.Certificate) bool {
		return bytes.Equal(c.RawSubjectPublicKeyInfo, cert.RawSubjectPublicKeyInfo)
	})
}

// wasRefused tells whether a certificate was found to be somebody else's a moment ago.
func (s *Senders) wasRefused(cert *x509.Certificate) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.refused {
		if r.cert.Equal(cert) {
			return time.Since(r.at) < refusedFor
		}
	}
	return false
}

func (s *Senders) refuse(cert *x509.Certificate) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused = append(slices.DeleteFunc(s.refused, func(r refusal) bool { return r.cert.Equal(cert) }), refusal{cert, time.Now()})
	if len(s.refused) > maxRefused {
		s.refused = slices.Delete(s.refused, 0, 1)
	}
}

// SenderError says that a message for a subscription came from somebody who is not its source.
type SenderError struct {
	// Source is the address of the event source.
	Source string
	// Sender is the certificate of who sent the message; nil if there was none.
	Sender *x509.Certificate
}

// Error names both.
func (e *SenderError) Error() string {
	who := "a peer without certificate"
	if e.Sender != nil {
		who = fmt.Sprintf("certificate %q", e.Sender.Subject.String())
	}
	return fmt.Sprintf("%s is not that of the event source %s", who, e.Source)
}

// fromSource refuses a message for the subscription from anybody but its source. Over plain HTTP nobody can be told from another.
func (sub *Subscription) fromSource(ctx context.Context, r *soap.Request) error {
	source, senders := sub.req.Source.Address, sub.req.Senders
	if !strings.HasPrefix(strings.ToLower(source), "https:") {
		return nil
	}
	switch {
	case r.Peer == nil && !strings.HasPrefix(sub.sink.cfg.BaseURL, "https:"):
		return nil // the sink was opened without TLS on purpose
	case r.Peer == nil:
	case senders.Knows(r.Peer), sub.req.AllowSender != nil && sub.req.AllowSender(r.Peer):
		return nil
	default:
		is, err := senders.ask(ctx, r.Peer, func(ctx context.Context) (*x509.Certificate, error) {
			return sub.sink.cfg.Client.PeerCertificate(ctx, source)
		})
		if err != nil {
			sub.sink.log.Warn("a message of somebody unknown, and the source cannot be asked who it is", "id", sub.id, "source", source,
				"subject", r.Peer.Subject.String(), "remote", r.RemoteAddr, "error", err)
			return soap.EndpointUnavailable("the sender cannot be told from others at present", 0)
		}
		if is {
			sub.sink.log.Info("the source has another certificate", "id", sub.id, "source", source, "subject", r.Peer.Subject.String())
			return nil
		}
	}
	err := &SenderError{Source: source, Sender: r.Peer}
	sub.sink.log.Warn("a message in the name of the source was refused", "id", sub.id, "action", r.Header.Action, "remote", r.RemoteAddr, "error", err)
	return &soap.Fault{Code: soap.CodeSender, Reason: err.Error(), Status: http.StatusForbidden, Cause: err}
}

// ask finds out whether a certificate is what the source shows now. One question is under way at a time.
func (s *Senders) ask(ctx context.Context, cert *x509.Certificate, show func(context.Context) (*x509.Certificate, error)) (bool, error) {
	select {
	case s.asking <- struct{}{}:
		defer func() { <-s.asking }()
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
	if s.Knows(cert) {
		return true, nil
	}
	if s.wasRefused(cert) {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	now, err := show(ctx)
	if err != nil {
		return false, err
	}
	s.Know(now)
	if s.Knows(cert) {
		return true, nil
	}
	s.refuse(cert)
	return false, nil
}
