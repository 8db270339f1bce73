package provider

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/semeco/go-sdc/mdib/history"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/soap"
)

// maxArchiveAnswer is how many revisions one answer may hold; a request for more is a Sender fault. As XML they are about 3 MB, which is much for a small device.
const maxArchiveAnswer = 5000

// archiveFrame is what both archive requests filter by.
type archiveFrame struct {
	first, last uint64
	start, end  time.Time
	handles     map[string]bool // nil: all
}

// newArchiveFrame checks the filters: at least one of versions and time (BICEPS R5015, R5019), each from lower to higher. An end that is left out is open.
func newArchiveFrame(versions *msg.VersionFrame, span *msg.TimeFrame, handles []string) (*archiveFrame, error) {
	f := &archiveFrame{last: 1<<64 - 1}
	if versions == nil && span == nil {
		return nil, soap.InvalidMessage("a frame of versions or of time is needed")
	}
	if versions != nil {
		f.first, f.last = versions.Start.Or(0), versions.End.Or(f.last)
		if f.first > f.last {
			return nil, soap.InvalidMessage(fmt.Sprintf("the frame of versions starts at %d and ends at %d", f.first, f.last))
		}
	}
	if span != nil {
		if t, ok := span.Start.Get(); ok {
			f.start = t.Time()
		}
		if t, ok := span.End.Get(); ok {
			f.end = t.Time()
		}
		if !f.start.IsZero() && !f.end.IsZero() && !f.start.Before(f.end) {
			return nil, soap.InvalidMessage("the frame of time does not start before it ends")
		}
	}
	if len(handles) > 0 {
		f.handles = make(map[string]bool, len(handles))
		for _, h := range handles {
			f.handles[h] = true
		}
	}
	return f, nil
}

func (f *archiveFrame) has(version uint64, r *history.Revision, descriptor string) bool {
	return version >= f.first && version <= f.last && r.In(f.start, f.end) && (f.handles == nil || f.handles[r.Handle] || f.handles[descriptor])
}

// collect gives the revisions that a frame holds to add.
func (f *archiveFrame) collect(revisions iter.Seq[history.Revision], version func(*history.Revision) (uint64, string), add func(*history.Revision)) error {
	n := 0
	for r := range revisions {
		v, descriptor := version(&r)
		if !f.has(v, &r, descriptor) {
			continue
		}
		if n++; n > maxArchiveAnswer {
			return soap.InvalidMessage(fmt.Sprintf("more than %d revisions match; ask for less at once", maxArchiveAnswer))
		}
		add(&r)
	}
	return nil
}

// getDescriptorsFromArchive answers with the revisions of descriptors that held in the frame, oldest first, without children (BICEPS R5015 to R5018). How far back they go is
// bounded by Config.Log.
func (p *Provider) getDescriptorsFromArchive(_ context.Context, q *soap.Request, r *msg.GetDescriptorsFromArchive) (soap.Body, error) {
	f, err := newArchiveFrame(r.DescriptorRevisions, r.TimeFrame, r.Handle)
	if err != nil {
		return nil, err
	}
	turn := q.Turn()
	if err := turn.Begin(); err != nil {
		return nil, err
	}
	defer turn.End()
	response := &msg.GetDescriptorsFromArchiveResponse{}
	response.MdibVersionGroup = versionGroup(p.store.Load())
	err = f.collect(p.changes.View(p.now()).Descriptors(),
		func(r *history.Revision) (uint64, string) { return r.Descriptor.Base().DescriptorVersion, r.Handle },
		func(r *history.Revision) { response.Descriptor = append(response.Descriptor, r.Descriptor) })
	if err != nil {
		return nil, err
	}
	return response, nil
}

// getStatesFromArchive answers with the revisions of states that held in the frame, oldest first (BICEPS R5019 to R5023). A handle names a state, or a descriptor for all of
// its states.
func (p *Provider) getStatesFromArchive(_ context.Context, q *soap.Request, r *msg.GetStatesFromArchive) (soap.Body, error) {
	f, err := newArchiveFrame(r.StateRevisions, r.TimeFrame, r.Handle)
	if err != nil {
		return nil, err
	}
	turn := q.Turn()
	if err := turn.Begin(); err != nil {
		return nil, err
	}
	defer turn.End()
	response := &msg.GetStatesFromArchiveResponse{}
	response.MdibVersionGroup = versionGroup(p.store.Load())
	err = f.collect(p.changes.View(p.now()).States(),
		func(r *history.Revision) (uint64, string) {
			base := r.State.BaseState()
			return base.StateVersion, base.DescriptorHandle
		},
		func(r *history.Revision) { response.State = append(response.State, r.State) })
	if err != nil {
		return nil, err
	}
	return response, nil
}

// now is the clock of the MDIB.
func (p *Provider) now() time.Time {
	if p.cfg.Store.Now != nil {
		return p.cfg.Store.Now()
	}
	return time.Now()
}
