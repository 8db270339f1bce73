package eventing

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/semeco/go-sdc/internal/localnet"
	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/soap"
)

// SubscribeHandler returns the handler of the action [ActionSubscribe] for one hosted service.
// actions are those the service has, sent or not; a filter that names others gets what is left,
// and one that names none of them is refused. Without actions every filter is accepted.
//
// Refusals are the faults of WS-Eventing (EVT-1): DeliveryModeRequestedUnavailable for anything
// but push; FilteringRequestedUnavailable for another dialect; EventSourceUnableToProcess without
// a filter, beyond the limits and for targets that policy forbids; InvalidExpirationTime for a time
// that has passed or cannot be read; InvalidMessage for the rest; dpws:FilterActionNotSupported.
func (s *Source) SubscribeHandler(actions ...string) soap.Handler {
	offered := slices.Clone(actions)
	return func(ctx context.Context, r *soap.Request) (*soap.Response, error) {
		return s.subscribe(ctx, r, offered)
	}
}

// ManagerEndpoint is what lives at the paths of the subscriptions: mount it with
// Server.HandlePrefix at [Source.ManagerPath]. Only the subscriber itself may manage a
// subscription: the holder of its certificate, or its host where there is none; others get
// a fault, and nothing changes.
func (s *Source) ManagerEndpoint() *soap.Endpoint {
	return &soap.Endpoint{Actions: map[string]soap.Handler{
		ActionRenew:       s.renew,
		ActionGetStatus:   s.getStatus,
		ActionUnsubscribe: s.unsubscribe,
	}}
}

// ManagerPath is the path below which the subscription managers live.
func (s *Source) ManagerPath() string { return s.cfg.ManagerPath }

func (s *Source) subscribe(ctx context.Context, r *soap.Request, offered []string) (*soap.Response, error) {
	m, err := readSubscribe(r, s.cfg.Dialect)
	if err != nil {
		return nil, err
	}
	actions := m.actions
	if s.cfg.Dialect != DialectAction {
		if actions, err = m.actionsOf(); err != nil {
			return nil, faulty(soap.InvalidMessage(err.Error()))
		}
		if len(actions) == 0 {
			actions = slices.Clone(offered)
		}
	}
	if len(actions) == 0 {
		return nil, soap.FilterActionNotSupported()
	}
	if len(offered) > 0 {
		actions = slices.DeleteFunc(actions, func(a string) bool { return !slices.Contains(offered, a) })
		if len(actions) == 0 {
			return nil, soap.FilterActionNotSupported()
		}
	}
	if s.cfg.Authorise != nil {
		if err := s.cfg.Authorise(ctx, r, actions); err != nil {
			return nil, err
		}
	}
	return s.admit(r, m, &subscription{actions: actions})
}

// readSubscribe reads a Subscribe and refuses what no dialect helps.
func readSubscribe(r *soap.Request, dialect string) (*subscribe, error) {
	m, err := decode(r, "Subscribe", decodeSubscribe)
	switch {
	case err != nil:
		return nil, err
	case m.mode != ModePush:
		return nil, faulty(soap.DeliveryModeUnavailable(ModePush))
	case !m.filtered:
		return nil, unable("a filter is required")
	case m.dialect != dialect:
		return nil, faulty(soap.FilteringUnavailable(dialect))
	}
	return m, nil
}

// admit completes a subscription by what the request says, makes it known and answers.
func (s *Source) admit(r *soap.Request, m *subscribe, sub *subscription) (*soap.Response, error) {
	granted, err := s.grant(m.expires)
	if err != nil {
		return nil, err
	}
	key, err := s.target(r, m.notifyTo)
	if err != nil {
		return nil, err
	}
	id := strings.ReplaceAll(uuid.NewString(), "-", "")
	sub.id, sub.manager = id, s.baseURLs(r)[0]+s.cfg.ManagerPath+"/"+id
	sub.notifyTo, sub.peer, sub.certificate = *m.notifyTo, peerOf(r), r.Peer
	if m.endTo != nil && m.endTo.Address != soap.Anonymous && m.endTo.Address != soap.None {
		if sub.endKey, err = s.target(r, m.endTo); err != nil {
			return nil, err
		}
		sub.endTo = m.endTo
	}
	sub.expires.Store(int64(s.now() + granted))
	sub.ctx, sub.cancel = context.WithCancel(s.ctx)
	if err := s.add(sub, key); err != nil {
		sub.cancel()
		return nil, err
	}
	s.log.Debug("subscription granted", "id", id, "notify", sub.notifyTo.Address, "actions", len(sub.actions), "expires", granted)
	return &soap.Response{
		Action: ActionSubscribeResponse,
		Body:   subscribeResponse{manager: sub.manager, expires: granted},
	}, nil
}

