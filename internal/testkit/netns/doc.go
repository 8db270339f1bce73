// Package netns gives tests small networks of their own: hosts that are Linux network
// namespaces, joined by Ethernet segments. Nothing in them can reach the machine's network, and
// nothing of it them; they vanish with the test.
//
//	func TestMain(m *testing.M) {
//		netns.Enter(netns.Programs{"provider": provide})
//		goleak.VerifyTestMain(m)
//	}
//
//	func TestTwoHosts(t *testing.T) {
//		lab := netns.New(t)
//		ward := lab.Segment()
//		device, desk := lab.Host("device"), lab.Host("desk")
//		plug := device.Attach(ward, "eth0", "10.7.0.1/24", "fd07::1/64")
//		desk.Attach(ward, "eth0", "10.7.0.2/24", "fd07::2/64")
//		p := device.Start("provider", "10.7.0.1") // a process: this test binary, running provide
//		p.Expect("ready")
//		plug.Unplug()                             // a pulled cable
//		desk.Do(func() error { ... })             // sockets opened in here are the desk's
//	}
//
// A namespace belongs to a thread, and Go moves goroutines between threads. So whatever opens
// sockets at its own times (a provider, an HTTP client) runs as a process of its own, by
// [Host.Start] or [Host.Command]; [Host.Do] is for opening a socket, which stays in its
// namespace from then on.
//
// Namespaces need Linux and root, or a kernel that lets users make user namespaces. Where they
// cannot be made a test is SKIPPED, NOT TESTED; with SDC_REQUIRE_NETNS=1 it fails.
package netns
