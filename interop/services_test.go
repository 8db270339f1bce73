package interop

import (
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/localization"
	"github.com/semeco/go-sdc/sdc/provider"
)

// The peer's consumer, which validates all it gets, uses the services of our device that are off by default.
func TestPeerConsumerOfLowPriorityServices(t *testing.T) {
	// covers: BICEPS periodic reports, BICEPS SystemErrorReport, BICEPS R0101, BICEPS R0119
	t.Parallel()
	python(t)
	snap, err := mdib.ReadFile("testdata/device.xml")
	require.NoError(t, err)
	texts, err := localization.New(
		localization.Text{Ref: "welcome", Version: 1, Lang: "de", Content: "Willkommen"},
		localization.Text{Ref: "welcome", Version: 1, Lang: "en-US", Content: "Welcome"},
		localization.Text{Ref: "alarm", Version: 2, Lang: "zh-CN", Content: "报警"},
	)
	require.NoError(t, err)
	w := newWorld(t, true, sdc.RoleProvider)
	const every = 300 * time.Millisecond
	dev, err := provider.New(provider.Config{
		EPR: w.epr, MDIB: snap, Identity: w.ours, Policy: provider.AllowAll(), Network: w.network(), Timing: discovery.PromptTiming(), MaxSubscription: 5 * time.Second,
		Localization: texts, ContainmentTree: true, ContextQueries: true, Archive: true,
		Periodic: provider.Periodic{Metric: every, Alert: every, Component: every, Context: every, Operational: every},
		Logger:   slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	require.NoError(t, err)
	stop := run(t, dev)
	require.NoError(t, dev.SetLocation(sdc.LocationDetail{Facility: "fac1", PoC: "poc1", Bed: "bed1"}))

	p := w.start(t, "consumer.py")
	p.expect(t, "connected")
	require.NoError(t, dev.ReportSystemError(pm.CodedValue{Code: "4711"}, pm.LocalizedText{Lang: "en", Text: "Memory is worn out"}))

	var got struct{ Results map[string]any }
	p.do(t, "got", map[string]any{"do": "get"}).decode(t, &got)
	require.Equal(t, []any{"de", "en-US", "zh-CN"}, got.Results["GetSupportedLanguages"])
	require.EqualValues(t, 3, got.Results["GetLocalizedText"])
	require.EqualValues(t, 1, got.Results["GetContainmentTree"])

	var received struct{ Missing []string }
	p.do(t, "reports", map[string]any{"do": "wait", "timeout": 20, "reports": []string{
		"PeriodicMetricReport", "PeriodicAlertReport", "PeriodicComponentReport", "PeriodicContextReport", "PeriodicOperationalStateReport", "SystemErrorReport",
	}}).decode(t, &received)
	require.Empty(t, received.Missing)

	var theirs picture
	p.do(t, "mdib", map[string]any{"do": "dump", "version": dev.MDIB().Version().MdibVersion}).decode(t, &theirs)
	requireSame(t, pictureOf(dev.MDIB()), theirs)

	require.NoError(t, stop())
	p.expect(t, "ended")
	p.stop(t)
	p.complaints(t, append([]string{"ArchiveService"}, inGoodOrder...)...) // which the peer does not know
}
