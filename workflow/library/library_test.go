package library_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/workflow/library"
)

func TestWorkflowsAreValid(t *testing.T) {
	require.Equal(t, []string{"infusion-interlock", "or-start", "xray-ventilator"}, library.Names())
	for _, name := range library.Names() {
		w, err := library.Get(name)
		require.NoError(t, err)
		require.Equal(t, name, w.Name)
	}
	_, err := library.Get("nothing")
	require.ErrorContains(t, err, "or-start")
}
