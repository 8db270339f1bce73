package aggregate

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/station"
)

// What the aggregator does for its users and does not do any more is told to them, once, and logged with the cause.
func TestWhatIsTurnedOffIsToldAndLogged(t *testing.T) {
	// covers: SDPi R1542, SDPi R1543
	var told []Off
	var log strings.Builder
	w := newWard(t, func(c *Config) {
		c.TurnedOff = func(o Off) { told = append(told, o) }
		c.Logger = slog.New(slog.NewTextHandler(&log, nil))
	})
	dev := w.device("urn:uuid:1", "A", vitals)
	w.shows(person("1", dev))
	require.Empty(t, told, "what there never was is not turned off")
	require.Empty(t, w.a.Off())

	dev.Link.State = station.LinkLost
	for i, v := range dev.Values {
		c := *v
		c.Stale = true
		dev.Values[i] = &c
	}
	at := w.now
	w.shows(person("1", dev))
	require.Len(t, told, 2, "shock index and difference of the rates")
	off := told[1]
	require.Equal(t, Off{Patient: "1", Rule: "shock-index", Label: "Shock index", Since: at, Cause: CauseStale, Reason: off.Reason}, off)
	require.Contains(t, off.String(), "Shock index is turned off: ")
	require.Contains(t, log.String(), `level=WARN msg="derived values are turned off" patient=1 rule=shock-index cause=device-not-live`)
	require.Equal(t, told, w.a.Off())

	told = nil
	for range 5 {
		w.shows(person("1", dev))
	}
	require.Empty(t, told, "once is enough")
	require.Equal(t, at, w.a.Off()[0].Since)

	dev.Link.State = station.LinkLive
	for i, v := range dev.Values {
		c := *v
		c.Stale = false
		dev.Values[i] = &c
	}
	w.fresh(dev)
	w.shows(person("1", dev))
	require.Empty(t, w.a.Off())
	require.Contains(t, log.String(), "no longer turned off")

	w.shows()
	require.Len(t, told, 1, "the patient is gone, and all values with the patient")
	require.Equal(t, CauseGone, told[0].Cause)
	require.Empty(t, w.a.Off())
}

// Patients are never mixed: one whom nobody else could recognise has nothing derived, and that is told too, as it is of patients for whom there is no room.
func TestPatientsLeftOutAreTold(t *testing.T) {
	var told []Off
	w := newWard(t, func(c *Config) {
		c.MaxPatients = 1
		c.TurnedOff = func(o Off) { told = append(told, o) }
	})
	unknown := person("nobody", w.device("urn:uuid:1", "A", vitals))
	unknown.IDs = nil
	one, two := person("1", w.device("urn:uuid:2", "B", vitals)), person("2", w.device("urn:uuid:3", "C", vitals))
	for range 3 {
		w.shows(one, two, unknown)
	}
	require.Len(t, told, 2)
	require.Equal(t, told, w.a.Off())
	require.Equal(t, []Cause{CauseRoom, CauseUnidentified}, []Cause{told[0].Cause, told[1].Cause})
	require.Equal(t, "2", told[0].Patient)
	require.Equal(t, "nobody", told[1].Patient)
	require.Contains(t, told[1].String(), "nothing is derived")

	// Known by an identifier from now on, and there is room again.
	w.fresh(unknown.Systems...)
	known := person("nobody", unknown.Systems...)
	w.shows(known)
	require.Empty(t, w.a.Off())
	require.Equal(t, "0.80", number(metric(t, w.a.dev.MDIB(), "patient-2.derived.shock-index")))
}
