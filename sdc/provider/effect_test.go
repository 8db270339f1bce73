package provider_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/provider"
)

// lasting gives the operation "slow" an effect of 2 s.
func lasting(retriggerable pm.Opt[bool]) func(*provider.Config) {
	return func(c *provider.Config) {
		store := mdib.NewStore(c.MDIB, mdib.Config{})
		_, err := store.Update(func(tx *mdib.Tx) error {
			d, err := mdib.EditDescriptorAs[*pm.ActivateOperationDescriptor](tx, "slow")
			if err == nil {
				d.InvocationEffectiveTimeout, d.Retriggerable = pm.Some(pm.DurationOf(2*time.Second)), retriggerable
			}
			return err
		})
		if err != nil {
			panic(err)
		}
		c.MDIB = store.Load()
	}
}

func trigger(p *peer) msg.InvocationInfo {
	p.t.Helper()
	return mustCall[*msg.ActivateResponse](p, "Set", sdc.ActionActivate, &msg.Activate{AbstractSet: msg.AbstractSet{OperationHandleRef: "slow"}}).InvocationInfo
}

// cutter is a device that cuts while its operation is in effect.
type cutter struct {
	calls   atomic.Int32
	cutting atomic.Bool
	since   atomic.Int64 // ns
	took    atomic.Int64 // ns, of the last whole effect
	last    atomic.Uint32
	jammed  atomic.Bool
}

func (c *cutter) prepare(t *testing.T) func(*provider.Provider) {
	return func(dev *provider.Provider) {
		require.NoError(t, dev.HandleActivate("slow", func(context.Context, *provider.Activate) error {
			c.calls.Add(1)
			if c.jammed.Load() {
				return errors.New("jammed")
			}
			if !c.cutting.Swap(true) {
				c.since.Store(time.Now().UnixNano())
			}
			return nil
		}))
		require.NoError(t, dev.HandleEffectEnd("slow", func(ctx context.Context, call *provider.Call) error {
			c.took.Store(time.Now().UnixNano() - c.since.Load())
			c.last.Store(call.TransactionID)
			c.cutting.Store(false)
			if ctx.Err() != nil {
				t.Error("no time left to end the effect")
			}
			return nil
		}))
	}
}

func wait(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestEffectLastsAsLongAsItIsRetriggered(t *testing.T) {
	// covers: SCO-10
	c := &cutter{}
	inBubble(t, lasting(pm.Opt[bool]{}), c.prepare(t), func(t *testing.T, b *bench) {
		require.Equal(t, msg.InvocationStateFin, trigger(b.peer).InvocationState)
		var last uint32
		for range 3 {
			wait(1500 * time.Millisecond)
			require.True(t, c.cutting.Load())
			info := trigger(b.peer)
			require.Equal(t, msg.InvocationStateFin, info.InvocationState)
			last = info.TransactionId
		}
		wait(1900 * time.Millisecond)
		require.True(t, c.cutting.Load())
		wait(200 * time.Millisecond)
		require.False(t, c.cutting.Load(), "nobody triggered it again")
		require.Equal(t, 3*1500*time.Millisecond+2*time.Second, time.Duration(c.took.Load()))
		require.Equal(t, last, c.last.Load())

		// And from the beginning.
		require.Equal(t, msg.InvocationStateFin, trigger(b.peer).InvocationState)
		require.True(t, c.cutting.Load())
		wait(3 * time.Second)
		require.False(t, c.cutting.Load())
		require.Equal(t, 2*time.Second, time.Duration(c.took.Load()))
	})
}

func TestNonRetriggerableOperationRefusesWhileInEffect(t *testing.T) {
	// covers: SCO-10
	c := &cutter{}
	inBubble(t, lasting(pm.Some(false)), c.prepare(t), func(t *testing.T, b *bench) {
		require.Equal(t, msg.InvocationStateFin, trigger(b.peer).InvocationState)
		wait(time.Second)
		before := b.dev.MDIB()
		info := trigger(b.peer)
		require.Equal(t, msg.InvocationStateFail, info.InvocationState)
		require.Equal(t, msg.InvocationErrorOth, info.InvocationError)
		require.Contains(t, info.InvocationErrorMessage[0].Text, "in effect")
		require.Same(t, before, b.dev.MDIB())
		require.EqualValues(t, 1, c.calls.Load())
		wait(1100 * time.Millisecond)
		require.False(t, c.cutting.Load())
		require.Equal(t, 2*time.Second, time.Duration(c.took.Load()), "a refused call prolongs nothing")
		require.Equal(t, msg.InvocationStateFin, trigger(b.peer).InvocationState)
	})
}

func TestFailedCallHasNoEffect(t *testing.T) {
	// covers: SCO-10
	c := &cutter{}
	c.jammed.Store(true)
	inBubble(t, lasting(pm.Some(false)), c.prepare(t), func(t *testing.T, b *bench) {
		require.Equal(t, msg.InvocationStateFail, trigger(b.peer).InvocationState)
		c.jammed.Store(false)
		require.Equal(t, msg.InvocationStateFin, trigger(b.peer).InvocationState, "not refused")
		require.EqualValues(t, 2, c.calls.Load())
	})
}

func TestEffectEndsWhenTheDeviceStops(t *testing.T) {
	// covers: SCO-10
	c := &cutter{}
	inBubble(t, lasting(pm.Opt[bool]{}), c.prepare(t), func(t *testing.T, b *bench) {
		require.Equal(t, msg.InvocationStateFin, trigger(b.peer).InvocationState)
		require.True(t, c.cutting.Load())
		require.NoError(t, b.stop())
		require.False(t, c.cutting.Load(), "nobody can trigger it again")
		require.Less(t, time.Duration(c.took.Load()), time.Second)
	})
}

func TestEffectEndThatPanicsIsForgotten(t *testing.T) {
	// covers: SCO-6
	prepare := func(dev *provider.Provider) {
		require.NoError(t, dev.HandleActivate("slow", func(context.Context, *provider.Activate) error { return nil }))
		require.NoError(t, dev.HandleEffectEnd("slow", func(context.Context, *provider.Call) error { panic("oh") }))
		require.ErrorContains(t, dev.HandleEffectEnd("num", nil), "no operation")
	}
	inBubble(t, lasting(pm.Some(false)), prepare, func(t *testing.T, b *bench) {
		require.Equal(t, msg.InvocationStateFin, trigger(b.peer).InvocationState)
		wait(3 * time.Second)
		require.Equal(t, msg.InvocationStateFin, trigger(b.peer).InvocationState)
	})
}
