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
