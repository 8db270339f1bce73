package aggregate

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/semeco/go-sdc/internal/testkit/bubble"
	"github.com/semeco/go-sdc/lint"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/ext"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/station"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tb is what *testing.T and *rapid.T have in common here.
type tb interface {
	require.TestingT
	Helper()
}

// ward is a station whose view the test makes.
type ward struct {
	t    tb
	now  time.Time
	view station.View
	a    *Aggregator
}

func (w *ward) View() *station.View                  { v := w.view; return &v }
func (w *ward) Points(station.Query) []station.Point { return nil }

func newWard(t tb, change func(*Config)) *ward {
	w := &ward{t: t, now: time.UnixMilli(1_800_000_000_000)}
	cfg := Config{Source: w, ClockAccuracy: 50 * time.Millisecond, Provider: provider.Config{Insecure: true, Profile: mdib.ProfileSDPi}}
	if change != nil {
		change(&cfg)
	}
	var err error
	w.a, err = New(cfg)
	require.NoError(t, err)
	return w
}

// device is one MDS with a heart rate, pulse rate and pressure, live.
func (w *ward) device(epr string, at string, numbers map[string]string) *station.System {
	s := &station.System{
		Device: epr, Handle: "mds", Mode: pm.MdsOperatingModeNml, Link: station.Link{State: station.LinkLive}, Clock: station.Clock{Known: true},
		Patient:  station.PatientContext{Association: station.Associated, Context: "pat", Since: w.now.Add(-time.Hour)},
		Location: station.LocationContext{Association: station.Associated, Context: "loc", Detail: sdc.LocationDetail{PoC: at}},
	}
	for _, code := range slices.Sorted(maps.Keys(numbers)) {
		unit := map[string]string{"147842": "264864", "149530": "264864", "150037": "266016"}[code]
		s.Values = append(s.Values, &station.Value{
			Ref: station.Ref{Device: epr, Handle: "h" + code}, MDS: "mds", Meaning: station.Meaning{Code: station.MDC(code), Role: station.Measured},
			Unit: station.Unit{Code: station.MDC(unit)}, Number: pm.Some(pm.MustDecimal(numbers[code])), Validity: pm.MeasurementValidityVld,
			Activation: pm.ComponentActivationOn, Determined: w.now, Arrived: w.now, Period: time.Second,
		})
	}
	// The MDIB of the device, as far as its contexts are looked at.
	mds := &pm.MdsDescriptor{SystemContext: &pm.SystemContextDescriptor{PatientContext: &pm.PatientContextDescriptor{}, LocationContext: &pm.LocationContextDescriptor{}}}
	mds.Handle, mds.SystemContext.Handle = "mds", "sc"
	mds.SystemContext.PatientContext.Handle, mds.SystemContext.LocationContext.Handle = "pc", "lc"
	vouch := []pm.InstanceIdentifier{{Root: "urn:oid:2.25.7", Extension: "nurse"}}
	pat := &pm.PatientContextState{CoreData: &pm.PatientDemographicsCoreData{BaseDemographics: pm.BaseDemographics{Familyname: "Doe"}}}
	pat.Handle, pat.DescriptorHandle, pat.ContextAssociation, pat.Validator = "pat", "pc", pm.ContextAssociationAssoc, vouch
	loc := &pm.LocationContextState{LocationDetail: &pm.LocationDetail{PoC: at}}
	loc.Handle, loc.DescriptorHandle, loc.ContextAssociation, loc.Validator = "loc", "lc", pm.ContextAssociationAssoc, vouch
	root, extension := s.Location.Detail.Identification()
	loc.Identification = []pm.InstanceIdentifier{{Root: root, Extension: extension}}
	snap, err := mdib.FromMdib(&pm.Mdib{
		MdibVersionGroup: pm.MdibVersionGroup{SequenceId: "urn:uuid:00000000-0000-4000-8000-000000000001"},
		MdDescription:    &pm.MdDescription{Mds: []*pm.MdsDescriptor{mds}}, MdState: &pm.MdState{State: []pm.State{pat, loc}},
	})
	require.NoError(w.t, err)
	w.view.Devices = slices.DeleteFunc(w.view.Devices, func(d *station.Device) bool { return d.EPR == epr })
	w.view.Devices = append(w.view.Devices, &station.Device{EPR: epr, MDIB: snap, Systems: []*station.System{s}})
	slices.SortFunc(w.view.Devices, func(a, b *station.Device) int {
		if a.EPR < b.EPR {
			return -1
		}
		return 1
	})
	return s
}

