package web_test

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/simulators"
	"github.com/semeco/go-sdc/simulators/monitor"
	"github.com/semeco/go-sdc/simulators/physio"
	"github.com/semeco/go-sdc/simulators/ventilator"
	"github.com/semeco/go-sdc/station"
	"github.com/semeco/go-sdc/station/web"
)

// browser starts Chromium, or skips the test, or fails it where one is required.
func browser(t *testing.T) context.Context {
	t.Helper()
	path := os.Getenv("SDC_CHROMIUM")
	if path == "" {
		path, _ = filepath.Abs("../../.tools/chromium/chromium") // does not fail: the working directory is known
		if _, err := os.Stat(path); err != nil {
			if path, err = exec.LookPath("chromium"); err != nil {
				if os.Getenv("SDC_REQUIRE_CHROMIUM") == "1" {
					t.Fatal("Chromium is required: make chromium")
				}
				t.Skip("SKIPPED, NOT TESTED: no Chromium; make chromium installs one")
			}
		}
	}
	folder, err := os.MkdirTemp("", "sdc-chromium-") //nolint:usetesting // it is removed while it may still be written to
	require.NoError(t, err)
	t.Cleanup(func() {
		// Helpers of the browser write for a moment after it has ended.
		require.Eventually(t, func() bool { return os.RemoveAll(folder) == nil }, time.Minute, 50*time.Millisecond)
	})
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(folder), chromedp.WindowSize(1500, 950),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.WSURLReadTimeout(time.Minute),
	)
	ctx, stopAllocator := chromedp.NewExecAllocator(t.Context(), options...)
	ctx, stopBrowser := chromedp.NewContext(ctx, chromedp.WithErrorf(t.Logf)) // of events it does not know
	t.Cleanup(func() {
		stopBrowser()
		stopAllocator()
		chromedp.FromContext(ctx).Allocator.Wait()
	})
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// do runs actions in the browser.
func do(t *testing.T, ctx context.Context, what string, actions ...chromedp.Action) { //nolint:revive // the test comes first, as everywhere
	t.Helper()
	if err := chromedp.Run(ctx, actions...); err != nil {
		picture(t, ctx, "failed")
		require.NoError(t, err, what)
	}
}

// picture keeps a screenshot where SDC_SCREENSHOTS says; README shows some of them.
func picture(t *testing.T, ctx context.Context, name string) { //nolint:revive // see above
	t.Helper()
	dir := os.Getenv("SDC_SCREENSHOTS")
	if dir == "" {
		return
	}
	var png []byte
	if err := chromedp.Run(ctx, chromedp.CaptureScreenshot(&png)); err != nil {
		t.Logf("no screenshot: %v", err)
		return
	}
	require.NoError(t, os.MkdirAll(dir, 0o750))
	require.NoError(t, os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600))
}

// holds waits until an expression of JavaScript is true.
func holds(expression string) chromedp.Action {
	return chromedp.Poll(expression, nil, chromedp.WithPollingTimeout(45*time.Second), chromedp.WithPollingInterval(50*time.Millisecond))
}

// lit tells of a canvas whether a waveform is drawn on it; moving are those on which one is.
const (
	lit = `(c => {
		const d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
		let lit = 0;
		for (let i = 1; i < d.length; i += 4) if (d[i] > 90) lit++;
		return lit > 100;
	})`
	moving = `[...document.querySelectorAll("canvas.wave")].filter(` + lit + `)`
)

