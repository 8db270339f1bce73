package aggregate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/ext"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/alerts"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/station"
)

// Station is what an aggregator needs of a *station.Station.
type Station interface {
	History
	// View is the newest view; never nil.
	View() *station.View
}

// Config describes an aggregator. Source is needed, and in Provider one of Identity and Insecure; the zero value of each other field is usable.
type Config struct {
	// Source has the devices that values are derived from. It may follow the aggregator itself: nothing is derived from that.
	Source Station
	// Rules say what is derived; nil is BuiltIn.
	Rules []Rule
	// Preferences order devices that measure the same.
	Preferences station.Preferences
	// Exclude are EPRs of devices that nothing is derived from.
	Exclude []string
	// MaxPatients bounds the patients that values are derived for; 0 is 32. Further ones are left out until there is room, and logged.
	MaxPatients int
	// Interval is how often everything is derived anew, which bounds how long a value outlives its inputs; 0 is 1 s, less than 100 ms is refused.
	Interval time.Duration
	// Provider is the device that publishes; its MDIB is made here.
	Provider provider.Config
	// ClockAccuracy is how far the host's clock is off at most, where a time service sets it; 0 is not told, which SDPi R1531 does not permit.
	ClockAccuracy time.Duration
	// Manufacturer and Model are those of the device; "" are "go-sdc" and "Aggregator".
	Manufacturer, Model string
	// TurnedOff is told when something is not derived any more, or for a patient not at all; see Off. It runs on the aggregator's goroutine and must return
	// quickly. nil: the log has it, and Aggregator.Off.
	TurnedOff func(Off)
	// Logger receives what happens; nil discards.
	Logger *slog.Logger
}

const (
	defaultMaxPatients = 32
	minInterval        = 100 * time.Millisecond
	maxRules           = 256
)

