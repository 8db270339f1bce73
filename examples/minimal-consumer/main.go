// Minimal-consumer finds the first device on the network that it can connect to, mirrors
// it and prints what changes.
//
//	sdc pki issue pki station --role consumer
//	go run ./examples/minimal-consumer -tls pki/station
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
)

func main() {
	tls := flag.String("tls", "", "folder with ca.pem, cert.pem and key.pem")
	insecure := flag.Bool("insecure", false, "plain HTTP, on a bench only")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	cfg := consumer.Config{Insecure: *insecure}
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

func run(ctx context.Context, cfg consumer.Config, out io.Writer) error {
	dev, err := first(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() {
		goodbye, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := dev.Close(goodbye); err != nil {
			log.Print(err)
		}
	}()
	fmt.Fprintln(out, "connected to", dev.EPR(), "with", dev.MDIB().Len(), "descriptors")
	for u, err := range dev.Updates(ctx) {
		switch {
		case err != nil:
			return err // lost, or this loop is too slow
		case u.Gap != nil:
			fmt.Fprintln(out, "updates may be missing since", u.Gap.Stale, "because", u.Gap.Cause)
		case u.Change == nil:
			fmt.Fprintln(out, "the link is", u.Link.State)
		default:
			for _, s := range u.Change.States {
				if n, ok := s.After.(*pm.NumericMetricState); ok && n.MetricValue != nil {
					value, _ := n.MetricValue.Value.Get()
					fmt.Fprintln(out, s.Handle, value, n.MetricValue.MetricQuality.Validity)
				}
			}
		}
	}
	return nil
}

// first connects to the first medical device that shows up and is trusted.
func first(ctx context.Context, cfg consumer.Config) (*consumer.Device, error) {
	client, err := discovery.NewClient(discovery.ClientConfig{UDP: cfg.Network.UDP()})
	if err != nil {
		return nil, err
	}
	defer client.Close()
	for ev := range client.Watch(ctx, discovery.Filter{Types: discovery.DeviceTypes()}) {
		target := ev.Endpoint
		if ev.Kind == discovery.Gone || len(target.XAddrs) == 0 {
			continue
		}
		dev, err := consumer.Connect(ctx, target, cfg)
		if err == nil {
			return dev, nil
		}
		log.Print(err) // the next one may be for us
	}
	return nil, errors.New("no device found")
}