func person(key string, systems ...*station.System) *station.Patient {
	return &station.Patient{Key: key, IDs: []station.Identifier{{Root: "urn:oid:2.25.8", Extension: key}}, Systems: systems}
}

// shows has the station show patients, and the aggregator take notice after a second.
func (w *ward) shows(patients ...*station.Patient) *mdib.Snapshot {
	w.t.Helper()
	w.view.Patients = patients
	require.NoError(w.t, w.a.step(w.View(), w.now))
	w.now = w.now.Add(time.Second)
	return w.a.dev.MDIB()
}

// fresh determines all values anew.
func (w *ward) fresh(systems ...*station.System) {
	for _, s := range systems {
		for i, v := range s.Values {
			c := *v
			c.Determined, c.Arrived = w.now, w.now
			s.Values[i] = &c
		}
	}
}

func metric(t tb, s *mdib.Snapshot, handle string) *pm.NumericMetricState {
	t.Helper()
	m, ok := mdib.Get[*pm.NumericMetricState](s, handle)
	require.True(t, ok, handle)
	return m
}

func number(m *pm.NumericMetricState) string {
	if m.MetricValue == nil {
		return "-"
	}
	if v, ok := m.MetricValue.Value.Get(); ok {
		return v.String()
	}
	return string(m.MetricValue.MetricQuality.Validity)
}

func annotation(m *pm.NumericMetricState) string {
	if m.MetricValue == nil || len(m.MetricValue.Annotation) == 0 {
		return ""
	}
	return m.MetricValue.Annotation[0].Type.Code
}

func associated[T pm.ContextState](s *mdib.Snapshot, mds string) (out []T) {
	for e := range s.Subtree(mds) {
		for _, c := range e.Contexts {
			if c, ok := c.(T); ok && c.BaseContext().ContextAssociation == pm.ContextAssociationAssoc {
				out = append(out, c)
			}
		}
	}
	return out
}

var vitals = map[string]string{"147842": "80", "149530": "78", "150037": "100"}

func TestDerivedValuesHaveTheirSourcesBesideThem(t *testing.T) {
	// covers: SDPi R0613, SDPi R0614, SDPi R0007
	w := newWard(t, nil)
	require.Empty(t, lint.Check(w.a.dev.MDIB(), mdib.ProfileSDPi), "without any patient")
	one, two := w.device("urn:uuid:1", "A", map[string]string{"147842": "80", "149530": "78"}), w.device("urn:uuid:2", "A", map[string]string{"150037": "100"})
	began := w.now
	s := w.shows(person("1", one, two))
	require.Equal(t, []string{"aggregator", "patient-1"}, slices.Collect(s.Roots()))

	index := metric(t, s, "patient-1.derived.shock-index")
	require.Equal(t, "0.80", number(index))
	require.Equal(t, pm.MeasurementValidityVld, index.MetricValue.MetricQuality.Validity)
	require.Equal(t, pm.TimestampOf(began), index.MetricValue.DeterminationTime.Or(0))
	require.Equal(t, "PT5S", index.LifeTimePeriod.Or(pm.Duration{}).String())
	r, ok, err := ext.Relations(index.Extension)
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, []ext.RelationType{{Kind: ext.RelationKindDCE, Entries: []string{"patient-1.input.147842", "patient-1.input.150037"}}}, r.Relation)
	d, _ := mdib.Get[*pm.NumericMetricDescriptor](s, "patient-1.derived.shock-index")
	require.Equal(t, []pm.Relation{{Kind: pm.RelationKindDCE, Entries: []string{
		"patient-1.input.147842", "patient-1.input.149530", "patient-1.input.150037", "patient-1.input.150033", "patient-1.input.150017", "patient-1.input.150021",
	}}}, d.Relation)
	input := metric(t, s, "patient-1.input.150037")
	require.Equal(t, "100", number(input))
	from, ok, err := ext.CodedAttributes(input.Extension)
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, "urn:uuid:2", from.CodedStringAttribute[0].Value)
	require.Equal(t, "h150037", from.CodedStringAttribute[1].Value)
	require.Equal(t, "-", number(metric(t, s, "patient-1.input.150021")), "a source that is not used has no value")
	require.Equal(t, pm.ComponentActivationStndBy, metric(t, s, "patient-1.input.150021").ActivationState)

	none := metric(t, s, "patient-1.derived.static-compliance")
	require.Equal(t, "NA", number(none))
	require.Equal(t, string(CauseMissing), annotation(none))
	require.Equal(t, pm.ComponentActivationNotRdy, none.ActivationState)

	patient, location := associated[*pm.PatientContextState](s, "patient-1"), associated[*pm.LocationContextState](s, "patient-1")
	require.Len(t, patient, 1)
	require.Equal(t, "1", patient[0].Identification[0].Extension)
	require.Equal(t, "Doe", patient[0].CoreData.BaseCoreData().Familyname)
	require.Len(t, patient[0].Validator, 1, "whoever vouches at the devices, once")
	require.Equal(t, pm.TimestampOf(began.Add(-time.Hour)), patient[0].BindingStartTime.Or(0))
	require.Len(t, location, 1)
	require.Equal(t, "A", location[0].LocationDetail.PoC)

	var findings []mdib.Finding
	for _, f := range lint.Check(s, mdib.ProfileSDPi) {
		if f.ID != "BICEPS self-check" { // nobody runs the alert system here
			findings = append(findings, f)
		}
	}
	require.Empty(t, findings)
	root, ok, err := ext.Relations(must(mdib.Get[*pm.MdsState](s, rootHandle)).Extension)
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, []string{"patient-1"}, root.Relation[0].Entries)

	// Nobody else measures what the inputs show: their codes are not those of measurements.
	for e := range s.Subtree("patient-1.inputs") {
		if m, ok := e.Descriptor.(pm.MetricDescriptor); ok {
			require.Equal(t, PrivateCodes, m.Base().Type.CodingSystem)
			require.Empty(t, m.Base().Type.Translation)
		}
	}
}

