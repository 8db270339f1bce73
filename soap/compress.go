package soap

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
)

// scratch is memory for reuse between messages. It belongs to one client or
// server and holds nothing that outlives a message.
type scratch struct {
	buffers     sync.Pool // of *[]byte
	pieces      sync.Pool // of *[piece]byte, for what comes of large bodies
	large       sync.Pool // of *[]byte, larger than maxPooled, for bodies and answers; they are gone after two collections without a large one
	gzipWriters sync.Pool // of *gzip.Writer
	gzipReaders sync.Pool // of *gzip.Reader
	parsers     sync.Pool // of *Parser
}

// maxPooled is the largest buffer kept for reuse: one huge message must not pin its memory.
const maxPooled = 256 << 10

func (m *scratch) getBuffer() *[]byte {
	if b, ok := m.buffers.Get().(*[]byte); ok {
		return b
	}
	return new([]byte)
}

func (m *scratch) putBuffer(b *[]byte) {
	if cap(*b) <= maxPooled {
		*b = (*b)[:0]
		m.buffers.Put(b)
	}
}

// readAll reads to the end, at most limit bytes. size is the announced length or -1.
func (m *scratch) readAll(r io.Reader, size, limit int64) ([]byte, error) {
	b := body{mem: m}
	defer b.drop()
	if err := b.read(r, size, limit); err != nil {
		return nil, err
	}
	return b.join(), nil
}

// inflate decodes gzip; more than limit bytes of output are refused. memory, unless nil, is
// charged with the output.
func (m *scratch) inflate(doc []byte, limit int64, memory *metered) ([]byte, error) {
	zr, ok := m.gzipReaders.Get().(*gzip.Reader)
	if !ok {
		zr = new(gzip.Reader)
	}
	defer m.gzipReaders.Put(zr)
	if err := zr.Reset(bytes.NewReader(doc)); err != nil {
		return nil, fmt.Errorf("gzip: %w", err)
	}
	var r io.Reader = zr
	if memory != nil {
		memory.r, r = zr, memory
	}
	out, err := m.readAll(r, int64(min(len(doc)*8, 64<<10)), limit)
	if err != nil {
		return nil, fmt.Errorf("gzip: %w", err)
	}
	return out, nil
}

// deflate appends the gzip of doc to b.
func (m *scratch) deflate(b, doc []byte) []byte {
	out := bytes.NewBuffer(b)
	zw, ok := m.gzipWriters.Get().(*gzip.Writer)
	if !ok {
		zw, _ = gzip.NewWriterLevel(out, gzip.BestSpeed) // the level is valid
	}
	defer m.gzipWriters.Put(zw)
	zw.Reset(out)
	_, _ = zw.Write(doc) // a bytes.Buffer takes everything
	_ = zw.Close()
	return out.Bytes()
}

// offersGzip reads Accept-Encoding: gzip must be named and not be refused by q=0.
func offersGzip(values []string) bool {
	for _, v := range values {
		for part := range strings.SplitSeq(v, ",") {
			coding, params, _ := strings.Cut(part, ";")
			coding = strings.ToLower(strings.TrimSpace(coding))
			if coding != "gzip" && coding != "x-gzip" {
				continue
			}
			q, ok := strings.CutPrefix(strings.ToLower(strings.ReplaceAll(params, " ", "")), "q=")
			if !ok {
				return true
			}
			weight, err := strconv.ParseFloat(q, 64)
			return err == nil && weight > 0
		}
	}
	return false
}
