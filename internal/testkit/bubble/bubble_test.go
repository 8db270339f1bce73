package bubble_test

import (
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/testkit/bubble"
)

func TestTimeIsVirtual(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		begin := time.Now()
		time.Sleep(24 * time.Hour)
		require.Equal(t, 24*time.Hour, time.Since(begin))
	})
}

// What shows the fault without the precaution, on two or more processors: many
// goroutines whose timers are over when they look at them.
func TestTimersOfManyGoroutines(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	for range 20 {
		bubble.Test(t, func(*testing.T) {
			var wg sync.WaitGroup
			timers := make([]*time.Timer, 64)
			for i := range timers {
				timers[i] = time.NewTimer(time.Second)
			}
			time.Sleep(2 * time.Second)
			for _, timer := range timers {
				wg.Go(func() {
					for range 200 {
						<-timer.C
						timer.Reset(0)
					}
				})
			}
			wg.Wait()
		})
	}
	require.Equal(t, before, runtime.GOMAXPROCS(0), "the processors are given back")
}
