package audit

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// maxProblems bounds the problems that Verify lists.
const maxProblems = 100

// Problem is one thing that is wrong with a file.
type Problem struct {
	// File it is in; empty if only one was looked at.
	File string `json:"file,omitempty"`
	// Line in the file, from 1.
	Line int `json:"line"`
	// Message says what is wrong.
	Message string `json:"message"`
}

// Report is what Verify found.
type Report struct {
	Records uint64    `json:"records"`
	First   time.Time `json:"first"`
	Last    time.Time `json:"last"`
	// End is the end of the chain.
	End Chain `json:"end"`
	// Lost is how many events the file itself says were lost.
	Lost uint64 `json:"lost"`
	// Problems are in the order of the file, at most 100 of them.
	Problems []Problem `json:"problems,omitempty"`
}

// Verify reads a file and checks the chain: that no record was changed, removed from the beginning or the middle, inserted or moved. A chain alone cannot tell that records were removed from its
// end, nor that somebody wrote the whole file anew: for that, expect is a hash noted earlier (File.Last), which must be in the file. "" expects nothing. A hash is no signature.
// The error is one of reading.
func Verify(r io.Reader, expect string) (*Report, error) {
	v := newVerifier(Chain{Hash: zeroHash}, expect)
	if err := v.read("", r); err != nil {
		return nil, err
	}
	return v.report(), nil
}

// VerifyFiles is Verify for a chain over several files, in the order given. after is the end of what came before them, as an earlier Report has it, where
// older files have been taken elsewhere; its zero value begins with the first record.
func VerifyFiles(paths []string, after Chain, expect string) (*Report, error) {
	if after.Hash == "" {
		after.Hash = zeroHash
	}
	v := newVerifier(after, expect)
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		err = v.read(path, f)
		_ = f.Close() // it was only read
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return v.report(), nil
}

// verifier follows a chain through one file or several.
type verifier struct {
	rep    *Report
	expect string
	found  bool
	file   string
	line   int
}

func newVerifier(after Chain, expect string) *verifier {
	return &verifier{rep: &Report{End: after}, expect: expect, found: expect == "" || expect == after.Hash}
}

func (v *verifier) bad(line int, format string, args ...any) {
	if len(v.rep.Problems) < maxProblems {
		v.rep.Problems = append(v.rep.Problems, Problem{v.file, line, fmt.Sprintf(format, args...)})
	}
}

func (v *verifier) report() *Report {
	if !v.found {
		v.bad(v.line, "the record with the expected hash is not there: records were removed from the end, or the file was written anew")
	}
	return v.rep
}

// read follows the chain through one file.
func (v *verifier) read(file string, r io.Reader) error {
	v.file = file
	rep, bad := v.rep, v.bad
	line, err := each(r, func(line int, text []byte, complete bool) {
		if !complete {
			bad(line, "the last record is not complete")
			return
		}
		rec, err := parseRecord(text)
		if rec == nil {
			bad(line, "%v", err)
			return
		}
		if err != nil {
			bad(line, "record %d: %v", rec.Number, err)
		}
		switch {
		case rec.Number != rep.End.Number+1:
			bad(line, "record %d follows record %d", rec.Number, rep.End.Number)
		case rec.Previous != rep.End.Hash:
			bad(line, "record %d does not continue the record before it", rec.Number)
		}
		if rep.Records == 0 {
			rep.First = rec.Time
		}
		rep.Records++
		rep.Last = rec.Time
		rep.End = Chain{rec.Number, rec.Hash}
		if rec.Kind == Lost {
			rep.Lost += rec.Count
		}
		v.found = v.found || err == nil && rec.Hash == v.expect
	})
	v.line = line
	return err
}

// Each calls fn with every record that can be read, changed or not, until fn returns false. The error is one of reading.
func Each(r io.Reader, fn func(*Record) bool) error {
	more := true
	_, err := each(r, func(_ int, text []byte, complete bool) {
		if !more || !complete {
			return
		}
		if rec, _ := parseRecord(text); rec != nil {
			more = fn(rec)
		}
	})
	return err
}

// each calls fn with every line and returns the number of the last one.
func each(r io.Reader, fn func(line int, text []byte, complete bool)) (int, error) {
	in := bufio.NewReaderSize(r, maxRecord)
	for line := 1; ; line++ {
		text, err := in.ReadSlice('\n')
		switch {
		case err == nil:
			fn(line, text[:len(text)-1], true)
		case errors.Is(err, bufio.ErrBufferFull):
			fn(line, []byte("too long"), true)
			for errors.Is(err, bufio.ErrBufferFull) {
				_, err = in.ReadSlice('\n')
			}
			if err != nil && !errors.Is(err, io.EOF) {
				return line, err
			}
		case errors.Is(err, io.EOF):
			if len(text) > 0 {
				fn(line, text, false)
				return line, nil
			}
			return max(line-1, 1), nil
		default:
			return line, err
		}
	}
}
