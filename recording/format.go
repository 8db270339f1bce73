package recording

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"
)

// The version of the format. A reader takes files of its own major version; a minor version adds kinds of records and fields, which older readers skip.
const (
	majorVersion = 1
	minorVersion = 0
)

const (
	fileMagic   = "\x89SDCREC\n"
	frameMarker = "\xf5SDF"
	footMagic   = "SDX1"

	fileHeaderSize  = 32
	frameHeaderSize = 48
	footSize        = 16

	// maxPayload bounds a frame, stored or inflated: an MDIB of mdib.MaxFileSize and what stands around it.
	maxPayload = 96 << 20
)

// Errors of reading.
var (
	// ErrFormat says that a file is no recording.
	ErrFormat = errors.New("not a recording")
	// ErrVersion says that a recording is of another major version of the format.
	ErrVersion = errors.New("format of the recording not supported")
	// ErrDamaged is in every error about bytes that are not as they were written.
	ErrDamaged = errors.New("damaged")
)

type frameKind uint8

const (
	frameRecords frameKind = 1
	frameIndex   frameKind = 2
)

const (
	compressionNone uint8 = 0
	compressionZstd uint8 = 1

	// flagKey marks a frame that holds the whole MDIB of at least one device.
	flagKey uint16 = 1
)

func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

// appendFileHeader writes the first bytes of a file.
func appendFileHeader(b []byte, created time.Time) []byte {
	start := len(b)
	b = append(b, fileMagic...)
	b = binary.LittleEndian.AppendUint16(b, majorVersion)
	b = binary.LittleEndian.AppendUint16(b, minorVersion)
	b = binary.LittleEndian.AppendUint32(b, 0)
	b = binary.LittleEndian.AppendUint64(b, uint64(created.UnixNano()))
	b = binary.LittleEndian.AppendUint32(b, 0)
	return binary.LittleEndian.AppendUint32(b, checksum(b[start:]))
}

func checkFileHeader(b []byte) (created time.Time, err error) {
	if len(b) < fileHeaderSize || string(b[:len(fileMagic)]) != fileMagic {
		return created, ErrFormat
	}
	if got := binary.LittleEndian.Uint32(b[28:]); got != checksum(b[:28]) {
		return created, fmt.Errorf("%w: the checksum of the file's header is wrong", ErrDamaged)
	}
	if major := binary.LittleEndian.Uint16(b[8:]); major != majorVersion {
		return created, fmt.Errorf("%w: version %d, this is version %d", ErrVersion, major, majorVersion)
	}
	return time.Unix(0, int64(binary.LittleEndian.Uint64(b[16:]))), nil
}

// frameHeader stands before every frame.
type frameHeader struct {
	kind        frameKind
	compression uint8
	flags       uint16
	stored      uint32 // bytes in the file
	inflated    uint32
	number      uint64 // counts the frames of the file
	first, last int64  // least and greatest instant of its records
	payloadSum  uint32
}

func (h *frameHeader) append(b []byte) []byte {
	start := len(b)
	b = append(b, frameMarker...)
	b = append(b, byte(h.kind), h.compression)
	b = binary.LittleEndian.AppendUint16(b, h.flags)
	b = binary.LittleEndian.AppendUint32(b, h.stored)
	b = binary.LittleEndian.AppendUint32(b, h.inflated)
	b = binary.LittleEndian.AppendUint64(b, h.number)
	b = binary.LittleEndian.AppendUint64(b, uint64(h.first))
	b = binary.LittleEndian.AppendUint64(b, uint64(h.last))
	b = binary.LittleEndian.AppendUint32(b, h.payloadSum)
	return binary.LittleEndian.AppendUint32(b, checksum(b[start:]))
}

func parseFrameHeader(b []byte) (h frameHeader, err error) {
	switch {
	case len(b) < frameHeaderSize:
		return h, fmt.Errorf("%w: the file ends within the header of a frame", ErrDamaged)
	case string(b[:4]) != frameMarker:
		return h, fmt.Errorf("%w: no frame begins here", ErrDamaged)
	case binary.LittleEndian.Uint32(b[44:]) != checksum(b[:44]):
		return h, fmt.Errorf("%w: the checksum of a frame's header is wrong", ErrDamaged)
	}
	h = frameHeader{
		kind: frameKind(b[4]), compression: b[5], flags: binary.LittleEndian.Uint16(b[6:]),
		stored: binary.LittleEndian.Uint32(b[8:]), inflated: binary.LittleEndian.Uint32(b[12:]), number: binary.LittleEndian.Uint64(b[16:]),
		first: int64(binary.LittleEndian.Uint64(b[24:])), last: int64(binary.LittleEndian.Uint64(b[32:])),
		payloadSum: binary.LittleEndian.Uint32(b[40:]),
	}
	if h.stored > maxPayload || h.inflated > maxPayload {
		return h, fmt.Errorf("%w: a frame of %d bytes, %d inflated; at most %d are allowed", ErrDamaged, h.stored, h.inflated, maxPayload)
	}
	return h, nil
}

// footer ends an index frame, and with it a file that was closed.
func appendFooter(b []byte, frame int64) []byte {
	start := len(b)
	b = append(b, footMagic...)
	b = binary.LittleEndian.AppendUint64(b, uint64(frame))
	return binary.LittleEndian.AppendUint32(b, checksum(b[start:]))
}

func parseFooter(b []byte) (frame int64, ok bool) {
	if len(b) != footSize || string(b[:4]) != footMagic || binary.LittleEndian.Uint32(b[12:]) != checksum(b[:12]) {
		return 0, false
	}
	return int64(binary.LittleEndian.Uint64(b[4:])), true
}

// index is the payload of an index frame, as JSON, before the footer.
type index struct {
	// Previous is the offset of the index frame before, 0 for none.
	Previous int64 `json:"previous"`
	// Devices are all devices up to here.
	Devices []Device `json:"devices"`
	// Frames are the record frames since the previous index.
	Frames []frameRef `json:"frames"`
}

// frameRef is what is known of a frame of records without reading it.
type frameRef struct {
	Offset int64  `json:"offset"`
	Size   int64  `json:"size"` // with its header
	Number uint64 `json:"number"`
	First  int64  `json:"first"`
	Last   int64  `json:"last"`
	// Keys are the devices whose whole MDIB is in the frame.
	Keys []uint64 `json:"keys,omitempty"`
}
