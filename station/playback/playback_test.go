package playback_test

import (
	"context"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/semeco/go-sdc/internal/testkit/bubble"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/recording"
	"github.com/semeco/go-sdc/simulators"
	"github.com/semeco/go-sdc/simulators/monitor"
	"github.com/semeco/go-sdc/station"
	"github.com/semeco/go-sdc/station/playback"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const epr = "urn:uuid:5b0f4f5e-0c3e-4e0c-9c60-3c1f5c9d3a11"

// night is a recording of a monitor that measures once a second: at 10 s its link is lost until 20 s, at 30 s it has another value, at 40 s it ends.
func night(t *testing.T) *recording.Reader {
	t.Helper()
	path := filepath.Join(t.TempDir(), "night.sdcrec")
	bubble.Test(t, func(t *testing.T) {
		mon, err := monitor.New(simulators.Options{})
		require.NoError(t, err)
		store := mdib.NewStore(mon.MDIB(), mdib.Config{})
		w, err := recording.Create(path, recording.Config{KeyEvery: time.Second})
		require.NoError(t, err)
		track, err := w.Track(recording.Device{EPR: epr, FriendlyName: []recording.Text{{Text: "Monitor"}}})
		require.NoError(t, err)
		live := recording.Link{State: "live", Since: time.Now()}
		track.Start(time.Now(), live, store.Load())
		for s := range 40 {
			value := int64(60)
			if s >= 30 {
				value = 90
			}
			change, err := store.Update(func(tx *mdib.Tx) error {
				return tx.SetNumeric(monitor.HandleHR, pm.NewDecimal(value, 0), time.Now())
			})
			require.NoError(t, err)
			switch {
			case s == 10:
				track.Link(time.Now(), recording.Link{State: "resyncing", Cause: "cable", Since: time.Now()})
			case s == 20:
				track.Resync(time.Now(), recording.Gap{Origin: recording.OriginDevice, Cause: "cable"}, live, change.After)
			case s < 10 || s > 20:
				track.Report(time.Now(), change.Report(), change.After)
			}
			<-time.After(time.Second)
		}
		track.End(time.Now(), "over")
		require.NoError(t, w.Close())
	})
	rec, err := recording.Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, rec.Close()) })
	return rec
}

// play shows a recording; test is called when it begins and gets what looks at the heart rate and the link after some time.
func play(t *testing.T, rec *recording.Reader, cfg playback.Config, test func(t *testing.T, s *station.Offline, pass func(time.Duration) *station.Device)) error {
	t.Helper()
	var played error
	bubble.Test(t, func(t *testing.T) {
		<-time.After(1000 * time.Hour) // long after the recording
		s, err := station.NewOffline(station.Config{})
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		ended, over := make(chan error, 1), make(chan error, 1)
		go func() { ended <- s.Run(ctx) }()
		go func() { over <- playback.Play(ctx, s, rec, cfg) }()
		test(t, s, func(d time.Duration) *station.Device {
			<-time.After(d)
			synctest.Wait()
			return s.View().Device(epr)
		})
		cancel()
		played = <-over
		require.NoError(t, <-ended)
	})
	return played
}

func heartRate(d *station.Device) (*station.Value, float64, station.Status) {
	v := d.Value(monitor.HandleHR)
	f, _ := v.Float()
	return v, f, v.Status(time.Now())
}

func TestPlay(t *testing.T) {
	require.NoError(t, play(t, night(t), playback.Config{}, func(t *testing.T, s *station.Offline, pass func(time.Duration) *station.Device) {
		d := pass(5*time.Second + 500*time.Millisecond)
		require.Equal(t, "Monitor", d.Name)
		require.True(t, d.Live())
		v, hr, status := heartRate(d)
		require.InDelta(t, 60, hr, 0)
		require.Equal(t, station.Current, status)
		require.InDelta(t, 0.5, v.Age(time.Now()).Seconds(), 0.2, "as old as it was then")

		d = pass(10 * time.Second)
		require.Equal(t, station.LinkResyncing, d.Link.State)
		require.Equal(t, "cable", d.Link.Cause)
		_, _, status = heartRate(d)
		require.Equal(t, station.Stale, status)

		d = pass(10 * time.Second)
		require.True(t, d.Live(), d.Link.Cause)
		d = pass(10 * time.Second)
		_, hr, status = heartRate(d)
		require.InDelta(t, 90, hr, 0)
		require.Equal(t, station.Current, status)
		require.NotEmpty(t, s.Points(station.Query{Ref: station.Ref{Device: epr, Handle: monitor.HandleHR}}), "there is a history")

		d = pass(10 * time.Second)
		require.Equal(t, station.LinkLost, d.Link.State, "nothing is live at the end")
		require.Equal(t, playback.ErrEnd.Error(), d.Link.Cause)
		_, err := s.Device(epr)
		require.ErrorIs(t, err, station.ErrNotConnected)
	}))
}

func TestPlayFromTheMiddle(t *testing.T) {
	rec := night(t)
	first, _ := rec.Span()
	require.NoError(t, play(t, rec, playback.Config{From: first.Add(32 * time.Second)}, func(t *testing.T, _ *station.Offline, pass func(time.Duration) *station.Device) {
		_, hr, status := heartRate(pass(100 * time.Millisecond))
		require.InDelta(t, 90, hr, 0, "at once")
		require.Equal(t, station.Current, status)
	}))
	// What was under way when it is stopped is not live any more.
	require.NoError(t, play(t, rec, playback.Config{}, func(_ *testing.T, _ *station.Offline, pass func(time.Duration) *station.Device) { pass(time.Second) }))
	require.ErrorIs(t, play(t, rec, playback.Config{Devices: []string{"urn:uuid:nobody"}}, func(_ *testing.T, _ *station.Offline, pass func(time.Duration) *station.Device) {
		pass(time.Second)
	}), recording.ErrNoDevice)
}
