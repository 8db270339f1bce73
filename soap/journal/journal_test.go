package journal

import (
	"bytes"
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/semeco/go-sdc/internal/testkit/bubble"
	"github.com/semeco/go-sdc/soap"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// message is a document of an action.
func message(action, text string) []byte {
	return soap.AppendEnvelope(nil, &soap.Header{Action: action, MessageID: "urn:uuid:1", RelatesTo: "urn:uuid:0"}, soap.RawBody(`<b xmlns="urn:b">`+text+`</b>`))
}

func request(doc []byte) soap.JournalEntry {
	return soap.JournalEntry{Time: time.Now(), Kind: soap.KindRequest, Transport: "http", Peer: "192.0.2.1:80", Method: "POST", Path: "/x", Document: doc}
}

// all reads a journal to its end.
func all(t *testing.T, r io.Reader) (entries []Entry, bad []error) {
	t.Helper()
	return allOf(t, NewReader(r))
}

func allOf(t *testing.T, in *Reader) (entries []Entry, bad []error) {
	t.Helper()
	for {
		e, err := in.Next()
		var line *LineError
		switch {
		case errors.Is(err, io.EOF):
			return entries, bad
		case errors.As(err, &line):
			bad = append(bad, err)
		default:
			require.NoError(t, err)
			entries = append(entries, e)
		}
	}
}

func readFile(t *testing.T, path string) []Entry {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	entries, bad := all(t, f)
	require.Empty(t, bad)
	return entries
}

func closed(t *testing.T, j *Journal) {
	t.Helper()
	require.NoError(t, j.Close(t.Context()))
}

func TestFileHoldsWhatWasNoted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	j, err := Open(path, Config{})
	require.NoError(t, err)
	doc := message("urn:do", "5 < 6 & \"x\"\n\t\u00b5")
	e := request(doc)
	e.Certificate = &x509.Certificate{Subject: pkix.Name{CommonName: "vent"}}
	e.Compressed = true
	n := soap.JournalOf(j, "provider", "urn:uuid:me").Note(e)
	require.EqualValues(t, 1, n)
	clear(doc) // the memory serves others
	doc = message("urn:do", "5 < 6 & \"x\"\n\t\u00b5")
	j.Note(soap.JournalEntry{
		Time: e.Time.Add(1500 * time.Microsecond), Sent: true, Kind: soap.KindAnswer, Transport: "http", Status: 503, Answers: n, Duration: 1500 * time.Microsecond, Problem: "busy",
	})
	closed(t, j)
	j.Note(e) // nothing becomes of it
	require.NoError(t, j.Close(t.Context()))

	info, err := os.Stat(path)
	require.NoError(t, err)
	if runtime.GOOS != "windows" {
		require.Equal(t, os.FileMode(0o600), info.Mode())
	}
	entries := readFile(t, path)
	require.Len(t, entries, 3)
	require.Equal(t, Entry{Time: entries[0].Time, Kind: KindStart, Format: 1}, entries[0])
	got := entries[1]
	require.Equal(t, Entry{
		N: 1, Time: e.Time.UTC().Round(0), Kind: soap.KindRequest, Direction: Received, Role: "provider", Self: "urn:uuid:me", Transport: "http", Peer: "192.0.2.1:80",
		Subject: "CN=vent", Method: "POST", Path: "/x", Action: "urn:do", MessageID: "urn:uuid:1", RelatesTo: "urn:uuid:0", Size: len(doc), Compressed: true, Body: string(doc),
	}, got)
	require.True(t, got.Whole())
	require.Equal(t, doc, got.Document())
	require.Equal(t, Entry{
		N: 2, Time: entries[2].Time, Kind: soap.KindAnswer, Direction: Sent, Transport: "http", Status: 503, Answers: 1, DurationMs: 1.5, Error: "busy",
	}, entries[2])
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(raw), "<s12:Body>", "XML can be searched")
}

