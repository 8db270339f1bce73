package main

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
)

// The device measured: 60 numeric metrics, 10 waveforms, alerts and contexts, 76 KB of XML in all.
const (
	numMetrics    = 60
	numWaveforms  = 10
	numConditions = 12
)

func metricHandle(i int) string   { return fmt.Sprintf("vmd.chan.%d.metric.%02d", i/20, i) }
func waveformHandle(i int) string { return fmt.Sprintf("vmd.chan.waves.wave.%d", i) }

// deviceXML is the MDIB as a document. It is written out here so that every stack measured starts with the same bytes.
func deviceXML() []byte {
	var b bytes.Buffer
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	coded := func(tag string, code int, text string) string {
		return fmt.Sprintf(`<pm:%s Code="%d"><pm:ConceptDescription Lang="en-US">%s</pm:ConceptDescription></pm:%s>`, tag, code, text, tag)
	}
	p(`<?xml version="1.0" encoding="UTF-8"?>`)
	p(`<msg:GetMdibResponse xmlns:msg="http://standards.ieee.org/downloads/11073/11073-10207-2017/message" xmlns:pm="http://standards.ieee.org/downloads/11073/11073-10207-2017/participant" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" MdibVersion="0" SequenceId="urn:uuid:6f1b7a10-6a3e-4b53-93a1-5c1b8a4c8d01">`)
	p(` <msg:Mdib MdibVersion="0" SequenceId="urn:uuid:6f1b7a10-6a3e-4b53-93a1-5c1b8a4c8d01">`)
	p(`  <pm:MdDescription DescriptionVersion="0">`)
	p(`   <pm:Mds Handle="mds" DescriptorVersion="0" SafetyClassification="MedB">%s`, coded("Type", 69965, "Monitor for measurements of speed"))
	p(`    <pm:AlertSystem Handle="mds.alerts" DescriptorVersion="0" MaxPhysiologicalParallelAlarms="8" MaxTechnicalParallelAlarms="8" SelfCheckPeriod="PT5S">`)
	for i := range numConditions {
		p(`     <pm:AlertCondition xsi:type="pm:LimitAlertConditionDescriptor" Handle="mds.alerts.cond.%02d" DescriptorVersion="0" Kind="Phy" Priority="Me">%s<pm:Source>%s</pm:Source><pm:MaxLimits Lower="0" Upper="300"/></pm:AlertCondition>`,
			i, coded("Type", 196000+i, fmt.Sprintf("Parameter %d outside its limits", i)), metricHandle(i))
	}
	for i := range numConditions {
		p(`     <pm:AlertSignal Handle="mds.alerts.sig.%02d" DescriptorVersion="0" ConditionSignaled="mds.alerts.cond.%02d" Manifestation="Aud" Latching="false"/>`, i, i)
	}
	p(`    </pm:AlertSystem>`)
	p(`    <pm:SystemContext Handle="mds.context" DescriptorVersion="0"><pm:PatientContext Handle="mds.context.patient" DescriptorVersion="0"/><pm:LocationContext Handle="mds.context.location" DescriptorVersion="0"/></pm:SystemContext>`)
	p(`    <pm:Vmd Handle="vmd" DescriptorVersion="0">%s`, coded("Type", 69855, "Measurement unit"))
	for c := range numMetrics / 20 { // their technical range holds what setMetrics commits
		p(`     <pm:Channel Handle="vmd.chan.%d" DescriptorVersion="0">%s`, c, coded("Type", 69854+c, fmt.Sprintf("Channel %d", c)))
		for i := c * 20; i < (c+1)*20; i++ {
			p(`      <pm:Metric xsi:type="pm:NumericMetricDescriptor" Handle="%s" DescriptorVersion="0" SafetyClassification="MedB" MetricCategory="Msrmt" MetricAvailability="Cont" DeterminationPeriod="PT1S" Resolution="0.01" AveragingPeriod="PT5S">`, metricHandle(i))
			p(`       %s`, coded("Type", 150000+i, fmt.Sprintf("Measured parameter %d of the patient", i)))
			p(`       %s`, coded("Unit", 262656, "no dimension"))
			p(`       <pm:TechnicalRange Lower="0" Upper="9999999999999999" StepWidth="0.01"/>`)
			p(`      </pm:Metric>`)
		}
		p(`     </pm:Channel>`)
	}
	p(`     <pm:Channel Handle="vmd.chan.waves" DescriptorVersion="0">%s`, coded("Type", 69880, "Waveforms"))
	for i := range numWaveforms {
		p(`      <pm:Metric xsi:type="pm:RealTimeSampleArrayMetricDescriptor" Handle="%s" DescriptorVersion="0" SafetyClassification="MedB" MetricCategory="Msrmt" MetricAvailability="Cont" Resolution="0.01" SamplePeriod="PT0.005S">`, waveformHandle(i))
		p(`       %s`, coded("Type", 151000+i, fmt.Sprintf("Waveform %d of the patient", i)))
		p(`       %s`, coded("Unit", 266418, "millivolt"))
		p(`       <pm:TechnicalRange Lower="-100" Upper="100" StepWidth="0.01"/>`)
		p(`      </pm:Metric>`)
	}
	p(`     </pm:Channel>`)
	p(`    </pm:Vmd>`)
	p(`   </pm:Mds>`)
	p(`  </pm:MdDescription>`)
	p(`  <pm:MdState StateVersion="0">`)
	component := func(kind, handle string) {
		p(`   <pm:State xsi:type="pm:%s" DescriptorHandle="%s" DescriptorVersion="0" StateVersion="0" ActivationState="On"/>`, kind, handle)
	}
	component("MdsState", "mds")
	component("VmdState", "vmd")
	component("SystemContextState", "mds.context")
	for c := range numMetrics / 20 {
		component("ChannelState", fmt.Sprintf("vmd.chan.%d", c))
	}
	component("ChannelState", "vmd.chan.waves")
	p(`   <pm:State xsi:type="pm:AlertSystemState" DescriptorHandle="mds.alerts" DescriptorVersion="0" StateVersion="0" ActivationState="On" LastSelfCheck="1700000000000" SelfCheckCount="1"/>`)
	for i := range numConditions {
		p(`   <pm:State xsi:type="pm:LimitAlertConditionState" DescriptorHandle="mds.alerts.cond.%02d" DescriptorVersion="0" StateVersion="0" ActivationState="On" Presence="false" MonitoredAlertLimits="All"><pm:Limits Lower="20" Upper="200"/></pm:State>`, i)
		p(`   <pm:State xsi:type="pm:AlertSignalState" DescriptorHandle="mds.alerts.sig.%02d" DescriptorVersion="0" StateVersion="0" ActivationState="On" Presence="Off"/>`, i)
	}
	for i := range numMetrics {
		p(`   <pm:State xsi:type="pm:NumericMetricState" DescriptorHandle="%s" DescriptorVersion="0" StateVersion="0" ActivationState="On"><pm:MetricValue Value="%d.%02d" DeterminationTime="1700000000000"><pm:MetricQuality Validity="Vld" Mode="Real"/></pm:MetricValue></pm:State>`, metricHandle(i), 60+i, i)
	}
	for i := range numWaveforms {
		p(`   <pm:State xsi:type="pm:RealTimeSampleArrayMetricState" DescriptorHandle="%s" DescriptorVersion="0" StateVersion="0" ActivationState="On"><pm:MetricValue DeterminationTime="1700000000000" Samples="%s"><pm:MetricQuality Validity="Vld" Mode="Real"/></pm:MetricValue></pm:State>`,
			waveformHandle(i), strings.TrimSpace(strings.Repeat("1.25 -0.5 ", 10)))
	}
	p(`  </pm:MdState>`)
	p(` </msg:Mdib>`)
	p(`</msg:GetMdibResponse>`)
	return b.Bytes()
}

