package soap

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Errors a caller can tell apart with errors.Is.
var (
	// ErrInsecure refuses plain HTTP where it was not asked for explicitly.
	ErrInsecure = errors.New("plain HTTP refused: configure TLS, or set Insecure on a bench")
	// ErrTooLarge refuses a body beyond the limit, before or after inflating it.
	ErrTooLarge = errors.New("body exceeds the limit")
	// ErrNoResponse says that a request was answered without an envelope.
	ErrNoResponse = errors.New("answer without an envelope")
	// ErrRelatesTo refuses an answer that relates to another message.
	ErrRelatesTo = errors.New("answer relates to another message")
	// ErrClosed is returned by a closed client.
	ErrClosed = errors.New("soap client is closed")
)

// HTTPError is an answer whose status is no success and whose body is no SOAP
// fault. (Faults come back as *Fault whatever the status.)
type HTTPError struct {
	Status     int           // HTTP status code
	RetryAfter time.Duration // from the Retry-After header; 0 when absent
	Cause      error         // what was wrong with the body, if it had one; may be nil
}

// Error names the status.
func (e *HTTPError) Error() string {
	s := fmt.Sprintf("http status %d %s", e.Status, http.StatusText(e.Status))
	if e.RetryAfter > 0 {
		s += fmt.Sprintf(" (retry after %v)", e.RetryAfter)
	}
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s
}

// Unwrap returns Cause.
func (e *HTTPError) Unwrap() error { return e.Cause }

// Busy reports whether the peer turned the message down for now (429 or 503), so
// that it may be tried again after RetryAfter (SDPi R0202).
func (e *HTTPError) Busy() bool {
	return e.Status == http.StatusTooManyRequests || e.Status == http.StatusServiceUnavailable
}

// maxRetryAfter caps what a peer may ask for.
const maxRetryAfter = time.Hour

// retryAfter reads a Retry-After header: seconds or an HTTP date.
func retryAfter(h http.Header, now time.Time) time.Duration {
	v := h.Get("Retry-After")
	if v == "" {
		return 0
	}
	var d time.Duration
	if n, err := strconv.ParseUint(v, 10, 32); err == nil {
		d = time.Duration(n) * time.Second
	} else if t, err := http.ParseTime(v); err == nil {
		d = t.Sub(now)
	}
	return min(max(d, 0), maxRetryAfter)
}
