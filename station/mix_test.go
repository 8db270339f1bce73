package station

import (
	"fmt"
	"log/slog"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/simulators"
	"github.com/semeco/go-sdc/simulators/monitor"
)

// bench is a world of devices and patients whose truth is known: every value measured says of whom it is.
type bench struct {
	t       require.TestingT
	now     time.Time
	devices []*simulated
	history *history
	serial  int64
}

type simulated struct {
	b       *bench
	epr     string
	store   *mdib.Store
	tracker *tracker
	offset  time.Duration // of its clock
	patient int           // who lies there; 0 is nobody
	told    []pm.InstanceIdentifier
	place   int // where it stands; 0 is nowhere
	live    bool
	seen    *mdib.Snapshot
	late    []lateValue
}

// lateValue was determined and is reported later.
type lateValue struct {
	handle string
	value  pm.Decimal
	at     time.Time
	until  time.Time
}

var measured = []string{monitor.HandleHR, monitor.HandleSpO2, monitor.HandleABPMean, monitor.HandleNIBPMean}

func (d *simulated) clock() time.Time { return d.b.now.Add(d.offset) }

// update commits at the device and, if the link is up, tells the tracker.
func (d *simulated) update(fn func(tx *mdib.Tx) error) {
	change, err := d.store.Update(fn)
	require.NoError(d.b.t, err)
	if d.live && change != nil {
		d.tracker.apply(consumer.Update{
			Time: d.b.now, Link: consumer.Link{State: consumer.Live}, Before: d.seen, Snapshot: change.After, Change: change,
		})
		d.seen = change.After
	}
}

// connect reads the whole MDIB.
func (d *simulated) connect() {
	u := consumer.Update{Time: d.b.now, Link: consumer.Link{State: consumer.Live}, Before: d.seen, Snapshot: d.store.Load()}
	if d.seen != nil {
		u.Gap = &consumer.Gap{}
	}
	d.live, d.seen = true, u.Snapshot
	d.tracker.apply(u)
}

func (d *simulated) disconnect() {
	d.live = false
	d.tracker.apply(consumer.Update{Time: d.b.now, Link: consumer.Link{State: consumer.Resyncing, Since: d.b.now}, Before: d.seen, Snapshot: d.seen})
}

// value makes a number that tells of whom it is.
func (b *bench) value(patient int) pm.Decimal {
	b.serial++
	return pm.NewDecimal(int64(patient)*1_000_000+b.serial, 0)
}

func whose(v float64) int { return int(math.Round(v)) / 1_000_000 }

func (d *simulated) admit(patient int, ids []pm.InstanceIdentifier) {
	d.patient, d.told = patient, ids
	d.update(func(tx *mdib.Tx) error {
		if patient == 0 {
			return tx.Disassociate("context.patient")
		}
		s, err := mdib.NewContext[*pm.PatientContextState](tx, "context.patient")
		if err == nil {
			s.ContextAssociation, s.Identification = pm.ContextAssociationAssoc, ids
		}
		return err
	})
}

// move puts the device elsewhere; the patient stays associated, as when a bed is pushed.
func (d *simulated) move(place int) {
	d.place = place
	d.update(func(tx *mdib.Tx) error {
		if place == 0 {
			return tx.Disassociate("context.location")
		}
		s, err := mdib.NewContext[*pm.LocationContextState](tx, "context.location")
		if err == nil {
			s.ContextAssociation = pm.ContextAssociationAssoc
			s.LocationDetail = &pm.LocationDetail{Facility: "H", PoC: fmt.Sprintf("OR %d", place)}
			s.Identification = []pm.InstanceIdentifier{{Root: "urn:oid:2.25.4", Extension: fmt.Sprint(place)}}
		}
		return err
	})
}

func (d *simulated) determine(handle string) {
	v := d.b.value(d.patient)
	d.update(func(tx *mdib.Tx) error { return tx.SetNumeric(handle, v, d.clock()) })
}

func newBench(t require.TestingT) *bench {
	cfg, err := HistoryConfig{}.withDefaults()
	require.NoError(t, err)
	return &bench{t: t, now: time.Now(), history: newHistory(cfg, slog.New(slog.DiscardHandler))}
}

// add puts a device there whose clock is wrong by so much.
func (b *bench) add(snap *mdib.Snapshot, offset time.Duration) *simulated {
	d := &simulated{b: b, epr: fmt.Sprintf("d%d", len(b.devices)), offset: offset}
	d.store = mdib.NewStore(snap, mdib.Config{Now: d.clock})
	d.tracker = &tracker{epr: d.epr, link: Link{State: LinkConnecting}, history: b.history}
	b.devices = append(b.devices, d)
	return d
}

