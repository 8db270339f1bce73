package alertconsumer_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/das"
	"github.com/semeco/go-sdc/sdc/das/alertconsumer"
	"github.com/semeco/go-sdc/sdc/das/alertprovider"
	"github.com/semeco/go-sdc/sdc/das/internal/dastest"
)

const (
	off, monitoring = alertconsumer.Off, alertconsumer.Monitoring
	local, quiet    = alertprovider.Local, alertprovider.Quiet
	disabled        = alertprovider.Disabled
)

func TestConsumerMonitorsADevice(t *testing.T) {
	// covers: SDPi-A DAS option DEV-48, SDPi-A DAS option DEV-49
	inBubble(t, func(b *bench) {
		b.raise("hr", true)
		d := b.at(wardIP)
		before := b.dev.MDIB().Version().MdibVersion
		w := b.monitor(d, alertconsumer.Config{})
		after(time.Second)
		b.is(w, monitoring, quiet)
		require.Equal(t, "Ward 3", b.mon.Status().Name)
		require.Greater(t, w.Status().From.MdibVersion, before)
		require.Equal(t, b.dev.MDIB().Version().SequenceID, w.Status().From.SequenceID)
		require.Equal(t, []string{"hr+", "spo2-"}, w.got(), "everything that is there at the takeover")
		require.False(t, b.sounds("hr.aud"), "it has been delivered")

		for range 30 {
			b.raise("spo2", true)
			b.raise("spo2", false)
			after(7 * time.Second)
			require.Equal(t, []string{"spo2+", "spo2-"}, w.got(), "nothing is left out")
			b.is(w, monitoring, quiet)
			require.Zero(t, b.mon.Status().Unconfirmed)
		}
		require.EqualValues(t, 62, w.Status().Confirmed)
		require.EqualValues(t, 1, w.Status().Takeovers)
		require.NoError(t, w.stop())
		b.is(w, off, local)
		require.NoError(t, w.Status().Cause)
		require.Equal(t, alertprovider.EndedByConsumer, b.mon.Status().Ended)
		require.True(t, b.sounds("hr.aud"))
		require.Equal(t, []alertconsumer.Phase{alertconsumer.Pending, monitoring, off}, w.phases())
	})
}

func TestConnectionCutBetweenActivationAndConfirmation(t *testing.T) {
	// covers: SDPi-A DAS option DEV-48
	inBubble(t, func(b *bench) {
		w := b.monitor(b.at(wardIP), alertconsumer.Config{})
		after(time.Second)
		b.is(w, monitoring, quiet)
		w.phases()
		w.got()
		b.net.Partition(deviceIP, wardIP)
		b.raise("hr", true)
		after(dastest.ConfirmWithin - time.Millisecond)
		require.False(t, b.sounds("hr.aud"))
		after(time.Millisecond)
		require.True(t, b.sounds("hr.aud"), "MaxTechnicalConfirmationDelay after the alarm")
		require.Equal(t, disabled, b.phase())
		require.Equal(t, alertprovider.NotConfirmed, b.mon.Status().Ended)

		after(10 * time.Second)
		require.Equal(t, off, w.Status().Phase)
		require.Equal(t, []alertconsumer.Phase{off}, w.phases(), "its user knows")
		b.net.Heal(deviceIP, wardIP)
		after(90 * time.Second)
		b.is(w, monitoring, quiet)
		require.Equal(t, []string{"hr+", "spo2-"}, w.got(), "taken over anew, with everything that is there")
		require.False(t, b.sounds("hr.aud"))
	})
}

func TestConsumerThatVanishes(t *testing.T) {
	// covers: SDPi-A DAS option DEV-48, SDPi-A DAS option DEV-49
	inBubble(t, func(b *bench) {
		w := b.monitor(b.at(wardIP), alertconsumer.Config{})
		after(time.Second)
		b.raise("hr", true)
		after(time.Second)
		b.is(w, monitoring, quiet)
		b.net.Partition(deviceIP, wardIP)
		after(dastest.EffectiveTimeout)
		require.True(t, b.sounds("hr.aud"), "there was no activation")
		require.Equal(t, alertprovider.NotRenewed, b.mon.Status().Ended)
		require.Equal(t, off, w.Status().Phase, "not later than the device")
		require.NoError(t, w.stop(), "there is nothing to end")
		b.net.Heal(deviceIP, wardIP)
		after(time.Minute)

		w = b.monitor(b.at(otherIP), alertconsumer.Config{})
		after(time.Second)
		b.is(w, monitoring, quiet)
		b.net.Partition(deviceIP, otherIP)
		require.ErrorContains(t, w.stop(), "could not be ended")
		require.Equal(t, off, w.Status().Phase)
		after(dastest.EffectiveTimeout)
		require.True(t, b.sounds("hr.aud"))
		b.net.Heal(deviceIP, otherIP)
		after(time.Minute)
	})
}

