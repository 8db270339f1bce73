package xmlscan

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
)

func TestErrorPosition(t *testing.T) {
	for _, c := range []struct {
		doc       string
		line, col int
		path      string
	}{
		{"<a>\n  <b>\n    <c d='1' d='2'/></b></a>", 3, 5, "/a/b"},
		{"<a>\r\n<b>\r&x;</b></a>", 3, 1, "/a/b"},
		{"<a>\r\r\n\n&x;</a>", 4, 1, "/a"},
		{"\uFEFF<a>äöü&x;</a>", 1, 7, "/a"},
		{"<p:a xmlns:p='u'><p:b>\x01", 1, 23, "/p:a/p:b"},
		{"<a/>\n<b/>", 2, 1, "/"},
		{"", 1, 1, "/"},
		{"<a><b/></c>", 1, 8, "/a"},
	} {
		_, err := dump(c.doc)
		var e *Error
		require.ErrorAs(t, err, &e, c.doc)
		require.Equal(t, c.line, e.Line, c.doc)
		require.Equal(t, c.col, e.Column, c.doc)
		require.Equal(t, c.path, e.Path, c.doc)
	}
	_, err := dump("<a>\n<b>&x;")
	require.EqualError(t, err, "xml: line 2 column 4 in /a/b: entity &x; is not defined")
}

func TestErrorf(t *testing.T) {
	s := NewScanner([]byte("<a>\n <b>1</b>\n</a>"), Limits{})
	require.NoError(t, s.Root())
	require.True(t, s.Child())
	_, err := s.Text()
	require.NoError(t, err)
	cause := errors.New("not a colour")
	err = s.Errorf("bad value: %w", cause)
	require.EqualError(t, err, "xml: line 2 column 2 in /a/b: bad value: not a colour") // where the element begins
	require.ErrorIs(t, err, cause)
	require.Same(t, err, s.Errorf("another"))
	require.Same(t, err, s.Err())
	require.False(t, s.Child())
	k, err2 := s.Next()
	require.Equal(t, None, k)
	require.Same(t, err, err2)
	require.Same(t, err, s.Skip())
	require.Same(t, err, s.End())
	require.Same(t, err, s.Root())
	_, err2 = s.Raw()
	require.Same(t, err, err2)
	_, err2 = s.Text()
	require.Same(t, err, err2)
	_, err2 = s.ResolveQName("a")
	require.Same(t, err, err2)
	_, _, err2 = s.XsiType()
	require.Same(t, err, err2)
	s.Reset([]byte("<a/>"), Limits{})
	require.NoError(t, s.Err())
	require.NoError(t, s.Root())
}

