package attack

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"runtime/debug"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/soap"
)

// What is done to a device below BICEPS must not help against where notifications arrive either, once the server has taken the connection over from net/http because
// a notification was accepted that came over it. Who attacks is the very device that was subscribed at.
func TestEachAttackAfterANotification(t *testing.T) {
	a, err := NewAuthority("notifications")
	require.NoError(t, err)
	desk, err := a.Identity("desk", sdc.RoleConsumer)
	require.NoError(t, err)
	device, err := a.Identity("device", sdc.RoleProvider)
	require.NoError(t, err)
	s, err := soap.NewServer(soap.ServerConfig{TLS: desk.ServerTLS(sdc.RoleProvider), ReadTimeout: 8 * time.Second})
	require.NoError(t, err)
	var taken atomic.Int64
	s.Handle("/sink", &soap.Endpoint{Notifications: true, Actions: map[string]soap.Handler{
		"urn:notification": func(_ context.Context, r *soap.Request) (*soap.Response, error) { return nil, r.ExpectEmpty() },
		transferGet: func(_ context.Context, r *soap.Request) (*soap.Response, error) {
			if bytes.Contains(debug.Stack(), []byte("lineServer")) {
				taken.Add(1)
			}
			return &soap.Response{Action: transferGet + "Response"}, r.ExpectEmpty()
		},
	}})
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, l) }()
	defer func() {
		stop()
		require.NoError(t, <-served)
	}()
	target := &Target{XAddr: "https://" + l.Addr().String() + "/sink", Trusted: device.ClientTLS(sdc.RoleConsumer)}
	target.first = func(w *wire) error {
		if _, err := io.WriteString(w, target.request("/sink", "", envelope("urn:notification", "", ""))); err != nil {
			return fmt.Errorf("a notification was not taken: %w", err)
		}
		status, _, err := w.answer()
		if err == nil {
			err = oneOf(status, []int{202})
		}
		return err
	}
	t.Run("attacks", func(t *testing.T) {
		for _, group := range [][]Attack{exchanges(), bodies(), documents()} {
			for _, a := range group {
				if a.Area == "BICEPS" { // there is no such service here
					continue
				}
				t.Run(a.Name, func(t *testing.T) {
					if a.Slow {
						t.Parallel()
					}
					ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
					defer cancel()
					require.NoError(t, a.Run(ctx, target), a.About)
				})
			}
		}
	})
	require.Positive(t, taken.Load(), "net/http has kept all connections")
}
