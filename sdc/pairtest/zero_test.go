package pairtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/recording"
	"github.com/semeco/go-sdc/recording/recorder"
	"github.com/semeco/go-sdc/recording/replayer"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/alerts"
	"github.com/semeco/go-sdc/sdc/components"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/persist"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/sdc/proxy"
	"github.com/semeco/go-sdc/simulators"
	"github.com/semeco/go-sdc/simulators/misbehave"
	"github.com/semeco/go-sdc/station"
	"github.com/semeco/go-sdc/station/aggregate"
	"github.com/semeco/go-sdc/station/playback"
	"github.com/semeco/go-sdc/station/web"
	"github.com/semeco/go-sdc/workflow"
)

// mistake is a call of the API with something that is not there. It must end with an error, and without a panic.
type mistake struct {
	name string
	call func() error
}

func check(t *testing.T, mistakes []mistake) {
	t.Helper()
	for _, m := range mistakes {
		func() {
			defer func() {
				if v := recover(); v != nil {
					t.Errorf("%s: panic: %v\n%s", m.name, v, debug.Stack())
				}
			}()
			if err := m.call(); err == nil {
				t.Errorf("%s: no error", m.name)
			}
		}()
	}
}

func ignore[T any](_ T, err error) error { return err }

// Constructors say what is missing in a zero configuration.
func TestZeroConfigurationsAreErrors(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var noDevice *provider.Provider
	check(t, []mistake{
		{"provider.New", func() error { return ignore(provider.New(provider.Config{})) }},
		{"consumer.New", func() error { return ignore(consumer.New(ctx, consumer.Config{})) }},
		{"consumer.Connect", func() error { return ignore(consumer.Connect(ctx, discovery.Endpoint{}, consumer.Config{})) }},
		{"station.New", func() error { return ignore(station.New(station.Config{})) }},
		{"aggregate.New", func() error { return ignore(aggregate.New(aggregate.Config{})) }},
		{"web.New", func() error { return ignore(web.New(web.Config{})) }},
		{"workflow.Run", func() error { return ignore(workflow.Run(ctx, workflow.Options{})) }},
		{"workflow.Run, nothing in it", func() error {
			return ignore(workflow.Run(ctx, workflow.Options{Workflow: &workflow.Workflow{}, World: workflow.OnStation(nil)}))
		}},
		{"workflow.Parse", func() error { return ignore(workflow.Parse(nil)) }},
		{"alerts.New", func() error { return ignore(alerts.New(alerts.Config{})) }},
		{"components.NewCascade", func() error { return ignore(components.NewCascade(nil, nil)) }},
		{"components.NewCascade, typed nil", func() error { return ignore(components.NewCascade(noDevice, nil)) }},
		{"components.NewClock", func() error { return ignore(components.NewClock(components.ClockConfig{})) }},
		{"components.NewClock, typed nil", func() error { return ignore(components.NewClock(components.ClockConfig{Device: noDevice})) }},
		{"alerts.New, typed nil", func() error { return ignore(alerts.New(alerts.Config{Device: noDevice})) }},
		{"persist.Open", func() error { return ignore(persist.Open(persist.Config{})) }},
		{"proxy.New", func() error { return ignore(proxy.New(proxy.Config{})) }},
		{"recording.Create", func() error { return ignore(recording.Create("", recording.Config{})) }},
		{"recording.Open", func() error { return ignore(recording.Open("")) }},
		{"recording.NewReader", func() error { return ignore(recording.NewReader(nil, 0)) }},
		{"recording.Compare", func() error { return recording.Compare(ctx, nil, "", nil, "") }},
		{"recorder.Record", func() error { return recorder.Record(ctx, nil, nil) }},
		{"replayer.New", func() error { return ignore(replayer.New(replayer.Config{})) }},
		{"playback.Play", func() error { return playback.Play(ctx, nil, nil, playback.Config{}) }},
		{"misbehave.Run", func() error { return misbehave.Run(ctx, misbehave.Plan{}, 0, nil, provider.Config{}, nil) }},
		{"simulators.Run", func() error { return simulators.Run(ctx, nil, provider.Config{}, nil) }},
		{"Invoke before Run", func() error {
			dev, err := provider.New(provider.Config{MDIB: snapshot(t), Insecure: true})
			require.NoError(t, err)
			info := dev.Invoke(ctx, &msg.SetValue{AbstractSet: msg.AbstractSet{OperationHandleRef: "value.set"}})
			return errors.New(info.InvocationErrorMessage[0].Text)
		}},
		{"mdib.FromMdib", func() error { return ignore(mdib.FromMdib(nil)) }},
		{"mdib.Read", func() error { return ignore(mdib.Read(eof{})) }},
	})
}

