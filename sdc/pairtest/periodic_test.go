package pairtest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/provider"
)

func TestPeriodicReportsAndObservedValuesKeepTheMirrorRight(t *testing.T) {
	// covers: BICEPS periodic reports, BICEPS SystemErrorReport
	configure := func(c *provider.Config) {
		c.Periodic = provider.Periodic{Metric: 100 * time.Millisecond, Alert: 100 * time.Millisecond, Component: 100 * time.Millisecond, Context: 100 * time.Millisecond, Operational: 100 * time.Millisecond}
		c.ObservedValues = true
	}
	inBubble(t, setup{provider: configure}, func(t *testing.T, p *pair) {
		d := p.connect(t)
		f := follow(t, d)
		defer f.stop()
		tick := time.NewTicker(30 * time.Millisecond)
		defer tick.Stop()
		for i := range 50 {
			<-tick.C
			require.NoError(t, setNumber(p.dev, fmt.Sprint(i)))
			require.NoError(t, p.dev.StreamObserved(time.Now(), map[string]pm.Samples{"wave": {pm.MustDecimal(fmt.Sprint(i))}}))
		}
		f.next("the last version", version(p.dev.MDIB().Version().MdibVersion))
		require.True(t, d.MDIB().Equal(p.dev.MDIB()))
		require.Equal(t, consumer.Live, d.Link().State, "no gap was seen")

		require.NoError(t, p.dev.ReportSystemError(pm.CodedValue{Code: "1"}, pm.LocalizedText{Text: "worn out", Lang: "en"}))
		f.next("the system error", func(u consumer.Update) bool { return u.Change != nil && u.Change.Kind == mdib.KindSystemError })
		require.True(t, d.MDIB().Equal(p.dev.MDIB()))
	})
}
