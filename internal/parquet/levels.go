package parquet

import "encoding/binary"

// appendLevels appends repetition or definition levels of the given width in bits (1 or 2) as the hybrid of run lengths and packed bits, with its length in front.
func appendLevels(b, levels []byte, width int) []byte {
	at := len(b)
	b = append(b, 0, 0, 0, 0)
	// What lies between packed and i is not written yet.
	packed := 0
	for i := 0; i < len(levels); {
		run := i + 1
		for run < len(levels) && levels[run] == levels[i] {
			run++
		}
		n := run - i
		// Packed bits come in eights, so a run has to fill up those before it first.
		if open := (i - packed) % 8; open != 0 {
			i += min(n, 8-open)
			continue
		}
		if n < 8 {
			i += n
			continue
		}
		b = appendPacked(b, levels[packed:i], width)
		b = append(binary.AppendUvarint(b, uint64(n)<<1), levels[i])
		i, packed = run, run
	}
	b = appendPacked(b, levels[packed:], width)
	binary.LittleEndian.PutUint32(b[at:], uint32(len(b)-at-4)) // a page is far smaller
	return b
}

// appendPacked appends levels as groups of eight, the last one filled up with zeros.
func appendPacked(b, levels []byte, width int) []byte {
	if len(levels) == 0 {
		return b
	}
	groups := (len(levels) + 7) / 8
	b = binary.AppendUvarint(b, uint64(groups)<<1|1)
	at := len(b)
	b = append(b, make([]byte, groups*width)...)
	for i, l := range levels {
		bit := i * width
		b[at+bit/8] |= l << (bit % 8) // width divides 8: no level lies in two bytes
	}
	return b
}
