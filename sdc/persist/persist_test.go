package persist

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/semeco/go-sdc/diff"
	"github.com/semeco/go-sdc/internal/testkit/faults"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/provider"
)

// childEnv names the folder that a child process saves into until it is killed.
const childEnv = "SDC_PERSIST_TEST_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		childMain(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// start is a start of the device with its folder.
func start(cfg Config) (*State, *provider.Provider, error) {
	st, err := Open(cfg)
	if err != nil {
		return nil, nil, err
	}
	pc := provider.Config{MDIB: must(mdib.ReadFile("../provider/testdata/device.xml")), Insecure: true}
	if err := st.Configure(&pc); err != nil {
		return nil, nil, err
	}
	p, err := provider.New(pc)
	return st, p, err
}

func measure(p *provider.Provider, value int64) error {
	return p.Update(func(tx *mdib.Tx) error { return tx.SetNumeric("num", pm.NewDecimal(value, 0), time.Now()) })
}

func value(s *mdib.Snapshot) int64 {
	state, ok := mdib.Get[*pm.NumericMetricState](s, "num")
	if !ok || state.MetricValue == nil {
		return 0
	}
	v, _, _ := state.MetricValue.Value.Or(pm.Decimal{}).Coefficient()
	return v
}

// childMain measures and saves as fast as it can and says what is safe.
func childMain(dir string) {
	st, p, err := start(Config{Dir: dir})
	for v := value(p.MDIB()) + 1; ; v++ {
		if err == nil {
			err = measure(p, v)
		}
		if err == nil {
			err = st.Save(p)
		}
		if err != nil {
			panic(err)
		}
		fmt.Println(v)
	}
}

// TestKilledInMidWrite: a device is killed while it saves, many times over. What it had saved before is there each time, the address stays, and the number of the start rises.
//
// covers: COEX-4, WSD-1
func TestKilledInMidWrite(t *testing.T) {
	dir := t.TempDir()
	epr, instance, last := "", uint32(0), int64(0)
	for round := range 20 {
		safe, err := strconv.ParseInt(faults.Kill(t, childEnv, dir, 1+rand.IntN(6)), 10, 64)
		require.NoError(t, err)

		st, p, err := start(Config{Dir: dir, Resume: KeepVersions})
		require.NoError(t, err)
		require.Empty(t, st.Damage(), "a file is there as a whole or not at all")
		require.True(t, st.Restored())
		require.False(t, st.Clean())
		require.GreaterOrEqual(t, value(p.MDIB()), safe, "round %d", round)
		require.Greater(t, value(p.MDIB()), last)
		require.Greater(t, st.InstanceID(), instance)
		if round > 0 {
			require.Equal(t, epr, p.EPR())
		}
		epr, instance, last = p.EPR(), st.InstanceID(), safe
		require.EqualValues(t, 0, p.MDIB().Version().MdibVersion, "after a crash a new sequence begins")
		all, err := generations(dir)
		require.NoError(t, err)
		require.LessOrEqual(t, len(all), keep+1)
	}
}

