package aggregate_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/internal/testkit/bubble"
	"github.com/semeco/go-sdc/internal/testkit/memnet"
	"github.com/semeco/go-sdc/lint"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/ext"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/simulators"
	"github.com/semeco/go-sdc/simulators/monitor"
	"github.com/semeco/go-sdc/simulators/physio"
	"github.com/semeco/go-sdc/simulators/ventilator"
	"github.com/semeco/go-sdc/station"
	"github.com/semeco/go-sdc/station/aggregate"
)

// bedside is a monitor and a ventilator at one patient, a station with an aggregator, and a consumer that knows the aggregator only, each on a host of its
// own, in virtual time.
type bedside struct {
	t             *testing.T
	network       *memnet.Network
	monitor, vent *simulated
	station       *station.Station
	aggregator    *aggregate.Aggregator
	// reader is a plain consumer's connection to the aggregator.
	reader *consumer.Device
}

type simulated struct {
	*provider.Provider
	host string
	stop func()
}

// Hosts of the network.
const (
	stationHost    = "192.0.2.1"
	readerHost     = "192.0.2.2"
	aggregatorHost = "192.0.2.3"
	monitorHost    = "192.0.2.4"
	ventHost       = "192.0.2.5"
)

var (
	orOne = sdc.LocationDetail{Facility: "H", PoC: "OR 1"}
	orTwo = sdc.LocationDetail{Facility: "H", PoC: "OR 2"}
	nurse = pm.InstanceIdentifier{Root: "urn:oid:2.25.7", Extension: "nurse"}
)

// doors tells the station of devices as they come.
type doors chan discovery.Endpoint

