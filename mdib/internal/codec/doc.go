// Package codec is what the generated code of mdib/pm and mdib/msg stands on: the decoder's state, the lexical
// rules of the XML Schema types, and the messages of its refusals.
package codec
