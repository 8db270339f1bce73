package web_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"net"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/internal/testkit/udpport"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/pki"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/simulators"
	"github.com/semeco/go-sdc/simulators/monitor"
	"github.com/semeco/go-sdc/simulators/physio"
	"github.com/semeco/go-sdc/simulators/ventilator"
	"github.com/semeco/go-sdc/station"
	"github.com/semeco/go-sdc/station/web"
)

func TestMain(m *testing.M) {
	if folder := os.Getenv(devicesFor); folder != "" {
		if err := runBeds(folder); err != nil {
			panic(err)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// scene is a station with simulated devices over mutual TLS on loopback, and its web view.
type scene struct {
	t       *testing.T
	ca      *pki.CA
	station *station.Station
	devices *devices
	url     string // of the web view, with a slash at the end

	mu     sync.Mutex
	events []web.Event
	broken bool // of the audit
}

// devices is a source of what the scene has started.
type devices struct {
	mu     sync.Mutex
	list   []discovery.Endpoint
	change chan struct{}
}

// newScene starts a station and its web view. edit may be nil.
func newScene(t *testing.T, edit func(*web.Config)) *scene {
	t.Helper()
	ca, err := pki.NewCA("", time.Hour)
	require.NoError(t, err)
	s := &scene{t: t, ca: ca}
	c, err := consumer.New(t.Context(), consumer.Config{Identity: s.identity("station", sdc.RoleConsumer), LostAfter: 2 * time.Second})
	require.NoError(t, err)
	s.devices = &devices{change: make(chan struct{}, 1)}
	s.station, err = station.New(station.Config{Consumer: c, Discovery: s.devices, Immediately: true})
	require.NoError(t, err)
	s.background(s.station.Run)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = c.Close(ctx) // devices may have gone
	})

	cfg := web.Config{Station: s.station, Title: "OR 3"}
	if edit != nil {
		edit(&cfg)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s.url = "http://" + l.Addr().String() + "/"
	s.serve(l, cfg)
	return s
}

// serve runs a web view of the station and returns what stops it.
func (s *scene) serve(l net.Listener, cfg web.Config) (stop func()) {
	s.t.Helper()
	h, err := web.New(cfg)
	require.NoError(s.t, err)
	return s.background(func(ctx context.Context) error { return web.Serve(ctx, l, h, nil) })
}

// audit collects events, and can break.
func (s *scene) audit(e web.Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken {
		return errors.New("disk full")
	}
	s.events = append(s.events, e)
	return nil
}

// background runs something until stop is called or the test ends.
func (s *scene) background(run func(ctx context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(s.t, <-ended)
	})
	s.t.Cleanup(stop)
	return stop
}

func (s *scene) identity(name string, role sdc.Role) *sdc.Identity {
	s.t.Helper()
	p, err := s.ca.Issue(pki.Request{Name: name, Role: role})
	require.NoError(s.t, err)
	id, err := p.Identity()
	require.NoError(s.t, err)
	return id
}

// running is a device of the scene.
type running struct {
	epr  string
	dev  *provider.Provider
	stop func()
}

// bed starts a ventilator and a monitor at one patient.
func (s *scene) bed(scenario physio.Scenario) (vent, mon *running) {
	s.t.Helper()
	opts := simulators.Options{
		Seed: 7, Scenario: scenario, Location: sdc.LocationDetail{Facility: "Hospital", PoC: "OR 3", Bed: "1"},
		Bed: simulators.NewBed(physio.Config{Seed: 7, Scenario: scenario}),
	}
	v, err := ventilator.New(opts)
	require.NoError(s.t, err)
	m, err := monitor.New(opts)
	require.NoError(s.t, err)
	return s.run(v), s.run(m)
}

func (s *scene) run(sim simulators.Simulator) *running {
	s.t.Helper()
	return s.runAs(uuid.New().URN(), sim)
}

// runAs starts a device under an address: again, if it was there before.
func (s *scene) runAs(epr string, sim simulators.Simulator) *running {
	s.t.Helper()
	r := &running{epr: epr}
	ready := make(chan *provider.Provider, 1)
	identity := s.identity("device", sdc.RoleProvider)
	r.stop = s.background(func(ctx context.Context) error {
		return simulators.Run(ctx, sim, provider.Config{
			EPR: r.epr, Identity: identity, Policy: provider.AllowAll(), Network: sdc.Network{DiscoveryPort: udpport.Free(s.t)}, Timing: discovery.PromptTiming(),
		}, func(p *provider.Provider) { ready <- p })
	})
	select {
	case r.dev = <-ready:
	case <-time.After(time.Minute):
		require.Fail(s.t, "the device is not ready")
	}
	require.NoError(s.t, r.dev.Update(func(tx *mdib.Tx) error {
		st, err := mdib.NewContext[*pm.PatientContextState](tx, "context.patient")
		if err != nil {
			return err
		}
		st.ContextAssociation = pm.ContextAssociationAssoc
		st.Identification = []pm.InstanceIdentifier{{Root: "urn:oid:1.2.3", Extension: "4711"}}
		st.CoreData = &pm.PatientDemographicsCoreData{BaseDemographics: pm.BaseDemographics{Familyname: "Example", Givenname: "Erika"}}
		return nil
	}))
	s.devices.add(discovery.Endpoint{EPR: r.epr, XAddrs: r.dev.XAddrs()})
	return r
}

// await waits for a view.
func (s *scene) await(what string, ok func(*station.View) bool) *station.View {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	for v := range s.station.Views(ctx) {
		if ok(v) {
			return v
		}
	}
	require.Fail(s.t, "did not come: "+what)
	return nil
}

// live waits until so many devices are live and have values.
func (s *scene) live(n int) *station.View {
	s.t.Helper()
	return s.await("live devices", func(v *station.View) bool {
		live := 0
		for _, d := range v.Devices {
			if d.Live() && len(d.Systems) > 0 && len(d.Systems[0].Values) > 0 {
				live++
			}
		}
		return live == n
	})
}

// reply is an answer, read to its end.
type reply struct {
	StatusCode int
	Header     http.Header
	Body       io.Reader
}

// get asks the API.
func (s *scene) get(path string, header http.Header) reply {
	s.t.Helper()
	return s.do(http.MethodGet, path, header, nil)
}

// do sends a request to the API; the body, unless nil, is JSON.
func (s *scene) do(method, path string, header http.Header, body io.Reader) reply {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, body)
	require.NoError(s.t, err)
	for name, values := range header {
		r.Header[name] = values
	}
	if host := header.Get("Host"); host != "" {
		r.Host = host
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(r)
	require.NoError(s.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(s.t, err)
	return reply{resp.StatusCode, resp.Header, bytes.NewReader(text)}
}

// Watch implements station.Source.
func (d *devices) Watch(ctx context.Context, f discovery.Filter) iter.Seq[discovery.Event] {
	return func(yield func(discovery.Event) bool) {
		for told := 0; ; told++ {
			for {
				d.mu.Lock()
				n := len(d.list)
				d.mu.Unlock()
				if told < n {
					break
				}
				select {
				case <-d.change:
				case <-ctx.Done():
					return
				}
			}
			d.mu.Lock()
			ep := d.list[told]
			d.mu.Unlock()
			ep.Types = discovery.DeviceTypes()
			if f.Match(ep) && !yield(discovery.Event{Kind: discovery.Found, Endpoint: ep}) {
				return
			}
		}
	}
}

func (d *devices) add(e discovery.Endpoint) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.list = append(d.list, e)
	select {
	case d.change <- struct{}{}:
	default:
	}
}
