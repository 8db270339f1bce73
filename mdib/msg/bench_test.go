package msg_test

import (
	"encoding/xml"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/testkit/reftest"
	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
)

// read uses a scanner that is kept, as servers do.
func read(tb testing.TB, s *xmlscan.Scanner, doc []byte) msg.Message {
	s.Reset(doc, xmlscan.Limits{})
	if err := s.Root(); err != nil {
		tb.Fatal(err)
	}
	m, err := tolerant().Decode(s)
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// corpus is the three documents whose speed counts: a large MDIB, a metric report, a waveform message.
func corpus(tb testing.TB) map[string][]byte {
	tb.Helper()
	out := map[string][]byte{
		"mdib":     reftest.Read(tb, filepath.Join(reftest.Dir(tb), "samples", "mdibs", "sdc11073-70041_MDIB_Final.xml")),
		"metrics":  metricReport(20).AppendXML(nil),
		"waveform": waveform(18, 50).AppendXML(nil),
	}
	return out
}

func metricReport(n int) *msg.EpisodicMetricReport {
	m := &msg.EpisodicMetricReport{}
	m.SequenceId, m.MdibVersion = "urn:uuid:93f3c4be-4fef-4f47-936e-b29402f53c4d", 75
	part := msg.MetricReportPart{}
	part.SourceMds = "mds_0"
	for i := range n {
		s := &pm.NumericMetricState{MetricValue: &pm.NumericMetricValue{Value: pm.Some(pm.NewDecimal(int64(1000+i), 2))}}
		s.DescriptorHandle = "numeric_metric_" + string(rune('a'+i)) + ".channel_0.vmd_0.mds_0"
		s.DescriptorVersion, s.StateVersion, s.ActivationState = 3, uint64(7+i), pm.ComponentActivationOn
		s.MetricValue.DeterminationTime = pm.Some(pm.Timestamp(1795438001607 + i))
		s.MetricValue.MetricQuality = pm.MetricQuality{Validity: pm.MeasurementValidityVld, Mode: pm.GenerationModeReal}
		part.MetricState = append(part.MetricState, s)
	}
	m.ReportPart = append(m.ReportPart, part)
	return m
}

func waveform(curves, samples int) *msg.WaveformStream {
	r := rand.New(rand.NewPCG(1, 2))
	m := &msg.WaveformStream{}
	m.SequenceId, m.MdibVersion = "urn:uuid:93f3c4be-4fef-4f47-936e-b29402f53c4d", 76
	for i := range curves {
		v := &pm.SampleArrayValue{}
		v.DeterminationTime = pm.Some(pm.Timestamp(1795438001607))
		v.MetricQuality = pm.MetricQuality{Validity: pm.MeasurementValidityVld}
		for range samples {
			v.Samples = append(v.Samples, pm.NewDecimal(r.Int64N(400000)-200000, 3))
		}
		s := &pm.RealTimeSampleArrayMetricState{MetricValue: v}
		s.DescriptorHandle = "rtsa_metric_" + string(rune('a'+i)) + ".channel_1.vmd_0.mds_0"
		s.StateVersion = 44
		m.State = append(m.State, s)
	}
	return m
}

func BenchmarkDecode(b *testing.B) {
	for name, doc := range corpus(b) {
		b.Run(name, func(b *testing.B) {
			s := xmlscan.NewScanner(nil, xmlscan.Limits{})
			cpu(b, len(doc), func() { read(b, s, doc) })
		})
	}
}

// BenchmarkScan is the share of the scanner alone.
func BenchmarkScan(b *testing.B) {
	for name, doc := range corpus(b) {
		b.Run(name, func(b *testing.B) {
			s := xmlscan.NewScanner(nil, xmlscan.Limits{})
			cpu(b, len(doc), func() {
				s.Reset(doc, xmlscan.Limits{})
				_ = s.Root()
				_ = s.Skip()
			})
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	for name, doc := range corpus(b) {
		b.Run(name, func(b *testing.B) {
			m := read(b, xmlscan.NewScanner(nil, xmlscan.Limits{}), doc)
			buf := m.AppendXML(nil)
			cpu(b, len(buf), func() { buf = m.AppendXML(buf[:0]) })
		})
	}
}

func BenchmarkClone(b *testing.B) {
	for name, doc := range corpus(b) {
		b.Run(name, func(b *testing.B) {
			m := read(b, xmlscan.NewScanner(nil, xmlscan.Limits{}), doc)
			cpu(b, len(doc), func() { msg.Clone(m) })
		})
	}
}

func BenchmarkEqual(b *testing.B) {
	for name, doc := range corpus(b) {
		b.Run(name, func(b *testing.B) {
			m := read(b, xmlscan.NewScanner(nil, xmlscan.Limits{}), doc)
			c := msg.Clone(m)
			cpu(b, len(doc), func() {
				if !msg.Equal(m, c) {
					b.Fatal("not equal")
				}
			})
		})
	}
}

// cpu runs the benchmark and adds the speed by processor time, which tells more than the clock
// does on a machine with other work. Garbage collection counts.
func cpu(b *testing.B, size int, f func()) {
	b.SetBytes(int64(size))
	b.ReportAllocs()
	f()
	before := processorTime()
	for b.Loop() {
		f()
	}
	if d := processorTime() - before; d > 0 {
		b.ReportMetric(float64(size)*float64(b.N)/1e6/d.Seconds(), "MB/cpu-s")
	}
}

// The same report read by encoding/xml, into fields for what is in it.
type xmlReport struct {
	MdibVersion uint64 `xml:"MdibVersion,attr"`
	SequenceId  string `xml:"SequenceId,attr"`
	ReportPart  []struct {
		SourceMds   string `xml:"SourceMds"`
		MetricState []struct {
			Type              string `xml:"http://www.w3.org/2001/XMLSchema-instance type,attr"`
			DescriptorHandle  string `xml:"DescriptorHandle,attr"`
			DescriptorVersion uint64 `xml:"DescriptorVersion,attr"`
			StateVersion      uint64 `xml:"StateVersion,attr"`
			ActivationState   string `xml:"ActivationState,attr"`
			MetricValue       *struct {
				DeterminationTime uint64 `xml:"DeterminationTime,attr"`
				Value             string `xml:"Value,attr"`
				MetricQuality     struct {
					Validity string `xml:"Validity,attr"`
					Mode     string `xml:"Mode,attr"`
				}
			}
		}
	}
}

func BenchmarkEncodingXML(b *testing.B) {
	doc := metricReport(20).AppendXML(nil)
	b.Run("decode", func(b *testing.B) {
		cpu(b, len(doc), func() {
			var r xmlReport
			if err := xml.Unmarshal(doc, &r); err != nil || len(r.ReportPart[0].MetricState) != 20 {
				b.Fatal(err)
			}
		})
	})
	b.Run("encode", func(b *testing.B) {
		var r xmlReport
		require.NoError(b, xml.Unmarshal(doc, &r))
		cpu(b, len(doc), func() {
			if _, err := xml.Marshal(r); err != nil {
				b.Fatal(err)
			}
		})
	})
}

// TestAllocations bounds what reading and writing reports allocates.
func TestAllocations(t *testing.T) {
	s := xmlscan.NewScanner(nil, xmlscan.Limits{})
	for _, c := range []struct {
		name string
		m    msg.Message
		most float64
	}{
		// States with their values come eight at a time; a handful for the message and its lists.
		{"metrics", metricReport(20), 14},
		// And the samples of up to ten curves at a time.
		{"waveform", waveform(18, 50), 14},
	} {
		doc := c.m.AppendXML(nil)
		read(t, s, doc)
		read(t, s, doc)
		got := testing.AllocsPerRun(50, func() { read(t, s, doc) })
		require.LessOrEqual(t, got, c.most, c.name)
		buf := make([]byte, 0, 2*len(doc))
		require.Zero(t, testing.AllocsPerRun(50, func() { buf = c.m.AppendXML(buf[:0]) }), "writing to a buffer that is large enough")
	}
}
