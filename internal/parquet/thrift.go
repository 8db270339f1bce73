package parquet

import "encoding/binary"

// Types of the compact protocol of Thrift.
const (
	thriftTrue   = 1
	thriftFalse  = 2
	thriftByte   = 3
	thriftI32    = 5
	thriftI64    = 6
	thriftBinary = 8
	thriftList   = 9
	thriftStruct = 12
)

// thrift writes one struct, and those within it, in the compact protocol. Fields must come in the order of their ids.
type thrift struct {
	b []byte
	// last is the id of the field before, of each struct that is open.
	last []int
}

func (t *thrift) begin() { t.last = append(t.last, 0) }

func (t *thrift) end() {
	t.b = append(t.b, 0)
	t.last = t.last[:len(t.last)-1]
}

// field writes the short form of a header, which is enough: no struct here skips more than 15 ids.
func (t *thrift) field(id int, kind byte) {
	last := &t.last[len(t.last)-1]
	t.b = append(t.b, byte(id-*last)<<4|kind)
	*last = id
}

func (t *thrift) varint(v int64) { t.b = binary.AppendVarint(t.b, v) }

func (t *thrift) i32(id, v int) {
	t.field(id, thriftI32)
	t.varint(int64(v))
}

func (t *thrift) i64(id int, v int64) {
	t.field(id, thriftI64)
	t.varint(v)
}

func (t *thrift) byte(id int, v byte) {
	t.field(id, thriftByte)
	t.b = append(t.b, v)
}

func (t *thrift) bool(id int, v bool) {
	kind := byte(thriftFalse)
	if v {
		kind = thriftTrue
	}
	t.field(id, kind)
}

// text writes a string without a header, as lists have it.
func (t *thrift) text(s string) {
	t.b = append(binary.AppendUvarint(t.b, uint64(len(s))), s...)
}

func (t *thrift) string(id int, s string) {
	t.field(id, thriftBinary)
	t.text(s)
}

// list writes the header of a list; its n elements follow.
func (t *thrift) list(id int, kind byte, n int) {
	t.field(id, thriftList)
	if n < 15 {
		t.b = append(t.b, byte(n)<<4|kind)
		return
	}
	t.b = binary.AppendUvarint(append(t.b, 0xF0|kind), uint64(n))
}

// strukt writes a struct as a field.
func (t *thrift) strukt(id int, fields func()) {
	t.field(id, thriftStruct)
	t.element(fields)
}

// element writes a struct as an element of a list.
func (t *thrift) element(fields func()) {
	t.begin()
	fields()
	t.end()
}
