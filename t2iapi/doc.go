// Package t2iapi lets conformance tests bring a device into a state: it serves the t2iapi calls (protocol buffers over gRPC) with which tools such
// as SDCcc manipulate the device under test.
//
//	server, err := t2iapi.New(t2iapi.Config{Device: dev})
//	listener, err := t2iapi.Listen(ctx, "127.0.0.1:50051")
//	err = server.Serve(ctx, listener) // until ctx ends
//
// Of the five services DeviceService, ContextService, ActivationStateService, AlertService and MetricService the sixteen calls that tests use are
// implemented; all others answer RESULT_NOT_IMPLEMENTED.
//
// # Results
//
// RESULT_SUCCESS says that the state has been reached and the reports of it have been handed to all subscriptions. With RESULT_FAIL (the request
// makes no sense for this device: an unknown handle, a value that is none) and RESULT_NOT_SUPPORTED (the device cannot be brought
// into this state, often because a rule of the standards forbids it) nothing has changed; why is in the trailer t2iapi-reason and
// in the log.
//
// # Not for patients
//
// Whoever reaches the listener commands the device, without any authentication. It is for test benches: Listen takes loopback addresses only,
// and nothing in the stack opens it unasked.
package t2iapi
