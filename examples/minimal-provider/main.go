// Minimal-provider is a thermometer on the network: one measured value and one
// operation that sets how often it is measured.
//
//	sdc pki init pki && sdc pki issue pki thermometer --role provider
//	go run ./examples/minimal-provider -tls pki/thermometer
package main

import (
	"context"
	_ "embed"
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/soap/dpws"
)

//go:embed mdib.xml
var description string

func main() {
	tls := flag.String("tls", "", "folder with ca.pem, cert.pem and key.pem")
	insecure := flag.Bool("insecure", false, "plain HTTP, on a bench only")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	cfg := provider.Config{Insecure: *insecure}
	if *tls != "" {
		var err error
		if cfg.Identity, err = sdc.LoadIdentity(*tls); err != nil {
			log.Fatal(err)
		}
	}
	if err := run(ctx, cfg, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, cfg provider.Config, out io.Writer) error {
	snapshot, err := mdib.Read(strings.NewReader(description))
	if err != nil {
		return err
	}
	cfg.MDIB = snapshot
	cfg.Model = dpws.ThisModel{Manufacturer: dpws.Localized("Example", "en"), ModelName: dpws.Localized("Thermometer", "en")}
	cfg.Device = dpws.ThisDevice{FriendlyName: dpws.Localized("Minimal provider", "en")}
	dev, err := provider.New(cfg)
	if err != nil {
		return err
	}

	var interval atomic.Int64 // seconds
	interval.Store(1)
	err = dev.HandleSetValue("interval.set", func(_ context.Context, call *provider.SetValue) error {
		interval.Store(int64(call.Value.Float64()))
		return call.Update(func(tx *mdib.Tx) error { return tx.SetNumeric(call.Target, call.Value, time.Now()) })
	})
	if err != nil {
		return err
	}

	measuring := make(chan struct{})
	go func() {
		defer close(measuring)
		for {
			value := pm.MustDecimal(fmt.Sprintf("%.1f", 36.5+rand.Float64()))
			if err := dev.Update(func(tx *mdib.Tx) error { return tx.SetNumeric("temperature", value, time.Now()) }); err != nil {
				log.Print(err)
			}
			select {
			case <-time.After(time.Duration(interval.Load()) * time.Second):
			case <-ctx.Done():
				return
			}
		}
	}()
	go func() {
		select {
		case <-dev.Ready():
			fmt.Fprintln(out, dev.EPR(), dev.XAddrs())
		case <-ctx.Done():
		}
	}()
	err = dev.Run(ctx) // until ctx ends
	<-measuring
	return err
}
