package recorder_test

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/internal/testkit/bubble"
	"github.com/semeco/go-sdc/internal/testkit/memnet"
	"github.com/semeco/go-sdc/internal/testkit/oracle"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/recording"
	"github.com/semeco/go-sdc/recording/recorder"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/provider"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const stationIP = "192.0.2.200"

func epr(n int) string { return fmt.Sprintf("urn:uuid:5b0f4f5e-0c3e-4e0c-9c60-3c1f5c9d3a%02d", n) }

func ip(n int) string { return fmt.Sprintf("192.0.2.%d", n) }

// life runs device n until stop is called.
func life(t *testing.T, network *memnet.Network, n int) (p *provider.Provider, stop func()) {
	t.Helper()
	snap, err := mdib.ReadFile("../../sdc/provider/testdata/device.xml")
	require.NoError(t, err)
	here := network.Host(ip(n))
	p, err = provider.New(provider.Config{
		EPR: epr(n), MDIB: snap, Insecure: true, Dial: here.Dial, Transport: discovery.NewSilence(), StopTimeout: time.Second,
		Listen: func(context.Context, string, string) (net.Listener, error) { return here.Listen(4000) },
	})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	<-p.Ready()
	return p, func() {
		cancel()
		_ = <-ended // an error is that it could not take its leave
	}
}

func station(t *testing.T, network *memnet.Network, cfg consumer.Config) *consumer.Consumer {
	t.Helper()
	there := network.Host(stationIP)
	cfg.Insecure, cfg.Dial = true, there.Dial
	cfg.Listen = there.ListenAny
	c, err := consumer.New(t.Context(), cfg)
	require.NoError(t, err)
	return c
}

func closeStation(t *testing.T, c *consumer.Consumer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = c.Close(ctx) // devices may be gone
}

func connect(t *testing.T, c *consumer.Consumer, p *provider.Provider) *consumer.Device {
	t.Helper()
	d, err := c.Connect(t.Context(), discovery.Endpoint{EPR: p.EPR(), XAddrs: p.XAddrs()})
	require.NoError(t, err)
	return d
}

// played is what a recording tells of one device: the versions seen one by one, and the gaps.
type played struct {
	versions []mdib.Version
	gaps     []recording.Gap
	starts   int // MDIBs that are no repetition
}

// play requires that no version is missing but within gaps.
func play(t *testing.T, path, device string) (out played) {
	t.Helper()
	r, err := recording.Open(path)
	require.NoError(t, err)
	defer func() { require.NoError(t, r.Close()) }()
	s, err := r.Check(t.Context())
	require.NoError(t, err)
	require.Empty(t, s.Damage)
	require.Empty(t, s.Unusable)
	var last mdib.Version
	for s, err := range r.Play(time.Time{}, device) {
		require.NoError(t, err)
		if s.Gap != nil {
			out.gaps = append(out.gaps, *s.Gap)
		}
		if s.After == nil {
			continue
		}
		v := s.After.Version()
		switch {
		case s.Change == nil:
			out.starts++
		case v != last:
			require.True(t, v.SameSequence(last) && v.MdibVersion == last.MdibVersion+1, "%v follows %v", v, last)
			out.versions = append(out.versions, v)
		}
		last = v
	}
	return out
}

// TestLostAndFound: a device that is lost for good and comes back is one gap of the same recording.
func TestLostAndFound(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.sdcrec")
	bubble.Test(t, func(t *testing.T) {
		network := memnet.New(memnet.Config{})
		defer network.Close()
		p, stop := life(t, network, 1)
		c := station(t, network, consumer.Config{LostAfter: 3 * time.Second})
		defer closeStation(t, c)
		dev := connect(t, c, p)
		w, err := recording.Create(path, recording.Config{})
		require.NoError(t, err)
		history := oracle.NewHistory(p)
		recorded := make(chan error, 1)
		go func() { recorded <- recorder.Record(t.Context(), w, dev) }()
		for range 20 {
			time.Sleep(100 * time.Millisecond)
			require.NoError(t, history.Change())
		}
		time.Sleep(time.Second)
		last := dev.MDIB().Version()
		network.Partition(ip(1), stationIP)
		stop()
		err = <-recorded
		require.ErrorIs(t, err, consumer.ErrLost)
		lost := recording.Gap{Origin: recording.OriginDevice, Cause: err.Error(), Since: time.Now()}
		network.Heal(ip(1), stationIP)

		p, stop = life(t, network, 1)
		defer stop()
		history.Restart(p)
		dev = connect(t, c, p)
		ctx, cancel := context.WithCancel(t.Context())
		go func() { recorded <- recorder.Again(ctx, w, dev, lost) }()
		for range 30 {
			time.Sleep(100 * time.Millisecond)
			require.NoError(t, history.Change())
		}
		time.Sleep(time.Second)
		cancel()
		require.NoError(t, <-recorded)
		require.NoError(t, w.Close())
		got := play(t, path, epr(1))
		require.Len(t, got.versions, 50)
		require.Equal(t, last, got.versions[19])
		require.False(t, got.versions[20].SameSequence(last), "its next life")
		require.Len(t, got.gaps, 1)
		require.Equal(t, recording.OriginDevice, got.gaps[0].Origin)
		require.Contains(t, got.gaps[0].Cause, consumer.ErrLost.Error())
	})
}

