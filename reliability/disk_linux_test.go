package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/internal/testkit/faults"
	"github.com/semeco/go-sdc/internal/testkit/oracle"
	"github.com/semeco/go-sdc/recording"
	"github.com/semeco/go-sdc/recording/recorder"
	"github.com/semeco/go-sdc/sdc/audit"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/persist"
	"github.com/semeco/go-sdc/sdc/provider"
)

// TestFullDisk: a disk is really full under all that device and consumer write. Neither waits for it, nobody loses anything because of it, and what could not be
// written is told: by the recording, by the audit file, and by the saved state, which stays the last one that is whole.
func TestFullDisk(t *testing.T) {
	together(t)
	before := count()
	disk, err := faults.NewDisk(2 << 20)
	if err != nil {
		t.Skipf("SKIPPED, NOT TESTED: %v", err)
	}
	trail, err := audit.Open(disk.Path("audit"), audit.FileConfig{Queue: 1, RetryEvery: 100 * time.Millisecond})
	require.NoError(t, err)
	state, err := persist.Open(persist.Config{Dir: disk.Path("state"), Every: 50 * time.Millisecond})
	require.NoError(t, err)
	cfg := provider.Config{EPR: deviceURN, MDIB: snapshot(t), Insecure: true, Transport: discovery.NewSilence(), StopTimeout: 5 * time.Second, Audit: trail}
	require.NoError(t, state.Configure(&cfg))
	dev, err := provider.New(cfg)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended, saved := make(chan error, 1), make(chan struct{})
	go func() { ended <- dev.Run(ctx) }()
	<-dev.Ready()
	go func() {
		defer close(saved)
		state.Run(ctx, dev)
	}()
	history := oracle.NewHistory(dev)
	view := oracle.NewObserver(history)
	c, err := consumer.New(t.Context(), consumer.Config{Insecure: true})
	require.NoError(t, err)
	mirror, err := c.Connect(t.Context(), discovery.Endpoint{EPR: dev.EPR(), XAddrs: dev.XAddrs()})
	require.NoError(t, err)
	rec, err := recording.Create(disk.Path("rec"), recording.Config{FlushEvery: 20 * time.Millisecond, FrameSize: 1 << 10, Buffer: 64 << 10})
	require.NoError(t, err)
	followed, recorded := make(chan error, 1), make(chan error, 1)
	go func() { followed <- view.Follow(ctx, mirror) }()
	go func() { recorded <- recorder.Record(ctx, rec, mirror) }()
	caught := func() {
		t.Helper()
		within, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		require.NoError(t, view.Caught(within))
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	changesUntil := func(done func() bool) {
		for begin := time.Now(); !done(); <-tick.C {
			require.Less(t, time.Since(begin), time.Minute)
			require.NoError(t, history.Change())
			now := time.Now()
			view.CheckAt(mirror.View(), now, honesty)
			_, err := mirror.GetMdState(t.Context()) // for the audit file
			require.NoError(t, err)
		}
	}
	caught()
	for rec.Stats().Records < 4 { // session, device, link and MDIB: the recorder has begun
		<-tick.C
	}
	changesUntil(func() bool { return rec.Stats().Frames > 3 })

	require.NoError(t, disk.Fill())
	changesUntil(func() bool { return rec.Stats().Trouble != nil })
	enough := rec.Stats().Dropped + 10
	changesUntil(func() bool { return rec.Stats().Dropped >= enough })
	require.ErrorIs(t, rec.Stats().Trouble, unix.ENOSPC)
	require.ErrorIs(t, state.Save(dev), unix.ENOSPC)
	require.NoError(t, disk.Relieve())
	over := time.Now()
	changesUntil(func() bool { return rec.Stats().Trouble == nil })
	healed := time.Since(over)
	frames := rec.Stats().Frames
	changesUntil(func() bool { return rec.Stats().Frames > frames+3 })
	caught()
	v := view.Verdict()

	cancel()
	require.NoError(t, <-ended)
	<-saved
	require.NoError(t, <-followed)
	require.NoError(t, <-recorded)
	require.NoError(t, rec.Close())
	require.NoError(t, state.Close(dev))
	_ = c.Close(context.Background()) // the device has gone
	require.NoError(t, trail.Close())
	require.Empty(t, v.Wrong)
	require.Zero(t, v.Unannounced)
	require.Zero(t, v.Gaps, "the consumer lost nothing")

	r, err := recording.Open(disk.Path("rec"))
	require.NoError(t, err)
	played, lost, full := 0, 0, false
	for s, err := range r.Play(time.Time{}) {
		require.NoError(t, err)
		if s.Gap != nil {
			require.Equal(t, recording.OriginRecorder, s.Gap.Origin)
			full = full || strings.Contains(s.Gap.Cause, "no space left")
			lost += int(s.Gap.Lost)
		}
		if s.Change != nil {
			played++
		}
	}
	require.True(t, full)
	require.Positive(t, lost)
	require.Equal(t, v.Committed, played+lost, "each report is there or counted")
	require.NoError(t, r.Close())

	again, err := persist.Open(persist.Config{Dir: disk.Path("state")})
	require.NoError(t, err)
	require.True(t, again.Restored())
	require.Empty(t, again.Damage())
	require.NoError(t, disk.Close())
	record(t, Row{
		Fault: "the disk full under recording, audit file and saved state", Where: Loopback, Bound: processBound, Healed: healed.Round(time.Millisecond), Verdict: v,
		Leaks: (&ward{t: t}).left(before),
	})
}
