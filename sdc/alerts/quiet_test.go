package alerts

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
)

func TestQuietIsALease(t *testing.T) {
	// covers: BICEPS B-128, SDPi-A DAS option DEV-48
	aud := []pm.AlertSignalManifestation{pm.AlertSignalManifestationAud}
	inBubble(t, Config{}, func(b *bench) {
		b.hr("130")
		require.Equal(t, "On", b.presence("hr.vis"))
		require.NoError(t, b.Quiet(time.Now().Add(10*time.Second), aud))
		require.Equal(t, "Psd", b.activation("hr.aud"))
		require.Equal(t, "Psd", b.activation("sensor.aud"))
		require.Equal(t, "Psd", b.entry(pm.AlertSignalManifestationAud))
		require.Equal(t, "On", b.activation("hr.vis"), "it is about what is heard")
		require.Equal(t, "On", b.presence("hr.vis"))
		b.after(9 * time.Second)
		require.NoError(t, b.Quiet(time.Now().Add(10*time.Second), aud))
		b.after(10*time.Second - time.Millisecond)
		require.Equal(t, "Psd", b.activation("hr.aud"))
		b.after(time.Millisecond)
		require.Equal(t, "On", b.activation("hr.aud"), "the lease has run out, and nobody had to do anything")
		require.Equal(t, "On", b.presence("hr.aud"))
		require.Equal(t, "On", b.entry(pm.AlertSignalManifestationAud))

		require.NoError(t, b.Quiet(time.Now().Add(time.Hour), aud, "alerts"))
		require.Equal(t, "Off", b.presence("hr.aud"))
		require.NoError(t, b.Quiet(time.Time{}, aud, "alerts"))
		require.Equal(t, "On", b.presence("hr.aud"), "at once")
	})
}

func TestQuietAndWhatUsersSwitch(t *testing.T) {
	aud := []pm.AlertSignalManifestation{pm.AlertSignalManifestationAud}
	inBubble(t, Config{}, func(b *bench) {
		require.NoError(t, b.SetActivation("sensor.aud", pm.AlertActivationOff))
		require.NoError(t, b.Quiet(time.Now().Add(time.Hour), aud))
		require.NoError(t, b.ResumeAudio("alerts"))
		require.Equal(t, "Psd", b.activation("hr.aud"), "a user's switch does not end a quiet")
		require.Equal(t, "Off", b.activation("sensor.aud"))
		require.NoError(t, b.Quiet(time.Time{}, aud))
		require.Equal(t, "On", b.activation("hr.aud"))
		require.Equal(t, "Off", b.activation("sensor.aud"), "it was off before")

		require.NoError(t, b.PauseAudio("alerts", time.Minute))
		require.NoError(t, b.Quiet(time.Now().Add(time.Second), aud))
		b.after(time.Second)
		require.Equal(t, "Psd", b.activation("hr.aud"), "the pause goes on")
		b.after(59 * time.Second)
		require.Equal(t, "On", b.activation("hr.aud"))
		require.ErrorIs(t, b.Quiet(time.Now().Add(time.Hour), aud, "alerts", "nobody"), mdib.ErrUnknownHandle)
		require.Equal(t, "On", b.activation("hr.aud"), "nothing has changed")
	})
}
