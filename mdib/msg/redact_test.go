package msg_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
)

// TestPersonsDoNotGetIntoLogs: whatever is printed or logged, and how, nothing of a person is in it.
func TestPersonsDoNotGetIntoLogs(t *testing.T) {
	const name, id = "Mustermann-Secret", "4711-secret"
	ids := []pm.InstanceIdentifier{{Root: "urn:hospital", Extension: id}}
	base := pm.BaseDemographics{Givenname: name, Familyname: name}
	core := &pm.PatientDemographicsCoreData{BaseDemographics: base}
	patient := &pm.PatientContextState{CoreData: core}
	patient.Identification, patient.Handle = ids, "pat.1"
	operator := &pm.OperatorContextState{OperatorDetails: &base}
	operator.Identification = ids
	mother := pm.PersonReference{Identification: ids, Name: &base}
	neonate := &pm.NeonatalPatientDemographicsCoreData{PatientDemographicsCoreData: *core, Mother: &mother}
	workflow := &pm.WorkflowContextState{WorkflowDetail: &pm.WorkflowDetail{Patient: mother}}
	workflow.Identification = ids
	states := []pm.ContextState{patient, operator, workflow}
	report := &msg.EpisodicContextReport{}
	report.ReportPart = []msg.ContextReportPart{{ContextState: states}}
	answer := &msg.GetMdibResponse{}
	answer.Mdib.MdState = &pm.MdState{State: []pm.State{patient, operator}}

	for _, v := range []any{
		patient, *patient, operator, workflow, core, *core, neonate, *neonate, base, mother, states, report, *report, answer, answer.Mdib, *answer.Mdib.MdState,
		&msg.SetContextState{ProposedContextState: states}, &msg.GetContextStatesResponse{ContextState: states},
		&msg.GetContextStatesByIdentification{Identification: ids}, struct{ P pm.PatientCoreData }{core}, map[string]any{"x": patient}, fmt.Errorf("of %v", patient),
	} {
		var log bytes.Buffer
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			fmt.Fprintf(&log, verb+"\n", v)
		}
		slog.New(slog.NewTextHandler(&log, nil)).Info("text", "value", v)
		require.NotContains(t, log.String(), name, "%T", v)
		require.NotContains(t, log.String(), id, "%T", v)
		require.NotContains(t, log.String(), fmt.Sprintf("%x", name), "%T", v)
	}
	for _, v := range []any{patient, operator, workflow, core, neonate, base, mother, report, answer, answer.Mdib} {
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("json", "value", v)
		require.NotContains(t, log.String(), name, "%T", v)
		require.NotContains(t, log.String(), id, "%T", v)
	}
	require.Contains(t, fmt.Sprint(patient), "pat.1", "it can still be told from others")
}
