package components

import (
	"testing"

	"github.com/semeco/go-sdc/mdib"
)

// FixtureSnapshot is the MDIB of the tests.
func FixtureSnapshot(t testing.TB) *mdib.Snapshot { return snapshot(t, false) }
