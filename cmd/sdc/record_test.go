package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestRecordReplayAndBack goes the whole way by the command line: a device is recorded, replayed, recorded again, compared, looked at and exported.
func TestRecordReplayAndBack(t *testing.T) {
	device, station := certificates(t)
	dir := t.TempDir()
	first, second := filepath.Join(dir, "first.sdcrec"), filepath.Join(dir, "second.sdcrec")
	_, url := simulate(t, "monitor", "--tls", device, "--discovery-port", port(t))
	code, out, errs := call(t, "record", url, "-o", first, "--for", "1500ms", "--json", "--tls", station)
	require.Equal(t, exitOK, code, errs)
	var sum recorded
	require.NoError(t, json.Unmarshal([]byte(out), &sum))
	require.Positive(t, sum.Records)
	require.Zero(t, sum.Dropped)
	code, _, errs = call(t, "record", url, "-o", first, "--for", "1s", "--tls", station)
	require.Equal(t, exitFailed, code, "a recording is never overwritten")
	require.Contains(t, errs, "exists")

	// The replay ends by itself; --wait lets the recorder be first.
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	line := &firstLine{c: make(chan string, 1)}
	var replayErrs strings.Builder
	replayed := make(chan int, 1)
	go func() {
		replayed <- run(ctx, []string{"replay", first, "--speed", "8x", "--wait", "--hold", "--json", "--tls", device, "--discovery-port", port(t)},
			streams{in: strings.NewReader(""), out: line, err: &replayErrs})
	}()
	var a announced
	select {
	case l := <-line.c:
		require.NoError(t, json.Unmarshal([]byte(l), &a))
	case code := <-replayed:
		require.Fail(t, "the replay ended", "%d %s", code, replayErrs.String())
	}
	code, _, errs = call(t, "record", a.XAddrs[0], "-o", second, "--for", "6s", "--tls", station)
	require.Equal(t, exitOK, code, errs)
	cancel()
	require.Equal(t, exitOK, <-replayed, replayErrs.String())

	code, out, errs = call(t, "recording", "compare", first, second)
	require.Equal(t, exitOK, code, errs)
	require.Contains(t, out, "identical")
	code, out, errs = call(t, "recording", "info", first, "--json")
	require.Equal(t, exitOK, code, errs+out)
	var info recordingInfo
	require.NoError(t, json.Unmarshal([]byte(out), &info))
	require.True(t, info.Whole)
	require.Equal(t, a.EPR, info.Devices[0].EPR)

	code, out, errs = call(t, "diff", first+"@start", second+"@start")
	require.Equal(t, exitOK, code, out+errs)
	code, out, _ = call(t, "diff", first+"@start", first)
	require.Equal(t, exitFailed, code, "something has changed")
	require.Contains(t, out, "~")
	code, out, errs = call(t, "tree", first+"@1s")
	require.Equal(t, exitOK, code, errs)
	require.Contains(t, out, "Mds")
	for _, place := range []string{"@1h", "@yesterday", "@vx"} {
		code, _, errs = call(t, "tree", first+place)
		require.Equal(t, exitUsage, code, errs)
	}

	table := filepath.Join(dir, "t.csv")
	code, _, errs = call(t, "export", first, "--csv", "-o", table, "--no-waveforms")
	require.Equal(t, exitOK, code, errs)
	f, err := os.Open(table)
	require.NoError(t, err)
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	require.Equal(t, "time", rows[0][0])
	require.Greater(t, len(rows), 10)
	events := map[string]int{}
	for _, r := range rows[1:] {
		_, err := time.Parse(time.RFC3339Nano, r[0])
		require.NoError(t, err)
		events[r[3]]++
	}
	require.Positive(t, events["mdib"])
	require.Positive(t, events["update"])
	require.Positive(t, events["link"])

	table = filepath.Join(dir, "t.parquet")
	code, _, errs = call(t, "export", first, "--parquet", "-o", table, "--no-waveforms")
	require.Equal(t, exitOK, code, errs)
	require.Contains(t, errs, strconv.Itoa(len(rows)-1)+" rows")
	code, _, errs = call(t, "export", first, "--parquet", "-o", table)
	require.Equal(t, exitFailed, code, "a table is never overwritten")
	require.Contains(t, errs, "exists")
	code, _, errs = call(t, "export", first, "--parquet")
	require.Equal(t, exitUsage, code)
	require.Contains(t, errs, "--parquet needs --output")

	// A file that is cut off says so and is used as far as it goes.
	b, err := os.ReadFile(first)
	require.NoError(t, err)
	torn := filepath.Join(dir, "torn.sdcrec")
	require.NoError(t, os.WriteFile(torn, b[:len(b)*2/3], 0o600))
	code, out, _ = call(t, "recording", "info", torn)
	require.Equal(t, exitFailed, code)
	require.Contains(t, out, "DAMAGE")
	code, _, errs = call(t, "export", torn, "--csv")
	require.Equal(t, exitOK, code)
	require.Contains(t, errs, "bytes")
}

