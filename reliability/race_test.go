//go:build race

package main

// share is which part of the long rows is done: the race detector makes everything five times as slow.
const share = 5
