package main

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"time"

	"github.com/beevik/etree"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
)

// codecCase is one kind of message for the codec.
type codecCase struct {
	name   string
	doc    []byte
	states int
	target float64 // MB/s decoded
	rest   []byte  // the document without its states, if there is more in it than them
	note   string  // on the allocations of decoding
	ref    func() any
}

// codecCases are the MDIB and the reports of the device, as its codec writes them.
func codecCases() ([]codecCase, error) {
	snap, err := deviceSnapshot()
	if err != nil {
		return nil, err
	}
	store := mdib.NewStore(snap, mdib.Config{})
	metric, err := store.Update(func(tx *mdib.Tx) error { return setMetrics(tx, 0, 50) })
	if err != nil {
		return nil, err
	}
	wave, err := store.Update(func(tx *mdib.Tx) error { return setWaveforms(tx, sampleArray(100, 1)) })
	if err != nil {
		return nil, err
	}
	doc := deviceXML()
	rest, err := withoutStates(doc)
	if err != nil {
		return nil, err
	}
	return []codecCase{
		{"MDIB", doc, snap.NumStates(), 300, rest,
			fmt.Sprintf("Besides its %d states the document has %d descriptors, each with coded types, units, texts and ranges that are optional and so live behind pointers. What those take was measured by a document without the states. A whole MDIB is decoded once for each connection.", snap.NumStates(), snap.Len()), func() any { return new(xmlMdib) }},
		{"report of 50 metrics", metric.Report().AppendXML(nil), 50, 250, nil,
			"States and their values are allocated up to eight at a time; the others are the report, its part and the growing list of states.", func() any { return new(xmlMetricReport) }},
		{"10 waveforms x 100 samples", wave.Report().AppendXML(nil), 10, 400, nil,
			"Samples keep their digits, in 16 bytes each. encoding/xml reads them as float64.", func() any { return new(xmlWaveform) }},
	}, nil
}

// withoutStates cuts the states out of an MDIB.
func withoutStates(doc []byte) ([]byte, error) {
	const open, end = "<pm:MdState", "</pm:MdState>"
	before, after, ok := bytes.Cut(doc, []byte(open))
	_, after, ends := bytes.Cut(after, []byte(end))
	if !ok || !ends {
		return nil, errors.New("the MDIB has no " + open)
	}
	return slices.Concat(before, after), nil
}

// decoding decodes a document again and again, with a scanner that is kept from message to message, as servers do.
func decoding(name string, doc []byte) operation {
	scanner := xmlscan.NewScanner(nil, xmlscan.Limits{})
	return operation{name, len(doc), func(n int) error {
		for range n {
			scanner.Reset(doc, xmlscan.Limits{})
			if err := scanner.Root(); err != nil {
				return err
			}
			if _, err := msg.Decode(scanner); err != nil {
				return err
			}
		}
		return nil
	}}
}

// operation does something n times; it is what both this command and the testing.B benchmarks measure.
type operation struct {
	name string
	size int // bytes each time
	do   func(n int) error
}

// operations are all ways to read and write the case's document: [0] decodes and [1] encodes with this stack.
func (c codecCase) operations() ([]operation, error) {
	message, err := msg.Unmarshal(c.doc)
	if err != nil {
		return nil, err
	}
	buf := message.AppendXML(nil)
	value := c.ref()
	if err := xml.Unmarshal(c.doc, value); err != nil {
		return nil, err
	}
	written, err := xml.Marshal(value)
	if err != nil {
		return nil, err
	}
	tree := etree.NewDocument()
	if err := tree.ReadFromBytes(c.doc); err != nil {
		return nil, err
	}
	return []operation{
		decoding("decode", c.doc),
		{"encode", len(buf), func(n int) error {
			for range n {
				buf = message.AppendXML(buf[:0])
			}
			return nil
		}},
		{"decode/encoding-xml", len(c.doc), func(n int) error {
			t := reflect.TypeOf(c.ref()).Elem()
			for range n {
				if err := xml.Unmarshal(c.doc, reflect.New(t).Interface()); err != nil {
					return err
				}
			}
			return nil
		}},
		{"encode/encoding-xml", len(written), func(n int) error {
			for range n {
				if _, err := xml.Marshal(value); err != nil {
					return err
				}
			}
			return nil
		}},
		{"decode/etree", len(c.doc), func(n int) error {
			for range n {
				if err := etree.NewDocument().ReadFromBytes(c.doc); err != nil {
					return err
				}
			}
			return nil
		}},
		{"encode/etree", len(c.doc), func(n int) error {
			for range n {
				if _, err := tree.WriteToBytes(); err != nil {
					return err
				}
			}
			return nil
		}},
	}, nil
}

