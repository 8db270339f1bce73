package recording

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/diff"
	"github.com/semeco/go-sdc/internal/testkit/bubble"
	"github.com/semeco/go-sdc/mdib"
)

func TestWhatIsRecordedIsRead(t *testing.T) {
	for _, uncompressed := range []bool{false, true} {
		t.Run(fmt.Sprint("uncompressed ", uncompressed), func(t *testing.T) {
			w, path := create(t, Config{Uncompressed: uncompressed, FrameSize: 4 << 10, KeyEvery: 2 * time.Second, IndexEvery: 3})
			a, b := newDevice(t, w, deviceEPR), newDevice(t, w, "urn:uuid:5b0f4f5e-0c3e-4e0c-9c60-3c1f5c9d3a12")
			var snaps []*mdib.Snapshot
			var times []time.Time
			for i := range 120 {
				a.measure(t, 100*time.Millisecond)
				snaps, times = append(snaps, a.store.Load()), append(times, a.at)
				if i%3 == 0 {
					b.at = a.at
					b.measure(t, 0)
				}
			}
			a.track.Link(a.at, Link{State: "lost", Cause: "gone", Since: a.at})
			a.track.End(a.at, "gone")
			require.NoError(t, w.Close())
			require.ErrorIs(t, w.Close(), ErrClosed)

			r := open(t, path)
			require.True(t, r.Indexed())
			require.Len(t, r.Devices(), 2)
			require.Equal(t, "7", r.Devices()[0].SerialNumber)
			got, gaps := versions(t, r, deviceEPR)
			require.Len(t, got, 120)
			require.Empty(t, gaps)
			got, _ = versions(t, r, "5b0f4f5e-0c3e-4e0c-9c60-3c1f5c9d3a12")
			require.Len(t, got, 40)

			// Any moment is found, without loss.
			for _, i := range []int{0, 1, 57, 119} {
				snap, err := r.MDIBAt(deviceEPR, times[i])
				require.NoError(t, err)
				require.Empty(t, diff.Snapshots(snaps[i], snap, diff.Options{Versions: true}))
				require.Equal(t, snaps[i].Version(), snap.Version())
				snap, err = r.MDIBVersion(deviceEPR, snaps[i].Version().MdibVersion)
				require.NoError(t, err)
				require.True(t, bytes.Equal(snaps[i].Response().AppendXML(nil), snap.Response().AppendXML(nil)))
			}
			require.Positive(t, r.seek(times[119]), "the end is found without reading from the beginning")
			_, err := r.MDIBAt(deviceEPR, times[0].Add(-time.Hour))
			require.ErrorIs(t, err, ErrNotThere)
			_, err = r.MDIBVersion(deviceEPR, 10_000)
			require.ErrorIs(t, err, ErrNotThere)
			_, err = r.MDIBAt("5b0f", times[0])
			require.ErrorIs(t, err, ErrNoDevice)

			var first *Step
			n := 0
			for s, err := range r.Play(times[59], deviceEPR) {
				require.NoError(t, err)
				if first == nil {
					first = &s
				}
				if s.Change != nil {
					n++
				}
			}
			require.Equal(t, KindMDIB, first.Kind)
			require.Equal(t, snaps[58].Version(), first.After.Version())
			require.Equal(t, 61, n)

			s, err := r.Check(t.Context())
			require.NoError(t, err)
			require.True(t, s.Whole(), "%+v", s)
			require.EqualValues(t, 120, s.Devices[0].Reports)
			require.Positive(t, s.Devices[0].Keys)
			require.True(t, s.Devices[0].Ended)
			require.False(t, s.Devices[1].Ended)
			require.NoError(t, Compare(t.Context(), r, deviceEPR, r, deviceEPR))
			var d *Difference
			require.ErrorAs(t, Compare(t.Context(), r, deviceEPR, r, "urn:uuid:5b0f4f5e-0c3e-4e0c-9c60-3c1f5c9d3a12"), &d)
			require.Positive(t, d.Index)
		})
	}
}

