package xmlscan

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"testing"
)

// sampleDoc looks like an MDIB: short names, many attributes, indentation.
func sampleDoc(metrics int) []byte {
	b := []byte(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	b = AppendStart(b, "msg:GetMdibResponse")
	b = AppendNS(b, "msg", NsMsg)
	b = AppendNS(b, "pm", NsPM)
	b = AppendNS(b, "xsi", NsXSI)
	b = AppendAttrUint(b, "MdibVersion", 174)
	b = AppendAttr(b, "SequenceId", "urn:uuid:79bd70b3-1e6f-43c0-9a7c-6a2d1e0f6c0e")
	b = append(b, ">\n  <msg:Mdib>\n    <pm:MdState>\n"...)
	for i := range metrics {
		b = fmt.Appendf(b, "      <pm:State xsi:type=\"pm:NumericMetricState\" StateVersion=\"%d\" DescriptorHandle=\"numeric.ch0.vmd%d\" ActivationState=\"On\">\n", i, i%300)
		b = fmt.Appendf(b, "        <pm:MetricValue DeterminationTime=\"1700000000%03d\" Value=\"%d.5\">\n", i%1000, i)
		b = append(b, "          <pm:MetricQuality Mode=\"Real\" Validity=\"Vld\"></pm:MetricQuality>\n        </pm:MetricValue>\n"...)
		b = append(b, "        <pm:Annotation><pm:Type Code=\"67108865\"><pm:ConceptDescription Lang=\"en\">heart rate &lt;HR&gt;</pm:ConceptDescription></pm:Type></pm:Annotation>\n      </pm:State>\n"...)
	}
	return append(b, "    </pm:MdState>\n  </msg:Mdib>\n</msg:GetMdibResponse>\n"...)
}

// waveDoc looks like a waveform stream message.
func waveDoc() []byte {
	b := AppendStart(nil, "msg:WaveformStream")
	b = AppendNS(b, "msg", NsMsg)
	b = AppendNS(b, "pm", NsPM)
	b = append(b, '>')
	for i := range 18 {
		b = fmt.Appendf(b, `<msg:State DescriptorHandle="rtsa.%d" StateVersion="%d"><pm:MetricValue DeterminationTime="1700000000000" Samples="`, i, i*7)
		for k := range 50 {
			b = fmt.Appendf(b, "%d.%d ", k*i, k)
		}
		b = append(b, `"><pm:MetricQuality Validity="Vld"/></pm:MetricValue></msg:State>`...)
	}
	return AppendEnd(b, "msg:WaveformStream")
}

func benchTokens(b *testing.B, doc []byte) {
	b.Run("scanner", func(b *testing.B) {
		b.SetBytes(int64(len(doc)))
		b.ReportAllocs()
		var s Scanner
		for b.Loop() {
			s.Reset(doc, Limits{})
			for {
				k, err := s.Next()
				if err != nil {
					b.Fatal(err)
				}
				if k == EOF {
					break
				}
			}
		}
	})
	b.Run("scanner-new", func(b *testing.B) {
		b.SetBytes(int64(len(doc)))
		b.ReportAllocs()
		for b.Loop() {
			s := NewScanner(doc, Limits{})
			for {
				k, err := s.Next()
				if err != nil {
					b.Fatal(err)
				}
				if k == EOF {
					break
				}
			}
		}
	})
	b.Run("encoding-xml", func(b *testing.B) {
		b.SetBytes(int64(len(doc)))
		b.ReportAllocs()
		for b.Loop() {
			d := xml.NewDecoder(bytes.NewReader(doc))
			for {
				_, err := d.Token()
				if err == io.EOF {
					break
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}

// pullAll reads an element of the benchmark documents the way a decoder does.
func pullAll(s *Scanner) {
	if s.Name().Local == "ConceptDescription" {
		_, _ = s.TextBytes()
		return
	}
	for s.Child() {
		pullAll(s)
	}
}

func benchPull(b *testing.B, doc []byte) {
	b.Run("pull", func(b *testing.B) {
		b.SetBytes(int64(len(doc)))
		b.ReportAllocs()
		var s Scanner
		for b.Loop() {
			s.Reset(doc, Limits{})
			if err := s.Root(); err != nil {
				b.Fatal(err)
			}
			pullAll(&s)
			if err := s.End(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkStates(b *testing.B) {
	benchTokens(b, sampleDoc(2000))
	benchPull(b, sampleDoc(2000))
}

func BenchmarkSmall(b *testing.B) { benchTokens(b, sampleDoc(2)) }

func BenchmarkWave(b *testing.B) {
	benchTokens(b, waveDoc())
	benchPull(b, waveDoc())
}

// BenchmarkAppend writes a metric state, the bulk of what a device sends.
func BenchmarkAppend(b *testing.B) {
	write := func(buf []byte) []byte {
		buf = AppendStart(buf, "msg:MetricState")
		buf = AppendAttr(buf, "xsi:type", "pm:NumericMetricState")
		buf = AppendAttrUint(buf, "StateVersion", 1234)
		buf = AppendAttr(buf, "DescriptorHandle", "numeric.ch0.vmd1")
		buf = AppendAttr(buf, "ActivationState", "On")
		buf = append(buf, '>')
		buf = AppendStart(buf, "pm:MetricValue")
		buf = AppendAttrUint(buf, "DeterminationTime", 1700000000000)
		buf = AppendAttr(buf, "Value", "71.5")
		buf = append(buf, '>')
		buf = AppendStart(buf, "pm:MetricQuality")
		buf = AppendAttr(buf, "Mode", "Real")
		buf = AppendAttr(buf, "Validity", "Vld")
		buf = append(buf, "/>"...)
		buf = AppendEnd(buf, "pm:MetricValue")
		return AppendEnd(buf, "msg:MetricState")
	}
	buf := write(nil)
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		buf = write(buf[:0])
	}
}
