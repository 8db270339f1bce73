// Package pairtest holds the tests of provider and consumer against one another:
// the two never import each other, so their common tests live here.
package pairtest
