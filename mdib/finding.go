package mdib

// Severity grades a Finding.
type Severity uint8

const (
	// SeverityInfo is worth knowing.
	SeverityInfo Severity = iota
	// SeverityWarning is against a recommendation, or likely a mistake.
	SeverityWarning
	// SeverityError is against a rule a device must keep.
	SeverityError
)

func (s Severity) String() string {
	switch s {
	case SeverityInfo:
		return "info"
	case SeverityWarning:
		return "warning"
	case SeverityError:
		return "error"
	}
	return "unknown"
}

// Finding is something about an MDIB or a report that does not conform.
type Finding struct {
	// ID is the requirement, for example "GLUE R0080".
	ID string
	// Handle is the descriptor or state it is about; "" if it is the whole.
	Handle   string
	Severity Severity
	// Message says what is wrong, in English.
	Message string
}

func (f Finding) String() string {
	s := f.Severity.String() + ": "
	if f.Handle != "" {
		s += f.Handle + ": "
	}
	return s + f.Message + " (" + f.ID + ")"
}