// grant decides on a requested expiration: the smaller of it and the maximum (EVT-2).
func (s *Source) grant(text string) (time.Duration, error) {
	if strings.TrimSpace(text) == "" {
		return s.cfg.MaxExpires, nil
	}
	e, err := ParseExpiration(text)
	if err != nil {
		return 0, faulty(soap.InvalidExpirationTime(err.Error()))
	}
	d := e.From(time.Now())
	if d < time.Millisecond { // the finest that is written
		return 0, faulty(soap.InvalidExpirationTime("the requested expiration time is not in the future"))
	}
	return min(d, s.cfg.MaxExpires), nil
}

// target checks an address that messages are to be sent to and returns the key of its consumer.
func (s *Source) target(r *soap.Request, epr *soap.EndpointReference) (string, error) {
	if epr.Address == soap.Anonymous || epr.Address == soap.None {
		return "", unable("messages cannot be pushed to " + epr.Address)
	}
	// A link-local address is on the link that the subscriber came by.
	epr.Address = localnet.Complete(epr.Address, localnet.ZoneOf(r.RemoteAddr))
	if _, err := s.check.Sender(epr.Address); err != nil {
		return "", unable(err.Error())
	}
	u, err := url.Parse(epr.Address)
	if err != nil {
		return "", unable(err.Error())
	}
	if s.isOwn(r, u) {
		return "", unable("notifications cannot be sent to the event source itself")
	}
	if err := s.cfg.AllowTarget(r, u); err != nil {
		return "", unable(err.Error())
	}
	return u.Scheme + "://" + net.JoinHostPort(strings.ToLower(u.Hostname()), portOf(u)), nil
}

// isOwn tells whether an address is that of the source: it would answer its own notifications, and they would use up its connections.
func (s *Source) isOwn(r *soap.Request, u *url.URL) bool {
	for _, own := range append(s.baseURLs(r), "//"+r.Host) {
		o, err := url.Parse(own)
		if err != nil {
			continue
		}
		if o.Scheme == "" {
			o.Scheme = u.Scheme
		}
		if portOf(o) == portOf(u) && leadsTo(u.Hostname(), o.Hostname()) {
			return true
		}
	}
	return false
}

// leadsTo tells whether who connects to a host may arrive at the own address of this process. Other addresses of loopback are those of others.
func leadsTo(host, own string) bool {
	if strings.EqualFold(host, own) {
		return true
	}
	there, here := loopback(host), loopback(own)
	return slices.ContainsFunc(there, func(a netip.Addr) bool { return a.IsUnspecified() || slices.Contains(here, a) }) && here != nil
}

// loopback returns the addresses of a host if it is one of loopback, or none in particular, which leads there too.
func loopback(host string) []netip.Addr {
	if strings.EqualFold(host, "localhost") {
		return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}
	}
	if a, err := parseAddr(host); err == nil && (a.IsLoopback() || a.IsUnspecified()) {
		return []netip.Addr{a}
	}
	return nil
}

func portOf(u *url.URL) string {
	if port := u.Port(); port != "" {
		return port
	}
	return map[string]string{"http": "80", "https": "443"}[u.Scheme]
}

// baseURLs are the addresses of the source, at least one: first the one that a subscriber is told.
func (s *Source) baseURLs(r *soap.Request) []string {
	switch {
	case s.cfg.BaseURLs != nil:
		return slices.Clone(s.cfg.BaseURLs(r))
	case s.cfg.BaseURL != "":
		return []string{s.cfg.BaseURL}
	case s.cfg.Client.TLS != nil:
		return []string{"https://" + r.Host}
	}
	return []string{"http://" + r.Host}
}

// lookup finds the subscription whose manager a request was sent to, for whoever has made it. It returns why there is none.
func (s *Source) lookup(r *soap.Request) (sub *subscription, why string) {
	id, ok := strings.CutPrefix(strings.TrimSuffix(r.Path, "/"), s.cfg.ManagerPath+"/")
	if !ok {
		return nil, unknownSubscription
	}
	s.mu.Lock()
	sub = s.subs[id]
	s.mu.Unlock()
	switch {
	case sub == nil || sub.expiresAt() <= s.now():
		return nil, unknownSubscription
	case !sub.madeBy(r):
		s.log.Warn("a subscription was to be managed by another peer than the subscriber", "id", id, "peer", r.RemoteAddr, "action", r.Header.Action)
		return nil, foreignSubscription
	}
	return sub, ""
}

