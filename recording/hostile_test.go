package recording

import (
	"bytes"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
)

// withIndex is a recording of nothing but an index, whose JSON is given.
func withIndex(t *testing.T, doc []byte) []byte {
	t.Helper()
	zw, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression))
	require.NoError(t, err)
	defer func() { require.NoError(t, zw.Close()) }()
	file := appendFileHeader(nil, time.Unix(1_700_000_000, 0))
	at := int64(len(file))
	payload := appendFooter(doc, at)
	stored := zw.EncodeAll(payload, nil)
	h := frameHeader{
		kind: frameIndex, compression: compressionZstd, stored: uint32(len(stored)), inflated: uint32(len(payload)), payloadSum: checksum(stored),
	}
	file = append(h.append(file), stored...)
	return appendFooter(file, at)
}

// allocated is how many MiB of memory were asked for meanwhile.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return (after.TotalAlloc - before.TotalAlloc) >> 20
}

// A small file whose index inflates to far more than it can be about is read without it, for no more memory than the largest frame takes.
func TestIndexBombs(t *testing.T) {
	const n = 12 << 20 // bytes of JSON
	list := func(member, element string) []byte {
		return []byte(`{"previous":0,"` + member + `":[` + strings.TrimSuffix(strings.Repeat(element+",", n/(len(element)+1)), ",") + `]}`)
	}
	for name, doc := range map[string][]byte{
		"devices":          list("devices", `{}`),
		"numbered devices": []byte(`{"devices":[` + numbered(1<<18) + `]}`),
		"frames":           list("frames", `{}`),
		"the same frame":   list("frames", `{"offset":32,"size":48}`),
		"keys":             []byte(`{"frames":[{"offset":32,"size":48,"keys":[` + strings.TrimSuffix(strings.Repeat("1,", n/2), ",") + `]}]}`),
		"members":          []byte(`{` + strings.TrimSuffix(strings.Repeat(`"devices":[{"id":1}],`, n/21), ",") + `}`),
		"services":         []byte(`{"devices":[{"id":1,"services":[` + strings.TrimSuffix(strings.Repeat(`"",`, n/3), ",") + `]}]}`),
		"depth":            []byte(`{"x":` + strings.Repeat("[", n)),
	} {
		t.Run(name, func(t *testing.T) {
			file := withIndex(t, doc)
			require.Less(t, len(file), 4<<20)
			var r *Reader
			used := allocated(func() {
				var err error
				r, err = NewReader(bytes.NewReader(file), int64(len(file)))
				require.NoError(t, err)
			})
			defer func() { require.NoError(t, r.Close()) }()
			t.Logf("%d KiB of file, %d MiB of memory", len(file)>>10, used)
			require.Less(t, used, uint64(160))
			require.False(t, r.Indexed())
			require.Empty(t, r.Devices())
			for e, err := range r.Entries() {
				require.NoError(t, err)
				require.Equal(t, KindGap, e.Kind, "there is nothing in it")
			}
		})
	}
}

func numbered(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"id":%d},`, i+1)
	}
	return strings.TrimSuffix(b.String(), ",")
}

// An index is read as it was written, whatever further members a later version has given it.
func TestIndexOfLaterVersion(t *testing.T) {
	file := withIndex(t, []byte(`{"later":{"x":[1,{"y":null}]},"previous":0,"devices":[{"id":1,"epr":"urn:a","later":1},{"id":2,"epr":"urn:b"}],"frames":[],"more":"x"}`))
	r, err := NewReader(bytes.NewReader(file), int64(len(file)))
	require.NoError(t, err)
	defer func() { require.NoError(t, r.Close()) }()
	require.True(t, r.Indexed())
	require.Equal(t, []Device{{ID: 1, EPR: "urn:a"}, {ID: 2, EPR: "urn:b"}}, r.Devices())
	for _, doc := range []string{``, `{`, `[]`, `{"previous":0,"devices":[],"frames":[]} {}`, `{"previous":-1}`, `{"previous":"a"}`, `{"devices":{}}`, `{"frames":[1]}`, `{"devices":[{"id":2}]}`} {
		file := withIndex(t, []byte(doc))
		r, err := NewReader(bytes.NewReader(file), int64(len(file)))
		require.NoError(t, err)
		require.False(t, r.Indexed(), doc)
		require.NoError(t, r.Close())
	}
	require.True(t, json.Valid([]byte(numbered(1))))
}

// withRecords is a recording that was not closed, of one frame.
func withRecords(t *testing.T, records []byte) *Reader {
	t.Helper()
	zw, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, zw.Close()) }()
	stored := zw.EncodeAll(records, nil)
	h := frameHeader{
		kind: frameRecords, compression: compressionZstd, flags: flagKey, stored: uint32(len(stored)), inflated: uint32(len(records)), payloadSum: checksum(stored),
	}
	file := append(h.append(appendFileHeader(nil, time.Unix(1_700_000_000, 0))), stored...)
	r, err := NewReader(bytes.NewReader(file), int64(len(file)))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	return r
}

// Records about no device or about more devices than there can be are damage, and neither end a program nor fill its memory.
func TestRecordsOfImpossibleDevices(t *testing.T) {
	t.Run("none", func(t *testing.T) {
		for kind := Kind(0); kind < 10; kind++ {
			for _, body := range []string{"", "{}", "null", "[]", `<x/>`, mdibDocument(t, 1)} {
				r := withRecords(t, appendRecord(nil, &record{kind: kind, body: []byte(body)}, 0))
				_, err := r.Check(t.Context())
				require.NoError(t, err)
				for _, err := range r.Play(time.Time{}) {
					if kind == KindMDIB && err == nil {
						t.Error("there is no such MDIB")
					}
				}
			}
		}
	})
	t.Run("too many", func(t *testing.T) {
		var records []byte
		for n := range uint64(500_000) {
			records = appendRecord(records, &record{kind: KindLink, device: 1 + n*1000}, 0)
		}
		r := withRecords(t, records)
		require.Less(t, allocated(func() {
			for _, err := range r.Entries() {
				require.NoError(t, err)
			}
		}), uint64(50))
	})
	t.Run("with large MDIBs", func(t *testing.T) {
		doc := mdibDocument(t, 8<<20)
		var records []byte
		for n := range uint64(10) {
			records = appendRecord(records, &record{kind: KindMDIB, device: n + 1, body: []byte(doc)}, 0)
		}
		p := newPlayer()
		r := withRecords(t, records)
		played := 0
		var refused error
		for range 5 { // as if there were five frames of other devices
			for e, err := range r.Entries() {
				if require.NoError(t, err); e.Kind != KindMDIB {
					continue
				}
				other := *e.Device
				other.ID = uint64(played) + 1
				e.Device = &other
				if _, refused = p.step(e); refused != nil {
					break
				}
				played++
			}
			if refused != nil {
				break
			}
		}
		require.ErrorContains(t, refused, "at most")
		require.Equal(t, maxPlayed/len(doc), played)
	})
}

// mdibDocument is the answer to GetMdib with padding.
func mdibDocument(t *testing.T, padding int) string {
	t.Helper()
	return `<m:GetMdibResponse xmlns:m="http://standards.ieee.org/downloads/11073/11073-10207-2017/message" MdibVersion="1" SequenceId="urn:uuid:3d1dcb2c-5b3d-4c5c-a25c-000000000001"><m:Mdib MdibVersion="1" SequenceId="urn:uuid:3d1dcb2c-5b3d-4c5c-a25c-000000000001">` +
		strings.Repeat(" ", padding) + `</m:Mdib></m:GetMdibResponse>`
}