func TestShortInterruption(t *testing.T) {
	inBubble(t, func(b *bench) {
		w := b.monitor(b.at(wardIP), alertconsumer.Config{})
		after(time.Second)
		w.got()
		b.net.Cut(deviceIP, wardIP)
		b.raise("hr", true)
		b.raise("hr", false)
		after(4 * time.Second)
		require.NotEmpty(t, w.got())
		after(time.Minute)
		require.Equal(t, monitoring, w.Status().Phase)
		require.Equal(t, quiet, b.phase())
	})
}

func TestDeliveryThatFailsIsGivenBackAtOnce(t *testing.T) {
	// covers: SDPi-A DAS option DEV-49
	inBubble(t, func(b *bench) {
		w := b.monitor(b.at(wardIP), alertconsumer.Config{})
		after(time.Second)
		w.phases()
		broken := errors.New("the pager is gone")
		w.whenDelivering(func(context.Context) error { return broken })
		b.raise("hr", true)
		after(100 * time.Millisecond)
		require.True(t, b.sounds("hr.aud"), "long before MaxTechnicalConfirmationDelay")
		b.is(w, off, local)
		require.ErrorIs(t, w.Status().Cause, broken)
		require.Equal(t, []alertconsumer.Phase{off}, w.phases())
		require.Equal(t, alertprovider.EndedByConsumer, b.mon.Status().Ended)
		w.whenDelivering(nil)
		after(alertconsumer.DefaultRetry)
		b.is(w, monitoring, quiet)
	})
}

func TestLateDelivery(t *testing.T) {
	// covers: SDPi-A DAS option DEV-48
	for name, deliver := range map[string]func(ctx context.Context) error{
		"obeys":       func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
		"is obdurate": func(context.Context) error { <-time.After(time.Minute); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bench) {
				w := b.monitor(b.at(wardIP), alertconsumer.Config{})
				after(time.Second)
				w.whenDelivering(deliver)
				b.raise("hr", true)
				after(dastest.ConfirmWithin - time.Millisecond)
				b.is(w, monitoring, quiet)
				after(time.Millisecond)
				require.Equal(t, off, w.Status().Phase, "told in time, whatever Deliver does")
				require.True(t, b.sounds("hr.aud"))
				w.whenDelivering(nil)
				after(2 * time.Minute)
				b.is(w, monitoring, quiet)
			})
		})
	}
}

func TestDeviceEndsIt(t *testing.T) {
	// covers: SDPi-A DAS option DEV-49
	inBubble(t, func(b *bench) {
		w := b.monitor(b.at(wardIP), alertconsumer.Config{})
		after(time.Second)
		w.phases()
		b.mon.Disable("somebody is at the bed")
		synctest.Wait()
		b.is(w, off, disabled)
		require.ErrorIs(t, w.Status().Cause, alertconsumer.ErrDisabled)
		require.Equal(t, []alertconsumer.Phase{off}, w.phases(), "at once")
		after(5 * time.Minute)
		require.Empty(t, w.phases(), "nothing is tried while the operation is disabled")
		b.mon.Enable()
		after(100 * time.Millisecond)
		b.is(w, monitoring, quiet)
		b.mon.End("for a moment")
		synctest.Wait()
		b.is(w, off, disabled)
		after(holdoff + 100*time.Millisecond)
		b.is(w, monitoring, quiet)
	})
}

func TestNewSequence(t *testing.T) {
	// covers: SDPi-A DAS option DEV-48
	inBubble(t, func(b *bench) {
		w := b.monitor(b.at(wardIP), alertconsumer.Config{})
		after(time.Second)
		b.dev.NewSequence()
		b.raise("hr", true)
		after(time.Second)
		require.True(t, b.sounds("hr.aud"))
		require.Equal(t, off, w.Status().Phase)
		require.Equal(t, alertprovider.NewSequence, b.mon.Status().Ended)
		after(time.Minute)
		b.is(w, monitoring, quiet)
		require.Equal(t, b.dev.MDIB().Version().SequenceID, w.Status().From.SequenceID)
		require.False(t, b.sounds("hr.aud"))
	})
}