func TestClocks(t *testing.T) {
	w, path := create(t, Config{})
	d := newDevice(t, w, deviceEPR)
	// The wall clock was set back by an hour; the monotonic time went on.
	stepped := time.Unix(0, w.start.Add(time.Second).Add(-time.Hour).UnixNano())
	rec := w.record(KindLink, 1, d.at.Add(time.Second), jsonOf(Link{State: "live"}))
	rec.wall = stepped.UnixNano()
	require.NoError(t, w.put(rec))
	require.NoError(t, w.Close())
	var last Entry
	for e, err := range open(t, path).Entries() {
		require.NoError(t, err)
		if e.Kind == KindLink {
			last = e
		}
	}
	require.Equal(t, w.start.Add(time.Second).UnixNano(), last.At.UnixNano())
	require.Equal(t, stepped.UnixNano(), last.Wall.UnixNano())
}

// recorded returns the bytes of a recording of one device that was not closed, and where its frames end.
func recorded(t *testing.T, reports int) (*memory, []int) {
	t.Helper()
	m := &memory{}
	w, err := newWriter(m, Config{FlushEvery: time.Hour, IndexEvery: 1000})
	require.NoError(t, err)
	d := newDevice(t, w, deviceEPR)
	require.NoError(t, w.Flush())
	ends := []int{len(m.b)}
	for range reports {
		d.measure(t, time.Second)
		require.NoError(t, w.Flush())
		ends = append(ends, len(m.b))
	}
	whole := &memory{b: append([]byte(nil), m.b...)}
	require.NoError(t, w.Close())
	return whole, ends
}

func TestTornAtEveryByte(t *testing.T) {
	whole, ends := recorded(t, 6)
	frames := 0 // whole ones
	for size := fileHeaderSize; size <= len(whole.b); size++ {
		// The middle of a long frame is like the rest of it.
		if near := slices.ContainsFunc(ends, func(end int) bool { return size-end < 70 && end-size < 20 }); !near && size%97 != 0 {
			continue
		}
		for frames+1 < len(ends) && ends[frames+1] <= size {
			frames++
		}
		r, err := NewReader(&memory{b: whole.b[:size]}, int64(size))
		require.NoError(t, err)
		got, gaps := versions(t, r)
		require.Len(t, got, frames, "size %d", size)
		require.Len(t, gaps, 1, "an end that was not meant is told")
		require.Equal(t, OriginFile, gaps[0].Origin)
		require.NoError(t, r.Close())
	}
	for size := range fileHeaderSize {
		_, err := NewReader(&memory{b: whole.b[:size]}, int64(size))
		require.ErrorIs(t, err, ErrFormat)
	}
}

func TestDamagedBytesAreToldAndPassedOver(t *testing.T) {
	whole, ends := recorded(t, 6)
	random := rand.New(rand.NewPCG(1, 2))
	for range 80 {
		m := &memory{b: append([]byte(nil), whole.b...)}
		at := ends[1] + random.IntN(ends[5]-ends[1])
		m.b[at] ^= byte(1 + random.IntN(255))
		r, err := NewReader(m, int64(len(m.b)))
		require.NoError(t, err)
		got, gaps := versions(t, r)
		require.NotEmpty(t, gaps)
		require.Less(t, len(got), 6)
		require.GreaterOrEqual(t, len(got), 1)
		for i, v := range got {
			require.EqualValues(t, i+1, v, "what is played has no hole")
		}
		s, err := r.Check(t.Context())
		require.NoError(t, err)
		require.False(t, s.Whole())
		require.NotEmpty(t, s.Damage)
		require.NoError(t, r.Close())
	}
}

