package plugathon_test

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/internal/testkit/bubble"
	"github.com/semeco/go-sdc/internal/testkit/memnet"
	"github.com/semeco/go-sdc/internal/testkit/reftest"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/plugathon"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/localization"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/simulators"
	"github.com/semeco/go-sdc/simulators/reference"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	deviceIP   = "192.0.2.1"
	consumerIP = "192.0.2.2"
)

// bench is a network in memory with a device that starts when it is looked for, and somebody who plays the script against it.
type bench struct {
	t     *testing.T
	net   *memnet.Network
	hosts []string // for transports of discovery, one each
}

// transport returns a transport on a host; memnet has one socket of a port on each.
func (b *bench) transport(ip string) (discovery.Transport, error) {
	host := b.net.Host(ip)
	receive, err := host.ListenPacket(discovery.DefaultPort)
	if err != nil {
		return nil, err
	}
	if err := receive.JoinGroup(discovery.GroupIPv4()); err != nil {
		return nil, err
	}
	send, err := host.ListenPacket(0)
	if err != nil {
		return nil, err
	}
	return discovery.NewPacketTransport(receive, send, netip.AddrPortFrom(discovery.GroupIPv4(), discovery.DefaultPort)), nil
}

func (b *bench) discovery() (discovery.Transport, error) {
	ip := b.hosts[0]
	b.hosts = b.hosts[1:]
	return b.transport(ip)
}

// play runs the script in virtual time and returns results by step.
func play(t *testing.T, device func(ctx context.Context, cfg provider.Config, ready func(*provider.Provider)) error, change func(*provider.Config, *plugathon.Config)) map[string]plugathon.Result {
	t.Helper()
	out := map[string]plugathon.Result{}
	bubble.Test(t, func(t *testing.T) {
		b := &bench{t: t, net: memnet.New(memnet.Config{}), hosts: []string{"192.0.2.3", "192.0.2.4"}}
		defer b.net.Close()
		here, there := b.net.Host(deviceIP), b.net.Host(consumerIP)
		transport, err := b.transport(deviceIP)
		require.NoError(t, err)
		defer func() { require.NoError(t, transport.Close()) }()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		started := false
		defer func() {
			cancel()
			if started {
				require.NoError(t, <-ended)
			}
		}()
		pc := provider.Config{
			EPR: "urn:uuid:5b0f4f5e-0c3e-4e0c-9c60-3c1f5c9d3a11", Insecure: true, Listen: here.ListenAny, Dial: here.Dial, Transport: transport,
			MaxSubscription: 15 * time.Second,
		}
		c, err := consumer.New(ctx, consumer.Config{Insecure: true, Listen: there.ListenAny, Dial: there.Dial})
		require.NoError(t, err)
		defer func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			require.NoError(t, c.Close(ctx))
		}()
		cfg := plugathon.Config{Consumer: c, Discovery: b.discovery}
		cfg.Find = func(context.Context) (discovery.Endpoint, error) {
			ready := make(chan *provider.Provider, 1)
			started = true
			go func() { ended <- device(ctx, pc, func(p *provider.Provider) { ready <- p }) }()
			select {
			case p := <-ready:
				return discovery.Endpoint{EPR: p.EPR(), XAddrs: p.XAddrs()}, nil
			case err := <-ended:
				ended <- err
				return discovery.Endpoint{}, errors.New("the device ended before it was ready")
			}
		}
		if change != nil {
			change(&pc, &cfg)
		}
		results, err := plugathon.Run(ctx, cfg)
		require.NoError(t, err)
		for _, r := range results {
			out[r.ID] = r
		}
	})
	return out
}

// referenceDevice animates an MDIB; nil is the device's own.
func referenceDevice(snap *mdib.Snapshot) func(context.Context, provider.Config, func(*provider.Provider)) error {
	return func(ctx context.Context, cfg provider.Config, ready func(*provider.Provider)) error {
		sim, err := reference.New(reference.Config{MDIB: snap})
		if err != nil {
			return err
		}
		return simulators.Run(ctx, sim, cfg, ready)
	}
}

const silentMDIB = "../sdc/provider/testdata/device.xml"

