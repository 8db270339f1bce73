package discovery

import (
	"errors"
	"net/netip"
	"time"

	"github.com/semeco/go-sdc/soap"
)

// This file is what the journal of a participant learns of datagrams.

var errOversize = errors.New("the datagram is longer than is taken")

// toGroup sends one datagram to the group.
func (n *node) toGroup(data []byte, repeated bool) error {
	n.noteSent(netip.AddrPort{}, data, repeated)
	err := n.transport.Multicast(data)
	n.noteUnsent(netip.AddrPort{}, err)
	return err
}

// toOne sends one datagram to one address.
func (n *node) toOne(to netip.AddrPort, data []byte, repeated bool) error {
	n.noteSent(to, data, repeated)
	err := n.transport.Unicast(to, data)
	n.noteUnsent(to, err)
	return err
}

// noteSent notes a datagram that is about to be sent, to the group if there is no address.
func (n *node) noteSent(to netip.AddrPort, data []byte, repeated bool) {
	if n.journal != nil {
		e := datagramTo(to)
		e.Document, e.Repeated = data, repeated
		n.journal.Note(e)
	}
}

// noteUnsent notes that the datagram noted before could not be sent, unless err is nil.
func (n *node) noteUnsent(to netip.AddrPort, err error) {
	if n.journal != nil && err != nil {
		e := datagramTo(to)
		e.Problem = err.Error()
		n.journal.Note(e)
	}
}

func datagramTo(to netip.AddrPort) soap.JournalEntry {
	e := soap.JournalEntry{Time: time.Now(), Sent: true, Kind: soap.KindDatagram, Transport: "udp", Multicast: !to.IsValid()}
	if to.IsValid() {
		e.Peer = to.String()
	}
	return e
}

// noteReceived notes a datagram that has come, also one that is no message, with what is wrong with it, and one that has come before, as those of our own to the
// group have.
func (n *node) noteReceived(d Datagram, wrong error, repeated bool) {
	if n.journal == nil {
		return
	}
	e := soap.JournalEntry{
		Time: time.Now(), Kind: soap.KindDatagram, Transport: "udp", Peer: d.From.String(), Multicast: d.Multicast, Repeated: repeated, Document: d.Data,
	}
	if wrong != nil {
		e.Problem = wrong.Error()
	}
	n.journal.Note(e)
}
