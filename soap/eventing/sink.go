package eventing

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/semeco/go-sdc/internal/localnet"
	"github.com/semeco/go-sdc/soap"
)

// SinkConfig configures a [Sink]. Server, Client and BaseURL or BaseURLFor are required.
type SinkConfig struct {
	// Server receives the notifications. The sink puts paths on it and takes them away.
	Server *soap.Server
	// Client sends Subscribe, Renew and the like. The sink does not close it.
	Client *soap.Client
	// BaseURL is how sources reach Server, for example "https://192.0.2.7:4711".
	BaseURL string
	// BaseURLFor, if set, takes the place of BaseURL for a sink that is reached at several
	// addresses: it returns the one for the source at a URL. It is called by several goroutines.
	BaseURLFor func(ctx context.Context, source string) string
	// Path is the path below which every subscription gets two paths of its own, one for
	// notifications and one for its end (SDPi R7003, EVT-6). Default: "/" and a random UUID.
	Path string
	// Logger receives renewals that failed and subscriptions that ended; nil discards.
	Logger *slog.Logger
}

// Sink receives notifications and manages the subscriptions they come from. Close it when done.
type Sink struct {
	cfg SinkConfig
	log *slog.Logger
	wg  sync.WaitGroup // renewals

	mu     sync.Mutex
	closed bool
	subs   map[string]*Subscription // by id, from before Subscribe is sent until they end
}

// ErrSinkClosed is returned by Subscribe of a closed sink.
var ErrSinkClosed = errors.New("event sink is closed")

// NewSink returns a sink.
func NewSink(cfg SinkConfig) (*Sink, error) {
	if cfg.Server == nil || cfg.Client == nil || cfg.BaseURL == "" && cfg.BaseURLFor == nil {
		return nil, errors.New("event sink needs Server, Client and BaseURL")
	}
	if cfg.Path == "" {
		cfg.Path = "/" + uuid.NewString()
	}
	cfg.Path = "/" + strings.Trim(cfg.Path, "/")
	cfg.BaseURL = strings.TrimSuffix(cfg.BaseURL, "/")
	log := cfg.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Sink{cfg: cfg, log: log, subs: make(map[string]*Subscription)}, nil
}

// Request says what to subscribe to.
type Request struct {
	// Source is the event source: the address of a hosted service.
	Source soap.EndpointReference
	// Actions are the actions of the notifications wanted, as full URIs: sources compare
	// them exactly (SDPi R7001).
	Actions []string
	// Dialect and Filter ask in another way than by action: the URI of a filter dialect and the
	// content of the filter. Actions has to be empty then.
	Dialect string
	Filter  soap.Body
	// Expires is the duration asked for; the source may grant less. Default 1 min.
	Expires time.Duration
	// NoRenew leaves renewing to the caller; the subscription ends when it expires.
	NoRenew bool
	// Notify takes every notification, one at a time and in the order of arrival, possibly
	// before Subscribe has returned. It runs before the source gets its answer and has to be
	// quick: hand over what takes time (EVT-5). nil answers 202 Accepted; an error answers a
	// fault, upon which most sources end the subscription. The envelope may be kept.
	Notify func(ctx context.Context, r *soap.Request) error
	// Admit, if set, decides whether a notification is handled, possibly while Notify is still at work on the one before. An error answers a fault.
	Admit func(r *soap.Request) error
	// Early does not let a source that has more to tell wait for Notify: it gets its answer when Admit has let the notification in. Notify learns
	// so from r.Confirmed; see [soap.Endpoint.Early].
	Early bool
	// AllowManager decides whether the subscription manager may be where the source says; an error refuses the subscription. nil demands the
	// scheme and host of the source ([soap.Contact.SameHost]).
	AllowManager func(source soap.Contact, manager string) error
	// Senders knows whose notifications are those of the source; nil is one of its own. It matters with TLS only.
	Senders *Senders
	// AllowSender, if set, accepts notifications from others too: from a source that has one certificate to serve and another one to notify.
	// It is not asked about those known to Senders.
	AllowSender func(sender *x509.Certificate) bool
}

