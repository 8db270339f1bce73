package audit_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/semeco/go-sdc/internal/testkit/bubble"
	"github.com/semeco/go-sdc/internal/testkit/faults"
	"github.com/semeco/go-sdc/sdc/audit"
)

// writeForever makes the test binary a program that writes to the file until it is killed.
const writeForever = "SDC_AUDIT_TEST_WRITE"

func TestMain(m *testing.M) {
	if path := os.Getenv(writeForever); path != "" {
		f, err := audit.Open(path, audit.FileConfig{})
		if err != nil {
			panic(err)
		}
		for i := uint32(1); ; i++ {
			f.Record(event(i))
			if f.Last().Number > 200 {
				fmt.Println("enough")
			}
		}
	}
	goleak.VerifyTestMain(m)
}

func event(n uint32) audit.Event {
	return audit.Event{
		Time: time.Unix(int64(n), 0).UTC(), Kind: audit.Invoked, Device: "urn:uuid:1", Fingerprint: strings.Repeat("ab", 32), Subject: "CN=client <1> \"x\"\n",
		Remote: "192.0.2.2:1", Service: "SetService", Action: "a", Operation: "op", Target: "t", Transaction: n,
	}
}

// written is a file with n events, as bytes, and the end of its chain.
func written(t *testing.T, n uint32) (string, audit.Chain) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "audit")
	f, err := audit.Open(path, audit.FileConfig{})
	require.NoError(t, err)
	for i := range n {
		f.Record(event(i + 1))
	}
	require.NoError(t, f.Close())
	f.Record(event(99)) // after the end: nothing
	return path, f.Last()
}

func verify(t *testing.T, path, expect string) *audit.Report {
	t.Helper()
	r, err := os.Open(path)
	require.NoError(t, err)
	defer r.Close()
	rep, err := audit.Verify(r, expect)
	require.NoError(t, err)
	return rep
}

func TestFile(t *testing.T) {
	path, end := written(t, 10)
	rep := verify(t, path, end.Hash)
	require.Empty(t, rep.Problems)
	require.Equal(t, uint64(11), rep.Records)
	require.Equal(t, end, rep.End)

	f, err := audit.Open(path, audit.FileConfig{SyncEvery: -1})
	require.NoError(t, err)
	_, err = audit.Open(path, audit.FileConfig{})
	require.ErrorContains(t, err, "another process")
	f.Record(event(11))
	require.NoError(t, f.Close())
	require.NoError(t, f.Close())
	rep = verify(t, path, end.Hash)
	require.Empty(t, rep.Problems, "the chain goes on over the restart")
	require.Equal(t, uint64(13), rep.Records)

	var got []audit.Event
	r, err := os.Open(path)
	require.NoError(t, err)
	defer r.Close()
	require.NoError(t, audit.Each(r, func(rec *audit.Record) bool {
		if rec.Kind != audit.Opened {
			got = append(got, rec.Event)
		}
		return true
	}))
	require.Len(t, got, 11)
	require.Equal(t, event(3), got[2])
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

func TestVerifyFindsTampering(t *testing.T) {
	path, end := written(t, 5)
	good, err := os.ReadFile(path)
	require.NoError(t, err)
	lines := bytes.SplitAfter(good, []byte("\n"))
	lines = lines[:len(lines)-1]
	join := func(l ...[]byte) []byte { return bytes.Join(l, nil) }
	for name, c := range map[string]struct {
		text   []byte
		expect string
		want   string // "" finds nothing
	}{
		"nothing":           {good, end.Hash, ""},
		"a value":           {bytes.Replace(good, []byte(`"transaction":3`), []byte(`"transaction":4`), 1), "", "line 4: record 4: it was changed"},
		"a hash":            {bytes.Replace(good, []byte(end.Hash), []byte(strings.Repeat("0", 64)), 1), "", "changed"},
		"removed":           {join(lines[0], lines[1], lines[3], lines[4], lines[5]), "", "line 3: record 4 follows record 2"},
		"removed at first":  {join(lines[1:]...), "", "line 1: record 2 follows record 0"},
		"reordered":         {join(lines[0], lines[2], lines[1], lines[3], lines[4], lines[5]), "", "line 2: record 3 follows"},
		"doubled":           {join(lines[0], lines[1], lines[1], lines[2], lines[3], lines[4], lines[5]), "", "line 3"},
		"nonsense":          {join(lines[0], []byte("{}\n"), lines[1]), "", "line 2: it is no record"},
		"torn":              {good[:len(good)-10], "", "not complete"},
		"empty":             {nil, "", ""},
		"end removed":       {join(lines[:4]...), "", ""}, // a chain alone cannot tell
		"end removed, seen": {join(lines[:4]...), end.Hash, "expected hash"},
		"too long":          {append(bytes.Repeat([]byte("x"), 200_000), '\n'), "", "no record"},
	} {
		t.Run(name, func(t *testing.T) {
			rep, err := audit.Verify(bytes.NewReader(c.text), c.expect)
			require.NoError(t, err)
			if c.want == "" {
				require.Empty(t, rep.Problems)
				return
			}
			var all strings.Builder
			for _, p := range rep.Problems {
				fmt.Fprintf(&all, "line %d: %s\n", p.Line, p.Message)
			}
			require.Contains(t, all.String(), c.want)
		})
	}
	_, err = audit.Verify(errorReader{}, "")
	require.ErrorIs(t, err, errDisk)
}

func TestTornRecordIsRemovedAndTold(t *testing.T) {
	path, _ := written(t, 3)
	good, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, good[:len(good)-7], 0o600))
	f, err := audit.Open(path, audit.FileConfig{})
	require.NoError(t, err)
	require.NoError(t, f.Close())
	require.Empty(t, verify(t, path, "").Problems)
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(b), `"kind":"opened","count":`)

	changed := bytes.Replace(good, []byte(`"transaction":3`), []byte(`"transaction":4`), 1)
	require.NoError(t, os.WriteFile(path, changed, 0o600))
	_, err = audit.Open(path, audit.FileConfig{})
	require.ErrorContains(t, err, "changed")
	left, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, changed, left, "nothing is added to a file that was changed")
	_, err = audit.Open(t.TempDir(), audit.FileConfig{})
	require.Error(t, err)
}

