package web

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/semeco/go-sdc/internal/connbound"
)

// Bounds on connections: browsers open half a dozen each, and a proxy before them may stand for all.
const (
	maxConns      = 256
	maxConnsOfOne = 128
)

// Serve answers browsers on a listener until ctx ends, and returns when all connections have been closed. cfg secures them; its ClientAuth decides
// whether browsers need certificates. Without cfg only a listener on loopback is accepted (ErrPlain).
func Serve(ctx context.Context, l net.Listener, h *Handler, cfg *tls.Config) error {
	if tcp, ok := l.Addr().(*net.TCPAddr); cfg == nil && (!ok || !tcp.IP.IsLoopback()) {
		return errors.Join(fmt.Errorf("%w: %v", ErrPlain, l.Addr()), l.Close())
	}
	base, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	var protocols http.Protocols
	protocols.SetHTTP1(true) // one WebSocket needs a connection of its own in any case
	s := &http.Server{
		Handler: h, Protocols: &protocols, TLSConfig: cfg,
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
		BaseContext: func(net.Listener) context.Context { return base },
	}
	l = connbound.Listen(l, connbound.Limits{All: maxConns, OfOne: maxConnsOfOne})
	served := make(chan error, 1)
	go func() {
		if cfg != nil {
			served <- s.ServeTLS(l, "", "")
			return
		}
		served <- s.Serve(l)
	}()
	select {
	case err := <-served:
		return fmt.Errorf("web: %w", err)
	case <-ctx.Done():
	}
	cancel() // ends the WebSockets, which Shutdown does not know
	stop, stopCancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer stopCancel()
	if s.Shutdown(stop) != nil {
		_ = s.Close()
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("web: %w", err)
	}
	h.clients.wait()
	return nil
}