func TestForeignAndFutureFiles(t *testing.T) {
	whole, _ := recorded(t, 1)
	_, err := NewReader(&memory{b: []byte("PK\x03\x04 something else, and long enough for a header")}, 50)
	require.ErrorIs(t, err, ErrFormat)
	m := &memory{b: append([]byte(nil), whole.b...)}
	binary.LittleEndian.PutUint16(m.b[8:], 2)
	_, err = NewReader(m, int64(len(m.b)))
	require.ErrorIs(t, err, ErrDamaged, "the checksum covers the version")
	binary.LittleEndian.PutUint32(m.b[28:], checksum(m.b[:28]))
	_, err = NewReader(m, int64(len(m.b)))
	require.ErrorIs(t, err, ErrVersion)
	require.Contains(t, err.Error(), "version 2")
	path := filepath.Join(t.TempDir(), "x")
	require.NoError(t, os.WriteFile(path, []byte("<xml/>"), 0o600))
	_, err = Open(path)
	require.ErrorIs(t, err, ErrFormat)
	require.Contains(t, err.Error(), path)
	require.False(t, IsRecording(path))
	_, err = Create(path, Config{})
	require.ErrorIs(t, err, os.ErrExist)
	_, _, err = Append(path, Config{})
	require.ErrorIs(t, err, ErrFormat)
	_, err = Create(path+"2", Config{Buffer: -1})
	require.ErrorContains(t, err, "negative")
	require.NoFileExists(t, path+"2")
}

func TestAppendGoesOn(t *testing.T) {
	whole, ends := recorded(t, 4)
	path := filepath.Join(t.TempDir(), "a.sdcrec")
	torn := whole.b[:ends[4]-10]
	require.NoError(t, os.WriteFile(path, torn, 0o600))
	for session := range 3 {
		w, dropped, err := Append(path, Config{})
		require.NoError(t, err)
		if session == 0 {
			require.EqualValues(t, ends[4]-10-ends[3], dropped)
		} else {
			require.Zero(t, dropped)
		}
		d := newDevice(t, w, deviceEPR)
		d.measure(t, time.Second)
		require.NoError(t, w.Close())
	}
	r := open(t, path)
	require.Len(t, r.Devices(), 1)
	got, gaps := versions(t, r)
	require.Equal(t, []uint64{1, 2, 3, 1, 1, 1}, got)
	require.Len(t, gaps, 1, "the session that was cut off")
	s, err := r.Check(t.Context())
	require.NoError(t, err)
	require.True(t, s.Whole())
	require.EqualValues(t, 4, s.Sessions)
}

// TestAppendCutsOffAFrameWithoutContent: after a loss of power the header of a frame may be there and its content not.
func TestAppendCutsOffAFrameWithoutContent(t *testing.T) {
	whole, ends := recorded(t, 3)
	clear(whole.b[ends[2]+frameHeaderSize:])
	path := filepath.Join(t.TempDir(), "a.sdcrec")
	require.NoError(t, os.WriteFile(path, whole.b, 0o600))
	w, dropped, err := Append(path, Config{})
	require.NoError(t, err)
	require.EqualValues(t, ends[3]-ends[2], dropped)
	require.NoError(t, w.Close())
	got, _ := versions(t, open(t, path))
	require.Equal(t, []uint64{1, 2}, got)
}

func TestDiskFull(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		m := &memory{fail: syscall.ENOSPC}
		w, err := newWriter(m, Config{Uncompressed: true, FrameSize: 1 << 10, Buffer: 32 << 10})
		require.NoError(t, err)
		d := newDevice(t, w, deviceEPR)
		d.measure(t, time.Second)
		require.NoError(t, w.Flush())
		m.setLimit(100)
		for range 200 {
			time.Sleep(time.Second)
			d.measure(t, time.Second)
		}
		s := w.Stats()
		require.ErrorIs(t, s.Trouble, syscall.ENOSPC)
		require.Positive(t, s.Dropped)
		require.LessOrEqual(t, s.Waiting, 32<<10)
		require.ErrorIs(t, w.Flush(), syscall.ENOSPC)
		require.Less(t, len(m.b), m.limit, "what a failed write left was taken back")

		// There is room again.
		m.setLimit(0)
		require.NoError(t, w.Flush())
		d.measure(t, time.Second)
		d.measure(t, time.Second)
		require.NoError(t, w.Close())
		r, err := NewReader(m, int64(len(m.b)))
		require.NoError(t, err)
		got, gaps := versions(t, r)
		require.Len(t, gaps, 1)
		require.Equal(t, OriginRecorder, gaps[0].Origin)
		require.Contains(t, gaps[0].Cause, "no space left")
		require.EqualValues(t, s.Dropped, gaps[0].Lost)
		require.EqualValues(t, 203, got[len(got)-1], "after the gap it goes on")
		require.Equal(t, 203, len(got)+int(gaps[0].Lost), "each report is there or counted")
		require.NoError(t, r.Close())
	})
}

