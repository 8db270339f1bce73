package mdib

import (
	"strings"
	"time"

	"github.com/semeco/go-sdc/mdib/ext"
	"github.com/semeco/go-sdc/mdib/pm"
)

// Doubt says what speaks against a time that a device gives. The bits add up.
type Doubt uint8

const (
	// DoubtBeforeStep means: the time was taken before the device's clock was set, so that it does not compare with later ones.
	DoubtBeforeStep Doubt = 1 << iota
	// DoubtEpoch means: the clock has been set and the MDIB still holds times from before (its state is StndBy); which side this one is from, nothing tells.
	DoubtEpoch
	// DoubtClock means: the clock, or the MDS it belongs to, says that it does not work.
	DoubtClock
	// DoubtDrift means: the clock goes wrong, or that of who reads the time. It is for readers to find out: nothing in an MDIB shows it.
	DoubtDrift
)

// String names the doubts; "" if there are none.
func (d Doubt) String() string {
	var out []string
	for _, n := range []struct {
		bit  Doubt
		name string
	}{{DoubtBeforeStep, "before the clock was set"}, {DoubtEpoch, "perhaps before the clock was set"}, {DoubtClock, "the clock does not work"}, {DoubtDrift, "the clock goes wrong"}} {
		if d&n.bit != 0 {
			out = append(out, n.name)
		}
	}
	return strings.Join(out, ", ")
}

// Instant is a time that a device gives, together with what is known against it. Whoever passes times on to people, other systems or logs passes
// the doubt on as well (SDPi R1603).
type Instant struct {
	// At is the time: as the device gives it or, if Corrected, as its clock would give it had it always gone as it goes now.
	At time.Time
	// Doubt says what speaks against it; 0: nothing is known. A correction does not take it away (SDPi R1604).
	Doubt     Doubt
	Corrected bool
}

// InstantOf judges a time that the MDS of a descriptor or state gives: its DeterminationTime, LastSelfCheck, BindingStartTime... epoch is that of the
// time where an extension of the value tells it (sdpi:MetricEpoch and its like), None otherwise. A time from before a step of the clock is corrected
// if the clock tells by how much it was set (sdpi:Epochs).
//
// Against times of an MDS without a clock nothing is known. GLUE R0010_0 forbids such an MDS.
func InstantOf(s *Snapshot, handle string, ts pm.Timestamp, epoch pm.Opt[uint64]) Instant {
	out := Instant{At: ts.Time()}
	mds, _ := s.MDSOf(handle)
	for child := range s.Children(mds) {
		clock, ok := Get[*pm.ClockState](s, child)
		if !ok {
			continue
		}
		epochs, _ := ClockEpochs(s, child) // without any, the version is 0, as no tag says otherwise
		out.judge(clock, epochs, epoch)
		break
	}
	if m, ok := Get[*pm.MdsState](s, mds); ok && m.ActivationState == pm.ComponentActivationFail {
		out.Doubt |= DoubtClock // what a device does that cannot go on after a step (SDPi R1569)
	}
	return out
}

func (i *Instant) judge(clock *pm.ClockState, epochs ext.EpochsType, epoch pm.Opt[uint64]) {
	switch clock.ActivationState {
	case pm.ComponentActivationOff, pm.ComponentActivationFail, pm.ComponentActivationNotRdy, pm.ComponentActivationShtdn:
		i.Doubt |= DoubtClock
	case pm.ComponentActivationOn, pm.ComponentActivationStndBy, "":
	}
	if of, tagged := epoch.Get(); tagged {
		if of < epochs.Version {
			i.Doubt |= DoubtBeforeStep
			i.correct(epochs, of)
		}
		return
	}
	if clock.ActivationState != pm.ComponentActivationStndBy {
		return // every time is of the present epoch (SDPi R1522)
	}
	// By the clock as it was, the step was at ended; as it is, at began. LastSet may be later: the clock is set again and again by little.
	set, known := clock.LastSet.Get()
	began, ended := set.Time(), time.Time{}
	step, told := lastStep(epochs)
	if told {
		began, ended, known = step.Timestamp.Time().Add(step.Offset.Std()), step.Timestamp.Time(), true
	}
	switch {
	case known && i.At.Before(began):
		i.Doubt |= DoubtBeforeStep
		if told && !i.At.After(ended) && len(epochs.Epoch) == 1 {
			i.correct(epochs, step.Version) // no other epoch is referred to (SDPi R0610)
		}
	case !told || !i.At.After(ended):
		i.Doubt |= DoubtEpoch // the clock may have been set back
	}
}

// lastStep is the latest adjustment, if it is the one that began the present epoch.
func lastStep(epochs ext.EpochsType) (ext.EpochType, bool) {
	n := len(epochs.Epoch)
	if n == 0 || epochs.Epoch[n-1].Version+1 != epochs.Version {
		return ext.EpochType{}, false
	}
	return epochs.Epoch[n-1], true
}

// correct adds the offsets of an epoch and all after it, if every one is told.
func (i *Instant) correct(epochs ext.EpochsType, from uint64) {
	at, next := i.At, from
	for _, e := range epochs.Epoch {
		if e.Version < next {
			continue
		}
		if e.Version != next {
			return
		}
		at, next = at.Add(e.Offset.Std()), next+1
	}
	if next == epochs.Version {
		i.At, i.Corrected = at, true
	}
}