func must[T any](v T, ok bool) T {
	if !ok {
		panic("it is not there")
	}
	return v
}

func TestAValueIsWithdrawnAndNeverFrozen(t *testing.T) {
	w := newWard(t, nil)
	dev := w.device("urn:uuid:1", "A", vitals)
	p := person("1", dev)
	s := w.shows(p)
	index := func() *pm.NumericMetricState { return metric(t, s, "patient-1.derived.shock-index") }
	require.Equal(t, "0.80", number(index()))
	before := s.Version().MdibVersion

	// Nothing new: nothing is committed.
	s = w.shows(p)
	require.Equal(t, before, s.Version().MdibVersion)

	// Without anything new from a device that is due every second, the value ends by itself.
	for range 10 {
		s = w.shows(p)
	}
	require.Equal(t, "NA", number(index()))
	require.Equal(t, string(CauseOld), annotation(index()))
	withdrawn := index().MetricValue.DeterminationTime
	s = w.shows(p)
	require.Equal(t, withdrawn, index().MetricValue.DeterminationTime)
	require.Equal(t, "NA", number(metric(t, s, "patient-1.input.147842")))

	w.fresh(dev)
	s = w.shows(p)
	require.Equal(t, "0.80", number(index()))
	require.Empty(t, annotation(index()))

	// Link lost.
	dev.Link.State = station.LinkLost
	for i, v := range dev.Values {
		c := *v
		c.Stale = true
		dev.Values[i] = &c
	}
	s = w.shows(p)
	require.Equal(t, "NA", number(index()))
	require.Equal(t, string(CauseStale), annotation(index()))
	require.Zero(t, index().LifeTimePeriod)

	// The device is forgotten, and the patient with it.
	s = w.shows()
	require.Equal(t, []string{"aggregator"}, slices.Collect(s.Roots()))
	_, has, _ := ext.Relations(must(mdib.Get[*pm.MdsState](s, rootHandle)).Extension)
	require.False(t, has)
}

// One input stays while the other moves on: the value is as old as the one that stays, whatever the store makes of it.
func TestAValueIsAsOldAsItsOldestInput(t *testing.T) {
	w := newWard(t, nil)
	dev := w.device("urn:uuid:1", "A", vitals)
	began := w.now
	for _, v := range dev.Values {
		v.Period = 0
	}
	for i := range 20 {
		hr := *dev.Values[0]
		hr.Number, hr.Determined = pm.Some(pm.NewDecimal(int64(80+i), 0)), w.now
		dev.Values[0] = &hr
		index := metric(t, w.shows(person("1", dev)), "patient-1.derived.shock-index")
		require.Equal(t, fmt.Sprintf("%.2f", float64(80+i)/100), number(index))
		age := began.Sub(index.MetricValue.DeterminationTime.Or(0).Time())
		require.True(t, age >= 0 && age <= time.Millisecond, age)
	}
}

