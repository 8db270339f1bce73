package sdc_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/sdc"
)

func TestServiceTable(t *testing.T) {
	elements, actions := map[string]bool{}, map[string]bool{}
	for _, s := range sdc.Services() {
		require.NotEmpty(t, s.Operations, s.Name)
		for _, o := range s.Operations {
			require.False(t, elements[o.Name], "element %s twice", o.Name)
			require.False(t, actions[o.Action], "action %s twice", o.Action)
			elements[o.Name], actions[o.Action] = true, true
			require.True(t, strings.HasPrefix(o.Action, sdc.NamespaceGlue+"/"+s.Name), o.Action)
			require.True(t, strings.HasSuffix(o.Action, "/"+o.Name), o.Action)
			if o.Notification {
				require.Empty(t, o.Input())
				require.Equal(t, o.Name, o.Output())
				require.Equal(t, o.Action, o.OutputAction())
				action, ok := sdc.NotificationAction(o.Name)
				require.True(t, ok)
				require.Equal(t, o.Action, action)
				require.Contains(t, s.Notifications(), o.Action)
			} else {
				require.Equal(t, o.Name, o.Input())
				require.Equal(t, o.Name+"Response", o.Output())
				require.Equal(t, o.Action+"Response", o.OutputAction())
			}
		}
		require.Equal(t, slices.ContainsFunc(s.Operations, func(o sdc.Operation) bool { return o.Notification }), s.EventSource())
	}
	require.Len(t, sdc.Services(), 9)
	_, ok := sdc.NotificationAction("GetMdib")
	require.False(t, ok, "a request is no notification")
	_, ok = sdc.ServiceByName("NoService")
	require.False(t, ok)
}

func TestServiceTableIsTheAnnex(t *testing.T) {
	// covers: SCO-5
	set, ok := sdc.ServiceByName(sdc.SetService)
	require.True(t, ok)
	context, ok := sdc.ServiceByName(sdc.ContextService)
	require.True(t, ok)
	names := func(s sdc.Service) []string {
		var out []string
		for _, o := range s.Operations {
			out = append(out, o.Name)
		}
		return out
	}
	require.ElementsMatch(t, []string{"SetValue", "SetString", "Activate", "SetAlertState", "SetComponentState", "SetMetricState", "OperationInvokedReport"}, names(set))
	require.ElementsMatch(t, []string{"GetContextStates", "SetContextState", "GetContextStatesByIdentification", "GetContextStatesByFilter", "EpisodicContextReport", "PeriodicContextReport"}, names(context))
}
