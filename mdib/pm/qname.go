package pm

import "github.com/semeco/go-sdc/internal/xmlscan"

// QName is an expanded name, QName{Space, Local}: two names are == exactly when they are the same. Prefixes
// are resolved on reading; a name without prefix is in the default namespace (BICEPS R0214, R0215).
type QName = xmlscan.Name

// Namespace and coding-system names of the model.
const (
	// Namespace is the participant model's namespace, prefix "pm".
	Namespace = xmlscan.NsPM
	// DefaultCodingSystem is meant where a coded value names no coding system: ISO/IEEE 11073-10101.
	DefaultCodingSystem = "urn:oid:1.2.840.10004.1.1.1.0.0.1"
	// NullFlavorRoot stands for the root of an instance identifier that has none (BICEPS R0135).
	NullFlavorRoot = "biceps.uri.unk"
)
