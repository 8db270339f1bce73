package pairtest

import (
	"bytes"
	"log/slog"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/audit"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/pki"
	"github.com/semeco/go-sdc/sdc/provider"
)

// locked is a buffer that several loggers write to.
type locked struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *locked) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestNoPatientDataInLogs: a patient comes, is read, changed by a consumer and refused, and neither log nor audit tells who it is.
func TestNoPatientDataInLogs(t *testing.T) {
	const name, id = "Mustermann-Secret", "4711-secret"
	log := &locked{}
	logger := slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s := setup{
		provider: func(c *provider.Config) {
			c.Logger, c.Audit, c.Policy, c.ApplyProposals = logger, audit.Log(logger), provider.AllowAll(), true
			c.ContextQueries = true
		},
		consumer: func(c *consumer.Config) { c.Logger = logger },
	}
	inTrust(t, pki.Request{}, pki.Request{}, s, func(t *testing.T, tr *trusting) {
		d := tr.connect(t)
		f := follow(t, d)
		defer f.stop()
		ids := []pm.InstanceIdentifier{{Root: "urn:hospital", Extension: id}}
		handle, err := tr.dev.AssociatePatient(provider.Context{Identification: ids}, &pm.PatientDemographicsCoreData{BaseDemographics: pm.BaseDemographics{Familyname: name}})
		require.NoError(t, err)
		u := f.next("the patient", version(tr.dev.MDIB().Version().MdibVersion))
		logger.Info("application", "update", u, "report", u.Report, "snapshot", u.Snapshot)
		_, err = d.GetContextStates(t.Context())
		require.NoError(t, err)
		_, err = d.GetContextStatesByIdentification(t.Context(), pm.Opt[pm.QName]{}, ids...)
		require.NoError(t, err)

		state, ok := mdib.Get[*pm.PatientContextState](d.MDIB(), handle)
		require.True(t, ok)
		require.Equal(t, name, state.CoreData.BaseCoreData().Familyname, "it did arrive")
		proposed := state.Clone()
		proposed.DescriptorHandle = "num"
		for _, op := range contextOperations(d.MDIB()) {
			_, err = d.SetContextState(t.Context(), op, proposed)
			require.Error(t, err)
			proposed.DescriptorHandle = state.DescriptorHandle
			_, err = d.SetContextState(t.Context(), op, proposed)
			logger.Info("application", "result", err)
		}
		require.NoError(t, d.Close(t.Context()))
	})
	require.Contains(t, log.String(), "level=DEBUG")
	require.Contains(t, log.String(), "msg=audit")
	require.NotContains(t, log.String(), name)
	require.NotContains(t, log.String(), id)
}

func contextOperations(snap *mdib.Snapshot) []string {
	var out []string
	for e := range snap.Entities() {
		if _, ok := e.Descriptor.(*pm.SetContextStateOperationDescriptor); ok {
			out = append(out, e.Handle)
		}
	}
	return out
}
