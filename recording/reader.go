package recording

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/klauspost/compress/zstd"
)

// Damage is a part of a file that cannot be read.
type Damage struct {
	// From and To are offsets in the file, To the first byte after.
	From, To int64
	// Frames is how many frames are missing, as far as their numbers tell.
	Frames uint64
	// Since is the instant of the last record known before.
	Since time.Time
	// Tail tells that nothing follows: the file was not closed, or is cut off.
	Tail bool
	Err  error
}

func (d Damage) String() string {
	s := fmt.Sprintf("bytes %d to %d: %v", d.From, d.To, d.Err)
	if d.Frames > 0 {
		s += fmt.Sprintf(" (%d frames missing)", d.Frames)
	}
	return s
}

// Reader reads a recording. Its methods may be called from any goroutine; an iteration belongs to one.
type Reader struct {
	r       io.ReaderAt
	size    int64
	created time.Time
	closer  io.Closer
	zstd    *zstd.Decoder

	frames  []frameRef
	devices []Device // by ID-1
	damage  []Damage
	indexed bool  // found by the index
	end     int64 // after the last frame that is whole
	next    uint64
	last    int64 // offset of the last index frame
}

// Open opens a recording. A file that was not closed is read as far as it goes; Damage tells what is missing.
func Open(path string) (*Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	r, err := NewReader(f, info.Size())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	r.closer = f
	return r, nil
}

// NewReader reads a recording of the given size.
func NewReader(f io.ReaderAt, size int64) (*Reader, error) {
	if f == nil {
		return nil, errors.New("recording: there is no file")
	}
	head := make([]byte, fileHeaderSize)
	if _, err := f.ReadAt(head, 0); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, ErrFormat
		}
		return nil, err
	}
	created, err := checkFileHeader(head)
	if err != nil {
		return nil, err
	}
	r := &Reader{r: f, size: size, created: created}
	r.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxPayload), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, err
	}
	if !r.readIndex() {
		r.frames, r.devices, r.damage = nil, nil, nil
		if err := r.scan(); err != nil {
			r.zstd.Close()
			return nil, err
		}
	}
	return r, nil
}

// IsRecording tells whether a file begins as a recording does.
func IsRecording(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }() // only read
	head := make([]byte, len(fileMagic))
	_, err = io.ReadFull(f, head)
	return err == nil && string(head) == fileMagic
}

// Close closes the file.
func (r *Reader) Close() error {
	r.zstd.Close()
	if r.closer != nil {
		return r.closer.Close()
	}
	return nil
}

// Created is when the file was made.
func (r *Reader) Created() time.Time { return r.created }

// Size of the file in bytes.
func (r *Reader) Size() int64 { return r.size }

// Indexed tells whether the file ends with an index, as one does that was closed in good order.
func (r *Reader) Indexed() bool { return r.indexed }

// Damage is what was found damaged when the file was opened; Check finds all of it.
func (r *Reader) Damage() []Damage { return slices.Clone(r.damage) }

// Devices are the devices in the file.
func (r *Reader) Devices() []Device { return slices.Clone(r.devices) }

// Span is from the first to the last instant in the file; zero if there are no records.
func (r *Reader) Span() (first, last time.Time) {
	if len(r.frames) == 0 {
		return first, last
	}
	end := r.frames[0].Last
	for _, f := range r.frames {
		end = max(end, f.Last)
	}
	return time.Unix(0, r.frames[0].First), time.Unix(0, end)
}

// readIndex finds the frames by the index at the end.
func (r *Reader) readIndex() bool {
	if r.size < fileHeaderSize+frameHeaderSize+footSize {
		return false
	}
	foot := make([]byte, footSize)
	if _, err := r.r.ReadAt(foot, r.size-footSize); err != nil {
		return false
	}
	at, ok := parseFooter(foot)
	if !ok {
		return false
	}
	r.last, r.end = at, r.size
	limit := r.size
	for at != 0 {
		if at < fileHeaderSize || at >= limit {
			return false
		}
		h, payload, err := r.frame(at)
		if err != nil || h.kind != frameIndex {
			return false
		}
		idx, err := parseIndex(payload, at)
		if err != nil || r.overlaps(&idx) {
			return false
		}
		if r.devices == nil {
			r.devices, r.next = idx.Devices, h.number+1
		}
		r.frames = append(r.frames, reversed(idx.Frames)...)
		limit, at = at, idx.Previous
	}
	slices.Reverse(r.frames)
	r.indexed = true
	return true
}

// overlaps tells whether the frames of an index go beyond the beginning of those that have been read, which come after them.
func (r *Reader) overlaps(earlier *index) bool {
	if len(r.frames) == 0 || len(earlier.Frames) == 0 {
		return false
	}
	last := earlier.Frames[len(earlier.Frames)-1]
	return last.Offset+last.Size > r.frames[len(r.frames)-1].Offset // they are in the wrong order yet
}

func reversed(f []frameRef) []frameRef {
	f = slices.Clone(f)
	slices.Reverse(f)
	return f
}

// Bounds of an element of an index, in bytes of its JSON.
const (
	maxDeviceJSON = 1 << 20
	maxFrameJSON  = 1 << 20 // the keys of maxDevices, and more
)

