// Package heapfloor keeps the garbage collector of a program with a small heap from running all the time.
//
// Go collects when the heap has doubled, or at 4 MB. A device has a few megabytes that live long, and makes a megabyte of short-lived memory every few
// reports: under load it would collect hundreds of times a second, and each collection stops and wakes all processors. That was
// measured to be a third of the cost of a report. Memory that is reserved and never touched makes the heap look larger: it takes
// address space but no RAM, and the collector lets as much garbage come together before it starts.
//
// It is for programs; a library must not decide on that. GOGC and GOMEMLIMIT keep their meaning.
package heapfloor

import "runtime"

// Size is a floor for a program with one to some devices: at most so much garbage more than without, and an idle program makes none.
const Size = 16 << 20

// Raise makes the heap look larger by so many bytes until the function that it returns is called.
func Raise(size int) (lower func()) {
	reserved := make([]byte, size) // large and without pointers: the pages come from the system as they are
	return func() { runtime.KeepAlive(reserved) }
}
