package discovery

import (
	"os"

	"golang.org/x/sys/unix"
)

// shareGroup lets several sockets of the host share the port, and keeps this one from
// hearing groups that others have joined on other interfaces.
func shareGroup(fd uintptr) error {
	if err := unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		return os.NewSyscallError("setsockopt SO_REUSEADDR", err)
	}
	err := unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_MULTICAST_ALL, 0)
	return os.NewSyscallError("setsockopt IP_MULTICAST_ALL", err)
}

// shareGroup6 is shareGroup for IPv6.
func shareGroup6(fd uintptr) error {
	if err := unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		return os.NewSyscallError("setsockopt SO_REUSEADDR", err)
	}
	// Kernels before 4.20 do not know it; what came in elsewhere is filtered out in any case.
	_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_ALL, 0)
	return nil
}
