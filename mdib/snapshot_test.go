package mdib

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
)

func TestNavigation(t *testing.T) {
	st, _ := newStore(t)
	context := associate(t, st, "pat")
	s := st.Load()
	require.Equal(t, []string{"mds", "b.mds"}, slices.Collect(s.Roots()))
	require.Equal(t, []string{"alerts", "sco", "ctx", "clock", "battery", "vmd", "vmd2"}, slices.Collect(s.Children("mds")))
	require.Equal(t, []string{"tec", "limit", "sig"}, slices.Collect(s.Children("alerts")))
	require.Empty(t, slices.Collect(s.Children("hr")))
	require.Empty(t, slices.Collect(s.Children("nobody")))
	for handle, want := range map[string]struct{ parent, mds string }{
		"mds": {"", "mds"}, "vmd": {"mds", "mds"}, "hr": {"chan", "mds"}, "b.hr": {"b.chan", "b.mds"}, context: {"pat", "mds"},
	} {
		parent, ok := s.Parent(handle)
		require.True(t, ok)
		require.Equal(t, want.parent, parent)
		mds, ok := s.MDSOf(handle)
		require.True(t, ok)
		require.Equal(t, want.mds, mds)
	}
	_, ok := s.Parent("nobody")
	require.False(t, ok)
	_, ok = s.MDSOf("nobody")
	require.False(t, ok)

	// Parents come before children, and everything once.
	seen := map[string]int{}
	for e := range s.Entities() {
		require.NotContains(t, seen, e.Handle)
		seen[e.Handle] = e.Depth
		if e.Parent == "" {
			require.Zero(t, e.Depth)
		} else {
			require.Equal(t, seen[e.Parent]+1, e.Depth)
		}
		single, ok := s.Entity(e.Handle)
		require.True(t, ok)
		require.Equal(t, e, single)
		if e.Handle == "pat" {
			require.Len(t, e.Contexts, 1)
			require.Nil(t, e.State)
		}
	}
	require.Len(t, seen, s.Len())
	_, ok = s.Entity("nobody")
	require.False(t, ok)
	var below []string
	for e := range s.Subtree("waves") {
		below = append(below, e.Handle)
	}
	require.Equal(t, []string{"waves", "ecg", "pleth"}, below)
	for range s.Subtree("nobody") {
		t.Fatal("nothing there")
	}
	n := 0
	for range s.Entities() {
		if n++; n == 3 {
			break
		}
	}
	for range s.ContextStates("pat") {
		break
	}
	for range s.ContextStates("nobody") {
		t.Fatal("nothing there")
	}
}

func TestTypedLookup(t *testing.T) {
	st, _ := newStore(t)
	context := associate(t, st, "pat")
	s := st.Load()
	_, ok := Get[*pm.NumericMetricState](s, "hr")
	require.True(t, ok)
	_, ok = Get[*pm.NumericMetricDescriptor](s, "hr")
	require.True(t, ok)
	_, ok = Get[pm.MetricDescriptor](s, "hr")
	require.True(t, ok)
	_, ok = Get[*pm.StringMetricState](s, "hr")
	require.False(t, ok)
	_, ok = Get[*pm.PatientContextState](s, context)
	require.True(t, ok)
	_, ok = Get[*pm.PatientContextDescriptor](s, "pat")
	require.True(t, ok)
	_, ok = Get[pm.State](s, "pat")
	require.False(t, ok, "a context descriptor has no state of its handle")
	_, ok = Get[pm.State](s, "nobody")
	require.False(t, ok)
}

// TestTreeForm: descriptors are flat in a snapshot and whole in the tree form; the trees handed in and out are not tied to the snapshot.
func TestTreeForm(t *testing.T) {
	// covers: BICEPS R0021, SDPi R7002
	st, _ := newStore(t)
	context := associate(t, st, "loc")
	s := st.Load()
	d := descriptor(t, s, "mds").(*pm.MdsDescriptor)
	require.Nil(t, d.AlertSystem)
	require.Empty(t, d.Vmd)
	tree, ok := s.Tree("mds")
	require.True(t, ok)
	require.True(t, pm.EqualDescriptor(mds(""), tree))
	leaf, ok := s.Tree("hr")
	require.True(t, ok)
	require.True(t, pm.EqualDescriptor(numeric("hr"), leaf))
	_, ok = s.Tree("nobody")
	require.False(t, ok)

	m := s.Mdib()
	require.Len(t, m.MdDescription.Mds, 2)
	require.Len(t, m.MdState.State, s.NumStates())
	require.True(t, slices.ContainsFunc(m.MdState.State, func(s pm.State) bool { return pm.HandleOf(s) == context }))
	m.MdDescription.Mds[0].Vmd = nil
	m.MdState.State = nil
	again, _ := s.Tree("mds")
	require.True(t, pm.EqualDescriptor(mds(""), again))

	whole := mds("x.")
	from, err := FromMdib(&pm.Mdib{MdDescription: &pm.MdDescription{Mds: []*pm.MdsDescriptor{whole, nil}}})
	require.NoError(t, err)
	require.Len(t, whole.Vmd, 2, "what was handed in stays whole")
	require.Equal(t, 25, from.Len())
	empty, err := FromMdib(&pm.Mdib{})
	require.NoError(t, err)
	require.Zero(t, empty.Len())
	require.NotNil(t, empty.Mdib().MdDescription)
}

