// Package reachtest tests discovery over several interfaces and both IP families, between hosts that are
// network namespaces.
package reachtest
