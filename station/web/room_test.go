package web_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/simulators"
	"github.com/semeco/go-sdc/simulators/monitor"
	"github.com/semeco/go-sdc/simulators/room"
	"github.com/semeco/go-sdc/station"
	"github.com/semeco/go-sdc/station/web"
)

// Five devices of an operating room, as sdc station --demo shows them; then the ventilator is killed.
func TestTheRoomInTheBrowser(t *testing.T) {
	s := newScene(t, func(c *web.Config) { c.Title = "OR 1" })
	r, err := room.New(room.Config{Authority: s.ca, Seed: 1, Patient: "4711", Given: "Pat", Family: "Demo"})
	require.NoError(t, err)
	stops := map[string]func(){}
	for _, d := range r.Devices {
		stops[d.Name] = s.background(d.Run)
		<-d.Ready()
		s.devices.add(discovery.Endpoint{EPR: d.EPR, XAddrs: d.Provider().XAddrs()})
	}
	s.live(5)
	ctx := browser(t)
	do(t, ctx, "five devices", chromedp.EmulateViewport(1500, 1040), chromedp.Navigate(s.url), holds(`document.querySelectorAll(".card.live").length === 5`),
		holds(`[...document.querySelectorAll(".card")].every(c => c.querySelectorAll(".tile.current").length > 0)`),
		holds(`[...document.querySelectorAll(".card")].find(c => c.textContent.includes("Ventilator")).querySelectorAll(".tile.current").length >= 5`),
		holds(moving+`.length >= 6`))
	picture(t, ctx, "room")
	accessible(t, ctx)
	stops["Ventilator"]()
	do(t, ctx, "a killed ventilator", holds(`document.querySelectorAll(".card.live").length === 4`), holds(`document.querySelectorAll(".card:not(.live) .tile.current").length === 0`),
		holds(`document.getElementById("announce").textContent.startsWith("Ventilator: ")`))
	picture(t, ctx, "room-device-killed")
	accessible(t, ctx)
}

// accessible checks what a program can tell of a page: names for whoever cannot see it, contrast for whoever hardly can.
func accessible(t *testing.T, ctx context.Context) { //nolint:revive // the test comes first, as everywhere
	t.Helper()
	var nodes []*accessibility.Node
	do(t, ctx, "the accessibility tree", chromedp.ActionFunc(func(ctx context.Context) (err error) {
		nodes, err = accessibility.GetFullAXTree().Do(ctx)
		return err
	}))
	kinds := map[string]int{}
	for _, n := range nodes {
		if n.Ignored || n.Role == nil {
			continue
		}
		role := strings.Trim(string(n.Role.Value), `"`)
		kinds[role]++
		switch role {
		case "link", "button", "image", "textbox", "checkbox", "dialog", "region", "table":
			require.True(t, n.Name != nil && strings.Trim(string(n.Name.Value), `" `) != "", "a %s has no name: node %d", role, n.BackendDOMNodeID)
		}
	}
	for _, role := range []string{"banner", "main", "heading", "link", "image", "status"} {
		require.Positive(t, kinds[role], "%s: %v", role, kinds)
	}
	var poor []string
	do(t, ctx, "contrast", chromedp.Evaluate(contrast, &poor))
	require.Empty(t, poor, "text that can hardly be read (WCAG 2.2, 1.4.3)")
}

// contrast lists the visible texts whose contrast to what is behind them is below 4.5, or 3 for large ones. Of a pattern the lighter stripe counts.
const contrast = `(() => {
	const parse = (c) => (c.match(/[\d.]+/g) || []).map(Number);
	const lin = (v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
	const lum = ([r, g, b]) => 0.2126 * lin(r) + 0.7152 * lin(g) + 0.0722 * lin(b);
	const ground = (e) => {
		for (; e; e = e.parentElement) {
			const s = getComputedStyle(e);
			const stripes = (s.backgroundImage.match(/rgba?\([^)]*\)/g) || []).map(parse).filter((c) => c.length < 4 || c[3] === 1);
			if (stripes.length) return stripes.sort((a, b) => lum(b) - lum(a))[0];
			const c = parse(s.backgroundColor);
			if (c.length === 3 || c[3] === 1) return c;
		}
		return [0, 0, 0];
	};
	const out = new Set();
	const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	for (let n; (n = walk.nextNode());) {
		const e = n.parentElement, s = getComputedStyle(e);
		if (!n.textContent.trim() || !e.getClientRects().length || e.closest(".skip, .heard, button:disabled, .strip.stale figcaption")) continue;
		const a = lum(parse(s.color)), b = lum(ground(e));
		const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
		const size = parseFloat(s.fontSize), large = size >= 24 || size >= 18.66 && Number(s.fontWeight) >= 700;
		if (ratio < (large ? 3 : 4.5)) out.add(e.className + " " + ratio.toFixed(2) + " " + n.textContent.trim().slice(0, 30));
	}
	return [...out];
})()`

