// Package localnet knows the addresses of this host: which of them a configuration chooses, as
// interfaces come and go, and what the zone of a link-local IPv6 address is good for.
//
// A zone names an interface of this host. It never goes on the wire: what is sent has none, and
// who receives a link-local address completes it with the interface it came by.
package localnet
