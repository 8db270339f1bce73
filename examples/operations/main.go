// Operations connects to a device at a known URL, lists its operations and invokes
// one of them.
//
//	go run ./examples/operations -tls pki/station https://127.0.0.1:40123/...  [OPERATION VALUE]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
)

func main() {
	tls := flag.String("tls", "", "folder with ca.pem, cert.pem and key.pem")
	insecure := flag.Bool("insecure", false, "plain HTTP, on a bench only")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	cfg := consumer.Config{Insecure: *insecure}
	if *tls != "" {
		var err error
		if cfg.Identity, err = sdc.LoadIdentity(*tls); err != nil {
			log.Fatal(err)
		}
	}
	if err := run(ctx, cfg, os.Stdout, flag.Args()...); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, cfg consumer.Config, out io.Writer, args ...string) error {
	if len(args) != 1 && len(args) != 3 {
		return errors.New("usage: operations [-tls DIR | -insecure] URL [OPERATION VALUE]")
	}
	dev, err := consumer.Connect(ctx, discovery.Endpoint{XAddrs: args[:1]}, cfg)
	if err != nil {
		return err
	}
	defer func() {
		if err := dev.Close(context.WithoutCancel(ctx)); err != nil {
			log.Print(err)
		}
	}()
	if len(args) == 1 {
		for e := range dev.MDIB().Entities() {
			if op, ok := e.Descriptor.(pm.OperationDescriptor); ok {
				fmt.Fprintf(out, "%s acts on %s\n", e.Handle, op.BaseOperation().OperationTarget)
			}
		}
		return nil
	}

	handle, text := args[1], args[2]
	op, ok := mdib.Get[pm.OperationDescriptor](dev.MDIB(), handle)
	if !ok {
		return fmt.Errorf("the device has no operation %s", handle)
	}
	var result *consumer.Result
	switch op.(type) {
	case *pm.SetValueOperationDescriptor:
		value, err := pm.ParseDecimal(text)
		if err != nil {
			return err
		}
		result, err = dev.SetValue(ctx, handle, value)
		if err != nil {
			return explain(err)
		}
	case *pm.SetStringOperationDescriptor:
		if result, err = dev.SetString(ctx, handle, text); err != nil {
			return explain(err)
		}
	default:
		return fmt.Errorf("this example does not know how to invoke a %T", op)
	}
	fmt.Fprintf(out, "transaction %d ended with %s\n", result.TransactionID, result.State)
	return nil
}

// explain tells a refusal by the device from a failure on the way to it.
func explain(err error) error {
	var refused *consumer.OperationError
	if errors.As(err, &refused) {
		return fmt.Errorf("the device refused: %w", err)
	}
	return fmt.Errorf("the outcome is unknown: %w", err)
}
