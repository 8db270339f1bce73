package provider

import (
	"errors"
	"fmt"

	"github.com/semeco/go-sdc/mdib/msg"
)

// Refused is what a handler returns when it will not do what was asked; the transaction ends with Fail, the code as InvocationError and
// the message as InvocationErrorMessage.
type Refused struct {
	// Code is the InvocationError; empty means Oth.
	Code msg.InvocationError
	// Message is for a person, in the language Lang; it crosses the network to the caller and to all subscribers.
	Message string
	// Lang is the language tag of Message; empty means "en".
	Lang string
}

// Refuse returns a Refused with code Oth and an English message.
func Refuse(format string, args ...any) error {
	return &Refused{Code: msg.InvocationErrorOth, Message: fmt.Sprintf(format, args...)}
}

func refuse(code msg.InvocationError, format string, args ...any) *Refused {
	return &Refused{Code: code, Message: fmt.Sprintf(format, args...)}
}

func (r *Refused) Error() string {
	return fmt.Sprintf("refused (%s): %s", r.code(), r.Message)
}

func (r *Refused) code() msg.InvocationError {
	if r.Code == "" {
		return msg.InvocationErrorOth
	}
	return r.Code
}

// Errors that a handler may return to end its transaction without it having failed.
var (
	// ErrCancelled ends the transaction with Cnclld: the device cancelled it.
	ErrCancelled = errors.New("operation cancelled")
	// ErrCancelledManually ends the transaction with CnclldMan: somebody at the device cancelled it.
	ErrCancelledManually = errors.New("operation cancelled at the device")
)