func TestAPatientWhoIsMovedTakesTheValuesAlong(t *testing.T) {
	w := newWard(t, nil)
	a, b := w.device("urn:uuid:1", "A", map[string]string{"147842": "80"}), w.device("urn:uuid:2", "A", map[string]string{"150037": "100"})
	s := w.shows(person("1", a, b))
	require.Equal(t, "0.80", number(metric(t, s, "patient-1.derived.shock-index")))

	// One device is told of the new place before the other.
	a = w.device("urn:uuid:1", "B", map[string]string{"147842": "80"})
	w.fresh(b)
	s = w.shows(person("1", a, b))
	require.Equal(t, string(CausePlaces), annotation(metric(t, s, "patient-1.derived.shock-index")))
	require.Empty(t, associated[*pm.LocationContextState](s, "patient-1"))

	b = w.device("urn:uuid:2", "B", map[string]string{"150037": "100"})
	w.fresh(a)
	s = w.shows(person("1", a, b))
	require.Equal(t, "0.80", number(metric(t, s, "patient-1.derived.shock-index")))
	location := associated[*pm.LocationContextState](s, "patient-1")
	require.Len(t, location, 1)
	require.Equal(t, "B", location[0].LocationDetail.PoC)

	// Another patient at the same devices: another MDS, and no handle is used again.
	w.fresh(a, b)
	s = w.shows(person("2", a, b))
	require.Equal(t, []string{"aggregator", "patient-2"}, slices.Collect(s.Roots()))
	s = w.shows(person("1", a, b))
	require.Equal(t, []string{"aggregator", "patient-3"}, slices.Collect(s.Roots()))

	// What is learned of the patient is taken over.
	p := person("1", a, b)
	p.IDs = append(p.IDs, station.Identifier{Root: "urn:oid:2.25.9", Extension: "x"})
	s = w.shows(p)
	require.Len(t, associated[*pm.PatientContextState](s, "patient-3")[0].Identification, 2)
}

func TestNoMorePatientsThanThereIsRoomFor(t *testing.T) {
	w := newWard(t, func(c *Config) { c.MaxPatients = 2 })
	d := func(n int) *station.System { return w.device(fmt.Sprint("urn:uuid:", n), fmt.Sprint(n), vitals) }
	s := w.shows(person("b", d(1)), person("c", d(2)))
	require.Len(t, slices.Collect(s.Roots()), 3)
	s = w.shows(person("a", d(3)), person("b", d(1)), person("c", d(2)))
	require.Equal(t, []string{"aggregator", "patient-1", "patient-2"}, slices.Collect(s.Roots()), "those who are there stay")
	s = w.shows(person("a", d(3)), person("c", d(2)))
	require.Equal(t, []string{"aggregator", "patient-2", "patient-3"}, slices.Collect(s.Roots()))
	// A patient whom nobody else could recognise, and one whom only an aggregator shows, have nothing derived.
	unknown := person("z", d(4))
	unknown.IDs = nil
	self := d(5)
	self.Device = w.a.EPR()
	s = w.shows(unknown, person("y", self))
	require.Len(t, slices.Collect(s.Roots()), 1)
}

func TestWhatIsMadeUpIsShownAsSuch(t *testing.T) {
	w := newWard(t, nil)
	dev := w.device("urn:uuid:1", "A", vitals)
	dev.Mode = pm.MdsOperatingModeDmo
	s := w.shows(person("1", dev))
	require.Equal(t, pm.MdsOperatingModeDmo, must(mdib.Get[*pm.MdsState](s, "patient-1")).OperatingMode)
	require.Equal(t, pm.GenerationModeDemo, metric(t, s, "patient-1.derived.shock-index").MetricValue.MetricQuality.Mode)
	dev.Mode = pm.MdsOperatingModeNml
	s = w.shows(person("1", dev))
	require.Equal(t, pm.MdsOperatingModeNml, must(mdib.Get[*pm.MdsState](s, "patient-1")).OperatingMode)
}

// Of two devices that measure the same, the one in use stays while it is as good.
func TestTheSourceDoesNotFlap(t *testing.T) {
	w := newWard(t, nil)
	a, b := w.device("urn:uuid:1", "A", vitals), w.device("urn:uuid:2", "A", vitals)
	source := func(s *mdib.Snapshot) string {
		x, _, _ := ext.CodedAttributes(metric(t, s, "patient-1.input.147842").Extension)
		return x.CodedStringAttribute[0].Value
	}
	first := source(w.shows(person("1", a, b)))
	for i := range 6 {
		w.fresh([]*station.System{a, b}[i%2])
		require.Equal(t, first, source(w.shows(person("1", a, b))))
	}
	used := map[string]*station.System{"urn:uuid:1": a, "urn:uuid:2": b}[first]
	for _, v := range used.Values {
		v.Validity = pm.MeasurementValidityInv
	}
	w.fresh(a, b)
	require.NotEqual(t, first, source(w.shows(person("1", a, b))))
}

