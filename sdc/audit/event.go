// Package audit keeps a record of who did what to a device: who connected, read, subscribed and invoked, and who was refused. A provider tells a Sink; Log writes to a logger, File to a
// file whose records are chained by hashes so that Verify finds what was changed later.
//
// The people and programs who control devices record what they did here as well: the control mode of a web view, and workflows.
//
// Events name participants and what they asked for, never values: no patient data is in them. Where a fuller record with values is kept elsewhere, Event.Digest ties it to the chain.
package audit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"time"
)

// Kind says what happened.
type Kind string

// Kinds of events.
const (
	// Connected: the first request came over a connection whose peer has been authenticated.
	Connected Kind = "connected"
	// Refused: a peer was not accepted, in its handshake or later. Anybody can cause these: 100 are recorded at once and then one a second, and Count tells how many were left out before this one. What a certificate says that was refused in the handshake was not proved by its key.
	Refused Kind = "refused"
	// Read: a request for data or metadata was answered.
	Read Kind = "read"
	// Subscribed: a subscription was asked for and permitted; one event a notification.
	Subscribed Kind = "subscribed"
	// Invoked: an operation was called and permitted, whether it exists or not.
	Invoked Kind = "invoked"
	// Finished: a call has ended; Outcome is its invocation state.
	Finished Kind = "finished"
	// Denied: a request was refused by the policy; nothing was changed or told.
	Denied Kind = "denied"
	// Controlled: a person took, gave up or lost control of devices; Action says which.
	Controlled Kind = "controlled"
	// Decided: a workflow has decided or done something; Action says what.
	Decided Kind = "decided"
	// Monitored: a distributed alarm system took over the alarms of a device, or that ended; Action is takeover, quiet (all that was present is confirmed) or end,
	// Outcome why it ended, User the name that the consumer gives itself.
	Monitored Kind = "monitored"
	// Opened: a file was opened for writing. Files write it themselves.
	Opened Kind = "opened"
	// Lost: events could not be recorded; Count tells how many. Files write it themselves.
	Lost Kind = "lost"
)

// Event is one thing that happened. Fields that mean nothing for a kind are empty.
type Event struct {
	// Time is when it happened, by the clock of the device.
	Time time.Time `json:"time"`
	Kind Kind      `json:"kind"`
	// Device is the endpoint reference of the device it happened at.
	Device string `json:"device,omitempty"`
	// Fingerprint is the SHA-256 fingerprint of the peer's certificate in hexadecimal digits, Subject its distinguished name, Remote the peer's address.
	Fingerprint string `json:"sha256,omitempty"`
	Subject     string `json:"subject,omitempty"`
	Remote      string `json:"remote,omitempty"`
	// User is the name by which a person acts. Nobody has checked it, unless Subject names the same person.
	User string `json:"user,omitempty"`
	// Service is the port type and Action the WS-Addressing action of the request or notification; of a Decided event the workflow and the kind of its entry.
	Service string `json:"service,omitempty"`
	Action  string `json:"action,omitempty"`
	// Operation is the handle of an operation, Target that of what it works on.
	Operation   string `json:"operation,omitempty"`
	Target      string `json:"target,omitempty"`
	Transaction uint32 `json:"transaction,omitempty"`
	// Run identifies the run of a workflow, Step is the step of it.
	Run  string `json:"run,omitempty"`
	Step string `json:"step,omitempty"`
	// Outcome is the invocation state of a call, with its error, or how something was decided.
	Outcome string `json:"outcome,omitempty"`
	// Reason says why something was refused.
	Reason string `json:"reason,omitempty"`
	// Count is how many events were lost or left out, or bytes of a torn record were dropped when a file was opened.
	Count uint64 `json:"count,omitempty"`
	// Digest is the SHA-256, in hexadecimal digits, of a fuller record that is kept elsewhere, as [Digest] makes it.
	Digest string `json:"digest,omitempty"`
}

// Digest is that of a fuller record: the SHA-256 of its JSON on one line, without the line feed, in hexadecimal digits; "" for what is not JSON.
func Digest(record any) string {
	b, err := json.Marshal(record)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Sink takes events. Record is called on the path of the request: it must return quickly and be safe for concurrent use.
type Sink interface {
	Record(e Event)
}

// SinkFunc is a function as a Sink.
type SinkFunc func(Event)

// Record calls the function.
func (f SinkFunc) Record(e Event) { f(e) }

// Several records every event in each of the sinks, in order.
func Several(sinks ...Sink) Sink {
	return SinkFunc(func(e Event) {
		for _, s := range sinks {
			s.Record(e)
		}
	})
}

// Log writes events to a logger: refusals as warnings, the rest as info.
func Log(l *slog.Logger) Sink {
	return SinkFunc(func(e Event) {
		level := slog.LevelInfo
		switch e.Kind {
		case Refused, Denied, Lost:
			level = slog.LevelWarn
		}
		if !l.Enabled(context.Background(), level) {
			return
		}
		attrs := []slog.Attr{slog.String("kind", string(e.Kind)), slog.Time("at", e.Time)}
		for _, a := range []struct{ name, value string }{
			{"device", e.Device}, {"sha256", e.Fingerprint}, {"subject", e.Subject}, {"remote", e.Remote}, {"user", e.User}, {"service", e.Service},
			{"action", e.Action}, {"operation", e.Operation}, {"target", e.Target}, {"run", e.Run}, {"step", e.Step}, {"outcome", e.Outcome}, {"reason", e.Reason},
			{"digest", e.Digest},
		} {
			if a.value != "" {
				attrs = append(attrs, slog.String(a.name, a.value))
			}
		}
		if e.Transaction != 0 {
			attrs = append(attrs, slog.Uint64("transaction", uint64(e.Transaction)))
		}
		if e.Count != 0 {
			attrs = append(attrs, slog.Uint64("count", e.Count))
		}
		l.LogAttrs(context.Background(), level, "audit", attrs...)
	})
}