func TestLimits(t *testing.T) {
	for _, c := range []struct {
		name     string
		lim      Limits
		good     string
		bad      string
		contains string
	}{
		{"bytes", Limits{MaxBytes: 5}, `<ab/>`, `<abc/>`, "document of 6 bytes"},
		{"depth", Limits{MaxDepth: 2}, `<a><b/><b/></a>`, `<a><b><c/></b></a>`, "deeper than 2"},
		{"attributes", Limits{MaxAttrs: 2}, `<a b="" c=""/>`, `<a b="" c="" d=""/>`, "more than 2 attributes"},
		{"attributes with declarations", Limits{MaxAttrs: 2}, `<a b="" xmlns="u"/>`, `<a b="" c="" xmlns="u"/>`, "more than 2 attributes"},
		{"declarations as attributes", Limits{MaxAttrs: 2}, `<a xmlns:b="u" xmlns="u"/>`, `<a xmlns:b="u" xmlns="u" xmlns:c="u"/>`, "more than 2 attributes"},
		{"element name", Limits{MaxNameLen: 3}, `<abc/>`, `<abcd/>`, "name longer than 3"},
		{"name with prefix", Limits{MaxNameLen: 7}, `<p:a xmlns:p="u"/>`, `<p:abcdef xmlns:p="u"/>`, "name longer than 7"},
		{"attribute name", Limits{MaxNameLen: 3}, `<a bcd=""/>`, `<a bcde=""/>`, "name longer than 3"},
		{"name cut in a character", Limits{MaxNameLen: 2}, `<ä/>`, `<aä/>`, "name longer than 2"},
		{"name of a PI", Limits{MaxNameLen: 3}, `<a><?abc x?></a>`, `<a><?abcd?></a>`, "name longer than 3"},
		{"text", Limits{MaxTextLen: 3}, `<a>123</a>`, `<a>1234</a>`, "text longer than 3"},
		{"text in parts", Limits{MaxTextLen: 3}, `<a>1<!-- long comment -->23</a>`, `<a>12<!-- --><![CDATA[34]]></a>`, "text longer than 3"},
		{"text with references", Limits{MaxTextLen: 3}, `<a>&#49;&#50;&#51;</a>`, `<a>&#49;&#50;&#51;4</a>`, "text longer than 3"},
		{"value", Limits{MaxTextLen: 3}, `<a b="123"/>`, `<a b="1234"/>`, "attribute value longer than 3"},
		{"value with references", Limits{MaxTextLen: 3}, `<a b="&amp;&amp;&amp;"/>`, `<a b="&amp;&amp;&amp;&amp;"/>`, "attribute value longer than 3"},
		{"namespaces in one tag", Limits{MaxNamespaces: 2}, `<a xmlns="u" xmlns:b="u"/>`, `<a xmlns="u" xmlns:b="u" xmlns:c="u"/>`, "more than 2 namespace"},
		{"namespaces in scope", Limits{MaxNamespaces: 2}, `<a xmlns="u"><b xmlns="v"/><b xmlns="v"/></a>`, `<a xmlns="u"><b xmlns="v"><c xmlns="w"/></b></a>`, "more than 2 namespace"},
		{"elements", Limits{MaxElements: 3}, `<a><b/><b/></a>`, `<a><b/><b/><b/></a>`, "more than 3 elements"},
	} {
		t.Run(c.name, func(t *testing.T) {
			run := func(doc string) error {
				s := NewScanner([]byte(doc), c.lim)
				for {
					if k, err := s.Next(); err != nil || k == EOF {
						return err
					}
				}
			}
			require.NoError(t, run(c.good))
			err := run(c.bad)
			require.ErrorIs(t, err, ErrLimit)
			require.ErrorContains(t, err, c.contains)
		})
	}
}

func TestSpend(t *testing.T) {
	for _, c := range []struct {
		lim  Limits
		most int
	}{{Limits{MaxMemory: 100}, 100}, {Limits{MaxBytes: 200}, 800}, {Limits{}, 64 << 20}} {
		s := NewScanner([]byte("<a><b/></a>"), c.lim)
		for range 2 {
			require.NoError(t, s.Root())
			s.Spend(c.most - 1)
			s.Spend(1)
			require.True(t, s.Child())
			s.Spend(1)
			require.False(t, s.Child())
			require.ErrorIs(t, s.Err(), ErrMemory)
			require.ErrorIs(t, s.Err(), ErrLimit)
			require.ErrorContains(t, s.Err(), fmt.Sprintf("line 1 column 4 in /a/b: more than %d bytes of memory", c.most))
			s.Reset([]byte("<a><b/></a>"), c.lim)
		}
	}
}

