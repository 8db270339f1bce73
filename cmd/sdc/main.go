// Command sdc runs simulated SDC devices and talks to real ones.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/semeco/go-sdc/internal/heapfloor"
)

func main() {
	lower := heapfloor.Raise(heapfloor.Size)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr})
	stop()
	lower()
	os.Exit(code)
}
