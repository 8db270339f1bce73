package interop

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
)

// pictureOf describes a snapshot as the peer describes its MDIB, so that the two
// can be compared: every descriptor and state with its versions and what it says.
func pictureOf(s *mdib.Snapshot) picture {
	p := picture{
		Version:     s.Version().MdibVersion,
		Sequence:    s.Version().SequenceID,
		Descriptors: map[string]descriptorImage{},
		States:      map[string]stateImage{},
	}
	for e := range s.Entities() {
		p.Descriptors[e.Handle] = descriptorImage{
			Type: e.Descriptor.TypeName().Local, Parent: e.Parent, Version: e.Descriptor.Base().DescriptorVersion,
		}
		if e.State != nil {
			p.States[e.Handle] = imageOf(e.State)
		}
		for c := range s.ContextStates(e.Handle) {
			image := imageOf(c)
			image.Association = string(c.BaseContext().ContextAssociationOrDefault())
			p.States[c.BaseContext().Handle] = image
		}
	}
	return p
}

func imageOf(s pm.State) stateImage {
	base := s.BaseState()
	out := stateImage{
		Type: s.TypeName().Local, Descriptor: base.DescriptorHandle,
		Version: base.StateVersion, DescriptorVersion: base.DescriptorVersion,
	}
	switch s := s.(type) {
	case pm.MetricState:
		out.ActivationState = string(s.BaseMetric().ActivationStateOrDefault())
	case pm.ComponentState:
		out.ActivationState = string(s.BaseComponent().ActivationStateOrDefault())
	case pm.AlertState:
		out.ActivationState = string(s.BaseAlert().ActivationState)
	case pm.OperationState:
		out.OperatingMode = string(s.BaseOperation().OperatingMode)
	}
	switch s := s.(type) {
	case *pm.MdsState:
		out.OperatingMode = string(s.OperatingModeOrDefault())
	case *pm.AlertSignalState:
		out.Presence = string(s.PresenceOrDefault())
	case pm.ConditionState:
		out.Presence = map[bool]string{false: "False", true: "True"}[s.BaseCondition().Presence] // as the peer writes it
	case *pm.NumericMetricState:
		if s.MetricValue != nil {
			if v, ok := s.MetricValue.Value.Get(); ok {
				out.Value = plain(v)
			}
		}
	case *pm.StringMetricState:
		out.Value = text(s.MetricValue)
	case *pm.EnumStringMetricState:
		out.Value = text(s.MetricValue)
	case *pm.RealTimeSampleArrayMetricState:
		if s.MetricValue != nil {
			for _, v := range s.MetricValue.Samples {
				out.Samples = append(out.Samples, plain(v))
			}
		}
	}
	return out
}

func text(v *pm.StringMetricValue) string {
	if v == nil {
		return ""
	}
	return v.Value.Or("")
}

// requireSame compares two pictures handle by handle.
func requireSame(t *testing.T, ours, theirs picture) {
	t.Helper()
	require.Equal(t, ours.Version, theirs.Version, "MDIB version")
	require.Equal(t, ours.Sequence, theirs.Sequence, "sequence id")
	require.Equal(t, slices.Sorted(maps.Keys(ours.Descriptors)), slices.Sorted(maps.Keys(theirs.Descriptors)), "handles of descriptors")
	for handle, d := range ours.Descriptors {
		require.Equal(t, d, theirs.Descriptors[handle], "descriptor %s", handle)
	}
	require.Equal(t, slices.Sorted(maps.Keys(ours.States)), slices.Sorted(maps.Keys(theirs.States)), "handles of states")
	for handle, s := range ours.States {
		require.Equal(t, s, theirs.States[handle], "state %s", handle)
	}
}

// plain is a number without trailing zeros.
func plain(d pm.Decimal) string {
	s := d.String()
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}