func TestDefaultLimits(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("<a>", n) + strings.Repeat("</a>", n) }
	_, err := dump(deep(DefaultMaxDepth))
	require.NoError(t, err)
	_, err = dump(deep(DefaultMaxDepth + 1))
	require.ErrorIs(t, err, ErrLimit)
	_, err = dump("<" + strings.Repeat("n", DefaultMaxNameLen) + "/>")
	require.NoError(t, err)
	_, err = dump("<" + strings.Repeat("n", DefaultMaxNameLen+1) + "/>")
	require.ErrorIs(t, err, ErrLimit)
	attrs := func(n int) string {
		b := []byte("<a")
		for i := range n {
			b = AppendAttr(b, fmt.Sprint("a", i), "")
		}
		return string(append(b, "/>"...))
	}
	_, err = dump(attrs(DefaultMaxAttrs))
	require.NoError(t, err)
	_, err = dump(attrs(DefaultMaxAttrs + 1))
	require.ErrorIs(t, err, ErrLimit)
	_, err = dump("<a>" + strings.Repeat(" ", DefaultMaxBytes) + "</a>")
	require.ErrorIs(t, err, ErrLimit)
}

// The words of a document that is refused for its size are not looked at.
func TestTooLargeIsNotRead(t *testing.T) {
	s := NewScanner(make([]byte, 100), Limits{MaxBytes: 99})
	require.ErrorIs(t, s.Err(), ErrLimit)
	_, err := s.Next()
	require.ErrorIs(t, err, ErrLimit)
}

func TestCanonicalNamespaces(t *testing.T) {
	for _, ns := range []string{
		NsXSI, NsXSD, NsSOAP12, NsSOAP11, NsAddressing, NsWSAMeta, NsEventing, NsDiscovery, NsDPWS, NsMDPWS, NsMEX, NsTransfer,
		NsWSDL, NsWSDLSOAP12, NsPolicy, NsWSStream, NsPM, NsMsg, NsExt, NsGlue, NsSDPi,
	} {
		s := NewScanner([]byte(`<p:a xmlns:p="`+ns+`"/>`), Limits{})
		require.NoError(t, s.Root())
		require.Equal(t, Name{ns, "a"}, s.Name())
		canonical, ok := wellKnown([]byte(ns))
		require.True(t, ok)
		require.Equal(t, unsafe.StringData(canonical), unsafe.StringData(s.Name().Space))
	}
}

// Strings stay what they were when the caller reuses the buffer.
func TestNothingAliasesTheDocument(t *testing.T) {
	long := strings.Repeat("long ", 40)
	longName := strings.Repeat("n", 100)
	doc := []byte(`<p:a xmlns:p="urn:unknown" xmlns:q="urn:` + strings.ReplaceAll(long, " ", "") + `" p:b="value" c="` + long + `" ` + longName + `="">` +
		`<q:d>text</q:d><q:e>` + long + `</q:e><f g="q:h"/><p:raw i="1"/></p:a>`)
	s := NewScanner(doc, Limits{})
	require.NoError(t, s.Root())
	root, prefix, names := s.Name(), s.Prefix(), []Name{}
	for i := range s.Attrs() {
		names = append(names, s.Attrs()[i].Name())
	}
	b, _ := s.Attr("urn:unknown", "b")
	c, _ := s.Attr("", "c")
	require.True(t, s.Child())
	d := s.Name()
	dt, err := s.Text()
	require.NoError(t, err)
	require.True(t, s.Child())
	et, err := s.Text()
	require.NoError(t, err)
	require.True(t, s.Child())
	g, _ := s.AttrBytes("", "g")
	q, err := s.ResolveQNameBytes(g)
	require.NoError(t, err)
	require.NoError(t, s.Skip())
	require.True(t, s.Child())
	raw, err := s.Raw()
	require.NoError(t, err)
	require.False(t, s.Child())
	require.NoError(t, s.End())
	for i := range doc {
		doc[i] = '#'
	}
	longSpace := "urn:" + strings.ReplaceAll(long, " ", "")
	require.Equal(t, Name{"urn:unknown", "a"}, root)
	require.Equal(t, "p", prefix)
	require.Equal(t, []Name{{"urn:unknown", "b"}, {"", "c"}, {"", longName}}, names)
	require.Equal(t, "value", b)
	require.Equal(t, long, c)
	require.Equal(t, Name{longSpace, "d"}, d)
	require.Equal(t, "text", dt)
	require.Equal(t, long, et)
	require.Equal(t, Name{longSpace, "h"}, q)
	require.Equal(t, `<p:raw i="1"/>`, string(raw.XML))
	require.Equal(t, []Binding{{"p", "urn:unknown"}}, raw.Bindings)

	s.Reset([]byte(`<p:a xmlns:p="urn:unknown"/>`), Limits{})
	require.NoError(t, s.Root())
	require.Equal(t, root, s.Name())
}