// TestSlowReader: a recorder that is slower than the consumer's queue can bridge goes on with the MDIB as it is then, and says what it has missed.
func TestSlowReader(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.sdcrec")
	network := memnet.New(memnet.Config{})
	defer network.Close()
	p, stop := life(t, network, 1)
	defer stop()
	c := station(t, network, consumer.Config{UpdateQueue: 1})
	defer closeStation(t, c)
	dev := connect(t, c, p)
	w, err := recording.Create(path, recording.Config{})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	recorded := make(chan error, 1)
	go func() { recorded <- recorder.Record(ctx, w, dev) }()
	history := oracle.NewHistory(p)
	slow := false
	for begin := time.Now(); !slow && time.Since(begin) < time.Minute; {
		for range 500 {
			require.NoError(t, history.Change())
		}
		require.NoError(t, p.Flush(t.Context()))
		require.NoError(t, w.Flush())
		slow = len(play(t, path, epr(1)).gaps) > 0
	}
	require.True(t, slow, "two updates come in the time of one")
	cancel()
	require.NoError(t, <-recorded)
	require.NoError(t, w.Close())
	for _, g := range play(t, path, epr(1)).gaps {
		require.Equal(t, recording.OriginRecorder, g.Origin)
		require.Contains(t, g.Cause, consumer.ErrSlowReader.Error())
		require.WithinDuration(t, time.Now(), g.Since, time.Hour)
	}
}

// TestSeveralDevices: what one of them goes through is of no matter to the others in the same recording.
func TestSeveralDevices(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.sdcrec")
	bubble.Test(t, func(t *testing.T) {
		network := memnet.New(memnet.Config{})
		defer network.Close()
		c := station(t, network, consumer.Config{LostAfter: time.Hour})
		defer closeStation(t, c)
		w, err := recording.Create(path, recording.Config{KeyEvery: time.Second})
		require.NoError(t, err)
		const devices = 5
		histories := make([]*oracle.History, devices+1)
		ctx, cancel := context.WithCancel(t.Context())
		recorded := make(chan error, devices)
		var last *consumer.Device
		for n := 1; n <= devices; n++ {
			p, stop := life(t, network, n)
			defer stop()
			histories[n] = oracle.NewHistory(p)
			dev := connect(t, c, p)
			go func() { recorded <- recorder.Record(ctx, w, dev) }()
			last = dev
		}
		time.Sleep(time.Second)
		require.ErrorIs(t, recorder.Record(ctx, w, last), recording.ErrTracked)
		for round := range 300 {
			switch round {
			case 100:
				network.Partition(ip(1), stationIP)
			case 200:
				network.Heal(ip(1), stationIP)
			}
			for n := 1; n <= devices; n++ {
				if round%n == 0 {
					require.NoError(t, histories[n].Change())
				}
			}
			time.Sleep(200 * time.Millisecond)
		}
		time.Sleep(20 * time.Second)
		cancel()
		for range devices {
			require.NoError(t, <-recorded)
		}
		require.NoError(t, w.Close())
		for n := 1; n <= devices; n++ {
			got := play(t, path, epr(n))
			require.Equal(t, histories[n].Version(), got.versions[len(got.versions)-1])
			if n == 1 {
				require.NotEmpty(t, got.gaps)
				require.Less(t, len(got.versions), histories[n].Len()-1)
				continue
			}
			require.Empty(t, got.gaps, "device %d", n)
			require.Len(t, got.versions, histories[n].Len()-1)
		}
	})
}
