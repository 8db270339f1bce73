package pm_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/mdib/internal/codec"
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

// readOneByOne is what a list of samples must read as: each word by itself.
func readOneByOne(text string) (pm.Samples, bool) {
	var out pm.Samples
	for _, w := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \t\r\n", r) }) {
		d, err := pm.ParseDecimal(w)
		if err != nil {
			return nil, false
		}
		out = append(out, d)
	}
	return out, true
}

// A sample is expected to look like the one before it. Whatever it is instead, be it in a single byte, is read for what it is.
func TestSamplesOfAnotherForm(t *testing.T) {
	read := func(text string) {
		t.Helper()
		want, ok := readOneByOne(text)
		var got pm.Samples
		if err := got.UnmarshalText([]byte(text)); (err == nil) != ok {
			t.Fatalf("%q: %v", text, err)
		}
		if ok && !slices.Equal(want, got) {
			t.Fatalf("%q read as %v, not as %v", text, got, want)
		}
	}
	const digits, more = "9081726354", " 0 0 0 0 0 0" // read at a time are eight bytes, so more are to follow
	for whole := range 9 {
		for frac := range 9 {
			for _, point := range []string{"", "."} {
				for _, sign := range []string{"", "-"} {
					first := sign + digits[:whole] + point + digits[:frac]
					second := []byte(digits[1:1+whole] + point + digits[1:1+frac])
					for _, end := range []string{more, "", " ", "\n" + more, "  " + more} {
						read(first + " " + string(second) + end)
						read(first + " -" + string(second) + end)
					}
					for i := range second {
						for c := range 256 {
							changed := slices.Clone(second)
							changed[i] = byte(c)
							read(first + " " + string(changed) + more)
						}
						read(first + " " + string(second[:i]) + more)
						read(first + " " + string(second[:i]) + "5" + string(second[i:]) + more)
					}
				}
			}
		}
	}
}

// A list is written as its numbers are one by one, whatever forms follow one another.
func TestSamplesAreWrittenOneByOne(t *testing.T) {
	var numbers pm.Samples
	for scale := range 19 {
		for power := int64(1); power < 1e18; power *= 10 {
			for _, coef := range []int64{power - 1, power, power + 1, 5 * power} {
				numbers = append(numbers, pm.NewDecimal(coef, scale), pm.NewDecimal(-coef, scale))
			}
		}
	}
	numbers = append(numbers, pm.MustDecimal(strings.Repeat("9", 60)), pm.MustDecimal("-0."+strings.Repeat("0", 60)+"1"))
	write := func(list pm.Samples) {
		t.Helper()
		want := []byte("<")
		for i, d := range list {
			if i > 0 {
				want = append(want, ' ')
			}
			want = append(want, d.String()...)
		}
		room := bytes.Repeat([]byte{'!'}, len(want)+1) // the byte behind must stay as it is if there is no room for it
		room[0] = '<'
		got, err := list.AppendText(room[:1:len(want)])
		require.NoError(t, err)
		if !bytes.Equal(want, got) || room[len(want)] != '!' {
			t.Fatalf("%v written as %q", list, got)
		}
	}
	write(nil)
	for _, d := range numbers { // after every form of up to three digits
		write(pm.Samples{d})
		write(pm.Samples{pm.NewDecimal(5, 0), d, d, d.Neg()})
		write(pm.Samples{pm.NewDecimal(5, 1), d, d, d.Neg()})
		write(pm.Samples{pm.NewDecimal(555, 1), d, d.Neg(), d})
	}
	r := rand.New(rand.NewPCG(3, 4))
	for range 20_000 {
		list := make(pm.Samples, 1+r.IntN(40))
		for i := range list {
			if list[i] = numbers[r.IntN(len(numbers))]; i > 0 && r.IntN(4) > 0 {
				coef, scale, _ := list[i-1].Coefficient()
				list[i] = pm.NewDecimal(coef/2+r.Int64N(3), scale)
			}
		}
		write(list)
	}
}