// The caches stay within their bounds whatever a document holds.
func TestCachesAreBounded(t *testing.T) {
	var s Scanner
	for i := range 20000 {
		doc := fmt.Appendf(nil, `<name%d attr%d="value%d"/>`, i, i, i)
		s.Reset(doc, Limits{})
		require.NoError(t, s.Root())
		v, ok := s.Attr("", fmt.Sprint("attr", i))
		require.True(t, ok)
		require.Equal(t, fmt.Sprint("value", i), v)
		require.Equal(t, fmt.Sprint("name", i), s.Name().Local)
	}
	require.LessOrEqual(t, len(s.names.tab), maxNames)
	require.LessOrEqual(t, len(s.strings.tab), maxStrings)
	alive := map[*nameEntry]bool{}
	for _, e := range s.names.tab {
		for ; e != nil; e = e.next {
			require.True(t, !e.gone || e.next == nil, "what fell out of the table keeps nothing alive")
			if alive[e] {
				break
			}
			alive[e] = true
		}
	}
	require.LessOrEqual(t, len(alive), 2*maxNames)
}

// A scanner guesses that names follow one another as they did before. Wrong guesses show nowhere.
func TestNamesAreNotJustGuessed(t *testing.T) {
	var s Scanner
	read := func(doc string, lim Limits) (out []string, err error) {
		s.Reset([]byte(doc), lim)
		for {
			k, err := s.Next()
			switch {
			case err != nil:
				return out, err
			case k == EOF:
				return out, nil
			case k == Start:
				out = append(out, s.Name().String())
				for _, a := range s.Attrs() {
					out = append(out, "@"+a.Name().String())
				}
			}
		}
	}
	for range 3 {
		for _, c := range []struct {
			doc  string
			want []string
		}{
			{`<p:a xmlns:p="urn:1" x="" p:y=""><p:b/></p:a>`, []string{"{urn:1}a", "@x", "@{urn:1}y", "{urn:1}b"}},
			{`<p:a xmlns:p="urn:2" x="" p:y=""><p:bc/></p:a>`, []string{"{urn:2}a", "@x", "@{urn:2}y", "{urn:2}bc"}},
			{`<p:a xmlns:p="urn:2" xx="" p:y=""><p:b/></p:a>`, []string{"{urn:2}a", "@xx", "@{urn:2}y", "{urn:2}b"}},
			{`<a x="" y=""><b xmlns="urn:3"/><b/></a>`, []string{"a", "@x", "@y", "{urn:3}b", "b"}},
		} {
			got, err := read(c.doc, Limits{})
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		}
		_, err := read(`<p:a x="" p:y=""/>`, Limits{})
		require.ErrorIs(t, err, ErrNamespace)
		_, err = read(`<p:a xmlns:p="urn:1" x="" x=""/>`, Limits{})
		require.ErrorIs(t, err, ErrSyntax)
		_, err = read(`<p:a xmlns:p="urn:1" x="" p:y""/>`, Limits{})
		require.ErrorIs(t, err, ErrSyntax)
		_, err = read(`<longer><longername/></longer>`, Limits{})
		require.NoError(t, err)
		_, err = read(`<longer><longername/></longer>`, Limits{MaxNameLen: 8})
		require.ErrorIs(t, err, ErrLimit)
	}
}

