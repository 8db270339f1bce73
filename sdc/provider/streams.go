package provider

import (
	"errors"
	"fmt"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
)

// ReportSystemError tells all subscribers of an error of the device that belongs to no state (BICEPS SystemErrorReport); the MDIB does not change. code says which, text
// explains it to a person; the zero text is left out. mds are the MDSs concerned, all if none are given. It is an error if the code is empty or an
// MDS unknown. Before Ready nobody hears of it.
func (p *Provider) ReportSystemError(code pm.CodedValue, text pm.LocalizedText, mds ...string) error {
	if code.Code == "" {
		return errors.New("provider: a system error needs a code")
	}
	p.publishing.Lock()
	defer p.publishing.Unlock()
	snap := p.store.Load()
	if len(mds) == 0 {
		for h := range snap.Roots() {
			mds = append(mds, h)
		}
	}
	report := &msg.SystemErrorReport{}
	report.MdibVersionGroup = versionGroup(snap)
	for _, h := range mds {
		if _, ok := mdib.Get[*pm.MdsDescriptor](snap, h); !ok {
			return fmt.Errorf("provider: %q is no MDS", h)
		}
		part := msg.SystemErrorReportPart{AbstractReportPart: msg.AbstractReportPart{SourceMds: h}, ErrorCode: code}
		if text != (pm.LocalizedText{}) {
			part.ErrorInfo = &text
		}
		report.ReportPart = append(report.ReportPart, part)
	}
	if source := p.source.Load(); source != nil && source.Wants(sdc.ActionSystemErrorReport) {
		source.Publish(sdc.ActionSystemErrorReport, report.AppendXML(nil))
	}
	return nil
}

// StreamObserved gives waveforms their newest samples in one transaction: samples by handle, in the unit of the descriptor, the first of each taken at the given
// time. They are reported by an ObservedValueStream if Config.ObservedValues is on, else by a WaveformStream. The slices belong to the MDIB afterwards.
func (p *Provider) StreamObserved(first time.Time, samples map[string]pm.Samples) error {
	return p.Update(func(tx *mdib.Tx) error {
		for handle, s := range samples {
			if err := tx.SetSamples(handle, s, first); err != nil {
				return err
			}
		}
		return nil
	})
}

// reportOf returns the report of a change: that of the change itself, but values of waveforms alone, where they are switched on, as observed values (BICEPS
// R5026). A transaction that changes more of one of its waveforms is a WaveformStream as a whole: one version has one report.
func (p *Provider) reportOf(change *mdib.Change) msg.Report {
	if !p.cfg.ObservedValues || change.Kind != mdib.KindWaveform {
		return change.Report()
	}
	stream := &msg.ObservedValueStream{Value: make([]msg.ObservedValue, 0, len(change.States))}
	stream.MdibVersionGroup = change.Version.Group()
	for i := range change.States {
		after, ok := change.States[i].After.(*pm.RealTimeSampleArrayMetricState)
		before, had := change.States[i].Before.(*pm.RealTimeSampleArrayMetricState)
		if !ok || !had {
			return change.Report()
		}
		same := *after
		same.StateVersion, same.MetricValue = before.StateVersion, before.MetricValue
		if !same.Equal(before) {
			return change.Report()
		}
		stream.Value = append(stream.Value, msg.ObservedValue{Metric: after.DescriptorHandle, StateVersion: after.StateVersion, Value: after.MetricValue})
	}
	return stream
}