func TestTwoWhoWantToMonitor(t *testing.T) {
	// covers: SDPi-A DAS option DEV-48
	inBubble(t, func(b *bench) {
		first := b.monitor(b.at(wardIP), alertconsumer.Config{Name: "Ward 3"})
		after(time.Second)
		second := b.monitor(b.at(otherIP), alertconsumer.Config{Name: "Ward 4"})
		once := b.monitor(b.at("192.0.2.4"), alertconsumer.Config{Name: "Ward 5", Once: true})
		after(time.Minute)
		b.is(first, monitoring, quiet)
		require.Equal(t, off, second.Status().Phase)
		require.ErrorContains(t, second.Status().Cause, "monitored by Ward 3")
		require.Len(t, second.phases(), 1, "told once, not with each attempt")
		require.ErrorContains(t, once.stop(), "monitored by Ward 3")
		require.NoError(t, first.stop())
		after(alertconsumer.DefaultRetry)
		b.is(second, monitoring, quiet)
		require.Equal(t, "Ward 4", b.mon.Status().Name)
		require.NoError(t, second.stop())
		b.is(second, off, local)
	})
}

func TestDeviceThatDoesNotCheckItself(t *testing.T) {
	// covers: SDPi-A DAS option DEV-48
	inBubble(t, func(b *bench) {
		w := b.monitor(b.at(wardIP), alertconsumer.Config{})
		after(time.Second)
		b.is(w, monitoring, quiet)
		b.broken.Store(true)
		after(2*dastest.SelfCheckPeriod - 2*time.Second)
		b.is(w, monitoring, quiet)
		after(2 * time.Second)
		b.is(w, off, local)
		var cause *alertconsumer.SelfCheckError
		require.ErrorAs(t, w.Status().Cause, &cause)
		require.Equal(t, "alerts", cause.System)
		after(time.Minute)
		b.is(w, off, local)
		b.broken.Store(false)
		after(2 * dastest.SelfCheckPeriod)
		b.is(w, monitoring, quiet)
	})
}

func TestDeviceThatIsLost(t *testing.T) {
	inBubble(t, func(b *bench) {
		host := b.net.Host(wardIP)
		w := b.monitor(b.connect(consumer.Config{Insecure: true, Dial: host.Dial, Listen: host.ListenAny, LostAfter: 5 * time.Second}), alertconsumer.Config{})
		after(time.Second)
		b.net.Partition(deviceIP, wardIP)
		after(time.Minute)
		require.ErrorIs(t, w.stop(), consumer.ErrLost)
		require.Equal(t, off, w.Status().Phase)
	})
}

func TestOnceEndsWithTheFirstLoss(t *testing.T) {
	inBubble(t, func(b *bench) {
		w := b.monitor(b.at(wardIP), alertconsumer.Config{Once: true})
		after(time.Second)
		b.mon.End("x")
		after(time.Minute)
		require.ErrorIs(t, w.stop(), alertconsumer.ErrDisabled)
		require.Equal(t, local, b.phase())
		require.Error(t, w.Run(t.Context()), "once")
	})
}

func TestConfigurations(t *testing.T) {
	inBubble(t, func(b *bench) {
		d := b.at(wardIP)
		deliver := func(context.Context, []alertconsumer.Alert) error { return nil }
		for says, cfg := range map[string]alertconsumer.Config{
			"Name":                       {Deliver: deliver},
			"Deliver":                    {Name: "x"},
			"negative":                   {Name: "x", Deliver: deliver, Retry: -1},
			"InvocationEffectiveTimeout": {Name: "x", Deliver: deliver, RenewEvery: dastest.EffectiveTimeout},
			"does not offer":             {Name: "x", Deliver: deliver, MDS: "other"},
		} {
			_, err := alertconsumer.New(d, cfg)
			require.ErrorContains(t, err, says)
		}
		_, err := alertconsumer.New(nil, alertconsumer.Config{})
		require.Error(t, err)
		require.NoError(t, b.dev.Update(func(tx *mdib.Tx) error { return tx.Delete("das.end") }))
		after(time.Second)
		_, err = alertconsumer.New(d, alertconsumer.Config{Name: "x", Deliver: deliver})
		require.ErrorIs(t, err, das.ErrNotOffered)
	})
}
