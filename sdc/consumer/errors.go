package consumer

import (
	"errors"
	"fmt"

	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/soap"
)

// Errors that a caller can act on.
var (
	// ErrSlowReader ends an update stream whose reader let its queue fill up:
	// updates after the last one yielded are missing. Start a new stream; it
	// begins with the current snapshot.
	ErrSlowReader = errors.New("reader too slow: updates were lost")
	// ErrClosed is returned once the device or consumer was closed by its user.
	ErrClosed = errors.New("closed")
	// ErrLost is returned once the device could not be reached for longer than
	// Config.LostAfter. Find it again by discovery.
	ErrLost = errors.New("device lost")
)

// ServiceError says that a device does not offer a service that was asked for.
type ServiceError struct {
	// Service is the name of the port type, for example SetService.
	Service string
}

func (e *ServiceError) Error() string {
	return fmt.Sprintf("the device does not offer the %s", e.Service)
}

// AnswerError says that the answer of a device is not what it should be: the device has answered, but it cannot be told what.
type AnswerError struct {
	// Body is the name of the answer's body.
	Body soap.Name
	// Err says what is wrong with it.
	Err error
}

func (e *AnswerError) Error() string {
	return fmt.Sprintf("the answer %s cannot be used: %v", e.Body.Local, e.Err)
}

// Unwrap returns what is wrong.
func (e *AnswerError) Unwrap() error { return e.Err }

// AccessError says that an operation is meant for users of another group than those in
// Config.AccessLevels. Nothing was sent.
type AccessError struct {
	// Operation is the handle of the operation.
	Operation string
	// Level is the group the operation is meant for.
	Level pm.AccessLevel
}

func (e *AccessError) Error() string {
	return fmt.Sprintf("operation %s is for users of access level %s", e.Operation, e.Level)
}