func TestInitialStates(t *testing.T) {
	// covers: BICEPS implied values
	s := fixture(t)
	for e := range s.Entities() {
		if isContext(e.Descriptor) {
			require.Nil(t, InitialState(e.Descriptor))
			require.Empty(t, e.Contexts)
			continue
		}
		require.True(t, pm.Pairs(e.Descriptor, e.State), e.Handle)
	}
	limit := state[*pm.LimitAlertConditionState](t, s, "limit")
	require.Equal(t, pm.AlertActivationOn, limit.ActivationState)
	require.False(t, limit.Presence)
	require.Equal(t, "220", limit.Limits.Upper.Or(pm.Decimal{}).String())
	require.Equal(t, pm.OperatingModeEn, state[*pm.SetValueOperationState](t, s, "set").OperatingMode)
	require.Equal(t, pm.ComponentActivationOn, state[*pm.VmdState](t, s, "vmd").ActivationStateOrDefault())
	require.Nil(t, state[*pm.NumericMetricState](t, s, "hr").MetricValue)
	require.Empty(t, errorsOnly(Validate(s)))
}

func TestBrokenMdibs(t *testing.T) {
	// covers: BICEPS R0007_0, BICEPS R0105_0, BICEPS R0023, BICEPS R0097, BICEPS tree rules
	build := func(states []pm.State, mdss ...*pm.MdsDescriptor) *pm.Mdib {
		return &pm.Mdib{MdDescription: &pm.MdDescription{Mds: mdss}, MdState: &pm.MdState{State: states}}
	}
	context := func(handle, descriptor string) pm.State {
		s := &pm.PatientContextState{}
		s.Handle, s.DescriptorHandle = handle, descriptor
		return s
	}
	metricOf := func(descriptor string) pm.State {
		s := &pm.NumericMetricState{}
		s.DescriptorHandle = descriptor
		return s
	}
	dup := mds("")
	dup.Vmd[1].Handle = "hr"
	for name, tc := range map[string]struct {
		m          *pm.Mdib
		id, handle string
	}{
		"descriptor handle twice":   {build(nil, mds(""), mds("")), "BICEPS R0007_0", "mds"},
		"within one MDS":            {build(nil, dup), "BICEPS R0007_0", "hr"},
		"context state twice":       {build([]pm.State{context("p", "pat"), context("p", "pat")}, mds("")), "BICEPS R0007_0", "p"},
		"state named as descriptor": {build([]pm.State{context("hr", "pat")}, mds("")), "BICEPS R0007_0", "hr"},
		"two states":                {build([]pm.State{metricOf("hr"), metricOf("hr")}, mds("")), "BICEPS R0023", "hr"},
		"state of nobody":           {build([]pm.State{metricOf("nobody")}, mds("")), "BICEPS R0023", "nobody"},
		"state of another type":     {build([]pm.State{metricOf("ecg")}, mds("")), "BICEPS R0023", "ecg"},
		"single state of a context": {build([]pm.State{metricOf("pat")}, mds("")), "BICEPS R0023", "pat"},
		"context of a metric":       {build([]pm.State{context("p", "hr")}, mds("")), "BICEPS R0023", "p"},
		"blank":                     {build(nil, mds("a b")), "BICEPS R0105_0", "a bmds"},
		"control character":         {build([]pm.State{context("p\x7f", "pat")}, mds("")), "BICEPS R0105_0", "p\x7f"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := FromMdib(tc.m)
			var rule *RuleError
			require.ErrorAs(t, err, &rule)
			require.Equal(t, tc.id, rule.ID)
			require.Equal(t, tc.handle, rule.Handle)
			require.ErrorContains(t, err, tc.id)
		})
	}
	_, err := FromMdib(build([]pm.State{metricOf("nobody"), metricOf("neither")}, mds("")))
	require.ErrorContains(t, err, "nobody")
	require.ErrorContains(t, err, "neither", "several faults are told at once")
	require.ErrorIs(t, err, ErrUnknownHandle)
	many := make([]pm.State, 1000)
	for i := range many {
		many[i] = metricOf(strings.Repeat("x", 1000+i))
	}
	_, err = FromMdib(build(many, mds("")))
	require.Less(t, len(err.Error()), 10_000, "but not without end")
}

