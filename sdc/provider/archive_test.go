package provider_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/provider"
)

func TestArchiveService(t *testing.T) {
	// covers: BICEPS R0100, BICEPS R5015, BICEPS R5016, BICEPS R5017, BICEPS R5018, BICEPS R5019, BICEPS R5020, BICEPS R5021, BICEPS R5022
	inBubble(t, func(c *provider.Config) { c.Archive = true }, nil, func(t *testing.T, b *bench) {
		require.Equal(t, []string{sdc.ArchiveService}, hostedTypes(t, b)["Archive"])
		begin := time.Now()
		at := func(seconds int) pm.Opt[pm.Timestamp] {
			return pm.Some(pm.TimestampOf(begin.Add(time.Duration(seconds)*time.Second + 500*time.Millisecond)))
		}
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for _, v := range []string{"1", "2", "3"} { // at 1, 2, 3 s
			<-tick.C
			require.NoError(t, b.dev.Update(setNum(v)))
		}
		<-tick.C // 4 s
		require.NoError(t, b.dev.Update(func(tx *mdib.Tx) error {
			d, err := mdib.EditDescriptorAs[*pm.NumericMetricDescriptor](tx, "num")
			if err == nil {
				d.Resolution = pm.MustDecimal("0.5")
			}
			return err
		}))
		<-tick.C // 5 s
		for _, id := range []string{"a", "b"} {
			_, err := b.dev.AssociatePatient(byID(id), nil)
			require.NoError(t, err)
		}

		states := func(r *msg.GetStatesFromArchive) []pm.State {
			t.Helper()
			return mustCall[*msg.GetStatesFromArchiveResponse](b.peer, "Archive", sdc.ActionGetStatesFromArchive, r).State
		}
		values := func(r *msg.GetStatesFromArchive) (got []string) {
			t.Helper()
			for _, s := range states(r) {
				v := "none"
				if m := s.(*pm.NumericMetricState).MetricValue; m != nil {
					v = m.Value.Or(pm.Decimal{}).String()
				}
				got = append(got, v)
			}
			return got
		}
		all := &msg.TimeFrame{}
		num := []string{"num"}
		frame := func(first, last uint64) *msg.VersionFrame {
			return &msg.VersionFrame{Start: pm.Some(first), End: pm.Some(last)}
		}
		require.Equal(t, []string{"none", "1", "2", "3", "3"}, values(&msg.GetStatesFromArchive{TimeFrame: all, Handle: num}))
		require.Equal(t, []string{"1", "2"}, values(&msg.GetStatesFromArchive{TimeFrame: &msg.TimeFrame{Start: at(1), End: at(2)}, Handle: num}))
		require.Equal(t, []string{"2", "3", "3"}, values(&msg.GetStatesFromArchive{StateRevisions: &msg.VersionFrame{Start: pm.Some[uint64](2)}, Handle: num}))
		require.Equal(t, []string{"2"}, values(&msg.GetStatesFromArchive{StateRevisions: frame(2, 2), Handle: num}))
		require.Equal(t, []string{"2"}, values(&msg.GetStatesFromArchive{StateRevisions: frame(2, 9), TimeFrame: &msg.TimeFrame{End: at(2)}, Handle: num}), "both at once")
		require.Empty(t, states(&msg.GetStatesFromArchive{TimeFrame: all, Handle: []string{"nowhere"}}))
		require.Len(t, states(&msg.GetStatesFromArchive{TimeFrame: all, Handle: []string{"pat"}}), 3, "a descriptor's handle names all its states: R5023")
		require.Len(t, states(&msg.GetStatesFromArchive{TimeFrame: all}), device(t).NumStates()+4+3, "all without handles")
		require.Len(t, states(&msg.GetStatesFromArchive{TimeFrame: &msg.TimeFrame{End: at(-100)}}), 0, "before anything is known")

		descriptors := func(r *msg.GetDescriptorsFromArchive) []pm.Descriptor {
			t.Helper()
			return mustCall[*msg.GetDescriptorsFromArchiveResponse](b.peer, "Archive", sdc.ActionGetDescriptorsFromArchive, r).Descriptor
		}
		both := descriptors(&msg.GetDescriptorsFromArchive{TimeFrame: all, Handle: num})
		require.Len(t, both, 2)
		require.Equal(t, "0.1", both[0].(*pm.NumericMetricDescriptor).Resolution.String())
		require.Equal(t, "0.5", both[1].(*pm.NumericMetricDescriptor).Resolution.String())
		require.Len(t, descriptors(&msg.GetDescriptorsFromArchive{DescriptorRevisions: frame(1, 1)}), 1)
		require.Len(t, descriptors(&msg.GetDescriptorsFromArchive{DescriptorRevisions: frame(0, 0), TimeFrame: &msg.TimeFrame{Start: at(4)}}), b.dev.MDIB().Len()-1)
		require.Len(t, descriptors(&msg.GetDescriptorsFromArchive{TimeFrame: all}), b.dev.MDIB().Len()+1)

		before := b.dev.MDIB()
		for says, r := range map[string]*msg.GetStatesFromArchive{
			"is needed":             {Handle: num},
			"starts at 3":           {StateRevisions: frame(3, 2)},
			"does not start before": {TimeFrame: &msg.TimeFrame{Start: at(2), End: at(2)}},
		} {
			_, err := call[*msg.GetStatesFromArchiveResponse](b.peer, "Archive", sdc.ActionGetStatesFromArchive, r)
			requireSender(t, err, says)
			_, err = call[*msg.GetDescriptorsFromArchiveResponse](b.peer, "Archive", sdc.ActionGetDescriptorsFromArchive,
				&msg.GetDescriptorsFromArchive{DescriptorRevisions: r.StateRevisions, TimeFrame: r.TimeFrame, Handle: r.Handle})
			requireSender(t, err, says)
		}
		require.Same(t, before, b.dev.MDIB())
	})
}
