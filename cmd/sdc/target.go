package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/keyfile"
	"github.com/semeco/go-sdc/soap"
	"github.com/semeco/go-sdc/soap/dpws"
)

// netFlags say where on the network a command lives.
type netFlags struct {
	journalFlags
	IP             []netip.Addr `name:"ip" placeholder:"ADDR" help:"Address of an interface to use, IPv4 or IPv6; repeatable. Default: 127.0.0.1, so that nothing leaves this host."`
	Interface      []string     `placeholder:"NAME" help:"Interface to use, with one address of each IP family, followed as they change; repeatable, and together with --ip."`
	TTL            int          `name:"ttl" default:"1" placeholder:"HOPS" help:"How many hops multicast messages may go, 1 to 255. Default: 1, the link."`
	DiscoveryProxy string       `name:"discovery-proxy" placeholder:"URL" help:"Announce at and ask a discovery proxy; auto takes the one that makes itself known. Default: multicast."`
	Peer           []string     `placeholder:"URL" help:"Ask this device as well when looking for devices, across routers, at its URL or by datagram at soap.udp://ADDRESS; repeatable."`
	DiscoveryPort  uint16       `hidden:"" default:"3702" help:"UDP port of WS-Discovery; others than 3702 are for tests."`
}

func (f *netFlags) network() sdc.Network {
	n := sdc.Network{Interfaces: f.Interface, TTL: f.TTL, DiscoveryPort: f.DiscoveryPort}
	if len(f.IP) == 1 && len(f.Interface) == 0 {
		n.Address = f.IP[0]
	} else {
		n.Addresses = f.IP
	}
	return n
}

// Validate refuses what this host cannot use, before anything is done. It is called by the parser.
func (f *netFlags) Validate() error {
	if f.TTL < 1 || f.TTL > 255 {
		return fmt.Errorf("--ttl takes 1 to 255, not %d", f.TTL)
	}
	for _, p := range f.Peer {
		if err := checkPeer(p); err != nil {
			return err
		}
	}
	return f.network().Validate()
}

// discover opens discovery by datagrams, which needs no trust.
func (f *netFlags) discover(e *env) (*discovery.Client, error) {
	n := f.network()
	if err := n.Validate(); err != nil {
		return nil, usageError{err}
	}
	return discovery.NewClient(discovery.ClientConfig{UDP: n.UDP(), Peers: f.Peer, Journal: soap.JournalOf(e.journal, "consumer", ""), Logger: e.log})
}

// finder opens discovery as the flags say. trust is needed for a proxy alone.
func (f *netFlags) finder(e *env, trust trustFlags) (finder, error) {
	byDatagram := func(peer string) bool { return strings.HasPrefix(peer, "soap.udp://") }
	if f.DiscoveryProxy == "" && !slices.ContainsFunc(f.Peer, func(p string) bool { return !byDatagram(p) }) {
		return f.discover(e)
	}
	n := f.network()
	if err := n.Validate(); err != nil {
		return nil, usageError{err}
	}
	if err := sdc.CheckProxy(f.DiscoveryProxy); err != nil {
		return nil, usageError{err}
	}
	id, err := trust.identity("consumer", e)
	if err != nil {
		return nil, err
	}
	c, err := consumer.New(e.ctx, consumer.Config{Identity: id, Insecure: trust.Insecure, Network: n, DiscoveryProxy: f.DiscoveryProxy, Journal: e.journal, Logger: e.log})
	if err != nil {
		return nil, err
	}
	d, err := f.discoveryOf(e, c)
	if err != nil {
		return nil, errors.Join(err, c.Close(e.ctx))
	}
	return proxied{d, c}, nil
}

// discoveryOf opens discovery for a consumer that was made with DiscoveryProxy.
func (f *netFlags) discoveryOf(e *env, c *consumer.Consumer) (*consumer.Discovery, error) {
	cfg := discovery.ClientConfig{MaxEndpoints: maxListed, Peers: f.Peer}
	cfg.Managed.Changed = func(proxy string, err error) {
		if proxy == "" && err != nil && e.ctx.Err() == nil { // who names a proxy must not take the answers of others for its
			fmt.Fprintf(e.err, "sdc: warning: the discovery proxy cannot be used, so the network is asked by multicast: %s\n", oneLine(err))
		}
	}
	return c.NewDiscovery(cfg)
}

// maxListed is how many devices a command takes from a proxy.
const maxListed = 100_000

// finder is what commands need of discovery.
type finder interface {
	Probe(ctx context.Context, f discovery.Filter, d time.Duration) ([]discovery.Endpoint, error)
	Resolve(ctx context.Context, epr string) (discovery.Endpoint, error)
	Close() error
}

// proxied is discovery by a proxy, with the consumer it belongs to.
type proxied struct {
	*consumer.Discovery
	consumer *consumer.Consumer
}

