package persist

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
)

// A generation is one file: magic, length of the head, head as JSON, MDIB as XML, CRC-32C of all before. Lengths and checksum are four bytes, little endian.
const (
	magic   = "SDCSTAT1"
	prefix  = "state-"
	suffix  = ".sdcstate"
	maxSize = mdib.MaxFileSize + 16<<20
	// keep is how many generations stay: the newest and the one before it.
	keep = 2
)

// head is what a generation says beside the MDIB.
type head struct {
	Generation uint64    `json:"generation"`
	EPR        string    `json:"epr"`
	InstanceID uint32    `json:"instance_id"`
	Clean      bool      `json:"clean"`
	Saved      time.Time `json:"saved"`
	// MDIB tells that there is one.
	MDIB   bool        `json:"mdib"`
	Memory mdib.Memory `json:"memory"`
}

func table() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

func encode(h *head, snap *mdib.Snapshot) ([]byte, error) {
	meta, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	b := append([]byte(magic), 0, 0, 0, 0)
	binary.LittleEndian.PutUint32(b[len(magic):], uint32(len(meta)))
	b = append(b, meta...)
	if snap != nil {
		b = snap.Response().AppendXML(b)
	}
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, table())), nil
}

func decode(b []byte) (h head, snap *mdib.Snapshot, err error) {
	const least = len(magic) + 8
	if len(b) < least || !bytes.HasPrefix(b, []byte(magic)) {
		return h, nil, errors.New("not a saved state, or cut off")
	}
	body := b[:len(b)-4]
	if crc32.Checksum(body, table()) != binary.LittleEndian.Uint32(b[len(body):]) {
		return h, nil, errors.New("the checksum is wrong")
	}
	size := binary.LittleEndian.Uint32(b[len(magic):])
	rest := body[len(magic)+4:]
	if uint64(size) > uint64(len(rest)) {
		return h, nil, errors.New("the head is longer than the file")
	}
	if err := json.Unmarshal(rest[:size], &h); err != nil {
		return h, nil, err
	}
	if !h.MDIB {
		return h, nil, nil
	}
	o := msg.Options{Understands: func(pm.QName) bool { return true }} // the device understood it when it was saved
	o.Limits.MaxBytes = maxSize
	snap, err = mdib.ReadWith(bytes.NewReader(rest[size:]), o)
	return h, snap, err
}

func fileName(generation uint64) string { return fmt.Sprintf("%s%020d%s", prefix, generation, suffix) }

// generations lists those in the folder, newest first.
func generations(dir string) ([]uint64, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var out []uint64
	for _, e := range entries {
		digits := strings.TrimSuffix(strings.TrimPrefix(e.Name(), prefix), suffix)
		if n, err := strconv.ParseUint(digits, 10, 64); err == nil && fileName(n) == e.Name() {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	slices.Reverse(out)
	return out, nil
}

func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxSize {
		return nil, fmt.Errorf("%d bytes; at most %d are possible", info.Size(), maxSize)
	}
	return os.ReadFile(path)
}

// replace puts a file into a folder as a whole: after a crash at any moment it is there with all its content, or not at all.
func replace(dir, name string, content []byte) (err error) {
	f, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // the first error is the one to tell
		}
	}()
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err != nil {
		return err
	}
	if err := os.Rename(f.Name(), filepath.Join(dir, name)); err != nil {
		return err
	}
	return syncDir(dir)
}

// syncDir makes names in a folder last.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // folders cannot be synchronised there; the file system's journal has to do
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