// silentDevice serves an MDIB in which nothing happens.
func silentDevice(path string) func(context.Context, provider.Config, func(*provider.Provider)) error {
	return func(ctx context.Context, cfg provider.Config, ready func(*provider.Provider)) error {
		snap, err := mdib.ReadFile(path)
		if err != nil {
			return err
		}
		cfg.MDIB = snap
		p, err := provider.New(cfg)
		if err != nil {
			return err
		}
		served := make(chan error, 1)
		go func() { served <- p.Run(ctx) }()
		select {
		case err := <-served:
			return err
		case <-p.Ready():
		}
		ready(p)
		return <-served
	}
}

// texts has two versions of a text, and those that an MDIB refers to.
func texts(t *testing.T, snap *mdib.Snapshot, languages ...string) *localization.Catalogue {
	t.Helper()
	refs := map[string]bool{"script": true}
	localization.References(snap.MdDescription(), func(text pm.LocalizedText) { refs[text.Ref] = true })
	var all []localization.Text
	for ref := range refs {
		for _, lang := range languages {
			for version := range uint64(2) {
				all = append(all, localization.Text{Ref: ref, Version: version + 1, Lang: lang, Content: "text in " + lang})
			}
		}
	}
	c, err := localization.New(all...)
	require.NoError(t, err)
	return c
}

func requireOutcomes(t *testing.T, results map[string]plugathon.Result, want map[string]plugathon.Outcome) {
	t.Helper()
	for _, s := range plugathon.Steps() {
		outcome, ok := want[s.ID]
		if !ok {
			outcome = want["*"]
		}
		r := results[s.ID]
		require.NotEmpty(t, r.Evidence, s.ID)
		require.Equal(t, outcome, r.Outcome, "%s %s: %s", r.ID, r.Title, r.Evidence)
	}
}

func TestReferenceDevicePassesEveryStep(t *testing.T) {
	own, err := reference.Default()
	require.NoError(t, err)
	mdibs := map[string]*mdib.Snapshot{"its own MDIB": own}
	for _, path := range reftest.Samples(t, "mdibs/sdc11073-PlugathonMdibV2.xml") {
		snap, err := mdib.ReadFile(path)
		require.NoError(t, err)
		mdibs["the plug-a-thon's"] = snap
	}
	for name, snap := range mdibs {
		t.Run(name, func(t *testing.T) {
			results := play(t, referenceDevice(snap), nil)
			requireOutcomes(t, results, map[string]plugathon.Outcome{"*": plugathon.Pass, "1c": plugathon.Skip, "1d": plugathon.Skip})
			require.Contains(t, results["1a"].Evidence, "Hello of urn:uuid:5b0f4f5e")
			require.Contains(t, results["2b"].Evidence, "15s renewed")
		})
	}
}

// What does not happen is not passed.
func TestSilentDeviceFails(t *testing.T) {
	results := play(t, silentDevice(silentMDIB), nil)
	requireOutcomes(t, results, map[string]plugathon.Outcome{
		"*": plugathon.Fail, "1a": plugathon.Pass, "1b": plugathon.Pass, "1c": plugathon.Skip, "1d": plugathon.Skip,
		"2a": plugathon.Pass, "2b": plugathon.Pass, "3a": plugathon.Pass, "3b": plugathon.Pass, "4e": results["4e"].Outcome,
		"6b": results["6b"].Outcome, "6e": results["6e"].Outcome, "6f": results["6f"].Outcome, // depend on what the MDIB has
		"7a": plugathon.Skip, "7b": plugathon.Skip, "7c": plugathon.Skip, // there is no such service
	})
	for _, id := range []string{"4e", "6b", "6e", "6f"} {
		require.NotEqual(t, plugathon.Pass, results[id].Outcome, id)
	}
	require.Contains(t, results["7a"].Evidence, "LocalizationService")
}

func TestMissingLanguagesFail(t *testing.T) {
	snap, err := mdib.ReadFile(silentMDIB)
	require.NoError(t, err)
	results := play(t, silentDevice(silentMDIB), func(pc *provider.Config, cfg *plugathon.Config) {
		pc.Localization = texts(t, snap, "en-US", "de")
		cfg.Steps = []string{"7a", "7b", "7c"}
	})
	require.Len(t, results, 3, "only the steps asked for")
	require.Equal(t, plugathon.Fail, results["7a"].Outcome)
	require.Contains(t, results["7a"].Evidence, "missing el-GR zh-CN")
	require.Equal(t, plugathon.Pass, results["7b"].Outcome, results["7b"].Evidence)
	require.Equal(t, plugathon.Pass, results["7c"].Outcome, results["7c"].Evidence)
}

