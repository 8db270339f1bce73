package provider

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/soap"
)

// newTarget describes the device to discovery. proxy, which may be nil, reaches a discovery proxy.
func (p *Provider) newTarget(ln *sdc.Listener, proxy *soap.Client) (target *discovery.Target, err error) {
	udp := p.cfg.Network.UDP()
	udp.Changed = func([]netip.Addr) {
		// The Hello on a link that has come is to name the address there.
		ln.Refresh()
		p.readdress(target, ln)
	}
	managed := discovery.ManagedConfig{Client: proxy, URL: p.cfg.DiscoveryProxy}
	if managed.URL == sdc.LearnProxy {
		managed.URL, managed.Learn = "", true
	}
	target, err = discovery.NewTarget(discovery.TargetConfig{
		Endpoint: discovery.Endpoint{
			EPR: p.cfg.EPR, Types: discovery.DeviceTypes(), Scopes: p.scopes(p.MDIB()), XAddrs: p.xaddrs(ln),
		},
		Transport: p.cfg.Transport,
		UDP:       udp,
		Timing:    p.cfg.Timing, InstanceID: p.cfg.InstanceID,
		Managed: managed, Journal: p.journal(), Logger: p.log,
	})
	return target, err
}

// readdress announces where the device is now, if that is new. Consumers that are connected by another address stay so; the others look for the
// device (SDPi R2000, WSD-4).
func (p *Provider) readdress(target *discovery.Target, ln *sdc.Listener) {
	if err := target.SetXAddrs(p.xaddrs(ln)); err != nil {
		p.log.LogAttrs(context.Background(), slog.LevelError, "the addresses cannot be announced", slog.String("error", err.Error()))
	}
}

// proxyClient reaches a discovery proxy; nil without one.
func (p *Provider) proxyClient() (*soap.Client, error) {
	if p.cfg.DiscoveryProxy == "" {
		return nil, nil //nolint:nilnil // there is nothing to reach
	}
	cfg := soap.ClientConfig{Insecure: p.cfg.Insecure, Dial: p.cfg.Dial, Journal: p.journal(), Logger: p.log}
	if id := p.cfg.Identity; id != nil {
		a := id.ProxyAdmission()
		cfg.TLS, cfg.Recheck = id.Open(a), id.Recheck(a)
	}
	return soap.NewClient(cfg)
}

// SayHello announces the device once more, as it is. When it returns the message is out; Config.Timing says how it is repeated. It is an error
// while the device is not on the network.
func (p *Provider) SayHello() error {
	target := p.target.Load()
	if target == nil {
		return fmt.Errorf("provider: %w", discovery.ErrNotRunning)
	}
	return target.SayHello()
}

// announcement is the device's presence in discovery, from Hello to Bye.
type announcement struct {
	cancel context.CancelFunc
	wg     sync.WaitGroup
	err    error // of the target; valid when wg is done
}

// announce says Hello and keeps the announcement up to date. It returns once the device can be found.
func (p *Provider) announce(ctx context.Context, target *discovery.Target, ln *sdc.Listener) (*announcement, error) {
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	a := &announcement{cancel: cancel}
	ended := make(chan struct{})
	a.wg.Go(func() {
		defer close(ended)
		if a.err = target.Run(own); a.err != nil {
			// Consumers that are connected are still served; those that look for the device do not find it.
			p.log.LogAttrs(own, slog.LevelError, "discovery has failed", slog.String("error", a.err.Error()))
		}
	})
	a.wg.Go(func() {
		for {
			select {
			case <-ended:
				return
			case <-own.Done():
				return
			case <-ln.Changed():
				p.readdress(target, ln)
			case <-p.rescope:
				if err := target.SetScopes(p.scopes(p.MDIB())); err != nil {
					p.log.LogAttrs(own, slog.LevelError, "the scopes cannot be announced", slog.String("error", err.Error()))
				}
			}
		}
	})
	select {
	case <-target.Ready():
		return a, nil
	case <-ctx.Done():
		return a, nil
	case <-ended:
		cancel()
		a.wg.Wait()
		if a.err == nil {
			a.err = errors.New("ended before it began")
		}
		return nil, fmt.Errorf("provider: discovery: %w", a.err)
	}
}

// leave says Bye (WSD-5).
func (a *announcement) leave(ctx context.Context) error {
	a.cancel()
	done := make(chan struct{})
	go func() {
		a.wg.Wait()
		close(done)
	}()
	select {
	case <-done:
		return a.err
	case <-ctx.Done():
		return errors.New("provider: no time left to say Bye")
	}
}
