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
	var buf [1]byte
	look := func(fd uintptr) {
		_, _, err := unix.Recvfrom(int(fd), buf[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		idle = err == unix.EAGAIN || err == unix.EINTR // an end is no error, with no bytes
	}
	return func() bool {
		idle = false
		return rc.Control(look) == nil && idle
	}
}
