package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/semeco/go-sdc/sdc"
)

// peerProcess is one side of the independent Python stack.
type peerProcess struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	events chan peerEvent
}

// peerEvent is what a peer answers.
type peerEvent struct {
	Event     string
	XAddr     string
	Count     int
	Seconds   float64
	Metrics   int
	Waveforms int
	Latencies []float64 // microseconds
}

// peerPython is the interpreter with the peer installed, "" if there is none.
func peerPython() string {
	if p := os.Getenv("SDC_PEER_PYTHON"); p != "" {
		return p
	}
	p := filepath.Join(".venv", "bin", "python")
	if _, err := os.Stat(p); err != nil {
		return ""
	}
	return p
}

func startPeer(ctx context.Context, python string, args ...string) (*peerProcess, error) {
	p := &peerProcess{events: make(chan peerEvent, 16)}
	p.cmd = exec.CommandContext(ctx, python, append([]string{filepath.Join("bench", "peer", "peer.py")}, args...)...)
	p.cmd.Stderr = os.Stderr
	var err error
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.events)
		s := bufio.NewScanner(out)
		s.Buffer(nil, 16<<20)
		for s.Scan() {
			var e peerEvent
			if json.Unmarshal(s.Bytes(), &e) == nil {
				p.events <- e
			}
		}
	}()
	return p, nil
}

// wait returns the next event, which has to be the one named.
func (p *peerProcess) wait(ctx context.Context, event string) (peerEvent, error) {
	select {
	case e, ok := <-p.events:
		if !ok || e.Event != event {
			return e, fmt.Errorf("the peer said %q instead of %q", e.Event, event)
		}
		return e, nil
	case <-ctx.Done():
		return peerEvent{}, fmt.Errorf("no %q from the peer: %w", event, context.Cause(ctx))
	}
}

func (p *peerProcess) do(ctx context.Context, event string, command map[string]any) (peerEvent, error) {
	line, err := json.Marshal(command)
	if err != nil {
		return peerEvent{}, err
	}
	if _, err := p.stdin.Write(append(line, '\n')); err != nil {
		return peerEvent{}, err
	}
	return p.wait(ctx, event)
}

func (p *peerProcess) stop() error {
	_ = p.stdin.Close()
	t := time.AfterFunc(5*time.Second, func() { _ = p.cmd.Process.Kill() })
	defer t.Stop()
	for range p.events { // until it has ended
	}
	return p.cmd.Wait()
}

// peerPair is a provider and a consumer of the Python stack, each a process.
type peerPair struct{ provider, consumer *peerProcess }

func (e *env) startPeerPair(ctx context.Context) (*peerPair, error) {
	ctx30, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	file := filepath.Join(e.dir, "device.xml")
	if err := os.WriteFile(file, deviceXML(), 0o600); err != nil {
		return nil, err
	}
	pdir, err := e.ca.write(e.dir, "peer-provider", sdc.RoleBoth)
	if err != nil {
		return nil, err
	}
	cdir, err := e.ca.write(e.dir, "peer-consumer", sdc.RoleBoth)
	if err != nil {
		return nil, err
	}
	port, err := freeUDPPort(ctx)
	if err != nil {
		return nil, err
	}
	p := &peerPair{}
	if p.provider, err = startPeer(ctx, e.python, "provider", "--mdib", file, "--tls", pdir, "--port", fmt.Sprint(port)); err != nil {
		return nil, err
	}
	ready, err := p.provider.wait(ctx30, "ready")
	if err != nil {
		return nil, errors.Join(err, p.provider.stop())
	}
	if p.consumer, err = startPeer(ctx, e.python, "consumer", "--xaddr", ready.XAddr, "--tls", cdir); err != nil {
		return nil, errors.Join(err, p.provider.stop())
	}
	if _, err := p.consumer.wait(ctx30, "connected"); err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

func (p *peerPair) close() error { return errors.Join(p.consumer.stop(), p.provider.stop()) }

// run lets the provider work and returns what arrived at the consumer, and in which time it was sent.
func (p *peerPair) run(ctx context.Context, command map[string]any) (peerEvent, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if _, err := p.consumer.do(ctx, "reset", map[string]any{"do": "reset"}); err != nil {
		return peerEvent{}, err
	}
	sent, err := p.provider.do(ctx, "sent", command)
	if err != nil {
		return peerEvent{}, err
	}
	got, err := p.consumer.do(ctx, "result", map[string]any{"do": "result"})
	got.Seconds = sent.Seconds
	return got, err
}

func freeUDPPort(ctx context.Context) (int, error) {
	c, err := new(net.ListenConfig).ListenPacket(ctx, "udp4", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = c.Close() }()
	a, ok := c.LocalAddr().(*net.UDPAddr)
	if !ok {
		return 0, errors.New("no UDP address")
	}
	return a.Port, nil
}
