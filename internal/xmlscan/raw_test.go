package xmlscan

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

// rawChild returns the first child of the root as Raw.
func rawChild(t testing.TB, doc string) Raw {
	s := NewScanner([]byte(doc), Limits{})
	require.NoError(t, s.Root())
	require.True(t, s.Child(), "%v", s.Err())
	r, err := s.Raw()
	require.NoError(t, err)
	for s.Child() {
		require.NoError(t, s.Skip())
	}
	require.NoError(t, s.End())
	return r
}

func TestRaw(t *testing.T) {
	const open = `<a xmlns:p="u:1" xmlns:q="u:2" xmlns:i="` + NsXSI + `">`
	for _, c := range []struct{ name, outside, xml, written string }{
		{"prefix of the element", open, `<p:b/>`, `<p:b xmlns:p="u:1"/>`},
		{"nothing needed", `<a>`, `<p:b xmlns:p="u:1"><p:c/></p:b>`, `<p:b xmlns:p="u:1"><p:c/></p:b>`},
		{"bytes kept", open, "<p:b  c = '&#65;'\r\n><!-- x --><d></d ><![CDATA[<]]></p:b\n>",
			"<p:b xmlns=\"\" xmlns:p=\"u:1\"  c = '&#65;'\r\n><!-- x --><d></d ><![CDATA[<]]></p:b\n>"},
		{"prefix of a child", open, `<p:b><q:c/></p:b>`, `<p:b xmlns:p="u:1" xmlns:q="u:2"><q:c/></p:b>`},
		{"prefix of an attribute", open, `<p:b q:c=""/>`, `<p:b xmlns:p="u:1" xmlns:q="u:2" q:c=""/>`},
		{"prefix in xsi:type", open, `<p:b i:type="q:T"/>`, `<p:b xmlns:i="` + NsXSI + `" xmlns:p="u:1" xmlns:q="u:2" i:type="q:T"/>`},
		{"prefix in text", open, `<p:b> q:T p:x</p:b>`, `<p:b xmlns:p="u:1" xmlns:q="u:2"> q:T p:x</p:b>`},
		{"prefix in an expression", open, `<p:b>-q:T/@x</p:b>`, `<p:b xmlns:p="u:1" xmlns:q="u:2">-q:T/@x</p:b>`},
		{"prefix in disguise", open, `<p:b c="&#113;:T">q<!-- -->:x</p:b>`, `<p:b xmlns:p="u:1" xmlns:q="u:2" c="&#113;:T">q<!-- -->:x</p:b>`},
		{"only part of a word", open, `<p:b>xq:T</p:b>`, `<p:b xmlns:p="u:1">xq:T</p:b>`},
		{"declared inside", open, `<p:b><q:c xmlns:q="u:3">q:x</q:c></p:b>`, `<p:b xmlns:p="u:1"><q:c xmlns:q="u:3">q:x</q:c></p:b>`},
		{"declared inside and used outside", open, `<p:b><q:c xmlns:q="u:3"/><q:c/></p:b>`, `<p:b xmlns:p="u:1" xmlns:q="u:2"><q:c xmlns:q="u:3"/><q:c/></p:b>`},
		{"declared by itself", open, `<p:b xmlns:p="u:4"/>`, `<p:b xmlns:p="u:4"/>`},
		{"innermost counts", open[:len(open)-1] + ` xmlns="u:0">`, `<b><c xmlns=""/></b>`, `<b xmlns="u:0"><c xmlns=""/></b>`},
		{"default for values", `<a xmlns="u:0">`, `<p:b xmlns:p="u:1">T</p:b>`, `<p:b xmlns="u:0" xmlns:p="u:1">T</p:b>`},
		{"no namespace", `<a>`, `<b/>`, `<b xmlns=""/>`},
		{"no namespace inside", `<a>`, `<p:b xmlns:p="u:1"><c/></p:b>`, `<p:b xmlns="" xmlns:p="u:1"><c/></p:b>`},
		{"no namespace by itself", `<a xmlns="u:0">`, `<b xmlns=""><c/></b>`, `<b xmlns=""><c/></b>`},
		{"xml needs nothing", `<a>`, `<p:b xmlns:p="u:1" xml:lang="de">xml:x</p:b>`, `<p:b xmlns:p="u:1" xml:lang="de">xml:x</p:b>`},
		{"escaped namespace name", `<a xmlns:p="u:&quot;&amp;">`, `<p:b/>`, `<p:b xmlns:p="u:&quot;&amp;"/>`},
		{"beyond ASCII", `<a xmlns:größe="u:1">`, `<größe:b>größe:c</größe:b>`, `<größe:b xmlns:größe="u:1">größe:c</größe:b>`},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := rawChild(t, c.outside+"\n"+c.xml+"</a>")
			require.Equal(t, c.xml, string(r.XML))
			require.False(t, r.IsZero())
			first := r.AppendXML(nil)
			require.Equal(t, c.written, string(first))

			alone, err := ParseRaw(first, Limits{})
			require.NoError(t, err)
			require.Equal(t, r.Name, alone.Name)
			require.True(t, r.Equal(alone))
			require.True(t, alone.Equal(r))
			// Whatever it is put into, it stays the same.
			for _, around := range []string{`<x>`, `<x xmlns:p="v:1" xmlns:q="v:2" xmlns:i="v:3" xmlns:größe="v:4">`} {
				again := rawChild(t, around+string(first)+`</x>`)
				require.Equal(t, string(first), string(again.AppendXML(nil)))
				require.Equal(t, r.Name, again.Name)
				require.True(t, again.Equal(r))
			}
			require.Equal(t, meaning(t, r.Scanner()), meaning(t, NewScanner(first, Limits{})))
			require.True(t, r.Equal(r.Clone()))
		})
	}
}