// identifiersOf draws a selection of what a patient is known by: a number and a visit, or neither.
func identifiersOf(t *rapid.T, patient int) []pm.InstanceIdentifier {
	all := []pm.InstanceIdentifier{
		{Root: "urn:oid:2.25.1", Extension: fmt.Sprintf("M%d", patient)}, {Root: "urn:oid:2.25.2", Extension: fmt.Sprintf("V%d", patient)},
		// These two are the same for all, and say nothing.
		{Extension: "1"}, {Root: "urn:oid:2.25.3"},
	}
	return rapid.SliceOfDistinct(rapid.SampledFrom(all), func(i pm.InstanceIdentifier) string { return i.Root + i.Extension }).Draw(t, "ids")
}

// check holds the view against the truth.
func (b *bench) check() {
	var shown []*Device
	truth := make(map[string]*simulated)
	for _, d := range b.devices {
		shown = append(shown, d.tracker.device())
		truth[d.epr] = d
	}
	v := newView(1, b.now, shown, nil)
	b.checkPlaces(v, truth)
	st := &Station{history: b.history}
	for _, p := range v.Patients {
		who := 0
		for _, s := range p.Systems {
			d := truth[s.Device]
			if !d.live {
				continue // what it says now cannot be known
			}
			require.NotZero(b.t, d.patient, "a device without a patient is in a group")
			require.True(b.t, who == 0 || who == d.patient, "patients %d and %d are mixed in %s", who, d.patient, p.Key)
			who = d.patient
		}
		for _, s := range p.Systems {
			for _, val := range s.Values {
				f, ok := val.Float()
				if !ok || f < 1_000_000 || val.Former {
					continue
				}
				if val.Status(b.now).Usable() {
					require.Equal(b.t, who, whose(f), "%s of %s is shown as %s's", val.Handle, s.Device, p.Key)
				}
			}
		}
		if who == 0 {
			continue
		}
		for _, d := range b.devices {
			for _, h := range measured {
				for _, pt := range st.Points(Query{Ref: Ref{d.epr, h}, Patient: p}) {
					if pt.Value >= 1_000_000 {
						require.Equal(b.t, who, whose(pt.Value), "the history of %s at %s is mixed", h, d.epr)
					}
				}
				for _, bk := range st.Trend(Query{Ref: Ref{d.epr, h}, Patient: p}) {
					require.Equal(b.t, whose(bk.Least), whose(bk.Greatest))
					if bk.Least >= 1_000_000 {
						require.Equal(b.t, who, whose(bk.Least))
					}
				}
			}
		}
	}
	for _, d := range shown {
		for _, s := range d.Systems {
			for _, val := range s.Values {
				require.False(b.t, !truth[d.EPR].live && val.Status(b.now).Usable(), "a value of a dead device is shown as live")
			}
		}
	}
}

// checkPlaces: a device stands where it says, nowhere else, and what is known at a place of a patient is of that one.
func (b *bench) checkPlaces(v *View, truth map[string]*simulated) {
	at := map[string]string{}
	for _, p := range v.Places {
		patients := map[int]bool{}
		for _, s := range p.Systems {
			d := truth[s.Device]
			require.Empty(b.t, at[s.Device], "%s stands at two places", s.Device)
			at[s.Device] = p.Key
			if d.live {
				require.Equal(b.t, fmt.Sprintf("OR %d", d.place), p.Detail.PoC)
				if d.patient > 0 {
					patients[d.patient] = true
				}
			}
		}
		if len(patients) < 2 {
			continue
		}
		// Where there may be several, nothing is chosen for any of them without saying for whom.
		for _, h := range measured {
			m := v.Device(p.Systems[0].Device).Value(h).Meaning
			_, _, err := v.Best(Scope{Place: p.Key}, m, Preferences{}, b.now)
			require.ErrorIs(b.t, err, ErrSeveralPatients, "%v is chosen among the patients of %s", m, p.Key)
		}
	}
	for _, d := range b.devices {
		if d.live && d.place > 0 {
			require.NotEmpty(b.t, at[d.epr], "%s stands nowhere", d.epr)
		}
	}
}

