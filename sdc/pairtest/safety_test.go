package pairtest

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/sdc/safety"
)

// requiring makes value.set and act ask for safety information.
func requiring(t *testing.T) func(*provider.Provider) {
	return func(p *provider.Provider) {
		require.NoError(t, p.Update(func(tx *mdib.Tx) error {
			for handle, r := range map[string]*safety.Requirement{
				"value.set": {
					DualChannel: []safety.Selector{
						{ID: "operation", Path: "/msg:SetValue/msg:OperationHandleRef/text()"},
						{ID: "value", Path: "/msg:SetValue/msg:RequestedNumericValue/text()"},
					},
					Context: []safety.Selector{
						{ID: "unit", Path: "/pm:MdDescription/pm:Mds[@Handle='mds']/pm:Vmd/pm:Channel[1]/pm:Metric[@Handle='num.set']/pm:Unit/@Code"},
						{ID: "measured", Path: "/pm:MdState/pm:State[@DescriptorHandle='num']/pm:MetricValue/@Value"},
					},
				},
				"act": {DualChannel: []safety.Selector{{ID: "second", Path: "/msg:Activate/msg:Argument[2]/msg:ArgValue/text()"}}},
			} {
				d, err := tx.EditDescriptor(handle)
				if err != nil {
					return err
				}
				if err := r.Set(d.(pm.OperationDescriptor)); err != nil {
					return err
				}
			}
			return nil
		}))
		require.NoError(t, setNumber(p, "36.6"))
	}
}

func TestSafetyInformationIsAskedForAndSent(t *testing.T) {
	// covers: MDPWS safety
	var done []string
	device := func(p *provider.Provider) {
		requiring(t)(p)
		require.NoError(t, p.HandleSetValue("value.set", func(_ context.Context, c *provider.SetValue) error {
			done = append(done, c.Value.String())
			return nil
		}))
		require.NoError(t, p.HandleActivate("act", func(_ context.Context, c *provider.Activate) error {
			done = append(done, c.Arguments[1].Value)
			return nil
		}))
	}
	test := func(t *testing.T, p *pair) {
		done = nil
		d := p.connect(t)
		r, err := d.SetValue(t.Context(), "value.set", pm.MustDecimal("5.50"))
		require.NoError(t, err)
		require.Equal(t, msg.InvocationStateFin, r.State)
		_, err = d.Activate(t.Context(), "act", "a <b> & c", "1.0", "urn:x")
		require.NoError(t, err)
		require.Equal(t, []string{"5.50", "1.0"}, done)
	}
	t.Run("in memory", func(t *testing.T) { inBubble(t, setup{device: device}, test) })
	t.Run("mutual TLS", func(t *testing.T) { overTLS(t, setup{device: device}, test) })
}

func TestWrongSafetyInformationIsRefusedBeforeTheHandler(t *testing.T) {
	// covers: MDPWS safety
	var info func(right *safety.Info) (*safety.Info, error)
	s := setup{
		device: func(p *provider.Provider) {
			requiring(t)(p)
			require.NoError(t, p.HandleSetValue("value.set", func(context.Context, *provider.SetValue) error {
				t.Error("the handler ran")
				return nil
			}))
		},
		consumer: func(c *consumer.Config) {
			c.SafetyInfo = func(_ context.Context, r *safety.Requirement, request msg.SetRequest, snap *mdib.Snapshot) (*safety.Info, error) {
				right, err := r.Compute(request, snap)
				if err != nil {
					return nil, err
				}
				return info(right)
			}
		},
	}
	inBubble(t, s, func(t *testing.T, p *pair) {
		d := p.connect(t)
		before := p.dev.MDIB()
		for want, change := range map[string]func(i *safety.Info){
			`dual channel: the value of selector "value" is missing`:     func(i *safety.Info) { i.DualChannel = i.DualChannel[:1] },
			`dual channel: the value of selector "value" is wrong`:       func(i *safety.Info) { i.DualChannel[1].Text = safety.Digest("50.5") },
			`dual channel: there is no selector "more"`:                  func(i *safety.Info) { i.DualChannel = append(i.DualChannel, safety.Value{Selector: "more"}) },
			`dual channel: selector "value" has two values`:              func(i *safety.Info) { i.DualChannel = append(i.DualChannel, i.DualChannel[1]) },
			`safety context: the value of selector "unit" is missing`:    func(i *safety.Info) { i.Context = nil },
			`safety context: the value of selector "measured" is wrong`:  func(i *safety.Info) { i.Context[1].Text = "37" },
			`dual channel: the value of selector "operation" is missing`: func(i *safety.Info) { *i = safety.Info{} },
		} {
			info = func(right *safety.Info) (*safety.Info, error) {
				change(right)
				return right, nil
			}
			r, err := d.SetValue(t.Context(), "value.set", pm.MustDecimal("5.5"))
			var failed *consumer.OperationError
			require.ErrorAs(t, err, &failed, want)
			require.Equal(t, msg.InvocationStateFail, r.State)
			require.Equal(t, msg.InvocationErrorInv, r.Error)
			require.Contains(t, r.Message[0].Text, want)
		}
		require.Same(t, before, p.dev.MDIB())

		// What the application cannot vouch for is not sent.
		sorry := errors.New("the second channel is broken")
		info = func(*safety.Info) (*safety.Info, error) { return nil, sorry }
		_, err := d.SetValue(t.Context(), "value.set", pm.MustDecimal("5.5"))
		require.ErrorIs(t, err, sorry)
	})
	// A caller that knows nothing of it.
	inBubble(t, setup{device: s.device}, func(t *testing.T, p *pair) {
		d := p.connect(t)
		require.NoError(t, setNumber(p.dev, "40")) // the mirror may still lag behind: then the context is wrong, and that is told too
		require.NoError(t, p.dev.Flush(t.Context()))
		require.NoError(t, p.dev.Update(func(tx *mdib.Tx) error {
			s, err := mdib.Edit[*pm.NumericMetricState](tx, "num")
			if err == nil {
				s.MetricValue = nil
			}
			return err
		}))
		require.NoError(t, p.dev.Flush(t.Context()))
		_, err := d.SetValue(t.Context(), "value.set", pm.MustDecimal("5.5"))
		require.ErrorContains(t, err, `selector "measured": points to nothing`)
	})
}
