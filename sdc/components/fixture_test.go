package components

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/ext"
	"github.com/semeco/go-sdc/mdib/pm"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func base(handle string) pm.AbstractDescriptor {
	return pm.AbstractDescriptor{Handle: handle, Type: &pm.CodedValue{Code: "1"}}
}

func numeric(handle string, c pm.MetricCategory) *pm.NumericMetricDescriptor {
	d := &pm.NumericMetricDescriptor{Resolution: pm.MustDecimal("1")}
	d.AbstractDescriptor = base(handle)
	d.MetricCategory, d.MetricAvailability, d.Unit = c, pm.MetricAvailabilityCont, pm.CodedValue{Code: "1"}
	return d
}

// snapshot has an MDS with a battery, a clock (with epochs if wanted), a patient, an alert system, and the VMD vmd with the channel chan, one metric of each category,
// a waveform, an alert system and an SCO; and a second VMD.
func snapshot(t testing.TB, epochs bool) *mdib.Snapshot {
	t.Helper()
	wave := &pm.RealTimeSampleArrayMetricDescriptor{Resolution: pm.MustDecimal("1"), SamplePeriod: pm.MustDuration("PT0.01S")}
	wave.AbstractDescriptor = base("wave")
	wave.MetricCategory, wave.MetricAvailability, wave.Unit = pm.MetricCategoryMsrmt, pm.MetricAvailabilityCont, pm.CodedValue{Code: "1"}
	channel := &pm.ChannelDescriptor{Metric: []pm.MetricDescriptor{
		numeric("msrmt", pm.MetricCategoryMsrmt), numeric("set", pm.MetricCategorySet), numeric("clc", pm.MetricCategoryClc), wave,
	}}
	channel.AbstractDescriptor = base("chan")
	cond := &pm.AlertConditionDescriptor{Kind: pm.AlertConditionKindTec, Priority: pm.AlertConditionPriorityLo}
	cond.AbstractDescriptor = base("cond")
	signal := &pm.AlertSignalDescriptor{ConditionSignaled: "cond", Manifestation: pm.AlertSignalManifestationVis}
	signal.AbstractDescriptor = base("signal")
	alerts := &pm.AlertSystemDescriptor{AlertCondition: []pm.ConditionDescriptor{cond}, AlertSignal: []*pm.AlertSignalDescriptor{signal}}
	alerts.AbstractDescriptor = base("alerts")
	op := &pm.SetValueOperationDescriptor{}
	op.AbstractDescriptor, op.OperationTarget = base("op"), "set"
	op2 := &pm.SetValueOperationDescriptor{}
	op2.AbstractDescriptor, op2.OperationTarget = base("op2"), "set"
	sco := &pm.ScoDescriptor{Operation: []pm.OperationDescriptor{op, op2}}
	sco.AbstractDescriptor = base("sco")
	vmd := &pm.VmdDescriptor{Channel: []*pm.ChannelDescriptor{channel}}
	vmd.AbstractDescriptor, vmd.AlertSystem, vmd.Sco = base("vmd"), alerts, sco
	other := &pm.ChannelDescriptor{Metric: []pm.MetricDescriptor{numeric("other", pm.MetricCategoryMsrmt)}}
	other.AbstractDescriptor = base("chan2")
	vmd2 := &pm.VmdDescriptor{Channel: []*pm.ChannelDescriptor{other}}
	vmd2.AbstractDescriptor = base("vmd2")
	clock := &pm.ClockDescriptor{}
	clock.AbstractDescriptor = base("clock")
	if epochs {
		ext.SetEpochSupport(&clock.Extension, ext.EpochSupportType{})
	}
	battery := &pm.BatteryDescriptor{}
	battery.AbstractDescriptor = base("battery")
	patient := &pm.PatientContextDescriptor{}
	patient.AbstractDescriptor = base("patient")
	context := &pm.SystemContextDescriptor{PatientContext: patient}
	context.AbstractDescriptor = base("context")
	mds := &pm.MdsDescriptor{SystemContext: context, Clock: clock, Battery: []*pm.BatteryDescriptor{battery}, Vmd: []*pm.VmdDescriptor{vmd, vmd2}}
	mds.AbstractDescriptor = base("mds")
	s, err := mdib.FromMdib(&pm.Mdib{MdDescription: &pm.MdDescription{Mds: []*pm.MdsDescriptor{mds}}})
	require.NoError(t, err)
	st := mdib.NewStore(s, mdib.Config{})
	_, err = st.Update(func(tx *mdib.Tx) error {
		for _, h := range []string{"alerts", "cond", "signal"} {
			if err := tx.SetAlertActivation(h, pm.AlertActivationOn); err != nil {
				return err
			}
		}
		return nil
	})
	require.NoError(t, err)
	_, err = st.Update(func(tx *mdib.Tx) error {
		if err := tx.SetOperatingMode("op", pm.OperatingModeEn); err != nil {
			return err
		}
		return tx.SetOperatingMode("op2", pm.OperatingModeDis)
	})
	require.NoError(t, err)
	return st.Load()
}

// device is a store every version of which must be sound.
type device struct {
	t  testing.TB
	st *mdib.Store
}

func newDevice(t testing.TB, epochs bool) *device {
	d := &device{t: t, st: mdib.NewStore(snapshot(t, epochs), mdib.Config{})}
	d.check(d.MDIB())
	return d
}

func (d *device) check(s *mdib.Snapshot) {
	d.t.Helper()
	for _, f := range mdib.Validate(s) {
		require.NotEqual(d.t, mdib.SeverityError, f.Severity, "version %d: %s %s: %s", s.Version().MdibVersion, f.ID, f.Handle, f.Message)
	}
}

func (d *device) MDIB() *mdib.Snapshot { return d.st.Load() }

func (d *device) Update(fn func(*mdib.Tx) error) error {
	c, err := d.st.Update(fn)
	if c != nil {
		d.check(c.After)
	}
	return err
}

func (d *device) is(handle string) string {
	s, _ := d.MDIB().State(handle)
	return activation(s)
}

func must(t testing.TB, d *device, fn func(tx *mdib.Tx) error) {
	t.Helper()
	require.NoError(t, d.Update(fn))
}

func after(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}
