// Package bubble runs tests in virtual time. It is testing/synctest with one
// precaution, and the tests of this project use it instead.
//
// Go's race detector keeps a shadow stack per goroutine, and the runtime lends
// one to the timers of a bubble. That one is shared by all processors: two
// goroutines of a bubble that find their timers expired at once, each in a
// select or a receive, write it at the same time, and later the detector reads
// beyond its ends. The process then dies of a segmentation fault in the detector,
// rarely, but in any test (seen with Go 1.26.8: runtime.(*timer).unlockAndRun
// and the raceCtx of the timers of runtime.synctestBubble).
// So a bubble has one processor while the detector is on. Nothing is lost by
// it: the detector judges by what is ordered, not by what ran at once.
package bubble

import (
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
)

// Test runs f in a bubble of virtual time, see [synctest.Test].
func Test(t *testing.T, f func(*testing.T)) {
	t.Helper()
	if raceEnabled {
		one.enter()
		defer one.leave()
	}
	synctest.Test(t, f)
}

// one is process-wide because the number of processors is.
var one processors

// processors sets the number of processors to one while anybody is in, and
// back when the last one leaves.
type processors struct {
	mu     sync.Mutex
	inside int
	before int
}

func (p *processors) enter() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.inside == 0 {
		p.before = runtime.GOMAXPROCS(1)
	}
	p.inside++
}

func (p *processors) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inside--
	if p.inside == 0 {
		runtime.GOMAXPROCS(p.before)
	}
}
