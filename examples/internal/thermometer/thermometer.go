// Package thermometer runs a small device for the tests of the examples, and has what these have in common.
package thermometer

import (
	"bytes"
	"context"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/pki"
	"github.com/semeco/go-sdc/sdc/provider"
)

// Run puts the thermometer of examples/minimal-provider on a network of its own
// until the test ends. Its operation sets the interval.
func Run(t *testing.T) (*provider.Provider, sdc.Network) {
	t.Helper()
	snapshot, err := mdib.ReadFile("../minimal-provider/mdib.xml")
	require.NoError(t, err)
	network := Network(t)
	dev, err := provider.New(provider.Config{MDIB: snapshot, Insecure: true, Network: network, ApplyProposals: true})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- dev.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	<-dev.Ready()
	return dev, network
}

// Network is loopback with a discovery port that no other test uses.
func Network(t *testing.T) sdc.Network {
	t.Helper()
	c, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, c.Close()) }()
	return sdc.Network{DiscoveryPort: uint16(c.LocalAddr().(*net.UDPAddr).Port)}
}

// Identities makes an authority and returns a function that issues a certificate of its own for a participant of a role.
func Identities(t *testing.T) func(sdc.Role) *sdc.Identity {
	t.Helper()
	ca, err := pki.NewCA("", time.Hour)
	require.NoError(t, err)
	return func(role sdc.Role) *sdc.Identity {
		t.Helper()
		pair, err := ca.Issue(pki.Request{Name: "device", Role: role})
		require.NoError(t, err)
		id, err := pair.Identity()
		require.NoError(t, err)
		return id
	}
}

// Measure commits a temperature.
func Measure(t *testing.T, dev *provider.Provider, value string) {
	t.Helper()
	require.NoError(t, dev.Update(func(tx *mdib.Tx) error {
		return tx.SetNumeric("temperature", pm.MustDecimal(value), time.Now())
	}))
}

// Lines is a writer that hands over each line as it is written.
type Lines struct {
	C chan string

	mu  sync.Mutex
	buf bytes.Buffer
}

// NewLines returns a writer for up to 1000 lines.
func NewLines() *Lines { return &Lines{C: make(chan string, 1000)} }

func (l *Lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buf.Write(b)
	for {
		line, err := l.buf.ReadString('\n')
		if err != nil {
			l.buf.WriteString(line)
			return len(b), nil
		}
		l.C <- strings.TrimSpace(line)
	}
}

// Next waits for a line that contains the text.
func (l *Lines) Next(t *testing.T, text string) string {
	t.Helper()
	limit := time.After(20 * time.Second)
	for {
		select {
		case line := <-l.C:
			if strings.Contains(line, text) {
				return line
			}
		case <-limit:
			require.Fail(t, "no line with "+text)
		}
	}
}
