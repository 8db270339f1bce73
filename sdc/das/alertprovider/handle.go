package alertprovider

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/das"
	"github.com/semeco/go-sdc/sdc/provider"
)

// MaxName is how many characters the name of a consumer may have.
const MaxName = 128

// activate handles ActivateMonitoredByDAS: it establishes or renews (DEV-48).
func (m *Monitoring) activate(_ context.Context, call *provider.Activate) error {
	name, err := checkName(call.Arguments[0].Value)
	if err != nil {
		return provider.Refuse("%v", err)
	}
	if err := m.take(call.Peer, name); err != nil {
		m.settle() // a monitoring of somebody else may have lapsed
		return provider.Refuse("%v", err)
	}
	m.settle()
	m.applying.Lock()
	clean := m.clean
	m.applying.Unlock()
	if !clean {
		m.finish(Failed, "the device could not take part")
		return errors.New("the device could not be prepared for a distributed alarm system")
	}
	return nil
}

// take makes a peer the one who monitors, or has it go on.
func (m *Monitoring) take(peer *sdc.Peer, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	m.lookLocked(now)
	key := keyOf(peer)
	switch {
	case m.quieter == nil || m.finished:
		return errors.New("the alarms of the device cannot be monitored now")
	case m.off:
		return errors.New("the device has disabled monitoring by a distributed alarm system")
	case !m.blocked.IsZero():
		return fmt.Errorf("monitoring has ended (%s) and can be activated again in %v", m.ended, m.blocked.Sub(now).Round(100*time.Millisecond))
	case m.watch == nil:
		snap := m.cfg.Device.MDIB()
		m.watch = newWatch(key, name, peer, snap, m.roll.In(snap, m.ops.MDS), m.ops.ConfirmWithin, now.Add(m.ops.EffectiveTimeout))
		m.since = now
		m.recordLocked(m.watch, "takeover", "", "")
	case m.watch.key != key:
		return fmt.Errorf("the alarms are monitored by %s", m.watch.name)
	default:
		m.watch.until, m.watch.name = now.Add(m.ops.EffectiveTimeout), name
	}
	return nil
}

// confirm handles ConfirmAlertsTechnicalDelivery.
func (m *Monitoring) confirm(_ context.Context, call *provider.Activate) error {
	list, err := das.ParseOccurrences(call.Arguments[1].Value)
	if err == nil {
		err = m.delivered(call.Peer, call.Arguments[0].Value, list)
	}
	m.settle()
	if err != nil {
		return provider.Refuse("%v", err)
	}
	return nil
}

func (m *Monitoring) delivered(peer *sdc.Peer, sequence string, list []das.Occurrence) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	m.lookLocked(now)
	if err := m.ownLocked(peer); err != nil {
		return err
	}
	if sequence != m.watch.from.SequenceID {
		return fmt.Errorf("sequence %s is not that of the MDIB", clip(sequence))
	}
	quiet := m.watch.quiet()
	if err := m.watch.confirm(list); err != nil {
		return err
	}
	if m.watch.quiet() != quiet {
		m.since = now
		m.recordLocked(m.watch, "quiet", "", "")
	}
	return nil
}

// end handles EndMonitoredByDAS (DEV-49).
func (m *Monitoring) end(_ context.Context, call *provider.Activate) error {
	m.mu.Lock()
	m.lookLocked(time.Now())
	err := m.ownLocked(call.Peer)
	if err == nil {
		m.finishLocked(EndedByConsumer, "")
	}
	m.mu.Unlock()
	m.settle()
	if err != nil {
		return provider.Refuse("%v", err)
	}
	return nil
}

// ownLocked refuses those who do not monitor.
func (m *Monitoring) ownLocked(peer *sdc.Peer) error {
	switch {
	case m.watch == nil && m.ended != "":
		return fmt.Errorf("nobody monitors the alarms any more: %s", m.ended)
	case m.watch == nil:
		return errors.New("nobody monitors the alarms")
	case m.watch.key != keyOf(peer):
		return fmt.Errorf("the alarms are monitored by %s", m.watch.name)
	}
	return nil
}

// effectEnd is what the provider calls when the time of the last activation has passed, or when it stops.
func (m *Monitoring) effectEnd(context.Context, *provider.Call) error {
	m.settle()
	m.mu.Lock()
	stopping := m.watch != nil && time.Now().Before(m.watch.until)
	m.mu.Unlock()
	if stopping {
		m.finish(Stopped, "")
	}
	return nil
}

func (m *Monitoring) finish(reason Reason, detail string) {
	m.mu.Lock()
	m.finishLocked(reason, detail)
	m.mu.Unlock()
	m.settle()
}

// End ends monitoring on the device's initiative, because somebody at the device wants to hear it for example (DEV-49): the local signals are back when it returns,
// unless the device failed, which is logged and tried again. Nobody can activate for Config.Holdoff. Without monitoring nothing happens. reason is for logs and audit.
func (m *Monitoring) End(reason string) {
	m.finish(EndedByDevice, reason)
	m.nudge()
}

// Disable is End, and nobody can activate before Enable.
func (m *Monitoring) Disable(reason string) {
	m.mu.Lock()
	m.finishLocked(EndedByDevice, reason)
	if !m.off {
		m.off, m.since = true, time.Now()
	}
	m.mu.Unlock()
	m.settle()
	m.nudge()
}

// Enable ends Disable, and a Holdoff as well. After Run has ended it does nothing.
func (m *Monitoring) Enable() {
	m.mu.Lock()
	if !m.finished && (m.off || !m.blocked.IsZero()) {
		m.off, m.blocked, m.since = false, time.Time{}, time.Now()
	}
	m.mu.Unlock()
	m.settle()
	m.nudge()
}

// keyOf tells consumers apart: by certificate, without one by host.
func keyOf(peer *sdc.Peer) string {
	if f := peer.Fingerprint(); f != "" {
		return f
	}
	if a, err := netip.ParseAddrPort(peer.Remote); err == nil {
		return a.Addr().Unmap().String()
	}
	return peer.Remote
}

func checkName(name string) (string, error) {
	name = strings.TrimSpace(name)
	switch {
	case name == "":
		return "", errors.New("the name of the consumer is missing")
	case utf8.RuneCountInString(name) > MaxName:
		return "", fmt.Errorf("the name of the consumer is longer than %d characters", MaxName)
	case strings.ContainsFunc(name, func(r rune) bool { return unicode.IsControl(r) || r == utf8.RuneError }):
		return "", errors.New("the name of the consumer has characters that cannot be shown")
	}
	return name, nil
}