// parseIndex reads the payload of the index frame at an offset. Each element is checked before the next is read: an index that passes its checksum was written as it is, but not necessarily by this writer,
// and two bytes of it could become hundreds in memory.
func parseIndex(payload []byte, at int64) (idx index, err error) {
	if len(payload) < footSize {
		return idx, ErrDamaged
	}
	body := payload[:len(payload)-footSize]
	if own, ok := parseFooter(payload[len(body):]); !ok || own != at {
		return idx, ErrDamaged
	}
	in := json.NewDecoder(bytes.NewReader(body))
	seen := map[string]bool{}
	err = members(in, func(name string) error {
		if seen[name] {
			return ErrDamaged
		}
		switch name {
		case "previous":
			seen[name] = true
			if err := in.Decode(&idx.Previous); err != nil {
				return err
			}
			if idx.Previous < 0 || idx.Previous >= at {
				return ErrDamaged
			}
		case "devices":
			seen[name] = true
			return elements(in, maxDeviceJSON, idx.addDevice)
		case "frames":
			seen[name] = true
			return elements(in, maxFrameJSON, func(raw json.RawMessage) error { return idx.addFrame(raw, at) })
		default: // of a later version
			var skipped json.RawMessage
			return in.Decode(&skipped)
		}
		return nil
	})
	if err == nil && in.More() {
		err = ErrDamaged
	}
	return idx, err
}

// members calls f for each member of the object that follows, for its value to be read.
func members(in *json.Decoder, f func(name string) error) error {
	if t, err := in.Token(); err != nil || t != json.Delim('{') {
		return errors.Join(ErrDamaged, err)
	}
	for in.More() {
		t, err := in.Token()
		if err != nil {
			return err
		}
		name, _ := t.(string) // in an object nothing else comes
		if err := f(name); err != nil {
			return err
		}
	}
	_, err := in.Token()
	return err
}

// elements calls f for each element, of so many bytes at most, of the array or null that follows.
func elements(in *json.Decoder, most int, f func(json.RawMessage) error) error {
	switch t, err := in.Token(); {
	case err != nil:
		return err
	case t == nil:
		return nil
	case t != json.Delim('['):
		return ErrDamaged
	}
	for in.More() {
		var raw json.RawMessage
		if err := in.Decode(&raw); err != nil {
			return err
		}
		if len(raw) > most {
			return ErrDamaged
		}
		if err := f(raw); err != nil {
			return err
		}
	}
	_, err := in.Token()
	return err
}

// addDevice takes the next device.
func (idx *index) addDevice(raw json.RawMessage) error {
	var d Device
	if err := json.Unmarshal(raw, &d); err != nil {
		return err
	}
	if d.ID != uint64(len(idx.Devices))+1 || d.ID > maxDevices {
		return ErrDamaged
	}
	idx.Devices = append(idx.Devices, d)
	return nil
}

// addFrame takes the next frame, which lies behind those before it and before the index.
func (idx *index) addFrame(raw json.RawMessage, before int64) error {
	var f frameRef
	if err := json.Unmarshal(raw, &f); err != nil {
		return err
	}
	from := int64(fileHeaderSize)
	if n := len(idx.Frames); n > 0 {
		from = idx.Frames[n-1].Offset + idx.Frames[n-1].Size
	}
	if f.Offset < from || f.Size < frameHeaderSize || f.Size > maxPayload+frameHeaderSize || f.Offset > before-f.Size || len(f.Keys) > maxDevices {
		return ErrDamaged
	}
	idx.Frames = append(idx.Frames, f)
	return nil
}

// frame reads a frame and checks it. The payload is inflated.
func (r *Reader) frame(at int64) (h frameHeader, payload []byte, err error) {
	h, err = r.header(at)
	if err != nil {
		return h, nil, err
	}
	stored := make([]byte, h.stored)
	if _, err := r.r.ReadAt(stored, at+frameHeaderSize); err != nil && !(errors.Is(err, io.EOF) && at+frameHeaderSize+int64(h.stored) == r.size) {
		return h, nil, err
	}
	if checksum(stored) != h.payloadSum {
		return h, nil, fmt.Errorf("%w: the checksum of frame %d is wrong", ErrDamaged, h.number)
	}
	switch h.compression {
	case compressionNone:
		payload = stored
	case compressionZstd:
		if payload, err = r.zstd.DecodeAll(stored, make([]byte, 0, min(h.inflated, 1<<20))); err != nil {
			return h, nil, fmt.Errorf("%w: frame %d: %w", ErrDamaged, h.number, err)
		}
	default:
		return h, nil, fmt.Errorf("%w: frame %d has compression %d, which is not known", ErrDamaged, h.number, h.compression)
	}
	if len(payload) != int(h.inflated) {
		return h, nil, fmt.Errorf("%w: frame %d has %d bytes, its header says %d", ErrDamaged, h.number, len(payload), h.inflated)
	}
	return h, payload, nil
}

// header reads the header of a frame that lies within the file.
func (r *Reader) header(at int64) (h frameHeader, err error) {
	b := make([]byte, frameHeaderSize)
	if at > r.size-frameHeaderSize {
		return h, fmt.Errorf("%w: the file ends within the header of a frame", ErrDamaged)
	}
	if _, err := r.r.ReadAt(b, at); err != nil && !errors.Is(err, io.EOF) {
		return h, err
	}
	if h, err = parseFrameHeader(b); err != nil {
		return h, err
	}
	if int64(h.stored) > r.size-at-frameHeaderSize {
		return h, fmt.Errorf("%w: the file ends within frame %d", ErrDamaged, h.number)
	}
	return h, nil
}
