// Package pmap holds immutable collections for data that one writer changes and many readers look at without
// locks: Map, a hash trie keyed by string; Table, a Map whose values are replaced often; and Ordered, a balanced tree keyed by uint64.
//
// A change returns a new collection that shares all but O(log n) of its memory with the old one, which stays as it was. Any
// collection may be read from any number of goroutines at the same time.
package pmap
