package mdib

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/testkit/reftest"
	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
)

// TestSampleFiles: every sample MDIB of other implementations loads, survives being written and read, and starts a store.
func TestSampleFiles(t *testing.T) {
	// covers: SDPi R0701
	for _, file := range reftest.Samples(t, "mdibs/sdc*.xml") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			all := msg.Options{Understands: func(pm.QName) bool { return true }}
			s, err := ReadFileWith(file, all)
			require.NoError(t, err)
			require.Positive(t, s.Len())
			for e := range s.Entities() {
				require.True(t, e.State != nil || isContext(e.Descriptor), "%s has a state", e.Handle)
				mds, ok := s.MDSOf(e.Handle)
				require.True(t, ok)
				require.Contains(t, slices.Collect(s.Roots()), mds)
			}
			var b bytes.Buffer
			require.NoError(t, s.Write(&b))
			again, err := ReadWith(&b, all)
			require.NoError(t, err)
			require.True(t, s.Equal(again))
			require.Equal(t, s.DescriptionVersion(), again.DescriptionVersion())
			require.Equal(t, s.StateVersion(), again.StateVersion())
			require.True(t, s.Mdib().Equal(again.Mdib()), "extensions too")
			for _, f := range Validate(s) {
				t.Log(f)
			}
			NewStore(s, Config{})
		})
	}
}

// TestRecordedSession replays what an independent provider sent: its MDIB, and one report of each kind. The recording leaves versions out, so gaps are not looked for.
func TestRecordedSession(t *testing.T) {
	m := NewMirror(MirrorConfig{})
	var reports []msg.Report
	for _, rec := range reftest.Wire(t) {
		message := envelope(t, rec.XML)
		switch r := message.(type) {
		case *msg.GetMdibResponse:
			_, err := m.Reset(r)
			require.NoError(t, err)
		case msg.Report:
			reports = append(reports, r)
		}
	}
	require.Len(t, reports, 17)
	slices.SortStableFunc(reports, func(a, b msg.Report) int { return int(a.Version().MdibVersion) - int(b.Version().MdibVersion) })
	kinds := map[Kind]int{}
	for _, r := range reports {
		before := m.Load()
		c, err := m.Apply(r)
		require.NoError(t, err, "%s of version %d", r.BodyName().Local, r.Version().MdibVersion)
		require.Same(t, r, c.Report())
		kinds[c.Kind]++
		if c.Kind == KindDescription {
			require.NotEmpty(t, c.Descriptors)
			require.NotEqual(t, before.Len(), 0)
		}
		for _, n := range c.Notes {
			t.Log(r.BodyName().Local, r.Version().MdibVersion, n)
		}
	}
	require.Len(t, kinds, 8, "%v", kinds)
	require.EqualValues(t, 144, m.Load().Version().MdibVersion)
	_, err := FromMdib(m.Load().Mdib())
	require.NoError(t, err, "the structure is still sound")
}

// envelope returns the message in the body of a SOAP envelope, nil if there is none.
func envelope(t *testing.T, doc []byte) msg.Message {
	t.Helper()
	if !bytes.Contains(doc, []byte("Envelope")) {
		return nil
	}
	s := xmlscan.NewScanner(doc, xmlscan.Limits{})
	if s.Root() != nil {
		return nil // recorded faults hold broken XML
	}
	for s.Child() {
		if s.Name().Local != "Body" {
			if s.Skip() != nil {
				return nil
			}
			continue
		}
		for s.Child() {
			if s.Name().Space != msg.Namespace || !strings.Contains(s.Name().Local, "Report") && s.Name().Local != "GetMdibResponse" && s.Name().Local != "WaveformStream" {
				return nil
			}
			m, err := msg.Decode(s)
			require.NoError(t, err)
			return m
		}
	}
	return nil
}

// TestReportsAreValid: what the store makes is valid against the schemas: the whole MDIB with initial states, and a report of each kind.
func TestReportsAreValid(t *testing.T) {
	st, _ := newStore(t)
	docs := map[string][]byte{"initial": st.Load().Response().AppendXML(nil)}
	for name, fn := range map[string]func(*Tx) error{
		"metric": setHR("70.50", t0),
		"clear":  func(tx *Tx) error { return tx.ClearValue("spo2", "NA", t0) },
		"text":   func(tx *Tx) error { return tx.SetString("mode", "a", t0) },
		"waveform": func(tx *Tx) error {
			return tx.SetSamples("ecg", pm.Samples{pm.MustDecimal("0.5"), pm.MustDecimal("-1")}, t0)
		},
		"alert":       func(tx *Tx) error { return tx.SetPresence("limit", true) },
		"component":   func(tx *Tx) error { return tx.SetActivation("vmd", pm.ComponentActivationStndBy) },
		"operational": func(tx *Tx) error { return tx.SetOperatingMode("set", pm.OperatingModeDis) },
		"context": func(tx *Tx) error {
			s, err := NewContext[*pm.PatientContextState](tx, "pat")
			s.ContextAssociation = pm.ContextAssociationAssoc
			return err
		},
		"insert": func(tx *Tx) error { return tx.Insert("", mds("new.")) },
		"delete": func(tx *Tx) error { return tx.Delete("b.mds") },
		"update": func(tx *Tx) error {
			d, err := tx.EditDescriptor("vmd2")
			d.Base().SafetyClassification = pm.SafetyClassificationMedA
			return err
		},
	} {
		docs[name] = commit(t, st, fn).Report().AppendXML(nil)
	}
	docs["whole"] = st.Load().Response().AppendXML(nil)
	reftest.Validate(t, docs)
}