func TestNoAllocations(t *testing.T) {
	var s Scanner
	for name, doc := range map[string][]byte{"states": sampleDoc(500), "waves": waveDoc(), "escapes": []byte(
		`<a b="&lt;1&#50;&quot;" c="` + "\t\n" + `">x &amp; y<!-- c -->` + "\r\n" + `<![CDATA[z]]></a>`)} {
		read := func() {
			s.Reset(doc, Limits{})
			if err := s.Root(); err != nil {
				t.Fatal(err)
			}
			readValues(&s)
			if err := s.End(); err != nil {
				t.Fatal(err)
			}
		}
		for range 50 {
			read() // fill the caches
		}
		require.Zero(t, testing.AllocsPerRun(20, read), name)
	}
}

// readValues reads an element with all its values as strings where they repeat.
func readValues(s *Scanner) {
	for i := range s.Attrs() {
		if a := &s.Attrs()[i]; a.Local() == "DescriptorHandle" {
			_ = a.Value()
		}
	}
	_, _, _ = s.XsiType()
	switch s.Name().Local {
	case "ConceptDescription", "a":
		_, _ = s.Text()
		return
	}
	for s.Child() {
		readValues(s)
	}
}

// A tag is expected to look like an earlier one. Whatever it looks like, it is read as if there had been none before.
func TestTagsOfAnotherSpelling(t *testing.T) {
	const usual = `<p:a xmlns:p="u" xmlns="v" b="1" p:c="2" d="3"/>`
	kept := NewScanner(nil, Limits{})
	read := func(s *Scanner) string {
		var out strings.Builder
		if s.Root() == nil {
			fmt.Fprint(&out, s.Name(), s.Prefix())
			for i := range s.Attrs() {
				a := &s.Attrs()[i]
				fmt.Fprintf(&out, " %s(%s)=%s", a.Name(), a.Prefix(), a.Bytes())
			}
			_ = s.Skip()
		}
		return out.String() + strings.ReplaceAll(fmt.Sprint(s.End()), "a start tag", "a tag") // a name that is known says more
	}
	check := func(doc string, lim Limits) {
		t.Helper()
		kept.Reset([]byte(usual), Limits{})
		require.Contains(t, read(kept), "<nil>")
		kept.Reset([]byte(doc), lim)
		if got, want := read(kept), read(NewScanner([]byte(doc), lim)); got != want {
			t.Fatalf("%s read after another as\n%s\ninstead of\n%s", doc, got, want)
		}
	}
	for i := range usual {
		check(usual[:i], Limits{})
		for _, insert := range []string{" ", "\t", "\n  ", "'", `"`, "=", "<", ">", "/", "&", "&#9;", "&amp;", "x", ":", "é", ` b="1"`, ` e=""`, " p:", "\x00"} {
			check(usual[:i]+insert+usual[i:], Limits{})
			check(usual[:i]+insert+usual[i+1:], Limits{})
		}
	}
	check(strings.ReplaceAll(usual, `"`, "'"), Limits{})
	check(strings.Replace(usual, `"3"`, `'"'`, 1), Limits{})
	check(strings.Replace(usual, "p:c", "c", 1), Limits{})
	check(`<p:a xmlns:p="w" xmlns="v" d="3" p:c="2" b="1"/>`, Limits{})
	check(`<p:a b="1" p:c="2" d="3"/>`, Limits{})
	for n := range 8 {
		check(usual, Limits{MaxAttrs: n})
		check(usual, Limits{MaxNameLen: n})
		check(usual, Limits{MaxNamespaces: n})
		check(strings.Replace(usual, `"3"`, `"1234"`, 1), Limits{MaxTextLen: n})
		check(strings.Replace(usual, `"3"`, `"1&#50;34"`, 1), Limits{MaxTextLen: n})
	}
}