// A patient who is associated again when the link comes back may have made room for another meanwhile: what was determined before is not taken for hers, however long ago she was first seen.
func TestAnotherPatientWhileTheLinkWasDown(t *testing.T) {
	mon, err := monitor.New(simulators.Options{})
	require.NoError(t, err)
	b := newBench(t)
	d := b.add(mon.MDIB(), 0)
	first := []pm.InstanceIdentifier{{Root: "urn:oid:2.25.1", Extension: "M1"}}
	d.connect()
	d.admit(1, first)
	b.now = b.now.Add(2 * settling)
	d.determine(monitor.HandleHR)
	b.check()

	d.disconnect()
	b.now = b.now.Add(time.Millisecond)
	d.admit(2, nil)
	b.now = b.now.Add(time.Millisecond)
	late, at := b.value(2), d.clock()
	b.now = b.now.Add(time.Millisecond)
	d.admit(1, first)
	d.connect()
	b.check()
	d.update(func(tx *mdib.Tx) error { return tx.SetNumeric(monitor.HandleHR, late, at) })
	b.check()

	b.now = b.now.Add(time.Millisecond)
	d.determine(monitor.HandleHR)
	b.check()
	v := d.tracker.device().Value(monitor.HandleHR)
	require.False(t, v.Former, "and what was determined since is hers")
}

// Whatever patients, devices and links do: no value is ever shown, or remembered, as that of another patient. Each part makes as many checks as
// rapid does by itself (100), with a seed of its own.
func TestPatientsAreNeverMixed(t *testing.T) {
	mon, err := monitor.New(simulators.Options{})
	require.NoError(t, err)
	for part := range 4 {
		t.Run(fmt.Sprint(part), func(t *testing.T) { neverMixed(t, mon.MDIB()) })
	}
}

func neverMixed(t *testing.T, snap *mdib.Snapshot) {
	rapid.Check(t, func(t *rapid.T) {
		b := newBench(t)
		for range rapid.IntRange(1, 3).Draw(t, "devices") {
			b.add(snap, time.Duration(rapid.IntRange(-4000, 4000).Draw(t, "offset"))*time.Second)
		}
		device := func() *simulated { return b.devices[rapid.IntRange(0, len(b.devices)-1).Draw(t, "device")] }
		t.Repeat(map[string]func(*rapid.T){
			"time": func(t *rapid.T) {
				b.now = b.now.Add(time.Duration(rapid.IntRange(1, 40_000).Draw(t, "ms")) * time.Millisecond)
			},
			"admit": func(t *rapid.T) {
				d, p := device(), rapid.IntRange(0, 3).Draw(t, "patient")
				b.now = b.now.Add(time.Millisecond)
				d.admit(p, identifiersOf(t, p))
			},
			"move": func(t *rapid.T) {
				b.now = b.now.Add(time.Millisecond)
				device().move(rapid.IntRange(0, 2).Draw(t, "place"))
			},
			"determine": func(t *rapid.T) {
				b.now = b.now.Add(time.Millisecond)
				device().determine(rapid.SampledFrom(measured).Draw(t, "metric"))
			},
			"determine late": func(t *rapid.T) {
				d := device()
				b.now = b.now.Add(time.Millisecond)
				d.late = append(d.late, lateValue{
					rapid.SampledFrom(measured).Draw(t, "metric"), b.value(d.patient), d.clock(), b.now.Add(20 * time.Second),
				})
			},
			"report late, in any order": func(t *rapid.T) {
				for _, d := range b.devices {
					for _, l := range rapid.Permutation(d.late).Draw(t, "order") {
						if b.now.Before(l.until) {
							d.update(func(tx *mdib.Tx) error { return tx.SetNumeric(l.handle, l.value, l.at) })
						}
					}
					d.late = nil
				}
			},
			"more is known of the patient": func(t *rapid.T) {
				d := device()
				for c := range d.store.Load().Associated("context.patient") {
					ids := append(d.told[:len(d.told):len(d.told)], identifiersOf(t, d.patient)...)
					d.told = ids
					d.update(func(tx *mdib.Tx) error {
						s, err := mdib.Edit[*pm.PatientContextState](tx, c.BaseMulti().Handle)
						if err == nil {
							s.Identification = ids
						}
						return err
					})
				}
			},
			"switch off": func(t *rapid.T) {
				d, h := device(), rapid.SampledFrom(measured).Draw(t, "metric")
				d.update(func(tx *mdib.Tx) error {
					s, err := mdib.Edit[*pm.NumericMetricState](tx, h)
					if err == nil && s.ActivationState == pm.ComponentActivationStndBy {
						s.ActivationState = pm.ComponentActivationOn
					} else if err == nil {
						s.ActivationState = pm.ComponentActivationStndBy
					}
					return err
				})
			},
			"link": func(*rapid.T) {
				if d := device(); d.live {
					d.disconnect()
				} else {
					d.connect()
				}
			},
			"": func(*rapid.T) { b.check() },
		})
	})
}
