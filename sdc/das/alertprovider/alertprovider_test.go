package alertprovider

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/das"
	"github.com/semeco/go-sdc/sdc/das/internal/dastest"
	"github.com/semeco/go-sdc/sdc/provider"
)

func TestQuietWhileMonitoredAndConfirmed(t *testing.T) {
	// covers: SDPi-A DAS option DEV-48, SDPi-A DAS option DEV-49
	inBubble(t, func(b *bench) {
		b.is(Local)
		b.activate(consumerA())
		b.is(Quiet)
		s := b.Status()
		require.Equal(t, "Ward 3", s.Name)
		require.Equal(t, time.Now().Add(effective), s.Until)
		b.keep(time.Minute)
		b.is(Quiet)

		b.raise("hr", true)
		require.Equal(t, 1, b.Status().Unconfirmed)
		require.False(t, b.sounds("hr.aud"), "there is time for the confirmation")
		require.True(t, b.sounds("hr.vis"), "only what is heard is quiet")
		b.after(within - time.Millisecond)
		require.NoError(t, b.confirm("hr"))
		require.Zero(t, b.Status().Unconfirmed)
		b.keep(time.Minute)
		b.is(Quiet)

		require.NoError(t, b.call("das.end", consumerA()))
		b.is(Local)
		require.True(t, b.sounds("hr.aud"), "at once")
		require.Equal(t, EndedByConsumer, b.Status().Ended)
		b.activate(consumerA())
		b.is(Pending)
		require.Equal(t, []Phase{Quiet, Local, Pending}, b.phases)
	})
}

func TestWhatIsPresentAtTakeoverSoundsUntilItIsConfirmed(t *testing.T) {
	// covers: SDPi-A DAS option DEV-48
	inBubble(t, func(b *bench) {
		b.raise("hr", true)
		b.raise("spo2", true)
		b.activate(consumerA())
		b.is(Pending)
		require.True(t, b.sounds("hr.aud"))
		b.keep(time.Minute)
		b.is(Pending)
		require.NoError(t, b.confirm("hr"))
		b.is(Pending)
		require.True(t, b.sounds("hr.aud"), "one is still open")
		require.NoError(t, b.confirm("spo2"))
		b.is(Quiet)

		require.NoError(t, b.call("das.end", consumerA()))
		b.activate(consumerA())
		require.NoError(t, b.confirm("hr"))
		b.raise("spo2", false)
		require.NoError(t, b.confirm("spo2"))
		b.is(Quiet)
	})
}

func TestFallbackWithoutRenewal(t *testing.T) {
	// covers: SDPi-A DAS option DEV-48, SDPi-A DAS option DEV-49
	inBubble(t, func(b *bench) {
		b.activate(consumerA())
		b.raise("hr", true)
		require.NoError(t, b.confirm("hr"))
		b.after(effective - time.Millisecond)
		b.is(Quiet)
		b.after(time.Millisecond)
		b.fellBack(NotRenewed)
		require.True(t, b.sounds("hr.aud"))
		require.ErrorContains(t, b.call("das.activate", consumerA(), "x"), "can be activated again in 20s")
		require.ErrorContains(t, b.confirm("hr"), "not activated again in time")
		b.after(holdoff - time.Millisecond)
		b.is(Disabled)
		b.after(time.Millisecond)
		b.is(Local)
		b.activate(consumerA())
		b.is(Pending)
	})
}

func TestFallbackWithoutConfirmation(t *testing.T) {
	// covers: SDPi-A DAS option DEV-48
	inBubble(t, func(b *bench) {
		b.activate(consumerA())
		b.after(8 * time.Second)
		b.activate(consumerA())
		b.raise("hr", true)
		b.after(within - time.Millisecond)
		require.False(t, b.sounds("hr.aud"))
		b.after(time.Millisecond)
		b.fellBack(NotConfirmed)
		require.Equal(t, "hr", b.Status().Detail)
		require.True(t, b.sounds("hr.aud"), "for as long as MaxTechnicalConfirmationDelay, and no longer")
		require.Error(t, b.confirm("hr"), "late")
		b.fellBack(NotConfirmed)
	})
}

