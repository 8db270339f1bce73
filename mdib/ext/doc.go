// Package ext reads and writes the extensions that SDPi and IEEE 11073-10701 define for the elements of a
// BICEPS document. A pm.Extension keeps extensions as they were written; the functions here look one up and
// parse it on demand, or put one there:
//
//	id, ok, err := ext.EquipmentIdentifier(mds.Extension)
//	ext.SetEquipmentIdentifier(&mds.Extension, "urn:uuid:...")
//
// Each reader returns ok = false when the extension is not there, and an error when it is but does not
// follow its schema. Extensions marked ext:MustUnderstand="true" that are not known here make the decoder refuse
// the document (see pm.MustUnderstandError); all others survive untouched.
package ext
