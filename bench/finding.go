package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/semeco/go-sdc/discovery"
)

// finding measures many targets that answer one probe, all over UDP multicast on loopback.
func (e *env) finding(ctx context.Context) (err error) {
	n := 1000
	if e.short {
		n = 50
	}
	const appMaxDelay = 2500 * time.Millisecond
	if runtime.GOOS != "linux" {
		e.add(row{What: fmt.Sprintf("%d targets answer one probe", n), Target: "all seen within APP_MAX_DELAY + 1 s", Figure: "only on Linux", Verdict: unmeasured})
		return nil
	}
	raiseFiles()
	port, err := freeUDPPort(ctx)
	if err != nil {
		return err
	}
	udp := discovery.UDPConfig{Port: uint16(port)}
	run, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	transports := make([]*watched, n)
	defer func() {
		for _, t := range transports {
			if t != nil {
				t.muted.Store(true) // no Bye: all would have to hear all others
			}
		}
		cancel()
		wg.Wait()
		for _, t := range transports {
			if t != nil {
				err = errors.Join(err, t.Transport.Close())
			}
		}
	}()
	for i := range transports {
		p, err := discovery.NewUDP(udp)
		if err != nil {
			return err
		}
		w := &watched{Transport: p}
		w.muted.Store(true) // no Hello either: only the probe is measured
		transports[i] = w
		target, err := discovery.NewTarget(discovery.TargetConfig{
			Endpoint: discovery.Endpoint{
				EPR: uuid.New().URN(), Types: discovery.DeviceTypes(),
				Scopes: []string{"sdc.mds.pkp:1.2.840.10004.20701.1.1", fmt.Sprintf("sdc.ctxt.loc:/sdc.ctxt.loc.detail/fac1%%2F%%2F%%2Fpoc1%%2F%%2Fbed%d?fac=fac1&poc=poc1&bed=bed%d", i, i)},
				XAddrs: []string{fmt.Sprintf("https://127.0.0.1:%d/%s", 40000+i, uuid.New())},
			},
			Transport: w, Timing: discovery.Timing{HelloDelay: -1, HelloEvery: -1},
		})
		if err != nil {
			return err
		}
		wg.Go(func() { _ = target.Run(run) }) // ends with the context
		<-target.Ready()
	}
	p, err := discovery.NewUDP(udp)
	if err != nil {
		return err
	}
	searcher := &watched{Transport: p}
	client, err := discovery.NewClient(discovery.ClientConfig{Transport: searcher})
	if err != nil {
		return errors.Join(err, p.Close())
	}
	defer func() { err = errors.Join(err, client.Close(), p.Close()) }()
	limit, stop := context.WithTimeout(ctx, appMaxDelay+3*time.Second)
	defer stop()
	begin, seen, last := time.Now(), 0, time.Duration(0)
	cpu := cpuTime()
	for ev := range client.Watch(limit, discovery.Filter{Types: discovery.DeviceTypes()}) {
		if ev.Kind == discovery.Found {
			seen++
			last = time.Since(begin)
		}
		if seen == n {
			break
		}
	}
	used := cpuTime() - cpu
	<-time.After(max(0, appMaxDelay+time.Second-time.Since(begin))) // the repetitions
	datagrams, bytes := searcher.datagrams.Load(), searcher.bytes.Load()
	for _, t := range transports {
		datagrams += t.datagrams.Load()
		bytes += t.bytes.Load()
	}
	e.add(row{
		What: fmt.Sprintf("discovery: %d targets answer one probe", n), Target: "all seen within APP_MAX_DELAY + 1 s = 3.5 s, no datagram storm",
		Figure:  fmt.Sprintf("%d seen, the last after %.2f s; %d datagrams, %.2f MB (%.1f per target)", seen, last.Seconds(), datagrams, float64(bytes)/1e6, float64(datagrams)/float64(n)),
		Verdict: verdictOf(seen == n && last <= appMaxDelay+time.Second && datagrams <= int64(3*n+10)),
		Note:    fmt.Sprintf("UDP multicast on loopback, every target with sockets of its own in one process; %.2f s of processor time for all sides.", used.Seconds()),
	})
	return nil
}
