package consumer

import (
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/soap"
)

// ReportSequenceError says that the numbers of a subscription's notifications do
// not follow one another: one was lost on the way (SDPi R1031).
type ReportSequenceError struct {
	// Last is the number of the notification before, 0 for the first.
	Last uint64
	// Got is the number that came.
	Got uint64
}

func (e *ReportSequenceError) Error() string {
	return fmt.Sprintf("notification number %d follows %d", e.Got, e.Last)
}

// reportSequence follows the sdpi:ReportSequence header of one subscription. A
// device that does not write it is never refused for that.
type reportSequence struct {
	mu      sync.Mutex
	last    uint64
	number  uint64          // of the notification under way, 0 if it has none
	scanner xmlscan.Scanner // kept: a new one for each notification cost more than all else of the header
}

// check tells whether a notification is a repetition of the one before (SDPi
// R1032), or returns a *ReportSequenceError if one is missing. Afterwards the
// count goes on from the number received.
func (q *reportSequence) check(h *soap.Header) (repeated bool, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.number = 0
	block, ok := h.Block(soap.Name{Space: sdc.NamespaceSDPi, Local: "ReportSequence"})
	if !ok {
		return false, nil
	}
	n, err := messageNumber(&q.scanner, block)
	if err != nil {
		return false, err
	}
	last := q.last
	q.last, q.number = n, n
	switch {
	case last > 0 && n == last:
		return true, nil
	case n != last+1:
		return false, &ReportSequenceError{Last: last, Got: n}
	}
	return false, nil
}

// refused says that the notification checked last is answered with a fault: its number comes again, and may then be that of another
// report (SDPi R0801, R0802).
func (q *reportSequence) refused() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.number > 0 && q.number == q.last {
		q.last--
	}
	q.number = 0
}

func messageNumber(s *xmlscan.Scanner, block xmlscan.Raw) (uint64, error) {
	s.ResetRaw(block)
	if err := s.Root(); err != nil {
		return 0, err
	}
	text, _ := s.Attr("", "MessageNumber")
	// An xs:positiveInteger may have white space around it, and a sign.
	n, err := strconv.ParseUint(strings.TrimPrefix(strings.Trim(text, " \t\r\n"), "+"), 10, 64)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("MessageNumber %q of the report sequence is no positive integer", text)
	}
	return n, nil
}