func TestBodiesAreBoundedOrLeftOut(t *testing.T) {
	long := message("urn:do", strings.Repeat("\u00b5", 3000))
	note := func(cfg Config) Entry {
		path := filepath.Join(t.TempDir(), "j")
		j, err := Open(path, cfg)
		require.NoError(t, err)
		j.Note(request(long))
		closed(t, j)
		return readFile(t, path)[1]
	}
	for cut := 2000; cut < 2004; cut++ { // also in the middle of a character
		e := note(Config{MaxBody: cut})
		require.True(t, e.Truncated)
		require.False(t, e.Whole())
		require.Equal(t, len(long), e.Size)
		require.InDelta(t, cut, len(e.Body), 1)
		require.True(t, bytes.HasPrefix(long, e.Document()))
		require.Equal(t, "urn:do", e.Action)
	}
	e := note(Config{NoBodies: true})
	require.Equal(t, []any{"urn:do", len(long), false, "", []byte(nil)}, []any{e.Action, e.Size, e.Truncated, e.Body, e.BodyBase64})
	e = note(Config{MaxBody: 100})
	require.Equal(t, []any{"", 100}, []any{e.Action, len(e.Body)}, "the header was cut off")
}

// Nothing that comes from a network makes a line that is none, or commands a terminal that shows it.
func TestHostileContents(t *testing.T) {
	docs := [][]byte{
		[]byte("\x1b[2J\x00\xff\n{\"kind\":\"start\"}\n"),
		[]byte("not utf-8: \xff"),
		[]byte("\u009b2J\u202e\u2028\u2029 \"\\\n{\"n\":1,\"kind\":\"request\"}\n"),
		bytes.Repeat([]byte{0}, 5000),
		bytes.Repeat([]byte("\""), 5000),
		bytes.Repeat([]byte("\u009b"), 5000),
		message("urn:\u009b\u202e"+strings.Repeat("\"", 5000), ""),
		[]byte(`<?xml version="1.0"?><a xmlns="` + strings.Repeat("x", 1000)),
		{},
	}
	path := filepath.Join(t.TempDir(), "j")
	j, err := Open(path, Config{})
	require.NoError(t, err)
	for _, doc := range docs {
		e := request(doc)
		e.Path, e.Peer, e.Problem = string(doc), string(doc), string(doc)
		e.Certificate = &x509.Certificate{Subject: pkix.Name{CommonName: string(doc)}}
		j.Note(e)
	}
	closed(t, j)
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	require.True(t, utf8.Valid(raw))
	require.Equal(t, len(docs)+1, bytes.Count(raw, []byte("\n")))
	for _, r := range string(raw) {
		require.False(t, r < ' ' && r != '\n' || commands(r), "%q", r)
	}
	entries := readFile(t, path)
	require.Len(t, entries, len(docs)+1)
	for i, doc := range docs {
		e := entries[i+1]
		require.Equal(t, string(doc), string(e.Document()))
		require.Equal(t, len(doc), e.Size)
		require.LessOrEqual(t, len(e.Path)+len(e.Action), 2*(maxText+3))
	}
}

// slowDisk is a writer that writes when it is let.
type slowDisk struct {
	mu     sync.Mutex
	free   sync.Cond
	stuck  bool
	closed bool
	bytes.Buffer
}

func newSlowDisk() *slowDisk {
	d := &slowDisk{}
	d.free.L = &d.mu
	return d
}

func (d *slowDisk) set(stuck bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stuck = stuck
	d.free.Broadcast()
}

func (d *slowDisk) Write(b []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for d.stuck {
		d.free.Wait()
	}
	return d.Buffer.Write(b)
}

func (d *slowDisk) Close() error {
	d.closed = true
	return nil
}

// A flood while the disk hangs keeps within the bounds of the queue, holds nobody up, and is told of where entries are missing.
func TestFloodWhileTheDiskHangs(t *testing.T) {
	for _, tt := range []struct {
		name string
		cfg  Config
		kept int
	}{
		{"entries", Config{Queue: 10}, 10},
		{"bytes", Config{QueueBytes: 50_000}, 4},
		{"one that is larger than the room", Config{QueueBytes: 100}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				disk := newSlowDisk()
				j, err := New(disk, tt.cfg)
				require.NoError(t, err)
				synctest.Wait() // the first line is out
				disk.set(true)
				doc := message("urn:do", strings.Repeat("x", 10_000))
				note := func(n int) {
					for range n {
						j.Note(request(doc))
					}
				}
				began := time.Now()
				note(1000)
				require.Equal(t, began, time.Now())
				require.EqualValues(t, 1000-tt.kept, j.Lost())
				j.mu.Lock()
				require.Equal(t, tt.kept, j.waiting, "an entry that is being written counts")
				require.EqualValues(t, tt.kept*len(doc), j.bytes)
				j.mu.Unlock()
				disk.set(false)
				synctest.Wait()
				note(1)
				require.ErrorIs(t, j.Close(t.Context()), ErrLost)
				require.True(t, disk.closed)
				entries, bad := all(t, disk)
				require.Empty(t, bad)
				var lost uint64
				for i, e := range entries[1:] {
					if e.Kind == KindLost {
						require.Equal(t, tt.kept, i, "where they are missing")
						require.True(t, began.Equal(e.Time))
						lost += e.Lost
					}
				}
				require.EqualValues(t, 1000-tt.kept, lost)
				require.Len(t, entries, tt.kept+3)
				require.EqualValues(t, 1001, entries[len(entries)-1].N)
			})
		})
	}
}

