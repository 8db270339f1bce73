package t2iapi

import (
	"errors"
	"fmt"
	"slices"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
)

// removed is what was taken out, as it was.
type removed struct {
	parent   string
	entities []mdib.Entity // in tree order
}

func (s *Server) checkRemovable(handle string) error {
	if slices.Contains(s.removable, handle) {
		return nil
	}
	if _, ok := s.cfg.Device.MDIB().Descriptor(handle); ok {
		return notSupported("%q cannot be removed", handle)
	}
	return unknownHandle(handle)
}

// remove takes a tree out leaf by leaf, each level a version (BICEPS R5046_0). If that cannot be done, what has gone comes back.
func (s *Server) remove(handle string) error {
	if err := s.checkRemovable(handle); err != nil {
		return err
	}
	snap := s.cfg.Device.MDIB()
	parent, ok := snap.Parent(handle)
	if !ok {
		return fmt.Errorf("%q has been removed before", handle)
	}
	r := removed{parent: parent, entities: slices.Collect(snap.Subtree(handle))}
	for _, step := range mdib.DeleteTree(snap, handle) {
		if err := s.cfg.Device.Update(step); err != nil {
			return errors.Join(err, s.cfg.Device.Update(r.restore))
		}
	}
	s.removed[handle] = r
	return nil
}

// restore puts back what is not there.
func (r removed) restore(tx *mdib.Tx) error {
	for _, e := range r.entities {
		if _, there := tx.Descriptor(e.Handle); there {
			continue
		}
		var states []pm.State
		if e.State != nil {
			states = append(states, e.State)
		}
		for _, c := range e.Contexts {
			states = append(states, c)
		}
		if err := tx.Insert(e.Parent, e.Descriptor, states...); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) insert(handle string) error {
	if err := s.checkRemovable(handle); err != nil {
		return err
	}
	r, ok := s.removed[handle]
	if !ok {
		return fmt.Errorf("%q has not been removed", handle)
	}
	snap := s.cfg.Device.MDIB()
	if _, ok := snap.Descriptor(handle); ok {
		return fmt.Errorf("%q is back already", handle)
	}
	if _, ok := snap.Descriptor(r.parent); !ok && r.parent != "" {
		return fmt.Errorf("%w: %q, below which it belongs", mdib.ErrUnknownHandle, r.parent)
	}
	// What comes back is as it was, perhaps on, and could not be below a component that is off (BICEPS R0025_0).
	if err := s.raiseAll(r.parent); err != nil {
		return err
	}
	err := s.cfg.Device.Update(r.restore)
	if err == nil {
		delete(s.removed, handle)
	}
	return err
}

// chooseRemovable finds what can be taken out without leaving a dangling reference: every MDS but the first, one VMD and channel, and one metric of each type.
func chooseRemovable(snap *mdib.Snapshot) []string {
	referred := references(snap)
	var out []string
	seen := map[string]bool{}
	first := true
	for e := range snap.Entities() {
		var kind string
		switch e.Descriptor.(type) {
		case *pm.MdsDescriptor:
			if first {
				first = false
				continue
			}
			kind = e.Handle
		case *pm.VmdDescriptor, *pm.ChannelDescriptor, pm.MetricDescriptor:
			kind = e.Descriptor.TypeName().Local
		default:
			continue
		}
		if seen[kind] || !selfContained(snap, e.Handle, referred) {
			continue
		}
		seen[kind] = true
		out = append(out, e.Handle)
	}
	return out
}

// references lists for every handle the descriptors that refer to it.
func references(snap *mdib.Snapshot) map[string][]string {
	out := map[string][]string{}
	for e := range snap.Entities() {
		var to []string
		switch d := e.Descriptor.(type) {
		case pm.OperationDescriptor:
			to = append(to, d.BaseOperation().OperationTarget)
		case pm.ConditionDescriptor:
			to = append(to, d.BaseCondition().Source...)
		case *pm.AlertSignalDescriptor:
			to = append(to, d.ConditionSignaled)
		case pm.MetricDescriptor:
			for _, r := range d.BaseMetric().Relation {
				to = append(to, r.Entries...)
			}
		}
		for _, h := range to {
			out[h] = append(out[h], e.Handle)
		}
	}
	return out
}

// selfContained tells whether nothing outside of a subtree refers to something in it.
func selfContained(snap *mdib.Snapshot, handle string, referred map[string][]string) bool {
	inside := map[string]bool{}
	for e := range snap.Subtree(handle) {
		inside[e.Handle] = true
	}
	for h := range inside {
		for _, from := range referred[h] {
			if !inside[from] {
				return false
			}
		}
	}
	return true
}
