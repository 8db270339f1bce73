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
	require.EqualError(t, Do(func() error { panic("index out of range") }), "the document is no YAML that can be read: index out of range")
}
