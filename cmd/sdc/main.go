// Command sdc runs simulated SDC devices and talks to real ones.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/semeco/go-sdc/internal/heapfloor"
)

func main() {
	lower := heapfloor.Raise(heapfloor.Size)
	ctx, stop := untilSignal(context.Background(), listen(), func() {
		fmt.Fprintln(os.Stderr, "sdc: ended at once, without leaving the network in good order")
		os.Exit(exitFailed)
	})
	code := run(ctx, os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr})
	stop()
	lower()
	os.Exit(code)
}
