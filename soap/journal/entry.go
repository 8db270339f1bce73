package journal

import (
	"bytes"
	"encoding/json"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/soap"
)

// Format is the number of the format that this package writes.
const Format = 1

// Kinds of entries that are no messages; the others are those of package soap.
const (
	KindStart soap.MessageKind = "start"
	KindLost  soap.MessageKind = "lost"
)

// Directions of entries.
const (
	Sent     = "sent"
	Received = "received"
)

// Entry is one line of a journal. The package documentation tells what its members mean.
type Entry struct {
	N          uint64           `json:"n,omitempty"`
	Time       time.Time        `json:"time"`
	Kind       soap.MessageKind `json:"kind"`
	Direction  string           `json:"direction,omitempty"`
	Role       string           `json:"role,omitempty"`
	Self       string           `json:"self,omitempty"`
	Transport  string           `json:"transport,omitempty"`
	Peer       string           `json:"peer,omitempty"`
	Subject    string           `json:"subject,omitempty"`
	Multicast  bool             `json:"multicast,omitempty"`
	Repeated   bool             `json:"repeated,omitempty"`
	Method     string           `json:"method,omitempty"`
	Path       string           `json:"path,omitempty"`
	Status     int              `json:"status,omitempty"`
	Answers    uint64           `json:"answers,omitempty"`
	DurationMs float64          `json:"durationMs,omitempty"`
	Action     string           `json:"action,omitempty"`
	MessageID  string           `json:"messageId,omitempty"`
	RelatesTo  string           `json:"relatesTo,omitempty"`
	Size       int              `json:"size,omitempty"`
	Compressed bool             `json:"compressed,omitempty"`
	Truncated  bool             `json:"truncated,omitempty"`
	Error      string           `json:"error,omitempty"`
	Lost       uint64           `json:"lost,omitempty"`
	Format     int              `json:"format,omitempty"`
	Continued  bool             `json:"continued,omitempty"`
	Body       string           `json:"body,omitempty"`
	BodyBase64 []byte           `json:"bodyBase64,omitempty"`
}

// Document is the content byte for byte, as far as it was kept; nil without one.
func (e *Entry) Document() []byte {
	if e.Body != "" {
		return []byte(e.Body)
	}
	return e.BodyBase64
}

// Whole tells whether the content was kept to its end.
func (e *Entry) Whole() bool {
	return e.Size > 0 && !e.Truncated && len(e.Body)+len(e.BodyBase64) == e.Size
}

// maxText bounds what peers can make of the other members, in bytes.
const maxText = 2048

// describe makes the entry of what was noted. size is that of the whole document, doc what was kept of it, and bodies says whether it goes in.
func describe(e *soap.JournalEntry, doc []byte, size int, bodies bool, parser *soap.Parser) Entry {
	out := Entry{
		Time: e.Time.UTC().Round(0), Kind: e.Kind, Direction: Received, Role: e.Role, Self: cut(e.Self), Transport: e.Transport, Peer: cut(e.Peer),
		Multicast: e.Multicast, Repeated: e.Repeated, Method: cut(e.Method), Path: cut(e.Path), Status: e.Status, Answers: e.Answers,
		DurationMs: float64(e.Duration.Microseconds()) / 1000, Size: size, Compressed: e.Compressed, Error: cut(e.Problem),
	}
	if e.Sent {
		out.Direction = Sent
	}
	if e.Certificate != nil {
		out.Subject = cut(e.Certificate.Subject.String())
	}
	if size == 0 {
		return out
	}
	// What is cut off is behind the header, or the header is longer than anybody's. With another version of SOAP the header comes along with the error.
	if env, _ := parser.Parse(doc, xmlscan.Limits{}); env != nil {
		out.Action, out.MessageID, out.RelatesTo = cut(env.Header.Action), cut(env.Header.MessageID), cut(env.Header.RelatesTo)
	}
	if !bodies {
		return out
	}
	out.Truncated = len(doc) < size
	if out.Truncated {
		doc = wholeRunes(doc)
	}
	if plainText(doc) {
		out.Body = string(doc)
	} else {
		out.BodyBase64 = doc
	}
	return out
}

// cut bounds a text.
func cut(s string) string {
	if len(s) <= maxText {
		return s
	}
	return string(wholeRunes([]byte(s[:maxText]))) + "…"
}

// wholeRunes takes away the beginning of a character at the end.
func wholeRunes(b []byte) []byte {
	for i := 1; i < utf8.UTFMax && i <= len(b); i++ {
		if c := b[len(b)-i]; utf8.RuneStart(c) {
			if !utf8.FullRune(b[len(b)-i:]) {
				return b[:len(b)-i]
			}
			break
		}
	}
	return b
}

// plainText tells whether a document can stand in JSON as it is: JSON has no other bytes than UTF-8, and takes six for one of a control character, of which XML has three.
func plainText(doc []byte) bool {
	if !utf8.Valid(doc) {
		return false
	}
	for _, c := range doc {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0x7F {
			return false
		}
	}
	return true
}

// appendLine appends the entry as a line.
func (e *Entry) appendLine(b []byte) ([]byte, error) {
	buf := bytes.NewBuffer(b)
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false) // XML would be hard to read, and to search
	start := len(b)
	if err := enc.Encode(e); err != nil {
		return b, err
	}
	b = buf.Bytes()
	line := b[start:]
	if !bytes.ContainsFunc(line, commands) {
		return b, nil
	}
	// What a terminal may take for a command stands there in the way of JSON, which means the same: journals are looked at with cat and tail, too.
	escaped := make([]byte, 0, len(line)+64)
	for _, r := range string(line) {
		if commands(r) {
			const hex = "0123456789abcdef" // they are all of the basic plane
			escaped = append(escaped, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
		} else {
			escaped = utf8.AppendRune(escaped, r)
		}
	}
	return append(b[:start], escaped...), nil
}

// commands tells of characters that JSON permits as they are whether a terminal may take them for more than something to show.
func commands(r rune) bool {
	return r >= 0x7F && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r))
}
