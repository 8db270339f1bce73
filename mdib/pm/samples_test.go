package pm_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib/pm"
)

// A list is what its numbers are one by one, however short they are and wherever their signs and points stand.
func TestSamplesAreDecimals(t *testing.T) {
	same := func(words ...string) {
		t.Helper()
		text := strings.Join(words, " ")
		var got pm.Samples
		err := got.UnmarshalText([]byte(text))
		var want pm.Samples
		for _, w := range words {
			d, werr := pm.ParseDecimal(w)
			if werr != nil {
				require.Error(t, err, "%q", text)
				return
			}
			want = append(want, d)
		}
		require.NoError(t, err, "%q", text)
		require.Equal(t, want, got, "%q", text)
		var back []string
		for _, d := range want {
			back = append(back, d.String())
		}
		b, err := got.AppendText([]byte("<"))
		require.NoError(t, err)
		require.Equal(t, "<"+strings.Join(back, " "), string(b))
	}
	const alphabet = "0123456789.-"
	for _, a := range alphabet { // all of up to three characters, before others and at the end
		same(string(a), "1234567")
		same(string(a))
		for _, b := range alphabet {
			same(string(a)+string(b), "1234567")
			for _, c := range alphabet {
				same(string(a)+string(b)+string(c), "12345678")
				same("1", string(a)+string(b)+string(c))
			}
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		words := make([]string, 1+r.IntN(4))
		for i := range words {
			w := make([]byte, 1+r.IntN(10))
			for k := range w {
				w[k] = alphabet[r.IntN(10)]
			}
			switch at := r.IntN(len(w)); r.IntN(4) {
			case 0:
				w[at] = '.'
			case 1:
				w[at], w[0] = '.', '-'
			case 2:
				w[at] = "+x\n\xB0:/"[r.IntN(6)]
			}
			words[i] = string(w)
		}
		if strings.ContainsAny(strings.Join(words, ""), "\n") {
			continue
		}
		same(words...)
	}
}

func BenchmarkSamples(b *testing.B) {
	s := make(pm.Samples, 1000)
	for i := range s {
		s[i] = pm.NewDecimal(rand.Int64N(2000)-1000, 2)
	}
	in, _ := s.AppendText(nil)
	b.Run("decode", func(b *testing.B) {
		b.SetBytes(int64(len(in)))
		b.ReportAllocs()
		for b.Loop() {
			var back pm.Samples
			if back.UnmarshalText(in) != nil {
				b.Fatal("refused")
			}
		}
	})
	b.Run("encode", func(b *testing.B) {
		b.SetBytes(int64(len(in)))
		b.ReportAllocs()
		buf := make([]byte, 0, 2*len(in))
		for b.Loop() {
			buf, _ = s.AppendText(buf[:0])
		}
	})
}
