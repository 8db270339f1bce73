package pm

import (
	"fmt"
	"io"
	"log/slog"
)

// What is known of persons must not get into logs. The types of this file hide their content from fmt and log/slog, whatever the verb and however deep
// they lie in what is printed; who has the right to see it reads the fields. Encoders such as AppendXML and encoding/json are not concerned: a program that
// gives whole values to slog.NewJSONHandler inside of types of its own has to see to it itself.

const redacted = "redacted"

// redact writes a type's name in the place of its content.
func redact(f fmt.State, name string) { _, _ = io.WriteString(f, name+"("+redacted+")") } // fmt.State never fails

// redactContext writes what tells context states apart, and nothing of whom they are about.
func redactContext(f fmt.State, name string, s *AbstractContextState) {
	_, _ = fmt.Fprintf(f, "%s(handle %s, descriptor %s, version %d, %s, %s)", name, s.Handle, s.DescriptorHandle, s.StateVersion, s.ContextAssociationOrDefault(), redacted)
}

func logContext(name string, s *AbstractContextState) slog.Value {
	return slog.GroupValue(
		slog.String("type", name), slog.String("handle", s.Handle), slog.String("descriptor", s.DescriptorHandle),
		slog.Uint64("version", s.StateVersion), slog.String("association", string(s.ContextAssociationOrDefault())), slog.String("content", redacted),
	)
}

// Format hides the content from package fmt.
func (BaseDemographics) Format(f fmt.State, _ rune) { redact(f, "BaseDemographics") }

// LogValue hides the content from package log/slog.
func (BaseDemographics) LogValue() slog.Value { return slog.StringValue(redacted) }

// Format hides the content from package fmt.
func (PersonReference) Format(f fmt.State, _ rune) { redact(f, "PersonReference") }

// LogValue hides the content from package log/slog.
func (PersonReference) LogValue() slog.Value { return slog.StringValue(redacted) }

// Format hides the content from package fmt.
func (PersonParticipation) Format(f fmt.State, _ rune) { redact(f, "PersonParticipation") }

// LogValue hides the content from package log/slog.
func (PersonParticipation) LogValue() slog.Value { return slog.StringValue(redacted) }

// Format hides the content from package fmt.
func (PatientDemographicsCoreData) Format(f fmt.State, _ rune) {
	redact(f, "PatientDemographicsCoreData")
}

// LogValue hides the content from package log/slog.
func (PatientDemographicsCoreData) LogValue() slog.Value { return slog.StringValue(redacted) }

// Format hides the content from package fmt.
func (NeonatalPatientDemographicsCoreData) Format(f fmt.State, _ rune) {
	redact(f, "NeonatalPatientDemographicsCoreData")
}

// LogValue hides the content from package log/slog.
func (NeonatalPatientDemographicsCoreData) LogValue() slog.Value { return slog.StringValue(redacted) }

// Format hides the content from package fmt.
func (WorkflowDetail) Format(f fmt.State, _ rune) { redact(f, "WorkflowDetail") }

// LogValue hides the content from package log/slog.
func (WorkflowDetail) LogValue() slog.Value { return slog.StringValue(redacted) }

// Format hides the content from package fmt.
func (ImagingProcedure) Format(f fmt.State, _ rune) { redact(f, "ImagingProcedure") }

// LogValue hides the content from package log/slog.
func (ImagingProcedure) LogValue() slog.Value { return slog.StringValue(redacted) }

// Format hides the content from package fmt.
func (OrderDetail) Format(f fmt.State, _ rune) { redact(f, "OrderDetail") }

// LogValue hides the content from package log/slog.
func (OrderDetail) LogValue() slog.Value { return slog.StringValue(redacted) }

// Format hides the content from package fmt.
func (RequestedOrderDetail) Format(f fmt.State, _ rune) { redact(f, "RequestedOrderDetail") }

// LogValue hides the content from package log/slog.
func (RequestedOrderDetail) LogValue() slog.Value { return slog.StringValue(redacted) }

// Format hides the content from package fmt.
func (PerformedOrderDetail) Format(f fmt.State, _ rune) { redact(f, "PerformedOrderDetail") }

// LogValue hides the content from package log/slog.
func (PerformedOrderDetail) LogValue() slog.Value { return slog.StringValue(redacted) }

// Format hides whom the state is about from package fmt.
func (s PatientContextState) Format(f fmt.State, _ rune) {
	redactContext(f, "PatientContextState", &s.AbstractContextState)
}

// LogValue hides whom the state is about from package log/slog.
func (s PatientContextState) LogValue() slog.Value {
	return logContext("PatientContextState", &s.AbstractContextState)
}

// Format hides whom the state is about from package fmt.
func (s OperatorContextState) Format(f fmt.State, _ rune) {
	redactContext(f, "OperatorContextState", &s.AbstractContextState)
}

// LogValue hides whom the state is about from package log/slog.
func (s OperatorContextState) LogValue() slog.Value {
	return logContext("OperatorContextState", &s.AbstractContextState)
}

// Format hides whom the state is about from package fmt.
func (s WorkflowContextState) Format(f fmt.State, _ rune) {
	redactContext(f, "WorkflowContextState", &s.AbstractContextState)
}

// LogValue hides whom the state is about from package log/slog.
func (s WorkflowContextState) LogValue() slog.Value {
	return logContext("WorkflowContextState", &s.AbstractContextState)
}

// LogValue tells how many states there are; some of them may be about persons.
func (s MdState) LogValue() slog.Value { return slog.GroupValue(slog.Int("states", len(s.State))) }

// LogValue tells the version; states may be about persons.
func (m Mdib) LogValue() slog.Value {
	return slog.GroupValue(slog.Uint64("version", m.MdibVersion), slog.String("content", redacted))
}
