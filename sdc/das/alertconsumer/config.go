package alertconsumer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/das"
)

// Defaults of a Config.
const (
	DefaultRetry      = 5 * time.Second
	DefaultEndTimeout = 5 * time.Second
)

// Config describes a monitoring. Name and Deliver are needed, everything else has a default.
type Config struct {
	// Name is what the device shall call this consumer, for people to read.
	Name string
	// Deliver takes alerts to where they will be noticed, and returns nil when they are there. ctx ends when that can no longer be confirmed in time; Deliver must obey
	// it. One call at a time.
	Deliver func(ctx context.Context, alerts []Alert) error
	// MDS is the handle of the MDS whose alarms are monitored; "" if one only offers that.
	MDS string
	// Codes are the types of the operations; the zero value has the default ones.
	Codes das.Codes
	// ConfirmWithin is for devices that do not say MaxTechnicalConfirmationDelay; 0 means das.DefaultConfirmWithin.
	ConfirmWithin time.Duration
	// RenewEvery is how often monitoring is activated again; it must be shorter than the InvocationEffectiveTimeout of the device. 0 means a third of that.
	RenewEvery time.Duration
	// Retry is how long nothing is tried after monitoring was refused, or was lost by other means than the link; 0 means DefaultRetry.
	Retry time.Duration
	// Once makes Run return the cause of the first loss, or refusal.
	Once bool
	// EndTimeout bounds the attempt to end monitoring when Run ends; 0 means DefaultEndTimeout.
	EndTimeout time.Duration
	// Changed, if set, is called with the status when the phase or its cause changes, one call at a time. It must return quickly, and may call no method but Status.
	Changed func(Status)
	// Logger receives takeovers, and losses as warnings; nil discards.
	Logger *slog.Logger
}

func (c Config) withDefaults() (Config, error) {
	switch {
	case c.Name == "":
		return c, errors.New("alertconsumer: Name is missing")
	case c.Deliver == nil:
		return c, errors.New("alertconsumer: Deliver is missing")
	case c.ConfirmWithin < 0 || c.RenewEvery < 0 || c.Retry < 0 || c.EndTimeout < 0:
		return c, errors.New("alertconsumer: a time is negative")
	}
	if c.ConfirmWithin == 0 {
		c.ConfirmWithin = das.DefaultConfirmWithin
	}
	if c.Retry == 0 {
		c.Retry = DefaultRetry
	}
	if c.EndTimeout == 0 {
		c.EndTimeout = DefaultEndTimeout
	}
	if c.Changed == nil {
		c.Changed = func(Status) {}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c, nil
}

// Alert is the state of an alert condition, to be delivered.
type Alert struct {
	// Condition is the handle of the condition, Version the version of its state.
	Condition string
	Version   uint64
	// Descriptor and State are what the device says of it; read-only.
	Descriptor pm.ConditionDescriptor
	State      pm.ConditionState
	// Takeover tells that the state was found when monitoring was taken over, not that it has just changed.
	Takeover bool
	// MDIB is the MDIB with that state.
	MDIB *mdib.Snapshot

	at time.Time // when it was received
}

// Present tells whether the condition is present.
func (a Alert) Present() bool { return a.State.BaseCondition().Presence }

// Phase says whether the consumer monitors.
type Phase string

// Phases.
const (
	// Off: it does not. The device sounds by itself.
	Off Phase = "off"
	// Pending: it has taken over; not everything that was there then has been delivered and confirmed, and the device still sounds by itself.
	Pending Phase = "pending"
	// Monitoring: it does.
	Monitoring Phase = "monitoring"
)

// Status is how things are.
type Status struct {
	Phase Phase
	// Since is when the phase began.
	Since time.Time
	// Cause is why the phase is Off; nil before the first attempt and after an orderly end.
	Cause error
	// From is the version of the MDIB at the takeover: that of the report with Fin. Zero while Off.
	From mdib.Version
	// Until is when it ends unless it is renewed, by this host's clock and on the safe side. Zero while Off.
	Until time.Time
	// Takeovers counts takeovers, Confirmed the states of conditions that have been confirmed, Unconfirmed those that wait.
	Takeovers, Confirmed uint64
	Unconfirmed          int
}

// Errors that end monitoring.
var (
	// ErrDisabled: the device has disabled the operations (DEV-49).
	ErrDisabled = errors.New("the device has ended monitoring")
	// ErrSequence: the device has begun a new sequence of its MDIB.
	ErrSequence = errors.New("the device has begun a new sequence")
	// ErrLapsed: it was not renewed within InvocationEffectiveTimeout.
	ErrLapsed = errors.New("monitoring could not be renewed in time")
	// ErrLate: alerts were not delivered and confirmed within MaxTechnicalConfirmationDelay.
	ErrLate = errors.New("alerts were not delivered and confirmed in time")
	// ErrUpdates: reports were missed.
	ErrUpdates = errors.New("updates of the device were missed")
)

// LinkError says that the link to the device is not live.
type LinkError struct {
	// State is that of the link, Cause why.
	State string
	Cause error
}

func (e *LinkError) Error() string {
	if e.Cause == nil {
		return "the link to the device is " + e.State
	}
	return fmt.Sprintf("the link to the device is %s: %v", e.State, e.Cause)
}

// Unwrap returns why the link is not live.
func (e *LinkError) Unwrap() error { return e.Cause }

// DeliveryError says that Config.Deliver failed.
type DeliveryError struct{ Err error }

func (e *DeliveryError) Error() string {
	return fmt.Sprintf("alerts could not be delivered: %v", e.Err)
}

// Unwrap returns why.
func (e *DeliveryError) Unwrap() error { return e.Err }

// SelfCheckError says that an alert system of the device has not reported a self check for twice its SelfCheckPeriod.
type SelfCheckError struct {
	// System is the handle of the alert system, Since when it reported the last one.
	System string
	Since  time.Time
}

func (e *SelfCheckError) Error() string {
	return fmt.Sprintf("the alert system %s has reported no self check since %s", e.System, e.Since.Format(time.TimeOnly))
}
