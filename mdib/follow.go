package mdib

import (
	"errors"

	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
)

// Follow applies a report that was made elsewhere, with all the versions it carries, as a Mirror does: for a device that shows what another one
// did, a replayed recording for example. No rule is checked and nothing is added. Report of the change returns the report given, which
// belongs to the store afterwards.
//
// A report of another sequence is a *SequenceError, one of a lower MDIB version ErrOld; other errors say that it does not fit. A report that fails changes nothing. Do
// not mix it with Update, unless nothing is to be followed any more.
func (st *Store) Follow(report msg.Report) (*Change, error) {
	if pm.IsNil(report) {
		return nil, errors.New("mdib: there is no report to follow")
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	c, err := MirrorConfig{MaxStates: maxStates}.follow(st.current.Load(), report)
	if err != nil {
		return nil, err
	}
	st.retire(c)
	if c.After != c.Before {
		st.current.Store(c.After)
	}
	return c, nil
}

// Replace puts another MDIB in the place of the present one, as it is, versions included. It is for a device that shows what another one did, where
// what led there is not known. Consumers see it as a gap or a new sequence with the next report.
func (st *Store) Replace(s *Snapshot) {
	if s == nil {
		panic("mdib: Replace without an MDIB") // here, not in whoever reads next
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	st.leaving = nil
	st.current.Store(s)
}