// A rule is published at most once in its interval, but its end at once.
func TestRulesHaveARate(t *testing.T) {
	rule := ShockIndex()
	rule.Interval = 5 * time.Second
	w := newWard(t, func(c *Config) { c.Rules = []Rule{rule} })
	dev := w.device("urn:uuid:1", "A", vitals)
	period := func(d time.Duration) {
		for _, v := range dev.Values {
			v.Period = d
		}
	}
	last, changes := "", 0
	for i := range 20 {
		period(0)
		hr := *dev.Values[0]
		hr.Number = pm.Some(pm.NewDecimal(int64(80+i), 0))
		dev.Values[0] = &hr
		w.fresh(dev)
		if n := number(metric(t, w.shows(person("1", dev)), "patient-1.derived.shock-index")); n != last {
			last, changes = n, changes+1
		}
	}
	require.Equal(t, 4, changes)
	// Of a device whose values live for 5 s, the derived one is renewed before it ends.
	for range 20 {
		period(time.Second)
		w.fresh(dev)
		m := metric(t, w.shows(person("1", dev)), "patient-1.derived.shock-index")
		require.True(t, m.MetricValue.DeterminationTime.Or(0).Time().Add(m.LifeTimePeriod.Or(pm.Duration{}).Std()).After(w.now) || !m.LifeTimePeriod.IsSet())
	}
	require.True(t, metric(t, w.a.dev.MDIB(), "patient-1.derived.shock-index").LifeTimePeriod.IsSet())
	w.fresh(dev)
	for _, v := range dev.Values {
		v.Validity = pm.MeasurementValidityInv
	}
	require.Equal(t, "Inv", number(metric(t, w.shows(person("1", dev)), "patient-1.derived.shock-index")))
}

func TestConfigurationsThatAreRefused(t *testing.T) {
	w := &ward{}
	good := Config{Source: w, Provider: provider.Config{Insecure: true}}
	twice, bad := []Rule{ShockIndex(), ShockIndex()}, []Rule{{Name: "x"}}
	for want, change := range map[string]func(*Config){
		"a Source is needed":  func(c *Config) { c.Source = nil },
		"two rules":           func(c *Config) { c.Rules = twice },
		`rule "x"`:            func(c *Config) { c.Rules = bad },
		"at least 100ms":      func(c *Config) { c.Interval = time.Millisecond },
		"not be negative":     func(c *Config) { c.MaxPatients = -1 },
		"is made by":          func(c *Config) { c.Provider.MDIB = &mdib.Snapshot{} },
		"Identity is missing": func(c *Config) { c.Provider.Insecure = false },
	} {
		c := good
		change(&c)
		_, err := New(c)
		require.ErrorContains(t, err, want)
	}
}

// Sensors that disagree for long enough raise an alarm at the aggregator, and it ends when they agree or one of them is gone.
func TestSensorsThatDisagreeRaiseAnAlarm(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		w := newWard(t, nil)
		w.now = time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- w.a.alerts.Run(ctx) }()
		defer func() {
			cancel()
			require.NoError(t, <-ended)
		}()
		dev := w.device("urn:uuid:1", "A", vitals)
		present := func() bool {
			return must(mdib.Get[*pm.LimitAlertConditionState](w.a.dev.MDIB(), "patient-1.alarm.heart-rate-difference")).Presence
		}
		pass := func(seconds int, pulse string, q pm.MeasurementValidity) {
			for range seconds {
				w.now = time.Now()
				w.fresh(dev)
				dev.Values[1].Number, dev.Values[1].Validity = pm.Some(pm.MustDecimal(pulse)), q
				w.shows(person("1", dev))
				<-time.After(time.Second)
				synctest.Wait()
			}
		}
		vld, inv := pm.MeasurementValidityVld, pm.MeasurementValidityInv
		pass(20, "78", vld)
		require.False(t, present())
		pass(12, "60", vld)
		require.False(t, present(), "not for long enough yet")
		pass(6, "60", vld)
		require.True(t, present())
		signal := must(mdib.Get[*pm.AlertSignalState](w.a.dev.MDIB(), "patient-1.alarm.heart-rate-difference.visible"))
		require.Equal(t, pm.AlertSignalPresenceOn, signal.Presence)
		d := must(mdib.Get[*pm.LimitAlertConditionDescriptor](w.a.dev.MDIB(), "patient-1.alarm.heart-rate-difference"))
		require.Equal(t, pm.AlertConditionKindTec, d.Kind)
		require.Equal(t, pm.AlertConditionPriorityLo, d.Priority)
		pass(2, "79", vld)
		require.False(t, present())
		pass(20, "60", vld)
		require.True(t, present())
		pass(2, "60", inv)
		require.False(t, present(), "one sensor is nothing to compare")
		require.Empty(t, lint.Check(w.a.dev.MDIB(), mdib.ProfileSDPi))
		w.shows() // an alarm of a patient who has left leaves, too
		_, ok := w.a.dev.MDIB().Descriptor("patient-1.alerts")
		require.False(t, ok)
	})
}

