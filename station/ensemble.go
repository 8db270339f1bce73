package station

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/consumer"
)

// EnsembleRule says which ensemble the station lets devices join, so that those of one place know each other, with or without the station. A device
// needs an operation that sets its ensemble context, and a policy that lets the station invoke it.
type EnsembleRule struct {
	// Root is the name space of the identifier; "" sets no ensembles.
	Root string
	// ID is the identifier within Root. "" stands for the place: the devices of each place are an ensemble of their own, and one that moves
	// leaves its former ensemble for that of the new place. A device without an associated location then joins none.
	ID string
}

// validatorRoot names the station as the one who vouches for an ensemble (an OID made from a UUID, so nobody else can have it). Only what the station
// has associated is ever ended by it.
const validatorRoot = "urn:oid:2.25.318266342094206374229416935571217018471"

// Times of asking a device again that did not join.
const (
	firstJoin = 5 * time.Second
	maxJoin   = 5 * time.Minute
	joinTime  = 10 * time.Second
)

// wanted is the identifier of the ensemble for an MDS; zero is none.
func (r EnsembleRule) wanted(s *System) Identifier {
	switch {
	case r.Root == "":
		return Identifier{}
	case r.ID != "":
		return Identifier{r.Root, r.ID}
	case s.Location.key() == "":
		return Identifier{}
	}
	return Identifier{r.Root, s.Location.key()}
}

// keepEnsembles lets the MDSs of a device be in the ensembles that its rule asks for, until ctx ends. When the device is released it leaves them.
func (m *member) keepEnsembles(ctx context.Context, dev *consumer.Device) {
	type attempt struct {
		at    time.Time
		pause time.Duration
	}
	failed := map[string]attempt{} // by MDS: when it is tried again
	wake := time.AfterFunc(time.Hour, func() { m.station.changed(false) })
	defer wake.Stop()
	for range m.station.Views(ctx) {
		d := m.shown.Load()
		if !d.Live() {
			continue
		}
		for _, s := range d.Systems {
			want := m.rule.Ensemble.wanted(s)
			if s.isIn(want) || time.Now().Before(failed[s.Handle].at) {
				continue
			}
			// Once it has begun it is waited for, released or not: what leaves the ensembles afterwards has to know of it.
			did, err := join(context.WithoutCancel(ctx), dev, d.MDIB, s, want)
			switch {
			case err != nil && ctx.Err() == nil:
				pause := min(max(2*failed[s.Handle].pause, firstJoin), maxJoin)
				failed[s.Handle] = attempt{time.Now().Add(pause), pause}
				wake.Reset(pause)
				m.log.Warn("the ensemble of a device could not be set", "mds", s.Handle, "error", err)
			case did:
				// What it reports has come before the answer, or will with a view that is newer than this one.
				failed[s.Handle] = attempt{at: time.Now().Add(time.Second)}
				m.log.Info("the ensemble of a device was set", "mds", s.Handle)
			case err == nil:
				delete(failed, s.Handle)
			}
		}
	}
	if !errors.Is(context.Cause(ctx), errReleased) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbye)
	defer cancel()
	for _, s := range m.shown.Load().Systems {
		if _, err := join(ctx, dev, dev.MDIB(), s, Identifier{}); err != nil {
			m.log.Warn("a device that was let go has not left its ensemble", "mds", s.Handle, "error", err)
		}
	}
}

// isIn tells whether an MDS is in one ensemble and no other; zero stands for none.
func (s *System) isIn(want Identifier) bool {
	if !want.Usable() {
		return len(s.Ensembles) == 0
	}
	return len(s.Ensembles) == 1 && slices.Contains(s.Ensembles[0].IDs, want)
}

// join makes an MDS a member of an ensemble, and ends what the station has associated it with before. It tells whether there was anything to do.
func join(ctx context.Context, dev *consumer.Device, snap *mdib.Snapshot, s *System, want Identifier) (bool, error) {
	descriptor := ""
	var ended []pm.ContextState
	there := false
	for e := range snap.Subtree(s.Handle) {
		if _, ok := e.Descriptor.(*pm.EnsembleContextDescriptor); !ok {
			continue
		}
		descriptor = e.Handle
		for _, c := range e.Contexts {
			b := c.BaseContext()
			if b.ContextAssociationOrDefault() != pm.ContextAssociationAssoc {
				continue
			}
			switch {
			case want.Usable() && slices.Contains(identifiers(b.Identification), want):
				there = true
			case slices.ContainsFunc(b.Validator, func(v pm.InstanceIdentifier) bool { return v.Root == validatorRoot }):
				end := pm.CloneState(c).(pm.ContextState) //nolint:errcheck,forcetypeassert // a clone is of the same type
				end.BaseContext().ContextAssociation = pm.ContextAssociationDis
				ended = append(ended, end)
			}
		}
	}
	proposed := ended
	if want.Usable() && !there {
		if descriptor == "" {
			return false, errors.New("the device knows no ensembles")
		}
		c := &pm.EnsembleContextState{}
		c.DescriptorHandle, c.Handle, c.ContextAssociation = descriptor, descriptor, pm.ContextAssociationAssoc
		c.Identification = []pm.InstanceIdentifier{{Root: want.Root, Extension: want.Extension}}
		c.Validator = []pm.InstanceIdentifier{{Root: validatorRoot, Extension: "station"}}
		proposed = append(proposed, c)
	}
	if len(proposed) == 0 {
		return false, nil
	}
	i := slices.IndexFunc(s.Operations, func(o *Operation) bool { return o.Kind == SetContextState && o.Target == descriptor })
	switch {
	case i < 0:
		return true, errors.New("the device has no operation that sets its ensemble")
	case s.Operations[i].Mode != pm.OperatingModeEn:
		return true, fmt.Errorf("operation %s is not possible now (operating mode %s)", s.Operations[i].Handle, s.Operations[i].Mode)
	}
	ctx, cancel := context.WithTimeout(ctx, joinTime)
	defer cancel()
	_, err := dev.SetContextState(ctx, s.Operations[i].Handle, proposed...)
	return true, err
}
