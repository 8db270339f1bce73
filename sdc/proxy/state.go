package proxy

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/semeco/go-sdc/discovery"
)

// ErrTorn says that a state file is not what has been written: cut off, or changed.
var ErrTorn = errors.New("state file is torn")

const stateMagic = "sdc-discovery-proxy 1 "

// stored is an entry in the state file: one JSON object a line, below a line with the digest of the rest.
type stored struct {
	EPR             string              `json:"epr"`
	Types           []discovery.Name    `json:"types,omitempty"`
	Scopes          []string            `json:"scopes,omitempty"`
	XAddrs          []string            `json:"xaddrs,omitempty"`
	MetadataVersion uint32              `json:"metadata_version"`
	Sequence        *discovery.Sequence `json:"sequence,omitempty"`
	Owner           string              `json:"owner"`
	Heard           time.Time           `json:"heard"`
}

// copies are the entries for encodeState, which takes its time and is not called under the lock.
func (r *registry) copies() []entry {
	out := make([]entry, 0, len(r.entries))
	for _, e := range r.entries {
		out = append(out, *e)
	}
	return out
}

func encodeState(entries []entry) ([]byte, error) {
	var lines bytes.Buffer
	out := json.NewEncoder(&lines)
	for _, e := range entries {
		x := e.endpoint
		if err := out.Encode(stored{x.EPR, x.Types, x.Scopes, x.XAddrs, x.MetadataVersion, e.sequence, e.owner, e.heard}); err != nil {
			return nil, err
		}
	}
	sum := sha256.Sum256(lines.Bytes())
	head := fmt.Sprintf("%s%s %d\n", stateMagic, hex.EncodeToString(sum[:]), lines.Len())
	return append([]byte(head), lines.Bytes()...), nil
}

// maxState bounds what is read of a state file, in bytes.
const maxState = 1 << 30

func decodeState(data []byte) ([]*entry, error) {
	head, lines, ok := bytes.Cut(data, []byte("\n"))
	sum := sha256.Sum256(lines)
	if want := fmt.Sprintf("%s%s %d", stateMagic, hex.EncodeToString(sum[:]), len(lines)); !ok || string(head) != want {
		return nil, ErrTorn
	}
	var entries []*entry
	in := bufio.NewScanner(bytes.NewReader(lines))
	in.Buffer(nil, 8*maxEndpoint)
	for in.Scan() {
		var s stored
		if err := json.Unmarshal(in.Bytes(), &s); err != nil {
			return nil, fmt.Errorf("%w: entry %d: %w", ErrTorn, len(entries)+1, err)
		}
		if s.EPR == "" {
			return nil, fmt.Errorf("%w: entry %d has no EPR", ErrTorn, len(entries)+1)
		}
		entries = append(entries, &entry{
			endpoint: discovery.Endpoint{EPR: s.EPR, Types: s.Types, Scopes: s.Scopes, XAddrs: s.XAddrs, MetadataVersion: s.MetadataVersion},
			sequence: s.Sequence, owner: s.Owner, heard: s.Heard,
		})
	}
	return entries, in.Err()
}

// readState reads a state file; none is no entries.
func readState(path string) ([]*entry, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, err := os.Stat(filepath.Dir(path)); err != nil {
			return nil, err // nothing could be kept
		}
		return nil, nil
	case err != nil:
		return nil, err
	case info.Size() > maxState:
		return nil, fmt.Errorf("%s is larger than %d bytes", path, maxState)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	entries, err := decodeState(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return entries, nil
}

// writeState puts a new state file in the place of the old one in one step: after a crash there is the one or the other.
func writeState(path string, data []byte) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, filepath.Base(path)+".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	// The new name itself is on disk only once the folder is; not every system can do that.
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
	return nil
}
