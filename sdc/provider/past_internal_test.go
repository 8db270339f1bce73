package provider

import (
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/testkit/bubble"
	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/hm"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/soap/eventing"
)

// While an answer from the history is on its way others are worked on.
func TestHistoriesSideBySide(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		snap, err := mdib.ReadFile("testdata/device.xml")
		require.NoError(t, err)
		p, err := New(Config{MDIB: snap, Insecure: true, History: true, Archive: true})
		require.NoError(t, err)
		require.NoError(t, p.Update(func(tx *mdib.Tx) error { return tx.SetNumeric("num", pm.NewDecimal(1, 0), time.Now()) }))
		open := func() eventing.Feed {
			q := &hm.Query{ProvideInitialMdib: true, Time: &hm.TimeRange{Start: 0, End: pm.TimestampOf(time.Now().Add(time.Hour))}}
			raw, err := xmlscan.ParseRaw(append(append([]byte("<f>"), q.AppendXML(nil)...), "</f>"...), xmlscan.Limits{})
			require.NoError(t, err)
			f, err := p.openHistory(t.Context(), nil, raw)
			require.NoError(t, err)
			return f
		}
		for range open() { // no other waits until this one has been taken
			require.GreaterOrEqual(t, len(slices.Collect(iter.Seq[eventing.Notification](open()))), 2)
			r := &msg.GetStatesFromArchive{TimeFrame: &msg.TimeFrame{}}
			_, err := p.getStatesFromArchive(t.Context(), nil, r)
			require.NoError(t, err)
		}
	})
}
