package station_test

import (
	"context"
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
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// trust makes identities of one authority.
type trust struct{ ca *pki.CA }

func newTrust(t *testing.T) trust {
	ca, err := pki.NewCA("", time.Hour)
	require.NoError(t, err)
	return trust{ca}
}

func (tr trust) identity(t *testing.T, name string, role sdc.Role) *sdc.Identity {
	t.Helper()
	p, err := tr.ca.Issue(pki.Request{Name: name, Role: role})
	require.NoError(t, err)
	id, err := p.Identity()
	require.NoError(t, err)
	return id
}

// running is a simulated device on the network.
type running struct {
	epr  string
	dev  *provider.Provider
	stop func()
}

// run puts a simulated device on loopback over TLS.
func (tr trust) run(t *testing.T, port uint16, sim simulators.Simulator) *running {
	t.Helper()
	r := &running{epr: uuid.New().URN()}
	ctx, cancel := context.WithCancel(context.Background())
	ready := make(chan *provider.Provider, 1)
	ended := make(chan error, 1)
	go func() {
		ended <- simulators.Run(ctx, sim, provider.Config{
			EPR: r.epr, Identity: tr.identity(t, "device", sdc.RoleProvider), Network: sdc.Network{DiscoveryPort: port}, Policy: provider.AllowAll(),
			Timing: discovery.PromptTiming(),
		}, func(p *provider.Provider) { ready <- p })
	}()
	r.stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	t.Cleanup(r.stop)
	select {
	case r.dev = <-ready:
	case err := <-ended:
		ended <- nil
		require.NoError(t, err)
		require.Fail(t, "the device ended before it was ready")
	}
	return r
}

// admit associates a patient by the rules of the provider.
func admit(t *testing.T, p *provider.Provider, ids ...pm.InstanceIdentifier) {
	t.Helper()
	require.NoError(t, p.Update(func(tx *mdib.Tx) error {
		s, err := mdib.NewContext[*pm.PatientContextState](tx, "context.patient")
		if err != nil {
			return err
		}
		s.ContextAssociation, s.Identification = pm.ContextAssociationAssoc, ids
		s.CoreData = &pm.PatientDemographicsCoreData{BaseDemographics: pm.BaseDemographics{Familyname: "Test", Givenname: "Pat"}}
		return nil
	}))
}

func until(t *testing.T, s *station.Station, what string, ok func(*station.View) bool) *station.View {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for v := range s.Views(ctx) {
		if ok(v) {
			return v
		}
	}
	require.Fail(t, "did not come: "+what)
	return nil
}

func TestStationFindsConnectsAndShows(t *testing.T) {
	port := udpport.Free(t)
	tr := newTrust(t)
	bed := simulators.NewBed(physio.Config{Seed: 1})
	or3 := sdc.LocationDetail{Facility: "H", PoC: "OR 3", Bed: "1"}
	vent, err := ventilator.New(simulators.Options{Bed: bed, Location: or3})
	require.NoError(t, err)
	mon, err := monitor.New(simulators.Options{Bed: bed, Location: or3})
	require.NoError(t, err)
	elsewhere, err := monitor.New(simulators.Options{Location: sdc.LocationDetail{Facility: "H", PoC: "OR 4"}})
	require.NoError(t, err)
	v, m := tr.run(t, port, vent), tr.run(t, port, mon)
	other := tr.run(t, port, elsewhere)

	c, err := consumer.New(t.Context(), consumer.Config{Identity: tr.identity(t, "station", sdc.RoleConsumer)})
	require.NoError(t, err)
	defer c.Close(context.Background())
	client, err := discovery.NewClient(discovery.ClientConfig{UDP: discovery.UDPConfig{Port: port}})
	require.NoError(t, err)
	defer client.Close()
	s, err := station.New(station.Config{
		Consumer: c, Discovery: client, Immediately: true,
		Rules: []station.Rule{{Name: "OR 3", Devices: []station.Code{station.MDC("70001"), station.MDC("69965")}, Location: sdc.LocationDetail{PoC: "OR 3"}}},
	})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	defer func() {
		cancel()
		require.NoError(t, <-ended)
	}()

	view := until(t, s, "both devices live", func(view *station.View) bool {
		return len(view.Places) == 1 && len(view.Places[0].Systems) == 2 && view.Devices[0].Live() && view.Devices[1].Live()
	})
	require.Nil(t, view.Device(other.epr), "not asked for")
	require.Equal(t, or3, view.Places[0].Detail)
	require.Empty(t, view.Patients, "a place makes no patient")
	require.Empty(t, view.Conflicts)
	require.ErrorIs(t, s.Run(ctx), station.ErrRunning)

	id := pm.InstanceIdentifier{Root: "urn:oid:2.25.1", Extension: "P1"}
	admit(t, v.dev, id)
	admit(t, m.dev, id)
	view = until(t, s, "one patient at two devices", func(view *station.View) bool {
		return len(view.Patients) == 1 && len(view.Patients[0].Systems) == 2
	})
	require.Equal(t, "Test, Pat", view.Patients[0].Name)
	// The heart rate counts as soon as it is determined anew.
	view = until(t, s, "a heart rate of the patient", func(view *station.View) bool {
		hr := view.Device(m.epr).Value(monitor.HandleHR)
		return hr != nil && hr.Status(view.Time) == station.Current
	})
	hr := view.Device(m.epr).Value(monitor.HandleHR)
	require.Equal(t, station.Meaning{Code: station.MDC("147842"), Role: station.Measured}, hr.Meaning)
	n, ok := hr.Float()
	require.True(t, ok)
	require.InDelta(t, 75, n, 30)
	require.Equal(t, "/min", hr.Unit.Text)

	// Another patient at the monitor: two patients at one bed.
	admit(t, m.dev, pm.InstanceIdentifier{Root: "urn:oid:2.25.1", Extension: "P2"})
	view = until(t, s, "two patients", func(view *station.View) bool { return len(view.Patients) == 2 })
	require.Equal(t, station.PatientsAtOnePlace, view.Conflicts[0].Kind)

	// A device that leaves is marked with all its values.
	m.stop()
	view = until(t, s, "the monitor gone", func(view *station.View) bool { return view.Device(m.epr).Link.State == station.LinkGone })
	for _, x := range view.Device(m.epr).Systems[0].Values {
		require.NotEqual(t, station.Current, x.Status(view.Time), x.Handle)
	}
	require.True(t, view.Device(v.epr).Live())
}

// Devices of one place are brought together: they join the ensemble of the place, one that moves leaves it for that of the new place, one that no rule
// takes any more leaves it, and what others have associated is left alone.
func TestStationBringsDevicesOfOnePlaceTogether(t *testing.T) {
	port := udpport.Free(t)
	tr := newTrust(t)
	or3, or4 := sdc.LocationDetail{Facility: "H", PoC: "OR 3"}, sdc.LocationDetail{Facility: "H", PoC: "OR 4"}
	bed := simulators.NewBed(physio.Config{Seed: 1})
	vent, err := ventilator.New(simulators.Options{Bed: bed, Location: or3, Ensemble: "made by hand"})
	require.NoError(t, err)
	mon, err := monitor.New(simulators.Options{Bed: bed, Location: or3})
	require.NoError(t, err)
	v, m := tr.run(t, port, vent), tr.run(t, port, mon)
	c, err := consumer.New(t.Context(), consumer.Config{Identity: tr.identity(t, "station", sdc.RoleConsumer)})
	require.NoError(t, err)
	defer c.Close(context.Background())
	client, err := discovery.NewClient(discovery.ClientConfig{UDP: discovery.UDPConfig{Port: port}})
	require.NoError(t, err)
	defer client.Close()
	s, err := station.New(station.Config{Consumer: c, Discovery: client, Immediately: true, Rules: []station.Rule{{
		Name: "H", Location: sdc.LocationDetail{Facility: "H"}, Ensemble: station.EnsembleRule{Root: "urn:oid:2.25.7"},
	}}})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	defer func() {
		cancel()
		require.NoError(t, <-ended)
	}()
	ensembles := func(r *running) []string {
		var out []string
		for x := range r.dev.MDIB().Associated("context.ensemble") {
			out = append(out, x.BaseContext().Identification[0].Extension)
		}
		return out
	}
	of := func(view *station.View, key string) int {
		for _, e := range view.Ensembles {
			if e.Key == key {
				return len(e.Systems)
			}
		}
		return 0
	}
	in3, in4 := "urn:oid:2.25.7|"+or3.String(), "urn:oid:2.25.7|"+or4.String()
	until(t, s, "both in the ensemble of OR 3", func(view *station.View) bool { return of(view, in3) == 2 })
	require.ElementsMatch(t, []string{"made by hand", or3.String()}, ensembles(v))
	require.Equal(t, []string{or3.String()}, ensembles(m))

	require.NoError(t, m.dev.SetLocation(or4))
	until(t, s, "the monitor in the ensemble of OR 4", func(view *station.View) bool { return of(view, in3) == 1 && of(view, in4) == 1 })
	require.Equal(t, []string{or4.String()}, ensembles(m))

	// No rule takes what stands in another house.
	require.NoError(t, v.dev.SetLocation(sdc.LocationDetail{Facility: "X"}))
	until(t, s, "the ventilator is let go", func(view *station.View) bool { return view.Device(v.epr) == nil })
	require.Equal(t, []string{"made by hand"}, ensembles(v))
}
