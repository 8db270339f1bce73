package web_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/pki"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/simulators"
	"github.com/semeco/go-sdc/simulators/monitor"
	"github.com/semeco/go-sdc/simulators/physio"
	"github.com/semeco/go-sdc/simulators/ventilator"
	"github.com/semeco/go-sdc/station"
	"github.com/semeco/go-sdc/station/web"
)

// beds of two devices each, and what a wall of them shows.
const (
	beds      = 10
	waveforms = 60
)

// wallOf opens the wall of a station and waits until every waveform moves.
func wallOf(t *testing.T, ctx context.Context, url string) { //nolint:revive // the test comes first, as everywhere
	t.Helper()
	do(t, ctx, "the wall", chromedp.EmulateViewport(1920, 1080), chromedp.Navigate(url),
		holds(fmt.Sprintf(`document.querySelectorAll(".card.live").length === %d`, 2*beds)),
		holds(fmt.Sprintf(`window.sdcLoad && window.sdcLoad().waves === %d && window.sdcLoad().points > %d`, waveforms, waveforms*20)))
}

// Twenty devices with sixty waveforms: they are decimated to what the page can show, which it tells, and neither page nor station keeps more and more.
func TestTwentyDevicesAreDecimatedAndBounded(t *testing.T) {
	s, err := station.NewOffline(station.Config{History: station.HistoryConfig{Waves: 3 * time.Second, Detail: 3 * time.Second}})
	require.NoError(t, err)
	mon, err := monitor.New(simulators.Options{})
	require.NoError(t, err)
	scene := &scene{t: t}
	scene.background(s.Run)
	scene.background(func(ctx context.Context) error { return crowd(ctx, s, mon.MDIB()) })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	scene.serve(l, web.Config{Station: s, Title: "Load"})
	ctx := browser(t)
	wallOf(t, ctx, "http://"+l.Addr().String()+"/")
	var text string
	do(t, ctx, "what the page says", holds(`document.getElementById("load").textContent.includes("decimated")`), chromedp.Text("#load", &text))
	require.Contains(t, text, "60 waveforms, 20 decimated to the least and greatest of each 4 samples")

	measure := func() (goroutines int, heap uint64, points int) {
		do(t, ctx, "frames", chromedp.Evaluate(`window.sdcFrames.reset()`, nil), holds(`window.sdcFrames.times.length >= 60`),
			chromedp.Evaluate(`window.sdcLoad().points`, &points))
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return runtime.NumGoroutine(), m.HeapAlloc, points
	}
	measure() // the histories fill
	goroutines, heap, _ := measure()
	for range 3 {
		measure()
	}
	g, h, points := measure()
	require.InDelta(t, goroutines, g, 20)
	require.Less(t, h, 2*heap+32<<20, "the station keeps more and more")
	// At most ten seconds of each, at most twice as dense as the page has asked for.
	require.Less(t, points, waveforms*10*2*500)
	picture(t, ctx, "load")
}

