package misbehave

import (
	"bytes"
	"context"
	"log/slog"
	"net/netip"

	"github.com/semeco/go-sdc/discovery"
)

// datagrams is the discovery of a device that misbehaves.
type datagrams struct {
	discovery.Transport
	gate *gate // nil: it is always there
	omit []omission
	log  *slog.Logger
}

// omission is a message that is not sent.
type omission struct {
	deed   string
	action []byte
}

func (p Plan) omissions() (out []omission) {
	if p.NoHello {
		out = append(out, omission{"no-hello", []byte(discovery.ActionHello + "<")})
	}
	if p.NoBye {
		out = append(out, omission{"no-bye", []byte(discovery.ActionBye + "<")})
	}
	return out
}

// Serve implements discovery.Transport. What comes during a freeze waits in the socket.
func (d *datagrams) Serve(ctx context.Context, handle func(discovery.Datagram)) error {
	if d.gate == nil {
		return d.Transport.Serve(ctx, handle)
	}
	return d.Transport.Serve(ctx, func(m discovery.Datagram) {
		if d.gate.pass(ctx.Done()) && !d.gate.isGone() {
			handle(m)
		}
	})
}

// Multicast implements discovery.Transport.
func (d *datagrams) Multicast(data []byte) error {
	for _, o := range d.omit {
		if bytes.Contains(data, o.action) {
			d.log.Warn("misbehaving", "deed", o.deed)
			return nil
		}
	}
	if d.silent() {
		return nil
	}
	return d.Transport.Multicast(data)
}

// Unicast implements discovery.Transport.
func (d *datagrams) Unicast(to netip.AddrPort, data []byte) error {
	if d.silent() {
		return nil
	}
	return d.Transport.Unicast(to, data)
}

// silent waits for the end of a freeze and tells whether what was to be sent is not.
func (d *datagrams) silent() bool {
	if d.gate == nil {
		return false
	}
	d.gate.pass(nil)
	return d.gate.isGone()
}
