package provider

import (
	"context"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/soap"
)

// getContainmentTree answers with the entries of the handles, those of all MDSs if there are none (BICEPS R5031, R5032). Unknown handles are ignored, a handle given
// twice is told once. The answer as a whole stands for the parent of the entries: told if they share one that is a descriptor (R5030 leaves other requests undefined).
func (p *Provider) getContainmentTree(_ context.Context, _ *soap.Request, r *msg.GetContainmentTree) (soap.Body, error) {
	snap := p.store.Load()
	response := &msg.GetContainmentTreeResponse{}
	response.MdibVersionGroup = versionGroup(snap)
	tree := &response.ContainmentTree

	handles := r.HandleRef
	if len(handles) == 0 {
		for h := range snap.Roots() {
			handles = append(handles, h)
		}
	}
	parents := map[string]bool{}
	for d := range descriptors(snap, handles) {
		entry := pm.ContainmentTreeEntry{ContainmentTreeInfo: treeInfo(snap, d), Type: d.Base().Type}
		tree.Entry = append(tree.Entry, entry)
		parents[entry.ParentHandleRef] = true
	}
	if len(parents) == 1 {
		for handle := range parents {
			if d, ok := snap.Descriptor(handle); ok {
				tree.ContainmentTreeInfo = treeInfo(snap, d)
			}
		}
	}
	return response, nil
}

// treeInfo is the place of a descriptor in the tree.
func treeInfo(snap *mdib.Snapshot, d pm.Descriptor) pm.ContainmentTreeInfo {
	handle, children := d.Base().Handle, int32(0)
	for range snap.Children(handle) {
		children++
	}
	parent, _ := snap.Parent(handle)
	return pm.ContainmentTreeInfo{
		HandleRef: handle, ParentHandleRef: parent, EntryType: pm.Some(d.TypeName()), ChildrenCount: pm.Some(children),
	}
}

// getDescriptor answers with the descriptors of the handles, all if there are none, without their children (BICEPS R5033 to R5035). Unknown handles are ignored.
func (p *Provider) getDescriptor(_ context.Context, _ *soap.Request, r *msg.GetDescriptor) (soap.Body, error) {
	snap := p.store.Load()
	response := &msg.GetDescriptorResponse{}
	response.MdibVersionGroup = versionGroup(snap)
	if len(r.HandleRef) == 0 {
		for e := range snap.Entities() {
			response.Descriptor = append(response.Descriptor, e.Descriptor)
		}
		return response, nil
	}
	for d := range descriptors(snap, r.HandleRef) {
		response.Descriptor = append(response.Descriptor, d)
	}
	return response, nil
}

// descriptors yields the descriptors of the handles that are known, in the order asked for, each once.
func descriptors(snap *mdib.Snapshot, handles []string) func(func(pm.Descriptor) bool) {
	return func(yield func(pm.Descriptor) bool) {
		seen := make(map[string]bool, len(handles))
		for _, h := range handles {
			d, ok := snap.Descriptor(h)
			if !ok || seen[h] {
				continue
			}
			seen[h] = true
			if !yield(d) {
				return
			}
		}
	}
}
