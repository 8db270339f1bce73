// Aggregate is a device that derives a value of its own, the rate pressure product, from what the devices around it measure at each patient, and
// publishes it beside the built-in ones for any consumer to read.
//
//	sdc pki issue pki aggregator --role both
//	go run ./examples/aggregate -tls pki/aggregator
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
	"sync"
	"syscall"
	"time"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/station"
	"github.com/semeco/go-sdc/station/aggregate"
)

// ratePressureProduct is the heart rate times the systolic pressure. The aggregator sees to it that both are of one patient, usable and of about the same time.
func ratePressureProduct() aggregate.Rule {
	mmHg := aggregate.MDC("266016", "MDC_DIM_MMHG", "mmHg")
	perMinute := aggregate.MDC("264864", "MDC_DIM_BEAT_PER_MIN", "/min")
	return aggregate.Rule{
		Name: "rate-pressure-product", Type: aggregate.Private("rate-pressure-product", "Rate pressure product"),
		Unit: aggregate.UCUM("mm[Hg]/min", "mmHg/min"), Resolution: pm.MustDecimal("1"),
		Inputs: []aggregate.Input{
			{Label: "Heart rate", Unit: perMinute, From: []aggregate.Source{{Code: station.MDC("147842")}}},
			{Label: "Systolic pressure", Unit: mmHg, From: []aggregate.Source{{Code: station.MDC("150037")}, {Code: station.MDC("150021")}}},
		},
		Skew:    30 * time.Second,
		Compute: func(x []float64) (float64, error) { return x[0] * x[1], nil },
	}
}

func main() {
	tls := flag.String("tls", "", "folder with ca.pem, cert.pem and key.pem; the certificate needs both roles")
	insecure := flag.Bool("insecure", false, "plain HTTP, on a bench only")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var id *sdc.Identity
	if *tls != "" {
		var err error
		if id, err = sdc.LoadIdentity(*tls); err != nil {
			log.Fatal(err)
		}
	}
	if err := run(ctx, id, *insecure, sdc.Network{}, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, id *sdc.Identity, insecure bool, network sdc.Network, out io.Writer) error {
	c, err := consumer.New(ctx, consumer.Config{Identity: id, Insecure: insecure, Network: network})
	if err != nil {
		return err
	}
	defer c.Close(context.WithoutCancel(ctx)) //nolint:errcheck // devices may have gone
	client, err := discovery.NewClient(discovery.ClientConfig{UDP: discovery.UDPConfig{Address: network.IP(), Port: network.UDPPort()}})
	if err != nil {
		return err
	}
	defer client.Close()
	s, err := station.New(station.Config{Consumer: c, Discovery: client})
	if err != nil {
		return err
	}
	a, err := aggregate.New(aggregate.Config{
		Source: s, Rules: append(aggregate.BuiltIn(), ratePressureProduct()),
		Provider: provider.Config{Identity: id, Insecure: insecure, Network: network},
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	var errs [2]error
	for i, do := range []func(context.Context) error{s.Run, a.Run} {
		wg.Go(func() {
			errs[i] = do(ctx)
			cancel() // neither goes on without the other
		})
	}
	fmt.Fprintln(out, "publishing as", a.EPR())
	<-ctx.Done()
	wg.Wait()
	return errors.Join(errs[:]...)
}
