package consumer

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/soap"
)

func numbered(t *testing.T, n string) *soap.Header {
	t.Helper()
	raw, err := xmlscan.ParseRaw(fmt.Appendf(nil, `<sdpi:ReportSequence xmlns:sdpi="%s" MessageNumber="%s"/>`, sdc.NamespaceSDPi, n), xmlscan.Limits{})
	require.NoError(t, err)
	return &soap.Header{Blocks: []xmlscan.Raw{raw}}
}

func TestReportSequence(t *testing.T) {
	// covers: SDPi R1031, SDPi R1032, SDPi R1033, EXT-ReportSequence, COEX-7
	type step struct {
		number   string
		repeated bool
		lost     *ReportSequenceError
	}
	for name, steps := range map[string][]step{
		"in order":                 {{"1", false, nil}, {"2", false, nil}, {"3", false, nil}},
		"a repetition":             {{"1", false, nil}, {"1", true, nil}, {"2", false, nil}},
		"not from one":             {{"2", false, &ReportSequenceError{0, 2}}, {"3", false, nil}},
		"one skipped":              {{"1", false, nil}, {"3", false, &ReportSequenceError{1, 3}}, {"4", false, nil}},
		"backwards":                {{"1", false, nil}, {"2", false, nil}, {"1", false, &ReportSequenceError{2, 1}}},
		"far beyond 32 bits of it": {{"1", false, nil}, {"18446744073709551615", false, &ReportSequenceError{1, 1<<64 - 1}}},
	} {
		t.Run(name, func(t *testing.T) {
			var q reportSequence
			for _, s := range steps {
				repeated, err := q.check(numbered(t, s.number))
				require.Equal(t, s.repeated, repeated)
				if s.lost == nil {
					require.NoError(t, err)
					continue
				}
				var lost *ReportSequenceError
				require.ErrorAs(t, err, &lost)
				require.Equal(t, s.lost, lost)
			}
		})
	}
	for _, bad := range []string{"0", "-1", "", "x", "1.5"} {
		var q reportSequence
		_, err := q.check(numbered(t, bad))
		require.Error(t, err, bad)
	}
	var refusing reportSequence
	for i, n := range []string{"1", " +2\n", "2", "3"} {
		repeated, err := refusing.check(numbered(t, n))
		require.NoError(t, err)
		require.False(t, repeated, n)
		if i == 1 {
			refusing.refused() // so that 2 comes again, with another report
		}
	}
	_, err := refusing.check(&soap.Header{})
	require.NoError(t, err)
	refusing.refused() // of one without a number
	repeated, err := refusing.check(numbered(t, "3"))
	require.NoError(t, err)
	require.True(t, repeated)
	var q reportSequence
	for range 3 { // a peer that knows nothing of it
		repeated, err := q.check(&soap.Header{})
		require.NoError(t, err)
		require.False(t, repeated)
	}
}