func (d doors) Watch(ctx context.Context, _ discovery.Filter) iter.Seq[discovery.Event] {
	return func(yield func(discovery.Event) bool) {
		for {
			select {
			case e := <-d:
				if !yield(discovery.Event{Kind: discovery.Found, Endpoint: e}) {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}
}

func (b *bedside) provide(host string) provider.Config {
	h := b.network.Host(host)
	return provider.Config{Insecure: true, Listen: h.ListenAny, Dial: h.Dial, Transport: discovery.NewSilence(), MaxSubscription: 15 * time.Second}
}

func (b *bedside) consume(host string) *consumer.Consumer {
	// Waveforms take most of the time of such a room.
	var actions []string
	for _, service := range sdc.Services() {
		for _, a := range service.Notifications() {
			if a != sdc.ActionWaveformStream {
				actions = append(actions, a)
			}
		}
	}
	h := b.network.Host(host)
	c, err := consumer.New(b.t.Context(), consumer.Config{
		Insecure: true, Listen: h.ListenAny, Dial: h.Dial, Actions: actions, RequestTimeout: 3 * time.Second, LostAfter: 10 * time.Second, UpdateQueue: 1 << 14,
	})
	require.NoError(b.t, err)
	return c
}

func closing(c *consumer.Consumer) {
	ctx, done := context.WithTimeout(context.Background(), 5*time.Second)
	defer done()
	_ = c.Close(ctx) // devices that were cut off do not answer
}

func (b *bedside) simulate(host string, sim simulators.Simulator) *simulated {
	ctx, cancel := context.WithCancel(b.t.Context())
	ready, ended := make(chan *provider.Provider, 1), make(chan error, 1)
	go func() {
		ended <- simulators.Run(ctx, sim, b.provide(host), func(p *provider.Provider) { ready <- p })
	}()
	s := &simulated{Provider: <-ready, host: host}
	s.stop = sync.OnceFunc(func() {
		cancel()
		<-ended //nolint:errcheck // a device that was cut off cannot say goodbye
	})
	return s
}

func (s *simulated) endpoint() discovery.Endpoint {
	return discovery.Endpoint{EPR: s.EPR(), XAddrs: s.XAddrs(), Types: discovery.DeviceTypes()}
}

func (s *simulated) number(t *testing.T, handle string) float64 {
	m, ok := mdib.Get[*pm.NumericMetricState](s.MDIB(), handle)
	require.True(t, ok)
	require.NotNil(t, m.MetricValue, handle)
	return m.MetricValue.Value.Or(pm.Decimal{}).Float64()
}

// admit has a device tell of a patient from now on.
func (b *bedside) admit(s *simulated, id string) {
	require.NoError(b.t, s.Update(func(tx *mdib.Tx) error {
		c, err := mdib.NewContext[*pm.PatientContextState](tx, "context.patient")
		if err != nil {
			return err
		}
		c.ContextAssociation, c.Validator = pm.ContextAssociationAssoc, []pm.InstanceIdentifier{nurse}
		c.Identification = []pm.InstanceIdentifier{{Root: "urn:oid:2.25.8", Extension: id}}
		c.CoreData = &pm.PatientDemographicsCoreData{BaseDemographics: pm.BaseDemographics{Familyname: "Doe " + id}}
		return nil
	}))
}

func atBedside(t *testing.T, test func(b *bedside)) {
	t.Helper()
	bubble.Test(t, func(t *testing.T) {
		b := &bedside{t: t, network: memnet.New(memnet.Config{})}
		defer b.network.Close()
		opts := simulators.Options{Location: orOne, Bed: simulators.NewBed(physio.Config{Seed: 3})}
		m, err := monitor.New(opts)
		require.NoError(t, err)
		v, err := ventilator.New(opts)
		require.NoError(t, err)
		b.monitor, b.vent = b.simulate(monitorHost, m), b.simulate(ventHost, v)
		defer b.monitor.stop()
		defer b.vent.stop()
		b.admit(b.monitor, "1")
		b.admit(b.vent, "1")

		found := make(doors, 3)
		c := b.consume(stationHost)
		defer closing(c)
		b.station, err = station.New(station.Config{Consumer: c, Discovery: found, Immediately: true})
		require.NoError(t, err)
		b.aggregator, err = aggregate.New(aggregate.Config{Source: b.station, Provider: b.provide(aggregatorHost), ClockAccuracy: 50 * time.Millisecond})
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 2)
		go func() { ended <- b.station.Run(ctx) }()
		go func() { ended <- b.aggregator.Run(ctx) }()
		defer func() {
			cancel()
			require.NoError(t, errors.Join(<-ended, <-ended))
		}()
		<-b.aggregator.Provider().Ready()
		self := &simulated{Provider: b.aggregator.Provider()}
		// The station follows its own aggregator, too.
		found <- self.endpoint()
		found <- b.monitor.endpoint()
		found <- b.vent.endpoint()

		reader := b.consume(readerHost)
		defer closing(reader)
		b.reader, err = reader.Connect(t.Context(), self.endpoint())
		require.NoError(t, err)
		test(b)
	})
}

func (b *bedside) until(d time.Duration, what string, ok func() bool) {
	b.t.Helper()
	for end := time.Now().Add(d); !ok(); {
		require.True(b.t, time.Now().Before(end), "did not happen in %v: %s", d, what)
		<-time.After(100 * time.Millisecond)
		synctest.Wait()
	}
}

// children are the MDSs of patients that the reader sees.
func (b *bedside) children() []string {
	return slices.DeleteFunc(slices.Collect(b.reader.MDIB().Roots()), func(h string) bool { return h == "aggregator" })
}

// read is what the reader sees of a rule.
func (b *bedside) read(mds, rule string) (value float64, q pm.MeasurementValidity, cause string) {
	m, ok := mdib.Get[*pm.NumericMetricState](b.reader.MDIB(), mds+".derived."+rule)
	if !ok || m.MetricValue == nil {
		return 0, "", ""
	}
	if len(m.MetricValue.Annotation) > 0 {
		cause = m.MetricValue.Annotation[0].Type.Code
	}
	return m.MetricValue.Value.Or(pm.Decimal{}).Float64(), m.MetricValue.MetricQuality.Validity, cause
}

func (b *bedside) usable(mds, rule string) bool {
	_, q, _ := b.read(mds, rule)
	return q == pm.MeasurementValidityVld || q == pm.MeasurementValidityQst
}

func TestAnyConsumerReadsWhatIsDerived(t *testing.T) {
	atBedside(t, func(b *bedside) {
		rules := []string{"shock-index", "rapid-shallow-breathing", "static-compliance", "dynamic-compliance", "saturation-ratio", "heart-rate-difference"}
		b.until(time.Minute, "values of all rules without a window", func() bool {
			return len(b.children()) == 1 && !slices.ContainsFunc(rules, func(r string) bool { return !b.usable("patient-1", r) })
		})
		near := func(rule string, want float64) {
			t.Helper()
			got, _, _ := b.read("patient-1", rule)
			require.InEpsilon(t, want, got, 0.1, rule)
		}
		near("shock-index", b.monitor.number(t, monitor.HandleHR)/b.monitor.number(t, monitor.HandleABPSys))
		near("saturation-ratio", b.monitor.number(t, monitor.HandleSpO2)/b.vent.number(t, ventilator.HandleFiO2)*100)
		near("rapid-shallow-breathing", b.vent.number(t, ventilator.HandleRR)/b.vent.number(t, ventilator.HandleVTe)*1000)
		// The ventilator calculates these itself.
		near("static-compliance", b.vent.number(t, ventilator.HandleCompliance))
		near("dynamic-compliance", b.vent.number(t, ventilator.HandleDynamic))
		_, q, cause := b.read("patient-1", "rapid-shallow-breathing")
		require.Equal(t, pm.MeasurementValidityQst, q)
		require.Equal(t, string(aggregate.CauseDoubt), cause)
		m, _ := mdib.Get[*pm.NumericMetricState](b.reader.MDIB(), "patient-1.derived.shock-index")
		require.Equal(t, pm.GenerationModeDemo, m.MetricValue.MetricQuality.Mode, "of simulated devices")

		b.until(10*time.Second, "a self check", func() bool {
			s, ok := mdib.Get[*pm.AlertSystemState](b.reader.MDIB(), "patient-1.alerts")
			return ok && s.LastSelfCheck.IsSet()
		})
		require.Empty(t, lint.Check(b.reader.MDIB(), mdib.ProfileSDPi))

		// The station sees the aggregator as one more device of the patient; nothing is derived from that.
		b.until(10*time.Second, "three devices of one patient", func() bool {
			v := b.station.View()
			return len(v.Patients) == 1 && len(v.Patients[0].Systems) == 3
		})
		v := b.station.View()
		require.Empty(t, v.Conflicts)
		derived := v.Device(b.aggregator.EPR()).Value("patient-1.derived.shock-index")
		require.Equal(t, station.Current, derived.Status(time.Now()))
		best, _, err := v.Best(station.Scope{Patient: v.Patients[0].Key}, station.Meaning{Code: station.MDC("147842"), Role: station.Measured}, station.Preferences{}, time.Now())
		require.NoError(t, err)
		require.Equal(t, b.monitor.EPR(), best.Device)
		for e := range b.reader.MDIB().Subtree("patient-1.inputs") {
			if s, ok := e.State.(*pm.NumericMetricState); ok && s.MetricValue != nil {
				x, ok, err := ext.CodedAttributes(s.Extension)
				require.NoError(t, err)
				require.True(t, ok, e.Handle)
				require.Contains(t, []string{b.monitor.EPR(), b.vent.EPR()}, x.CodedStringAttribute[0].Value)
			}
		}

		// Five minutes fill the window.
		_, q, cause = b.read("patient-1", "mean-arterial-pressure-5min")
		require.Equal(t, pm.MeasurementValidityOng, q)
		require.Equal(t, string(aggregate.CauseGathering), cause)
		b.until(5*time.Minute, "the mean of 5 min", func() bool { return b.usable("patient-1", "mean-arterial-pressure-5min") })
		near("mean-arterial-pressure-5min", b.monitor.number(t, monitor.HandleABPMean))
	})
}

func TestADeviceThatIsCutOffTakesItsValuesWithIt(t *testing.T) {
	atBedside(t, func(b *bedside) {
		all := func() bool { return b.usable("patient-1", "shock-index") && b.usable("patient-1", "static-compliance") }
		b.until(time.Minute, "values", all)
		// Cut off, not switched off: no goodbye.
		b.network.Partition(stationHost, monitorHost)
		b.until(20*time.Second, "withdrawn", func() bool {
			_, q, _ := b.read("patient-1", "shock-index")
			return q == pm.MeasurementValidityNA
		})
		value, _, cause := b.read("patient-1", "shock-index")
		require.Zero(t, value)
		require.Contains(t, []string{string(aggregate.CauseStale), string(aggregate.CauseOld)}, cause)
		require.True(t, b.usable("patient-1", "static-compliance"), "of the other device")
		b.network.Heal(stationHost, monitorHost)
		b.until(2*time.Minute, "values again", all)
		// Switched off.
		b.monitor.stop()
		b.until(20*time.Second, "withdrawn", func() bool { return !b.usable("patient-1", "shock-index") })
		_, _, cause = b.read("patient-1", "shock-index")
		require.Contains(t, []string{string(aggregate.CauseStale), string(aggregate.CauseOld)}, cause)
	})
}

func TestThePatientIsMovedAndChanged(t *testing.T) {
	atBedside(t, func(b *bedside) {
		b.until(time.Minute, "values", func() bool { return b.usable("patient-1", "shock-index") && b.usable("patient-1", "saturation-ratio") })
		location := func(mds string) string {
			for e := range b.reader.MDIB().Subtree(mds) {
				for _, c := range e.Contexts {
					if l, ok := c.(*pm.LocationContextState); ok && l.ContextAssociation == pm.ContextAssociationAssoc {
						return l.LocationDetail.PoC
					}
				}
			}
			return ""
		}
		require.Equal(t, "OR 1", location("patient-1"))
		require.NoError(t, b.monitor.SetLocation(orTwo, nurse))
		b.until(10*time.Second, "no place, and nothing derived from both", func() bool {
			_, _, cause := b.read("patient-1", "saturation-ratio")
			return location("patient-1") == "" && cause == string(aggregate.CausePlaces)
		})
		require.True(t, b.usable("patient-1", "shock-index"), "of one device")
		require.NoError(t, b.vent.SetLocation(orTwo, nurse))
		b.until(10*time.Second, "the new place", func() bool { return location("patient-1") == "OR 2" && b.usable("patient-1", "saturation-ratio") })

		// Another patient at the monitor: nothing of both is derived, and nothing of the former one shown as the new one's.
		b.admit(b.monitor, "2")
		b.until(30*time.Second, "two patients", func() bool { return len(b.children()) == 2 && b.usable("patient-2", "shock-index") })
		_, _, cause := b.read("patient-2", "static-compliance")
		require.Equal(t, string(aggregate.CauseMissing), cause)
		_, _, cause = b.read("patient-1", "shock-index")
		require.Equal(t, string(aggregate.CauseMissing), cause)
		b.admit(b.vent, "2")
		b.until(30*time.Second, "one patient", func() bool {
			return fmt.Sprint(b.children()) == "[patient-2]" && b.usable("patient-2", "saturation-ratio")
		})
	})
}
