// Package discovery finds devices: ad hoc WS-Discovery 1.1 as DPWS 1.1 and MDPWS
// (IEEE 11073-20702) profile it, over UDP multicast with SOAP-over-UDP repetition.
//
// A [Target] is the device side. It says Hello, answers Probe and Resolve, says Hello
// again whenever its metadata change and from time to time (SDPi R2001), and says Bye at
// the end. [Target.HandleProbe] answers the directed Probe that comes over HTTP(S).
//
// A [Client] is the side that searches: [Client.Probe], [Client.Resolve], [Client.Watch].
// It never probes on its own but once at the start of a Watch (SDPi R3001).
//
// With [ManagedConfig] both deal with a discovery proxy instead of the group, and fall back to it.
//
// Both sit on a [Transport]. [OpenUDP] makes the real one, over one interface or several, which stays
// on loopback unless others are named; [NewPacketTransport] makes one of any pair of
// packet sockets, for example in-memory ones. Each participant has a transport of its own;
// any number of them share the port of a host.
//
// What arrives is hostile until shown otherwise: datagrams are bounded, parsed strictly,
// and ignored without an answer if they are not discovery messages of this version. A
// datagram never exceeds [MaxDatagram] on the way out.
package discovery