// TestGapKeepsItsReason: once there is room on the disk again, what waits still fills the buffer for a moment. That is not why reports are missing.
func TestGapKeepsItsReason(t *testing.T) {
	m := &memory{fail: syscall.ENOSPC}
	w, err := newWriter(m, Config{Uncompressed: true, FrameSize: 1 << 10, Buffer: 16 << 10, FlushEvery: time.Hour})
	require.NoError(t, err)
	d := newDevice(t, w, deviceEPR)
	require.NoError(t, w.Flush())
	m.setLimit(100)
	for w.Stats().Dropped < 3 {
		d.measure(t, time.Second)
		_ = w.Flush() // fails
	}
	m.setLimit(0)
	w.mu.Lock()
	w.stats.Trouble = nil // the first frame has been written, and the buffer is as good as full
	w.mu.Unlock()
	d.measure(t, time.Second)
	require.NoError(t, w.Flush())
	d.measure(t, time.Second)
	require.NoError(t, w.Close())
	r, err := NewReader(m, int64(len(m.b)))
	require.NoError(t, err)
	_, gaps := versions(t, r)
	require.Len(t, gaps, 1)
	require.Contains(t, gaps[0].Cause, "no space left")
	require.NoError(t, r.Close())
}

func TestDiskStaysFull(t *testing.T) {
	m := &memory{fail: syscall.ENOSPC}
	w, err := newWriter(m, Config{FlushEvery: time.Hour})
	require.NoError(t, err)
	d := newDevice(t, w, deviceEPR)
	d.measure(t, time.Second)
	require.NoError(t, w.Flush())
	m.setLimit(10)
	d.measure(t, time.Second)
	err = w.Close()
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.ErrorContains(t, err, "the last 2 records")
	r, err := NewReader(m, int64(len(m.b)))
	require.NoError(t, err)
	_, gaps := versions(t, r)
	require.Len(t, gaps, 1)
	require.Contains(t, gaps[0].Cause, "not closed")
	require.NoError(t, r.Close())
}

// TestSlowDisk: a disk that does not take the data makes a gap, never a recorder that waits.
func TestSlowDisk(t *testing.T) {
	w, path := create(t, Config{Buffer: 40 << 10, FlushEvery: time.Hour})
	w.writing.Lock() // the disk
	d := newDevice(t, w, deviceEPR)
	for range 500 {
		d.measure(t, time.Millisecond)
	}
	w.writing.Unlock()
	require.NoError(t, w.Flush())
	d.measure(t, time.Millisecond)
	require.NoError(t, w.Close())
	got, gaps := versions(t, open(t, path))
	require.Len(t, gaps, 1)
	require.Contains(t, gaps[0].Cause, "keep up")
	require.Equal(t, 501, len(got)+int(gaps[0].Lost))
}

func TestGapsOfTheDevice(t *testing.T) {
	w, path := create(t, Config{})
	d := newDevice(t, w, deviceEPR)
	d.measure(t, time.Second)
	d.store.NewSequence()
	d.track.Resync(d.at, Gap{Origin: OriginDevice, Cause: "a new sequence", Since: d.at}, Link{State: "live"}, d.store.Load())
	d.measure(t, time.Second)
	require.NoError(t, w.Close())
	got, gaps := versions(t, open(t, path))
	require.Equal(t, []uint64{1, 1}, got)
	require.Len(t, gaps, 1)
	require.Equal(t, "a new sequence", gaps[0].Cause)
}