const (
	unknownSubscription = "there is no such subscription (any more)"
	foreignSubscription = "only the subscriber may manage the subscription"
)

// madeBy reports whether a request comes from whoever made the subscription: with TLS from the holder of the certificate, who may have renewed it
// meanwhile, else from the same host.
func (sub *subscription) madeBy(r *soap.Request) bool {
	if sub.peer == peerOf(r) {
		return true
	}
	was, is := sub.certificate, r.Peer
	return was != nil && is != nil && is.NotBefore.After(was.NotBefore) && len(was.RawSubject) > len(emptySequence) &&
		bytes.Equal(was.RawSubject, is.RawSubject) && bytes.Equal(was.RawIssuer, is.RawIssuer) &&
		slices.Equal(was.DNSNames, is.DNSNames) && slices.EqualFunc(was.URIs, is.URIs, func(a, b *url.URL) bool { return a.String() == b.String() })
}

// emptySequence is a subject without any attribute, which names nobody.
const emptySequence = "\x30\x00"

func (s *Source) renew(_ context.Context, r *soap.Request) (*soap.Response, error) {
	text, err := decode(r, "Renew", decodeExpires)
	if err != nil {
		return nil, err
	}
	sub, why := s.lookup(r)
	if sub == nil {
		return nil, faulty(soap.UnableToRenew(why))
	}
	granted, err := s.grant(text)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.subs[sub.id] != sub {
		return nil, faulty(soap.UnableToRenew(unknownSubscription))
	}
	sub.expires.Store(int64(s.now() + granted))
	s.expiresLocked(sub)
	return &soap.Response{
		Action: ActionRenewResponse,
		Body:   expiresMessage{element: "wse:RenewResponse", expires: granted},
	}, nil
}

func (s *Source) getStatus(_ context.Context, r *soap.Request) (*soap.Response, error) {
	if _, err := decode(r, "GetStatus", decodeNothing); err != nil {
		return nil, err
	}
	sub, why := s.lookup(r)
	if sub == nil {
		return nil, faulty(soap.InvalidMessage(why))
	}
	return &soap.Response{
		Action: ActionGetStatusResponse,
		Body:   expiresMessage{element: "wse:GetStatusResponse", expires: sub.expiresAt() - s.now()},
	}, nil
}

func (s *Source) unsubscribe(_ context.Context, r *soap.Request) (*soap.Response, error) {
	if _, err := decode(r, "Unsubscribe", decodeNothing); err != nil {
		return nil, err
	}
	sub, why := s.lookup(r)
	if sub == nil || !s.drop(sub, "unsubscribed") {
		return nil, faulty(soap.InvalidMessage(cmp.Or(why, unknownSubscription)))
	}
	s.counters.unsubscribed.Add(1)
	return &soap.Response{Action: ActionUnsubscribeResponse}, nil
}

// faulty gives a fault the action of WS-Eventing's faults.
func faulty(f *soap.Fault) error {
	f.Action = ActionFault
	return f
}

func unable(reason string) error { return faulty(soap.EventSourceUnable(reason)) }

// peerOf names who subscribes: a certificate, or an IP address where there is none.
func peerOf(r *soap.Request) string {
	if r.Peer != nil {
		sum := sha256.Sum256(r.Peer.Raw)
		return hex.EncodeToString(sum[:])
	}
	if a, err := hostAddr(r.RemoteAddr); err == nil {
		return a.String()
	}
	return r.RemoteAddr
}

// hostAddr is the IP address of "ip:port".
func hostAddr(addr string) (netip.Addr, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return netip.Addr{}, err
	}
	return parseAddr(host)
}

func parseAddr(host string) (netip.Addr, error) {
	a, err := netip.ParseAddr(host)
	return a.Unmap(), err
}

// maxMessage bounds a request to an event source or a subscription manager in bytes: filters are kept as they come.
const maxMessage = 128 << 10

// decode reads a request; the error is a fault of WS-Eventing.
func decode[T any](r *soap.Request, element string, fn func(*xmlscan.Scanner) (T, error)) (T, error) {
	if b := r.Body(); b != nil && b.Size() > maxMessage {
		var none T
		return none, faulty(soap.InvalidMessage(fmt.Sprintf("%s of more than %d bytes", element, maxMessage)))
	}
	v, err := soap.Decode(r.Envelope, wse(element), fn)
	var f *soap.Fault
	if errors.As(err, &f) {
		return v, faulty(f)
	}
	return v, err
}
