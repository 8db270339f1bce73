package netns

import (
	"context"
	"fmt"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	Enter(Programs{"echo": echo})
	goleak.VerifyTestMain(m)
}

// echo answers datagrams on the address of its argument, and says the lines it is told.
func echo(ctx context.Context, p *Child, args []string) error {
	var lc net.ListenConfig
	c, err := lc.ListenPacket(ctx, "udp", args[0])
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	served := make(chan struct{})
	go func() {
		defer close(served)
		b := make([]byte, 1500)
		for {
			n, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			p.Say("got %s", b[:n])
			_, _ = c.WriteTo(b[:n], from)
		}
	}()
	p.Say("ready")
	for line := range p.Told {
		p.Say("told %s", line)
	}
	_ = c.Close()
	<-served
	return nil
}

func TestHosts(t *testing.T) {
	lab := New(t)
	left, right := lab.Segment(), lab.Segment()
	a, b, r := lab.Host("a"), lab.Host("b"), lab.Host("router")
	plug := a.Attach(left, "eth0", "10.7.0.1/24", "fd07::1/64")
	r.Attach(left, "eth0", "10.7.0.254/24", "fd07::fe/64")
	r.Attach(right, "eth1", "10.7.1.254/24", "fd07:1::fe/64")
	b.Attach(right, "eth0", "10.7.1.1/24", "fd07:1::1/64")
	r.Forward()
	a.DefaultRoute("10.7.0.254")
	a.DefaultRoute("fd07::fe")
	b.DefaultRoute("10.7.1.254")
	b.DefaultRoute("fd07:1::fe")

	for _, addr := range []string{"10.7.0.1:99", "[fd07::1]:99"} {
		t.Run(addr, func(t *testing.T) {
			p := a.Start("echo", addr)
			defer p.Stop()
			p.Expect("ready")
			p.Tell("hello %d", 7)
			require.Equal(t, "hello 7", p.Expect("told"))

			var c net.Conn
			b.Do(func() (err error) {
				var d net.Dialer
				c, err = d.DialContext(t.Context(), "udp", addr)
				return err
			})
			defer func() { require.NoError(t, c.Close()) }()
			ask := func(s string) error {
				if _, err := c.Write([]byte(s)); err != nil {
					return err
				}
				require.NoError(t, c.SetReadDeadline(time.Now().Add(300*time.Millisecond)))
				buf := make([]byte, 100)
				n, err := c.Read(buf)
				if err == nil && string(buf[:n]) != s {
					return fmt.Errorf("answer %q", buf[:n])
				}
				return err
			}
			require.Eventually(t, func() bool { return ask("one") == nil }, patience, time.Millisecond)
			require.Equal(t, "one", p.Expect("got"))
			plug.Silence()
			require.Error(t, ask("two"))
			plug.Restore()
			require.Eventually(t, func() bool { return ask("three") == nil }, patience, time.Millisecond)
		})
	}

	t.Run("cable and addresses", func(t *testing.T) {
		running := func() (on bool) {
			a.Do(func() error {
				ifi, err := net.InterfaceByName("eth0")
				on = err == nil && ifi.Flags&net.FlagRunning != 0
				return err
			})
			return on
		}
		require.Eventually(t, running, patience, time.Millisecond)
		plug.Unplug()
		require.Eventually(t, func() bool { return !running() }, patience, time.Millisecond)
		plug.Plug()
		require.Eventually(t, running, patience, time.Millisecond)
		a.AddAddress("eth0", "10.7.0.77/24")
		a.RemoveAddress("eth0", "10.7.0.77/24")
		plug.Remove()
		a.Do(func() error {
			_, err := net.InterfaceByName("eth0")
			require.Error(t, err)
			return nil
		})
	})

	// The machine's own network has seen nothing of this.
	ifs, err := net.Interfaces()
	require.NoError(t, err)
	for _, ifi := range ifs {
		require.NotContains(t, ifi.Name, "port")
	}
}

func TestKill(t *testing.T) {
	lab := New(t)
	h := lab.Host("h")
	p := h.Start("echo", "127.0.0.1:99")
	p.Expect("ready")
	p.Kill()
	require.NotNil(t, p.cmd.ProcessState)
	require.NotEqual(t, os.Getpid(), p.cmd.Process.Pid)
}
