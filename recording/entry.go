package recording

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
)

// Kind is what an entry is about.
type Kind uint8

const (
	KindSession Kind = 1 // recording began; before it nothing was recorded
	KindDevice  Kind = 2 // a device is introduced, or described again
	KindMDIB    Kind = 3 // the whole MDIB
	KindReport  Kind = 4 // a report, applied by the consumer
	KindLink    Kind = 5 // the link to the device changed
	KindGap     Kind = 6 // something is or may be missing
	KindEnd     Kind = 7 // the recording of the device, or of the session, ended in good order
)

func (k Kind) String() string {
	names := [...]string{1: "session", "device", "mdib", "report", "link", "gap", "end"}
	if int(k) < len(names) && k > 0 {
		return names[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Reason is why the whole MDIB stands in a recording.
type Reason uint8

const (
	ReasonStart  Reason = 0 // the device's recording begins, or goes on in a new session
	ReasonKey    Reason = 1 // repeats what is known anyway, so that a reader can begin here
	ReasonResync Reason = 2 // after a gap: what led here is not known
)

// Device is a recorded device: its address and what is needed to show it again.
type Device struct {
	// ID is the number of the device in the file, from 1. The writer sets it.
	ID uint64 `json:"id"`
	// EPR is the stable address. It is what identifies a device.
	EPR string `json:"epr"`
	// XAddr is the transport address it was recorded at.
	XAddr string `json:"xaddr,omitempty"`
	// Services are the port types it offered.
	Services []string `json:"services,omitempty"`
	// What the device said of itself (DPWS ThisModel and ThisDevice).
	Manufacturer    []Text `json:"manufacturer,omitempty"`
	ManufacturerURL string `json:"manufacturer_url,omitempty"`
	ModelName       []Text `json:"model_name,omitempty"`
	ModelNumber     string `json:"model_number,omitempty"`
	ModelURL        string `json:"model_url,omitempty"`
	PresentationURL string `json:"presentation_url,omitempty"`
	FriendlyName    []Text `json:"friendly_name,omitempty"`
	Firmware        string `json:"firmware,omitempty"`
	SerialNumber    string `json:"serial_number,omitempty"`
}

// Text is a text in one language.
type Text struct {
	Text string `json:"text"`
	Lang string `json:"lang,omitempty"`
}

// Link is the state of the connection to a device.
type Link struct {
	// State is one of connecting, live, resyncing, lost, closed, or what later versions of the consumer know.
	State string `json:"state"`
	// Cause says why, "" for none.
	Cause string `json:"cause,omitempty"`
	// Since is when the state was entered.
	Since time.Time `json:"since"`
}

// Origin is where something was lost.
type Origin string

const (
	OriginDevice   Origin = "device"   // between device and consumer: the consumer read the MDIB anew
	OriginRecorder Origin = "recorder" // the recorder could not keep up or write
	OriginFile     Origin = "file"     // the file is damaged; stands in no file, readers make it
)

// Gap says that updates are or may be missing between the last entry of the device before it and the next MDIB.
type Gap struct {
	Origin Origin `json:"origin"`
	Cause  string `json:"cause"`
	// Since is from when on something is missing.
	Since time.Time `json:"since"`
	// Lost is how many records are missing, 0 if that is not known.
	Lost uint64 `json:"lost,omitempty"`
}

// Session is a run of a recorder.
type Session struct {
	// Program is what recorded.
	Program string `json:"program,omitempty"`
	// Wall is the wall clock when the session began. Instants of entries are this and the monotonic time passed since.
	Wall time.Time `json:"wall"`
}

// End says that a recording ended in good order.
type End struct {
	Cause string `json:"cause,omitempty"`
}

// Entry is one record.
type Entry struct {
	Kind Kind
	// Device is whom it is about; nil for the whole file.
	Device *Device
	// At is when: the wall clock at the beginning of the session plus the monotonic time since then, so that it never jumps within a session. For reports it is their arrival.
	At time.Time
	// Wall is what the wall clock said at that moment.
	Wall time.Time
	// Reason of a KindMDIB.
	Reason Reason
	// Body is what the record holds, see docs/recording.md: XML for reports and MDIBs, JSON for the others. It is not to be changed.
	Body []byte

	frame uint64
}

// Decode decodes the body of a session, device, link, gap or end into what v points to.
func (e *Entry) Decode(v any) error {
	if err := json.Unmarshal(e.Body, v); err != nil {
		return fmt.Errorf("%s of frame %d: %w", e.Kind, e.frame, err)
	}
	return nil
}

// Report decodes a KindReport.
func (e *Entry) Report() (msg.Report, error) {
	m, err := e.message()
	if err != nil {
		return nil, err
	}
	r, ok := m.(msg.Report)
	if !ok {
		return nil, fmt.Errorf("frame %d: %s is no report", e.frame, m.BodyName().Local)
	}
	return r, nil
}

// Response decodes a KindMDIB.
func (e *Entry) Response() (*msg.GetMdibResponse, error) {
	m, err := e.message()
	if err != nil {
		return nil, err
	}
	r, ok := m.(*msg.GetMdibResponse)
	if !ok {
		return nil, fmt.Errorf("frame %d: %s is no MDIB", e.frame, m.BodyName().Local)
	}
	return r, nil
}

// MDIB decodes a KindMDIB.
func (e *Entry) MDIB() (*mdib.Snapshot, error) {
	r, err := e.Response()
	if err != nil {
		return nil, err
	}
	return mdib.NewMirror(mdib.MirrorConfig{}).Reset(r)
}

func (e *Entry) message() (msg.Message, error) {
	// The consumer that recorded it has decided on extensions that must be understood; here they are carried on.
	o := msg.Options{Understands: func(pm.QName) bool { return true }}
	o.Limits.MaxBytes = maxPayload
	m, err := o.Unmarshal(e.Body)
	if err != nil {
		return nil, fmt.Errorf("frame %d: %w", e.frame, err)
	}
	return m, nil
}

// record is an entry as it stands in a frame:
//
//	length of the rest   uvarint
//	kind                 1 byte
//	device               uvarint, 0 for none
//	instant              varint, nanoseconds after the frame's first
//	clock                varint, nanoseconds the wall clock was ahead of the instant
//	body                 for KindMDIB one byte Reason, then XML
type record struct {
	kind   Kind
	device uint64
	at     int64 // nanoseconds since 1970
	wall   int64
	reason Reason
	body   []byte
}

var errRecord = errors.New("a record does not end where its frame does, or is about a device that cannot be")

// appendRecord appends a record to a frame whose first instant is base.
func appendRecord(b []byte, r *record, base int64) []byte {
	var head [1 + 3*binary.MaxVarintLen64 + 1]byte
	h := append(head[:0], byte(r.kind))
	h = binary.AppendUvarint(h, r.device)
	h = binary.AppendVarint(h, r.at-base)
	h = binary.AppendVarint(h, r.wall-r.at)
	if r.kind == KindMDIB {
		h = append(h, byte(r.reason))
	}
	b = binary.AppendUvarint(b, uint64(len(h)+len(r.body)))
	b = append(b, h...)
	return append(b, r.body...)
}

// nextRecord takes the first record of a frame off b.
func nextRecord(b []byte, base int64) (r record, rest []byte, err error) {
	size, n := binary.Uvarint(b)
	if n <= 0 || size == 0 || size > uint64(len(b)-n) {
		return r, nil, errRecord
	}
	b, rest = b[n:n+int(size)], b[n+int(size):]
	r.kind, b = Kind(b[0]), b[1:]
	if r.device, n = binary.Uvarint(b); n <= 0 || r.device > maxDevices {
		return r, nil, errRecord
	}
	b = b[n:]
	at, n := binary.Varint(b)
	if n <= 0 {
		return r, nil, errRecord
	}
	b = b[n:]
	ahead, n := binary.Varint(b)
	if n <= 0 {
		return r, nil, errRecord
	}
	r.at = base + at
	r.wall, r.body = r.at+ahead, b[n:]
	if r.kind == KindMDIB {
		if len(r.body) == 0 {
			return r, nil, errRecord
		}
		r.reason, r.body = Reason(r.body[0]), r.body[1:]
	}
	return r, rest, nil
}