func TestLongSubscriptionsFail(t *testing.T) {
	results := play(t, referenceDevice(nil), func(pc *provider.Config, cfg *plugathon.Config) {
		pc.MaxSubscription = 20 * time.Second
		cfg.Steps = []string{"2b"}
	})
	require.Equal(t, plugathon.Fail, results["2b"].Outcome)
	require.Contains(t, results["2b"].Evidence, "20s")
}

// Without discovery nothing is said of it.
func TestWithoutDiscovery(t *testing.T) {
	results := play(t, referenceDevice(nil), func(_ *provider.Config, cfg *plugathon.Config) {
		cfg.Discovery = nil
		cfg.Steps = []string{"1a", "1b"}
	})
	require.Equal(t, plugathon.Skip, results["1a"].Outcome)
	require.Equal(t, plugathon.Skip, results["1b"].Outcome)
}

// An effect counts that came and went: devices go on changing what was set, and may have done so before the consumer is told that the operation has ended.
func TestEffectsThatDoNotLastAreSeen(t *testing.T) {
	results := play(t, restlessDevice, func(_ *provider.Config, cfg *plugathon.Config) {
		cfg.Steps = []string{"6c", "6e", "6f"}
		cfg.StepTimeout = 5 * time.Second
	})
	for _, id := range []string{"6c", "6e", "6f"} {
		require.Equal(t, plugathon.Pass, results[id].Outcome, "%s: %s", id, results[id].Evidence)
	}
}

// restlessDevice does what operations ask for, and something else right after.
func restlessDevice(ctx context.Context, cfg provider.Config, ready func(*provider.Provider)) error {
	snap, err := reference.Default()
	if err != nil {
		return err
	}
	cfg.MDIB, cfg.MetricsBeyondTarget = snap, true
	p, err := provider.New(cfg)
	if err != nil {
		return err
	}
	undo := func(handles ...string) error {
		return p.Update(func(tx *mdib.Tx) error {
			for _, h := range handles {
				state, err := mdib.Edit[pm.MetricState](tx, h)
				if err != nil {
					return err
				}
				switch s := state.(type) {
				case *pm.NumericMetricState:
					s.MetricValue.Value = pm.Some(pm.MustDecimal("-1"))
				case *pm.StringMetricState:
					s.MetricValue.Value = pm.Some("something else")
				}
			}
			return nil
		})
	}
	for e := range snap.Entities() {
		switch e.Descriptor.(type) {
		case *pm.SetValueOperationDescriptor:
			err = p.HandleSetValue(e.Handle, func(_ context.Context, call *provider.SetValue) error {
				return errors.Join(call.Update(func(tx *mdib.Tx) error { return tx.SetNumeric(call.Target, call.Value, time.Now()) }), undo(call.Target))
			})
		case *pm.SetMetricStateOperationDescriptor:
			err = p.HandleSetMetricState(e.Handle, func(ctx context.Context, call *provider.SetMetricState) error {
				var handles []string
				for _, s := range call.Proposed {
					handles = append(handles, pm.HandleOf(s))
				}
				return errors.Join(p.ApplyMetricStates(ctx, call), undo(handles...))
			})
		case *pm.ActivateOperationDescriptor:
			err = p.HandleActivate(e.Handle, func(_ context.Context, call *provider.Activate) error {
				joined := ""
				for _, a := range call.Arguments {
					joined += a.Value
				}
				return errors.Join(call.Update(func(tx *mdib.Tx) error { return tx.SetString(call.Target, joined, time.Now()) }), undo(call.Target))
			})
		}
		if err != nil {
			return err
		}
	}
	served := make(chan error, 1)
	go func() { served <- p.Run(ctx) }()
	select {
	case err := <-served:
		return err
	case <-p.Ready():
	}
	ready(p)
	return <-served
}

