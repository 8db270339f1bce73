package alerts

import (
	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib"
)

// FixtureSnapshot is the MDIB of the tests.
func FixtureSnapshot(t require.TestingT) *mdib.Snapshot { return snapshot(t) }

// FixtureDevice is a device of the tests.
func FixtureDevice(t require.TestingT) Updater { return newDevice(t) }
