package main

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/examples/internal/thermometer"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/simulators"
	"github.com/semeco/go-sdc/simulators/monitor"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A monitor, the example and a consumer that knows neither, on real sockets over mutual TLS.
func TestAConsumerReadsTheProduct(t *testing.T) {
	identity := thermometer.Identities(t)
	network := thermometer.Network(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 2)
	defer func() {
		cancel()
		require.NoError(t, <-ended)
		require.NoError(t, <-ended)
	}()

	mon, err := monitor.New(simulators.Options{Location: sdc.LocationDetail{PoC: "ICU", Bed: "4"}})
	require.NoError(t, err)
	ready := make(chan *provider.Provider, 1)
	go func() {
		ended <- simulators.Run(ctx, mon, provider.Config{
			Identity: identity(sdc.RoleProvider), Network: network, Timing: discovery.PromptTiming(),
		}, func(p *provider.Provider) { ready <- p })
	}()
	device := <-ready
	require.NoError(t, device.Update(func(tx *mdib.Tx) error {
		s, err := mdib.NewContext[*pm.PatientContextState](tx, "context.patient")
		if err == nil {
			s.ContextAssociation, s.Identification = pm.ContextAssociationAssoc, []pm.InstanceIdentifier{{Root: "urn:oid:2.25.8", Extension: "4711"}}
		}
		return err
	}))

	out := thermometer.NewLines()
	go func() { ended <- run(ctx, identity(sdc.RoleProvider|sdc.RoleConsumer), false, network, out) }()
	epr := out.Next(t, "publishing as ")[len("publishing as "):]

	client, err := discovery.NewClient(discovery.ClientConfig{UDP: discovery.UDPConfig{Address: network.IP(), Port: network.UDPPort()}})
	require.NoError(t, err)
	defer client.Close()
	finding, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	var found discovery.Endpoint
	for e := range client.Watch(finding, discovery.Filter{Types: discovery.DeviceTypes()}) {
		if found = e.Endpoint; found.EPR == epr && len(found.XAddrs) > 0 {
			break
		}
	}
	dev, err := consumer.Connect(ctx, found, consumer.Config{Identity: identity(sdc.RoleConsumer), Network: network})
	require.NoError(t, err)
	defer func() { require.NoError(t, dev.Close(context.Background())) }()
	for u, err := range dev.Updates(finding) {
		require.NoError(t, err)
		s, ok := mdib.Get[*pm.NumericMetricState](u.Snapshot, "patient-1.derived.rate-pressure-product")
		if !ok || s.MetricValue == nil || !s.MetricValue.Value.IsSet() {
			continue
		}
		product := s.MetricValue.Value.Or(pm.Decimal{}).Float64()
		require.Greater(t, product, 3000.0)
		require.Less(t, product, 20000.0)
		require.Equal(t, pm.MeasurementValidityVld, s.MetricValue.MetricQuality.Validity)
		return
	}
	require.Fail(t, "the product did not come")
}
