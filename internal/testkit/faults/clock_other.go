//go:build !(linux && amd64)

package faults

import "errors"

// Clock sets the wall clock of this process. There is none on this platform.
type Clock struct{}

// NewClock takes the clock over.
func NewClock() (*Clock, error) {
	return nil, ClockSettable()
}

// ClockSettable tells why NewClock fails.
func ClockSettable() error {
	return errors.New("the clock of one process cannot be set on this platform")
}

// Set makes the wall clock wrong by so many seconds.
func (*Clock) Set(int64) error { return errors.New("there is no clock") }