// Where a value is that is too long does not depend on what it is written with.
func TestLongValuePosition(t *testing.T) {
	for _, v := range []string{"123456", "1&#50;3456", "12345&#54;"} {
		err := NewScanner([]byte(`<a b="" c="&lt;" d="`+v+`"/>`), Limits{MaxTextLen: 5}).Root()
		require.ErrorIs(t, err, ErrLimit)
		require.ErrorContains(t, err, "line 1 column 21", v)
	}
}

func TestResetDropsTheDocument(t *testing.T) {
	s := NewScanner([]byte(`<a b="1">text</a>`), Limits{})
	require.NoError(t, s.Root())
	_, err := s.Next()
	require.NoError(t, err)
	s.Reset(nil, Limits{})
	require.Nil(t, s.full)
	require.Nil(t, s.doc)
	require.Nil(t, s.chars)
	require.ErrorContains(t, s.Root(), "no root element")
}

func TestUnits(t *testing.T) {
	require.Equal(t, "{u}a", Name{"u", "a"}.String())
	require.Equal(t, "a", Name{"", "a"}.String())
	for k, want := range map[Kind]string{None: "no position", Start: "start tag", End: "end tag", Text: "text", EOF: "end of document"} {
		require.Equal(t, want, k.String())
	}
	require.Equal(t, "x y", string(TrimSpace([]byte("\r\n\t x y \t"))))
	require.Empty(t, TrimSpace([]byte(" \n")))
	var a Attr
	require.Empty(t, a.Value())
}

// All scan functions agree with their byte-by-byte meaning at every alignment.
func TestScanFunctions(t *testing.T) {
	naive := func(d []byte, i int, stop func(byte) bool) int {
		for ; i < len(d) && !stop(d[i]); i++ {
		}
		return i
	}
	for c := range 256 {
		for at := range 20 {
			d := []byte("abcdefghijklmnopqrst")
			d[at] = byte(c)
			if at+1 < len(d) {
				d[at+1] = byte(c + 1)
			}
			for from := range len(d) {
				require.Equal(t, naive(d, from, func(b byte) bool { return b <= ' ' || strings.IndexByte("<=>/", b) >= 0 }), scanName(d, from))
				require.Equal(t, naive(d, from, func(b byte) bool { return strings.IndexByte("<&]\r", b) >= 0 }), scanText(d, from))
				for _, q := range []byte(`"'`) {
					require.Equal(t, naive(d, from, func(b byte) bool { return b < ' ' || b == q || b == '<' || b == '&' }), scanAttr(d, from, q, true))
				}
			}
		}
	}
	// Long values are searched in another way, piece by piece.
	r := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		d := bytes.Repeat([]byte("1.50 -2.25 é'\"#"[:11+2*r.IntN(2)]), r.IntN(300))
		for range r.IntN(4) {
			if len(d) > 0 {
				d[r.IntN(len(d))] = "\"'<&\t\n\r#!%(;=\x1f\x80\xff"[r.IntN(16)]
			}
		}
		for _, q := range []byte(`"'`) {
			for from := 0; from < len(d); from += 1 + r.IntN(len(d)) {
				want := naive(d, from, func(b byte) bool { return b < ' ' || b == q || b == '<' || b == '&' })
				_, _, breaks := scanChars(d)
				if got := scanAttr(d, from, q, breaks || bytes.ContainsAny(d, "\x1f\t\n\r")); got != want {
					t.Fatalf("%c in %q from %d: %d instead of %d", q, d, from, got, want)
				}
			}
		}
	}
}

