// Couple is an infusion pump that looks for the monitor of its own place and ensemble, without any station between the two. It infuses an
// opioid only while that monitor is live and shows no alarm of high priority: no monitor, a stale link, three seconds of silence and a monitor that
// was moved to another bed pause it just as well. It goes on by itself when the reason has gone; whether a pump may is a matter of its own risk analysis.
//
//	sdc pki issue pki pump --role both
//	go run ./examples/couple -tls pki/pump -location poc=ICU,bed=4 -ensemble bed-4
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/simulators"
	"github.com/semeco/go-sdc/simulators/pump"
)

func main() {
	tls := flag.String("tls", "", "folder with ca.pem, cert.pem and key.pem; the certificate needs both roles")
	insecure := flag.Bool("insecure", false, "plain HTTP, on a bench only")
	location := flag.String("location", "poc=ICU,bed=4", "where the pump stands")
	ensemble := flag.String("ensemble", "bed-4", "what the pump works together with")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	cfg := config{insecure: *insecure, ensemble: *ensemble, say: func(what string) { fmt.Println(what) }}
	var err error
	if cfg.location, err = sdc.ParseLocationDetail(*location); err != nil {
		log.Fatal(err)
	}
	if *tls != "" {
		if cfg.identity, err = sdc.LoadIdentity(*tls); err != nil {
			log.Fatal(err)
		}
	}
	if err := run(ctx, cfg); err != nil {
		log.Fatal(err)
	}
}

type config struct {
	identity *sdc.Identity
	insecure bool
	network  sdc.Network
	location sdc.LocationDetail
	ensemble string
	bed      *simulators.Bed
	ready    func(*provider.Provider)
	say      func(string)
}

// run is the pump with both its roles: it provides itself and consumes the monitor.
func run(ctx context.Context, cfg config) error {
	device, err := pump.New(simulators.Options{Location: cfg.location, Ensemble: cfg.ensemble, Bed: cfg.bed})
	if err != nil {
		return err
	}
	device.Bar(true) // until a monitor says otherwise
	c, err := consumer.New(ctx, consumer.Config{Identity: cfg.identity, Insecure: cfg.insecure, Network: cfg.network})
	if err != nil {
		return err
	}
	defer c.Close(context.WithoutCancel(ctx)) //nolint:errcheck // the monitor may have gone
	client, err := discovery.NewClient(discovery.ClientConfig{UDP: cfg.network.UDP()})
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	coupled := make(chan struct{})
	go func() {
		defer close(coupled)
		couple(ctx, c, client.Watch, cfg, func(reason string) {
			device.Bar(reason != "")
			cfg.say(verdict(reason))
		})
	}()
	// Who may start an infusion is a matter of the hospital's policy: here everybody who is trusted.
	err = simulators.Run(ctx, device, provider.Config{
		Identity: cfg.identity, Insecure: cfg.insecure, Network: cfg.network, Policy: provider.AllowAll(),
	}, cfg.ready)
	cancel()
	<-coupled
	return err
}

func verdict(reason string) string {
	if reason == "" {
		return "infusing is allowed"
	}
	return "paused: " + reason
}
