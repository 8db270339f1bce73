// Package reachtest tests devices and consumers with several interfaces and both IP families, on hosts that are
// network namespaces.
package reachtest
