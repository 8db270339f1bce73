package recording

import (
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(childEnv); path != "" {
		childMain(path)
		return
	}
	goleak.VerifyTestMain(m)
}

const deviceEPR = "urn:uuid:5b0f4f5e-0c3e-4e0c-9c60-3c1f5c9d3a11"

// device is a recorded device without a network.
type device struct {
	store *mdib.Store
	track *Track
	at    time.Time
}

func newStore(t testing.TB) *mdib.Store {
	t.Helper()
	snap, err := mdib.ReadFile("../sdc/provider/testdata/device.xml")
	require.NoError(t, err)
	return mdib.NewStore(snap, mdib.Config{SequenceID: "urn:uuid:6f1b9e0a-0000-4000-8000-000000000001"})
}

func newDevice(t testing.TB, w *Writer, epr string) *device {
	t.Helper()
	d := &device{store: newStore(t), at: w.start}
	var err error
	d.track, err = w.Track(Device{EPR: epr, SerialNumber: "7"})
	require.NoError(t, err)
	d.track.Start(d.at, Link{State: "live", Since: d.at}, d.store.Load())
	return d
}

// measure changes the first numeric metric of the device, after a step of time.
func (d *device) measure(t testing.TB, step time.Duration) {
	t.Helper()
	d.at = d.at.Add(step)
	handle := numeric(d.store.Load())
	change, err := d.store.Update(func(tx *mdib.Tx) error {
		return tx.SetNumeric(handle, pm.NewDecimal(int64(d.store.Load().Version().MdibVersion+1), 0), d.at)
	})
	require.NoError(t, err)
	require.NotNil(t, change)
	d.track.Report(d.at, change.Report(), change.After)
}

func numeric(s *mdib.Snapshot) string {
	for e := range s.Entities() {
		if _, ok := e.State.(*pm.NumericMetricState); ok {
			return e.Handle
		}
	}
	panic("the fixture has no numeric metric")
}

func create(t testing.TB, cfg Config) (*Writer, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.sdcrec")
	w, err := Create(path, cfg)
	require.NoError(t, err)
	return w, path
}

func open(t testing.TB, path string) *Reader {
	t.Helper()
	r, err := Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// versions plays a recording and returns the MDIB version after each report that was applied, and all gaps.
func versions(t testing.TB, r *Reader, devices ...string) (out []uint64, gaps []Gap) {
	t.Helper()
	for s, err := range r.Play(time.Time{}, devices...) {
		require.NoError(t, err)
		if s.Change != nil {
			out = append(out, s.After.Version().MdibVersion)
		}
		if s.Gap != nil {
			gaps = append(gaps, *s.Gap)
		}
	}
	return out, gaps
}

// memory is a file in memory that can be told to fail.
type memory struct {
	mu    sync.Mutex
	b     []byte
	limit int // bytes the disk has; 0 for enough
	fail  error
}

// setLimit leaves room for so many bytes more; 0 for enough.
func (m *memory) setLimit(room int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.limit = 0
	if room > 0 {
		m.limit = len(m.b) + room
	}
}

func (m *memory) WriteAt(b []byte, off int64) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.limit > 0 && int(off)+len(b) > m.limit {
		n := max(0, m.limit-int(off))
		m.b = append(m.b[:off], b[:n]...)
		return n, m.fail
	}
	m.b = append(m.b[:off], b...)
	return len(b), nil
}

func (m *memory) Truncate(size int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.b = m.b[:size]
	return nil
}

func (m *memory) Sync() error  { return nil }
func (m *memory) Close() error { return nil }

func (m *memory) ReadAt(b []byte, off int64) (int, error) {
	n := copy(b, m.b[min(int(off), len(m.b)):])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}