// Renewals alone do not keep a device quiet, nor does the confirmation of something else or of an older state.
func TestConfirmationIsOfTheStateThatChanged(t *testing.T) {
	// covers: SDPi-A DAS option DEV-48
	inBubble(t, func(b *bench) {
		b.activate(consumerA())
		b.raise("hr", true)
		older := b.version("hr")
		b.after(time.Second)
		b.raise("hr", false)
		b.raise("hr", true)
		require.NoError(t, b.call("das.confirm", consumerA(), b.MDIB().Version().SequenceID, "0:spo2"))
		require.NoError(t, b.call("das.confirm", consumerA(), b.MDIB().Version().SequenceID, "1:hr"))
		b.keep(2 * time.Second)
		b.is(Quiet)
		require.Equal(t, uint64(1), older)
		b.after(time.Second - time.Millisecond)
		b.is(Quiet)
		b.after(time.Millisecond)
		b.fellBack(NotConfirmed)
	})
}

func TestMisbehavingConfirmationsChangeNothing(t *testing.T) {
	// covers: SDPi-A DAS option DEV-48
	inBubble(t, func(b *bench) {
		b.activate(consumerA())
		b.raise("hr", true)
		sequence := b.MDIB().Version().SequenceID
		for _, c := range []struct {
			by             *sdc.Peer
			sequence, list string
			says           string
		}{
			{consumerA(), sequence, "", "no occurrence"},
			{consumerA(), sequence, "hr", "VERSION:HANDLE"},
			{consumerA(), sequence, "99:hr", "has not been reported"},
			{consumerA(), sequence, "1:hr 99:spo2", "has not been reported"},
			{consumerA(), sequence, "1:hr 0:nobody", "no alert condition"},
			{consumerA(), sequence, "1:hr 0:hr.aud", "no alert condition"},
			{consumerA(), "urn:uuid:another", "1:hr", "sequence"},
			{consumerB(), sequence, "1:hr", "monitored by Ward 3"},
		} {
			require.ErrorContains(t, b.call("das.confirm", c.by, c.sequence, c.list), c.says, "%+v", c)
			require.Equal(t, 1, b.Status().Unconfirmed)
		}
		require.ErrorContains(t, b.call("das.end", consumerB()), "monitored by Ward 3")
		b.is(Quiet)
		b.after(within)
		b.fellBack(NotConfirmed)
	})
}

func TestOneMonitorsAtATime(t *testing.T) {
	// covers: SDPi-A DAS option DEV-48
	inBubble(t, func(b *bench) {
		b.activate(consumerA())
		b.after(effective - time.Second)
		require.ErrorContains(t, b.call("das.activate", consumerB(), "Ward 4"), "monitored by Ward 3")
		b.after(time.Second - time.Millisecond)
		b.is(Quiet)
		require.Equal(t, "Ward 3", b.Status().Name)
		b.after(time.Millisecond)
		b.fellBack(NotRenewed)
		b.after(holdoff)
		require.NoError(t, b.call("das.activate", consumerB(), "Ward 4"))
		require.ErrorContains(t, b.call("das.activate", consumerA(), "Ward 3"), "monitored by Ward 4")
		require.NoError(t, b.call("das.end", consumerB()))
		b.activate(consumerA())
		b.is(Quiet)
	})
	require.Equal(t, keyOf(&sdc.Peer{Remote: "192.0.2.7:1"}), keyOf(&sdc.Peer{Remote: "192.0.2.7:2"}), "over plain HTTP one host is one consumer")
	require.NotEqual(t, keyOf(&sdc.Peer{Remote: "192.0.2.7:1"}), keyOf(&sdc.Peer{Remote: "192.0.2.8:1"}))
	require.NotEqual(t, keyOf(consumerA()), keyOf(consumerB()))
}