// deviceSnapshot is deviceXML read.
func deviceSnapshot() (*mdib.Snapshot, error) { return mdib.Read(bytes.NewReader(deviceXML())) }

// setMetrics commits one value to n metrics; the value is the time in microseconds, so that who receives it knows its age.
func setMetrics(tx *mdib.Tx, first, n int) error {
	at := time.Now()
	us := at.UnixMicro()
	for i := range n {
		if err := tx.SetNumeric(metricNames[(first+i)%numMetrics], pm.NewDecimal(us+int64(i), 0), at); err != nil {
			return err
		}
	}
	return nil
}

// setWaveforms commits the samples to all waveforms.
func setWaveforms(tx *mdib.Tx, samples pm.Samples) error {
	at := time.Now()
	for i := range numWaveforms {
		if err := tx.SetSamples(waveformNames[i], samples, at); err != nil {
			return err
		}
	}
	return nil
}

// sampleArray makes n samples with two decimals.
func sampleArray(n, shift int) pm.Samples {
	s := make(pm.Samples, n)
	for i := range s {
		s[i] = pm.NewDecimal(int64((i*37+shift*11)%997)-498, 2)
	}
	return s
}

var metricNames, waveformNames = names(numMetrics, metricHandle), names(numWaveforms, waveformHandle)

func names(n int, handle func(int) string) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = handle(i)
	}
	return out
}
