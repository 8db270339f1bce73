package msg

import (
	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/mdib/pm"
)

// Namespace is the message model's namespace, prefix "msg".
const Namespace = xmlscan.NsMsg

// MdibVersionGroup is the version of the MDIB a message tells of; every response and report has it.
type MdibVersionGroup = pm.MdibVersionGroup

// Message is any request, response or report. Sealed: the types of this package implement it, as pointers.
type Message interface {
	// BodyName is the name of the message's element.
	BodyName() xmlscan.Name
	// AppendXML appends the message as an element that declares all prefixes it uses (msg, pm, ext, xsi).
	AppendXML(b []byte) []byte
	isMessage()
	cloneMessage() Message
	equalMessage(Message) bool
}

// Response is a message that carries the version of the MDIB: a response or a report.
type Response interface {
	Message
	// Version returns the version group of the message, to read or to fill.
	Version() *MdibVersionGroup
}

// Report is a message pushed to subscribers.
type Report interface {
	Response
	BaseReport() *AbstractReport
}

// SetRequest is a request that invokes an operation.
type SetRequest interface {
	Message
	BaseSet() *AbstractSet
}

// SetResponse is the response to a SetRequest.
type SetResponse interface {
	Response
	BaseSetResponse() *AbstractSetResponse
}

// Clone returns a deep copy that shares nothing with m; nil for nil.
func Clone(m Message) Message {
	if m == nil {
		return nil
	}
	return m.cloneMessage()
}

// Equal reports whether a and b have the same type and the same content.
func Equal(a, b Message) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return a.equalMessage(b)
}

// AbstractGet is what requests for information share.
type AbstractGet struct {
	Extension pm.Extension `sdc:"ext:Extension,?"`
}

// AbstractGetResponse is what responses to requests for information share.
type AbstractGetResponse struct {
	MdibVersionGroup
	Extension pm.Extension `sdc:"ext:Extension,?"`
}

// Version returns the version group.
func (r *AbstractGetResponse) Version() *MdibVersionGroup { return &r.MdibVersionGroup }

// AbstractReport is what reports share.
type AbstractReport struct {
	MdibVersionGroup
	Extension pm.Extension `sdc:"ext:Extension,?"`
}

// Version returns the version group.
func (r *AbstractReport) Version() *MdibVersionGroup { return &r.MdibVersionGroup }

// BaseReport returns the part all reports share.
func (r *AbstractReport) BaseReport() *AbstractReport { return r }

// AbstractReportPart is what report parts share.
type AbstractReportPart struct {
	Extension pm.Extension `sdc:"ext:Extension,?"`
	// SourceMds is the handle of the MDS the part comes from; needed when the MDIB has several.
	SourceMds pm.HandleRef `sdc:"SourceMds,?"`
}

// AbstractSet is what requests that invoke an operation share.
type AbstractSet struct {
	Extension pm.Extension `sdc:"ext:Extension,?"`
	// OperationHandleRef is the handle of the operation to invoke.
	OperationHandleRef pm.HandleRef `sdc:"OperationHandleRef,1"`
}

// BaseSet returns the part all set requests share.
func (s *AbstractSet) BaseSet() *AbstractSet { return s }

// AbstractSetResponse is what responses to set requests share.
type AbstractSetResponse struct {
	MdibVersionGroup
	Extension      pm.Extension   `sdc:"ext:Extension,?"`
	InvocationInfo InvocationInfo `sdc:"InvocationInfo,1"`
}

// Version returns the version group.
func (r *AbstractSetResponse) Version() *MdibVersionGroup { return &r.MdibVersionGroup }

// BaseSetResponse returns the part all set responses share.
func (r *AbstractSetResponse) BaseSetResponse() *AbstractSetResponse { return r }

// InvocationInfo tells how far the processing of an invoked operation is.
type InvocationInfo struct {
	Extension pm.Extension `sdc:"ext:Extension,?"`
	// TransactionId identifies the invocation.
	TransactionId   uint32          `sdc:"TransactionId,1"`
	InvocationState InvocationState `sdc:"InvocationState,1"`
	// InvocationError tells more of a failure.
	InvocationError InvocationError `sdc:"InvocationError,?"`
	// InvocationErrorMessage is meant for a human.
	InvocationErrorMessage []pm.LocalizedText `sdc:"InvocationErrorMessage,*"`
}

// InvocationState is the state of an invocation.
type InvocationState string

// Values of InvocationState.
const (
	InvocationStateWait      InvocationState = "Wait"      // queued
	InvocationStateStart     InvocationState = "Start"     // being executed
	InvocationStateCnclld    InvocationState = "Cnclld"    // cancelled by the provider
	InvocationStateCnclldMan InvocationState = "CnclldMan" // cancelled by an operator
	InvocationStateFin       InvocationState = "Fin"       // finished
	InvocationStateFinMod    InvocationState = "FinMod"    // finished with the nearest value possible
	InvocationStateFail      InvocationState = "Fail"      // failed
)

// Final reports whether the invocation has ended: no other state follows.
func (s InvocationState) Final() bool {
	switch s {
	case InvocationStateCnclld, InvocationStateCnclldMan, InvocationStateFin, InvocationStateFinMod, InvocationStateFail:
		return true
	}
	return false
}

// InvocationError is the reason of a failed invocation.
type InvocationError string

// Values of InvocationError.
const (
	InvocationErrorUnspec InvocationError = "Unspec" // not specified
	InvocationErrorUnkn   InvocationError = "Unkn"   // the operation's handle is not known
	InvocationErrorInv    InvocationError = "Inv"    // the request does not fit the operation
	InvocationErrorOth    InvocationError = "Oth"    // another
)
