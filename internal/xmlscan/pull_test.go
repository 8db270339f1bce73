package xmlscan

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestChild(t *testing.T) {
	s := NewScanner([]byte(`<a> <b>1</b><!-- x --><c><d/><?p?><d>2</d></c> <e/> <f> <g/> </f> <![CDATA[ ]]></a> `), Limits{})
	require.NoError(t, s.Root())
	var seen []string
	for s.Child() {
		seen = append(seen, s.Name().Local)
		switch s.Name().Local {
		case "b":
			v, err := s.Text()
			require.NoError(t, err)
			require.Equal(t, "1", v)
			require.Equal(t, End, s.Kind())
			require.Equal(t, "b", s.Name().Local)
		case "c":
			for s.Child() {
				v, err := s.Text()
				require.NoError(t, err)
				seen = append(seen, s.Name().Local+v)
			}
		case "e":
			require.False(t, s.Child())
			require.Equal(t, "e", s.Name().Local)
		default:
			require.NoError(t, s.Skip())
		}
	}
	require.NoError(t, s.Err())
	require.Equal(t, []string{"b", "c", "d", "d2", "e", "f"}, seen)
	require.Equal(t, "a", s.Name().Local)
	require.NoError(t, s.End())
	require.Equal(t, EOF, s.Kind())
	require.Equal(t, Name{}, s.Name())
	require.Empty(t, s.Prefix())
	require.NoError(t, s.End())
	require.False(t, s.Child())
	require.NoError(t, s.Err())
}

func TestChildRefusesText(t *testing.T) {
	for _, doc := range []string{`<a>x</a>`, `<a><b/>x</a>`, `<a><b/><![CDATA[x]]></a>`, `<a>&#x30;</a>`} {
		s := NewScanner([]byte(doc), Limits{})
		require.NoError(t, s.Root())
		for s.Child() {
			require.NoError(t, s.Skip())
		}
		require.ErrorIs(t, s.Err(), ErrContent, doc)
	}
}

