package history_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/history"
	"github.com/semeco/go-sdc/mdib/pm"
)

func at(seconds int) time.Time { return time.Unix(1_700_000_000+int64(seconds), 0) }

// device is an MDIB with one number "n", one waveform "w" and a patient context "pat".
func device(t *testing.T) *mdib.Store {
	t.Helper()
	n, w := &pm.NumericMetricDescriptor{}, &pm.RealTimeSampleArrayMetricDescriptor{}
	n.Handle, w.Handle = "n", "w"
	ch := &pm.ChannelDescriptor{Metric: []pm.MetricDescriptor{n, w}}
	ch.Handle = "ch"
	vmd := &pm.VmdDescriptor{Channel: []*pm.ChannelDescriptor{ch}}
	vmd.Handle = "vmd"
	sys := &pm.SystemContextDescriptor{PatientContext: &pm.PatientContextDescriptor{}}
	sys.Handle, sys.PatientContext.Handle = "sys", "pat"
	mds := &pm.MdsDescriptor{Vmd: []*pm.VmdDescriptor{vmd}, SystemContext: sys}
	mds.Handle = "mds"
	snap, err := mdib.FromMdib(&pm.Mdib{MdDescription: &pm.MdDescription{Mds: []*pm.MdsDescriptor{mds}}})
	require.NoError(t, err)
	return mdib.NewStore(snap, mdib.Config{})
}

func update(t *testing.T, s *mdib.Store, fn func(*mdib.Tx) error) *mdib.Change {
	t.Helper()
	c, err := s.Update(fn)
	require.NoError(t, err)
	require.NotNil(t, c)
	return c
}

func number(v int) func(*mdib.Tx) error {
	return func(tx *mdib.Tx) error { return tx.SetNumeric("n", pm.MustDecimal(fmt.Sprint(v)), time.Now()) }
}

func TestRevisions(t *testing.T) {
	s := device(t)
	l := history.New(s.Load(), at(0), history.Config{})
	l.Append(update(t, s, number(1)), at(10))
	l.Append(update(t, s, number(2)), at(20))
	l.Append(update(t, s, func(tx *mdib.Tx) error {
		c, err := mdib.NewContext[*pm.PatientContextState](tx, "pat")
		c.ContextAssociation = pm.ContextAssociationAssoc
		return err
	}), at(30))
	l.Append(update(t, s, func(tx *mdib.Tx) error { return tx.Delete("n") }), at(40))
	l.Append(update(t, s, func(tx *mdib.Tx) error { return tx.Delete("mds") }), at(50))

	v := l.View(at(60))
	var states, descriptors []string
	show := func(r history.Revision) string {
		until := "now"
		if !r.Until.IsZero() {
			until = fmt.Sprint(int(r.Until.Sub(at(0)).Seconds()))
		}
		return fmt.Sprintf("%d-%s", int(r.From.Sub(at(0)).Seconds()), until)
	}
	for r := range v.States() {
		switch x := r.State.(type) {
		case *pm.NumericMetricState:
			value := "none"
			if x.MetricValue != nil {
				value = x.MetricValue.Value.Or(pm.Decimal{}).String()
			}
			states = append(states, show(r)+" "+value)
		case *pm.PatientContextState:
			states = append(states, show(r)+" patient")
		}
	}
	require.Equal(t, []string{"0-10 none", "10-20 1", "20-40 2", "30-50 patient"}, states)
	for r := range v.Descriptors() {
		if r.Handle == "n" || r.Handle == "ch" {
			descriptors = append(descriptors, fmt.Sprintf("%s %s %d", show(r), r.Handle, r.Descriptor.Base().DescriptorVersion))
		}
	}
	require.Equal(t, []string{"0-40 ch 0", "0-40 n 0", "40-50 ch 1"}, descriptors)

	none := time.Time{}
	r := history.Revision{From: at(10), Until: at(20)}
	for _, c := range []struct {
		start, end time.Time
		want       bool
	}{
		{none, none, true}, {none, at(9), false}, {none, at(10), true}, {at(20), none, false}, {at(19), none, true}, {at(0), at(30), true}, {at(12), at(13), true},
	} {
		require.Equal(t, c.want, r.In(c.start, c.end), "%v %v", c.start, c.end)
	}
}

func TestRetention(t *testing.T) {
	s := device(t)
	l := history.New(s.Load(), at(0), history.Config{MaxChanges: 10, MaxAge: 100 * time.Second})
	for i := range 25 {
		l.Append(update(t, s, number(i)), at(i))
	}
	v := l.View(at(25))
	require.Len(t, v.Entries, 10)
	require.Equal(t, at(14), v.Start)
	require.Same(t, v.Base, v.Entries[0].Change.Before, "the base is what the first entry changed")
	for i := range v.Entries[1:] {
		require.Same(t, v.Entries[i].Change.After, v.Entries[i+1].Change.Before)
	}
	aged := l.View(at(120))
	require.Len(t, aged.Entries, 5)
	require.Len(t, v.Entries, 10, "a view does not change")
	require.NotNil(t, v.Entries[0].Change)
	require.Empty(t, l.View(at(1000)).Entries)
	require.Same(t, s.Load(), l.View(at(1000)).Base)

	// A clock that is set back does not disturb the order.
	l.Append(update(t, s, number(100)), at(500))
	l.Append(update(t, s, number(101)), at(400))
	v = l.View(at(500))
	require.Equal(t, at(500), v.Entries[1].At)
}

func TestWaveformsAreLeftOutUnlessWanted(t *testing.T) {
	wave := func(tx *mdib.Tx) error { return tx.SetSamples("w", pm.Samples{pm.MustDecimal("1")}, time.Now()) }
	s := device(t)
	without, with := history.New(s.Load(), at(0), history.Config{}), history.New(s.Load(), at(0), history.Config{Waveforms: true})
	c := update(t, s, wave)
	without.Append(c, at(1))
	with.Append(c, at(1))
	without.Append(nil, at(2))
	require.Empty(t, without.View(at(2)).Entries)
	require.Len(t, with.View(at(2)).Entries, 1)
}

// Few large changes are as much as many small ones.
func TestBytesAreBounded(t *testing.T) {
	s := device(t)
	l := history.New(s.Load(), at(0), history.Config{MaxBytes: 10_000})
	admit := func(name string) func(*mdib.Tx) error {
		return func(tx *mdib.Tx) error {
			c, err := mdib.NewContext[*pm.PatientContextState](tx, "pat")
			c.CoreData = &pm.PatientDemographicsCoreData{BaseDemographics: pm.BaseDemographics{Givenname: name}}
			return err
		}
	}
	for i := range 20 {
		l.Append(update(t, s, number(i)), at(i))
	}
	require.Len(t, l.View(at(20)).Entries, 20)
	for i := range 5 {
		l.Append(update(t, s, admit(strings.Repeat("n", 3000))), at(20+i))
	}
	v := l.View(at(30))
	require.Len(t, v.Entries, 3)
	require.Equal(t, at(21), v.Start)
	require.Equal(t, v.Entries[0].Change.Before.Version(), v.Base.Version())
	l.Append(update(t, s, admit(strings.Repeat("n", 20_000))), at(31))
	require.Empty(t, l.View(at(31)).Entries, "more than all that may be kept")
	l.Append(update(t, s, number(99)), at(32))
	require.Len(t, l.View(at(32)).Entries, 1)
}
