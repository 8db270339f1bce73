package parquet

import (
	"encoding/binary"
	"hash/crc32"
	"math"

	"github.com/klauspost/compress/zstd"
)

// Type is what a column holds.
type Type int

// The types of columns.
const (
	// String is UTF-8 text.
	String Type = iota
	// Uint64 is an unsigned number.
	Uint64
	// Double is a binary floating-point number of 64 bits.
	Double
	// Nanos is an instant in UTC, in nanoseconds since 1970.
	Nanos
	// Millis is an instant in UTC, in milliseconds since 1970.
	Millis
	// Doubles is a list of Double.
	Doubles
)

// Numbers of the format (parquet.thrift).
const (
	physicalInt64     = 2
	physicalDouble    = 5
	physicalByteArray = 6

	required, optional, repeated = 0, 1, 2

	convertedUTF8, convertedList, convertedUint64 = 0, 3, 14

	encodingPlain, encodingRLE = 0, 3

	codecZstd = 6
)

func (t Type) physical() int {
	switch t {
	case String:
		return physicalByteArray
	case Double, Doubles:
		return physicalDouble
	default:
		return physicalInt64
	}
}

// Column is one column of a table. Every value of it may be missing.
type Column struct {
	Name string
	Type Type
}

// elements is how many elements of the schema the column takes.
func (c *Column) elements() int {
	if c.Type == Doubles {
		return 3
	}
	return 1
}

// path is where the values are in the schema.
func (c *Column) path() []string {
	if c.Type == Doubles {
		return []string{c.Name, "list", "element"}
	}
	return []string{c.Name}
}

// schema appends the column's elements of the schema.
func (c *Column) schema(t *thrift) {
	if c.Type == Doubles {
		t.element(func() {
			t.i32(3, optional)
			t.string(4, c.Name)
			t.i32(5, 1)
			t.i32(6, convertedList)
			t.strukt(10, func() { t.strukt(3, func() {}) })
		})
		t.element(func() {
			t.i32(3, repeated)
			t.string(4, "list")
			t.i32(5, 1)
		})
		t.element(func() {
			t.i32(1, physicalDouble)
			t.i32(3, required)
			t.string(4, "element")
		})
		return
	}
	t.element(func() {
		t.i32(1, c.Type.physical())
		t.i32(3, optional)
		t.string(4, c.Name)
		switch c.Type {
		case String:
			t.i32(6, convertedUTF8)
			t.strukt(10, func() { t.strukt(1, func() {}) })
		case Uint64:
			t.i32(6, convertedUint64)
			t.strukt(10, func() {
				t.strukt(10, func() {
					t.byte(1, 64)
					t.bool(2, false)
				})
			})
		case Nanos, Millis:
			unit := 3
			if c.Type == Millis {
				unit = 1
			}
			t.strukt(10, func() {
				t.strukt(8, func() {
					t.bool(1, true)
					t.strukt(2, func() { t.strukt(unit, func() {}) })
				})
			})
		case Double, Doubles: // the physical type says it all
		}
	})
}

// chunk is a column within the row group that is being made.
type chunk struct {
	Column
	// values, definition and repetition levels of the page that is being made.
	values   []byte
	def, rep []byte
	// pages that are done, with their headers.
	pages []byte
	// entries of the levels and bytes before compression, over all pages that are done.
	entries, raw int64
}

func (c *chunk) null() {
	c.def = append(c.def, 0)
	if c.Type == Doubles {
		c.rep = append(c.rep, 0)
	}
}

func (c *chunk) text(s string) {
	c.def = append(c.def, 1)
	c.values = binary.LittleEndian.AppendUint32(c.values, uint32(len(s))) // Row refuses texts that long
	c.values = append(c.values, s...)
}

func (c *chunk) word(v uint64) {
	c.def = append(c.def, 1)
	c.values = binary.LittleEndian.AppendUint64(c.values, v)
}

func (c *chunk) doubles(v []float64) {
	if len(v) == 0 { // a list, but an empty one
		c.def, c.rep = append(c.def, 1), append(c.rep, 0)
		return
	}
	for i, f := range v {
		c.def = append(c.def, 2)
		c.rep = append(c.rep, byte(min(i, 1)))
		c.values = binary.LittleEndian.AppendUint64(c.values, math.Float64bits(f))
	}
}

// waiting is how many bytes are in memory, about.
func (c *chunk) waiting() int { return len(c.values) + len(c.def) + len(c.rep) + len(c.pages) }

// endPage turns what has come into a page.
func (c *chunk) endPage(z *zstd.Encoder) {
	if len(c.def) == 0 {
		return
	}
	var page []byte
	width := 1
	if c.Type == Doubles {
		page = appendLevels(page, c.rep, 1)
		width = 2
	}
	page = append(appendLevels(page, c.def, width), c.values...)
	packed := z.EncodeAll(page, nil)
	var t thrift
	t.element(func() {
		t.i32(1, 0) // a data page
		t.i32(2, len(page))
		t.i32(3, len(packed))
		t.i32(4, int(int32(crc32.ChecksumIEEE(packed)))) // the same bits, as the format has it
		t.strukt(5, func() {
			t.i32(1, len(c.def))
			t.i32(2, encodingPlain)
			t.i32(3, encodingRLE)
			t.i32(4, encodingRLE)
		})
	})
	c.pages = append(append(c.pages, t.b...), packed...)
	c.entries += int64(len(c.def))
	c.raw += int64(len(t.b) + len(page))
	c.values, c.def, c.rep = c.values[:0], c.def[:0], c.rep[:0]
}

// done is a column of a row group that has been written.
type done struct {
	offset, entries, raw, packed int64
}

// metadata appends the ColumnChunk of the footer.
func (d *done) metadata(t *thrift, c *Column) {
	t.element(func() {
		t.i64(2, 0)
		t.strukt(3, func() {
			t.i32(1, c.Type.physical())
			t.list(2, thriftI32, 2)
			t.varint(encodingPlain)
			t.varint(encodingRLE)
			path := c.path()
			t.list(3, thriftBinary, len(path))
			for _, p := range path {
				t.text(p)
			}
			t.i32(4, codecZstd)
			t.i64(5, d.entries)
			t.i64(6, d.raw)
			t.i64(7, d.packed)
			t.i64(9, d.offset)
		})
	})
}
