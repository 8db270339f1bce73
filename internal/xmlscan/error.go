package xmlscan

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"
)

// Causes a caller can tell apart with errors.Is.
var (
	// ErrSyntax: the document breaks a rule of XML 1.0.
	ErrSyntax = errors.New("not well-formed")
	// ErrNamespace: the document breaks a rule of Namespaces in XML 1.0.
	ErrNamespace = errors.New("namespace error")
	// ErrEncoding: invalid UTF-8, an illegal character or a declared encoding other than UTF-8 and US-ASCII.
	ErrEncoding = errors.New("bad character or encoding")
	// ErrDTD: the document has a document type declaration, which SOAP forbids and this scanner never reads.
	ErrDTD = errors.New("document type declaration refused")
	// ErrLimit: a bound of [Limits] is exceeded.
	ErrLimit = errors.New("limit exceeded")
	// ErrMemory is the ErrLimit of Limits.MaxMemory.
	ErrMemory = fmt.Errorf("%w: memory", ErrLimit)
	// ErrContent: well-formed, but not what the caller asked for (text among child elements and the like).
	ErrContent = errors.New("unexpected content")
	// ErrUsage: a method was called where the scanner's position does not allow it; a fault of the program, not of the document.
	ErrUsage = errors.New("scanner misused")
)

// Error is what every method of a [Scanner] returns on refusal.
type Error struct {
	Line   int    // 1-based; CR, LF and CR LF each end one line
	Column int    // 1-based, in characters
	Path   string // the open elements as written, for example /s12:Envelope/s12:Body; "/" outside of the root
	Msg    string
	Err    error // one of the Err values of this package, or what Errorf wrapped; may be nil
}

// Error returns place and message in one line.
func (e *Error) Error() string {
	return fmt.Sprintf("xml: line %d column %d in %s: %s", e.Line, e.Column, e.Path, e.Msg)
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// Err returns the first error the scanner met, nil if none. After an error
// every move fails with the same one until Reset.
func (s *Scanner) Err() error { return s.err }

// Errorf makes an error at the current position, keeps it as the scanner's
// error unless it has one already, and returns the scanner's error. After an
// element was read to its end the position is that of its start tag. %w works as in fmt.Errorf.
func (s *Scanner) Errorf(format string, a ...any) error {
	if s.err != nil {
		return s.err
	}
	err := fmt.Errorf(format, a...)
	off := s.tok
	if s.kind == End && len(s.stack) > 0 {
		off = s.stack[len(s.stack)-1].off - 1
	}
	return s.fail(off, errors.Unwrap(err), err.Error())
}

// fail records the first error, at a byte offset of the document.
func (s *Scanner) fail(off int, cause error, msg string) error {
	if s.err != nil {
		return s.err
	}
	line, col := position(s.full, off)
	s.err = &Error{Line: line, Column: col, Path: s.Path(), Msg: msg, Err: cause}
	s.kind = None
	return s.err
}

// short is called where the document ended too early: because of a character
// that may not be there, or truly.
func (s *Scanner) short(what string) error {
	if len(s.doc) < len(s.full) {
		return s.failChar()
	}
	return s.fail(len(s.doc), ErrSyntax, "unexpected end of document in "+what)
}

func (s *Scanner) failChar() error {
	off := len(s.doc)
	b := s.full[off:]
	r, n := utf8.DecodeRune(b)
	switch {
	case s.ascii:
		return s.fail(off, ErrEncoding, fmt.Sprintf("byte 0x%02X in a document declared US-ASCII", b[0]))
	case r == utf8.RuneError && n == 1:
		return s.fail(off, ErrEncoding, fmt.Sprintf("invalid UTF-8 (byte 0x%02X)", b[0]))
	}
	return s.fail(off, ErrEncoding, fmt.Sprintf("illegal character U+%04X", r))
}

// Path returns the open elements with their names as written.
func (s *Scanner) Path() string {
	if len(s.stack) == 0 {
		return "/"
	}
	var b []byte
	for i := range s.stack {
		e := &s.stack[i]
		b = append(b, '/')
		b = append(b, s.full[e.off:e.off+e.len]...)
	}
	return string(b)
}

// position turns an offset into line and column.
func position(d []byte, off int) (line, col int) {
	off = min(off, len(d))
	b := bytes.TrimPrefix(d[:off], bom)
	line = 1
	for {
		i := bytes.IndexAny(b, "\r\n")
		if i < 0 {
			break
		}
		if b[i] == '\r' && i+1 < len(b) && b[i+1] == '\n' {
			i++
		}
		line++
		b = b[i+1:]
	}
	return line, utf8.RuneCount(b) + 1
}
