// Package t2ipb holds the messages and services of the protocol buffer packages t2iapi.*, by which conformance tests bring a device into a
// state, as package t2iapi serves them. The definitions lie in ../proto.
package t2ipb

//go:generate go run -C ../internal/protogen . -proto ../../proto -out ../../t2ipb
