package mdib

import (
	"errors"
	"fmt"
)

// Errors a caller can act on with errors.Is.
var (
	// ErrUnknownHandle is wrapped by errors about a handle that is not in the MDIB.
	ErrUnknownHandle = errors.New("unknown handle")
	// ErrMissing is wrapped when nil, also a nil pointer in an interface, was given in the place of a descriptor, a state or a function.
	ErrMissing = errors.New("is missing")
	// ErrMixedKinds is wrapped when one transaction changed states of several kinds: they cannot be told in one report,
	// and one version of the MDIB has one report (SDPi R1007).
	ErrMixedKinds = errors.New("a transaction changes states of one kind only")
	// ErrTxDone is returned when a transaction is used after Update has returned.
	ErrTxDone = errors.New("the transaction has ended")
	// ErrOld is returned by Mirror.Apply for a report older than what has been applied. It changed nothing and can be ignored.
	ErrOld = errors.New("report is older than the mirror")
	// ErrTooLarge is wrapped by Mirror.Reset and Mirror.Apply when a device has more descriptors or states than MirrorConfig.MaxStates. It changed nothing.
	// Package consumer also wraps it when what an MDIB would take exceeds Limits.MaxMemory.
	ErrTooLarge = errors.New("the device's MDIB is too large")
	// ErrNotReady is returned by Mirror.Apply before the first Reset.
	ErrNotReady = errors.New("the mirror has not been filled yet")
)

// RuleError says which rule of the standards an MDIB or a change of it would break. Nothing was changed.
type RuleError struct {
	// ID is the requirement, for example "BICEPS R0007_0".
	ID string
	// Handle is the descriptor or state that breaks it.
	Handle string
	// Msg says how.
	Msg string

	err error
}

// Unwrap returns what lies behind the error, ErrUnknownHandle for example, or nil.
func (e *RuleError) Unwrap() error { return e.err }

func (e *RuleError) Error() string { return fmt.Sprintf("%q: %s (%s)", clip(e.Handle), e.Msg, e.ID) }

// Requirement ids used in several places.
const (
	idUnique      = "BICEPS R0007_0"
	idHandleChars = "BICEPS R0105_0"
	idPairing     = "BICEPS R0023"
	idTree        = "BICEPS tree rules"
	idSchema      = "BICEPS schema"
	idContext     = "BICEPS context descriptors fixed"
	idNested      = "BICEPS R5024"
	idSameType    = "BICEPS R0098_0"
	idOnce        = "SDPi R1008"
	idLifeCycle   = "BICEPS association life cycle"
	idRanges      = "BICEPS ranges"
	idContextRoom = "bounds of contexts"
	idNoValue     = "BICEPS validity: no value"
)

func ruleError(id, handle, format string, args ...any) error {
	return &RuleError{ID: id, Handle: handle, Msg: fmt.Sprintf(format, args...)}
}

func unknown(handle string) error { return fmt.Errorf("%q: %w", clip(handle), ErrUnknownHandle) }

func missing(what string) error { return fmt.Errorf("mdib: %s %w", what, ErrMissing) }

// GapError says that reports are missing between the mirror's version and the one received. The mirror is as it was; read
// the MDIB anew (CONS-2).
type GapError struct {
	Have, Got uint64 // MDIB versions
}

func (e *GapError) Error() string {
	return fmt.Sprintf("reports are missing: have MDIB version %d, got %d", e.Have, e.Got)
}

// SequenceError says that a report belongs to another sequence or instance of the MDIB: the device has started anew. The mirror is
// as it was; read the MDIB anew (CONS-1).
type SequenceError struct {
	Have, Got Version
}

func (e *SequenceError) Error() string {
	return fmt.Sprintf("the MDIB sequence changed from %s to %s", e.Have.sequence(), e.Got.sequence())
}

func clip(s string) string {
	if len(s) > 100 {
		return s[:100] + "..."
	}
	return s
}
