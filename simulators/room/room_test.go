package room_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/simulators/room"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestFiveDevicesOfOnePlaceAndPatient(t *testing.T) {
	r, err := room.New(room.Config{Insecure: true, Name: "OR 7", Patient: "1"})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	require.Len(t, r.Devices, 5)
	for _, d := range r.Devices {
		select {
		case <-d.Ready():
		case err := <-ended:
			require.NoError(t, err)
			require.Fail(t, "ended early")
		}
		snap := d.Provider().MDIB()
		contexts := map[string]string{}
		for _, s := range snap.MdState().State {
			if c, ok := s.(pm.ContextState); ok && c.BaseContext().ContextAssociation == pm.ContextAssociationAssoc {
				contexts[s.TypeName().Local] = c.BaseContext().Identification[0].Extension
			}
		}
		require.Equal(t, map[string]string{
			"PatientContextState": "1", "LocationContextState": "Demo///OR%207//", "EnsembleContextState": "OR 7",
		}, contexts, d.Name)
	}
	cancel()
	require.NoError(t, <-ended)
}

func TestAFailingDeviceEndsTheRoom(t *testing.T) {
	r, err := room.New(room.Config{}) // neither an authority nor insecure
	require.NoError(t, err)
	require.ErrorContains(t, r.Run(t.Context()), "Identity is missing")
	require.Nil(t, r.Devices[0].Provider())
}
