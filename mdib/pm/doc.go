// Package pm is the BICEPS participant model (IEEE 11073-10207, namespace prefix "pm"): the
// descriptors, states and value types an MDIB is made of.
//
// The Go structs are the schema. A type carries the name the standard gives it, base types are
// embedded first, and one `sdc` tag per field says how the field is written:
//
//	@Name,1   required attribute          @Name,?  optional attribute
//	Name,1    exactly one element         Name,?   at most one element
//	Name,*    any number of elements      Name,+   at least one element
//	.         the text of the element
//
// A third part of the tag, as in `@CanEscalate,?,Lo|Me|Hi`, narrows an enumeration or a number
// (`@Qi,?,0..1`); "together" asks the decoder to allocate the structure together with the one it
// stands in, as nearly every metric state has a value. Fields stand in
// the order of the schema; that order is the order on the wire. Everything else (reading, writing,
// Clone, Equal, the switch from xsi:type to Go type) is generated from these declarations by
// internal/codecgen.
//
// # How a value that may be missing is held
//
//   - version counters are plain uint64: absent means 0, the implied value of the schema;
//   - booleans whose implied value is false are plain bool;
//   - enumerations are string types: "" means absent. An implied value is a getter
//     (ActivationStateOrDefault), never silently filled in;
//   - strings and handle references are plain strings: "" means absent. The one string where empty
//     and absent differ, StringMetricValue.Value, is an Opt[string];
//   - every other optional simple value is an Opt[T];
//   - optional structures are pointers, required ones are values, lists are slices. A nil pointer in
//     a list is not written.
//
// # Polymorphism
//
// Elements whose type the schema declares abstract (or that have derived types) are interfaces:
// Descriptor, State and the narrower ones that follow the schema's base types. They are sealed:
// only the types of this package implement them, and only the ones that may stand in a document; a bare
// AbstractState does not.
//
// # Strictness of the decoder
//
// Unknown elements, elements out of order, missing or repeated elements, unknown attributes without a
// namespace, missing attributes, and text that is not of the declared type are errors
// with line, column and path. Attributes of foreign namespaces are ignored. An
// element of an abstract type must say its type with xsi:type, and an xsi:type this package does not know is refused by
// name. Where the schema would let a derived type stand for a type that is not abstract, only
// LimitAlertConditionDescriptor and NeonatalPatientDemographicsCoreData are accepted, and OperatingJurisdiction for an
// InstanceIdentifier, which is read as such: it has a name of its own and no content of its own. The rest (a
// PersonParticipation for a PersonReference, or demographics of a patient for an operator's) is refused rather than cut down to its base.
// Extension content that is not known is kept byte for byte, see Extension.
package pm