// Subscribe subscribes and, unless NoRenew is set, keeps the subscription alive: it is renewed when half
// of the granted time has passed (EVT-4) and again in shorter intervals while the source cannot
// be reached, until it has expired. No clock counts for that but the time that passes here: neither
// that of the source, if it grants until an instant, nor this host's, which may be set.
func (k *Sink) Subscribe(ctx context.Context, req Request) (*Subscription, error) {
	switch {
	case len(req.Actions) == 0 && (req.Dialect == "" || req.Filter == nil):
		return nil, errors.New("subscription without actions")
	case len(req.Actions) > 0 && (req.Dialect != "" || req.Filter != nil):
		return nil, errors.New("subscription by actions and by another filter at once")
	case req.Notify == nil:
		return nil, errors.New("subscription without Notify")
	}
	if req.Expires <= 0 {
		req.Expires = time.Minute
	}
	if req.Senders == nil {
		req.Senders = NewSenders()
	}
	if req.AllowManager == nil {
		req.AllowManager = func(source soap.Contact, manager string) error { return source.SameHost(manager) }
	}
	sub := &Subscription{
		sink: k, id: strings.ReplaceAll(uuid.NewString(), "-", ""), req: req,
		order: make(chan struct{}, 1), renewed: make(chan struct{}, 1),
	}
	sub.ctx, sub.cancel = context.WithCancel(context.Background())
	if err := k.open(sub); err != nil {
		return nil, err
	}
	dialect, filter := req.Dialect, req.Filter
	if len(req.Actions) > 0 {
		dialect, filter = DialectAction, actionFilter(req.Actions)
	}
	// Known before the source learns where to send notifications.
	var source soap.Contact
	ctx = soap.WithContact(ctx, func(at soap.Contact) {
		source = at
		req.Senders.Know(at.Certificate)
	})
	base := k.cfg.BaseURL
	if k.cfg.BaseURLFor != nil {
		base = strings.TrimSuffix(k.cfg.BaseURLFor(ctx, req.Source.Address), "/")
	}
	sent := time.Now()
	env, err := k.cfg.Client.Call(ctx, req.Source, ActionSubscribe, &subscribeRequest{
		notifyTo: soap.NewEndpoint(base + sub.path()),
		endTo:    soap.NewEndpoint(base + sub.endPath()),
		expires:  req.Expires,
		dialect:  dialect,
		filter:   filter,
	})
	if err != nil {
		sub.end(err)
		return nil, fmt.Errorf("subscribe: %w", err)
	}
	m, err := soap.DecodeAnswer(env, wse("SubscribeResponse"), decodeSubscribeResponse)
	if err != nil {
		sub.end(err)
		return nil, fmt.Errorf("subscribe: %w", err)
	}
	m.manager.Address = localnet.Complete(m.manager.Address, localnet.ZoneOf(req.Source.Address))
	if err := req.AllowManager(source, m.manager.Address); err != nil {
		sub.end(err) // it cannot be given back: whoever is there must not be talked to
		return nil, fmt.Errorf("subscribe: subscription manager: %w", err)
	}
	sub.mu.Lock()
	sub.manager = *m.manager
	sub.mu.Unlock()
	if err = sub.granted(m.expires, req.Expires, sent); err == nil {
		k.mu.Lock()
		if err = sub.Err(); err == nil { // it may have ended already
			k.wg.Add(1)
			go sub.keep()
		}
		k.mu.Unlock()
	}
	if err != nil {
		var ended *EndError
		if !errors.As(err, &ended) {
			_ = sub.unsubscribe(ctx) // the source believes that there is a subscription
		}
		sub.end(err)
		return nil, fmt.Errorf("subscribe: %w", err)
	}
	return sub, nil
}

// open makes the paths of a subscription known before the source learns them: its notifications
// may arrive before its answer.
func (k *Sink) open(sub *Subscription) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return ErrSinkClosed
	}
	k.subs[sub.id] = sub
	k.cfg.Server.Handle(sub.path(), &soap.Endpoint{
		Admit:         sub.admit,
		Early:         sub.req.Early,
		Actions:       map[string]soap.Handler{ActionSubscriptionEnd: sub.handleEnd},
		Fallback:      sub.handleNotification,
		Notifications: true,
	})
	k.cfg.Server.Handle(sub.endPath(), &soap.Endpoint{
		Admit:   sub.admit,
		Actions: map[string]soap.Handler{ActionSubscriptionEnd: sub.handleEnd},
	})
	return nil
}

// Close unsubscribes from everything, all at the same time, and waits until the sink is quiet.
// When ctx ends earlier, the subscriptions that are left are only forgotten here. The error joins
// those of the subscriptions.
func (k *Sink) Close(ctx context.Context) error {
	k.mu.Lock()
	k.closed = true
	subs := make([]*Subscription, 0, len(k.subs))
	for _, sub := range k.subs {
		subs = append(subs, sub)
	}
	k.mu.Unlock()
	errs := make([]error, len(subs))
	var wg sync.WaitGroup
	for i, sub := range subs {
		wg.Go(func() { errs[i] = sub.Unsubscribe(ctx) })
	}
	wg.Wait()
	k.wg.Wait()
	return errors.Join(errs...)
}
