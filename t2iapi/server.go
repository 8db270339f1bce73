package t2iapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"

	"github.com/semeco/go-sdc/internal/connbound"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/components"
	"github.com/semeco/go-sdc/t2iapi/t2ipb"
)

// Device is what the calls act on; *provider.Provider is one.
type Device interface {
	MDIB() *mdib.Snapshot
	Update(fn func(*mdib.Tx) error) error
	SetLocation(detail sdc.LocationDetail, validators ...pm.InstanceIdentifier) error
	SayHello() error
	Flush(ctx context.Context) error
	ReportSystemError(code pm.CodedValue, text pm.LocalizedText, mds ...string) error
	Invoke(ctx context.Context, r msg.SetRequest) msg.InvocationInfo
}

// Config of a Server. Device is needed.
type Config struct {
	// Device that is manipulated. Nothing else should change what has been set by a call; see Hold.
	Device Device
	// Hold is called with the handle of a state before a call sets it: whatever animates the device must leave it alone from then on. May be nil.
	Hold func(handle string)
	// Removable are the descriptors that can be taken out and put back. Nil chooses: every MDS but the first, and one VMD, channel and metric of
	// each type, as far as there is any to which nothing else in the MDIB refers.
	Removable []string
	// OneMDS takes every MDS but the first out, as far as it can be taken out, when the server is made: tests want a device with one MDS (SDCcc asks
	// for all context states of "the" MDS, BICEPS R5042) that can be given another (C-7). What has been taken out so is put in without context states,
	// which somebody would have to make first.
	OneMDS bool
	// Logger receives every call and what came of it; nil discards.
	Logger *slog.Logger
}

// Limits of a server: it has one user, and that one sends handles.
const (
	maxRequest  = 64 << 10 // bytes
	maxStreams  = 16       // calls at a time on one connection
	maxHeader   = 16 << 10 // bytes
	maxConns    = 16
	stopTimeout = 2 * time.Second
	// connTimeout is how long a connection may take to begin, idleTimeout how long one without calls is kept: a tool opens another one by itself.
	connTimeout = 5 * time.Second
	idleTimeout = 10 * time.Minute
	// flushTimeout bounds how long an answer waits for a consumer that does not confirm its reports.
	flushTimeout = 5 * time.Second
)

// Server serves the calls. Make it with New.
type Server struct {
	cfg Config
	log *slog.Logger

	mu        sync.Mutex // one manipulation at a time
	cascade   *components.Cascade
	removable []string
	removed   map[string]removed
	serial    uint64 // of made-up identifications and wordings
}

// New makes a server for a device. It fails if Config.Removable names what the device does not have.
func New(cfg Config) (*Server, error) {
	if cfg.Device == nil {
		return nil, errors.New("t2iapi: the device is missing")
	}
	if cfg.Hold == nil {
		cfg.Hold = func(string) {}
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	cascade, err := components.NewCascade(cfg.Device, cfg.Logger)
	if err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, log: cfg.Logger, cascade: cascade, removable: cfg.Removable, removed: map[string]removed{}}
	snap := cfg.Device.MDIB()
	if s.removable == nil {
		s.removable = chooseRemovable(snap)
	}
	for _, h := range s.removable {
		if _, ok := snap.Descriptor(h); !ok {
			return nil, fmt.Errorf("t2iapi: removable descriptor: %w: %q", mdib.ErrUnknownHandle, h)
		}
	}
	if cfg.OneMDS {
		for _, h := range s.removable {
			if !s.isMDS(h) {
				continue
			}
			if err := s.remove(h); err != nil {
				return nil, fmt.Errorf("t2iapi: the MDS %q cannot be taken out: %w", h, err)
			}
			for i := range s.removed[h].entities {
				s.removed[h].entities[i].Contexts = nil
			}
		}
	}
	return s, nil
}

// Listen opens a listener on a loopback address, "127.0.0.1:50051" or "[::1]:0" for example. Any other is refused: nothing
// protects the calls.
func Listen(ctx context.Context, address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("t2iapi: %w", err)
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("t2iapi: %q is no loopback address, and nothing protects these calls", host)
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("t2iapi: %w", err)
	}
	return ln, nil
}

// Serve answers calls until ctx ends and then returns nil; calls under way end first. The listener is closed. Plain text: the listener
// should be one of Listen.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	server := grpc.NewServer(
		grpc.MaxRecvMsgSize(maxRequest), grpc.MaxConcurrentStreams(maxStreams), grpc.MaxHeaderListSize(maxHeader), grpc.ConnectionTimeout(connTimeout),
		grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionIdle: idleTimeout}), grpc.WaitForHandlers(true), grpc.UnaryInterceptor(s.intercept))
	t2ipb.RegisterDeviceServiceServer(server, deviceService{Server: s})
	t2ipb.RegisterContextServiceServer(server, contextService{Server: s})
	t2ipb.RegisterActivationStateServiceServer(server, activationService{Server: s})
	t2ipb.RegisterAlertServiceServer(server, alertService{Server: s})
	t2ipb.RegisterMetricServiceServer(server, metricService{Server: s})
	t2ipb.RegisterOperationServiceServer(server, operationService{Server: s})
	t2ipb.RegisterCombinedServiceServer(server, combinedService{Server: s})

	ln = connbound.Listen(ln, connbound.Limits{All: maxConns, OfOne: maxConns}) // all come from one address
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	select {
	case err := <-served:
		server.Stop()
		return fmt.Errorf("t2iapi: %w", err)
	case <-ctx.Done():
	}
	impatient := time.AfterFunc(stopTimeout, server.Stop)
	defer impatient.Stop()
	server.GracefulStop()
	if err := <-served; err != nil && !errors.Is(err, grpc.ErrServerStopped) {
		return fmt.Errorf("t2iapi: %w", err)
	}
	return nil
}