// Close does not wait for ever.
func TestCloseWhileTheDiskHangs(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		disk := newSlowDisk()
		disk.set(true)
		j, err := New(disk, Config{})
		require.NoError(t, err)
		j.Note(request(nil))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, j.Close(ctx), context.DeadlineExceeded)
		disk.set(false)
		synctest.Wait()
		entries, _ := all(t, disk)
		require.Len(t, entries, 2)
	})
}

// brokenDisk fails for some writes, of which it takes a part.
type brokenDisk struct {
	bytes.Buffer
	writes int
	broken map[int]int
}

func (d *brokenDisk) Write(b []byte) (int, error) {
	d.writes++
	if n, ok := d.broken[d.writes]; ok {
		_, _ = d.Buffer.Write(b[:n])
		return n, errors.New("disk full")
	}
	return d.Buffer.Write(b)
}

func (*brokenDisk) Close() error { return nil }

// What a full disk does not take is counted; a line of which it took a part spoils no other.
func TestDiskFull(t *testing.T) {
	disk := &brokenDisk{broken: map[int]int{3: 0, 4: 10, 5: 0, 7: 1}}
	j, err := New(disk, Config{})
	require.NoError(t, err)
	for range 7 {
		j.Note(request(message("urn:do", "")))
	}
	require.ErrorIs(t, j.Close(t.Context()), ErrLost)
	entries, bad := all(t, &disk.Buffer)
	require.NotEmpty(t, bad)
	missing := uint64(7)
	var told uint64
	for _, e := range entries {
		switch e.Kind {
		case soap.KindRequest:
			missing--
		case KindLost:
			told += e.Lost
		}
	}
	require.NotZero(t, missing)
	require.Equal(t, missing, told)
	require.Equal(t, missing, j.Lost())
}

func TestFilesAreBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	j, err := Open(path, Config{MaxSize: 1 << 20, MaxBody: 16 << 20})
	require.NoError(t, err)
	doc := bytes.Repeat([]byte("\u009b"), 1<<20) // three times as long in JSON
	for range 6 {
		j.Note(request(doc))
	}
	closed(t, j)
	var last uint64
	for _, name := range []string{path + ".1", path} {
		info, err := os.Stat(name)
		require.NoError(t, err)
		require.LessOrEqual(t, info.Size(), int64(1<<20))
		require.Greater(t, info.Size(), int64(1<<19))
		entries := readFile(t, name)
		require.Equal(t, Entry{Time: entries[0].Time, Kind: KindStart, Format: 1, Continued: true}, entries[0])
		for _, e := range entries[1:] {
			require.True(t, last == 0 || e.N == last+1)
			last = e.N
		}
	}
	require.EqualValues(t, 6, last)
	names, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, names, 2)
}