func TestScanChars(t *testing.T) {
	pad := strings.Repeat("0123456789abcdefghij", 4) // some words are looked at four at a time
	for r := rune(0); r <= 0x10FFFF; r++ {
		if r == 0x3000 {
			r = 0xD700 // one long row of ordinary characters
		}
		if r == 0xE100 {
			r = 0xFFF0
		}
		if r == 0x10100 {
			r = 0x10FF00
		}
		if r >= 0xD800 && r < 0xE000 {
			continue
		}
		at := int(r) % len(pad)
		d := []byte(pad[:at] + string(r) + pad[at:])
		bad, first, breaks := scanChars(d)
		if isChar(r) {
			require.Equal(t, len(d), bad, "%U", r)
			require.Equal(t, r < ' ', breaks, "%U", r)
			want := -1
			if r >= 0x80 {
				want = at
			}
			require.Equal(t, want, first, "%U", r)
		} else {
			require.Equal(t, at, bad, "%U", r)
		}
	}
}

// The name tables against the productions as XML 1.0 (fifth edition) prints them.
func TestNameTables(t *testing.T) {
	start := [][2]rune{
		{'A', 'Z'}, {'_', '_'}, {'a', 'z'}, {0xC0, 0xD6}, {0xD8, 0xF6}, {0xF8, 0x2FF}, {0x370, 0x37D}, {0x37F, 0x1FFF},
		{0x200C, 0x200D}, {0x2070, 0x218F}, {0x2C00, 0x2FEF}, {0x3001, 0xD7FF}, {0xF900, 0xFDCF}, {0xFDF0, 0xFFFD}, {0x10000, 0xEFFFF},
	}
	more := [][2]rune{{'-', '-'}, {'.', '.'}, {'0', '9'}, {0xB7, 0xB7}, {0x300, 0x36F}, {0x203F, 0x2040}}
	in := func(ranges [][2]rune, r rune) bool {
		for _, x := range ranges {
			if x[0] <= r && r <= x[1] {
				return true
			}
		}
		return false
	}
	for r := rune(0); r <= 0x110000; r++ {
		if got, want := isNameStart(r), in(start, r); got != want {
			t.Fatalf("%U begins a name: %v", r, got)
		}
		if got, want := isNameChar(r), in(start, r) || in(more, r); got != want {
			t.Fatalf("%U in a name: %v", r, got)
		}
	}
}

// What is meant to be slow is not much slower than an ordinary document. The
// bound is wide, as the machine may be busy; a quadratic step would exceed it by far.
func TestHostileDocuments(t *testing.T) {
	const size = 1 << 20
	declare := func(n int) []byte {
		b := []byte("<a")
		for i := range n {
			b = AppendNS(b, fmt.Sprint("p", i), "u")
		}
		return append(b, '>')
	}
	manyAttrs := AppendStart(nil, "b")
	for i := range DefaultMaxAttrs {
		manyAttrs = AppendAttr(manyAttrs, fmt.Sprintf("same%03d", i), "")
	}
	manyAttrs = append(manyAttrs, "/>"...)
	repeat := func(head []byte, unit string) []byte {
		b := append([]byte(nil), head...)
		for len(b) < size {
			b = append(b, unit...)
		}
		return append(b, "</a>"...)
	}
	for name, doc := range map[string][]byte{
		"colons":          repeat(declare(DefaultMaxNamespaces), "p:"),
		"declarations":    repeat(declare(DefaultMaxNamespaces-1), `<p0:b xmlns:q="v"/>`),
		"attributes":      repeat([]byte("<a>"), string(manyAttrs)),
		"references":      repeat([]byte("<a>"), "&#x00000000041;"),
		"comments":        repeat([]byte("<a>"), "<!---->"),
		"CDATA":           repeat([]byte("<a>"), "<![CDATA[]]>"),
		"brackets":        repeat([]byte("<a>"), "]"),
		"carriage return": repeat([]byte("<a>"), "\r"),
		"elements":        repeat([]byte("<a>"), "<b/>"),
	} {
		began := time.Now()
		_, err := ParseRaw(doc, Limits{})
		took := time.Since(began)
		require.NoError(t, err, name)
		require.Less(t, took, 5*time.Second, name)
		t.Logf("%-16s %6.0f MB/s", name, float64(len(doc))/took.Seconds()/1e6)
	}
}