// cost is what one operation takes.
type cost struct {
	ns     float64
	allocs float64
	bytes  float64
}

// measure runs an operation for about the given time on one goroutine. It counts processor time, the garbage
// collector's included, so that other load on the machine does not matter.
func measure(o operation, d time.Duration) (cost, error) {
	n := 1
	for {
		begin := time.Now()
		if err := o.do(n); err != nil {
			return cost{}, err
		}
		took := time.Since(begin)
		if took > d/20 {
			n = max(1, int(float64(n)*float64(d)/float64(took)))
			break
		}
		n *= 4
	}
	settle()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	begin := cpuTime()
	if err := o.do(n); err != nil {
		return cost{}, err
	}
	took := cpuTime() - begin
	runtime.ReadMemStats(&after)
	return cost{
		ns: float64(took.Nanoseconds()) / float64(n), allocs: float64(after.Mallocs-before.Mallocs) / float64(n),
		bytes: float64(after.TotalAlloc-before.TotalAlloc) / float64(n),
	}, nil
}

// speed is in MB/s.
func (c cost) speed(size int) float64 { return float64(size) / c.ns * 1e3 }

// codec measures reading and writing messages.
func (e *env) codec(context.Context) error {
	cases, err := codecCases()
	if err != nil {
		return err
	}
	decode := plot{File: "codec-decode.svg", Title: "Decode into the full model", Unit: "MB/s"}
	encode := plot{File: "codec-encode.svg", Title: "Encode", Unit: "MB/s"}
	for _, c := range cases {
		ops, err := c.operations()
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		speeds, last := make([]series, len(ops)), make([]cost, len(ops))
		for i, o := range ops {
			speeds[i] = series{Name: o.name, Unit: "MB/s"}
		}
		for range e.rounds() {
			for i, o := range ops {
				m, err := measure(o, e.span()/4)
				if err != nil {
					return errors.Join(fmt.Errorf("%s %s", c.name, o.name), err)
				}
				speeds[i].Values, last[i] = append(speeds[i].Values, m.speed(o.size)), m
			}
		}
		v := func(i int) float64 { return speeds[i].median() }
		need := max(c.target, 8*v(2))
		ofStates, besides := last[0].allocs, ""
		if c.rest != nil {
			m, err := measure(decoding("decode without states", c.rest), e.span()/4)
			if err != nil {
				return fmt.Errorf("%s without states: %w", c.name, err)
			}
			ofStates -= m.allocs
			besides = fmt.Sprintf(", %.0f of them for what are no states", m.allocs)
		}
		perState := ofStates / float64(c.states)
		e.ratios["decode "+c.name+" / encoding/xml"], e.ratios["encode "+c.name+" / encoding/xml"] = v(0)/v(2), v(1)/v(3)
		e.ratios["allocations per state, "+c.name], e.ratios["allocations, encode "+c.name] = perState, last[1].allocs
		e.add(row{
			What:    fmt.Sprintf("decode into the full model: %s, %.1f KB", c.name, float64(len(c.doc))/1000),
			Target:  fmt.Sprintf("%.0f MB/s or 8 X, whichever is more; at most 1 allocation per state", c.target),
			Figure:  fmt.Sprintf("%s MB/s = %.1f x encoding/xml (%s), %.1f x etree; %.0f allocations%s = %.2f per state", num(v(0)), v(0)/v(2), num(v(2)), v(0)/v(4), last[0].allocs, besides, perState),
			Verdict: verdictOf(v(0) >= need && perState <= 1), Raw: []series{speeds[0], speeds[2], speeds[4]}, Note: c.note,
		})
		e.add(row{
			What:    "encode: " + c.name,
			Target:  "1 GB/s, 0 allocations into a reused buffer",
			Figure:  fmt.Sprintf("%s MB/s = %.0f x encoding/xml (%s), %.0f x etree; %.0f allocations", num(v(1)), v(1)/v(3), num(v(3)), v(1)/v(5), last[1].allocs),
			Verdict: verdictOf(v(1) >= 1000 && last[1].allocs < 0.5), Raw: []series{speeds[1], speeds[3], speeds[5]},
		})
		decode.Bars = append(decode.Bars, bar{c.name, v(0), ours}, bar{"encoding/xml", v(2), reference}, bar{"etree", v(4), reference})
		encode.Bars = append(encode.Bars, bar{c.name, v(1), ours}, bar{"encoding/xml", v(3), reference}, bar{"etree", v(5), reference})
	}
	e.addPlot(decode)
	e.addPlot(encode)
	return nil
}
