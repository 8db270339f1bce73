//go:build !race

package main

// share is which part of the long rows is done.
const share = 1