// meaning writes down names and text of a document.
func meaning(t testing.TB, s *Scanner) []string {
	var out []string
	for {
		k, err := s.Next()
		require.NoError(t, err)
		if k == EOF {
			return out
		}
		out = append(out, k.String()+" "+s.Name().String()+" "+string(s.Chars()))
		for i := range s.Attrs() {
			out = append(out, s.Attrs()[i].Name().String()+"="+s.Attrs()[i].Value())
		}
	}
}

func TestRawScanner(t *testing.T) {
	r := rawChild(t, `<a xmlns="u:0" xmlns:p="u:1"><p:b type="p:T">x</p:b></a>`)
	s := r.Scanner()
	require.NoError(t, s.Root())
	require.Equal(t, Name{"u:1", "b"}, s.Name())
	n, err := s.ResolveQName("p:T")
	require.NoError(t, err)
	require.Equal(t, Name{"u:1", "T"}, n)
	n, err = s.ResolveQName("T")
	require.NoError(t, err)
	require.Equal(t, Name{"u:0", "T"}, n)
	again, err := s.Raw()
	require.NoError(t, err)
	require.True(t, again.Equal(r))
	require.NoError(t, s.End())

	// Deeper than a scanner allows by default, because its first reader allowed it.
	deep := bytes.Repeat([]byte("<a>"), 200)
	deep = append(deep, bytes.Repeat([]byte("</a>"), 200)...)
	r, err = ParseRaw(deep, Limits{MaxDepth: 200})
	require.NoError(t, err)
	s = r.Scanner()
	require.NoError(t, s.Root())
	require.NoError(t, s.Skip())
}

func TestRawEqual(t *testing.T) {
	a := rawChild(t, `<a xmlns:p="u:1"><p:b/></a>`)
	require.False(t, a.Equal(rawChild(t, `<a xmlns:p="u:2"><p:b/></a>`)))
	require.False(t, a.Equal(rawChild(t, `<a xmlns:p="u:1"><p:b c=""/></a>`)))
	require.False(t, a.Equal(Raw{}))
	require.True(t, Raw{}.Equal(Raw{}))
	require.True(t, Raw{}.IsZero())
	require.Empty(t, Raw{}.AppendXML(nil))
	c := a.Clone()
	c.XML[1] = 'x'
	c.Bindings[0].URI = "x"
	require.Equal(t, `<p:b xmlns:p="u:1"/>`, string(a.AppendXML(nil)))
}

func TestParseRawRefuses(t *testing.T) {
	for _, doc := range []string{``, `<a>`, `<a/><b/>`, `<a><b></a>`, `<p:a/>`} {
		_, err := ParseRaw([]byte(doc), Limits{})
		require.Error(t, err, doc)
	}
}
