package pm

// The text types of the schema. They are aliases, so that any string can be used for them; the name
// tells the reader and the generator which lexical rule holds.
type (
	// Handle names a descriptor or a multi-state: at least one character, visible ASCII by BICEPS R0105_0.
	Handle = string
	// HandleRef is a reference to a Handle.
	HandleRef = string
	// CodeIdentifier is a code within a coding system: at least one character.
	CodeIdentifier = string
	// SymbolicCodeName is the mnemonic of a code, for example "MDC_PULS_OXIM_PULS_RATE": at least one character.
	SymbolicCodeName = string
	// LocalizedTextRef names a text of the localization service: at least one character.
	LocalizedTextRef = string
	// NonEmpty is a string of at least one character.
	NonEmpty = string
	// AnyURI is xs:anyURI; surrounding and repeated white space is dropped on reading.
	AnyURI = string
	// NonEmptyURI is an xs:anyURI of at least one character.
	NonEmptyURI = string
	// Language is a language tag according to RFC 5646, such as "en" or "de-DE".
	Language = string
	// TimeZone is a time zone with its daylight saving rules in POSIX form, such as "CST6CDT,M3.2.0,M11.1.0".
	TimeZone = string
)
