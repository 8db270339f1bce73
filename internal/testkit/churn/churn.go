// Package churn changes devices at random, in tests that what a device does is what others see.
package churn

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
)

// Device is what is changed: a provider.
type Device interface {
	MDIB() *mdib.Snapshot
	Update(fn func(*mdib.Tx) error) error
}

// Churn draws random transactions of every kind. Its methods are used by one goroutine.
type Churn struct {
	rng  *rand.Rand
	dev  Device
	keep []string
}

// New makes one whose transactions follow from the seed. The device has an MDS "mds". VMDs named by keep are never taken out, so that every kind of state stays.
func New(dev Device, seed uint64, keep ...string) *Churn {
	return &Churn{rng: rand.New(rand.NewPCG(seed, 1)), dev: dev, keep: keep}
}

// Kinds is how many kinds of transactions there are.
const Kinds = 9

// pick draws one; from nothing it gives the zero value, which no entry is called.
func pick[T any](c *Churn, of []T) (one T) {
	if len(of) > 0 {
		one = of[c.rng.IntN(len(of))]
	}
	return one
}

// handles lists the entries of the MDIB that are of type T, as state or descriptor.
func handles[T any](s *mdib.Snapshot) []string {
	var out []string
	for e := range s.Entities() {
		_, state := e.State.(T)
		_, descriptor := e.Descriptor.(T)
		if state || descriptor {
			out = append(out, e.Handle)
		}
	}
	return out
}

// Step makes one transaction and tells of which kind. A refusal by the rules is part of the game: it must
// change nothing. Anything else is an error.
func (c *Churn) Step() (what string, err error) {
	now := time.Now()
	snap := c.dev.MDIB()
	kinds := map[string]func(tx *mdib.Tx) error{
		"metrics": func(tx *mdib.Tx) error {
			for range 1 + c.rng.IntN(3) {
				if err := tx.SetNumeric(pick(c, handles[*pm.NumericMetricState](snap)), pm.NewDecimal(c.rng.Int64N(100), 1), now); err != nil {
					return err
				}
			}
			return nil
		},
		"waveform": func(tx *mdib.Tx) error {
			samples := make(pm.Samples, 1+c.rng.IntN(50))
			for i := range samples {
				samples[i] = pm.NewDecimal(c.rng.Int64N(2000)-1000, 2)
			}
			return tx.SetSamples(pick(c, handles[*pm.RealTimeSampleArrayMetricState](snap)), samples, now)
		},
		"alert": func(tx *mdib.Tx) error {
			return tx.SetPresence(pick(c, handles[pm.ConditionState](snap)), c.rng.IntN(2) == 0)
		},
		"component": func(tx *mdib.Tx) error {
			return tx.SetActivation(pick(c, handles[*pm.VmdState](snap)), pick(c, []pm.ComponentActivation{
				pm.ComponentActivationOn, pm.ComponentActivationOff, pm.ComponentActivationStndBy,
			}))
		},
		"operation": func(tx *mdib.Tx) error {
			return tx.SetOperatingMode(pick(c, handles[pm.OperationState](snap)), pick(c, []pm.OperatingMode{pm.OperatingModeEn, pm.OperatingModeDis}))
		},
		"context": func(tx *mdib.Tx) error {
			s, err := tx.NewContextState(pick(c, handles[pm.ContextDescriptor](snap)))
			if err != nil {
				return err
			}
			s.BaseContext().ContextAssociation = pick(c, []pm.ContextAssociation{pm.ContextAssociationPre, pm.ContextAssociationAssoc})
			return nil
		},
		"insert": func(tx *mdib.Tx) error {
			h := fmt.Sprint("vmd.x", c.rng.IntN(4)) // few handles, so that they come back
			return tx.Insert("mds", NewVMD(h))
		},
		"delete": func(tx *mdib.Tx) error {
			return tx.Delete(pick(c, slices.DeleteFunc(handles[*pm.VmdDescriptor](snap), func(h string) bool { return slices.Contains(c.keep, h) })))
		},
		"edit": func(tx *mdib.Tx) error {
			d, err := tx.EditDescriptor(pick(c, handles[pm.Descriptor](snap)))
			if err != nil {
				return err
			}
			d.Base().SafetyClassification = pick(c, []pm.SafetyClassification{pm.SafetyClassificationInf, pm.SafetyClassificationMedA, pm.SafetyClassificationMedB})
			return nil
		},
	}
	names := make([]string, 0, len(kinds))
	for k := range kinds {
		names = append(names, k)
	}
	slices.Sort(names)
	what = pick(c, names)
	err = c.dev.Update(kinds[what])
	var rule *mdib.RuleError
	if errors.As(err, &rule) || errors.Is(err, mdib.ErrUnknownHandle) {
		if c.dev.MDIB() != snap {
			return what, fmt.Errorf("a refused transaction changed the MDIB: %w", err)
		}
		err = nil
	}
	return what, err
}

// NewVMD is a part with a channel and a metric.
func NewVMD(h string) *pm.VmdDescriptor {
	code := func(c string) *pm.CodedValue { return &pm.CodedValue{Code: c} }
	m := &pm.NumericMetricDescriptor{Resolution: pm.MustDecimal("0.1")}
	m.Handle, m.Type, m.Unit = h+".num", code("150456"), *code("262688")
	m.MetricCategory, m.MetricAvailability = pm.MetricCategoryMsrmt, pm.MetricAvailabilityCont
	ch := &pm.ChannelDescriptor{Metric: []pm.MetricDescriptor{m}}
	ch.Handle, ch.Type = h+".ch", code("69967")
	v := &pm.VmdDescriptor{Channel: []*pm.ChannelDescriptor{ch}}
	v.Handle, v.Type = h, code("69966")
	return v
}
