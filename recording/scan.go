package recording

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"
)

// scan finds the frames by their headers, from the first on, as far as there are any, damaged parts left out.
func (r *Reader) scan() error {
	at := int64(fileHeaderSize)
	r.end = at
	for at < r.size {
		h, err := r.header(at)
		if err != nil && !errors.Is(err, ErrDamaged) {
			return err
		}
		if err == nil && h.number >= r.next {
			if h.number > r.next {
				r.damaged(Damage{From: at, To: at, Frames: h.number - r.next, Err: fmt.Errorf("%w: frames are missing", ErrDamaged)})
			}
			r.found(at, &h)
			at += frameHeaderSize + int64(h.stored)
			r.end, r.next = at, h.number+1
			continue
		}
		if err == nil {
			err = fmt.Errorf("%w: frame %d comes a second time", ErrDamaged, h.number)
		}
		next, number, found, searchErr := r.search(at + 1)
		if searchErr != nil {
			return searchErr
		}
		if !found {
			r.damaged(Damage{From: at, To: r.size, Tail: true, Err: err})
			return nil
		}
		r.damaged(Damage{From: at, To: next, Frames: number - r.next, Err: err})
		r.next = number
		at = next
	}
	r.damaged(Damage{From: r.size, To: r.size, Tail: true, Err: errNotClosed})
	return nil
}

// errNotClosed is no damage of what there is, but what was not written yet when the recorder ended is missing.
var errNotClosed = errors.New("the recording was not closed; what was not written yet is missing")

func (r *Reader) damaged(d Damage) {
	if n := len(r.frames); n > 0 {
		d.Since = time.Unix(0, r.frames[n-1].Last)
	} else {
		d.Since = r.created
	}
	r.damage = append(r.damage, d)
}

// found notes a frame. Those with a whole MDIB are read to learn of whom; one that turns out to be damaged is found so again when it is read.
func (r *Reader) found(at int64, h *frameHeader) {
	switch h.kind {
	case frameIndex:
		r.last = at
	case frameRecords:
		ref := frameRef{Offset: at, Size: frameHeaderSize + int64(h.stored), Number: h.number, First: h.first, Last: h.last}
		if h.flags&flagKey != 0 {
			ref.Keys = r.keys(at)
		}
		r.frames = append(r.frames, ref)
	}
}

// keys reads a frame for the devices whose whole MDIB is in it.
func (r *Reader) keys(at int64) (keys []uint64) {
	h, payload, err := r.frame(at)
	if err != nil {
		return nil
	}
	for len(payload) > 0 {
		var rec record
		if rec, payload, err = nextRecord(payload, h.first); err != nil {
			return keys
		}
		switch rec.kind {
		case KindDevice:
			r.learn(&rec)
		case KindMDIB:
			keys = append(keys, rec.device)
		}
	}
	return keys
}

// maxDevices bounds the devices of a file.
const maxDevices = 1 << 16

// learn takes a device's description over into r.devices.
func (r *Reader) learn(rec *record) {
	e := Entry{Kind: KindDevice, Body: rec.body}
	var d Device
	if rec.device == 0 || rec.device > maxDevices || e.Decode(&d) != nil {
		return
	}
	d.ID = rec.device
	for uint64(len(r.devices)) < rec.device {
		r.devices = append(r.devices, Device{ID: uint64(len(r.devices)) + 1})
	}
	r.devices[rec.device-1] = d
}

// search finds the next header of a frame that lies within the file and is not older than what was read.
func (r *Reader) search(from int64) (at int64, number uint64, found bool, err error) {
	const chunk = 1 << 20
	buf := make([]byte, chunk+len(frameMarker)-1)
	for pos := from; pos < r.size; pos += chunk {
		n, err := r.r.ReadAt(buf[:min(int64(len(buf)), r.size-pos)], pos)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, 0, false, err
		}
		for i := 0; ; i++ {
			k := bytes.Index(buf[i:n], []byte(frameMarker))
			if k < 0 {
				break
			}
			i += k
			h, err := r.header(pos + int64(i))
			if err == nil && h.number >= r.next {
				return pos + int64(i), h.number, true, nil
			}
			if err != nil && !errors.Is(err, ErrDamaged) {
				return 0, 0, false, err
			}
		}
	}
	return 0, 0, false, nil
}
