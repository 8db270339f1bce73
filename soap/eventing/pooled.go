package eventing

import (
	"sync"
	"sync/atomic"
)

// pooled is the memory of one encoded body that several subscriptions share. Who does not release it leaves it to the garbage collector.
// The methods of nil do nothing.
type pooled struct {
	bytes []byte
	users atomic.Int32
	home  *sync.Pool
}

// maxPooled is the largest memory kept for reuse: one huge report must not pin its memory.
const maxPooled = 1 << 20

// use notes one more user.
func (p *pooled) use() {
	if p != nil {
		p.users.Add(1)
	}
}

// release is called once by each user, who does not look at the bytes afterwards.
func (p *pooled) release() {
	if p != nil && p.users.Add(-1) == 0 && cap(p.bytes) <= maxPooled {
		p.home.Put(p)
	}
}