func (p proxied) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return errors.Join(p.Discovery.Close(), p.consumer.Close(ctx))
}

// trustFlags say how connections are secured. One of them must be given: a
// command never makes that choice on its own.
type trustFlags struct {
	TLS            string `name:"tls" placeholder:"DIR" xor:"trust" help:"Folder with ca.pem, cert.pem and key.pem, or identity.p12 (sdc pki issue); crl.pem, allow.txt and deny.txt are read if there are any."`
	PassphraseFile string `name:"passphrase-file" type:"existingfile" placeholder:"FILE" help:"Passphrase of an encrypted key in that folder. Default: the variable SDC_PASSPHRASE."`
	TLSKeyLog      string `name:"tls-keylog" placeholder:"FILE" help:"Append the keys of all TLS connections to this file, for Wireshark: whoever has it reads all that was said, and it takes no part in the trust between devices. For a test bench only."`
	Insecure       bool   `xor:"trust" help:"Plain HTTP without encryption or authentication. For a bench only."`
}

// identity is what the program acts as. Consumers and proxies refuse a certificate that is for another role; devices take it, since a test may want just that, but
// never without a word.
func (f *trustFlags) identity(role string, e *env) (*sdc.Identity, error) {
	switch {
	case f.PassphraseFile != "" && f.TLS == "":
		return nil, usagef("--passphrase-file is for the key in the folder of --tls, which is not given")
	case f.TLS != "":
		folder := sdc.Folder{Dir: f.TLS}
		passphrase, err := keyfile.Read(f.PassphraseFile)
		if err != nil {
			return nil, err
		}
		if passphrase != nil {
			folder.Decrypter = passphrase
		}
		id, err := folder.Load()
		if err != nil {
			return nil, err
		}
		id.Logger = e.log
		if e.keyLog != nil {
			id.KeyLog = e.keyLog
		}
		if has := id.Roles(); role == "provider" && has&sdc.RoleProvider == 0 {
			fmt.Fprintf(e.err, "sdc: warning: the certificate in %s is for roles: %s; consumers that check will refuse this device\n", f.TLS, has)
		}
		return id, nil
	case f.Insecure:
		return nil, nil //nolint:nilnil // no identity is what --insecure means
	}
	return nil, usagef("certificates are needed: call this again with --insecure on a bench, or with --tls pki/%[1]s after making some for a test by `sdc pki init pki` and `sdc pki issue pki %[1]s --role %[1]s`", role)
}

// deviceFlags are what every command has that talks to a device.
type deviceFlags struct {
	netFlags
	trustFlags
	AllowHost []string      `name:"allow-host" placeholder:"HOST" help:"Host that the device may name for its services besides the one it is reached at; repeatable. Default: none, so that a device cannot lead elsewhere."`
	Timeout   time.Duration `default:"15s" help:"How long finding and connecting may take."`
}

// Validate is called by the parser.
func (f *deviceFlags) Validate() error {
	if f.Timeout <= 0 {
		return fmt.Errorf("--timeout takes a positive duration, not %s", f.Timeout)
	}
	if err := checkHosts("--allow-host", f.AllowHost); err != nil {
		return err
	}
	return f.netFlags.Validate()
}

// consumer makes the participant that a command acts as.
func (f *deviceFlags) consumer(e *env) (*consumer.Consumer, error) {
	id, err := f.identity("consumer", e)
	if err != nil {
		return nil, err
	}
	return consumer.New(e.ctx, consumer.Config{
		Identity: id, Insecure: f.Insecure, Network: f.network(), DiscoveryProxy: f.DiscoveryProxy, Journal: e.journal, Logger: e.log,
		AllowAddress: consumer.AllowHosts(f.AllowHost...),
		// Whoever tests a device on the command line may try everything it has.
		AccessLevels: []pm.AccessLevel{pm.AccessLevelUsr, pm.AccessLevelCSUsr, pm.AccessLevelRO, pm.AccessLevelSP, pm.AccessLevelOth},
	})
}

// connect finds the target and connects to it. close must be called.
func (f *deviceFlags) connect(e *env, target string) (dev *consumer.Device, closeAll func(), err error) {
	if isURL(target) {
		if err := checkURL("the target", target); err != nil {
			return nil, nil, err
		}
	}
	c, err := f.consumer(e)
	if err != nil {
		return nil, nil, err
	}
	closeAll = func() { closeConsumer(e, c) }
	ctx, cancel := context.WithTimeout(e.ctx, f.Timeout)
	defer cancel()
	ep := discovery.Endpoint{XAddrs: []string{target}}
	if !isURL(target) {
		d, err := f.discoveryOf(e, c)
		if err != nil {
			closeAll()
			return nil, nil, err
		}
		closeAll = func() {
			_ = d.Close() // what was found is what counts
			closeConsumer(e, c)
		}
		if ep, err = f.findBy(ctx, e, d, target); err != nil {
			closeAll()
			return nil, nil, err
		}
		c.AddLocator(d) // where it goes, or comes back from, it is found again
	}
	dev, err = c.Connect(ctx, ep)
	if err != nil {
		closeAll()
		return nil, nil, err
	}
	return dev, closeAll, nil
}

