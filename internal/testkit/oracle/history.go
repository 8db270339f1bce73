// Package oracle judges whether a consumer has lost something unnoticed. The device numbers each of its changes in the data itself, a [History] keeps
// what it did, and an [Observer] compares what an application sees with it: that must be exactly the history, minus what gaps announce.
package oracle

import (
	"fmt"
	"sync"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
)

// Device is what a History records: a provider.
type Device interface {
	MDIB() *mdib.Snapshot
	Update(fn func(*mdib.Tx) error) error
}

// Changer is a Device that makes numbered changes by itself, with [Apply], because it lives in another process. MDIB is then what it was after the last one.
type Changer interface {
	Device
	Change(n uint64) error
}

// kept is how many of the latest snapshots a History holds on to. Of older versions it knows number and time only.
const kept = 4096

// History is everything a device did, over any number of its lives. Its methods may be used by several goroutines.
type History struct {
	mu      sync.Mutex
	dev     Device
	number  uint64 // of the last change
	entries []entry
	byKey   map[key]int
}

type key struct {
	sequence string
	version  uint64
}

type entry struct {
	version mdib.Version
	number  uint64
	at      time.Time      // no later than the commit
	state   *mdib.Snapshot // nil for those long past
}

// NewHistory begins with the device as it is. From here on it must be changed by the History only.
func NewHistory(dev Device) *History {
	h := &History{byKey: map[key]int{}}
	h.Restart(dev)
	return h
}

// Restart goes on with the next life of the device.
func (h *History) Restart(dev Device) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.dev = dev
	h.note(time.Now())
}

// Disrupt runs what begins a new sequence of the device. Nobody who has seen that already is judged before the History knows it too.
func (h *History) Disrupt(begin func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	begin()
	h.note(time.Now())
}

func (h *History) note(at time.Time) {
	s := h.dev.MDIB()
	v := s.Version()
	h.byKey[key{v.SequenceID, v.MdibVersion}] = len(h.entries)
	h.entries = append(h.entries, entry{version: v, number: h.number, at: at, state: s})
	if old := len(h.entries) - 1 - kept; old >= 0 {
		h.entries[old].state = nil
	}
}

// Len is how many versions there are.
func (h *History) Len() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.entries)
}

// Version is the latest.
func (h *History) Version() mdib.Version {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.entries[len(h.entries)-1].version
}

// Change makes the next numbered change. Kinds take turns: metrics, waveforms, components, contexts, and a part that is put in and taken out.
func (h *History) Change() error {
	return h.commit(inTurn)
}

func inTurn(tx *mdib.Tx, s *mdib.Snapshot, n uint64) error {
	turns := []func(*mdib.Tx, *mdib.Snapshot, uint64) error{setMetric, setMetric, setText, setWaveform, setComponent, setContext, setDescription}
	return turns[n%uint64(len(turns))](tx, s, n)
}

// Apply makes change n to a device, as History.Change does. It is for the process of a [Changer].
func Apply(dev Device, n uint64) error {
	before := dev.MDIB()
	return dev.Update(func(tx *mdib.Tx) error { return inTurn(tx, before, n) })
}

// ChangeMetric makes the next numbered change, to a metric.
func (h *History) ChangeMetric() error { return h.commit(setMetric) }

// ChangeDescription makes the next numbered change: a part is put in or taken out.
func (h *History) ChangeDescription() error { return h.commit(setDescription) }

func (h *History) commit(change func(*mdib.Tx, *mdib.Snapshot, uint64) error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	before := h.dev.MDIB()
	at := time.Now()
	h.number++
	var err error
	if c, ok := h.dev.(Changer); ok {
		err = c.Change(h.number)
	} else {
		err = h.dev.Update(func(tx *mdib.Tx) error { return change(tx, before, h.number) })
	}
	if err != nil {
		return fmt.Errorf("change %d: %w", h.number, err)
	}
	if h.dev.MDIB() == before {
		return fmt.Errorf("change %d changed nothing", h.number)
	}
	h.note(at)
	return nil
}

// first returns the handle of the first state of type T.
func first[T pm.State](s *mdib.Snapshot) string {
	for e := range s.Entities() {
		if _, ok := e.State.(T); ok {
			return e.Handle
		}
	}
	return ""
}

func number(n uint64) pm.Decimal { return pm.NewDecimal(int64(n), 0) }

func setMetric(tx *mdib.Tx, s *mdib.Snapshot, n uint64) error {
	return tx.SetNumeric(first[*pm.NumericMetricState](s), number(n), time.Now())
}

func setText(tx *mdib.Tx, s *mdib.Snapshot, n uint64) error {
	h := first[*pm.StringMetricState](s)
	if h == "" {
		return setMetric(tx, s, n)
	}
	return tx.SetString(h, fmt.Sprint(n), time.Now())
}

func setWaveform(tx *mdib.Tx, s *mdib.Snapshot, n uint64) error {
	h := first[*pm.RealTimeSampleArrayMetricState](s)
	if h == "" {
		return setMetric(tx, s, n)
	}
	return tx.SetSamples(h, pm.Samples{number(n), number(n)}, time.Now())
}

func setComponent(tx *mdib.Tx, s *mdib.Snapshot, n uint64) error {
	state, err := mdib.Edit[*pm.VmdState](tx, first[*pm.VmdState](s))
	if err != nil {
		return err
	}
	state.OperatingCycles = pm.Some(int32(n % (1 << 31)))
	return nil
}

func setContext(tx *mdib.Tx, s *mdib.Snapshot, n uint64) error {
	for e := range s.Entities() {
		if _, ok := e.Descriptor.(*pm.PatientContextDescriptor); !ok {
			continue
		}
		for c := range s.Associated(e.Handle) {
			state, err := mdib.Edit[*pm.PatientContextState](tx, pm.HandleOf(c))
			if err != nil {
				return err
			}
			state.Identification = []pm.InstanceIdentifier{{Root: "urn:oid:2.25.1", Extension: fmt.Sprint(n)}}
			return nil
		}
		state, err := mdib.NewContext[*pm.PatientContextState](tx, e.Handle)
		if err != nil {
			return err
		}
		state.ContextAssociation = pm.ContextAssociationAssoc
		state.Identification = []pm.InstanceIdentifier{{Root: "urn:oid:2.25.1", Extension: fmt.Sprint(n)}}
		return nil
	}
	return setMetric(tx, s, n)
}

// part is the handle of what setDescription puts in and takes out.
const part = "oracle.part"

func setDescription(tx *mdib.Tx, s *mdib.Snapshot, n uint64) error {
	if _, ok := s.Descriptor(part); ok {
		return tx.Delete(part)
	}
	m := &pm.NumericMetricDescriptor{Resolution: pm.MustDecimal("1")}
	m.Handle, m.Type, m.Unit = part+".num", &pm.CodedValue{Code: fmt.Sprint(n)}, pm.CodedValue{Code: "262656"}
	m.MetricCategory, m.MetricAvailability = pm.MetricCategoryMsrmt, pm.MetricAvailabilityIntr
	c := &pm.ChannelDescriptor{Metric: []pm.MetricDescriptor{m}}
	c.Handle, c.Type = part+".ch", &pm.CodedValue{Code: "69967"}
	v := &pm.VmdDescriptor{Channel: []*pm.ChannelDescriptor{c}}
	v.Handle, v.Type = part, &pm.CodedValue{Code: "69966"}
	for root := range s.Roots() {
		return tx.Insert(root, v)
	}
	return nil
}