// TestKill: what a process wrote outlives it, whatever ends it.
func TestKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit")
	require.Equal(t, "enough", faults.Kill(t, writeForever, path, 1))
	f, err := audit.Open(path, audit.FileConfig{}) // may cut a torn record
	require.NoError(t, err)
	require.NoError(t, f.Close())
	rep := verify(t, path, "")
	require.Empty(t, rep.Problems)
	require.Greater(t, rep.Records, uint64(200))
}

// TestDiskFull: failing to write is told once, the events wait, those beyond the queue are counted, and the chain goes on when there is room again.
func TestDiskFull(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		disk := &disk{}
		var failures []error
		var log bytes.Buffer
		f, err := audit.Open("x", audit.WithFile(audit.FileConfig{
			Queue: 8, Failed: func(err error) { failures = append(failures, err) }, Logger: slog.New(slog.NewTextHandler(&log, nil)),
		}, disk))
		require.NoError(t, err)
		disk.set(errDisk)
		f.Record(event(1))
		synctest.Wait()
		require.ErrorIs(t, f.Err(), errDisk)
		for i := range 20 {
			f.Record(event(uint32(i) + 2))
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		require.Len(t, failures, 1, "told once")
		disk.set(nil)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		require.NoError(t, f.Err())
		require.Len(t, failures, 2)
		require.NoError(t, f.Close())
		rep, err := audit.Verify(bytes.NewReader(disk.bytes()), f.Last().Hash)
		require.NoError(t, err)
		require.Empty(t, rep.Problems)
		require.Equal(t, uint64(12), rep.Lost, "one was being written and eight waited")
		require.Equal(t, uint64(1+1+1+8), rep.Records)
		require.Contains(t, log.String(), "level=ERROR")
	})
}

// TestKeep: who must not act unless it is known who acted gets to know whether it is.
func TestKeep(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		disk := &disk{}
		f, err := audit.Open("x", audit.WithFile(audit.FileConfig{Queue: 4, SyncEvery: time.Hour}, disk))
		require.NoError(t, err)
		f.Record(event(1))
		require.NoError(t, f.Keep(t.Context(), event(2)))
		require.Contains(t, string(disk.bytes()), `"transaction":2`, "and it is on the disk at once")
		disk.set(errDisk)
		for i := range 20 {
			require.ErrorIs(t, f.Keep(t.Context(), event(uint32(i)+3)), errDisk)
		}
		disk.set(nil)
		require.ErrorIs(t, f.Keep(t.Context(), event(98)), errDisk, "there is no room for it yet")
		time.Sleep(2 * time.Second)
		synctest.Wait()
		require.NoError(t, f.Keep(t.Context(), event(99)))
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		require.NoError(t, f.Close())
		require.Error(t, f.Keep(ended, event(100)))
		require.ErrorContains(t, f.Keep(t.Context(), event(100)), "closed")
		rep, err := audit.Verify(bytes.NewReader(disk.bytes()), f.Last().Hash)
		require.NoError(t, err)
		require.Empty(t, rep.Problems)
		require.Equal(t, uint64(16), rep.Lost, "one was being written and four waited: it stays bounded")
	})
}

func TestDigest(t *testing.T) {
	require.Equal(t, "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862", audit.Digest(map[string]int{"a": 1}), "printf '{\"a\":1}' | sha256sum")
	require.Equal(t, audit.Digest(map[string]int{"a": 1}), audit.Digest(struct {
		A int `json:"a"`
	}{1}), "what counts is the JSON")
	require.Empty(t, audit.Digest(func() {}))
}

func TestLog(t *testing.T) {
	var log bytes.Buffer
	s := audit.Several(audit.Log(slog.New(slog.NewTextHandler(&log, nil))), audit.SinkFunc(func(e audit.Event) { require.Equal(t, "op", e.Operation) }))
	e := event(7)
	s.Record(e)
	require.Contains(t, log.String(), "level=INFO")
	require.Contains(t, log.String(), "transaction=7")
	e.Kind = audit.Denied
	s.Record(e)
	require.Contains(t, log.String(), "level=WARN")
	s = audit.Log(slog.New(slog.DiscardHandler))
	s.Record(e)
}

func FuzzVerify(f *testing.F) {
	f.Add([]byte("{}\n"))
	f.Add([]byte(`{"n":1,"time":"2026-01-01T00:00:00Z","kind":"read","prev":"","hash":"00"}` + "\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		rep, err := audit.Verify(bytes.NewReader(text), "")
		if err != nil {
			t.Fatal(err)
		}
		if len(rep.Problems) == 0 && rep.Records > 0 && rep.End.Number != rep.Records {
			t.Fatalf("%d records, the last one is %d", rep.Records, rep.End.Number)
		}
	})
}

var errDisk = errors.New("no space left on device")

type errorReader struct{}

func (errorReader) Read([]byte) (int, error) { return 0, errDisk }
