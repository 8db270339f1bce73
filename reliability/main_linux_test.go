package main

import (
	"flag"
	"testing"

	"go.uber.org/goleak"

	"github.com/semeco/go-sdc/internal/netns"
)

func TestMain(m *testing.M) {
	netns.Enter(programs())
	// What runs in parallel here waits most of the time, so that the number of processors is no measure.
	if err := flag.Set("test.parallel", "6"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}
