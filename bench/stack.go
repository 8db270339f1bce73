package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/pki"
	"github.com/semeco/go-sdc/sdc/provider"
)

// authority issues the certificates of one run.
type authority struct{ ca *pki.CA }

func newAuthority() (*authority, error) {
	ca, err := pki.NewCA("", 24*time.Hour)
	return &authority{ca}, err
}

func (a *authority) identity(name string, role sdc.Role) (*sdc.Identity, error) {
	p, err := a.ca.Issue(pki.Request{Name: name, Role: role})
	if err != nil {
		return nil, err
	}
	return p.Identity()
}

// write stores a participant for another process and returns its folder.
func (a *authority) write(dir, name string, role sdc.Role) (string, error) {
	p, err := a.ca.Issue(pki.Request{Name: name, Role: role})
	if err != nil {
		return "", err
	}
	dir = filepath.Join(dir, name)
	return dir, p.Write(dir)
}

// device is a provider that runs.
type device struct {
	*provider.Provider
	cancel context.CancelFunc
	ended  chan error
	bytes  atomic.Int64 // of the body of the last report
}

// startDevice runs a provider over mutual TLS on loopback, without discovery unless the configuration names a transport.
func startDevice(ctx context.Context, cfg provider.Config) (*device, error) {
	d := &device{ended: make(chan error, 1)}
	if cfg.Transport == nil {
		cfg.Transport = discovery.NewSilence()
	}
	if cfg.EPR == "" {
		cfg.EPR = uuid.New().URN()
	}
	cfg.Hooks.Committed = func(_ string, n int, _ time.Duration) { d.bytes.Store(int64(n)) }
	p, err := provider.New(cfg)
	if err != nil {
		return nil, err
	}
	d.Provider = p
	ctx, d.cancel = context.WithCancel(ctx)
	go func() { d.ended <- p.Run(ctx) }()
	select {
	case <-p.Ready():
		return d, nil
	case err := <-d.ended:
		d.cancel()
		return nil, errors.Join(errors.New("the device ended before it was ready"), err)
	}
}

func (d *device) stop() error {
	d.cancel()
	return <-d.ended
}

func (d *device) endpoint() discovery.Endpoint {
	return discovery.Endpoint{EPR: d.EPR(), XAddrs: d.XAddrs()}
}

// pair is one device and one consumer that mirrors it.
type pair struct {
	dev  *device
	cons *consumer.Consumer
	link *consumer.Device
}

// proofInterval is that of the measured consumers. A device under full load on a slow machine owes reports for longer than a
// consumer at a patient would put up with, and that is what is measured.
const proofInterval = time.Minute

func (e *env) startPair(ctx context.Context, snap *mdib.Snapshot) (*pair, error) {
	pid, err := e.ca.identity("device", sdc.RoleProvider)
	if err != nil {
		return nil, err
	}
	cid, err := e.ca.identity("consumer", sdc.RoleConsumer)
	if err != nil {
		return nil, err
	}
	dev, err := startDevice(ctx, provider.Config{MDIB: snap, Identity: pid, Policy: provider.AllowAll()})
	if err != nil {
		return nil, err
	}
	p := &pair{dev: dev}
	if p.cons, err = consumer.New(ctx, consumer.Config{Identity: cid, ProofInterval: proofInterval}); err != nil {
		return nil, errors.Join(err, p.close())
	}
	if p.link, err = p.cons.Connect(ctx, dev.endpoint()); err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

func (p *pair) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	var err error
	if p.cons != nil {
		err = p.cons.Close(ctx)
	}
	return errors.Join(err, p.dev.stop())
}

// host is the i-th address of loopback, so that many participants do not look like one that opens too many connections.
func host(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{127, 0, byte(1 + i/200), byte(1 + i%200)})
}

// dialFrom opens connections from an address of loopback.
func dialFrom(a netip.Addr) func(ctx context.Context, network, addr string) (net.Conn, error) {
	d := &net.Dialer{LocalAddr: &net.TCPAddr{IP: a.AsSlice()}}
	return d.DialContext
}

// follow calls take with each report of a device until ctx ends; from the closing of started on none is missed. What goes wrong is the
// error; a gap is wrong as well.
func follow(ctx context.Context, link *consumer.Device, started chan<- struct{}, take func(consumer.Update)) error {
	first := true
	for u, err := range link.Updates(ctx) {
		if first {
			close(started)
			first = false
		}
		switch {
		case err != nil:
			return err
		case u.Gap != nil:
			return fmt.Errorf("a gap: %w", u.Gap.Cause)
		case u.Link.State != consumer.Live:
			return fmt.Errorf("the link is %v: %w", u.Link.State, u.Link.Cause)
		case u.Report != nil:
			take(u)
		}
	}
	return nil
}
