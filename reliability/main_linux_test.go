package main

import (
	"flag"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/semeco/go-sdc/internal/testkit/netns"
)

func TestMain(m *testing.M) {
	netns.Enter(programs())
	// What runs in parallel here waits most of the time, so that the number of processors is no measure.
	if err := flag.Set("test.parallel", "5"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// together runs rows that wait most of the time beside one another; for the page one after the other, because what each has left is counted then. That no goroutine is left is
// seen at the end of all in either case.
func together(t *testing.T) {
	if !counted() {
		t.Parallel()
	}
}

// counted tells whether what each row leaves is counted.
func counted() bool { return os.Getenv(resultsVar) != "" }
