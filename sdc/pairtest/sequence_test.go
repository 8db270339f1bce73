package pairtest

import (
	"context"
	"log/slog"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/soap"
)

// A report that comes twice under one number is answered like the first, and told to the application once; a number that is left out makes the
// link stale until the MDIB has been read anew.
func TestNumbersOfReports(t *testing.T) {
	// covers: SDPi R1031, SDPi R1032, SDPi R1033
	spy := &eavesdropper{Handler: slog.DiscardHandler}
	quietly := func(c *provider.Config) { c.Logger, c.NoReportSequence = slog.New(spy), true } // the numbers are those of this test
	inBubble(t, setup{provider: quietly}, func(t *testing.T, p *pair) {
		d := p.connect(t)
		var mu sync.Mutex
		var told []string
		var gaps []error
		go func() {
			for u, err := range d.Updates(t.Context()) {
				if err != nil {
					return
				}
				mu.Lock()
				if r, ok := u.Report.(*msg.SystemErrorReport); ok {
					told = append(told, r.ReportPart[0].ErrorCode.Code)
				}
				if u.Gap != nil {
					gaps = append(gaps, u.Gap.Cause)
				}
				mu.Unlock()
			}
		}()
		synctest.Wait()
		client, err := soap.NewClient(soap.ClientConfig{Insecure: true, Dial: p.net.Host(impostorIP).Dial})
		require.NoError(t, err)
		defer client.Close()
		to := spy.heard()[0]
		post := func(number string, body soap.Body) error {
			h := soap.NewHeader(soap.NewEndpoint(to), sdc.ActionSystemErrorReport)
			h.Extra = []soap.Body{soap.RawBody(`<sdpi:ReportSequence xmlns:sdpi="` + sdc.NamespaceSDPi + `" MessageNumber="` + number + `"/>`)}
			defer synctest.Wait()
			return client.Send(t.Context(), to, soap.AppendEnvelope(nil, h, body))
		}
		send := func(number, code string) {
			t.Helper()
			report := &msg.SystemErrorReport{ReportPart: []msg.SystemErrorReportPart{{ErrorCode: pm.CodedValue{Code: code}}}}
			report.MdibVersionGroup = p.dev.MDIB().Version().Group()
			require.NoError(t, post(number, report), "confirmed")
		}
		state := func() ([]string, []error) {
			mu.Lock()
			defer mu.Unlock()
			return slices.Clone(told), slices.Clone(gaps)
		}
		send("1", "first")
		send("1", "first")
		require.ErrorAs(t, post("2", &msg.GetMdib{}), new(*soap.Fault), "no report at all")
		send("2", "second") // the number was not used up (SDPi R0802)
		reports, lost := state()
		require.Equal(t, []string{"first", "second"}, reports)
		require.Empty(t, lost)
		require.Equal(t, consumer.Live, d.Link().State)

		send("4", "fourth")
		require.NoError(t, setNumber(p.dev, "7"))
		require.NoError(t, p.dev.Flush(t.Context()))
		synctest.Wait()
		_, lost = state()
		require.Len(t, lost, 1)
		var left *consumer.ReportSequenceError
		require.ErrorAs(t, lost[0], &left)
		require.Equal(t, &consumer.ReportSequenceError{Last: 2, Got: 4}, left)
		require.Equal(t, consumer.Live, d.Link().State)
		require.Equal(t, "7", number(t, d.MDIB()))
	})
}

// held keeps what a device answers from the consumer while it is closed.
type held struct {
	net.Conn
	gate *gate
}

func (h held) Read(b []byte) (int, error) {
	n, err := h.Conn.Read(b)
	h.gate.wait()
	return n, err
}

type gate struct {
	mu     sync.Mutex
	opened chan struct{} // nil while open
}

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.opened = make(chan struct{})
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.opened != nil {
		close(g.opened)
		g.opened = nil
	}
}

func (g *gate) wait() {
	g.mu.Lock()
	opened := g.opened
	g.mu.Unlock()
	if opened != nil {
		<-opened
	}
}

// Reports of an operation that arrive before the answer to the call belong to it, all of them and in order.
func TestReportsBeforeTheAnswer(t *testing.T) {
	// covers: SCO-8
	for name, c := range map[string]struct {
		invocation provider.Invocation
		want       []msg.InvocationState
	}{
		"direct":  {provider.Direct, []msg.InvocationState{msg.InvocationStateFin}},
		"delayed": {provider.Delayed, []msg.InvocationState{msg.InvocationStateWait, msg.InvocationStateStart, msg.InvocationStateFin}},
	} {
		t.Run(name, func(t *testing.T) {
			g := new(gate)
			inBubble(t, setup{
				provider: func(pc *provider.Config) { pc.ApplyProposals, pc.Invocation = true, c.invocation },
				consumer: func(cc *consumer.Config) {
					dial := cc.Dial
					cc.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
						conn, err := dial(ctx, network, address)
						if err != nil {
							return nil, err
						}
						return held{conn, g}, nil
					}
				},
			}, func(t *testing.T, p *pair) {
				d := p.connect(t)
				before := d.MDIB().Version().MdibVersion
				g.close()
				defer g.open()
				type outcome struct {
					r   *consumer.Result
					err error
				}
				done := make(chan outcome, 1)
				go func() {
					r, err := d.SetValue(t.Context(), "value.set", pm.MustDecimal("7.50"))
					done <- outcome{r, err}
				}()
				synctest.Wait()
				require.Greater(t, d.MDIB().Version().MdibVersion, before, "the effect has been told")
				require.Empty(t, done, "the answer is still on its way")
				g.open()
				o := <-done
				require.NoError(t, o.err)
				require.Equal(t, msg.InvocationStateFin, o.r.State)
				require.Equal(t, "num.set", o.r.Target, "which only the report tells")
				var states []msg.InvocationState
				for _, s := range o.r.Steps {
					if len(states) == 0 || states[len(states)-1] != s.State {
						states = append(states, s.State)
					}
				}
				require.Equal(t, c.want, states)
			})
		})
	}
}
