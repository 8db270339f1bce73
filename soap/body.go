package soap

import (
	"io"
	"slices"
)

// piece is how much memory a body beyond costly gets at a time.
const piece = 64 << 10

// body is what has come of the body of a request: the beginning in one stretch, as nearly every body is to its end, and what is beyond costly in pieces that serve one request after the other. A body that
// grew in one stretch would be copied again and again, and would leave behind several times its size for the collector: peers who send bodies of megabytes, which cost them nothing, would have it run
// a hundred times a second, and make everything else wait for it.
type body struct {
	mem    *scratch
	head   []byte
	pieces []*[piece]byte
	last   int // bytes in the last of them
}

// read reads to the end of r, at most limit bytes. size is the announced length or -1; it is only trusted as far as memory is cheap: it costs a sender nothing.
func (b *body) read(r io.Reader, size, limit int64) error {
	if size > limit {
		return ErrTooLarge
	}
	start := int64(4096)
	if size >= 0 {
		start = min(size, costly/2)
	}
	b.head = slices.Grow(b.head[:0], int(start)+1) // one more, so that the end is seen without growing
	for {
		n, err := r.Read(b.room(size))
		if len(b.pieces) == 0 {
			b.head = b.head[:len(b.head)+n]
		} else {
			b.last += n
		}
		if int64(b.size()) > limit {
			return ErrTooLarge
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// room is memory for what comes next, never empty.
func (b *body) room(size int64) []byte {
	switch full := len(b.head) == cap(b.head); {
	case !full:
		return b.head[len(b.head):cap(b.head)]
	case len(b.head) < costly: // append would grow it by a quarter only, and copy it a dozen times; more than half might never be used
		more := int64(len(b.head))/2 + 1
		if left := size + 1 - int64(len(b.head)); left > 0 {
			more = min(more, left)
		}
		b.head = append(make([]byte, 0, int64(len(b.head))+more), b.head...)
		return b.head[len(b.head):cap(b.head)]
	}
	if len(b.pieces) == 0 || b.last == piece {
		b.pieces = append(b.pieces, b.mem.getPiece())
		b.last = 0
	}
	return b.pieces[len(b.pieces)-1][b.last:]
}

// size is how many bytes have come.
func (b *body) size() int {
	if len(b.pieces) == 0 {
		return len(b.head)
	}
	return len(b.head) + (len(b.pieces)-1)*piece + b.last
}

// join puts the pieces together.
func (b *body) join() []byte {
	if len(b.pieces) == 0 {
		return b.head
	}
	doc := append(b.mem.getLarge(b.size()), b.head...)
	for i, p := range b.pieces {
		n := piece
		if i == len(b.pieces)-1 {
			n = b.last
		}
		doc = append(doc, p[:n]...)
	}
	b.drop()
	return doc
}

// drop gives the pieces back.
func (b *body) drop() {
	for _, p := range b.pieces {
		b.mem.pieces.Put(p)
	}
	b.pieces, b.last = nil, 0
}

func (m *scratch) getPiece() *[piece]byte {
	if p, ok := m.pieces.Get().(*[piece]byte); ok {
		return p
	}
	return new([piece]byte)
}

// getLarge returns empty memory for n bytes.
func (m *scratch) getLarge(n int) []byte {
	if b, ok := m.large.Get().(*[]byte); ok && cap(*b) >= n {
		return (*b)[:0]
	}
	return make([]byte, 0, (n+maxPooled-1)/maxPooled*maxPooled) // so that it will do for others too
}

// putBody takes back the memory of a body or of an answer, to which nothing refers any more.
func (m *scratch) putBody(b *[]byte) {
	if cap(*b) > maxPooled {
		m.large.Put(b)
		return
	}
	m.putBuffer(b)
}
