//go:build unix

package soap

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// idleTest returns a function that tells whether neither data nor the end have arrived on a connection; nil if the connection
// cannot be asked.
func idleTest(c net.Conn) func() bool {
	sc, ok := c.(syscall.Conn)
	if !ok {
		return nil
	}
	rc, err := sc.SyscallConn()
	if err != nil {
		return nil
	}
	var idle bool
	var asked [1]unix.PollFd // unlike Recvfrom, Poll takes no memory
	look := func(fd uintptr) {
		asked[0] = unix.PollFd{Fd: int32(fd), Events: unix.POLLIN} // an end can be read, too
		n, err := unix.Poll(asked[:], 0)
		idle = err == nil && n == 0 || err == unix.EINTR
	}
	return func() bool {
		idle = false
		return rc.Control(look) == nil && idle
	}
}
