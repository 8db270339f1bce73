package mdib

import "github.com/semeco/go-sdc/mdib/pm"

// detach returns a copy of the descriptor without its child descriptors, and the children in the order of the schema. The
// descriptor passed in is left as it is; the copy shares with it what is behind pointers.
func detach(d pm.Descriptor) (pm.Descriptor, []pm.Descriptor) {
	var kids []pm.Descriptor
	d = pm.ShallowDescriptor(d)
	switch d := d.(type) {
	case *pm.MdsDescriptor:
		kids = takeComplex(kids, &d.AbstractComplexDeviceComponentDescriptor)
		kids = takeOne(kids, &d.SystemContext)
		kids = takeOne(kids, &d.Clock)
		kids = takeAll(kids, &d.Battery)
		kids = takeAll(kids, &d.Vmd)
	case *pm.VmdDescriptor:
		kids = takeComplex(kids, &d.AbstractComplexDeviceComponentDescriptor)
		kids = takeAll(kids, &d.Channel)
	case *pm.ChannelDescriptor:
		kids = takeAll(kids, &d.Metric)
	case *pm.AlertSystemDescriptor:
		kids = takeAll(kids, &d.AlertCondition)
		kids = takeAll(kids, &d.AlertSignal)
	case *pm.ScoDescriptor:
		kids = takeAll(kids, &d.Operation)
	case *pm.SystemContextDescriptor:
		kids = takeOne(kids, &d.PatientContext)
		kids = takeOne(kids, &d.LocationContext)
		kids = takeAll(kids, &d.EnsembleContext)
		kids = takeAll(kids, &d.OperatorContext)
		kids = takeAll(kids, &d.WorkflowContext)
		kids = takeAll(kids, &d.MeansContext)
	}
	return d, kids
}

func takeComplex(kids []pm.Descriptor, c *pm.AbstractComplexDeviceComponentDescriptor) []pm.Descriptor {
	return takeOne(takeOne(kids, &c.AlertSystem), &c.Sco)
}

// child is a pointer to a descriptor type.
type child[T any] interface {
	*T
	pm.Descriptor
}

func takeOne[T any, P child[T]](kids []pm.Descriptor, place *P) []pm.Descriptor {
	if *place != nil {
		kids = append(kids, *place)
		*place = nil
	}
	return kids
}

func takeAll[D pm.Descriptor](kids []pm.Descriptor, list *[]D) []pm.Descriptor {
	for _, d := range *list {
		if !pm.IsNil(d) {
			kids = append(kids, d)
		}
	}
	*list = nil
	return kids
}

// attach puts a child into a parent. It reports false where the schema has no place for it, or only one that is taken.
func attach(parent, child pm.Descriptor) bool {
	switch p := parent.(type) {
	case *pm.MdsDescriptor:
		switch c := child.(type) {
		case *pm.AlertSystemDescriptor:
			return putOne(&p.AlertSystem, c)
		case *pm.ScoDescriptor:
			return putOne(&p.Sco, c)
		case *pm.SystemContextDescriptor:
			return putOne(&p.SystemContext, c)
		case *pm.ClockDescriptor:
			return putOne(&p.Clock, c)
		case *pm.BatteryDescriptor:
			return put(&p.Battery, c)
		case *pm.VmdDescriptor:
			return put(&p.Vmd, c)
		}
	case *pm.VmdDescriptor:
		switch c := child.(type) {
		case *pm.AlertSystemDescriptor:
			return putOne(&p.AlertSystem, c)
		case *pm.ScoDescriptor:
			return putOne(&p.Sco, c)
		case *pm.ChannelDescriptor:
			return put(&p.Channel, c)
		}
	case *pm.ChannelDescriptor:
		if c, ok := child.(pm.MetricDescriptor); ok {
			return put(&p.Metric, c)
		}
	case *pm.AlertSystemDescriptor:
		switch c := child.(type) {
		case pm.ConditionDescriptor:
			return put(&p.AlertCondition, c)
		case *pm.AlertSignalDescriptor:
			return put(&p.AlertSignal, c)
		}
	case *pm.ScoDescriptor:
		if c, ok := child.(pm.OperationDescriptor); ok {
			return put(&p.Operation, c)
		}
	case *pm.SystemContextDescriptor:
		switch c := child.(type) {
		case *pm.PatientContextDescriptor:
			return putOne(&p.PatientContext, c)
		case *pm.LocationContextDescriptor:
			return putOne(&p.LocationContext, c)
		case *pm.EnsembleContextDescriptor:
			return put(&p.EnsembleContext, c)
		case *pm.OperatorContextDescriptor:
			return put(&p.OperatorContext, c)
		case *pm.WorkflowContextDescriptor:
			return put(&p.WorkflowContext, c)
		case *pm.MeansContextDescriptor:
			return put(&p.MeansContext, c)
		}
	}
	return false
}

func putOne[T any](place **T, child *T) bool {
	if *place != nil {
		return false
	}
	*place = child
	return true
}

func put[T any](list *[]T, child T) bool {
	*list = append(*list, child)
	return true
}

// slot tells where the schema puts a child below its parent and whether only one may be there (BICEPS tree rules). Slots
// rise with the order of the elements, so that children inserted later stand where the schema wants them. -1: the parent cannot have such a child.
// A nil parent is the MDIB itself.
func slot(parent, child pm.Descriptor) (place int, only bool) {
	switch parent.(type) {
	case nil:
		if _, ok := child.(*pm.MdsDescriptor); ok {
			return 0, false
		}
	case *pm.MdsDescriptor:
		switch child.(type) {
		case *pm.AlertSystemDescriptor:
			return 0, true
		case *pm.ScoDescriptor:
			return 1, true
		case *pm.SystemContextDescriptor:
			return 2, true
		case *pm.ClockDescriptor:
			return 3, true
		case *pm.BatteryDescriptor:
			return 4, false
		case *pm.VmdDescriptor:
			return 5, false
		}
	case *pm.VmdDescriptor:
		switch child.(type) {
		case *pm.AlertSystemDescriptor:
			return 0, true
		case *pm.ScoDescriptor:
			return 1, true
		case *pm.ChannelDescriptor:
			return 2, false
		}
	case *pm.ChannelDescriptor:
		if _, ok := child.(pm.MetricDescriptor); ok {
			return 0, false
		}
	case *pm.AlertSystemDescriptor:
		switch child.(type) {
		case pm.ConditionDescriptor:
			return 0, false
		case *pm.AlertSignalDescriptor:
			return 1, false
		}
	case *pm.ScoDescriptor:
		if _, ok := child.(pm.OperationDescriptor); ok {
			return 0, false
		}
	case *pm.SystemContextDescriptor:
		switch child.(type) {
		case *pm.PatientContextDescriptor:
			return 0, true
		case *pm.LocationContextDescriptor:
			return 1, true
		case *pm.EnsembleContextDescriptor:
			return 2, false
		case *pm.OperatorContextDescriptor:
			return 3, false
		case *pm.WorkflowContextDescriptor:
			return 4, false
		case *pm.MeansContextDescriptor:
			return 5, false
		}
	}
	return -1, false
}
