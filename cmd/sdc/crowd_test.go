package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/discovery"
)

// A device has room for as many consumers behind one address as its user says.
func TestShareOfAPeerOfADevice(t *testing.T) {
	p := port(t)
	watch := func(url string) (line string, end func()) {
		ctx, cancel := context.WithCancel(t.Context())
		out := &firstLine{c: make(chan string, 1)}
		var errs bytes.Buffer
		ended := make(chan int, 1)
		go func() {
			ended <- run(ctx, []string{"watch", url, "--insecure", "--discovery-port", p}, streams{in: strings.NewReader(""), out: out, err: &errs})
		}()
		end = func() {
			cancel()
			<-ended
		}
		select {
		case line = <-out.c:
			return line, end
		case <-ended:
			ended <- 0
			return errs.String(), end
		}
	}
	_, narrow := simulate(t, "pump", "--insecure", "--discovery-port", p, "--consumers-per-peer", "1")
	_, wide := simulate(t, "pump", "--insecure", "--discovery-port", p, "--consumers-per-peer", "2")
	for _, url := range []string{narrow, wide} {
		_, end := watch(url)
		defer end()
	}
	line, end := watch(narrow)
	defer end()
	require.Contains(t, line, "sdc: connecting to")
	line, end = watch(wide)
	defer end()
	require.Contains(t, line, "live")
}

// A station connects to as many devices as its user says, and tells of the others.
func TestMostDevicesOfAStation(t *testing.T) {
	p := port(t)
	simulate(t, "bed", "--with", "pump,light", "--insecure", "--discovery-port", p)
	ctx, cancel := context.WithCancel(t.Context())
	w := &stationLines{stop: cancel}
	var errs bytes.Buffer
	code := run(ctx, []string{"station", "--insecure", "--max-devices", "1", "--json", "--every", "100ms", "--discovery-port", p}, streams{in: strings.NewReader(""), out: w, err: &errs})
	require.Equal(t, exitOK, code, errs.String())
	require.Len(t, w.last.Waiting, 1)
	require.Len(t, w.last.Devices, 1)
}

// stationLines reads views until one has a device that waits.
type stationLines struct {
	buf  bytes.Buffer
	last stationLine
	stop func()
}

func (w *stationLines) Write(b []byte) (int, error) {
	w.buf.Write(b)
	if !bytes.HasSuffix(b, []byte("\n")) {
		return len(b), nil
	}
	var line stationLine
	if err := json.Unmarshal(w.buf.Bytes(), &line); err != nil {
		return 0, err
	}
	w.buf.Reset()
	if len(line.Waiting) > 0 {
		w.last = line
		w.stop()
	}
	return len(b), nil
}

func TestBrowsersOfAStation(t *testing.T) {
	c := webFlags{WebClients: 40, WebPerPeer: 20}
	cfg := c.config(&env{}, nil)
	require.Equal(t, 40, cfg.MaxClients)
	require.Equal(t, 20, cfg.MaxPerPeer)
	require.NoError(t, c.checkWeb())
}

// What the system says is told once, and with what to do about it.
func TestErrorsSayWhatToDo(t *testing.T) {
	full := fmt.Errorf("listen: %w", syscall.EMFILE)
	err := errors.Join(full, full)
	require.Equal(t, full.Error(), oneLine(err))
	require.Contains(t, advice(err), "ulimit -n")
	require.Contains(t, advice(fmt.Errorf("from ::1: %w", discovery.ErrNoLink)), "--peer")
	require.Empty(t, advice(errors.New("else")))
}
