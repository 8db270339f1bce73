package main

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/simulators"
)

// silence is how long nothing may be heard of the monitor: its waveforms come ten times a second.
const silence = 3 * time.Second

// searchTime is how long one search for the monitor lasts.
const searchTime = 10 * time.Second

// monitorType is MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS.
const monitorType = "69965"

type watch func(ctx context.Context, f discovery.Filter) iter.Seq[discovery.Event]

// couple looks for the monitor of the place and calls tell with the reason against infusing whenever that changes; "" is none. It ends with ctx.
func couple(ctx context.Context, c *consumer.Consumer, watch watch, cfg config, tell func(reason string)) {
	last := "-"
	change := func(reason string) {
		if reason != last {
			last = reason
			tell(reason)
		}
	}
	change("no monitor in this place")
	filter := discovery.Filter{Types: discovery.DeviceTypes(), Scopes: []string{cfg.location.Scope().URI()}}
	for ctx.Err() == nil {
		if search(ctx, c, watch, filter, cfg, change) {
			change("the monitor is lost")
		}
	}
}

// search tries every device that is discovered within searchTime until one has been followed to its end. What is none of this place now may
// be later, so it is asked again with the next search.
func search(ctx context.Context, c *consumer.Consumer, watch watch, filter discovery.Filter, cfg config, change func(string)) bool {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	searching, stop := context.WithTimeout(ctx, searchTime)
	defer stop()
	tried := map[string]bool{}
	for e := range watch(searching, filter) {
		if e.Kind == discovery.Gone || len(e.Endpoint.XAddrs) == 0 || tried[e.Endpoint.EPR] && e.Kind != discovery.Changed {
			continue
		}
		tried[e.Endpoint.EPR] = true
		if follow(ctx, c, e.Endpoint, cfg, change) {
			return true
		}
	}
	return false
}

// follow follows a monitor until it is lost; false says that the device is none of this place.
func follow(ctx context.Context, c *consumer.Consumer, e discovery.Endpoint, cfg config, change func(string)) bool {
	dev, err := c.Connect(ctx, e)
	if err != nil {
		return false
	}
	defer dev.Close(context.WithoutCancel(ctx)) //nolint:errcheck // it may be gone
	if !belongs(dev.MDIB(), cfg) {
		return false
	}
	updates := make(chan consumer.Update)
	reading, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	wg.Go(func() {
		defer close(updates)
		for u, err := range dev.Updates(reading) {
			if err != nil {
				return
			}
			select {
			case updates <- u:
			case <-reading.Done():
				return
			}
		}
	})
	timer := time.NewTimer(silence)
	defer timer.Stop()
	for {
		select {
		case u, ok := <-updates:
			switch {
			case !ok:
				return true
			case u.Link.State != consumer.Live:
				change(fmt.Sprintf("the link to the monitor is %s", u.Link.State))
			case !belongs(u.Snapshot, cfg):
				return true // it has been moved
			default:
				change(reasonAgainst(u.Snapshot))
			}
			timer.Reset(silence)
		case <-timer.C:
			change("nothing is heard of the monitor")
		}
	}
}

// belongs tells whether a device is a monitor of the same place and ensemble.
func belongs(snap *mdib.Snapshot, cfg config) bool {
	here, together, monitor := false, false, false
	for e := range snap.Entities() {
		if d, ok := e.Descriptor.(*pm.MdsDescriptor); ok && d.Type != nil && d.Type.Code == monitorType {
			monitor = true
		}
		for _, s := range e.Contexts {
			if s.BaseContext().ContextAssociation != pm.ContextAssociationAssoc {
				continue
			}
			switch s := s.(type) {
			case *pm.LocationContextState:
				d := s.LocationDetail
				here = here || d != nil && cfg.location == sdc.LocationDetail{
					Facility: d.Facility, Building: d.Building, PoC: d.PoC, Floor: d.Floor, Room: d.Room, Bed: d.Bed,
				}
			case *pm.EnsembleContextState:
				together = together || slices.ContainsFunc(s.Identification, func(i pm.InstanceIdentifier) bool {
					return i.Root == simulators.EnsembleRoot && i.Extension == cfg.ensemble
				})
			}
		}
	}
	return monitor && here && together
}

// reasonAgainst names an alarm of high priority, or that alarms are not being watched.
func reasonAgainst(snap *mdib.Snapshot) string {
	for e := range snap.Entities() {
		switch s := e.State.(type) {
		case *pm.AlertSystemState:
			if s.ActivationState != pm.AlertActivationOn {
				return "the alarms of the monitor are off"
			}
		case pm.ConditionState:
			d, ok := e.Descriptor.(pm.ConditionDescriptor)
			if ok && s.BaseCondition().Presence && d.BaseCondition().Priority == pm.AlertConditionPriorityHi {
				return "alarm of the monitor: " + d.Base().Type.ConceptDescription[0].Text
			}
		}
	}
	return ""
}