// deafAtFirst is a transport that loses what arrives until a while has passed.
type deafAtFirst struct {
	discovery.Transport
	until time.Time
}

func (d deafAtFirst) Serve(ctx context.Context, handle func(discovery.Datagram)) error {
	return d.Transport.Serve(ctx, func(g discovery.Datagram) {
		if time.Now().After(d.until) {
			handle(g)
		}
	})
}

// Datagrams may be lost, or late: a device has more than one chance to answer, but not any number.
func TestProbesAreRepeated(t *testing.T) {
	for lost, want := range map[time.Duration]plugathon.Outcome{3500 * time.Millisecond: plugathon.Pass, time.Hour: plugathon.Fail} {
		results := play(t, referenceDevice(nil), func(_ *provider.Config, cfg *plugathon.Config) {
			open := cfg.Discovery
			cfg.Discovery = func() (discovery.Transport, error) {
				transport, err := open()
				return deafAtFirst{transport, time.Now().Add(lost)}, err
			}
			cfg.Steps = []string{"1b"}
		})
		require.Equal(t, want, results["1b"].Outcome, results["1b"].Evidence)
		if want == plugathon.Pass {
			require.Contains(t, results["1b"].Evidence, "ProbeMatch to Probe number ")
		} else {
			require.Contains(t, results["1b"].Evidence, "among 0 to 3 Probes")
		}
	}
}

func TestDeviceThatIsNotThere(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		network := memnet.New(memnet.Config{})
		defer network.Close()
		there := network.Host(consumerIP)
		c, err := consumer.New(t.Context(), consumer.Config{Insecure: true, Listen: there.ListenAny, Dial: there.Dial})
		require.NoError(t, err)
		defer func() { require.NoError(t, c.Close(context.Background())) }()
		for name, find := range map[string]func(context.Context) (discovery.Endpoint, error){
			"not found": func(context.Context) (discovery.Endpoint, error) {
				return discovery.Endpoint{}, errors.New("nobody there")
			},
			"not reached": func(context.Context) (discovery.Endpoint, error) {
				return discovery.Endpoint{EPR: "urn:uuid:1", XAddrs: []string{"http://192.0.2.9:1/"}}, nil
			},
		} {
			results, err := plugathon.Run(t.Context(), plugathon.Config{Consumer: c, Find: find})
			require.ErrorContains(t, err, "the device was not reached: ", name)
			require.Empty(t, results, name)
		}

		// One that is there and does not behave is judged.
		ln, err := network.Host(deviceIP).Listen(0)
		require.NoError(t, err)
		server := &http.Server{Handler: http.NotFoundHandler()}
		served := make(chan error, 1)
		go func() { served <- server.Serve(ln) }()
		defer func() {
			require.NoError(t, server.Close())
			require.ErrorIs(t, <-served, http.ErrServerClosed)
		}()
		results, err := plugathon.Run(t.Context(), plugathon.Config{Consumer: c, Find: func(context.Context) (discovery.Endpoint, error) {
			return discovery.Endpoint{EPR: "urn:uuid:1", XAddrs: []string{"http://" + ln.Addr().String() + "/"}}, nil
		}})
		require.NoError(t, err)
		require.Len(t, results, len(plugathon.Steps()))
		for _, r := range results {
			require.NotEqual(t, plugathon.Pass, r.Outcome, r.ID)
			if r.ID != "1c" && r.ID != "1d" {
				require.True(t, strings.HasPrefix(r.Evidence, "not connected: "), r.Evidence)
			}
		}
	})
}

func TestConfigIsChecked(t *testing.T) {
	find := func(context.Context) (discovery.Endpoint, error) { return discovery.Endpoint{}, nil }
	c, err := consumer.New(t.Context(), consumer.Config{Insecure: true, Network: sdc.Loopback()})
	require.NoError(t, err)
	defer func() { require.NoError(t, c.Close(context.Background())) }()
	for _, bad := range []plugathon.Config{
		{},
		{Consumer: c},
		{Consumer: c, Find: find, Steps: []string{"4z"}},
		{Consumer: c, Find: find, Window: -1},
		{Consumer: c, Find: find, StepTimeout: -1},
	} {
		_, err := plugathon.Run(t.Context(), bad)
		require.Error(t, err)
	}
}