func TestText(t *testing.T) {
	text := func(doc string) (string, error) {
		s := NewScanner([]byte(doc), Limits{})
		require.NoError(t, s.Root())
		return s.Text()
	}
	for doc, want := range map[string]string{
		`<a/>`: "", `<a></a>`: "", `<a> 1 </a>`: " 1 ", `<a><!-- --></a>`: "", `<a>1<!-- -->2<?p?>&amp;<![CDATA[3]]></a>`: "12&3",
	} {
		got, err := text(doc)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for _, doc := range []string{`<a><b/></a>`, `<a>1<b/></a>`, `<a> <b/></a>`} {
		_, err := text(doc)
		require.ErrorIs(t, err, ErrContent)
	}
	_, err := text(`<a>1</b>`)
	require.ErrorIs(t, err, ErrSyntax)
}

func TestMisuse(t *testing.T) {
	for name, f := range map[string]func(s *Scanner) error{
		"Text before Root":    func(s *Scanner) error { _, err := s.Text(); return err },
		"Skip before Root":    func(s *Scanner) error { return s.Skip() },
		"Raw before Root":     func(s *Scanner) error { _, err := s.Raw(); return err },
		"Child before Root":   func(s *Scanner) error { s.Child(); return s.Err() },
		"End before Root":     func(s *Scanner) error { return s.End() },
		"Root twice":          func(s *Scanner) error { _ = s.Root(); return s.Root() },
		"End at the root":     func(s *Scanner) error { _ = s.Root(); return s.End() },
		"End inside":          func(s *Scanner) error { _ = s.Root(); s.Child(); _ = s.Skip(); return s.End() },
		"Skip on an end tag":  func(s *Scanner) error { _ = s.Root(); s.Child(); _ = s.Skip(); return s.Skip() },
		"Text on an end tag":  func(s *Scanner) error { _ = s.Root(); s.Child(); _ = s.Skip(); _, err := s.Text(); return err },
		"Raw on an end tag":   func(s *Scanner) error { _ = s.Root(); s.Child(); _ = s.Skip(); _, err := s.Raw(); return err },
		"Child on text":       func(s *Scanner) error { _ = s.Root(); s.Child(); _, _ = s.Next(); s.Child(); return s.Err() },
		"Text at the end":     func(s *Scanner) error { _ = s.Root(); _ = s.Skip(); _ = s.End(); _, err := s.Text(); return err },
		"document left early": func(s *Scanner) error { _ = s.Root(); s.Child(); return s.End() },
	} {
		t.Run(name, func(t *testing.T) {
			require.ErrorIs(t, f(NewScanner([]byte(`<a><b>1</b></a>`), Limits{})), ErrUsage)
		})
	}
}

func TestAttributes(t *testing.T) {
	s := NewScanner([]byte(`<a xmlns:p="u" b="1" p:b="2" xml:lang="de"><c/></a>`), Limits{})
	require.NoError(t, s.Root())
	require.Len(t, s.Attrs(), 3)
	require.Equal(t, "p", s.Attrs()[1].Prefix())
	v, ok := s.Attr("", "b")
	require.True(t, ok)
	require.Equal(t, "1", v)
	v, ok = s.Attr("u", "b")
	require.True(t, ok)
	require.Equal(t, "2", v)
	_, ok = s.Attr(NsXML, "lang")
	require.True(t, ok)
	_, ok = s.Attr("", "lang")
	require.False(t, ok)
	_, ok = s.Attr("", "p")
	require.False(t, ok)
	require.True(t, s.Child())
	require.Empty(t, s.Attrs())
	require.NoError(t, s.Skip())
	require.False(t, s.Child())
	require.Empty(t, s.Attrs()) // an end tag has none
	_, ok = s.Attr("", "b")
	require.False(t, ok)
}

func TestResolveQName(t *testing.T) {
	// covers: SDPi R1012, SDPi R1013
	at := func(f func(s *Scanner)) {
		s := NewScanner([]byte(`<a xmlns="u:0" xmlns:p="u:1"><b xmlns:p="u:2" xmlns:q="u:3">x</b><c xmlns=""/></a>`), Limits{})
		require.NoError(t, s.Root())
		require.True(t, s.Child())
		_, err := s.Text()
		require.NoError(t, err)
		f(s)
	}
	for text, want := range map[string]Name{
		"p:x": {"u:2", "x"}, " \n q:größe\t": {"u:3", "größe"}, "x": {"u:0", "x"}, "xml:lang": {NsXML, "lang"},
	} {
		at(func(s *Scanner) { // in the scope of b, although at its end tag
			n, err := s.ResolveQName(text)
			require.NoError(t, err)
			require.Equal(t, want, n)
			require.True(t, s.Child())
			n, err = s.ResolveQName("p:x")
			require.NoError(t, err)
			require.Equal(t, Name{"u:1", "x"}, n)
			n, err = s.ResolveQName("x")
			require.NoError(t, err)
			require.Equal(t, Name{"", "x"}, n)
		})
	}
	for text, cause := range map[string]error{
		"": ErrContent, "a b": ErrContent, "p:": ErrContent, ":x": ErrContent, "p:q:x": ErrContent, "1": ErrContent, "p:1": ErrContent,
		"\xFF": ErrContent, "p:a\xFF": ErrContent, "r:x": ErrNamespace, "xmlns:x": ErrNamespace,
	} {
		at(func(s *Scanner) {
			_, err := s.ResolveQName(text)
			require.ErrorIs(t, err, cause, "%q", text)
			require.Same(t, err, s.Err())
		})
	}
	at(func(s *Scanner) {
		long := make([]byte, 300)
		for i := range long {
			long[i] = 'a'
		}
		_, err := s.ResolveQName(string(long))
		require.ErrorIs(t, err, ErrLimit)
	})
}

func TestXsiType(t *testing.T) {
	s := NewScanner([]byte(`<a xmlns:i="`+NsXSI+`" xmlns:p="`+NsPM+`"><b i:type="p:T"/><b/><b type="p:T"/><b i:type="x:T"/></a>`), Limits{})
	require.NoError(t, s.Root())
	require.True(t, s.Child())
	n, ok, err := s.XsiType()
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, Name{NsPM, "T"}, n)
	for range 2 {
		require.NoError(t, s.Skip())
		require.True(t, s.Child())
		_, ok, err = s.XsiType()
		require.NoError(t, err)
		require.False(t, ok)
	}
	require.NoError(t, s.Skip())
	require.True(t, s.Child())
	_, ok, err = s.XsiType()
	require.ErrorIs(t, err, ErrNamespace)
	require.False(t, ok)
}
