//go:build !linux

package attack

import "os"

// lowestPriority does nothing: only on Linux it is known how.
func lowestPriority(mark string) error { return os.Unsetenv(mark) }
