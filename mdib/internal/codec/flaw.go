package codec

import "strconv"

// Flaw tells of a field with a value that its enumeration does not have.
func Flaw(field, value string) string {
	if value == "" {
		return field + " is missing"
	}
	const most = 40 // bytes of the value that are told
	if len(value) > most {
		value = value[:most] + "…"
	}
	return field + " cannot be " + strconv.Quote(value)
}

// FlawIn tells of a flaw within a field.
func FlawIn(field, flaw string) string { return field + "." + flaw }
