package provider

import (
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
)

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