type eof struct{}

func (eof) Read([]byte) (int, error) { return 0, io.EOF }

// What stands in an interface without anything behind it is no descriptor and no state.
func TestTypedNilsAreErrors(t *testing.T) {
	var (
		noMetric    *pm.NumericMetricDescriptor
		noMds       *pm.MdsDescriptor
		noState     *pm.NumericMetricState
		noComponent *pm.VmdState
		noSignal    *pm.AlertSignalState
		noPatient   *pm.PatientContextState
	)
	snap := snapshot(t)
	store := mdib.NewStore(snap, mdib.Config{})
	before := store.Load()
	in := func(fn func(tx *mdib.Tx) error) func() error {
		return func() error { return ignore(store.Update(fn)) }
	}
	metric := &pm.NumericMetricDescriptor{}
	metric.Handle = "new"
	var list []mistake
	for name, d := range map[string]pm.Descriptor{"nil": nil, "metric": noMetric, "mds": noMds} {
		list = append(list, mistake{"Insert " + name, in(func(tx *mdib.Tx) error { return tx.Insert("ch", d) })})
	}
	list = append(list,
		mistake{"Insert a state", in(func(tx *mdib.Tx) error { return tx.Insert("ch", metric, noState) })},
		mistake{"Insert an untyped state", in(func(tx *mdib.Tx) error { return tx.Insert("ch", metric, nil) })},
		mistake{"InsertContextState", in(func(tx *mdib.Tx) error { return ignore(tx.InsertContextState(noPatient)) })},
		mistake{"InsertContextState untyped", in(func(tx *mdib.Tx) error { return ignore(tx.InsertContextState(nil)) })},
		mistake{"Update of nothing", in(nil)},
	)
	check(t, list)
	require.Same(t, before, store.Load())
	for _, fn := range []func(*mdib.Tx) error{nil, func(tx *mdib.Tx) error { return tx.Insert("ch", noMetric) }, func(tx *mdib.Tx) error { return ignore(tx.InsertContextState(noPatient)) }} {
		require.ErrorIs(t, ignore(store.Update(fn)), mdib.ErrMissing)
	}
	// Nil children and states are passed over, whatever their type.
	channel := &pm.ChannelDescriptor{Metric: []pm.MetricDescriptor{noMetric, nil, metric}}
	channel.Handle = "ch.new"
	metric.MetricCategory, metric.MetricAvailability = pm.MetricCategoryMsrmt, pm.MetricAvailabilityCont
	require.NoError(t, ignore(store.Update(func(tx *mdib.Tx) error { return tx.Insert("vmd", channel) })))
	mds := &pm.MdsDescriptor{Vmd: []*pm.VmdDescriptor{nil}}
	mds.Handle = "m"
	require.NoError(t, ignore(mdib.FromMdib(&pm.Mdib{
		MdDescription: &pm.MdDescription{Mds: []*pm.MdsDescriptor{noMds, mds}}, MdState: &pm.MdState{State: []pm.State{nil, noState}},
	})))

	inBubble(t, setup{provider: func(c *provider.Config) { c.ApplyProposals = true }}, func(t *testing.T, p *pair) {
		d := p.connect(t)
		defer d.Close(context.Background())
		before := p.dev.MDIB()
		invoked := func(r msg.SetRequest) func() error {
			return func() error {
				info := p.dev.Invoke(t.Context(), r)
				if info.InvocationState == msg.InvocationStateFail {
					return fmt.Errorf("%v", info)
				}
				return nil
			}
		}
		result := func(_ *consumer.Result, err error) error { return err }
		var noRequest *msg.SetValue
		set := func(h string) msg.AbstractSet { return msg.AbstractSet{OperationHandleRef: h} }
		check(t, []mistake{
			{"Invoke nil", invoked(nil)},
			{"Invoke typed nil", invoked(noRequest)},
			{"Invoke no states", invoked(&msg.SetMetricState{AbstractSet: set("metric.set"), ProposedMetricState: []pm.MetricState{noState}})},
			{"Invoke nil states", invoked(&msg.SetMetricState{AbstractSet: set("metric.set"), ProposedMetricState: []pm.MetricState{nil}})},
			{"Invoke no alert", invoked(&msg.SetAlertState{AbstractSet: set("alert.set")})},
			{"Invoke typed nil alert", invoked(&msg.SetAlertState{AbstractSet: set("alert.set"), ProposedAlertState: noSignal})},
			{"Invoke no component", invoked(&msg.SetComponentState{AbstractSet: set("component.set"), ProposedComponentState: []pm.ComponentState{noComponent}})},
			{"Invoke no context", invoked(&msg.SetContextState{AbstractSet: set("patient.set"), ProposedContextState: []pm.ContextState{noPatient}})},
			{"HandleSetValue", func() error { return p.dev.HandleSetValue("value.set", nil) }},
			{"HandleEffectEnd", func() error { return p.dev.HandleEffectEnd("value.set", nil) }},
			{"provider Update", func() error { return p.dev.Update(nil) }},
			{"provider Follow", func() error { return p.dev.Follow(nil) }},
			{"ApplyAlertState", func() error { return p.dev.ApplyAlertState(t.Context(), &provider.SetAlertState{Proposed: noSignal}) }},
			{"SetLocation", func() error { return p.dev.SetLocation(sdc.LocationDetail{}) }},
			{"consumer Invoke", func() error { return ignore(d.Invoke(t.Context(), nil)) }},
			{"consumer Invoke typed nil", func() error { return ignore(d.Invoke(t.Context(), noRequest)) }},
			{"consumer SetMetricState", func() error { return result(d.SetMetricState(t.Context(), "metric.set", noState)) }},
			{"consumer SetMetricState nil", func() error { return result(d.SetMetricState(t.Context(), "metric.set", nil)) }},
			{"consumer SetComponentState", func() error { return result(d.SetComponentState(t.Context(), "component.set", noComponent)) }},
			{"consumer SetAlertState", func() error { return result(d.SetAlertState(t.Context(), "alert.set", noSignal)) }},
			{"consumer SetAlertState nil", func() error { return result(d.SetAlertState(t.Context(), "alert.set", nil)) }},
			{"consumer SetContextState", func() error { return result(d.SetContextState(t.Context(), "patient.set", noPatient)) }},
			{"consumer GetLocalizedText", func() error { return ignore(d.GetLocalizedText(t.Context(), nil)) }},
			{"consumer archive", func() error { return ignore(d.GetStatesFromArchive(t.Context(), nil)) }},
			{"consumer archive of descriptors", func() error { return ignore(d.GetDescriptorsFromArchive(t.Context(), nil)) }},
			{"consumer history", func() error {
				for _, err := range d.History(t.Context(), nil) {
					return err
				}
				return nil
			}},
		})
		require.Same(t, before, p.dev.MDIB())
		var nobody *pm.PatientDemographicsCoreData
		require.NoError(t, ignore(p.dev.AssociatePatient(provider.Context{Descriptor: "pat"}, nobody)), "what is known of a patient may be nil")
	})
}
