package mdib_test

import (
	"fmt"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
)

// device is a small MDIB: one heart rate.
func device() *pm.Mdib {
	hr := &pm.NumericMetricDescriptor{Resolution: pm.MustDecimal("1")}
	hr.Handle, hr.Type, hr.Unit = "hr", &pm.CodedValue{Code: "147842"}, pm.CodedValue{Code: "264864"}
	hr.MetricCategory, hr.MetricAvailability = pm.MetricCategoryMsrmt, pm.MetricAvailabilityCont
	channel := &pm.ChannelDescriptor{Metric: []pm.MetricDescriptor{hr}}
	channel.Handle = "ecg"
	vmd := &pm.VmdDescriptor{Channel: []*pm.ChannelDescriptor{channel}}
	vmd.Handle = "heart"
	mds := &pm.MdsDescriptor{Vmd: []*pm.VmdDescriptor{vmd}}
	mds.Handle = "monitor"
	return &pm.Mdib{MdDescription: &pm.MdDescription{Mds: []*pm.MdsDescriptor{mds}}}
}

// A device commits a value; a consumer's mirror follows the report.
func Example() {
	snapshot, err := mdib.FromMdib(device())
	if err != nil {
		panic(err)
	}
	store := mdib.NewStore(snapshot, mdib.Config{})
	mirror := mdib.NewMirror(mdib.MirrorConfig{AllReports: true})
	if _, err := mirror.Reset(store.Load().Response()); err != nil {
		panic(err)
	}

	change, err := store.Update(func(tx *mdib.Tx) error {
		return tx.SetNumeric("hr", pm.MustDecimal("72"), time.Now())
	})
	if err != nil {
		panic(err)
	}
	document := change.Report().AppendXML(nil) // over the network

	report, err := msg.Unmarshal(document)
	if err != nil {
		panic(err)
	}
	update, err := mirror.Apply(report)
	if err != nil {
		panic(err)
	}
	for _, s := range update.States {
		fmt.Println(update.Kind, s.Handle, s.After.(*pm.NumericMetricState).MetricValue.Value.Or(pm.Decimal{}))
	}
	hr, _ := mdib.Get[*pm.NumericMetricState](mirror.Load(), "hr")
	fmt.Println("version", mirror.Load().Version().MdibVersion, "state version", hr.StateVersion)
	// Output:
	// metric hr 72
	// version 1 state version 1
}

// A channel appears while the device runs: one report tells of the parent, the channel and its metric.
func ExampleTx_Insert() {
	snapshot, err := mdib.FromMdib(device())
	if err != nil {
		panic(err)
	}
	store := mdib.NewStore(snapshot, mdib.Config{})
	rr := &pm.NumericMetricDescriptor{Resolution: pm.MustDecimal("1")}
	rr.Handle, rr.MetricCategory, rr.MetricAvailability = "rr", pm.MetricCategoryMsrmt, pm.MetricAvailabilityCont
	rr.Unit = pm.CodedValue{Code: "264928"}
	breathing := &pm.ChannelDescriptor{Metric: []pm.MetricDescriptor{rr}}
	breathing.Handle = "breathing"
	change, err := store.Update(func(tx *mdib.Tx) error { return tx.Insert("heart", breathing) })
	if err != nil {
		panic(err)
	}
	for _, d := range change.Descriptors {
		fmt.Println(d.Type, d.Handle)
	}
	// Output:
	// Upt heart
	// Crt breathing
	// Crt rr
}