func (c Config) withDefaults() (Config, error) {
	var errs []error
	if c.Source == nil {
		errs = append(errs, errors.New("a Source is needed"))
	}
	if c.Rules == nil {
		c.Rules = BuiltIn()
	}
	if len(c.Rules) > maxRules {
		errs = append(errs, fmt.Errorf("there are more than %d rules", maxRules))
	}
	names := map[string]bool{}
	for i := range c.Rules {
		errs = append(errs, c.Rules[i].Validate())
		if names[c.Rules[i].Name] {
			errs = append(errs, fmt.Errorf("two rules have the name %q", c.Rules[i].Name))
		}
		names[c.Rules[i].Name] = true
	}
	if c.MaxPatients < 0 || c.ClockAccuracy < 0 {
		errs = append(errs, errors.New("MaxPatients and ClockAccuracy must not be negative"))
	}
	if c.Interval == 0 {
		c.Interval = time.Second
	}
	if c.Interval < minInterval {
		errs = append(errs, fmt.Errorf("the Interval must be at least %s", minInterval))
	}
	if c.Provider.MDIB != nil {
		errs = append(errs, errors.New("the MDIB of the Provider is made by the aggregator"))
	}
	if err := errors.Join(errs...); err != nil {
		return c, fmt.Errorf("aggregate: %w", err)
	}
	c.Rules = slices.Clone(c.Rules)
	if c.MaxPatients == 0 {
		c.MaxPatients = defaultMaxPatients
	}
	if c.Manufacturer == "" {
		c.Manufacturer = "go-sdc"
	}
	if c.Model == "" {
		c.Model = "Aggregator"
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Provider.Logger == nil {
		c.Provider.Logger = c.Logger
	}
	if c.Provider.EPR == "" {
		c.Provider.EPR = uuid.New().URN()
	}
	return c, nil
}

// Aggregator is a device that publishes derived values. Make it with [New] and Run it once.
type Aggregator struct {
	cfg    Config
	log    *slog.Logger
	plan   plan
	dev    *provider.Provider
	alerts *alerts.Manager
	off    atomic.Pointer[[]Off]

	// What follows belongs to Run.
	patients map[string]*patient // by key of the view
	serial   int                 // of the newest MDS
	// turnedOff are the patients left out, while a step goes on.
	turnedOff []Off
}

// patient is what is published for one patient.
type patient struct {
	mds   string
	shown surroundings
	rules []shownRule
	// used are the inputs by slot, as of the result that was published last; nil where no rule uses the slot.
	used []*Used
	stay map[string]string
	on   []bool // by rule: it had a value
}

// shownRule is what was published last of a rule.
type shownRule struct {
	result Result
	at     time.Time // zero before the first
}

// New makes an aggregator that is not on the network yet. The error tells everything that is wrong with the configuration.
func New(cfg Config) (*Aggregator, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	a := &Aggregator{cfg: cfg, log: cfg.Logger, plan: newPlan(cfg.Rules), patients: map[string]*patient{}}
	p := cfg.Provider
	if p.MDIB, err = rootMDIB(p.EPR, &cfg); err != nil {
		return nil, fmt.Errorf("aggregate: %w", err)
	}
	if a.dev, err = provider.New(p); err != nil {
		return nil, fmt.Errorf("aggregate: %w", err)
	}
	if a.alerts, err = alerts.New(alerts.Config{Device: a.dev, Logger: cfg.Logger}); err != nil {
		return nil, fmt.Errorf("aggregate: %w", err)
	}
	return a, nil
}

// EPR is the stable address of the device.
func (a *Aggregator) EPR() string { return a.cfg.Provider.EPR }

// Provider is the device, to wait until it is Ready and to look at. Nothing but the aggregator should change it.
func (a *Aggregator) Provider() *provider.Provider { return a.dev }

// Run publishes until ctx ends, which is no error. It runs once.
func (a *Aggregator) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	var served, watched error
	wg.Go(func() {
		defer cancel()
		served = a.dev.Run(ctx)
	})
	wg.Go(func() { watched = a.alerts.Run(ctx) })
	tick := time.NewTicker(a.cfg.Interval)
	defer tick.Stop()
	for ctx.Err() == nil {
		if err := a.step(a.cfg.Source.View(), time.Now()); err != nil {
			// What could not be published is tried again. Values cannot outlive their inputs by that: each tells how long it lives.
			a.log.Error("derived values could not be published", "error", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	wg.Wait()
	return errors.Join(served, watched)
}

// step brings the MDIB up to date with a view. What fails for one patient does not keep it from the others.
func (a *Aggregator) step(v *station.View, now time.Time) error {
	wanted := a.wanted(v)
	errs := []error{a.drop(wanted, now)}
	for _, p := range wanted {
		errs = append(errs, a.surround(v, p, now))
	}
	errs = append(errs, a.components())
	for _, p := range wanted {
		if shown := a.patients[p.Key]; shown != nil {
			errs = append(errs, a.values(p, shown, now))
		}
	}
	a.compareOff(now)
	return errors.Join(errs...)
}

func (a *Aggregator) exclude() []string { return append(slices.Clip(a.cfg.Exclude), a.EPR()) }

// wanted are the patients that values are derived for: identified ones, since nobody else could tell whose the values of another are. Those who are
// there already come before new ones.
func (a *Aggregator) wanted(v *station.View) []*station.Patient {
	var list []*station.Patient
	for _, p := range v.Patients {
		switch {
		case len(usableSystems(p, a.exclude())) == 0:
		case len(p.IDs) == 0:
			a.left(p, CauseUnidentified)
		default:
			list = append(list, p)
		}
	}
	slices.SortStableFunc(list, func(x, y *station.Patient) int {
		_, has := a.patients[x.Key]
		_, hasToo := a.patients[y.Key]
		switch {
		case has && !hasToo:
			return -1
		case hasToo && !has:
			return 1
		}
		return 0
	})
	room := min(len(list), a.cfg.MaxPatients)
	for _, p := range list[room:] {
		a.left(p, CauseRoom)
	}
	return list[:room]
}

// drop takes out the MDSs of patients who are not there any more.
func (a *Aggregator) drop(wanted []*station.Patient, now time.Time) error {
	var errs []error
	for key, p := range a.patients {
		if slices.ContainsFunc(wanted, func(w *station.Patient) bool { return w.Key == key }) {
			continue
		}
		if err := a.alerts.Update(func(tx *mdib.Tx) error { return tx.Delete(p.mds) }); err != nil {
			errs = append(errs, err)
			continue
		}
		delete(a.patients, key)
		a.ended(key, p, now)
	}
	return errors.Join(errs...)
}

// surround gives a patient an MDS and keeps its contexts as the devices tell.
func (a *Aggregator) surround(v *station.View, p *station.Patient, now time.Time) error {
	s, since := surroundingsOf(v, p, usableSystems(p, a.exclude()))
	shown := a.patients[p.Key]
	if shown == nil {
		return a.insert(p.Key, s, since, now)
	}
	if s.samePatient(&shown.shown) && s.sameLocation(&shown.shown) {
		shown.shown.mode = s.mode
		return nil
	}
	err := a.alerts.Update(func(tx *mdib.Tx) error {
		if !s.samePatient(&shown.shown) {
			for e := range tx.Base().Subtree(shown.mds) {
				for _, c := range e.Contexts {
					if c, ok := c.(*pm.PatientContextState); ok && c.ContextAssociation == pm.ContextAssociationAssoc {
						edited, err := mdib.Edit[*pm.PatientContextState](tx, c.Handle)
						if err != nil {
							return err
						}
						s.fill(edited)
					}
				}
			}
		}
		if s.sameLocation(&shown.shown) {
			return nil
		}
		if s.location == nil {
			return tx.Disassociate(locationHandle(shown.mds))
		}
		l, err := mdib.NewContext[*pm.LocationContextState](tx, locationHandle(shown.mds))
		if err != nil {
			return err
		}
		l.ContextAssociation = pm.ContextAssociationAssoc
		l.LocationDetail, l.Identification, l.Validator = s.location.LocationDetail, s.location.Identification, s.location.Validator
		return nil
	})
	if err == nil {
		shown.shown = s
	}
	return err
}

// insert makes the MDS of a patient.
func (a *Aggregator) insert(key string, s surroundings, since, now time.Time) error {
	a.serial++
	handle := fmt.Sprintf("patient-%d", a.serial)
	mds, states := a.plan.patientMDS(handle, a.EPR()+"#"+key, &a.cfg)
	if since.IsZero() || since.After(now) {
		since = now
	}
	patientState := &pm.PatientContextState{}
	s.fill(patientState)
	patientState.DescriptorHandle, patientState.ContextAssociation = patientHandle(handle), pm.ContextAssociationAssoc
	patientState.BindingStartTime = pm.Some(pm.TimestampOf(since))
	states = append(states, patientState)
	if s.location != nil {
		l := s.location.Clone()
		l.DescriptorHandle, l.ContextAssociation = locationHandle(handle), pm.ContextAssociationAssoc
		states = append(states, l)
	}
	if err := a.alerts.Update(func(tx *mdib.Tx) error { return tx.Insert("", mds, states...) }); err != nil {
		return err
	}
	a.patients[key] = &patient{
		mds: handle, shown: s, rules: make([]shownRule, len(a.plan.rules)), used: make([]*Used, len(a.plan.slots)), stay: map[string]string{},
		on: make([]bool, len(a.plan.rules)),
	}
	return nil
}

// components keeps the states of the MDSs: what they are used for, and that the device is the parent of the patients' MDSs.
func (a *Aggregator) components() error {
	var children []string
	for h := range a.dev.MDIB().Roots() {
		if h != rootHandle {
			children = append(children, h)
		}
	}
	return a.alerts.Update(func(tx *mdib.Tx) error {
		for _, p := range a.patients {
			if err := editIfChanged(tx, p.mds, func(s *pm.MdsState) { s.OperatingMode = p.shown.mode }); err != nil {
				return err
			}
		}
		return editIfChanged(tx, rootHandle, func(s *pm.MdsState) {
			s.Extension.Remove(pm.QName{Space: ext.Namespace, Local: "Relations"})
			if len(children) > 0 {
				relate(&s.Extension, ext.RelationKindECE, children...)
			}
		})
	})
}

// editIfChanged changes a state unless it is so already.
func editIfChanged[T pm.State](tx *mdib.Tx, handle string, change func(T)) error {
	was, ok := mdib.Get[T](tx.Base(), handle)
	if !ok {
		return fmt.Errorf("%s: %w", handle, mdib.ErrUnknownHandle)
	}
	try, ok := pm.CloneState(was).(T)
	if !ok {
		return nil
	}
	change(try)
	if pm.ContentEqualState(was, try) {
		return nil
	}
	edited, err := mdib.Edit[T](tx, handle)
	if err != nil {
		return err
	}
	change(edited)
	return nil
}

// values derives and publishes what belongs to one patient, in one transaction.
func (a *Aggregator) values(p *station.Patient, shown *patient, now time.Time) error {
	scene := newScene(p, now, Options{Preferences: a.cfg.Preferences, Exclude: a.exclude(), History: a.cfg.Source})
	scene.stay = shown.stay
	for i := range a.plan.rules {
		rule, last := &a.plan.rules[i], &shown.rules[i]
		// Ticks come a little early or late. What would end before its time is renewed.
		due := now.Sub(last.at) >= rule.interval()-a.cfg.Interval/2 || last.result.ends(now.Add(2*a.cfg.Interval))
		if r := scene.derive(rule); due || differs(&last.result, &r) {
			*last = shownRule{r, now}
		}
	}
	a.plan.settle(shown)
	return a.alerts.Update(func(tx *mdib.Tx) error {
		for i := range a.plan.rules {
			err := editNumeric(tx, a.plan.derived(shown.mds, i), func(was *pm.NumericMetricState) *pm.NumericMetricState {
				return a.plan.derivedState(shown.mds, i, &shown.rules[i].result, was, now)
			})
			if err != nil {
				return err
			}
		}
		for k := range a.plan.slots {
			err := editNumeric(tx, a.plan.input(shown.mds, k), func(was *pm.NumericMetricState) *pm.NumericMetricState {
				return inputState(shown.used[k], was, now)
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// settle finds out which inputs are in use, by the results that were published last, the newest of each.
func (p *plan) settle(shown *patient) {
	clear(shown.used)
	at := make([]time.Time, len(p.slots))
	for i := range p.rules {
		last := &shown.rules[i]
		for j := range last.result.Inputs {
			u := &last.result.Inputs[j]
			if u.Value == nil {
				continue
			}
			k := p.of[i][j][u.Source]
			if shown.used[k] == nil || last.at.After(at[k]) {
				shown.used[k], at[k] = u, last.at
			}
			shown.stay[slotKey(p.slots[k].source, &p.slots[k].unit)] = u.Value.Device
		}
	}
}

// differs tells whether a result must not wait: another grade, or other sources.
func differs(was, is *Result) bool {
	if was.Value.IsSet() != is.Value.IsSet() || was.Validity != is.Validity || was.Cause != is.Cause || was.Mode != is.Mode {
		return true
	}
	for i := range is.Inputs {
		x, y := was.Inputs[i].Value, is.Inputs[i].Value
		if (x == nil) != (y == nil) || x != nil && x.Ref != y.Ref {
			return true
		}
	}
	return false
}

// editNumeric writes a state unless it is so already.
func editNumeric(tx *mdib.Tx, handle string, make func(was *pm.NumericMetricState) *pm.NumericMetricState) error {
	was, ok := mdib.Get[*pm.NumericMetricState](tx.Base(), handle)
	if !ok {
		return fmt.Errorf("%s: %w", handle, mdib.ErrUnknownHandle)
	}
	is := make(was)
	if pm.ContentEqualState(was, is) {
		return nil
	}
	s, err := mdib.Edit[*pm.NumericMetricState](tx, handle)
	if err != nil {
		return err
	}
	s.ActivationState, s.LifeTimePeriod, s.Extension, s.MetricValue = is.ActivationState, is.LifeTimePeriod, is.Extension, is.MetricValue
	return nil
}