// A new file that cannot be begun is tried again, and costs none of those that there are.
func TestTheNextFileCannotBeBegun(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "j")
	j, err := Open(path, Config{MaxSize: 1 << 20})
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Join(path+".1", "in the way"), 0o700))
	doc := bytes.Repeat([]byte("x"), 1<<18)
	for range 8 {
		j.Note(request(doc))
	}
	for deadline := time.Now().Add(20 * time.Second); j.Lost() == 0 && time.Now().Before(deadline); {
		runtime.Gosched()
	}
	require.NotZero(t, j.Lost())
	require.NoError(t, os.RemoveAll(path+".1"))
	j.Note(request(nil))
	require.ErrorIs(t, j.Close(t.Context()), ErrLost)
	require.Len(t, readFile(t, path+".1"), 4)
	entries := readFile(t, path)
	require.True(t, entries[0].Continued)
	require.EqualValues(t, 9, entries[len(entries)-1].N)
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	t.Run("goes on", func(t *testing.T) {
		path := filepath.Join(dir, "on")
		for range 2 {
			j, err := Open(path, Config{})
			require.NoError(t, err)
			j.Note(request(nil))
			closed(t, j)
			require.NoError(t, os.Chmod(path, 0o644))
			f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
			require.NoError(t, err)
			_, err = f.WriteString(`{"time":"20`) // killed
			require.NoError(t, err)
			require.NoError(t, f.Close())
		}
		j, err := Open(path, Config{})
		require.NoError(t, err)
		closed(t, j)
		if runtime.GOOS != "windows" {
			info, err := os.Stat(path)
			require.NoError(t, err)
			require.Equal(t, os.FileMode(0o600), info.Mode())
		}
		f, err := os.Open(path)
		require.NoError(t, err)
		defer f.Close()
		entries, bad := all(t, f)
		require.Len(t, bad, 2)
		var kinds []soap.MessageKind
		for _, e := range entries {
			kinds = append(kinds, e.Kind)
		}
		require.Equal(t, []soap.MessageKind{KindStart, soap.KindRequest, KindStart, soap.KindRequest, KindStart}, kinds)
	})
	t.Run("other files stay as they are", func(t *testing.T) {
		for i, content := range []string{"root:x:0:0\n", "{\"kind\":\"request\"}\n", "{}", "{\"kind\":\"start\",\"format\":2}\n", strings.Repeat("x", 10_000)} {
			path := filepath.Join(dir, fmt.Sprint("other", i))
			require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
			_, err := Open(path, Config{})
			require.ErrorContains(t, err, "journal")
			now, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, content, string(now))
			if info, _ := os.Stat(path); runtime.GOOS != "windows" {
				require.Equal(t, os.FileMode(0o644), info.Mode())
			}
		}
		_, err := Open(dir, Config{})
		require.ErrorContains(t, err, "not a regular file")
		_, err = Open(filepath.Join(dir, "no", "such"), Config{})
		require.ErrorIs(t, err, os.ErrNotExist)
	})
	t.Run("one process", func(t *testing.T) {
		if runtime.GOOS == "windows" {
			t.Skip("SKIPPED, NOT TESTED: this system has no locks of files")
		}
		path := filepath.Join(dir, "one")
		j, err := Open(path, Config{})
		require.NoError(t, err)
		_, err = Open(path, Config{})
		require.ErrorContains(t, err, "another process")
		closed(t, j)
	})
	for _, cfg := range []Config{{MaxBody: -1}, {MaxBody: 17 << 20}, {MaxSize: 1000}, {MaxSize: -1}, {Queue: -1}, {QueueBytes: -1}} {
		_, err := Open(filepath.Join(dir, "bad"), cfg)
		require.Error(t, err)
		_, err = os.Stat(filepath.Join(dir, "bad"))
		require.ErrorIs(t, err, os.ErrNotExist)
	}
}

func TestReaderSurvives(t *testing.T) {
	start := `{"time":"2026-01-02T03:04:05Z","kind":"start","format":1}` + "\n"
	for _, tt := range []struct {
		name, text string
		entries    int
		bad        string
	}{
		{"nothing", "", 0, ""},
		{"the last line is not complete", start + `{"time":"2026-01-02T03:04:05Z","ki`, 1, "line 2 is not complete"},
		{"its end alone is missing", start + start[:len(start)-1], 2, ""},
		{"one in between is none", start + "x\n\n" + start, 2, "line 2 is no entry"},
		{"no kind", start + "{}\n" + start, 2, "line 2 is no entry"},
		{"an array", "[]\n", 0, "line 1 is no entry"},
		{"unknown members and kinds", `{"time":"2026-01-02T03:04:05Z","kind":"other","x":{}}` + "\n", 1, ""},
		{"too long", start + strings.Repeat("x", 300_000) + "\n" + start, 2, "longer than"},
		{"too long at the end", start + strings.Repeat("x", 300_000), 1, "longer than"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := NewReader(strings.NewReader(tt.text))
			r.max = 100_000
			entries, bad := allOf(t, r)
			require.Len(t, entries, tt.entries)
			if tt.bad == "" {
				require.Empty(t, bad)
				return
			}
			require.Len(t, bad, 1)
			require.ErrorContains(t, bad[0], tt.bad)
		})
	}
	fails := io.MultiReader(strings.NewReader(start), iotestError{})
	r := NewReader(fails)
	_, err := r.Next()
	require.NoError(t, err)
	_, err = r.Next()
	require.ErrorIs(t, err, errBroken)
}