// TestRecordSeveralDevicesAndGoOn records two devices into one file, and goes on with it in a further session.
func TestRecordSeveralDevicesAndGoOn(t *testing.T) {
	device, station := certificates(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "both.sdcrec")
	monitor, one := simulate(t, "monitor", "--tls", device, "--discovery-port", port(t))
	ventilator, two := simulate(t, "ventilator", "--tls", device, "--discovery-port", port(t))
	info := func() (i recordingInfo) {
		t.Helper()
		code, out, errs := call(t, "recording", "info", path, "--json")
		require.Equal(t, exitOK, code, errs+out)
		require.NoError(t, json.Unmarshal([]byte(out), &i))
		require.True(t, i.Whole)
		require.True(t, i.Closed)
		require.Len(t, i.Devices, 2)
		require.ElementsMatch(t, []string{monitor, ventilator}, []string{i.Devices[0].EPR, i.Devices[1].EPR})
		return i
	}
	code, _, errs := call(t, "record", one, two, "-o", path, "--append", "--for", "1s", "--tls", station)
	require.Equal(t, exitFailed, code, "there is nothing to go on with")
	require.NotEmpty(t, errs)
	code, _, errs = call(t, "record", one, two, "-o", path, "--for", "1500ms", "--tls", station)
	require.Equal(t, exitOK, code, errs)
	first := info()
	require.EqualValues(t, 1, first.Sessions)
	code, _, errs = call(t, "record", two, one, "-o", path, "--append", "--for", "1500ms", "--tls", station)
	require.Equal(t, exitOK, code, errs)
	second := info()
	require.EqualValues(t, 2, second.Sessions)
	for i, d := range second.Devices {
		require.Positive(t, first.Devices[i].Reports)
		require.Greater(t, d.Reports, first.Devices[i].Reports)
		require.Greater(t, d.MDIBs, first.Devices[i].MDIBs, "each session begins with the whole MDIB")
		require.Zero(t, d.Lost)
		code, out, errs := call(t, "tree", path+"@start", "--device", d.EPR)
		require.Equal(t, exitOK, code, errs)
		require.Contains(t, out, "Mds")
	}

	// The same after a recorder that was killed: the damaged end is cut off, and that is said.
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, b[:len(b)-1000], 0o600))
	code, _, errs = call(t, "record", one, two, "-o", path, "--append", "--for", "1s", "--tls", station)
	require.Equal(t, exitOK, code, errs)
	require.Contains(t, errs, "damaged bytes at its end were cut off")
	require.EqualValues(t, 3, info().Sessions)
}

func TestWrongRecordings(t *testing.T) {
	for _, args := range [][]string{
		{"record", "x", "-o", "y"}, {"record", "-o", "y", "--insecure"}, {"record", "x", "--insecure"}, {"replay", "no-such-file", "--insecure"},
		{"replay", "app.go"}, {"replay", "app.go", "--insecure", "--speed", "-1"}, {"export", "app.go"}, {"export", "app.go", "--parquet"},
		{"export", "app.go", "--parquet", "--csv", "-o", "y"}, {"record", "x", "-o", "y", "--insecure", "--flush", "0s"},
	} {
		code, _, errs := call(t, args...)
		require.Equal(t, exitUsage, code, "%v %s", args, errs)
	}
	for _, args := range [][]string{{"replay", "app.go", "--insecure"}, {"export", "app.go", "--csv"}, {"export", "app.go", "--parquet", "-o", "y"}, {"recording", "info", "app.go"}} {
		code, _, errs := call(t, args...)
		require.Equal(t, exitFailed, code, args)
		require.Contains(t, errs, "not a recording")
	}
	require.NoFileExists(t, "y")
}
