// Package persist keeps what a device must not forget: its endpoint reference, how often it was started, and its MDIB.
//
//	st, err := persist.Open(persist.Config{Dir: dir})
//	err = st.Configure(&cfg)              // EPR, MDIB, versions, instance
//	p, err := provider.New(cfg)
//	go st.Run(ctx, p)                     // saves while the device runs
//	err = p.Run(ctx)
//	err = st.Close(p)                     // saves the very last MDIB
//
// Every save is a new file that takes its place as a whole, and the one before it stays: whenever the power fails, there is one that is whole. A file that is damaged is found out by its checksum, told, and the
// one before it is used.
//
// After a restart the MDIB's content is what was saved last, values that were measured before it included. A device that cannot vouch for these any more has ClearMeasured take
// them away before Run, so that nobody takes them for what the patient is like now. Facts told to sdc/alerts are there again too, until the application says otherwise.
//
// Versions are a matter of Config.Resume: the same sequence goes on only if the device stopped in good order, because nobody knows how
// many versions a device that crashed has published since the last save, and no version may be used twice or fall within one sequence (BICEPS R5003). Otherwise a new
// sequence begins, with an InstanceId above all former ones; versions of descriptors and states go on from what was saved.
package persist

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/provider"
)

// Resume says which versions a device goes on with after a restart.
type Resume uint8

const (
	// NewSequence begins a new MDIB sequence with every start.
	NewSequence Resume = iota
	// KeepVersions goes on with the same sequence, instance and MDIB version if the device stopped in good order, and begins a new sequence if it did not.
	KeepVersions
)

// Config of a State. Dir is needed.
type Config struct {
	// Dir is the folder, of this device alone; it is made if there is none.
	Dir string
	// Resume says which versions the device goes on with.
	Resume Resume
	// Every is how often Run saves if something has changed; 0 is 1 s.
	Every time.Duration
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Logger receives what the operator should know; nil discards.
	Logger *slog.Logger
}

// ErrDamaged says that there are saved states, but none is whole. To start all over, empty the folder: that is for a person to decide, because peers may know the device.
var ErrDamaged = errors.New("no saved state is whole")

// ErrOtherDevice says that the folder belongs to another device.
var ErrOtherDevice = errors.New("the saved state is of another device")

// State is the saved state of one device.
type State struct {
	cfg    Config
	damage []error
	loaded bool // something was there
	snap   *mdib.Snapshot
	was    head // as it was found

	mu    sync.Mutex // one save at a time
	head  head
	saved *mdib.Snapshot
}

// Open reads what was saved and counts the start: when it returns, that is on the disk.
func Open(cfg Config) (*State, error) {
	if cfg.Dir == "" {
		return nil, errors.New("persist: Dir is missing")
	}
	if cfg.Every < 0 {
		return nil, errors.New("persist: Every is negative")
	}
	if cfg.Every == 0 {
		cfg.Every = time.Second
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("persist: %w", err)
	}
	s := &State{cfg: cfg}
	if err := s.load(); err != nil {
		return nil, fmt.Errorf("persist: %s: %w", cfg.Dir, err)
	}
	s.head.Clean = false
	// A clock that was set back must not bring an old number again, and the first number must be above what the clock gave before there was a folder.
	s.head.InstanceID = max(s.was.InstanceID+1, uint32(cfg.Now().Unix()))
	if s.head.EPR == "" {
		s.head.EPR = uuid.New().URN()
	}
	if err := s.write(s.snap, s.was.Memory, false); err != nil {
		return nil, fmt.Errorf("persist: %w", err)
	}
	return s, nil
}

