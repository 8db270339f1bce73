package devicetest_test

import (
	"context"
	"testing"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/devicetest"
	"github.com/semeco/go-sdc/sdc/provider"
)

// thermostat is the device as its maker's program makes it: cfg comes from a file there, and from the test here.
func thermostat(ctx context.Context, cfg provider.Config, ready func(*provider.Provider)) error {
	var err error
	if cfg.MDIB, err = mdib.ReadFile("../provider/testdata/device.xml"); err != nil {
		return err
	}
	dev, err := provider.New(cfg)
	if err != nil {
		return err
	}
	if err := dev.HandleSetValue("value.set", func(_ context.Context, call *provider.SetValue) error {
		return call.Update(func(tx *mdib.Tx) error { return tx.SetNumeric(call.Target, call.Value, time.Now()) })
	}); err != nil {
		return err
	}
	ready(dev)
	return dev.Run(ctx)
}

// TestThermostat is a whole test of a device. Nothing but the package testing is needed.
func TestThermostat(t *testing.T) {
	devicetest.Run(t, thermostat, devicetest.Options{}, func(t *testing.T, b *devicetest.Bench) {
		watch := b.Watch()
		if _, err := b.Consumer.SetValue(t.Context(), "value.set", pm.MustDecimal("22")); err != nil {
			t.Fatal(err)
		}
		b.Cut()
		b.Pass(time.Minute)
		b.Restore()
		b.Until(time.Minute, "the consumer follows again", func(*mdib.Snapshot) bool { return b.InStep() == nil })
		for _, f := range b.Findings(mdib.ProfileBase, mdib.SeverityError) {
			t.Error(f)
		}
		if err := watch.Err(); err != nil {
			t.Error(err)
		}
	})
}

// A test of a device; TestThermostat in the same file is the whole of it.
func ExampleRun() {
	test := func(t *testing.T) {
		devicetest.Run(t, thermostat, devicetest.Options{TLS: true}, func(t *testing.T, b *devicetest.Bench) {
			b.Pass(time.Hour) // of the device's time
			if err := b.InStep(); err != nil {
				t.Error(err)
			}
		})
	}
	_ = test // go test calls it by its name
}
