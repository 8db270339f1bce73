package eventing

import (
	"bytes"
	"sync"
	"sync/atomic"
)

// pooled is the memory of one encoded body that several subscriptions share. Who does not release it leaves it to the garbage collector.
// The methods of nil do nothing.
type pooled struct {
	bytes []byte
	users atomic.Int32
	home  *sync.Pool // nil: it serves once
}

// maxPooled is the largest memory kept for reuse: one huge report must not pin its memory.
const maxPooled = 1 << 20

// maxLoose is how much memory a body may take besides twice its bytes: queues are bounded by bytes, and the bodies in them stay for as long as
// the slowest subscriber likes. So small reports that follow large ones in the same memory cannot make a queue take many times what it counts.
const maxLoose = 16 << 10

// fitted is p, or a copy of the body if that is much smaller than its memory, which is released then. The caller is the only user.
func (p *pooled) fitted() *pooled {
	if cap(p.bytes) <= 2*len(p.bytes)+maxLoose {
		return p // memory that grew with the body is not more than that, and goes on serving bodies of this size
	}
	q := &pooled{bytes: bytes.Clone(p.bytes)}
	q.users.Store(1)
	p.release()
	return q
}

// use notes one more user.
func (p *pooled) use() {
	if p != nil {
		p.users.Add(1)
	}
}

// release is called once by each user, who does not look at the bytes afterwards.
func (p *pooled) release() {
	if p != nil && p.users.Add(-1) == 0 && p.home != nil && cap(p.bytes) <= maxPooled {
		p.home.Put(p)
	}
}
