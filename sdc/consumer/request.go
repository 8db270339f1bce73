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
		if field := illegalText(reflect.ValueOf(s), "", 0); field != "" {
			return bad("in the proposed state of %q %s has a character that XML does not allow", s.BaseState().DescriptorHandle, field)
		}
	}
	return nil
}

// maxNesting is deeper than the schema nests, references from one person to another included.
const maxNesting = 64

// illegalText finds a text in a state that XML cannot carry, so that it would arrive as another, and names its field; "" if there is none. The text itself is
// not for logs: it may be the name of a patient.
func illegalText(v reflect.Value, field string, depth int) string {
	if depth > maxNesting {
		return ""
	}
	switch v.Kind() {
	case reflect.String:
		if xmlscan.Illegal(v.String()) >= 0 {
			return field
		}
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			return illegalText(v.Elem(), field, depth+1)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			name := field
			if f := v.Type().Field(i); f.IsExported() {
				name = f.Name
			}
			if found := illegalText(v.Field(i), name, depth+1); found != "" {
				return found
			}
		}
	case reflect.Slice:
		switch v.Type().Elem().Kind() {
		case reflect.String, reflect.Pointer, reflect.Interface, reflect.Struct, reflect.Slice:
			for i := range v.Len() {
				if found := illegalText(v.Index(i), field, depth+1); found != "" {
					return found
				}
			}
		}
	}
	return ""
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