var errBroken = errors.New("broken")

type iotestError struct{}

func (iotestError) Read([]byte) (int, error) { return 0, errBroken }

// Whoever follows a journal sees each entry once, in order, over changes of the file.
func TestFollow(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "j")
		j, err := Open(path, Config{MaxSize: 1 << 20})
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		var seen []uint64
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			for e, err := range Follow(ctx, path) {
				if err != nil {
					t.Error(err)
				}
				if e.N > 0 {
					seen = append(seen, e.N)
				}
			}
		}()
		doc := bytes.Repeat([]byte("x"), 1<<18)
		var want []uint64
		for range 20 {
			want = append(want, j.Note(request(doc)))
			time.Sleep(followEvery + time.Millisecond)
		}
		synctest.Wait()
		closed(t, j)
		cancel()
		<-ended
		require.Equal(t, want, seen)
		for _, err := range Follow(t.Context(), path) {
			require.NoError(t, err)
			break // leaves nothing behind
		}
		for _, err := range Follow(t.Context(), path+"-not-there") {
			require.ErrorIs(t, err, os.ErrNotExist)
		}
	})
}

// Many goroutines note at once; nothing is lost or doubled, and closing meanwhile is safe.
func TestManyNoteAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	j, err := Open(path, Config{Queue: 100_000})
	require.NoError(t, err)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 500 {
				j.Note(request(message("urn:do", "")))
			}
		})
	}
	wg.Wait()
	for range 4 {
		wg.Go(func() {
			for j.Note(request(nil)) != 0 {
			}
		})
	}
	_ = j.Close(t.Context()) // some may have been lost
	wg.Wait()
	entries := readFile(t, path)
	numbers := map[uint64]bool{}
	for _, e := range entries {
		if e.N > 0 {
			require.False(t, numbers[e.N])
			numbers[e.N] = true
		}
	}
	for n := range uint64(4000) {
		require.True(t, numbers[n+1])
	}
}

func FuzzReader(f *testing.F) {
	f.Add([]byte(`{"time":"2026-01-02T03:04:05Z","kind":"request","n":1,"body":"<a/>"}` + "\n" + `{"time":"20`))
	f.Add([]byte("\n\n{}\n[]\nnull\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, lines := NewReader(bytes.NewReader(b)), 0
		for {
			_, err := r.Next()
			var line *LineError
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				require.ErrorAs(t, err, &line)
			}
			lines++
		}
		require.LessOrEqual(t, lines, bytes.Count(b, []byte("\n"))+1)
	})
}

// FuzzLine holds an entry against what is read of its line.
func FuzzLine(f *testing.F) {
	f.Add([]byte("<a/>"), "/x", 3)
	f.Add([]byte("\u009b\xff\x00\u2028"), "\xff\n", 100)
	f.Fuzz(func(t *testing.T, doc []byte, path string, keep int) {
		kept := doc[:min(max(keep, 0), len(doc))]
		e := request(nil)
		e.Path = path
		var p soap.Parser
		entry := describe(&e, bytes.Clone(kept), len(doc), true, &p)
		line, err := entry.appendLine(nil)
		require.NoError(t, err)
		require.Equal(t, 1, bytes.Count(line, []byte("\n")))
		require.False(t, slices.ContainsFunc([]rune(string(line)), commands))
		var back Entry
		require.NoError(t, json.Unmarshal(line, &back))
		require.True(t, bytes.HasPrefix(doc, back.Document()))
		require.LessOrEqual(t, len(kept)-len(back.Document()), 3)
		require.Equal(t, len(doc), back.Size)
		require.LessOrEqual(t, len(line), 3*len(kept)+12*maxText*3+1000)
	})
}