// TestRestartInGoodOrder: versions go on, or a new sequence begins, as configured.
//
// covers: BICEPS R5003, BICEPS R5004, BICEPS R5005
func TestRestartInGoodOrder(t *testing.T) {
	for resume, name := range map[Resume]string{KeepVersions: "keep", NewSequence: "new"} {
		t.Run(name, func(t *testing.T) {
			cfg := Config{Dir: filepath.Join(t.TempDir(), "state"), Resume: resume}
			st, p, err := start(cfg)
			require.NoError(t, err)
			require.False(t, st.Restored())
			for v := range int64(5) {
				require.NoError(t, measure(p, v+1))
			}
			// A descriptor that comes and goes: its versions must go on even if it comes back after the restart.
			insert := func(p *provider.Provider) error {
				return p.Update(func(tx *mdib.Tx) error {
					d := &pm.ChannelDescriptor{}
					d.Handle = "extra"
					return tx.Insert("vmd", d)
				})
			}
			require.NoError(t, insert(p))
			require.NoError(t, p.Update(func(tx *mdib.Tx) error { return tx.Delete("extra") }))
			require.NoError(t, st.Close(p))
			before := p.MDIB()

			st2, p2, err := start(cfg)
			require.NoError(t, err)
			require.True(t, st2.Clean())
			require.Equal(t, p.EPR(), p2.EPR())
			require.Greater(t, st2.InstanceID(), st.InstanceID())
			for _, d := range diff.Snapshots(before, p2.MDIB(), diff.Options{Versions: true}) {
				require.Equal(t, "mdib", string(d.Part), "content, and versions of descriptors and states: %+v", d)
				require.Equal(t, NewSequence, resume)
			}
			is, was := p2.MDIB().Version(), before.Version()
			if resume == KeepVersions {
				require.Equal(t, was, is, "sequence, instance and version")
			} else {
				require.NotEqual(t, was.SequenceID, is.SequenceID)
				require.Equal(t, pm.Some(uint64(st2.InstanceID())), is.InstanceID)
				require.Zero(t, is.MdibVersion)
			}
			require.NoError(t, insert(p2))
			d, ok := p2.MDIB().Descriptor("extra")
			require.True(t, ok)
			require.EqualValues(t, 1, d.Base().DescriptorVersion)
			require.NoError(t, st2.Save(p2))

			// Killed now: nobody knows how far it got.
			_, p3, err := start(cfg)
			require.NoError(t, err)
			require.NotEqual(t, is.SequenceID, p3.MDIB().Version().SequenceID)
			require.Zero(t, p3.MDIB().Version().MdibVersion)
			require.EqualValues(t, 5, value(p3.MDIB()))
		})
	}
}

// TestTornFiles: the power failed and the disk did not keep its promises.
func TestTornFiles(t *testing.T) {
	dir := t.TempDir()
	st, p, err := start(Config{Dir: dir})
	require.NoError(t, err)
	for v := range int64(2) {
		require.NoError(t, measure(p, v+1))
		require.NoError(t, st.Save(p))
	}
	all, err := generations(dir)
	require.NoError(t, err)
	require.Len(t, all, keep)
	newest, older := filepath.Join(dir, fileName(all[0])), filepath.Join(dir, fileName(all[1]))
	whole, err := os.ReadFile(newest)
	require.NoError(t, err)
	former, err := os.ReadFile(older)
	require.NoError(t, err)
	damaged := [][]byte{nil, whole[:5], whole[:len(whole)/2], whole[:len(whole)-1], make([]byte, len(whole)), append(whole[:len(whole):len(whole)], 0), former}
	for range 20 {
		b := append([]byte(nil), whole...)
		b[rand.IntN(len(b))] ^= byte(1 + rand.IntN(255))
		damaged = append(damaged, b)
	}
	for _, b := range damaged {
		again := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(again, fileName(all[0])), b, 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(again, fileName(all[1])), former, 0o600))
		st, p, err := start(Config{Dir: again, Resume: KeepVersions})
		require.NoError(t, err)
		require.Len(t, st.Damage(), 1)
		require.False(t, st.Clean())
		require.EqualValues(t, 1, value(p.MDIB()), "the generation before")
		// What was damaged is out of the way, and does not come back.
		require.NoError(t, measure(p, 9))
		require.NoError(t, st.Close(p))
		_, p, err = start(Config{Dir: again})
		require.NoError(t, err)
		require.EqualValues(t, 9, value(p.MDIB()))
	}
	require.NoError(t, os.WriteFile(newest, nil, 0o600))
	require.NoError(t, os.WriteFile(older, former[:9], 0o600))
	_, err = Open(Config{Dir: dir})
	require.ErrorIs(t, err, ErrDamaged, "a device that forgets who it is must not go on unnoticed")
}

func TestClockSetBack(t *testing.T) {
	dir := t.TempDir()
	last := uint32(0)
	for _, at := range []int64{1_800_000_000, 1_000, 1_800_000_000, 1_900_000_000} {
		st, err := Open(Config{Dir: dir, Now: func() time.Time { return time.Unix(at, 0) }})
		require.NoError(t, err)
		require.Greater(t, st.InstanceID(), last)
		last = st.InstanceID()
	}
	require.EqualValues(t, 1_900_000_000, last)
}