// closeConsumer says goodbye to all devices.
func closeConsumer(e *env, c *consumer.Consumer) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(e.ctx), 5*time.Second)
	defer cancel()
	if err := c.Close(ctx); err != nil {
		e.log.Warn("disconnecting", "error", err)
	}
}

// httpClient is for asking devices for their metadata without connecting.
func (f *deviceFlags) httpClient(e *env) (*soap.Client, error) {
	id, err := f.identity("consumer", e)
	if err != nil {
		return nil, err
	}
	cfg := soap.ClientConfig{Insecure: f.Insecure, Journal: soap.JournalOf(e.journal, "consumer", ""), Logger: e.log}
	if id != nil {
		cfg.TLS = id.ClientTLS(sdc.RoleProvider)
	}
	return soap.NewClient(cfg)
}

// find turns what the user calls a device into an endpoint with addresses.
func (f *deviceFlags) find(ctx context.Context, e *env, target string) (discovery.Endpoint, error) {
	if isURL(target) { // needs no discovery
		return discovery.Endpoint{XAddrs: []string{target}}, checkURL("the target", target)
	}
	client, err := f.finder(e, f.trustFlags)
	if err != nil {
		return discovery.Endpoint{}, err
	}
	defer func() { _ = client.Close() }() // what was found is what counts
	return f.findBy(ctx, e, client, target)
}

// findBy is find by discovery that is open already.
func (f *deviceFlags) findBy(ctx context.Context, e *env, client finder, target string) (discovery.Endpoint, error) {
	if isURL(target) {
		return discovery.Endpoint{XAddrs: []string{target}}, checkURL("the target", target)
	}
	if strings.HasPrefix(target, "urn:uuid:") && len(target) == len("urn:uuid:00000000-0000-0000-0000-000000000000") {
		ep, err := client.Resolve(ctx, target)
		if err != nil {
			return ep, fmt.Errorf("no device answers to %s: %w", target, err)
		}
		return ep, nil
	}
	all, err := client.Probe(ctx, discovery.Filter{Types: discovery.DeviceTypes()}, 3*time.Second)
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return discovery.Endpoint{}, err
	}
	found := matchEPR(all, target)
	if len(found) == 0 {
		if found, err = f.matchName(ctx, e, all, target); err != nil {
			return discovery.Endpoint{}, err
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return discovery.Endpoint{}, fmt.Errorf("no device found for %q (%d on the network; sdc discover lists them)", target, len(all))
	}
	var names []string
	for _, ep := range found {
		names = append(names, ep.EPR)
	}
	return discovery.Endpoint{}, fmt.Errorf("%q is not unique: %s", target, strings.Join(names, ", "))
}

// matchEPR finds endpoints by a prefix of their reference, with or without urn:uuid:.
func matchEPR(all []discovery.Endpoint, prefix string) []discovery.Endpoint {
	var out []discovery.Endpoint
	for _, ep := range all {
		if strings.HasPrefix(ep.EPR, prefix) || strings.HasPrefix(strings.TrimPrefix(ep.EPR, "urn:uuid:"), prefix) {
			out = append(out, ep)
		}
	}
	return out
}

// matchName asks every device for its friendly name.
func (f *deviceFlags) matchName(ctx context.Context, e *env, all []discovery.Endpoint, name string) ([]discovery.Endpoint, error) {
	client, err := f.httpClient(e)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	var out []discovery.Endpoint
	for _, ep := range all {
		m, err := getMetadata(ctx, client, ep)
		if err != nil {
			e.log.Warn("a device does not tell its name", "epr", ep.EPR, "error", err)
			continue
		}
		if m.ThisDevice != nil && slices.ContainsFunc(m.ThisDevice.FriendlyName, func(s dpws.LocalizedString) bool {
			return strings.EqualFold(s.Text, name)
		}) {
			out = append(out, ep)
		}
	}
	return out, nil
}

func getMetadata(ctx context.Context, client *soap.Client, ep discovery.Endpoint) (*dpws.Metadata, error) {
	errs := []error{}
	for _, url := range ep.XAddrs {
		m, err := dpws.GetDevice(ctx, client, url, ep.EPR)
		if err == nil {
			return m, nil
		}
		errs = append(errs, err)
	}
	return nil, fmt.Errorf("no address answers: %w", errors.Join(errs...))
}
