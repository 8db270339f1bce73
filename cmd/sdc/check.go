package main

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"unicode"

	"github.com/alecthomas/kong"
	"github.com/google/uuid"

	"github.com/semeco/go-sdc/sdc"
)

// mayBeBlank is the tag of arguments that are texts for devices, of which an empty one is as good as any.
const mayBeBlank = "blank"

// checkGiven refuses options and arguments that are given and hold nothing. They come from variables of scripts that are not set, and to take
// them for left out would be a device without its policy, its audit or its state.
func checkGiven(k *kong.Context) error {
	for _, p := range k.Path {
		switch {
		case p.Flag != nil && blank(p.Flag.Target):
			return usagef("--%s is given but empty; leave it out for its default", p.Flag.Name)
		case p.Positional != nil && !p.Positional.Tag.Has(mayBeBlank) && blank(p.Positional.Target):
			return usagef("%s is empty", strings.ToUpper(p.Positional.Name))
		}
	}
	return nil
}

func blank(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.String:
		return strings.TrimSpace(v.String()) == ""
	case reflect.Slice:
		for i := range v.Len() {
			if blank(v.Index(i)) {
				return true
			}
		}
		return v.Len() == 0
	case reflect.Map:
		return v.Len() == 0
	default:
		return false
	}
}

// checkScope refuses what is not one URI, which no device can have.
func checkScope(text string) error {
	u, err := url.Parse(text)
	switch {
	case strings.ContainsFunc(text, unicode.IsSpace):
		return usagef("--scope %q: a scope is one URI, without spaces (%%20 stands for one); for several repeat --scope", text)
	case err != nil || u.Scheme == "":
		return usagef("--scope %q is no URI, such as sdc.ctxt.loc:/sdc.ctxt.loc.detail/OR%%201?poc=OR%%201", text)
	}
	return nil
}

// isURL tells the address of a device from its name.
func isURL(target string) bool { return strings.Contains(target, "://") }

// checkURL refuses what is no address of a device. what says where it was given.
func checkURL(what, text string) error {
	u, err := url.Parse(text)
	if err == nil && (u.Scheme == "http" || u.Scheme == "https") && checkHost(u.Hostname()) == nil && possiblePort(u.Port()) {
		return nil
	}
	return usagef("%s %q is no URL of a device, such as https://192.0.2.7:6464/", what, text)
}

// checkPeer refuses what cannot be asked for devices.
func checkPeer(text string) error {
	host, ok := strings.CutPrefix(text, "soap.udp://")
	if !ok {
		return checkURL("--peer", text)
	}
	host = strings.TrimSuffix(host, "/")
	to, err := netip.ParseAddrPort(host)
	if err != nil {
		var a netip.Addr
		a, err = netip.ParseAddr(strings.Trim(host, "[]"))
		to = netip.AddrPortFrom(a, 1)
	}
	if err != nil || to.Port() == 0 || to.Addr().IsMulticast() || to.Addr().IsUnspecified() {
		return usagef("--peer %q: soap.udp:// takes the IP address of one host, and a port if it is not that of discovery: soap.udp://192.0.2.7", text)
	}
	return nil
}

func possiblePort(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return text == "" || err == nil && n > 0
}

// checkHost refuses what is neither a name nor an address of a host.
func checkHost(text string) error {
	if text == "" || !strings.Contains(text, ":") && strings.ContainsFunc(text, func(r rune) bool {
		return r != '-' && r != '.' && r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}) {
		return fmt.Errorf("%q is no name or address of a host", text)
	}
	if strings.Contains(text, ":") {
		if _, err := netip.ParseAddr(strings.Trim(text, "[]")); err != nil {
			return fmt.Errorf("%q is no name or address of a host, without scheme and port", text)
		}
	}
	return nil
}

func checkHosts(flag string, hosts []string) error {
	for _, h := range hosts {
		if err := checkHost(h); err != nil {
			return usagef("%s: %w", flag, err)
		}
	}
	return nil
}

// checkListen refuses what cannot be listened on anywhere; "" is nothing asked for.
func checkListen(flag, address string) error {
	if address == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(address)
	if err == nil && host != "" {
		err = checkHost(host)
	}
	if _, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil {
		return usagef("%s %q is no address with a port, such as 127.0.0.1:8080; port 0 is any free one", flag, address)
	}
	return nil
}

// checkEPR refuses what is no endpoint reference for a device of this program; "" is a new one.
func checkEPR(text string) error {
	if text == "" {
		return nil
	}
	id, ok := strings.CutPrefix(text, "urn:uuid:")
	if _, err := uuid.Parse(id); !ok || err != nil || len(id) != 36 {
		return usagef("--epr %q is no endpoint reference, such as %s", text, uuid.New().URN())
	}
	return nil
}

// placeOf reads --location, which names a place if it is given; "" is none.
func placeOf(text string) (sdc.LocationDetail, error) {
	d, err := sdc.ParseLocationDetail(text)
	if err == nil && text != "" && d == (sdc.LocationDetail{}) {
		err = fmt.Errorf("--location %q names no place; it takes fac, bldng, flr, poc, rm and bed, as in poc=OR 1,bed=2", text)
	}
	if err != nil {
		return d, usageError{err}
	}
	return d, nil
}

// maxCrowd bounds what can be asked for: each participant takes two connections at least.
const maxCrowd = 100_000

// consumerFlags say how many consumers a device takes.
type consumerFlags struct {
	Consumers        int `default:"256" help:"How many consumers may come at the same time."`
	ConsumersPerPeer int `name:"consumers-per-peer" default:"64" help:"How many of them with one certificate, or without TLS from one address, as behind a gateway. --consumers is four times of it at least."`
}

func (f *consumerFlags) crowd() (sdc.Crowd, error) {
	if f.Consumers < 1 || f.Consumers > maxCrowd || f.ConsumersPerPeer < 1 || f.ConsumersPerPeer > maxCrowd/4 {
		return sdc.Crowd{}, usagef("--consumers takes 1 to %d, --consumers-per-peer 1 to %d", maxCrowd, maxCrowd/4)
	}
	return sdc.Crowd{All: f.Consumers, BehindOne: f.ConsumersPerPeer}, nil
}

// followFlags say how many devices a station follows.
type followFlags struct {
	MaxDevices     int `name:"max-devices" default:"64" help:"How many devices are connected to; further ones wait and are counted."`
	DevicesPerPeer int `name:"devices-per-peer" default:"64" help:"How many of them may have one certificate, or without TLS one address, as behind a gateway."`
}

func (f *followFlags) crowd() (sdc.Crowd, error) {
	if f.MaxDevices < 1 || f.MaxDevices > maxCrowd || f.DevicesPerPeer < 1 || f.DevicesPerPeer > maxCrowd/4 {
		return sdc.Crowd{}, usagef("--max-devices takes 1 to %d, --devices-per-peer 1 to %d", maxCrowd, maxCrowd/4)
	}
	return sdc.Crowd{All: max(f.MaxDevices, 256), BehindOne: f.DevicesPerPeer}, nil
}