// ward is a station without a network, with a monitor that the test plays.
type ward struct {
	t     *testing.T
	s     *station.Offline
	store *mdib.Store
	last  *mdib.Snapshot
	link  consumer.LinkState
	url   string
}

const wardEPR = "urn:uuid:00000000-0000-4000-8000-000000000001"

func newWard(t *testing.T) *ward {
	t.Helper()
	s, err := station.NewOffline(station.Config{})
	require.NoError(t, err)
	mon, err := monitor.New(simulators.Options{})
	require.NoError(t, err)
	w := &ward{t: t, s: s, store: mdib.NewStore(mon.MDIB(), mdib.Config{}), link: consumer.Live}
	scene := &scene{t: t}
	scene.background(s.Run)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	w.url = "http://" + l.Addr().String() + "/"
	scene.serve(l, web.Config{Station: s, Title: "Ward"})
	w.apply(nil, w.store.Load())
	return w
}

func (w *ward) apply(change *mdib.Change, snap *mdib.Snapshot) {
	w.s.Apply(station.Device{EPR: wardEPR, Name: "Monitor"}, consumer.Update{
		Time: time.Now(), Link: consumer.Link{State: w.link, Since: time.Now()}, Before: w.last, Snapshot: snap, Change: change,
	})
	w.last = snap
}

func (w *ward) update(fn func(tx *mdib.Tx) error) {
	w.t.Helper()
	change, err := w.store.Update(fn)
	require.NoError(w.t, err)
	w.apply(change, change.After)
}

// alarm sets a condition and the presence of its signals.
func (w *ward) alarm(condition string, present bool, signals pm.AlertSignalPresence) {
	w.t.Helper()
	w.update(func(tx *mdib.Tx) error {
		for e := range tx.Base().Entities() {
			if d, ok := e.Descriptor.(*pm.AlertSignalDescriptor); ok && d.ConditionSignaled == condition {
				s, err := mdib.Edit[*pm.AlertSignalState](tx, e.Handle)
				if err != nil {
					return err
				}
				s.Presence = signals
			}
		}
		return tx.SetPresence(condition, present)
	})
}

// Alarms are told by priority, in words and colours, and read out; one that has been acknowledged is quiet and stays, and a stale one says so.
func TestAlarmsInTheBrowser(t *testing.T) {
	w := newWard(t)
	ctx := browser(t)
	said := func(what string) string {
		return `document.getElementById("alarms").textContent.includes("` + what + `")`
	}
	row := func(class string) string { return `document.querySelector("#alarms .alarm.` + class + `") !== null` }
	live := func(is string) string {
		return `document.getElementById("alarms").getAttribute("aria-live") === "` + is + `"`
	}
	do(t, ctx, "calm", chromedp.Navigate(w.url), holds(said("no active alarms")), holds(live("polite")))
	w.alarm(monitor.AlarmSpO2, true, pm.AlertSignalPresenceOn)
	w.alarm(monitor.AlarmHR, true, pm.AlertSignalPresenceOn)
	do(t, ctx, "two alarms", holds(said("Oxygen saturation outside limits")), holds(said("Heart rate outside limits")), holds(live("assertive")))
	var order []string
	do(t, ctx, "order", chromedp.Evaluate(`[...document.querySelectorAll("#alarms .priority")].map(e => e.textContent)`, &order))
	rank := map[string]int{"high": 3, "medium": 2, "low": 1}
	require.Len(t, order, 2)
	require.GreaterOrEqual(t, rank[order[0]], rank[order[1]], "the most urgent first: %v", order)
	require.Equal(t, "high", order[0])
	var colour string
	do(t, ctx, "red", chromedp.Evaluate(`getComputedStyle(document.querySelector("#alarms .alarm.high")).backgroundColor`, &colour))
	require.Equal(t, "rgb(215, 0, 21)", colour)
	picture(t, ctx, "alarms")
	accessible(t, ctx)

	w.alarm(monitor.AlarmSpO2, true, pm.AlertSignalPresenceAck)
	w.alarm(monitor.AlarmHR, true, pm.AlertSignalPresenceAck)
	do(t, ctx, "acknowledged", holds(said("acknowledged")), holds(row("high.quiet")), holds(`document.querySelector("#alarms .alarm.high:not(.quiet)") === null`))
	w.alarm(monitor.AlarmHR, false, pm.AlertSignalPresenceLatch)
	do(t, ctx, "latched", holds(said("over, latched")))
	w.link = consumer.Resyncing
	w.apply(nil, w.store.Load())
	do(t, ctx, "stale", holds(said("stale: may have ended")), holds(row("stale")))
	w.link = consumer.Live
	w.apply(nil, w.store.Load())
	w.alarm(monitor.AlarmSpO2, false, pm.AlertSignalPresenceOff)
	w.alarm(monitor.AlarmHR, false, pm.AlertSignalPresenceOff)
	do(t, ctx, "over", holds(said("no active alarms")), holds(live("polite")))
}

