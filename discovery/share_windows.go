package discovery

import (
	"os"

	"golang.org/x/sys/windows"
)

// shareGroup lets several sockets of the host share the port.
func shareGroup(fd uintptr) error {
	err := windows.SetsockoptInt(windows.Handle(fd), windows.SOL_SOCKET, windows.SO_REUSEADDR, 1)
	return os.NewSyscallError("setsockopt SO_REUSEADDR", err)
}

// shareGroup6 is shareGroup for IPv6.
func shareGroup6(fd uintptr) error { return shareGroup(fd) }