func FuzzReader(f *testing.F) {
	m := &memory{}
	w, err := newWriter(m, Config{FlushEvery: time.Hour})
	require.NoError(f, err)
	d := newDevice(f, w, deviceEPR)
	d.measure(f, time.Second)
	require.NoError(f, w.Flush())
	f.Add(append([]byte(nil), m.b...))
	d.measure(f, time.Second)
	require.NoError(f, w.Close())
	f.Add(m.b)
	f.Add([]byte(fileMagic))
	f.Fuzz(func(t *testing.T, b []byte) {
		// Checksums would keep the fuzzer from everything behind them.
		if len(b) >= fileHeaderSize && string(b[:8]) == fileMagic {
			binary.LittleEndian.PutUint32(b[28:], checksum(b[:28]))
		}
		for at := fileHeaderSize; at+frameHeaderSize <= len(b); {
			h := b[at : at+frameHeaderSize]
			stored := int(binary.LittleEndian.Uint32(h[8:]))
			if end := at + frameHeaderSize + stored; stored <= len(b) && end <= len(b) {
				payload := b[at+frameHeaderSize : end]
				if h[4] == byte(frameIndex) && len(payload) >= footSize {
					foot := payload[len(payload)-footSize:]
					binary.LittleEndian.PutUint32(foot[12:], checksum(foot[:12]))
				}
				binary.LittleEndian.PutUint32(h[40:], checksum(payload))
			}
			binary.LittleEndian.PutUint32(h[44:], checksum(h[:44]))
			at += frameHeaderSize + stored
		}
		r, err := NewReader(&memory{b: b}, int64(len(b)))
		if err != nil {
			if !errors.Is(err, ErrFormat) && !errors.Is(err, ErrVersion) && !errors.Is(err, ErrDamaged) {
				t.Fatal(err)
			}
			return
		}
		defer r.Close()
		if _, err := r.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		for s, err := range r.Play(r.created) {
			if err != nil {
				break
			}
			if s.Change != nil && s.After == nil {
				t.Fatal("a change without MDIB")
			}
		}
	})
}

// Of a device there is one track at a time; when it has ended another goes on, and the former says nothing more.
func TestOneTrackOfADevice(t *testing.T) {
	w, path := create(t, Config{})
	_, err := w.Track(Device{})
	require.ErrorContains(t, err, "no EPR")
	first := newDevice(t, w, deviceEPR)
	_, err = w.Track(Device{EPR: deviceEPR, SerialNumber: "8"})
	require.ErrorIs(t, err, ErrTracked)
	require.ErrorContains(t, err, deviceEPR)
	newDevice(t, w, "urn:uuid:5b0f4f5e-0c3e-4e0c-9c60-3c1f5c9d3a12")
	first.measure(t, time.Second)
	first.track.End(first.at, "lost")

	second := newDevice(t, w, deviceEPR)
	second.at = first.at
	first.measure(t, time.Second)
	first.track.Link(first.at, Link{State: "live"})
	first.track.Start(first.at, Link{State: "live"}, first.store.Load())
	first.track.Resync(first.at, Gap{Origin: OriginDevice, Cause: "late"}, Link{State: "live"}, first.store.Load())
	first.track.End(first.at, "once more")
	_, err = w.Track(Device{EPR: deviceEPR})
	require.ErrorIs(t, err, ErrTracked, "that the first ends once more does not free the second")
	second.measure(t, time.Second)
	second.track.End(second.at, "over")
	require.NoError(t, w.Close())

	r := open(t, path)
	require.Len(t, r.Devices(), 2)
	require.Equal(t, "7", r.Devices()[0].SerialNumber, "what was refused changed nothing")
	got, gaps := versions(t, r, deviceEPR)
	require.Equal(t, []uint64{1, 1}, got)
	require.Empty(t, gaps)
}
