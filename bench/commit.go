package main

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
)

// sizedSnapshot is an MDIB of n metrics.
func sizedSnapshot(n int) (*mdib.Snapshot, error) {
	var b bytes.Buffer
	b.WriteString(`<msg:GetMdibResponse xmlns:msg="http://standards.ieee.org/downloads/11073/11073-10207-2017/message" xmlns:pm="http://standards.ieee.org/downloads/11073/11073-10207-2017/participant" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" SequenceId="urn:uuid:6f1b7a10-6a3e-4b53-93a1-5c1b8a4c8d02"><msg:Mdib SequenceId="urn:uuid:6f1b7a10-6a3e-4b53-93a1-5c1b8a4c8d02"><pm:MdDescription><pm:Mds Handle="mds"><pm:Vmd Handle="vmd">`)
	for i := range n {
		if i%100 == 0 {
			if i > 0 {
				b.WriteString(`</pm:Channel>`)
			}
			fmt.Fprintf(&b, `<pm:Channel Handle="c%d">`, i/100)
		}
		fmt.Fprintf(&b, `<pm:Metric xsi:type="pm:NumericMetricDescriptor" Handle="m%d" MetricCategory="Msrmt" MetricAvailability="Cont" Resolution="1"><pm:Type Code="1"/><pm:Unit Code="2"/></pm:Metric>`, i)
	}
	b.WriteString(`</pm:Channel></pm:Vmd></pm:Mds></pm:MdDescription></msg:Mdib></msg:GetMdibResponse>`)
	return mdib.Read(&b)
}

// commitOperation commits one metric each time.
func commitOperation(n int) (operation, error) {
	snap, err := sizedSnapshot(n)
	if err != nil {
		return operation{}, err
	}
	store := mdib.NewStore(snap, mdib.Config{})
	handles := names(n, func(i int) string { return fmt.Sprint("m", i) })
	at, i := time.Now(), 0
	return operation{fmt.Sprintf("descriptors=%d", n), 0, func(times int) error {
		for range times {
			i++
			// 7919 is a prime: the handles come in an order the caches do not like.
			if _, err := store.Update(func(tx *mdib.Tx) error {
				return tx.SetNumeric(handles[i*7919%n], pm.NewDecimal(int64(i), 0), at)
			}); err != nil {
				return err
			}
		}
		return nil
	}}, nil
}

// commit measures how the cost of a commit grows with the MDIB.
func (e *env) commit(context.Context) error {
	small, err := commitOperation(100)
	if err != nil {
		return err
	}
	large, err := commitOperation(10_000)
	if err != nil {
		return err
	}
	s, l := series{"100 descriptors", "ns", nil}, series{"10 000 descriptors", "ns", nil}
	for range e.rounds() {
		for _, o := range []struct {
			operation
			to *series
		}{{small, &s}, {large, &l}} {
			c, err := measure(o.operation, e.span()/2)
			if err != nil {
				return err
			}
			o.to.Values = append(o.to.Values, c.ns)
		}
	}
	growth := l.median() / s.median()
	e.ratios["commit of 10 000 / 100 descriptors"] = growth
	e.add(row{
		What: "cost of a commit, from 100 to 10 000 descriptors", Target: "grows at most 3 x",
		Figure:  fmt.Sprintf("%s µs to %s µs: %.1f x", num(s.median()/1e3), num(l.median()/1e3), growth),
		Verdict: verdictOf(growth <= 3), Raw: []series{s, l},
	})
	e.addPlot(plot{File: "commit.svg", Title: "Commit of one metric", Unit: "µs", Bars: []bar{{"100 descriptors", s.median() / 1e3, ours}, {"10 000 descriptors", l.median() / 1e3, ours}}})
	return nil
}
