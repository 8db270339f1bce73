package pairtest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/soap"
	"github.com/semeco/go-sdc/soap/eventing"
	"github.com/semeco/go-sdc/soap/journal"
)

// journals are those of both sides of a pair.
type journals struct {
	path   [2]string
	writer [2]*journal.Journal
}

// setup opens them when the pair is made, which is in its bubble.
func (j *journals) setup(t *testing.T) setup {
	dir := t.TempDir()
	open := func(i int) *journal.Journal {
		j.path[i] = filepath.Join(dir, fmt.Sprint("journal", i))
		var err error
		j.writer[i], err = journal.Open(j.path[i], journal.Config{})
		require.NoError(t, err)
		return j.writer[i]
	}
	return setup{
		provider: func(c *provider.Config) { c.Journal, c.ApplyProposals = open(0), true },
		consumer: func(c *consumer.Config) { c.Journal = open(1) },
	}
}

// read closes both and returns their entries, the provider's first.
func (j *journals) read(t *testing.T) (entries [2][]journal.Entry) {
	for i, w := range j.writer {
		require.NoError(t, w.Close(t.Context()))
		f, err := os.Open(j.path[i])
		require.NoError(t, err)
		for r := journal.NewReader(f); ; {
			e, err := r.Next()
			if err != nil {
				require.ErrorContains(t, err, "EOF")
				break
			}
			// net/http may give up a connection that it began when another has become free.
			if e.Kind != journal.KindStart && e.Kind != soap.KindConnection {
				entries[i] = append(entries[i], e)
			}
		}
		require.NoError(t, f.Close())
	}
	return entries
}

// essence is what both sides must agree about.
func essence(e journal.Entry) string {
	return fmt.Sprint(e.Kind, " ", e.Transport, " ", e.Method, " ", e.Path, " ", e.Status, " ", e.Action, " ", e.MessageID, " ", e.RelatesTo, " ", e.Size, " ", e.Compressed, "\n", e.Body)
}

// A whole session stands in the journals of both sides: whatever one has sent the other has received, once, byte for byte.
func TestBothSidesKeepTheSameJournal(t *testing.T) {
	// covers: SDPi R0006
	test := func(t *testing.T, p *pair) {
		d := p.connect(t)
		f := follow(t, d)
		for i := range 5 {
			require.NoError(t, setNumber(p.dev, fmt.Sprint(i)))
		}
		_, err := d.SetString(t.Context(), "string.set", "OFF")
		require.NoError(t, err)
		f.next("the last value", version(p.dev.MDIB().Version().MdibVersion))
		f.stop()
		if p.net != nil {
			time.Sleep(2 * time.Minute) // renewals
			synctest.Wait()
		}
		require.NoError(t, p.consumer.Close(t.Context()))
		p.stop()
	}
	check := func(t *testing.T, j *journals, transport string) {
		entries := j.read(t)
		actions := map[string]int{}
		for side, name := range []string{"provider", "consumer"} {
			missing := map[string]int{}
			for _, e := range entries[side] {
				require.Equal(t, name, e.Role)
				require.Equal(t, map[string]string{"provider": deviceURN}[name], e.Self)
				require.Equal(t, transport, e.Transport)
				require.Empty(t, e.Error)
				require.Equal(t, transport == "https", e.Subject != "")
				if e.Direction == journal.Sent {
					missing[essence(e)]++
					actions[e.Action]++
				}
			}
			for _, e := range entries[1-side] {
				if e.Direction == journal.Received {
					missing[essence(e)]--
				}
			}
			for what, n := range missing {
				require.Zero(t, n, "sent by the %s more often than received: %.400s", name, what)
			}
		}
		for _, action := range []string{
			sdc.ActionGetMdib, sdc.ActionGetMdib + "Response", sdc.ActionEpisodicMetricReport, eventing.ActionSubscribe, eventing.ActionSubscribe + "Response", eventing.ActionUnsubscribe,
			sdc.ActionOperationInvokedReport, sdc.ActionSetString,
		} {
			require.NotZero(t, actions[action], action)
		}
		require.GreaterOrEqual(t, actions[sdc.ActionEpisodicMetricReport], 5)
		if transport == "http" {
			require.NotZero(t, actions[eventing.ActionRenew])
		}
		for _, e := range entries[0] {
			if e.Kind == soap.KindNotification {
				require.Contains(t, e.Action, "Report")
			}
			if e.Action == sdc.ActionGetMdib+"Response" {
				require.True(t, e.Compressed)
				require.True(t, strings.HasSuffix(e.Body, "</s12:Envelope>"))
			}
		}
	}
	t.Run("in memory", func(t *testing.T) {
		j := new(journals)
		inBubble(t, j.setup(t), func(t *testing.T, p *pair) {
			test(t, p)
			check(t, j, "http")
		})
	})
	t.Run("mutual TLS", func(t *testing.T) {
		j := new(journals)
		overTLS(t, j.setup(t), test)
		check(t, j, "https")
	})
}