// load finds the newest generation that is whole.
func (s *State) load() error {
	all, err := generations(s.cfg.Dir)
	if err != nil {
		return err
	}
	if len(all) > 0 {
		s.head.Generation = all[0]
	}
	for _, n := range all {
		b, err := readFile(filepath.Join(s.cfg.Dir, fileName(n)))
		if err == nil {
			s.was, s.snap, err = decode(b)
		}
		if err == nil && s.was.Generation != n {
			err = fmt.Errorf("it is generation %d", s.was.Generation)
		}
		if err == nil {
			s.loaded = true
			s.head.EPR = s.was.EPR
			return nil
		}
		err = fmt.Errorf("%s: %w", fileName(n), err)
		s.damage = append(s.damage, err)
		s.cfg.Logger.Warn("a saved state is damaged", "error", err)
	}
	s.was, s.snap = head{}, nil
	if len(s.damage) > 0 {
		return fmt.Errorf("%w: %w", ErrDamaged, errors.Join(s.damage...))
	}
	return nil
}

// Damage lists the saved states that were not whole and were passed over: what was saved last may be missing.
func (s *State) Damage() []error { return s.damage }

// Restored tells whether there is an MDIB to go on with, and Clean whether the device stopped in good order with it.
func (s *State) Restored() bool { return s.snap != nil }

// Clean tells whether the device stopped in good order the last time.
func (s *State) Clean() bool { return s.was.Clean && len(s.damage) == 0 }

// EPR is the endpoint reference of the device: the one saved, or a new one.
func (s *State) EPR() string { return s.head.EPR }

// InstanceID is the number of this start; it is greater than those of all starts before.
func (s *State) InstanceID() uint32 { return s.head.InstanceID }

// Configure puts what was saved into the configuration of a provider: EPR, InstanceID, MDIB and the versions of the Store. An EPR that is set and another than the saved one, or an MDIB of other MDSs, is ErrOtherDevice. Without
// a saved MDIB the one in the configuration stays.
func (s *State) Configure(cfg *provider.Config) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case cfg.EPR != "" && s.loaded && cfg.EPR != s.was.EPR:
		return fmt.Errorf("persist: %w: %s, not %s", ErrOtherDevice, s.was.EPR, cfg.EPR)
	case cfg.EPR != "":
		s.head.EPR = cfg.EPR
	}
	if s.snap != nil && cfg.MDIB != nil {
		if err := sameDevice(s.snap, cfg.MDIB); err != nil {
			return fmt.Errorf("persist: %w", err)
		}
	}
	cfg.EPR, cfg.InstanceID = s.head.EPR, s.head.InstanceID
	cfg.Store.SequenceID, cfg.Store.KeepVersion = "", false
	cfg.Store.InstanceID = pm.Some(uint64(s.head.InstanceID))
	if s.snap == nil {
		return nil
	}
	memory := s.was.Memory
	cfg.MDIB, cfg.Store.Memory = s.snap, &memory
	if s.cfg.Resume == KeepVersions {
		cfg.Store.KeepVersion = s.Clean()
		if !s.Clean() {
			s.cfg.Logger.Info("the device did not stop in good order: a new MDIB sequence begins")
		}
	}
	return nil
}

// sameDevice compares the MDSs.
func sameDevice(saved, now *mdib.Snapshot) error {
	for h := range now.Roots() {
		a, _ := now.Descriptor(h)
		b, ok := saved.Descriptor(h)
		if !ok {
			return fmt.Errorf("%w: it has no MDS %q", ErrOtherDevice, h)
		}
		if x, y := a.Base().Type, b.Base().Type; x != nil && y != nil && x.Code != y.Code {
			return fmt.Errorf("%w: its MDS %q is of type %s, not %s", ErrOtherDevice, h, y.Code, x.Code)
		}
	}
	return nil
}

// Run saves the MDIB of the provider whenever it has changed, at most every Config.Every, until ctx ends. A save that fails is told to the log and tried again.
func (s *State) Run(ctx context.Context, p *provider.Provider) {
	tick := time.NewTicker(s.cfg.Every)
	defer tick.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := s.Save(p)
		switch {
		case err != nil && !failing:
			s.cfg.Logger.Error("the state of the device cannot be saved", "error", err)
		case err == nil && failing:
			s.cfg.Logger.Info("the state of the device can be saved again")
		}
		failing = err != nil
	}
}

