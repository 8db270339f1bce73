//go:build unix && !linux

package discovery

import (
	"os"

	"golang.org/x/sys/unix"
)

// shareGroup lets several sockets of the host share the port. The BSDs want both options.
func shareGroup(fd uintptr) error {
	if err := unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		return os.NewSyscallError("setsockopt SO_REUSEADDR", err)
	}
	err := unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	return os.NewSyscallError("setsockopt SO_REUSEPORT", err)
}

// shareGroup6 is shareGroup for IPv6.
func shareGroup6(fd uintptr) error { return shareGroup(fd) }