// Whatever patients come, go and change places, with devices that are live or not: an MDS is of one patient for ever, shows only what was measured at that patient, and
// nothing of a device that is not live.
func TestPublishedValuesAreOfOnePatient(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWard(t, func(c *Config) { c.MaxPatients = rapid.SampledFrom([]int{1, 2, 0}).Draw(t, "room for") })
		owner := map[string]string{} // patients by MDS, for ever
		for range rapid.IntRange(1, 15).Draw(t, "steps") {
			byKey := map[string]*station.Patient{}
			lives := map[string]bool{}
			for d := range 3 {
				key := rapid.SampledFrom([]string{"", "1", "2", "3"}).Draw(t, "patient")
				if key == "" {
					continue
				}
				epr := fmt.Sprint("urn:uuid:", d)
				// The number says whose it is.
				s := w.device(epr, rapid.SampledFrom([]string{"A", "B"}).Draw(t, "place"), map[string]string{"147842": key + "07", "149530": key + "08", "150037": key + "09"})
				lives[epr] = rapid.IntRange(0, 3).Draw(t, "live") > 0
				for _, v := range s.Values {
					v.Stale = !lives[epr]
					v.Validity = rapid.SampledFrom([]pm.MeasurementValidity{"Vld", "Vld", "Qst", "Inv"}).Draw(t, "validity")
					v.Former = rapid.IntRange(0, 5).Draw(t, "former") == 0
				}
				if !lives[epr] {
					s.Link.State = station.LinkLost
				}
				if byKey[key] == nil {
					byKey[key] = person(key)
				}
				byKey[key].Systems = append(byKey[key].Systems, s)
			}
			var patients []*station.Patient
			for _, key := range slices.Sorted(maps.Keys(byKey)) {
				patients = append(patients, byKey[key])
			}
			s := w.shows(patients...)
			shown := map[string]bool{}
			for mds := range s.Roots() {
				if mds == rootHandle {
					continue
				}
				of := associated[*pm.PatientContextState](s, mds)
				require.Len(t, of, 1)
				require.Len(t, of[0].Identification, 1)
				key := of[0].Identification[0].Extension
				require.False(t, shown[key], "a patient with two MDSs")
				shown[key] = true
				if owner[mds] == "" {
					owner[mds] = key
				}
				require.Equal(t, owner[mds], key, "a handle of another patient")
				require.NotNil(t, byKey[key], "a patient who has left")
				for e := range s.Subtree(mds + ".inputs") {
					m, ok := e.State.(*pm.NumericMetricState)
					if !ok || m.MetricValue == nil || !m.MetricValue.Value.IsSet() {
						continue
					}
					require.Equal(t, key, number(m)[:1], "measured at another patient")
					x, _, err := ext.CodedAttributes(m.Extension)
					require.NoError(t, err)
					require.True(t, lives[x.CodedStringAttribute[0].Value], "of a device that is not live")
				}
				index := metric(t, s, mds+".derived.shock-index")
				if index.MetricValue.Value.IsSet() {
					x, _, err := ext.Relations(index.Extension)
					require.NoError(t, err)
					for _, h := range x.Relation[0].Entries {
						require.Equal(t, key, number(metric(t, s, h))[:1])
					}
				}
			}
			require.Len(t, shown, min(len(byKey), w.a.cfg.MaxPatients))
			for _, f := range mdib.Validate(s) {
				require.Less(t, f.Severity, mdib.SeverityWarning, f.Message)
			}
		}
	})
}
