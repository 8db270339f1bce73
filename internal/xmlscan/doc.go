// Package xmlscan reads and writes the XML of this module: a strict,
// namespace-aware pull scanner over a document in memory, and append functions
// that write into a buffer of the caller. All XML that comes from a network is
// read with it.
//
// # What is accepted
//
// Well-formed documents of XML 1.0 (fifth edition) that follow Namespaces in
// XML 1.0 (third edition), in UTF-8, with or without byte order mark, within
// the bounds of [Limits]. On purpose the scanner refuses more than it must:
//
//   - a document type declaration, and with it all entities but the five
//     predefined ones (SOAP 1.2 forbids it, and it is a classic way to attack);
//   - a declared version other than 1.0, and a declared encoding other than
//     UTF-8 and US-ASCII;
//   - names that are not qualified names, also as the target of a processing
//     instruction.
//
// Line ends and white space in attribute values are normalised as XML asks
// for; comments and processing instructions are checked and passed over; CDATA
// sections are text like any other.
//
// Compared with encoding/xml the scanner also refuses duplicate attributes,
// prefixes that are not declared, illegal namespace declarations and a second
// root element, normalises white space in attribute values, and knows the
// names of the fifth edition. What both accept they read alike (FuzzDifferential).
//
// # Reading
//
// Root moves to the root element, Child through the children of an element;
// each child is read to its end by a Child loop of its own, by Text, Skip or
// Raw before the loop goes on:
//
//	if err := s.Root(); err != nil {
//		return err
//	}
//	for s.Child() {
//		switch s.Name() {
//		case nameValue:
//			v, err := s.Text()
//			...
//		default:
//			s.Skip()
//		}
//	}
//	if err := s.End(); err != nil { // the first error, wherever it came from
//		return err
//	}
//
// The first error is kept: all later calls fail with it, so it is enough to
// look at it once. Every error is an [*Error] with line, column and element
// path; a caller adds errors about what the document says with Errorf.
// Next is the level below, token by token.
//
// # Memory
//
// Strings and Raw values never refer to the document, so its buffer can be
// used again at once; byte slices (Attr.Bytes, TextBytes, Chars) are valid
// until the next move. A Scanner that is kept and Reset reads documents of a
// kind it has seen before without allocation: names and strings of up to 64
// bytes come from bounded caches. Names in well-known namespaces carry the Ns
// constants, so that comparing them compares pointers. A Scanner belongs to one
// goroutine at a time and starts none.
//
// Time and memory are linear in the size of the document, within a factor
// given by Limits; no input makes the scanner panic.
//
// # Writing
//
// The Append functions escape values and replace what XML cannot carry by
// U+FFFD. Names, prefixes and the nesting are the caller's to get right.
package xmlscan
