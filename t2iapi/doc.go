// Package t2iapi lets conformance tests bring a device into a state: it serves the t2iapi calls (protocol buffers over gRPC) with which tools such
// as SDCcc manipulate the device under test.
//
//	server, err := t2iapi.New(t2iapi.Config{Device: dev})
//	listener, err := t2iapi.Listen(ctx, "127.0.0.1:50051")
//	err = server.Serve(ctx, listener) // until ctx ends
//
// Of the seven services DeviceService, ContextService, ActivationStateService, AlertService, MetricService, OperationService and CombinedService the
// calls that tests use are implemented; all others answer RESULT_NOT_IMPLEMENTED. The messages are those of t2iapi 7.0.0, which serve clients of older versions
// as well.
//
// # Results
//
// RESULT_SUCCESS says that the state has been reached and that every subscriber has confirmed the reports of it. With RESULT_FAIL (the request makes no sense
// for this device: an unknown handle, a value that is none) and RESULT_NOT_SUPPORTED (the device cannot be brought into this state)
// nothing has changed; why is in the trailer t2iapi-reason and in the log. What has to be on for the state asked for is switched on with it: tests run in any
// order, and the first one may switch everything off.
//
// # Not for patients
//
// Whoever reaches the listener commands the device, without any authentication. It is for test benches: Listen takes loopback addresses only,
// and nothing in the stack opens it unasked.
package t2iapi