// crowd tells a station of monitors as dense as the simulated one, without a network.
func crowd(ctx context.Context, s *station.Offline, snap *mdib.Snapshot) error {
	type device struct {
		epr   string
		store *mdib.Store
		last  *mdib.Snapshot
	}
	periods := map[string]time.Duration{}
	for e := range snap.Entities() {
		if d, ok := e.Descriptor.(*pm.RealTimeSampleArrayMetricDescriptor); ok {
			periods[e.Handle] = d.SamplePeriod.Std()
		}
	}
	live := consumer.Link{State: consumer.Live, Since: time.Now()}
	var all []*device
	for i := range 2 * beds {
		d := &device{epr: fmt.Sprintf("urn:uuid:00000000-0000-4000-8000-%012d", i), store: mdib.NewStore(snap, mdib.Config{})}
		d.last = d.store.Load()
		s.Apply(station.Device{EPR: d.epr, Name: fmt.Sprintf("Monitor %d", i+1)}, consumer.Update{Time: time.Now(), Link: live, Snapshot: d.last})
		all = append(all, d)
	}
	const every = 200 * time.Millisecond
	tick := time.NewTicker(every)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		now := time.Now()
		for _, d := range all {
			change, err := d.store.Update(func(tx *mdib.Tx) error {
				for h, period := range periods {
					samples := make(pm.Samples, every/period)
					for i := range samples {
						samples[i] = pm.NewDecimal(int64((n*len(samples)+i)%200), 0)
					}
					if err := tx.SetSamples(h, samples, now.Add(-every)); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
			s.Apply(station.Device{EPR: d.epr}, consumer.Update{Time: now, Link: live, Before: d.last, Snapshot: change.After, Change: change})
			d.last = change.After
		}
	}
}

// devicesFor makes the test binary a program that runs the devices of the beds with the identity in a folder.
const devicesFor = "SDC_WEB_TEST_DEVICES"

// runBeds runs a ventilator and a monitor at each bed and prints where they are, until the input ends.
func runBeds(folder string) error {
	id, err := sdc.LoadIdentity(folder)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var wg sync.WaitGroup
	defer wg.Wait()
	var mu sync.Mutex
	for i := range beds {
		opts := simulators.Options{
			Seed: uint64(i), Location: sdc.LocationDetail{Facility: "Hospital", PoC: "ICU", Bed: fmt.Sprint(i + 1)}, Bed: simulators.NewBed(physio.Config{Seed: uint64(i)}),
		}
		v, err := ventilator.New(opts)
		if err != nil {
			return err
		}
		m, err := monitor.New(opts)
		if err != nil {
			return err
		}
		for _, sim := range []simulators.Simulator{v, m} {
			wg.Go(func() {
				defer cancel()
				_ = simulators.Run(ctx, sim, provider.Config{Identity: id, Timing: discovery.PromptTiming()}, func(p *provider.Provider) {
					mu.Lock()
					defer mu.Unlock()
					line, _ := json.Marshal(discovery.Endpoint{EPR: p.EPR(), XAddrs: p.XAddrs()}) // texts only
					fmt.Println(string(line))
				})
			})
		}
	}
	go func() {
		_, _ = bufio.NewReader(os.Stdin).ReadString(0)
		cancel()
	}()
	<-ctx.Done()
	return nil
}

// TestMeasureTwentyDevices measures what docs/station.md tells: twenty simulated devices in a process of their own, over mutual TLS, a station with its
// web view in this one, and Chromium. make station-load runs it. It says nothing on a machine that is busy.
func TestMeasureTwentyDevices(t *testing.T) {
	if os.Getenv("SDC_MEASURE") != "1" {
		t.Skip("a measurement: SDC_MEASURE=1 runs it")
	}
	s := newScene(t, nil)
	p, err := s.ca.Issue(pki.Request{Name: "device", Role: sdc.RoleProvider})
	require.NoError(t, err)
	folder := t.TempDir()
	require.NoError(t, p.Write(folder))
	exe, err := os.Executable()
	require.NoError(t, err)
	devices := exec.CommandContext(t.Context(), exe)
	devices.Env = append(os.Environ(), devicesFor+"="+folder)
	in, err := devices.StdinPipe()
	require.NoError(t, err)
	out, err := devices.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, devices.Start())
	defer func() {
		require.NoError(t, in.Close())
		require.NoError(t, devices.Wait())
	}()
	lines := json.NewDecoder(out)
	for range 2 * beds {
		var e discovery.Endpoint
		require.NoError(t, lines.Decode(&e))
		s.devices.add(e)
	}
	s.live(2 * beds)
	ctx := browser(t)
	wallOf(t, ctx, s.url)
	<-time.After(10 * time.Second)

	before, begun := used(t), time.Now()
	var frames struct {
		Frames           int
		Median, P95, P99 float64
		Late             int
	}
	do(t, ctx, "frames", chromedp.Evaluate(`window.sdcFrames.reset()`, nil), chromedp.Poll(`window.sdcFrames.times.length >= 1200`, nil,
		chromedp.WithPollingTimeout(2*time.Minute), chromedp.WithPollingInterval(time.Second)),
		chromedp.Evaluate(`(() => { const t = [...window.sdcFrames.times].sort((a, b) => a - b), at = (p) => t[Math.floor(t.length * p)];
			return {Frames: t.length, Median: at(0.5), P95: at(0.95), P99: at(0.99), Late: t.filter((x) => x > 50).length}; })()`, &frames))
	took := time.Since(begun)
	var text string
	do(t, ctx, "what the page says", chromedp.Text("#load", &text))
	picture(t, ctx, "load")
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	t.Logf("%s, %d CPUs, %s", runtime.GOARCH, runtime.NumCPU(), runtime.Version())
	t.Logf("%d frames in %v: median %.1f ms, 95 %% within %.1f ms, 99 %% within %.1f ms, %d above 50 ms", frames.Frames, took.Round(time.Millisecond), frames.Median, frames.P95, frames.P99, frames.Late)
	t.Logf("station and web view: %.1f %% of one CPU, %d MiB heap", 100*(used(t)-before).Seconds()/took.Seconds(), m.HeapAlloc>>20)
	t.Log(text)
}

// used is the CPU time of this process; devices and browser are others.
func used(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
