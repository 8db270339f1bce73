package main

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// machineBusy is the processor time that everything on this machine has used, 0 where it cannot be told.
func machineBusy() time.Duration {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(b), "\n")
	f := strings.Fields(line)
	if len(f) < 9 || f[0] != "cpu" {
		return 0
	}
	sum := int64(0)
	for i, v := range f[1:9] { // user nice system idle iowait irq softirq steal
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			return 0
		}
		if i != 3 && i != 4 {
			sum += n
		}
	}
	return time.Duration(sum) * 10 * time.Millisecond // USER_HZ is 100 wherever Go runs
}

// meter tells what others use of the machine.
type meter struct {
	at        time.Time
	busy, own time.Duration
}

func startMeter() meter { return meter{time.Now(), machineBusy(), cpuTime() + childrenTime()} }

// others is how many processors the programs that are not part of this run have used on average.
func (m meter) others() (float64, bool) {
	busy := machineBusy()
	if busy == 0 {
		return 0, false
	}
	o := (busy - m.busy - (cpuTime() + childrenTime() - m.own)).Seconds() / time.Since(m.at).Seconds()
	return min(max(o, 0), float64(runtime.NumCPU())), true
}
