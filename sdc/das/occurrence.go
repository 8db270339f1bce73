package das

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
)

// MaxOccurrences is how many occurrences one confirmation has at most.
const MaxOccurrences = 4096

// maxText bounds the text of one confirmation in bytes.
const maxText = 1 << 20

// Occurrence is one state of an alert condition, as it was reported.
type Occurrence struct {
	// Condition is the handle of the condition.
	Condition string
	// Version is the StateVersion of its state.
	Version uint64
}

// FormatOccurrences writes occurrences as the argument of a confirmation: VERSION:HANDLE, with spaces between them. The error tells of a handle that cannot be
// written, and of too many.
func FormatOccurrences(list []Occurrence) (string, error) {
	if len(list) == 0 {
		return "", errors.New("das: there is no occurrence to confirm")
	}
	if len(list) > MaxOccurrences {
		return "", fmt.Errorf("das: %d occurrences are more than the %d of one confirmation", len(list), MaxOccurrences)
	}
	var b strings.Builder
	for i, o := range list {
		if err := CheckHandle(o.Condition); err != nil {
			return "", err
		}
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(strconv.FormatUint(o.Version, 10))
		b.WriteByte(':')
		b.WriteString(o.Condition)
	}
	return b.String(), nil
}

// CheckHandle tells why the handle of a condition cannot stand in a list.
func CheckHandle(handle string) error {
	if handle == "" || strings.ContainsAny(handle, " \t\r\n") {
		return fmt.Errorf("das: the handle %q cannot stand in a list", handle)
	}
	return nil
}

// ParseOccurrences reads the argument of a confirmation.
func ParseOccurrences(text string) ([]Occurrence, error) {
	if len(text) > maxText {
		return nil, fmt.Errorf("das: a list of %d bytes is longer than %d", len(text), maxText)
	}
	words := strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == '\t' || r == '\r' || r == '\n' })
	if len(words) == 0 {
		return nil, errors.New("das: there is no occurrence")
	}
	if len(words) > MaxOccurrences {
		return nil, fmt.Errorf("das: %d occurrences are more than the %d of one confirmation", len(words), MaxOccurrences)
	}
	out := make([]Occurrence, 0, len(words))
	for _, w := range words {
		version, handle, ok := strings.Cut(w, ":")
		n, err := strconv.ParseUint(version, 10, 64)
		if !ok || handle == "" || err != nil {
			return nil, fmt.Errorf("das: %q is no occurrence, VERSION:HANDLE", clip(w))
		}
		out = append(out, Occurrence{Condition: handle, Version: n})
	}
	return out, nil
}

func clip(s string) string {
	const limit = 64
	if r := []rune(s); len(r) > limit {
		return string(r[:limit]) + "..."
	}
	return s
}

// Roll lists the alert conditions of one MDS. It reads the description again when that has changed. The zero value is empty; it is not safe for concurrent use.
type Roll struct {
	mds      string
	version  mdib.Version
	describe uint64
	handles  []string
}

// In returns the handles of the conditions of an MDS, in the order of the containment tree. The list belongs to the roll.
func (r *Roll) In(s *mdib.Snapshot, mds string) []string {
	at := s.Version()
	at.MdibVersion = 0
	if r.handles != nil && r.mds == mds && r.version == at && r.describe == s.DescriptionVersion() {
		return r.handles
	}
	r.mds, r.version, r.describe, r.handles = mds, at, s.DescriptionVersion(), []string{}
	for e := range s.Subtree(mds) {
		if _, ok := e.Descriptor.(pm.ConditionDescriptor); ok {
			r.handles = append(r.handles, e.Handle)
		}
	}
	return r.handles
}
