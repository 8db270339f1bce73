package consumer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/soap"
	"github.com/semeco/go-sdc/soap/eventing"
)

// Discovery finds devices for a consumer. It is a [discovery.Client] that asks the discovery
// proxy of Config.DiscoveryProxy where there is one. Close it before the consumer.
type Discovery struct {
	*discovery.Client
	proxy *soap.Client
	sink  *eventing.Sink
}

// NewDiscovery opens discovery on the network of the consumer, managed by the proxy that
// Config.DiscoveryProxy names. A Transport, UDP, Journal and the address of a proxy in cfg go before; Client
// and Sink of cfg.Managed are set here, as is PeerClient if there is none. [Consumer.AddLocator] has devices found again by it.
func (c *Consumer) NewDiscovery(cfg discovery.ClientConfig) (*Discovery, error) {
	c.mu.Lock()
	closed := c.closed
	c.mu.Unlock()
	if closed {
		return nil, ErrClosed
	}
	if cfg.UDP.IsZero() {
		cfg.UDP = c.cfg.Network.UDP()
	}
	if cfg.Logger == nil {
		cfg.Logger = c.cfg.Logger
	}
	if cfg.Journal == nil {
		cfg.Journal = c.journal()
	}
	m := &cfg.Managed
	if m.URL == "" && !m.Learn {
		if m.Learn = c.cfg.DiscoveryProxy == sdc.LearnProxy; !m.Learn {
			m.URL = c.cfg.DiscoveryProxy
		}
	}
	d := new(Discovery)
	if m.URL != "" || m.Learn {
		client := soap.ClientConfig{Insecure: c.cfg.Insecure, Dial: c.cfg.Dial, LocalAddr: c.localAddr, Timeout: c.cfg.RequestTimeout, Limits: c.cfg.Limits, Journal: c.journal(), Logger: c.cfg.Logger}
		if id := c.cfg.Identity; id != nil {
			a := id.ProxyAdmission()
			client.TLS, client.Recheck = id.Open(a), id.Recheck(a)
		}
		var err error
		if d.proxy, err = soap.NewClient(client); err == nil {
			// A sink of its own, whose client knows what a proxy must state.
			d.sink, err = eventing.NewSink(eventing.SinkConfig{Server: c.server, Client: d.proxy, BaseURLFor: c.notifyAt, Logger: c.cfg.Logger})
		}
		if err != nil {
			return nil, fmt.Errorf("consumer: %w", err)
		}
		m.Client, m.Sink = d.proxy, d.sink
	}
	if len(cfg.Peers) > 0 && cfg.PeerClient == nil {
		cfg.PeerClient = c.client
	}
	client, err := discovery.NewClient(cfg)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("consumer: %w", err), d.closeProxy())
	}
	d.Client = client
	return d, nil
}

// Close ends everything under way and waits for it.
func (d *Discovery) Close() error {
	return errors.Join(d.Client.Close(), d.closeProxy())
}

func (d *Discovery) closeProxy() error {
	if d.proxy == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	err := d.sink.Close(ctx)
	d.proxy.Close()
	return err
}