// Everything can be reached with the keyboard, in the order of the page, and shows that it has the focus.
func TestKeyboard(t *testing.T) {
	w := newWard(t)
	ctx := browser(t)
	active := func() string {
		var is string
		do(t, ctx, "focus", chromedp.Evaluate(`(() => { const e = document.activeElement; return e.className + "|" + e.id + "|" + e.textContent.trim().slice(0, 20) + "|" + getComputedStyle(e).outlineStyle; })()`, &is))
		return is
	}
	do(t, ctx, "the ward", chromedp.Navigate(w.url), holds(`document.querySelectorAll(".card.live").length === 1`), chromedp.KeyEvent(kb.Tab))
	require.Contains(t, active(), "skip|")
	do(t, ctx, "skip", chromedp.KeyEvent(kb.Enter), holds(`document.activeElement.id === "main"`), chromedp.KeyEvent(kb.Tab))
	is := active()
	require.Contains(t, is, "Monitor")
	require.Contains(t, is, "solid", "the focus is seen")
	do(t, ctx, "a tile", chromedp.KeyEvent(kb.Tab))
	require.Contains(t, active(), "tile")
	do(t, ctx, "its trend", chromedp.KeyEvent(kb.Enter), holds(`location.hash.startsWith("#/device/") && document.querySelector("figure.trend") !== null`))
	// Skipping what comes first leaves one on the page where one is.
	do(t, ctx, "skip here too", chromedp.Focus(".skip"), chromedp.KeyEvent(kb.Enter), holds(`document.activeElement.id === "main" && location.hash.startsWith("#/device/")`))
}

// The trend shows what was measured in the last hours.
func TestTrendInTheBrowser(t *testing.T) {
	w := newWard(t)
	for i := range 20 {
		w.update(func(tx *mdib.Tx) error {
			return tx.SetNumeric(monitor.HandleHR, pm.NewDecimal(int64(60+i), 0), time.Now())
		})
	}
	ctx := browser(t)
	do(t, ctx, "the trend", chromedp.Navigate(w.url+"#/device/"+wardEPR+"/"+monitor.HandleHR),
		holds(`document.querySelector("figure.trend .note")?.textContent.startsWith("1 step")`),
		holds(lit+`(document.querySelector("canvas.trend"))`))
	var label string
	do(t, ctx, "for whoever does not see it", chromedp.Evaluate(`document.querySelector("canvas.trend").getAttribute("aria-label")`, &label))
	require.Contains(t, label, "Heart rate")
	require.Contains(t, label, "60 to 79", "the label tells the range")
}

// stalling passes connections on to a server until it is told to stop: then they stay open, and nothing comes any more.
type stalling struct {
	listener net.Listener
	mu       sync.Mutex
	open     chan struct{} // closed while bytes pass
}

func newStalling(t *testing.T, server string) *stalling {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &stalling{listener: l, open: make(chan struct{})}
	close(p.open)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	pass := func(to, from net.Conn) {
		defer to.Close()
		buf := make([]byte, 16<<10)
		for {
			n, err := from.Read(buf)
			if err != nil {
				return
			}
			p.mu.Lock()
			open := p.open
			p.mu.Unlock()
			select {
			case <-open:
			case <-ctx.Done():
				return
			}
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
	}
	wg.Go(func() {
		for {
			a, err := l.Accept()
			if err != nil {
				return
			}
			b, err := net.Dial("tcp", server)
			if err != nil {
				_ = a.Close()
				continue
			}
			wg.Go(func() {
				<-ctx.Done()
				_ = a.Close()
				_ = b.Close()
			})
			wg.Go(func() { pass(a, b) })
			wg.Go(func() { pass(b, a) })
		}
	})
	t.Cleanup(func() {
		cancel()
		_ = l.Close()
		wg.Wait()
	})
	return p
}

func (p *stalling) stall(is bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if is {
		p.open = make(chan struct{})
	} else {
		close(p.open)
	}
}

// A network that swallows everything, without closing anything, is noticed by the page, which heals when it is back.
func TestTheNetworkInTheBrowser(t *testing.T) {
	w := newWard(t)
	w.update(func(tx *mdib.Tx) error { return tx.SetNumeric(monitor.HandleHR, pm.NewDecimal(60, 0), time.Now()) })
	p := newStalling(t, strings.TrimSuffix(strings.TrimPrefix(w.url, "http://"), "/"))
	ctx := browser(t)
	do(t, ctx, "the ward", chromedp.Navigate(fmt.Sprintf("http://%s/", p.listener.Addr())), holds(`document.querySelectorAll(".card.live").length === 1`),
		holds(`!document.body.classList.contains("disconnected")`))
	p.stall(true)
	do(t, ctx, "nothing comes", holds(`document.body.classList.contains("disconnected") && !document.getElementById("outage").hidden`),
		holds(`document.querySelectorAll(".tile.current").length === 0 && document.querySelectorAll(".link.live").length === 0`))
	picture(t, ctx, "network")
	p.stall(false)
	do(t, ctx, "it heals", holds(`!document.body.classList.contains("disconnected") && document.querySelectorAll(".link.live").length === 1`))
}
