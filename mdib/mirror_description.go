package mdib

import (
	"slices"

	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
)

// describe takes over a description report: part by part, in the order they stand in.
func (a *applier) describe(parts []msg.DescriptionModificationReportPart) error {
	for i := 0; i < len(parts); i++ {
		p := &parts[i]
		if p.ModificationTypeOrDefault() == msg.DescriptionModificationTypeDel {
			end := i + 1
			for end < len(parts) && parts[end].ModificationTypeOrDefault() == msg.DescriptionModificationTypeDel {
				end++
			}
			a.deleteAll(parts[i:end])
			i = end - 1
			continue
		}
		for _, d := range p.Descriptor {
			if d == nil {
				continue
			}
			var err error
			if p.ModificationTypeOrDefault() == msg.DescriptionModificationTypeCrt {
				err = a.create(p.ParentDescriptor, d)
			} else {
				err = a.update(d)
			}
			if err != nil {
				return err
			}
		}
		for _, s := range p.State {
			if err := a.state(s); err != nil {
				return err
			}
		}
	}
	a.settle()
	return nil
}

func (a *applier) create(parent string, d pm.Descriptor) error {
	handle := d.Base().Handle
	if n, ok := a.e.nodes.Get(handle); ok {
		// A description told twice is no harm; a handle used twice is.
		if flat, _ := detach(d); n.parent == parent && pm.EqualDescriptor(n.descriptor, flat) {
			return nil
		}
	}
	if _, kids := detach(d); len(kids) > 0 {
		a.note(idNested, handle, "the created descriptor has nested children")
	}
	var failed error
	a.e.addTree(parent, d, func(d pm.Descriptor, err error) bool {
		if failed = err; err != nil {
			return false
		}
		n, _ := a.e.nodes.Get(d.Base().Handle)
		a.c.Descriptors = append(a.c.Descriptors, DescriptorChange{
			Type: msg.DescriptionModificationTypeCrt, Handle: d.Base().Handle, Parent: n.parent, MDS: n.mds, After: d,
		})
		return true
	})
	return failed
}

func (a *applier) update(d pm.Descriptor) error {
	handle := d.Base().Handle
	n, ok := a.e.nodes.Get(handle)
	if !ok {
		return unknown(handle)
	}
	before := n.descriptor
	if before.TypeName() != d.TypeName() {
		return ruleError(idSameType, handle, "the %s became a %s", before.TypeName().Local, d.TypeName().Local)
	}
	flat, kids := detach(d)
	if len(kids) > 0 {
		a.note(idNested, handle, "the updated descriptor has nested children: ignored")
	}
	was, is := before.Base().DescriptorVersion, flat.Base().DescriptorVersion
	switch {
	case is < was:
		a.note("BICEPS R5003", handle, "descriptor version %d after %d: ignored", is, was)
		return nil
	case is == was:
		if pm.EqualDescriptor(before, flat) {
			return nil
		}
		a.note("BICEPS R0034_0", handle, "the descriptor changed but its version is still %d", is)
	case is > was+1:
		a.note("BICEPS R0034_0", handle, "descriptor version %d after %d", is, was)
	}
	a.e.setDescriptor(flat)
	a.c.Descriptors = append(a.c.Descriptors, DescriptorChange{
		Type: msg.DescriptionModificationTypeUpt, Handle: handle, Parent: n.parent, MDS: n.mds, Before: before, After: flat,
	})
	return nil
}

// deleteAll takes out what parts that stand together delete. Some senders list parents first (BICEPS R5025_0), others children first: children go
// first, and are told in the order of the report.
func (a *applier) deleteAll(parts []msg.DescriptionModificationReportPart) {
	var handles []string
	place := map[string]int{}
	for i := range parts {
		if len(parts[i].State) > 0 {
			a.note("BICEPS R5053", "", "states of deleted descriptors are reported: ignored")
		}
		for _, d := range parts[i].Descriptor {
			if d != nil {
				handles = append(handles, d.Base().Handle)
				place[d.Base().Handle] = len(handles)
			}
		}
	}
	depth := map[string]int{}
	for _, h := range handles {
		depth[h] = a.e.depth(h)
	}
	slices.SortStableFunc(handles, func(x, y string) int { return depth[y] - depth[x] })
	first := len(a.c.Descriptors)
	for _, h := range handles {
		before := len(a.c.Descriptors)
		a.delete(h)
		for _, c := range a.c.Descriptors[before:] {
			if _, ok := place[c.Handle]; !ok {
				place[c.Handle] = place[h] // not listed, gone with what is
			}
		}
	}
	slices.SortStableFunc(a.c.Descriptors[first:], func(x, y DescriptorChange) int { return place[x.Handle] - place[y.Handle] })
}

func (a *applier) delete(handle string) {
	if !a.e.nodes.Has(handle) {
		a.note("BICEPS C-5", handle, "a descriptor that is not known was deleted: ignored")
		return
	}
	list := a.e.below(nil, handle)
	if len(list) > 1 {
		a.note("BICEPS R5046_0", handle, "the deleted descriptor had children: deleted too")
	}
	for _, h := range list {
		n, _ := a.e.nodes.Get(h)
		a.c.Descriptors = append(a.c.Descriptors, DescriptorChange{
			Type: msg.DescriptionModificationTypeDel, Handle: h, Parent: n.parent, MDS: n.mds, Before: n.descriptor,
		})
		a.e.remove(h)
	}
}

// settle drops changes of states whose descriptors were deleted later in the report, and lists the states of the others with
// their descriptors.
func (a *applier) settle() {
	kept := a.c.States[:0]
	states := make(map[string][]pm.State, len(a.c.States))
	for _, s := range a.c.States {
		if a.e.states.Has(s.Handle) {
			kept = append(kept, s)
			h := s.After.BaseState().DescriptorHandle
			states[h] = append(states[h], s.After)
		}
	}
	clear(a.c.States[len(kept):])
	a.c.States = kept
	for i := range a.c.Descriptors {
		if d := &a.c.Descriptors[i]; d.After != nil {
			d.States = states[d.Handle]
		}
	}
}
