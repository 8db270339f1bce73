package consumer

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
)

// RequestError says that a request cannot be sent as it is: something required is missing, or a value cannot be written in XML or is none that the schema
// has. Nothing was sent.
type RequestError struct {
	// Operation is the handle of the operation, "" for requests that invoke none.
	Operation string
	// Msg says what is wrong.
	Msg string
}

func (e *RequestError) Error() string {
	if e.Operation == "" {
		return "the request cannot be sent: " + e.Msg
	}
	return fmt.Sprintf("the request for operation %q cannot be sent: %s", e.Operation, e.Msg)
}

// checkRequest finds the mistakes of a caller before they are sent: a device could only answer that line and column of a message are wrong, and illegal
// characters would arrive as others.
func checkRequest(req msg.SetRequest) error {
	if missing(req) {
		return &RequestError{Msg: "there is no request"}
	}
	operation := req.BaseSet().OperationHandleRef
	bad := func(format string, args ...any) error {
		return &RequestError{Operation: operation, Msg: fmt.Sprintf(format, args...)}
	}
	if operation == "" {
		return bad("the handle of the operation is empty")
	}
	if i := xmlscan.Illegal(operation); i >= 0 {
		return bad("the handle of the operation has a character at byte %d that XML does not allow", i)
	}
	var states []pm.State
	switch r := req.(type) {
	case *msg.SetString:
		if i := xmlscan.Illegal(r.RequestedStringValue); i >= 0 {
			return bad("the text has a character at byte %d that XML does not allow", i)
		}
		return nil
	case *msg.Activate:
		for n, a := range r.Argument {
			if i := xmlscan.Illegal(a.ArgValue); i >= 0 {
				return bad("argument %d has a character at byte %d that XML does not allow", n+1, i)
			}
		}
		return nil
	case *msg.SetAlertState:
		states = []pm.State{r.ProposedAlertState}
	case *msg.SetMetricState:
		states = asStates(r.ProposedMetricState)
	case *msg.SetComponentState:
		states = asStates(r.ProposedComponentState)
	case *msg.SetContextState:
		states = asStates(r.ProposedContextState)
	default:
		return nil
	}
	if len(states) == 0 || slices.ContainsFunc(states, func(s pm.State) bool { return missing(s) }) {
		return bad("a proposed state is missing")
	}
	for _, s := range states {
		if s.BaseState().DescriptorHandle == "" {
			return bad("a proposed %s has no descriptor handle", s.TypeName().Local)
		}
		if flaw := pm.StateFlaw(s); flaw != "" {
			return bad("of the proposed state of %q %s", s.BaseState().DescriptorHandle, flaw)
		}
		if flaw := pm.TextFlaw(s); flaw != "" {
			return bad("in the proposed state of %q %s", s.BaseState().DescriptorHandle, flaw)
		}
	}
	return nil
}

func asStates[S pm.State](list []S) []pm.State {
	states := make([]pm.State, len(list))
	for i, s := range list {
		states[i] = s
	}
	return states
}

// missing tells whether an interface holds nothing, or a pointer that points nowhere.
func missing(v any) bool {
	if v == nil {
		return true
	}
	p := reflect.ValueOf(v)
	return p.Kind() == reflect.Pointer && p.IsNil()
}
