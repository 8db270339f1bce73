package provider

import (
	"context"
	"sync"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/soap"
)

// mdibCache holds the encoded GetMdibResponse of one MDIB version: encoding a large MDIB costs more than anything else a request can ask for.
type mdibCache struct {
	mu   sync.Mutex
	snap *mdib.Snapshot
	body soap.RawBody
}

// get encodes a snapshot once; others that ask for the same one meanwhile wait for it.
func (c *mdibCache) get(snap *mdib.Snapshot) soap.RawBody {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.snap != snap {
		c.body = snap.Response().AppendXML(make([]byte, 0, len(c.body)+len(c.body)/8))
		c.snap = snap
	}
	return c.body
}

// getMdib answers with everything, context states included (BICEPS R0021, SDPi R7002).
func (p *Provider) getMdib(context.Context, *soap.Request, *msg.GetMdib) (soap.Body, error) {
	return p.encoded.get(p.store.Load()), nil
}

// getMdDescription answers with the MDSs of the given handles, all if there are none; unknown handles are ignored (BICEPS C-55_0).
func (p *Provider) getMdDescription(_ context.Context, _ *soap.Request, r *msg.GetMdDescription) (soap.Body, error) {
	snap := p.store.Load()
	response := &msg.GetMdDescriptionResponse{MdDescription: *snap.MdDescription()}
	if len(r.HandleRef) > 0 {
		wanted := make(map[string]bool, len(r.HandleRef))
		for _, h := range r.HandleRef {
			if mds, ok := snap.MDSOf(h); ok {
				wanted[mds] = true
			}
		}
		var chosen []*pm.MdsDescriptor
		for _, mds := range response.MdDescription.Mds {
			if wanted[mds.Handle] {
				chosen = append(chosen, mds)
			}
		}
		response.MdDescription.Mds = chosen
	}
	response.MdibVersionGroup = versionGroup(snap)
	return response, nil
}

// selection says which states a list of handles asks for.
type selection struct {
	all          bool
	mds, handles map[string]bool
}

func selectStates(snap *mdib.Snapshot, handles []string) selection {
	s := selection{all: len(handles) == 0, mds: map[string]bool{}, handles: map[string]bool{}}
	for _, h := range handles {
		if d, ok := snap.Descriptor(h); ok {
			if _, isMDS := d.(*pm.MdsDescriptor); isMDS {
				s.mds[h] = true
				continue
			}
		}
		s.handles[h] = true
	}
	return s
}

func (s selection) has(snap *mdib.Snapshot, state pm.State) bool {
	descriptor := state.BaseState().DescriptorHandle
	if s.all || s.handles[descriptor] || s.handles[pm.HandleOf(state)] {
		return true
	}
	if len(s.mds) == 0 {
		return false
	}
	mds, ok := snap.MDSOf(descriptor)
	return ok && s.mds[mds]
}

// getMdState answers with the states the handles ask for: none all, a descriptor its states, an MDS all of that MDS, a context state that state;
// the union of them, unknown handles ignored (BICEPS C-62).
func (p *Provider) getMdState(_ context.Context, _ *soap.Request, r *msg.GetMdState) (soap.Body, error) {
	snap := p.store.Load()
	response := &msg.GetMdStateResponse{MdState: *snap.MdState()}
	if wanted := selectStates(snap, r.HandleRef); !wanted.all {
		var chosen []pm.State
		for _, state := range response.MdState.State {
			if wanted.has(snap, state) {
				chosen = append(chosen, state)
			}
		}
		response.MdState.State = chosen
	}
	response.MdibVersionGroup = versionGroup(snap)
	return response, nil
}

// getContextStates is getMdState for context states only (BICEPS R5039 to R5042).
func (p *Provider) getContextStates(_ context.Context, _ *soap.Request, r *msg.GetContextStates) (soap.Body, error) {
	snap := p.store.Load()
	response := &msg.GetContextStatesResponse{}
	wanted := selectStates(snap, r.HandleRef)
	for _, state := range snap.MdState().State {
		if c, ok := state.(pm.ContextState); ok && wanted.has(snap, state) {
			response.ContextState = append(response.ContextState, c)
		}
	}
	response.MdibVersionGroup = versionGroup(snap)
	return response, nil
}