// ClearMeasured takes away the values and samples that were restored of metrics which are measured or calculated (MetricCategory Msrmt and Clc), with validity Ong, and leaves those of
// the metrics in keep: counters and totals that the device goes on with. It is for the time between provider.New and Run, before the first new measurement. Without a restored MDIB it does
// nothing. A handle in keep that is not in the MDIB is an error, and nothing has changed then.
func (s *State) ClearMeasured(p *provider.Provider, keep ...string) error {
	if !s.Restored() {
		return nil
	}
	snap := p.MDIB()
	for _, h := range keep {
		if _, ok := snap.Descriptor(h); !ok {
			return fmt.Errorf("persist: keep: %q: %w", h, mdib.ErrUnknownHandle)
		}
	}
	// Waveforms are told in reports of their own, and so need a transaction of their own.
	handles := map[mdib.Kind][]string{}
	for e := range snap.Entities() {
		d, ok := e.Descriptor.(pm.MetricDescriptor)
		if !ok || slices.Contains(keep, e.Handle) {
			continue
		}
		if c := d.BaseMetric().MetricCategory; c == pm.MetricCategoryMsrmt || c == pm.MetricCategoryClc {
			kind := mdib.KindOf(e.State)
			handles[kind] = append(handles[kind], e.Handle)
		}
	}
	now := s.cfg.Now()
	for _, kind := range []mdib.Kind{mdib.KindMetric, mdib.KindWaveform} {
		if err := p.Update(func(tx *mdib.Tx) error {
			for _, h := range handles[kind] {
				if m, _ := tx.State(h); !hasValue(m) {
					continue
				}
				if err := tx.ClearValue(h, pm.MeasurementValidityOng, now); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return fmt.Errorf("persist: %w", err)
		}
	}
	return nil
}

// hasValue tells whether there is something to take away.
func hasValue(s pm.State) bool {
	switch s := s.(type) {
	case *pm.NumericMetricState:
		return s.MetricValue != nil
	case *pm.StringMetricState:
		return s.MetricValue != nil
	case *pm.EnumStringMetricState:
		return s.MetricValue != nil
	case *pm.RealTimeSampleArrayMetricState:
		return s.MetricValue != nil
	case *pm.DistributionSampleArrayMetricState:
		return s.MetricValue != nil
	}
	return false
}

// Save saves the MDIB as it is now, if it is another than the one saved last. When it returns nil, it is on the disk.
func (s *State) Save(p *provider.Provider) error { return s.save(p, false) }

// Close saves the MDIB for the last time and marks that the device stopped in good order. Nothing may change it afterwards: call it when the provider's Run has returned and the application makes no more updates.
func (s *State) Close(p *provider.Provider) error { return s.save(p, true) }

func (s *State) save(p *provider.Provider, clean bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	snap, memory := p.Save()
	if snap == s.saved && !clean {
		return nil
	}
	if err := s.write(snap, memory, clean); err != nil {
		return fmt.Errorf("persist: %w", err)
	}
	return nil
}

// write writes the next generation and takes the oldest away. s.mu is held, or nobody else has s yet.
func (s *State) write(snap *mdib.Snapshot, memory mdib.Memory, clean bool) error {
	h := s.head
	h.Generation++
	h.Clean, h.Saved, h.MDIB, h.Memory = clean, s.cfg.Now(), snap != nil, memory
	b, err := encode(&h, snap)
	if err != nil {
		return err
	}
	if err := replace(s.cfg.Dir, fileName(h.Generation), b); err != nil {
		return err
	}
	// EPR and InstanceID stay, and are read without the lock.
	s.head.Generation, s.head.Clean, s.head.Saved, s.head.MDIB, s.head.Memory, s.saved = h.Generation, h.Clean, h.Saved, h.MDIB, h.Memory, snap
	all, err := generations(s.cfg.Dir)
	if err != nil {
		return err
	}
	whole := 0
	for _, n := range all {
		// Damaged ones do not count as the one before.
		if whole++; whole > keep {
			if err := os.Remove(filepath.Join(s.cfg.Dir, fileName(n))); err != nil {
				return err
			}
		}
	}
	return nil
}
