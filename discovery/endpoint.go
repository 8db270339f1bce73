package discovery

import (
	"slices"
)

// Endpoint is what discovery knows of a device.
type Endpoint struct {
	// EPR is the stable address, a urn:uuid: URI (COEX-4).
	EPR string
	// Types are the expanded names of what the device is, such as mdpws:MedicalDevice.
	Types []Name
	// Scopes are URIs that say where and what the device is.
	Scopes []string
	// XAddrs are the URLs at which it can be reached; may be empty until resolved.
	XAddrs []string
	// MetadataVersion rises whenever one of the lists above changes (WSD-4).
	MetadataVersion uint32
}

// HasType reports whether the endpoint has a type.
func (e Endpoint) HasType(n Name) bool { return slices.Contains(e.Types, n) }

// Clone returns a copy that shares nothing with e.
func (e Endpoint) Clone() Endpoint {
	e.Types = slices.Clone(e.Types)
	e.Scopes = slices.Clone(e.Scopes)
	e.XAddrs = slices.Clone(e.XAddrs)
	return e
}

// Equal reports whether both say the same; the order of types and scopes does not
// matter (peers are known to vary it), that of XAddrs does: the first is preferred.
func (e Endpoint) Equal(o Endpoint) bool {
	return e.EPR == o.EPR && e.MetadataVersion == o.MetadataVersion && e.sameMetadata(o)
}

func (e Endpoint) sameMetadata(o Endpoint) bool {
	return sameSet(e.Types, o.Types) && sameSet(e.Scopes, o.Scopes) && slices.Equal(e.XAddrs, o.XAddrs)
}

func sameSet[T comparable](a, b []T) bool {
	return slices.Equal(a, b) || subset(a, b) && subset(b, a)
}

func subset[T comparable](a, b []T) bool {
	for _, v := range a {
		if !slices.Contains(b, v) {
			return false
		}
	}
	return true
}
