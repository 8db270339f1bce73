package mdib

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/semeco/go-sdc/mdib/pm"
)

// DefaultMaxRetired is how many removed handles a Store remembers unless told otherwise.
const DefaultMaxRetired = 100_000

// Config of a Store. The zero value is good for a device that has just started.
type Config struct {
	// SequenceID of the MDIB, a URI; "" makes a new "urn:uuid:...". Versions count from 0 in a new sequence.
	SequenceID string
	// InstanceID of the MDIB; not given by default. A device that uses it raises it with every start, which is a new sequence, and never
	// else (BICEPS R5004, R5005).
	InstanceID pm.Opt[uint64]
	// KeepVersion takes sequence, instance and MDIB version over from the snapshot and ignores the two above: only for a
	// device that goes on exactly where it stopped, with a snapshot of the very last version.
	KeepVersion bool
	// Now is the clock for determination and binding times; nil means time.Now.
	Now func() time.Time
	// MaxRetired is how many removed handles are remembered so that their versions and types go on when they come back (BICEPS
	// R0034_0, R0038_0, R0098_0). The oldest are forgotten first; versions of handles not remembered then start above
	// all forgotten ones, so that none ever falls (R5003). 0 means DefaultMaxRetired.
	MaxRetired int
	// Memory is what Store.Save returned together with the snapshot, when the device stopped; nil for none.
	Memory *Memory
}

// Store is the MDIB of a device. Load and Update may be called from any goroutine.
type Store struct {
	current atomic.Pointer[Snapshot]
	now     func() time.Time

	mu      sync.Mutex // serialises writers
	retired retired
	created uint64 // counts generated context state handles
	spare   workspace
	leaving []string // handles of context states that the next commit drops
}

// NewStore makes a store that starts with the content of a snapshot. States refer to the versions of their descriptors from the start.
func NewStore(s *Snapshot, cfg Config) *Store {
	next := *s
	if !cfg.KeepVersion {
		next.version = Version{SequenceID: cfg.SequenceID, InstanceID: cfg.InstanceID}
		if next.version.SequenceID == "" {
			next.version.SequenceID = newSequenceID()
		}
	}
	b := next.states.Batch()
	for handle, state := range s.states.All() {
		if d, ok := s.Descriptor(state.BaseState().DescriptorHandle); ok && d.Base().DescriptorVersion != state.BaseState().DescriptorVersion {
			state = pm.ShallowState(state)
			state.BaseState().DescriptorVersion = d.Base().DescriptorVersion
			b.Set(handle, state)
		}
	}
	next.states = b.Map()
	st := &Store{now: cfg.Now, retired: retired{max: cfg.MaxRetired}}
	if st.now == nil {
		st.now = time.Now
	}
	if st.retired.max <= 0 {
		st.retired.max = DefaultMaxRetired
	}
	st.restore(cfg.Memory)
	st.current.Store(&next)
	return st
}

func newSequenceID() string { return "urn:uuid:" + uuid.NewString() }

// Load returns the current MDIB. It never blocks.
func (st *Store) Load() *Snapshot { return st.current.Load() }

// Update runs a transaction: fn edits private copies through the Tx, and if it returns nil the changes are checked and committed as the next MDIB
// version. Writers run one after the other; fn must not call Update of the same store.
//
// A commit raises the MDIB version by one and each changed state's and descriptor's version by one, however often it was
// edited. What was edited but is the same as before, versions aside, does not count (BICEPS C-5, C-11 to C-15); if nothing
// counts, Update returns nil, nil and the MDIB is as it was.
//
// If fn or a rule fails, the error is returned and nothing has changed. If fn panics, nothing has changed either, the panic goes on and the store can be used on.
//
// What a transaction handed out belongs to the MDIB after a commit and must not be changed any more.
func (st *Store) Update(fn func(*Tx) error) (*Change, error) {
	if fn == nil {
		return nil, missing("the function of the transaction")
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	base := st.current.Load()
	tx := &Tx{store: st, base: base, hasher: base.hasher(), workspace: st.spare}
	st.spare = workspace{}
	defer func() {
		tx.done = true
		st.spare = tx.workspace.cleared()
		tx.workspace = workspace{}
	}()
	if err := fn(tx); err != nil {
		return nil, err
	}
	return tx.commit()
}

// NewSequence starts a new sequence, as after an abrupt change of the clock (SDPi R1522): a new SequenceId and MDIB version 0. An InstanceId,
// if used, rises by one; nothing else changes it (BICEPS R5004, R5005). Consumers have to read the MDIB anew. Versions of descriptors and states go on.
func (st *Store) NewSequence() *Snapshot {
	st.mu.Lock()
	defer st.mu.Unlock()
	next := *st.current.Load()
	instance := next.version.InstanceID
	if id, ok := instance.Get(); ok {
		instance = pm.Some(id + 1)
	}
	next.version = Version{SequenceID: newSequenceID(), InstanceID: instance}
	st.current.Store(&next)
	return &next
}
