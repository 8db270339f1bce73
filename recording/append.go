package recording

import (
	"errors"
	"fmt"
	"os"
)

// Append goes on with a recording in a new session. What is damaged at the end of the file is cut off: dropped is how many bytes. Damage within the file stays
// as it is. Only one writer may have a file at a time.
func Append(path string, cfg Config) (w *Writer, dropped int64, err error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, 0, fmt.Errorf("recording: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close())
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, fmt.Errorf("recording: %w", err)
	}
	r, err := NewReader(f, info.Size())
	if err != nil {
		return nil, 0, fmt.Errorf("recording: %s: %w", path, err)
	}
	defer r.zstd.Close()
	for len(r.frames) > 0 && !r.indexed {
		// A frame whose header reached the disk before its content.
		last := r.frames[len(r.frames)-1]
		if _, _, err := r.frame(last.Offset); err == nil || !errors.Is(err, ErrDamaged) {
			break
		}
		r.frames = r.frames[:len(r.frames)-1]
		r.end, r.next = last.Offset, last.Number
		if r.last >= r.end {
			r.last = 0 // the index is reached by nobody any more
		}
	}
	w, err = prepare(f, cfg)
	if err != nil {
		return nil, 0, err
	}
	if dropped = info.Size() - r.end; dropped > 0 {
		if err := f.Truncate(r.end); err != nil {
			return nil, 0, fmt.Errorf("recording: %w", err)
		}
	}
	w.offset, w.number, w.lastIndex, w.devices = r.end, r.next, r.last, r.Devices()
	for _, ref := range r.frames {
		if ref.Offset > r.last {
			w.frames = append(w.frames, ref)
		}
	}
	for _, d := range w.devices {
		w.ids[d.EPR] = d.ID
	}
	w.stats.Bytes = w.offset
	w.begin()
	return w, dropped, nil
}
