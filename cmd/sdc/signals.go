package main

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// listen returns the signals that end the program in good order: devices say Bye, files are closed. A hang-up, which is what programs get whose terminal was closed
// or whose ssh has gone, is one of them, unless it is ignored from the start (nohup).
func listen() <-chan os.Signal {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(signals, syscall.SIGHUP)
	}
	// A reader that has gone is an error of the write, not the end of a device. Unlike signal.Ignore this is not handed on to other programs.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	return signals
}

// sameSignal is how long after the first a further signal is taken for the same one: timeout(1) signals its child and then its group, others hand on what
// the terminal has sent to all.
const sameSignal = 500 * time.Millisecond

// untilSignal returns a context that ends with the first signal. A second one, of somebody who does not want to wait, calls now; a hang-up does not, since
// it comes from the shell and from the kernel, and after SIGTERM. stop must be called.
func untilSignal(parent context.Context, signals <-chan os.Signal, now func()) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancel(parent)
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		var first time.Time
		for {
			select {
			case s := <-signals:
				switch {
				case first.IsZero():
					first = time.Now()
					cancel()
				case s != syscall.SIGHUP && time.Since(first) >= sameSignal:
					now()
				}
			case <-done:
				return
			}
		}
	})
	return ctx, func() {
		cancel()
		close(done)
		wg.Wait()
	}
}