// The wall, a device's page, a device that is killed, and a station that is killed and comes back.
func TestInTheBrowser(t *testing.T) {
	s := newScene(t, nil)
	vent, mon := s.bed(physio.Stable)
	s.live(2)
	// A web view of its own, which can be stopped.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := l.Addr().String()
	stop := s.serve(l, web.Config{Station: s.station, Title: "OR 3"})
	ctx := browser(t)

	do(t, ctx, "the wall", chromedp.Navigate("http://"+address+"/"),
		holds(`document.querySelectorAll(".card.live").length === 2`),
		holds(`document.querySelectorAll(".tile.current .number").length >= 6`),
		holds(`[...document.querySelectorAll(".tile.current.heart .number")].some(e => Number(e.textContent) > 30)`),
		holds(`document.body.className === ""`))
	var text string
	do(t, ctx, "names", chromedp.Text("main", &text))
	require.Contains(t, text, "Example")
	require.Contains(t, text, "OR 3")

	// Waveforms move, smoothly as far as this machine can tell.
	do(t, ctx, "waveforms", holds(moving+`.length >= 3`))
	picture(t, ctx, "wall")
	var smooth struct {
		Frames int
		Median float64
		P95    float64
	}
	do(t, ctx, "frames", chromedp.Evaluate(`window.sdcFrames.reset()`, nil), holds(`window.sdcFrames.times.length >= 60`),
		chromedp.Evaluate(`(() => { const t = [...window.sdcFrames.times].sort((a, b) => a - b);
			return {Frames: t.length, Median: t[t.length >> 1], P95: t[Math.floor(t.length * 0.95)]}; })()`, &smooth))
	t.Logf("%d frames, %.1f ms in the median, 95 %% below %.1f ms", smooth.Frames, smooth.Median, smooth.P95)

	// The page of a device, reached with the keyboard alone.
	do(t, ctx, "the page of the monitor", chromedp.Focus(`.card[data-device="`+mon.epr+`"] h3 a`), chromedp.KeyEvent("\r"),
		holds(`document.querySelectorAll(".tiles.large .tile.current").length >= 5`),
		holds(`document.querySelector("figure.trend .note").textContent !== "loading"`),
		chromedp.Click("summary"), holds(`document.querySelectorAll(".tree li").length > 20`))
	do(t, ctx, "read only", holds(`document.querySelector(".operations") === null && document.getElementById("control").hidden`))
	picture(t, ctx, "device")
	do(t, ctx, "back", chromedp.Evaluate(`location.hash = "#/"`, nil), holds(`document.querySelectorAll(".card").length === 2`),
		holds(moving+`.length >= 6`))

	// A device that is killed cannot be overlooked, and nothing of it looks current.
	vent.stop()
	do(t, ctx, "a killed device", holds(`document.querySelector('.card[data-device="`+vent.epr+`"]:not(.live) .link:not(.live)') !== null`),
		holds(`document.querySelectorAll('.card[data-device="`+vent.epr+`"] .tile.current').length === 0`),
		holds(`document.querySelectorAll('.card[data-device="`+mon.epr+`"] .tile.current').length > 3`))
	do(t, ctx, "what was drawn of others stays", holds(`[...document.querySelectorAll('.card[data-device="`+mon.epr+`"] canvas')].every(`+lit+`)`))
	picture(t, ctx, "device-killed")

	// It comes back with another address of its own, and is live again.
	again, err := ventilator.New(simulators.Options{Seed: 8, Location: sdc.LocationDetail{Facility: "Hospital", PoC: "OR 3", Bed: "1"}})
	require.NoError(t, err)
	s.runAs(vent.epr, again)
	do(t, ctx, "it is back", holds(`document.querySelector('.card.live[data-device="`+vent.epr+`"] .link.live') !== null`),
		holds(`document.querySelectorAll('.card[data-device="`+vent.epr+`"] .tile.current').length > 0`))

	// So it is with the station itself, and the page heals.
	stop()
	do(t, ctx, "a killed station", holds(`document.body.classList.contains("disconnected") && !document.getElementById("outage").hidden`),
		holds(`document.querySelectorAll(".tile.current").length === 0`))
	picture(t, ctx, "station-killed")
	l, err = net.Listen("tcp", address)
	require.NoError(t, err)
	s.serve(l, web.Config{Station: s.station, Title: "OR 3"})
	do(t, ctx, "the station is back", holds(`!document.body.classList.contains("disconnected")`),
		holds(`document.querySelectorAll('.card[data-device="`+mon.epr+`"] .tile.current').length > 3`))
}

