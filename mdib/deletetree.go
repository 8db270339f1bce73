package mdib

import (
	"slices"

	"github.com/semeco/go-sdc/mdib/pm"
)

// DeleteTree returns the transactions that take out a descriptor of a snapshot together with everything below it, leaves first: nothing is deleted while
// it has children (BICEPS R5046_0), and nothing before what refers to it. Run in this order:
//
//	for _, fn := range mdib.DeleteTree(dev.MDIB(), "vmd0") {
//		if err := dev.Update(fn); err != nil { ... }
//	}
//
// Each is a version of the MDIB. Only an MDS goes together with its clock and its contexts, in the last one, because it may be without a clock in no
// version (GLUE R0010_0) and contexts come and go with it. What has gone meanwhile is passed over; what has come below goes with its parent.
func DeleteTree(s *Snapshot, handle string) []func(*Tx) error {
	if _, ok := s.Descriptor(handle); !ok {
		return []func(*Tx) error{func(*Tx) error { return unknown(handle) }}
	}
	var steps []func(*Tx) error
	for _, handles := range takeApart(s, handle) {
		steps = append(steps, func(tx *Tx) error {
			for _, h := range handles {
				if _, ok := tx.Descriptor(h); !ok {
					continue
				}
				if err := tx.Delete(h); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return steps
}

// takeApart sorts a tree into what can be taken out together, in order.
func takeApart(s *Snapshot, top string) [][]string {
	left := map[string]Entity{}
	for e := range s.Subtree(top) {
		left[e.Handle] = e
	}
	var last []string
	if parent, _ := s.Parent(top); parent == "" {
		for h, e := range left {
			_, clock := e.Descriptor.(*pm.ClockDescriptor)
			if clock || isFixed(e.Descriptor) {
				delete(left, h)
			}
		}
		delete(left, top)
		last = []string{top} // with what is still below it
	}
	var steps [][]string
	for len(left) > 0 {
		step := removable(s, left)
		for _, h := range step {
			delete(left, h)
		}
		steps = append(steps, step)
	}
	if last != nil {
		steps = append(steps, last)
	}
	return steps
}

// removable lists the leaves that nothing refers to which would be left. If there are none, because things refer to one another, it lists all
// that is left, parents last.
func removable(s *Snapshot, left map[string]Entity) []string {
	leaf := map[string]bool{}
	for h := range left {
		leaf[h] = true
	}
	for _, e := range left {
		delete(leaf, e.Parent)
	}
	for changed := true; changed; {
		changed = false
		for h, e := range left {
			if leaf[h] {
				continue
			}
			for _, to := range refersTo(e.Descriptor) {
				if leaf[to] {
					delete(leaf, to)
					changed = true
				}
			}
		}
	}
	var out []string
	was := s.content.edit()
	for h := range left {
		if leaf[h] || len(leaf) == 0 {
			out = append(out, h)
		}
	}
	slices.SortFunc(out, func(a, b string) int {
		if d := was.depth(b) - was.depth(a); d != 0 {
			return d
		}
		if a < b {
			return -1
		}
		return 1
	})
	return out
}

// refersTo lists the handles that a descriptor names.
func refersTo(d pm.Descriptor) []string {
	switch d := d.(type) {
	case pm.OperationDescriptor:
		return []string{d.BaseOperation().OperationTarget}
	case pm.ConditionDescriptor:
		return d.BaseCondition().Source
	case *pm.AlertSignalDescriptor:
		return []string{d.ConditionSignaled}
	case pm.MetricDescriptor:
		var out []string
		for _, r := range d.BaseMetric().Relation {
			out = append(out, r.Entries...)
		}
		return out
	}
	return nil
}