func TestFiles(t *testing.T) {
	st, _ := newStore(t)
	associate(t, st, "pat")
	commit(t, st, setHR("72.50", t0))
	s := st.Load()
	path := filepath.Join(t.TempDir(), "mdib.xml")
	require.NoError(t, s.WriteFile(path))
	require.NoError(t, s.WriteFile(path), "replaces")
	again, err := ReadFile(path)
	require.NoError(t, err)
	require.True(t, s.Equal(again))
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, entries, 1, "nothing left behind")

	// All roots that stand for an MDIB are understood.
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	begin, end := bytes.Index(whole, []byte("<msg:Mdib ")), bytes.LastIndex(whole, []byte("</msg:GetMdibResponse>"))
	require.Positive(t, begin)
	for _, prefix := range []string{"msg", "pm"} {
		doc := bytes.ReplaceAll(whole[begin:end], []byte("<msg:Mdib "), []byte("<"+prefix+`:Mdib xmlns:msg="http://standards.ieee.org/downloads/11073/11073-10207-2017/message" xmlns:pm="http://standards.ieee.org/downloads/11073/11073-10207-2017/participant" xmlns:ext="http://standards.ieee.org/downloads/11073/11073-10207-2017/extension" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" `))
		doc = bytes.ReplaceAll(doc, []byte("</msg:Mdib>"), []byte("</"+prefix+":Mdib>"))
		again, err := Read(bytes.NewReader(doc))
		require.NoError(t, err)
		require.True(t, s.Equal(again))
	}

	for name, doc := range map[string]string{
		"empty":   "",
		"broken":  "<a",
		"no MDIB": string((&msg.GetMdib{}).AppendXML(nil)),
		"unsound": strings.ReplaceAll(string(whole), `Handle="spo2"`, `Handle="hr"`),
	} {
		_, err := Read(strings.NewReader(doc))
		require.ErrorContains(t, err, "reading MDIB", name)
	}
	_, err = ReadWith(bytes.NewReader(whole), msg.Options{Limits: xmlscan.Limits{MaxBytes: 100}})
	require.ErrorContains(t, err, "more than 100 bytes")
	_, err = Read(failing{})
	require.ErrorIs(t, err, errFails)
	require.ErrorIs(t, s.Write(failing{}), errFails)
	_, err = ReadFile(filepath.Join(t.TempDir(), "nothing.xml"))
	require.ErrorIs(t, err, os.ErrNotExist)
	require.Error(t, s.WriteFile(filepath.Join(t.TempDir(), "no", "folder.xml")))
	bad := filepath.Join(t.TempDir(), "bad.xml")
	require.NoError(t, os.WriteFile(bad, []byte("<a/>"), 0o600))
	_, err = ReadFile(bad)
	require.ErrorContains(t, err, "bad.xml")
}

var errFails = errors.New("fails")

type failing struct{}

func (failing) Read([]byte) (int, error)  { return 0, errFails }
func (failing) Write([]byte) (int, error) { return 0, errFails }

func TestEqual(t *testing.T) {
	a := fixture(t)
	require.True(t, a.Equal(fixture(t)))
	st := NewStore(a, Config{KeepVersion: true})
	require.True(t, a.Equal(st.Load()))
	for name, fn := range map[string]func(*Tx) error{
		"state":   setHR("1", t0),
		"deleted": func(tx *Tx) error { return tx.Delete("vmd2") },
		"context": func(tx *Tx) error { _, err := tx.NewContextState("pat"); return err },
		"descriptor": func(tx *Tx) error {
			d, err := tx.EditDescriptor("hr")
			d.Base().Type = nil
			return err
		},
	} {
		st := NewStore(a, Config{KeepVersion: true})
		commit(t, st, fn)
		require.False(t, a.ContentEqual(st.Load()), name)
		require.False(t, a.Equal(st.Load()), name)
	}
}

// TestCommitDoesNotGrow: what a commit allocates grows with the logarithm of the MDIB.
func TestCommitDoesNotGrow(t *testing.T) {
	cost := func(n int, fn func(*Store)) float64 {
		st := NewStore(sized(t, n), Config{})
		return testing.AllocsPerRun(50, func() { fn(st) })
	}
	i := int64(0)
	metric := func(st *Store) {
		i++
		commit(t, st, func(tx *Tx) error { return tx.SetNumeric("m7", pm.NewDecimal(i, 0), t0) })
	}
	insert := func(st *Store) {
		commit(t, st, func(tx *Tx) error { return tx.Insert("chan", numeric("new")) })
		commit(t, st, func(tx *Tx) error { return tx.Delete("new") })
	}
	for name, fn := range map[string]func(*Store){"metric": metric, "insert": insert} {
		small, big := cost(100, fn), cost(10_000, fn)
		require.Less(t, big, 2*small, "%s: %v for 100, %v for 10 000", name, small, big)
	}
}
