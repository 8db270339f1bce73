package yamlguard

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAPanicIsAnError(t *testing.T) {
	require.NoError(t, Do(func() error { return nil }))
	own := errors.New("line 3")
	require.ErrorIs(t, Do(func() error { return own }), own)
	require.ErrorContains(t, Do(func() error {
		var p *struct{ x int }
		p.x++
		return nil
	}), "no YAML that can be read")
}
