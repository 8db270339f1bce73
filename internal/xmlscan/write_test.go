package xmlscan

import (
	"math"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestAppend(t *testing.T) {
	require.Equal(t, "x&amp;&lt;&gt;\"'\t\n&#13;ä\U0010FFFF", string(AppendText([]byte("x"), "&<>\"'\t\n\rä\U0010FFFF")))
	require.Equal(t, "x&amp;&lt;>&quot;'&#9;&#10;&#13;ä", string(AppendEscapedAttr([]byte("x"), "&<>\"'\t\n\rä")))
	require.Equal(t, "\uFFFDa\uFFFD\uFFFD\uFFFD\uFFFDb", string(AppendText(nil, "\x00a\x1F\uFFFE\xFF\xC3b")))
	require.Equal(t, "\uFFFDa\uFFFD\uFFFD\uFFFD\uFFFDb\uFFFD", string(AppendEscapedAttr(nil, "\x0Ba\x1F\uFFFF\xED\xFFb\uFFFD")))
	b := AppendStart(nil, "p:a")
	b = AppendNS(b, "p", "u:\"")
	b = AppendNS(b, "", "u")
	b = AppendAttr(b, "b", "1<2")
	b = AppendAttrUint(b, "c", math.MaxUint64)
	b = AppendAttrInt(b, "d", math.MinInt64)
	b = AppendAttrBool(b, "e", true)
	b = AppendAttrBool(b, "f", false)
	b = append(b, '>')
	b = AppendElement(b, "g", "h & i")
	b = AppendUint(b, 1)
	b = append(b, ' ')
	b = AppendInt(b, -1)
	b = append(b, ' ')
	b = AppendBool(b, true)
	b = AppendEnd(b, "p:a")
	require.Equal(t, `<p:a xmlns:p="u:&quot;" xmlns="u" b="1&lt;2" c="18446744073709551615" d="-9223372036854775808" e="true" f="false">`+
		`<g>h &amp; i</g>1 -1 true</p:a>`, string(b))
	_, err := dump(string(b))
	require.NoError(t, err)
}

func TestAppendDoesNotAllocate(t *testing.T) {
	b := make([]byte, 0, 1024)
	require.Zero(t, testing.AllocsPerRun(10, func() {
		b = AppendAttr(b[:0], "name", "a \"value\" with ä and \x00")
		b = AppendElement(b, "name", "a <text>")
		b = AppendAttrUint(b, "n", 123456)
	}))
}

// Every character comes back as it was or as U+FFFD if XML cannot carry it.
func TestAppendEveryCharacter(t *testing.T) {
	for r := rune(0); r <= 0x11000; r++ {
		requireRoundTrip(t, "a"+string(r)+"b")
	}
}

func requireRoundTrip(t testing.TB, v string) {
	want := make([]rune, 0, len(v))
	for i := 0; i < len(v); {
		r, n := utf8.DecodeRuneInString(v[i:])
		if n == 1 && r == utf8.RuneError || !isChar(r) {
			r = utf8.RuneError
		}
		want = append(want, r)
		i += n
	}
	if (Illegal(v) < 0) != (string(want) == v) {
		t.Fatalf("%q: Illegal says %d", v, Illegal(v))
	}
	doc := append(AppendAttr(AppendStart(nil, "a"), "b", v), '>')
	doc = AppendEnd(AppendText(doc, v), "a")
	s := NewScanner(doc, Limits{})
	if err := s.Root(); err != nil {
		t.Fatalf("%q: %v", doc, err)
	}
	if got, _ := s.Attr("", "b"); got != string(want) {
		t.Fatalf("attribute %q came back as %q", v, got)
	}
	got, err := s.Text()
	if err == nil {
		err = s.End()
	}
	if err != nil || got != string(want) {
		t.Fatalf("text %q came back as %q: %v", v, got, err)
	}
}
