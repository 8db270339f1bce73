package msg

import (
	"fmt"
	"io"
	"log/slog"
)

// Messages that may be about persons hide their content from log/slog, as the types of package pm do from fmt as well.

const redacted = "redacted"

func logMessage(m Message) slog.Value {
	return slog.GroupValue(slog.String("message", m.BodyName().Local), slog.String("content", redacted))
}

// LogValue hides the content.
func (m *GetMdibResponse) LogValue() slog.Value { return logMessage(m) }

// LogValue hides the content.
func (m *GetMdStateResponse) LogValue() slog.Value { return logMessage(m) }

// LogValue hides the content.
func (m *GetContextStatesResponse) LogValue() slog.Value { return logMessage(m) }

// LogValue hides the content.
func (m *GetContextStatesByIdentificationResponse) LogValue() slog.Value { return logMessage(m) }

// LogValue hides the content.
func (m *GetContextStatesByFilterResponse) LogValue() slog.Value { return logMessage(m) }

// LogValue hides the content.
func (m *GetContextStatesByIdentification) LogValue() slog.Value { return logMessage(m) }

// LogValue hides the content.
func (m *GetContextStatesByFilter) LogValue() slog.Value { return logMessage(m) }

// LogValue hides the content.
func (m *GetStatesFromArchiveResponse) LogValue() slog.Value { return logMessage(m) }

// LogValue hides the content.
func (m *SetContextState) LogValue() slog.Value { return logMessage(m) }

// LogValue hides the content.
func (m *PeriodicContextReport) LogValue() slog.Value { return logMessage(m) }

// LogValue hides the content.
func (m *EpisodicContextReport) LogValue() slog.Value { return logMessage(m) }

// LogValue hides the content.
func (m *DescriptionModificationReport) LogValue() slog.Value { return logMessage(m) }

// Format hides the content, which may identify a person, from package fmt.
func (m *GetContextStatesByIdentification) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "GetContextStatesByIdentification("+redacted+")")
} // fmt.State never fails

// Format hides the content, which may identify a person, from package fmt.
func (m *GetContextStatesByFilter) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "GetContextStatesByFilter("+redacted+")")
} // fmt.State never fails