func TestDeviceEndsAndDisables(t *testing.T) {
	// covers: SDPi-A DAS option DEV-49
	inBubble(t, func(b *bench) {
		b.End("nothing to end")
		b.is(Local)
		b.activate(consumerA())
		b.raise("hr", true)
		require.NoError(t, b.confirm("hr"))
		b.End("somebody is at the bed")
		require.True(t, b.sounds("hr.aud"), "when End returns")
		b.fellBack(EndedByDevice)
		require.Equal(t, "somebody is at the bed", b.Status().Detail)
		b.Enable()
		b.is(Local)
		b.activate(consumerA())
		require.NoError(t, b.confirm("hr"))
		b.is(Quiet)
		b.Disable("service")
		b.fellBack(EndedByDevice)
		b.after(time.Hour)
		b.is(Disabled)
		require.ErrorContains(t, b.call("das.activate", consumerA(), "x"), "disabled")
		b.Enable()
		b.is(Local)
		b.activate(consumerA())
		b.is(Pending)
	})
}

func TestNewSequenceEnds(t *testing.T) {
	// covers: SDPi-A DAS option DEV-49
	inBubble(t, func(b *bench) {
		b.activate(consumerA())
		old := b.MDIB().Version().SequenceID
		b.dev.NewSequence()
		require.ErrorContains(t, b.call("das.confirm", consumerA(), old, "0:hr"), "new sequence")
		b.fellBack(NewSequence)
		b.after(holdoff)
		b.activate(consumerA())
		b.dev.NewSequence()
		b.after(5 * time.Second)
		b.fellBack(NewSequence)
	})
}

func TestStopBringsTheSignalsBack(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.activate(consumerA())
		b.raise("hr", true)
		require.NoError(t, b.confirm("hr"))
		b.is(Quiet)
		b.stop()
		b.fellBack(Stopped)
		require.True(t, b.sounds("hr.aud"))
		b.Enable()
		b.is(Disabled)
		require.Error(t, b.call("das.activate", consumerA(), "x"))
		require.Error(t, b.Run(t.Context(), b.alarms), "once")
	})
}

// The provider stops before Run does.
func TestProviderThatStopsEnds(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.activate(consumerA())
		require.NoError(t, b.dev.ends["das.activate"](t.Context(), &provider.Call{}))
		b.fellBack(Stopped)
		require.NoError(t, b.dev.ends["das.activate"](t.Context(), &provider.Call{}), "again")
	})
}

// Whatever Run does, the signals are back when the time is over.
func TestQuietEndsWithoutRun(t *testing.T) {
	// covers: SDPi-A DAS option DEV-48
	inBubble(t, func(b *bench) {
		b.activate(consumerA())
		b.raise("hr", true)
		require.NoError(t, b.confirm("hr"))
		stuck := make(chan struct{})
		b.alarms.stuck.Store(&stuck)
		b.after(effective)
		require.True(t, b.sounds("hr.aud"))
		require.Equal(t, "En En En", b.modes(), "Run is stuck")
		close(stuck)
		synctest.Wait()
		b.fellBack(NotRenewed)
	})
}

// A device that lost its power while it was quiet starts with what was saved then.
func TestSavedWhileQuiet(t *testing.T) {
	var saved *mdib.Snapshot
	inBubble(t, func(b *bench) {
		require.NoError(t, b.alarms.SetActivation("spo2.aud", pm.AlertActivationOff))
		b.activate(consumerA())
		b.raise("hr", true)
		require.NoError(t, b.confirm("hr"))
		saved = b.MDIB()
	})
	inBubbleWith(t, func() *mdib.Snapshot { return saved }, func(b *bench) {
		require.Equal(t, Local, b.Status().Phase)
		b.after(dastest.SelfCheckPeriod)
		require.True(t, b.sounds("hr.aud"))
		s, _ := mdib.Get[*pm.AlertSignalState](b.MDIB(), "spo2.aud")
		require.Equal(t, pm.AlertActivationOff, s.ActivationState, "its users' wish")
		require.Equal(t, "En Dis Dis", b.modes())
	})
}

