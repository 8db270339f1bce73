//go:build !unix

package soap

import "net"

// idleTest returns nil: no connection can be asked.
func idleTest(net.Conn) func() bool { return nil }
