// Package parquet writes tables as Apache Parquet files: one flat schema, every column optional, PLAIN encoding, data pages of version 1 compressed with zstd and checksummed.
// It is that little because a library that can do everything makes a program several megabytes larger. It does not read.
//
// The format: https://parquet.apache.org/docs/file-format/
package parquet

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/klauspost/compress/zstd"
)

const magic = "PAR1"

// maxValue bounds a text and the bytes of a list, so that no page exceeds the 2 GiB of the format.
const maxValue = 256 << 20

// Config of a Writer.
type Config struct {
	// GroupSize is about how many bytes of a row group are in memory before it is written; 0 is 16 MiB.
	GroupSize int
	// PageSize is about how many bytes of values make a page; 0 is 1 MiB.
	PageSize int
	// Program is told in the file, "" for nothing.
	Program string
}

// Writer writes one table. It is not safe for concurrent use. After an error it is of no use, and what was written is no Parquet file, as the footer is missing.
type Writer struct {
	w       io.Writer
	cfg     Config
	zstd    *zstd.Encoder
	chunks  []*chunk
	groups  []group
	offset  int64
	inGroup int64
	rows    int64
	closed  bool
}

// group is a row group that has been written.
type group struct {
	rows    int64
	columns []done
}

// NewWriter begins a table with these columns in w. Names must be given and differ.
func NewWriter(w io.Writer, columns []Column, cfg Config) (*Writer, error) {
	if cfg.GroupSize < 0 || cfg.PageSize < 0 {
		return nil, errors.New("parquet: GroupSize and PageSize must not be negative")
	}
	if cfg.GroupSize == 0 {
		cfg.GroupSize = 16 << 20
	}
	if cfg.PageSize == 0 {
		cfg.PageSize = 1 << 20
	}
	if len(columns) == 0 {
		return nil, errors.New("parquet: a table without columns")
	}
	p := &Writer{w: w, cfg: cfg}
	seen := map[string]bool{}
	for _, c := range columns {
		if c.Name == "" || seen[c.Name] || c.Type < String || c.Type > Doubles {
			return nil, fmt.Errorf("parquet: column %q: no name, a name twice, or no such type", c.Name)
		}
		seen[c.Name] = true
		p.chunks = append(p.chunks, &chunk{Column: c})
	}
	z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, err
	}
	p.zstd = z
	if err := p.write([]byte(magic)); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *Writer) write(b []byte) error {
	n, err := p.w.Write(b)
	p.offset += int64(n)
	return err
}

// Row appends a row: one value for each column, nil where there is none. A String takes a string, Uint64 an uint64, Double a float64, Nanos and Millis a
// time.Time, Doubles a []float64. A value of another type, an instant that the column cannot hold, and a value of more than 256 MiB are errors and append nothing.
func (p *Writer) Row(values ...any) error {
	if p.closed {
		return errors.New("parquet: the table is closed")
	}
	if len(values) != len(p.chunks) {
		return fmt.Errorf("parquet: %d values for %d columns", len(values), len(p.chunks))
	}
	for i, c := range p.chunks {
		if err := c.Type.check(values[i]); err != nil {
			return fmt.Errorf("parquet: column %s: %w", c.Name, err)
		}
	}
	waiting := 0
	for i, c := range p.chunks {
		c.add(values[i])
		if len(c.values)+len(c.def)+len(c.rep) >= p.cfg.PageSize {
			c.endPage(p.zstd)
		}
		waiting += c.waiting()
	}
	p.inGroup++
	if waiting >= p.cfg.GroupSize {
		return p.endGroup()
	}
	return nil
}

// Instants of Nanos must lie between these.
var (
	firstNanos = time.Unix(0, math.MinInt64)
	lastNanos  = time.Unix(0, math.MaxInt64)
)

func (t Type) check(value any) error {
	ok, size := value == nil, 0
	switch v := value.(type) {
	case string:
		ok, size = t == String, len(v)
	case uint64:
		ok = t == Uint64
	case float64:
		ok = t == Double
	case []float64:
		ok, size = t == Doubles, 8*len(v)
	case time.Time:
		ok = t == Nanos || t == Millis
		if t == Nanos && (v.Before(firstNanos) || v.After(lastNanos)) {
			return fmt.Errorf("%s cannot be told in nanoseconds", v)
		}
	}
	if !ok {
		return fmt.Errorf("a value of type %T", value)
	}
	if size > maxValue {
		return fmt.Errorf("a value of %d bytes, more than %d", size, maxValue)
	}
	return nil
}

// add appends a value that has been checked.
func (c *chunk) add(value any) {
	switch v := value.(type) {
	case nil:
		c.null()
	case string:
		c.text(v)
	case uint64:
		c.word(v)
	case float64:
		c.word(math.Float64bits(v))
	case []float64:
		c.doubles(v)
	case time.Time:
		if c.Type == Millis {
			c.word(uint64(v.UnixMilli())) // two's complement
		} else {
			c.word(uint64(v.UnixNano())) // two's complement
		}
	}
}

func (p *Writer) endGroup() error {
	if p.inGroup == 0 {
		return nil
	}
	g := group{rows: p.inGroup}
	for _, c := range p.chunks {
		c.endPage(p.zstd)
		g.columns = append(g.columns, done{offset: p.offset, entries: c.entries, raw: c.raw, packed: int64(len(c.pages))})
		if err := p.write(c.pages); err != nil {
			return err
		}
		c.pages, c.entries, c.raw = c.pages[:0], 0, 0
	}
	p.groups = append(p.groups, g)
	p.rows += p.inGroup
	p.inGroup = 0
	return nil
}

// Close writes what waits and the footer. It does not close the writer below.
func (p *Writer) Close() error {
	if p.closed {
		return nil
	}
	p.closed = true
	defer p.zstd.Close()
	if err := p.endGroup(); err != nil {
		return err
	}
	foot := p.footer()
	if len(foot) > math.MaxUint32 {
		return errors.New("parquet: too many row groups")
	}
	var b bytes.Buffer
	b.Write(foot)
	b.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(foot)))) // checked above
	b.WriteString(magic)
	return p.write(b.Bytes())
}

// footer is the FileMetaData.
func (p *Writer) footer() []byte {
	elements := 1
	for _, c := range p.chunks {
		elements += c.elements()
	}
	var t thrift
	t.element(func() {
		t.i32(1, 1) // version
		t.list(2, thriftStruct, elements)
		t.element(func() {
			t.string(4, "table")
			t.i32(5, len(p.chunks))
		})
		for _, c := range p.chunks {
			c.schema(&t)
		}
		t.i64(3, p.rows)
		t.list(4, thriftStruct, len(p.groups))
		for _, g := range p.groups {
			p.groupMetadata(&t, g)
		}
		if p.cfg.Program != "" {
			t.string(6, p.cfg.Program)
		}
	})
	return t.b
}

func (p *Writer) groupMetadata(t *thrift, g group) {
	t.element(func() {
		t.list(1, thriftStruct, len(g.columns))
		var raw, packed int64
		for i := range g.columns {
			d := &g.columns[i]
			d.metadata(t, &p.chunks[i].Column)
			raw += d.raw
			packed += d.packed
		}
		t.i64(2, raw)
		t.i64(3, g.rows)
		t.i64(5, g.columns[0].offset)
		t.i64(6, packed)
	})
}
