package eventing

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A source sends nothing to itself, whatever it is called; another participant on another address of loopback is not the source.
func TestWhatLeadsToTheSourceItself(t *testing.T) {
	for _, c := range []struct {
		host, own string
		want      bool
	}{
		{"127.0.0.1", "127.0.0.1", true},
		{"localhost", "127.0.0.1", true},
		{"LocalHost", "::1", true},
		{"127.0.0.1", "localhost", true},
		{"::ffff:127.0.0.1", "127.0.0.1", true},
		{"0.0.0.0", "127.0.0.1", true},
		{"::", "127.0.0.1", true},
		{"Device.example", "device.example", true},
		{"127.0.0.2", "127.0.0.1", false},
		{"::1", "127.0.0.1", false},
		{"localhost", "127.0.0.2", false},
		{"0.0.0.0", "192.0.2.1", false},
		{"192.0.2.2", "192.0.2.1", false},
		{"device", "device.example", false},
	} {
		require.Equal(t, c.want, leadsTo(c.host, c.own), "%s, own is %s", c.host, c.own)
	}
}
