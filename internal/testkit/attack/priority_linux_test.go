package attack

import (
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// lowestPriority starts this program over with the lowest priority there is, in which it only gets what nobody else needs of the processors: it stands for other machines, which take nothing of the
// device's. mark is the variable that asked for it and is taken away. The priority belongs to threads on Linux, and of those that there are only one comes to the new program.
func lowestPriority(mark string) error {
	runtime.LockOSThread()
	if err := unix.Setpriority(unix.PRIO_PROCESS, 0, 19); err != nil {
		return err
	}
	// What is refused here is only a little better: 19 it is then.
	_ = unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_IDLE, Nice: 19}, 0)
	if err := os.Unsetenv(mark); err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	return unix.Exec(program, os.Args, os.Environ())
}
