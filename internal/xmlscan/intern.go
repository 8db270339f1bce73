package xmlscan

import (
	"encoding/binary"
	"math/bits"
)

// The caches of a scanner keep short strings across documents so that names and
// repeated handles cost no allocation. They are four-way associative tables of
// bounded size: a hostile document can only push entries out, never make them
// grow past the bound or slow a look-up down. Their strings are copies, so no
// entry keeps an input buffer alive.
const (
	cachedLen  = 64   // longest string kept
	ways       = 4    // slots a string can be in
	cacheMin   = 64   // entries at first
	maxStrings = 2048 // entries at most
	maxNames   = 1024
	hashMul    = 0x9E3779B97F4A7C15
	hashMul2   = 0xD6E8FEB86659FD93
	lossRatio  = 16 // a table doubles when it has lost this part of its entries
)

// nameKey tells strings apart: fully up to 16 bytes, beyond that by their ends.
type nameKey struct {
	first, last uint64
	len         int
}

func keyOf(b []byte) nameKey {
	n := len(b)
	k := nameKey{len: n}
	switch {
	case n >= 8:
		k.first, k.last = binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[n-8:])
	case n >= 4:
		k.first = uint64(binary.LittleEndian.Uint32(b))<<32 | uint64(binary.LittleEndian.Uint32(b[n-4:]))
	case n > 0:
		k.first = uint64(b[0])<<16 | uint64(b[n/2])<<8 | uint64(b[n-1])
	}
	return k
}

const exactLen = 16 // up to this length a nameKey says all

// hash mixes b, which k is the key of. It need not resist attacks: see above.
func (k nameKey) hash(b []byte) uint64 {
	h := (k.first^uint64(k.len))*hashMul + bits.RotateLeft64(k.last, 32)*hashMul2
	for i := 8; i+8 < k.len; i += 8 { // what lies between the ends
		h = bits.RotateLeft64(h^binary.LittleEndian.Uint64(b[i:]), 29) * hashMul
	}
	h ^= h >> 29
	return h * hashMul2 >> 32 // the upper half depends on all bits
}

func hash(b []byte) uint64 { return keyOf(b).hash(b) }

type stringCache struct {
	tab  []string
	lost int // entries pushed out since the table last grew
}

// get returns b as a string, from the table when it is there.
func (c *stringCache) get(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if len(b) > cachedLen {
		return string(b)
	}
	h := hash(b)
	if len(c.tab) != 0 {
		i := h & uint64(len(c.tab)-1)
		for way := range uint64(ways) {
			if c.tab[i^way] == string(b) {
				return c.tab[i^way]
			}
		}
	}
	v := string(b)
	c.put(v, h)
	return v
}

func (c *stringCache) put(v string, h uint64) {
	if mustGrow(len(c.tab), c.lost, maxStrings) {
		old := c.tab
		c.tab = make([]string, max(cacheMin, 2*len(old)))
		for _, o := range old {
			if o != "" {
				c.place(o, hash([]byte(o)))
			}
		}
		c.lost = 0
	}
	c.place(v, h)
}

// place puts v into the first free slot of its set, or into the first one after
// moving the others on, so that the oldest falls out.
func (c *stringCache) place(v string, h uint64) {
	i := h & uint64(len(c.tab)-1)
	for way := range uint64(ways) {
		if c.tab[i^way] == "" {
			c.tab[i^way] = v
			return
		}
	}
	c.lost++
	for way := uint64(ways - 1); way > 0; way-- {
		c.tab[i^way] = c.tab[i^(way-1)]
	}
	c.tab[i] = v
}

// mustGrow says whether a table is too small for what it is asked for.
func mustGrow(size, lost, most int) bool {
	return size == 0 || lost > size/lossRatio && size < most
}

// nameEntry is a checked QName. space is valid while the scanner's scope is the
// one it was looked up in.
type nameEntry struct {
	key    nameKey
	raw    string
	lead   string // what an attribute of this name usually begins with, from the space before it to the quote of its value
	prefix string
	local  string
	space  string
	scope  uint64
	next   *nameEntry // what followed it last, as a guess; in the table, or nil
	decl   bool       // xmlns or xmlns:*; local is then the declared prefix
	gone   bool       // not in the table
}

type nameCache struct {
	tab  []*nameEntry
	lost int
}

// find returns the entry of raw or nil.
func (c *nameCache) find(raw []byte, key nameKey, h uint64) *nameEntry {
	if len(c.tab) == 0 || len(raw) == 0 {
		return nil
	}
	i := h & uint64(len(c.tab)-1)
	for way := range uint64(ways) {
		if e := c.tab[i^way]; e != nil && e.key == key && (key.len <= exactLen || e.raw == string(raw)) {
			return e
		}
	}
	return nil
}

func (c *nameCache) put(e *nameEntry, h uint64) {
	if mustGrow(len(c.tab), c.lost, maxNames) {
		old := c.tab
		c.tab = make([]*nameEntry, max(cacheMin, 2*len(old)))
		for _, o := range old {
			if o != nil {
				c.place(o, hash([]byte(o.raw)))
			}
		}
		c.lost = 0
	}
	c.place(e, h)
}

func (c *nameCache) place(e *nameEntry, h uint64) {
	i := h & uint64(len(c.tab)-1)
	for way := range uint64(ways) {
		if p := &c.tab[i^way]; *p == nil {
			*p = e
			return
		}
	}
	c.lost++
	// What falls out may still be guessed at by one entry. It must not keep others alive in turn.
	out := c.tab[i^(ways-1)]
	out.next, out.gone = nil, true
	for way := uint64(ways - 1); way > 0; way-- {
		c.tab[i^way] = c.tab[i^(way-1)]
	}
	c.tab[i] = e
}

// follow notes that e came after the name before.
func (e *nameEntry) follow(before *nameEntry) {
	if before != nil && !before.gone && !e.gone {
		before.next = e
	}
}

// leads reports whether b begins with an attribute of this name in the usual spelling.
func (e *nameEntry) leads(b []byte) bool {
	return len(b) >= len(e.lead) && string(b[:len(e.lead)]) == e.lead
}

// newNameEntry copies a checked QName whose prefix has the given length.
func newNameEntry(raw []byte, prefix int) *nameEntry {
	lead := " " + string(raw) + `="`
	v := lead[1 : 1+len(raw)]
	e := &nameEntry{key: keyOf(raw), raw: v, lead: lead, local: v}
	if prefix > 0 {
		e.prefix, e.local = v[:prefix], v[prefix+1:]
	}
	switch {
	case v == "xmlns":
		e.decl, e.local = true, ""
	case e.prefix == "xmlns":
		e.decl = true
	}
	return e
}
