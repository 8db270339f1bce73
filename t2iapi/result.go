package t2iapi

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/t2iapi/t2ipb"
)

// ReasonTrailer is the gRPC trailer that says why a call has not succeeded, as a quoted string.
const ReasonTrailer = "t2iapi-reason"

// errNotSupported is wrapped where the device cannot be brought into the state.
var errNotSupported = errors.New("not supported")

func notSupported(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errNotSupported, fmt.Sprintf(format, args...))
}

func unknownHandle(handle string) error {
	return fmt.Errorf("%w: %q", mdib.ErrUnknownHandle, handle)
}

// resultOf says how an error is told. What a rule of the standards forbids cannot be supported.
func resultOf(err error) t2ipb.Result {
	var rule *mdib.RuleError
	switch {
	case err == nil:
		return t2ipb.Result_RESULT_SUCCESS
	case errors.Is(err, errNotSupported), errors.As(err, &rule) && !errors.Is(err, mdib.ErrUnknownHandle):
		return t2ipb.Result_RESULT_NOT_SUPPORTED
	}
	return t2ipb.Result_RESULT_FAIL
}

// manipulate runs one manipulation and answers when consumers have confirmed its reports: test tools look at their copy of the MDIB right after the
// answer. One that does not confirm in time does not make the manipulation fail.
func (s *Server) manipulate(ctx context.Context, fn func() error) *t2ipb.BasicResponse {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := fn()
	if err != nil {
		s.reason(ctx, err.Error())
		return &t2ipb.BasicResponse{Result: resultOf(err)}
	}
	waiting, cancel := context.WithTimeout(ctx, flushTimeout)
	defer cancel()
	if err := s.cfg.Device.Flush(waiting); err != nil {
		s.log.Warn("test call answered before every consumer has confirmed its reports", "error", err)
	}
	return &t2ipb.BasicResponse{Result: resultOf(err)}
}

// reason puts into the trailer why there is no success. Handles come from outside: they are quoted and cut.
func (s *Server) reason(ctx context.Context, text string) {
	const most = 1000
	text = strconv.QuoteToASCII(text[:min(len(text), most)])
	if err := grpc.SetTrailer(ctx, metadata.Pairs(ReasonTrailer, text)); err != nil {
		s.log.Debug("no trailer could be set", "error", err)
	}
	method, _ := grpc.Method(ctx)
	s.log.Warn("test call without success", "call", method, "reason", text)
}

// intercept logs calls and gives those that are not implemented the answer the services have for that.
func (s *Server) intercept(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	s.log.Info("test call", "call", info.FullMethod)
	resp, err := handler(ctx, req)
	if status.Code(err) != codes.Unimplemented {
		return resp, err
	}
	if answer := notImplemented(info.FullMethod); answer != nil {
		s.reason(ctx, "this call is not implemented")
		return answer, nil
	}
	return resp, err
}

// notImplemented makes the answer of a method with the result RESULT_NOT_IMPLEMENTED: some answers are a BasicResponse, the others contain one.
func notImplemented(method string) proto.Message {
	name := protoreflect.FullName(replaceSlashes(method))
	d, err := protoregistry.GlobalFiles.FindDescriptorByName(name)
	if err != nil {
		return nil
	}
	m, ok := d.(protoreflect.MethodDescriptor)
	if !ok {
		return nil
	}
	t, err := protoregistry.GlobalTypes.FindMessageByName(m.Output().FullName())
	if err != nil {
		return nil
	}
	basic := &t2ipb.BasicResponse{Result: t2ipb.Result_RESULT_NOT_IMPLEMENTED}
	if t.Descriptor() == basic.ProtoReflect().Descriptor() {
		return basic
	}
	answer := t.New()
	fields := t.Descriptor().Fields()
	for i := range fields.Len() {
		if f := fields.Get(i); f.Message() == basic.ProtoReflect().Descriptor() {
			answer.Set(f, protoreflect.ValueOfMessage(basic.ProtoReflect()))
			return answer.Interface()
		}
	}
	return nil
}

// replaceSlashes makes a full name of a method's path: /t2iapi.device.DeviceService/SendHello.
func replaceSlashes(method string) string {
	out := []byte(method)
	if len(out) > 0 && out[0] == '/' {
		out = out[1:]
	}
	for i := range out {
		if out[i] == '/' {
			out[i] = '.'
		}
	}
	return string(out)
}
