package pairtest

import (
	"context"
	"net"
	"net/http"
	"regexp"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/consumer"
)

// askew is a connection to a device whose clock is off.
type askew struct {
	net.Conn
	by *atomic.Int64
}

var dateHeader = regexp.MustCompile(`Date: ([^\r]{29})\r`)

func (a askew) Read(b []byte) (int, error) {
	n, err := a.Conn.Read(b)
	if at := dateHeader.FindSubmatchIndex(b[:n]); at != nil {
		date, parseErr := http.ParseTime(string(b[at[2]:at[3]]))
		if parseErr == nil {
			copy(b[at[2]:at[3]], date.Add(time.Duration(a.by.Load())).UTC().Format(http.TimeFormat))
		}
	}
	return n, err
}

func TestAClockThatGoesWrongIsTold(t *testing.T) {
	// covers: SDPi R1600, SDPi R1601, SDPi R1603
	var by atomic.Int64
	s := setup{consumer: func(c *consumer.Config) {
		dial := c.Dial
		c.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := dial(ctx, network, addr)
			return askew{conn, &by}, err
		}
	}}
	told := func(u consumer.Update) bool { return u.Clock != nil }
	inBubble(t, s, func(t *testing.T, p *pair) {
		by.Store(int64(-time.Minute)) // from the beginning
		d := p.connect(t)
		f := follow(t, d)
		defer f.stop()
		require.True(t, d.Clock().Drifted)
		noon := pm.TimestampOf(time.Now())
		require.Equal(t, mdib.DoubtDrift, d.View().InstantOf("num", noon, pm.Opt[uint64]{}).Doubt)

		by.Store(0)
		u := f.next("right again", told)
		require.Equal(t, consumer.Live, u.Link.State)
		require.False(t, u.Clock.Drifted)
		require.Equal(t, 1, u.Clock.Steps)
		require.Zero(t, d.View().InstantOf("num", noon, pm.Opt[uint64]{}).Doubt)

		<-time.After(time.Minute) // virtual time; nothing to tell
		by.Store(int64(time.Hour))
		u = f.next("an hour ahead", told)
		require.True(t, u.Clock.Drifted)
		require.InDelta(t, -time.Hour, u.Clock.Drift(), float64(2*time.Second))
		require.Equal(t, 2, u.Clock.Steps)

		p.stop() // the device is gone: what was known stays
		require.True(t, d.Clock().Drifted)
	})

	s2 := s
	s2.consumer = func(c *consumer.Config) {
		s.consumer(c)
		c.ClockTolerance = -1
	}
	inBubble(t, s2, func(t *testing.T, p *pair) {
		d := p.connect(t)
		<-time.After(time.Minute)
		require.Zero(t, d.Clock())
	})
}