func TestDeviceThatFails(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.dev.fails.Store(true)
		require.ErrorContains(t, b.call("das.activate", consumerA(), "Ward 3"), "could not be prepared")
		require.Equal(t, Disabled, b.Status().Phase)
		b.after(2 * time.Second)
		b.dev.fails.Store(false)
		b.after(2 * time.Second)
		b.fellBack(Failed)
		b.after(holdoff)
		b.activate(consumerA())
		b.raise("hr", true)
		require.NoError(t, b.confirm("hr"))
		b.dev.fails.Store(true)
		b.after(effective)
		require.False(t, b.sounds("hr.aud"), "nothing can be changed")
		b.dev.fails.Store(false)
		b.after(retryAfter)
		require.True(t, b.sounds("hr.aud"), "it is tried until it is done")
		b.fellBack(NotRenewed)
	})
}

func TestConditionsThatComeAndGoWithTheDescription(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.activate(consumerA())
		b.raise("hr", true)
		c := &pm.AlertConditionDescriptor{Kind: pm.AlertConditionKindTec, Priority: pm.AlertConditionPriorityLo}
		c.Handle, c.Type = "new", &pm.CodedValue{Code: "1"}
		require.NoError(t, b.alarms.Update(func(tx *mdib.Tx) error { return tx.Insert("alerts", c) }))
		require.NoError(t, b.alarms.Update(func(tx *mdib.Tx) error {
			for _, h := range []string{"hr.aud", "hr.vis", "hr"} {
				if err := tx.Delete(h); err != nil {
					return err
				}
			}
			return nil
		}))
		b.keep(5 * time.Second)
		require.Equal(t, Quiet, b.Status().Phase, "what is not there need not be confirmed")
		require.Zero(t, b.Status().Unconfirmed)
		require.NoError(t, b.confirm("new"))
	})
}

func TestAConditionThatFluttersIsBounded(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.activate(consumerA())
		for range 3 * maxChanges {
			b.raise("hr", true)
			b.raise("hr", false)
		}
		b.mu.Lock()
		require.Len(t, b.watch.changes["hr"], maxChanges)
		b.mu.Unlock()
		require.NoError(t, b.confirm("hr"))
		require.Zero(t, b.Status().Unconfirmed)
		b.keep(5 * time.Second)
		b.is(Quiet)
	})
}

func TestNames(t *testing.T) {
	inBubble(t, func(b *bench) {
		for _, name := range []string{"", "  ", "a\nb", "\x1b[2J", strings.Repeat("x", MaxName+1), "\xff"} {
			require.Error(t, b.call("das.activate", consumerA(), name), "%q", name)
			b.is(Local)
		}
		require.NoError(t, b.call("das.activate", consumerA(), " "+strings.Repeat("ü", MaxName)+" "))
		synctest.Wait()
		require.Equal(t, strings.Repeat("ü", MaxName), b.Status().Name)
		b.activate(consumerA())
		require.Equal(t, "Ward 3", b.Status().Name, "renewed by another name")
	})
}

func TestConfigurationsThatAreRefused(t *testing.T) {
	device := func(change func(*pm.ActivateOperationDescriptor)) *fake {
		f := &fake{Store: mdib.NewStore(dastest.Snapshot(t), mdib.Config{})}
		_, err := f.Store.Update(func(tx *mdib.Tx) error {
			d, err := tx.EditDescriptor("das.activate")
			if err == nil {
				change(d.(*pm.ActivateOperationDescriptor))
			}
			return err
		})
		require.NoError(t, err)
		return f
	}
	_, err := New(Config{})
	require.ErrorContains(t, err, "Device is missing")
	_, err = New(Config{Device: device(func(*pm.ActivateOperationDescriptor) {}), Holdoff: -1})
	require.ErrorContains(t, err, "Holdoff")
	_, err = New(Config{Device: device(func(d *pm.ActivateOperationDescriptor) { d.Extension = nil })})
	require.ErrorContains(t, err, "MaxTechnicalConfirmationDelay", "nothing would bring an alarm back")
	_, err = New(Config{Device: device(func(d *pm.ActivateOperationDescriptor) { d.Type = nil })})
	require.ErrorIs(t, err, das.ErrNotOffered)
	_, err = New(Config{Device: device(func(*pm.ActivateOperationDescriptor) {}), MDS: "other"})
	require.ErrorIs(t, err, das.ErrNotOffered)
}
