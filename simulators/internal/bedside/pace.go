package bedside

import (
	"context"
	"time"
)

// Step is the simulated time between two steps of a device, and the time that one
// waveform message covers.
const Step = 100 * time.Millisecond

// catchUp bounds how many steps follow one another without a pause when the
// program got too little time to run.
const catchUp = 20

// Pace calls step once for every period of simulated time until ctx ends, which is no
// error. at is the wall-clock time that the end of the step stands for. A device
// that is late by more than catchUp periods leaves that time out: its
// simulated time then stands still, which shows in nothing but time stamps.
func Pace(ctx context.Context, period time.Duration, step func(at time.Time) error) error {
	ticker := time.NewTicker(period)
	defer ticker.Stop()
	due := time.Now()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		now := time.Now()
		if late := now.Sub(due) / period; late > catchUp {
			due = due.Add((late - catchUp) * period)
		}
		for next := due.Add(period); !next.After(now); next = due.Add(period) {
			if ctx.Err() != nil {
				return nil
			}
			due = next
			if err := step(due); err != nil {
				return err
			}
		}
	}
}