func TestWrongUse(t *testing.T) {
	_, err := Open(Config{})
	require.ErrorContains(t, err, "Dir is missing")
	_, err = Open(Config{Dir: t.TempDir(), Every: -1})
	require.ErrorContains(t, err, "negative")
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err = Open(Config{Dir: file})
	require.Error(t, err)

	dir := t.TempDir()
	st, p, err := start(Config{Dir: dir})
	require.NoError(t, err)
	require.NoError(t, st.Close(p))
	again, err := Open(Config{Dir: dir})
	require.NoError(t, err)
	require.ErrorIs(t, again.Configure(&provider.Config{EPR: "urn:uuid:5b0f4f5e-0c3e-4e0c-9c60-3c1f5c9d3a11"}), ErrOtherDevice)
	other := &pm.MdsDescriptor{}
	other.Handle = "another"
	snap, err := mdib.FromMdib(&pm.Mdib{MdDescription: &pm.MdDescription{Mds: []*pm.MdsDescriptor{other}}})
	require.NoError(t, err)
	require.ErrorIs(t, again.Configure(&provider.Config{MDIB: snap}), ErrOtherDevice)
}

func FuzzDecode(f *testing.F) {
	b, err := encode(&head{EPR: "urn:uuid:1", MDIB: true}, must(mdib.ReadFile("../provider/testdata/device.xml")))
	require.NoError(f, err)
	f.Add(b)
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 4 { // the checksum would keep the fuzzer from everything behind it
			binary.LittleEndian.PutUint32(b[len(b)-4:], crc32.Checksum(b[:len(b)-4], table()))
		}
		_, snap, err := decode(b)
		if err == nil && snap != nil && snap.Response() == nil {
			t.Fatal("no MDIB")
		}
	})
}

// What was measured before a restart is not what the patient is like now: a device can take it away, but for what it keeps counting, and settings stay.
func TestMeasuredBeforeTheRestart(t *testing.T) {
	for resume, name := range map[Resume]string{KeepVersions: "keep", NewSequence: "new"} {
		t.Run(name, func(t *testing.T) {
			cfg := Config{Dir: t.TempDir(), Resume: resume}
			st, p, err := start(cfg)
			require.NoError(t, err)
			require.NoError(t, st.ClearMeasured(p, "no such handle"), "nothing was restored")
			require.NoError(t, measure(p, 37))
			require.NoError(t, p.Update(func(tx *mdib.Tx) error { return tx.SetNumeric("num.set", pm.MustDecimal("12"), time.Now()) }))
			require.NoError(t, p.Update(func(tx *mdib.Tx) error {
				return tx.SetSamples("wave", pm.Samples{pm.MustDecimal("1")}, time.Now())
			}))
			require.NoError(t, st.Close(p))

			st, p, err = start(cfg)
			require.NoError(t, err)
			require.EqualValues(t, 37, value(p.MDIB()), "as it was saved, until the device says otherwise")
			before := p.MDIB()
			require.ErrorIs(t, st.ClearMeasured(p, "no such handle"), mdib.ErrUnknownHandle)
			require.Same(t, before, p.MDIB(), "a wrong call changes nothing")
			require.NoError(t, st.ClearMeasured(p))
			num, _ := mdib.Get[*pm.NumericMetricState](p.MDIB(), "num")
			require.False(t, num.MetricValue.Value.IsSet())
			require.Equal(t, pm.MeasurementValidityOng, num.MetricValue.MetricQuality.Validity)
			set, _ := mdib.Get[*pm.NumericMetricState](p.MDIB(), "num.set")
			require.Equal(t, pm.Some(pm.MustDecimal("12")), set.MetricValue.Value, "a setting is in force")
			wave, _ := mdib.Get[*pm.RealTimeSampleArrayMetricState](p.MDIB(), "wave")
			require.Empty(t, wave.MetricValue.Samples)
			old, _ := mdib.Get[*pm.NumericMetricState](before, "num")
			require.Equal(t, old.StateVersion+1, num.StateVersion, "consumers that knew it notice")
			again := p.MDIB()
			require.NoError(t, st.ClearMeasured(p))
			require.Same(t, again, p.MDIB())
			require.NoError(t, st.Close(p))

			// A total goes on.
			st, p, err = start(cfg)
			require.NoError(t, err)
			require.NoError(t, measure(p, 38))
			require.NoError(t, st.Close(p))
			st, p, err = start(cfg)
			require.NoError(t, err)
			require.NoError(t, st.ClearMeasured(p, "num"))
			require.EqualValues(t, 38, value(p.MDIB()))
		})
	}
}
