package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/semeco/go-sdc/sdc"
)

// devices100 measures one consumer of 100 devices, each side a process.
func (e *env) devices100(ctx context.Context) error {
	n, span := 100, 15*time.Second
	if e.short {
		n, span = 10, 2*time.Second
	}
	l := load{Metrics: 5, PerReport: 6, Waveforms: 10, Channels: 4, Samples: 20}
	dev, con, err := e.hospital(ctx, n, 1, n, l, span)
	if err != nil {
		return err
	}
	rate := float64(con.Reports) / con.Seconds
	core, memory := con.CPU/con.Seconds, float64(con.RSS-con.EmptyRSS)/float64(n)/mib
	e.add(row{
		What:    fmt.Sprintf("%d devices on one consumer, each 30 metrics/s in 5 reports and 10 messages/s with 4 waveforms", n),
		Target:  "0.5 core and 3 MiB per device at the consumer; no report late by more than 250 ms",
		Figure:  fmt.Sprintf("%.2f core for %s messages/s (%s µs each), %.2f MiB per device; age p50 %s, p99 %s, max %s ms", core, num(rate), num(con.CPU/float64(con.Reports)*1e6), memory, num(con.P50MS), num(con.P99MS), num(con.MaxMS)),
		Verdict: verdictOf(core <= 0.5*float64(n)/100 && memory <= 3 && con.MaxMS <= 250 && con.Gaps == 0),
		Note:    fmt.Sprintf("%s%d gaps; of the %d reports of the devices %d were begun more than 50 ms late because the machine was busy; the devices' process used %.2f core.", why(con), con.Gaps, dev.Reports, dev.Behind, dev.CPU/dev.Seconds),
		Raw:     []series{{"messages/s, core, MiB per device", "", []float64{rate, core, memory}}},
	})
	return nil
}

// ward measures a hospital's worth.
func (e *env) ward(ctx context.Context) error {
	devices, consumers, follow, span := 500, 50, 20, 15*time.Second
	if e.short {
		devices, consumers, follow, span = 20, 4, 10, 2*time.Second
	}
	l := load{Metrics: 1, PerReport: 5}
	m := startMeter()
	dev, con, err := e.hospital(ctx, devices, consumers, follow, l, span)
	if err != nil {
		return err
	}
	rate := float64(con.Reports) / con.Seconds
	perDevice := dev.CPU / dev.Seconds / float64(devices)
	perLink := con.CPU / con.Seconds / float64(consumers*follow)
	// 1 000 participants: the same mix of devices and consumers.
	scale := 1000 / float64(devices+consumers)
	e.add(row{
		What:    fmt.Sprintf("a hospital's worth: %d devices with 1 report/s of 5 metrics, %d consumers following %d each", devices, consumers, follow),
		Target:  "no gap, no late report",
		Figure:  fmt.Sprintf("%d gaps, oldest report %s ms (p99 %s); %s messages/s with %.2f + %.2f core and %.0f + %.0f MiB", con.Gaps, num(con.MaxMS), num(con.P99MS), num(rate), dev.CPU/dev.Seconds, con.CPU/con.Seconds, float64(dev.RSS)/mib, float64(con.RSS)/mib),
		Verdict: verdictOf(con.Gaps == 0 && con.MaxMS <= 250),
		Note: fmt.Sprintf("%sConnecting all took %.1f s and is not counted; of the %d reports of the devices %d were begun more than 50 ms late because the machine was busy. A device cost %.2f %% of a core and %.2f MiB, a followed device %.2f %% and %.2f MiB at its consumer. Projected to 1 000 participants in this mix: %.1f cores and %.1f GiB in all.",
			why(con)+limits(dev, con, m), con.StartMS/1e3, dev.Reports, dev.Behind, 100*perDevice, float64(dev.RSS)/mib/float64(devices), 100*perLink, float64(con.RSS)/mib/float64(consumers*follow),
			scale*(dev.CPU/dev.Seconds+con.CPU/con.Seconds), scale*float64(dev.RSS+con.RSS)/(1<<30)),
	})
	return nil
}

// why tells what ended a link, if any ended.
func why(o outcome) string {
	if o.Why == "" {
		return ""
	}
	return fmt.Sprintf("One of the %d links ended because of: %s. ", o.Gaps, o.Why)
}

// limits tells what a report that was late had to wait for, if any was.
func limits(dev, con outcome, m meter) string {
	if con.MaxMS <= 250 {
		return ""
	}
	s := fmt.Sprintf("What ended it is processor time: the two processes took %.2f of the %d processors", dev.CPU/dev.Seconds+con.CPU/con.Seconds, runtime.NumCPU())
	if o, ok := m.others(); ok {
		s += fmt.Sprintf(", other programs %.2f", o)
	}
	return s + ", and nothing was lost: a late report had waited for its turn at one of them, at the device before it was committed or at the consumer. "
}

// hospital runs devices and consumers as two processes.
func (e *env) hospital(ctx context.Context, devices, consumers, follow int, l load, span time.Duration) (dev, con outcome, err error) {
	pdir, err := e.ca.write(e.dir, "devices", sdc.RoleProvider)
	if err != nil {
		return dev, con, err
	}
	cdir, err := e.ca.write(e.dir, "consumers", sdc.RoleConsumer)
	if err != nil {
		return dev, con, err
	}
	d, err := startChild(ctx, "devices", task{Identity: pdir, Count: devices, Load: l})
	if err != nil {
		return dev, con, err
	}
	c, err := startChild(ctx, "consumers", task{Identity: cdir, Count: consumers, First: devices, Endpoints: d.ready.Endpoints, Follow: follow})
	if err != nil {
		return dev, con, errors.Join(err, d.kill())
	}
	// The first report to each consumer opens the connection, with a handshake: that is not what is to be counted.
	for _, s := range []struct {
		begin func() error
		span  time.Duration
	}{{d.start, span / 3}, {c.start, span}} {
		if err := s.begin(); err != nil {
			return dev, con, errors.Join(err, d.kill(), c.kill())
		}
		select {
		case <-time.After(s.span):
		case <-ctx.Done():
		}
	}
	con, err = c.stop(ctx) // first: what the devices' leaving does must not count
	dev, derr := d.stop(ctx)
	con.StartMS, con.EmptyRSS, dev.EmptyRSS = c.ready.StartMS, c.ready.EmptyRSS, d.ready.EmptyRSS
	return dev, con, errors.Join(err, derr)
}