// A user takes control, confirms, and sees the outcome.
func TestControlInTheBrowser(t *testing.T) {
	var s *scene
	s = newScene(t, func(c *web.Config) { c.Control = &web.Control{Audit: func(e web.Event) error { return s.audit(e) }} })
	vent, mon := s.bed(physio.Stable)
	v := s.live(2)
	set := peep(t, v, vent.epr)
	ctx := browser(t)
	row := `[...document.querySelectorAll(".operations tbody tr")].find(r => r.cells[0].textContent === ` + "`" + set.Label + "`" + `)`
	do(t, ctx, "the page of the ventilator", chromedp.Navigate(s.url+"#/device/"+vent.epr),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: "reduce"}}),
		holds(row+` !== undefined && `+row+`.querySelector("button").disabled`))
	do(t, ctx, "taking control", chromedp.Click("#control"), chromedp.SendKeys(`dialog input[name="name"]`, "Dr. Demo"),
		chromedp.Click(`dialog button.act`), holds(`document.body.classList.contains("controlling")`))
	do(t, ctx, "asking", chromedp.Evaluate(row+`.querySelector("button").click()`, nil), chromedp.SendKeys(`dialog input[name="value"]`, "9"))
	picture(t, ctx, "confirm")
	do(t, ctx, "confirming", chromedp.Click(`dialog input[type="checkbox"]`), chromedp.Click(`dialog button.act`),
		holds(row+`.querySelector(".note").textContent.startsWith("Fin")`))
	s.await("the new PEEP", func(v *station.View) bool { return value(t, v, set) == 9 })

	// An alarm is acknowledged where it is shown.
	require.NoError(t, mon.dev.Update(func(tx *mdib.Tx) error {
		limits, err := mdib.Edit[*pm.LimitAlertConditionState](tx, monitor.AlarmHR)
		if err == nil {
			limits.Limits.Upper = pm.Some(pm.MustDecimal("55"))
		}
		return err
	}))
	do(t, ctx, "an alarm", chromedp.Evaluate(`location.hash = "#/device/`+mon.epr+`"`, nil), holds(`document.querySelector(".alarm .acknowledge:enabled") !== null`))
	picture(t, ctx, "acknowledge")
	do(t, ctx, "acknowledging", chromedp.Click(".alarm .acknowledge"), chromedp.Click(`dialog input[type="checkbox"]`), chromedp.Click(`dialog button.act`),
		holds(`document.querySelector(".alarm .acknowledge") === null`))
	s.await("an acknowledged signal", func(v *station.View) bool {
		for _, a := range v.Device(mon.epr).Systems[0].Alerts {
			if a.Handle == monitor.AlarmHR {
				return slices.ContainsFunc(a.Signals, func(x station.Signal) bool { return x.Presence == pm.AlertSignalPresenceAck })
			}
		}
		return false
	})
	do(t, ctx, "back to the ventilator", chromedp.Evaluate(`location.hash = "#/device/`+vent.epr+`"`, nil))

	// A page that is loaded anew has no control, whatever it had before, and can take it again at once.
	do(t, ctx, "loading anew", chromedp.Reload(), holds(row+` !== undefined && `+row+`.querySelector("button").disabled`),
		holds(`!document.body.classList.contains("controlling") && document.getElementById("control").textContent === "Take control"`),
		chromedp.Click("#control"), chromedp.SendKeys(`dialog input[name="name"]`, "Dr. Demo"),
		chromedp.Click(`dialog button.act`), holds(`document.body.classList.contains("controlling")`))
	s.mu.Lock()
	defer s.mu.Unlock()
	require.Equal(t, web.ControlGivenUp, s.events[len(s.events)-2].What)
}