// A clone without samples is one whose samples were taken away.
func TestCloneWithoutSamples(t *testing.T) {
	s := &pm.RealTimeSampleArrayMetricState{PhysiologicalRange: []pm.Range{{}}}
	s.DescriptorHandle, s.BodySite = "wave", []pm.CodedValue{{Code: "1"}}
	require.True(t, s.Clone().Equal(s.CloneWithoutSamples()))
	s.MetricValue = &pm.SampleArrayValue{Samples: pm.Samples{pm.NewDecimal(1, 0)}}
	s.MetricValue.Annotation = []pm.Annotation{{Type: pm.CodedValue{Code: "2"}}}
	want, got := s.Clone(), s.CloneWithoutSamples()
	want.MetricValue.Samples = nil
	require.True(t, want.Equal(got))
	got.BodySite[0].Code, got.MetricValue.Annotation[0].Type.Code, got.PhysiologicalRange[0].Lower = "3", "4", pm.Some(pm.NewDecimal(5, 0))
	want.MetricValue.Samples = s.MetricValue.Samples
	require.True(t, want.Equal(s), "the copy shares memory with the state")
	plain := &pm.RealTimeSampleArrayMetricState{MetricValue: &pm.SampleArrayValue{Samples: want.MetricValue.Samples}}
	require.EqualValues(t, 1, testing.AllocsPerRun(100, func() { got = plain.CloneWithoutSamples() }))
}

// What XML allows around and within a list does not change the numbers.
func TestSamplesInDocuments(t *testing.T) {
	long := strings.Repeat("12345678901234567890", 20)
	for text, want := range map[string]string{
		"1.5 2.5 3.5":                                                 "1.5 2.5 3.5",
		"  1.50\t2.50\r\n3.50\n":                                      "1.50 2.50 3.50",
		"1.50&#x20;2.50&#9;3.50&#10;&#13;4.50":                        "1.50 2.50 3.50 4.50",
		"1.5&#48; &#x32;.50 3&#46;50 &#45;4.50 5.50":                  "1.50 2.50 3.50 -4.50 5.50",
		"+1.50 +02.50 -00.00 007 .5 -.5 5. -5. 0":                     "1.50 2.50 0.00 7 0.5 -0.5 5 -5 0",
		"0.1 0." + long + " -" + long + " 0.2 0.3 0.4":                "0.1 0." + long + " -" + long + " 0.2 0.3 0.4",
		"99999999 9999999 -9999999 999999.9 0.00000001":               "99999999 9999999 -9999999 999999.9 0.00000001",
		"12345678901234567 -1234567890.1234567 000000000000000000001": "12345678901234567 -1234567890.1234567 1",
		"": "",
	} {
		doc := `<pm:MetricValue xmlns:pm="` + pm.Namespace + `" Samples="` + text + `"><pm:MetricQuality Validity="Vld"/></pm:MetricValue>`
		s := xmlscan.NewScanner([]byte(doc), xmlscan.Limits{})
		require.NoError(t, s.Root(), text)
		var v pm.SampleArrayValue
		require.NoError(t, v.DecodeElement(codec.New(s)), text)
		got, err := v.Samples.AppendText(nil)
		require.NoError(t, err)
		require.Equal(t, want, string(got), text)
	}
	for _, text := range []string{"1e3", "1.5 INF", "NaN", "1,5", "1.5 1.5.5 1.5 1.5", "1.5 - 1.5 1.5", "1.5 . 1.5 1.5", "--1", "1.5 1\u00a02 1.5", "0x10", "&lt;"} {
		var v pm.Samples
		require.Error(t, v.UnmarshalText([]byte(text)), text)
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

// The extremes are those that comparing one by one finds, whatever the numbers look like.
func TestMinMax(t *testing.T) {
	least, greatest := pm.Samples(nil).MinMax()
	require.Equal(t, [2]pm.Decimal{}, [2]pm.Decimal{least, greatest})

	forms := []func(*rand.Rand) pm.Decimal{
		func(r *rand.Rand) pm.Decimal { return pm.NewDecimal(r.Int64N(2001)-1000, 2) },
		func(r *rand.Rand) pm.Decimal { return pm.NewDecimal(r.Int64N(21)-10, 0) },
		func(r *rand.Rand) pm.Decimal { return pm.NewDecimal(r.Int64N(2_000_001)-1_000_000, 5) },
		func(r *rand.Rand) pm.Decimal { return pm.NewDecimal(r.Int64()-1<<62, 18) }, // a long one
	}
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 0))
		var s pm.Samples
		form := forms[0]
		for range 1 + r.IntN(20) {
			if r.IntN(4) == 0 {
				form = forms[r.IntN(len(forms))]
			}
			s = append(s, form(r))
		}
		least, greatest := s.MinMax()
		require.Zero(t, least.Cmp(slices.MinFunc(s, pm.Decimal.Cmp)), "seed %d: least of %v", seed, s)
		require.Zero(t, greatest.Cmp(slices.MaxFunc(s, pm.Decimal.Cmp)), "seed %d: greatest of %v", seed, s)
	}
}
