// Package diff compares two MDIBs: which descriptors and states one has and the other has not, and which fields of the rest differ.
//
//	for _, c := range diff.Snapshots(before, after, diff.Options{}) { ... }
//
// Fields are compared as they are written in XML, by the names of the schema; what is absent equals what the schema implies for it. The order of
// descriptors among their siblings, of context states and of attributes means nothing.
package diff
