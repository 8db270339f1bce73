package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Chain is the end of a chain of records.
type Chain struct {
	// Number of the last record; 0 when there is none.
	Number uint64 `json:"number"`
	// Hash of the last record in hexadecimal digits; 64 zeros when there is none.
	Hash string `json:"hash"`
}

// zeroHash is the hash before the first record.
const zeroHash = "0000000000000000000000000000000000000000000000000000000000000000"

// Bounds of a record, in bytes: of a line, and of one text in it, because peers choose some of them.
const (
	maxRecord = 64 << 10
	maxText   = 1 << 10
)

// Record is one line of a file.
type Record struct {
	Number uint64 `json:"n"`
	Event
	// Previous is the hash of the record before, Hash that of this one.
	Previous string `json:"prev"`
	Hash     string `json:"-"`
}

// seal is between what is hashed and the hash.
const seal = `,"hash":"`

// appendRecord writes the record that follows another: the object without its closing brace, then the SHA-256 of that.
func appendRecord(buf *bytes.Buffer, after Chain, e Event) (Chain, error) {
	for _, text := range []*string{&e.Device, &e.Fingerprint, &e.Subject, &e.Remote, &e.User, &e.Service, &e.Action, &e.Operation, &e.Target, &e.Run, &e.Step, &e.Outcome, &e.Reason, &e.Digest} {
		if len(*text) > maxText {
			*text = strings.ToValidUTF8((*text)[:maxText], "") + "..."
		}
	}
	body, err := json.Marshal(Record{Number: after.Number + 1, Event: e, Previous: after.Hash})
	if err != nil {
		return after, err
	}
	body = body[:len(body)-1]
	sum := sha256.Sum256(body)
	end := Chain{Number: after.Number + 1, Hash: hex.EncodeToString(sum[:])}
	buf.Write(body)
	buf.WriteString(seal)
	buf.WriteString(end.Hash)
	buf.WriteString("\"}\n")
	return end, nil
}

// parseRecord reads a line and checks its hash.
func parseRecord(line []byte) (*Record, error) {
	i := bytes.LastIndex(line, []byte(seal))
	if i < 0 || !bytes.HasSuffix(line, []byte(`"}`)) {
		return nil, errors.New("it is no record")
	}
	r := &Record{}
	if err := json.Unmarshal(line, r); err != nil {
		return nil, fmt.Errorf("it is no record: %w", err)
	}
	r.Hash = string(line[i+len(seal) : len(line)-2])
	if sum := sha256.Sum256(line[:i]); r.Hash != hex.EncodeToString(sum[:]) {
		return r, errors.New("it was changed: its hash does not fit")
	}
	return r, nil
}
