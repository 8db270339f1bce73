package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/simulators/misbehave"
)

// locked is a buffer that is read while it is written.
type locked struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *locked) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *locked) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// A wrong deed is a wrong call that lists them.
func TestMisbehaveUsage(t *testing.T) {
	for _, args := range [][]string{
		{"monitor", "--misbehave", "shout"}, {"monitor", "--misbehave", "lose"}, {"fleet", "--misbehave", "lose=1,swap=1"}, {"bed", "--misbehave", "freeze=1m"},
	} {
		code, _, errs := call(t, append([]string{"simulate", "--insecure"}, args...)...)
		require.Equal(t, exitUsage, code, args)
		require.Contains(t, errs, misbehave.Usage(), args)
	}
	for _, args := range [][]string{
		{"monitor", "--misbehave", "restart=1m", "--state", t.TempDir()},
		{"reference", "--misbehave", "restart=1m", "--t2iapi", "127.0.0.1:0"},
		{"monitor", "--misbehave", "vanish=1s/1m", "--interface", "lo"},
	} {
		code, _, errs := call(t, append([]string{"simulate", "--insecure"}, args...)...)
		require.Equal(t, exitUsage, code, args)
		require.Contains(t, errs, "--misbehave", args)
	}
}

// Single devices, fleets and beds misbehave, and standard error tells each time.
func TestMisbehave(t *testing.T) {
	for _, kind := range [][]string{{"monitor"}, {"fleet", "--devices", "1"}, {"bed", "--with", "monitor"}} {
		ctx, cancel := context.WithCancel(t.Context())
		out, errs := &firstLine{c: make(chan string, 1)}, &locked{}
		ended := make(chan int, 1)
		args := append([]string{"simulate", "--json", "--insecure", "--discovery-port", port(t), "--misbehave", "lose=5,repeat=3", "--misbehave", "no-bye"}, kind...)
		go func() { ended <- run(ctx, args, streams{in: strings.NewReader(""), out: out, err: errs}) }()
		var a announced
		select {
		case line := <-out.c:
			require.NoError(t, json.Unmarshal([]byte(line), &a))
		case <-ended:
			require.Fail(t, "the device ended", errs.String())
		}
		c, err := consumer.New(t.Context(), consumer.Config{Insecure: true})
		require.NoError(t, err)
		d, err := c.Connect(t.Context(), discovery.Endpoint{EPR: a.EPR, XAddrs: a.XAddrs})
		require.NoError(t, err)
		for u, err := range d.Updates(t.Context()) {
			require.NoError(t, err)
			if u.Gap != nil {
				break
			}
		}
		require.Contains(t, errs.String(), "deed=lose")
		cancel()
		require.Equal(t, exitOK, <-ended, errs.String())
		require.Contains(t, errs.String(), "deed=no-bye")
		_ = c.Close(context.Background()) // the device is gone
	}
}

// The documentation has every deed, as has the help.
func TestMisbehaveIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/misbehaviour.md")
	require.NoError(t, err)
	code, help, _ := call(t, "simulate", "--help")
	require.Equal(t, exitOK, code)
	for deed := range strings.SplitSeq(misbehave.Usage(), ", ") {
		require.Contains(t, string(page), "| `"+deed+"` |")
		name, _, _ := strings.Cut(deed, "=")
		require.Contains(t, help, name)
	}
}
