package t2iapi

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/t2iapi/t2ipb"
)

type deviceService struct {
	t2ipb.UnimplementedDeviceServiceServer
	*Server
}

// SendHello announces the device once more (WS-Discovery Hello).
func (s deviceService) SendHello(ctx context.Context, _ *emptypb.Empty) (*t2ipb.BasicResponse, error) {
	return s.manipulate(ctx, s.cfg.Device.SayHello), nil
}

// TriggerDescriptorUpdate rewords descriptors, all in one report.
func (s deviceService) TriggerDescriptorUpdate(ctx context.Context, req *t2ipb.TriggerDescriptorUpdateRequest) (*t2ipb.BasicResponse, error) {
	return s.manipulate(ctx, func() error {
		if len(req.GetHandle()) == 0 {
			return s.rewordAny()
		}
		return s.reword(req.GetHandle())
	}), nil
}

// TriggerAnyDescriptorUpdate rewords some descriptor.
func (s deviceService) TriggerAnyDescriptorUpdate(ctx context.Context, _ *emptypb.Empty) (*t2ipb.BasicResponse, error) {
	return s.manipulate(ctx, s.rewordAny), nil
}

// rewordAny rewords a metric, or what there is.
func (s *Server) rewordAny() error {
	any := ""
	for e := range s.cfg.Device.MDIB().Entities() {
		if _, ok := e.Descriptor.(pm.MetricDescriptor); ok {
			any = e.Handle
			break
		}
		any = e.Handle
	}
	if any == "" {
		return notSupported("there is no descriptor")
	}
	return s.reword([]string{any})
}

// reword changes what the types of descriptors are called: a change that every descriptor can have and that means nothing.
func (s *Server) reword(handles []string) error {
	s.serial++
	text := fmt.Sprintf("Wording %d", s.serial)
	return s.cfg.Device.Update(func(tx *mdib.Tx) error {
		for _, h := range handles {
			d, err := tx.EditDescriptor(h)
			if err != nil {
				return err
			}
			t := d.Base().Type
			if t == nil {
				t = &pm.CodedValue{Code: "t2iapi", CodingSystem: validator().Root}
				d.Base().Type = t
			}
			t.ConceptDescription = rewordTexts(t.ConceptDescription, text)
		}
		return nil
	})
}

// rewordTexts changes the texts that stand in the MDIB itself; what the localization service holds is the same for many.
func rewordTexts(texts []pm.LocalizedText, to string) []pm.LocalizedText {
	found := false
	for i := range texts {
		if texts[i].Ref == "" {
			texts[i].Text, found = to, true
		}
	}
	if !found {
		texts = append(texts, pm.LocalizedText{Lang: "en", Text: to})
	}
	return texts
}

// GetRemovableDescriptorsOfClass tells what RemoveDescriptor and InsertDescriptor accept.
func (s deviceService) GetRemovableDescriptorsOfClass(ctx context.Context, req *t2ipb.GetRemovableDescriptorsOfClassRequest) (*t2ipb.GetRemovableDescriptorsResponse, error) {
	resp := &t2ipb.GetRemovableDescriptorsResponse{}
	resp.Status = s.manipulate(ctx, func() error {
		class := req.GetDescriptorClass()
		if class != t2ipb.DescriptorClass_DESCRIPTOR_CLASS_ABSTRACT && class != t2ipb.DescriptorClass_DESCRIPTOR_CLASS_MDS {
			return fmt.Errorf("%d is no class of descriptors", class)
		}
		for _, h := range s.removable {
			if class == t2ipb.DescriptorClass_DESCRIPTOR_CLASS_ABSTRACT || s.isMDS(h) {
				resp.Handle = append(resp.Handle, h)
			}
		}
		return nil
	})
	return resp, nil
}

func (s *Server) isMDS(handle string) bool {
	if r, ok := s.removed[handle]; ok {
		return r.parent == ""
	}
	_, ok := mdib.Get[*pm.MdsDescriptor](s.cfg.Device.MDIB(), handle)
	return ok
}

// RemoveDescriptor takes a descriptor out, with everything below it.
func (s deviceService) RemoveDescriptor(ctx context.Context, req *t2ipb.BasicHandleRequest) (*t2ipb.BasicResponse, error) {
	return s.manipulate(ctx, func() error { return s.remove(req.GetHandle()) }), nil
}

// InsertDescriptor puts back what has been taken out, as it was.
func (s deviceService) InsertDescriptor(ctx context.Context, req *t2ipb.BasicHandleRequest) (*t2ipb.BasicResponse, error) {
	return s.manipulate(ctx, func() error { return s.insert(req.GetHandle()) }), nil
}

// TriggerReport makes something harmless happen that is told in a report of the type.
func (s deviceService) TriggerReport(ctx context.Context, req *t2ipb.TriggerReportRequest) (*t2ipb.BasicResponse, error) {
	return s.manipulate(ctx, func() error {
		switch t := req.GetReport(); t {
		case t2ipb.ReportType_REPORT_TYPE_EPISODIC_ALERT_REPORT:
			return s.checkAlertSystem()
		case t2ipb.ReportType_REPORT_TYPE_EPISODIC_COMPONENT_REPORT:
			return s.countCycle()
		case t2ipb.ReportType_REPORT_TYPE_EPISODIC_CONTEXT_REPORT:
			return s.touchContext()
		case t2ipb.ReportType_REPORT_TYPE_EPISODIC_METRIC_REPORT:
			return s.measure()
		case t2ipb.ReportType_REPORT_TYPE_EPISODIC_OPERATIONAL_STATE_REPORT:
			return s.blinkOperation()
		case t2ipb.ReportType_REPORT_TYPE_DESCRIPTION_MODIFICATION_REPORT:
			return s.rewordAny()
		case t2ipb.ReportType_REPORT_TYPE_SYSTEM_ERROR_REPORT:
			return s.cfg.Device.ReportSystemError(
				pm.CodedValue{Code: "t2iapi", CodingSystem: validator().Root}, pm.LocalizedText{Lang: "en", Text: "Asked for by a test; there is no error"})
		case t2ipb.ReportType_REPORT_TYPE_WAVEFORM_STREAM:
			return s.sample()
		case t2ipb.ReportType_REPORT_TYPE_OPERATION_INVOKED_REPORT:
			return s.invokeOperation(ctx)
		case t2ipb.ReportType_REPORT_TYPE_OBSERVED_VALUE_STREAM,
			t2ipb.ReportType_REPORT_TYPE_PERIODIC_ALERT_REPORT, t2ipb.ReportType_REPORT_TYPE_PERIODIC_COMPONENT_REPORT,
			t2ipb.ReportType_REPORT_TYPE_PERIODIC_CONTEXT_REPORT, t2ipb.ReportType_REPORT_TYPE_PERIODIC_METRIC_REPORT,
			t2ipb.ReportType_REPORT_TYPE_PERIODIC_OPERATIONAL_STATE_REPORT:
			return notSupported("periodic reports come by themselves where they are switched on, and so do observed values")
		}
		return errors.New("there is no such report")
	}), nil
}
