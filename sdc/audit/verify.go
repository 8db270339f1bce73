package audit

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"time"
)

// maxProblems bounds the problems that Verify lists.
const maxProblems = 100

// Problem is one thing that is wrong with a file.
type Problem struct {
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
	rep := &Report{End: Chain{Hash: zeroHash}}
	bad := func(line int, format string, args ...any) {
		if len(rep.Problems) < maxProblems {
			rep.Problems = append(rep.Problems, Problem{line, fmt.Sprintf(format, args...)})
		}
	}
	found := expect == "" || expect == zeroHash
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
		found = found || err == nil && rec.Hash == expect
	})
	if err != nil {
		return nil, err
	}
	if !found {
		bad(line, "the record with the expected hash is not there: records were removed from the end, or the file was written anew")
	}
	return rep, nil
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
