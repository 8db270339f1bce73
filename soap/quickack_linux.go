package soap

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// quickAck makes the kernel acknowledge what arrives on a connection at once.
//
// Servers that write header and body of an answer apart, with Nagle's algorithm
// on, hold back the body until the header is acknowledged, which a kernel delays
// by 40 ms. Peers of this kind are in the field. The kernel forgets the wish, so
// that it is renewed after each write and before each read.
func quickAck(c net.Conn) net.Conn {
	tc, ok := c.(*net.TCPConn)
	if !ok {
		return c
	}
	rc, err := tc.SyscallConn()
	if err != nil {
		return c
	}
	return &quickAckConn{TCPConn: tc, rc: rc}
}

type quickAckConn struct {
	*net.TCPConn
	rc syscall.RawConn
}

// arm is best effort: without it the connection is slow, not wrong.
func (c *quickAckConn) arm() {
	_ = c.rc.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1)
	})
}

// Read reads, with the wish renewed.
func (c *quickAckConn) Read(b []byte) (int, error) {
	c.arm()
	return c.TCPConn.Read(b)
}

// Write writes, and renews the wish for the answer.
func (c *quickAckConn) Write(b []byte) (int, error) {
	n, err := c.TCPConn.Write(b)
	c.arm()
	return n, err
}
