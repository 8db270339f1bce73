package localnet

import (
	"net"
	"net/netip"
	"net/url"
	"strings"
)

// NeedsZone reports whether an address means nothing without the interface it is on.
func NeedsZone(a netip.Addr) bool { return a.Is6() && a.IsLinkLocalUnicast() }

// Host is the address in a URL; not valid if there is a name or nothing.
func Host(rawURL string) netip.Addr {
	u, err := url.Parse(rawURL)
	if err != nil {
		return netip.Addr{}
	}
	a, _ := netip.ParseAddr(u.Hostname())
	return a.Unmap()
}

// ZoneOf is the zone of an "address:port" or of the address in a URL; "" if it has none.
func ZoneOf(address string) string {
	if strings.IndexByte(address, '%') < 0 {
		return ""
	}
	if ap, err := netip.ParseAddrPort(address); err == nil {
		return ap.Addr().Zone()
	}
	return Host(address).Zone()
}

// Complete returns a URL with the zone if its host is a link-local IPv6 address, whatever zone it had: that was another host's. Without a
// zone to set, and for every other URL, nothing changes but that a zone of the URL goes.
func Complete(rawURL, zone string) string {
	if !mayNeedZone(rawURL) {
		return rawURL
	}
	u, err := url.Parse(rawURL)
	if err != nil {
		return rawURL
	}
	a, err := netip.ParseAddr(u.Hostname())
	if err != nil || !a.Is6() || !NeedsZone(a) && a.Zone() == "" {
		return rawURL
	}
	if !NeedsZone(a) {
		zone = ""
	}
	host := a.WithZone(zone).String()
	if port := u.Port(); port != "" {
		u.Host = net.JoinHostPort(host, port)
	} else {
		u.Host = "[" + host + "]"
	}
	return u.String()
}

// Strip returns a URL as others may see it: without a zone.
func Strip(rawURL string) string {
	if strings.IndexByte(rawURL, '%') < 0 {
		return rawURL
	}
	return Complete(rawURL, "")
}

// mayNeedZone is a quick look: zones have a percent sign, and link-local IPv6 addresses, in brackets, begin with fe8 to feb.
func mayNeedZone(rawURL string) bool {
	if strings.IndexByte(rawURL, '%') >= 0 {
		return true
	}
	_, host, ok := strings.Cut(rawURL, "[") // after "//", if nobody is named in between
	return ok && len(host) > 1 && (host[0] == 'f' || host[0] == 'F')
}

// URLHost writes an address and a port as the host of a URL that others may see.
func URLHost(a netip.AddrPort) string {
	return netip.AddrPortFrom(a.Addr().WithZone(""), a.Port()).String()
}
