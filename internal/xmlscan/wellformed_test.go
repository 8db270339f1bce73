package xmlscan

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// dump reads a whole document with Next and writes down what it saw.
func dump(doc string) (string, error) {
	s := NewScanner([]byte(doc), Limits{})
	var b strings.Builder
	for {
		k, err := s.Next()
		if err != nil {
			return b.String(), err
		}
		switch k {
		case Start:
			fmt.Fprintf(&b, "<%s", s.Name())
			for i := range s.Attrs() {
				a := &s.Attrs()[i]
				fmt.Fprintf(&b, " %s=%q", a.Name(), a.Value())
			}
			b.WriteByte('>')
		case End:
			fmt.Fprintf(&b, "</%s>", s.Name())
		case Text:
			fmt.Fprintf(&b, "%q", s.Chars())
		case EOF:
			return b.String(), nil
		}
	}
}

func TestWellFormed(t *testing.T) {
	// Productions of XML 1.0 (fifth edition) and Namespaces in XML 1.0 (third edition).
	for _, c := range []struct{ name, doc, want string }{
		{"empty element", `<a/>`, `<a></a>`},
		{"empty element, spaces", "<a \n\t/>", `<a></a>`},
		{"pair", `<a></a>`, `<a></a>`},
		{"space in end tag", "<a></a \t\r\n>", `<a></a>`},
		{"text", `<a>b c</a>`, `<a>"b c"</a>`},
		{"nested", `<a><b><c/></b>x</a>`, `<a><b><c></c></b>"x"</a>`},
		{"byte order mark", "\uFEFF<a/>", `<a></a>`},
		{"declaration", `<?xml version="1.0"?><a/>`, `<a></a>`},
		{"declaration, all", `<?xml version='1.0' encoding="utf-8" standalone='yes' ?><a/>`, `<a></a>`},
		{"declaration, spaces", "<?xml\tversion = '1.0'\n encoding\r=\t\"Utf-8\"?>\n<a/>", `<a></a>`},
		{"US-ASCII", `<?xml version="1.0" encoding="us-ascii"?><a>b</a>`, `<a>"b"</a>`},
		{"mark and declaration", "\uFEFF<?xml version=\"1.0\" encoding=\"US-ASCII\"?><a/>", `<a></a>`},
		{"PI named xml-something", `<?xml-stylesheet href="x"?><a/>`, `<a></a>`},
		{"misc around", "<!-- a --> <?p?> \n<a/>\n<!-- > - --><?q r ? > s?>\n", `<a></a>`},
		{"comment in text", `<a>1<!-- <x> & -->2</a>`, `<a>"12"</a>`},
		{"PI in text", `<a>1<?p <x> & ?>2</a>`, `<a>"12"</a>`},
		{"comment alone", `<a><!----></a>`, `<a></a>`},
		{"CDATA", `<a>1<![CDATA[<&]>]]]>2</a>`, `<a>"1<&]>]2"</a>`},
		{"CDATA empty", `<a><![CDATA[]]></a>`, `<a></a>`},
		{"CDATA with brackets", `<a><![CDATA[]]]]></a>`, `<a>"]]"</a>`},
		{"CDATA split end", `<a><![CDATA[]]]]><![CDATA[>]]></a>`, `<a>"]]>"</a>`},
		{"brackets in text", `<a>]] ]>]]</a>`, `<a>"]] ]>]]"</a>`},
		{"escaped ]]>", `<a>]]&gt;</a>`, `<a>"]]>"</a>`},
		{"greater-than in text", `<a>></a>`, `<a>">"</a>`},
		{"entities", `<a>&lt;&gt;&amp;&quot;&apos;</a>`, `<a>"<>&\"'"</a>`},
		{"entities in attribute", `<a b="&lt;&gt;&amp;&quot;&apos;"/>`, `<a b="<>&\"'"></a>`},
		{"character references", `<a>&#65;&#x42;&#x1F600;&#0000067;</a>`, `<a>"AB😀C"</a>`},
		{"no double expansion", `<a>&amp;lt;&#38;amp;</a>`, `<a>"&lt;&amp;"</a>`},
		{"line ends", "<a>1\r\n2\r3\n4\r\r\n5</a>", `<a>"1\n2\n3\n4\n\n5"</a>`},
		{"line ends in CDATA", "<a><![CDATA[1\r\n2\r3]]></a>", `<a>"1\n2\n3"</a>`},
		{"referenced CR stays", "<a>&#13;&#xD;\n</a>", `<a>"\r\r\n"</a>`},
		{"attribute white space", "<a b='1\r\n2\r3\n4\t5  6'/>", `<a b="1 2 3 4 5  6"></a>`},
		{"referenced white space in attribute stays", "<a b='&#9;&#10;&#13;&#32;'/>", `<a b="\t\n\r "></a>`},
		{"quotes in attributes", `<a b='"' c="'" d="a'b'c" e='>'/>`, `<a b="\"" c="'" d="a'b'c" e=">"></a>`},
		{"attribute spaces", "<a  b\n=\t'1'\r\nc = \"2\" />", `<a b="1" c="2"></a>`},
		{"empty attribute", `<a b=""/>`, `<a b=""></a>`},
		{"long plain attribute", `<a b="` + strings.Repeat("0.125 ", 20) + `"/>`, `<a b="` + strings.Repeat("0.125 ", 20) + `"></a>`},
		{"name characters", `<a-b.c_d1·/>`, `<a-b.c_d1·></a-b.c_d1·>`},
		{"names beyond ASCII", `<größe ключ="1"><漢字/><_𐀀/></größe>`, `<größe ключ="1"><漢字></漢字><_𐀀></_𐀀></größe>`},
		{"text beyond ASCII", "<a>äöü\u0080\u009F\uFFFD\U0010FFFF\u2028</a>", fmt.Sprintf("<a>%q</a>", "äöü\u0080\u009F\uFFFD\U0010FFFF\u2028")},
		{"DEL is a character", "<a>\x7F</a>", `<a>"\x7f"</a>`},
		{"default namespace", `<a xmlns="u:1"><b c=""/><d xmlns=""/></a>`, `<{u:1}a><{u:1}b c=""></{u:1}b><d></d></{u:1}a>`},
		{"prefixes", `<p:a xmlns:p="u:1" p:b="1" b="2"><p:c xmlns:p="u:2"/><p:c/></p:a>`,
			`<{u:1}a {u:1}b="1" b="2"><{u:2}c></{u:2}c><{u:1}c></{u:1}c></{u:1}a>`},
		{"declared after use", `<p:a q:b="1" xmlns:q="u:2" xmlns:p="u:1"/>`, `<{u:1}a {u:2}b="1"></{u:1}a>`},
		{"redeclared after use in one tag", `<p:a xmlns:p="u:1"><p:b p:c="1" xmlns:p="u:2" p:d="2"/><p:b p:c=""/></p:a>`,
			`<{u:1}a><{u:2}b {u:2}c="1" {u:2}d="2"></{u:2}b><{u:1}b {u:1}c=""></{u:1}b></{u:1}a>`},
		{"siblings redeclare", `<a><p:b xmlns:p="u:1"/><p:b xmlns:p="u:2"/><p:b xmlns:p="u:1"/></a>`,
			`<a><{u:1}b></{u:1}b><{u:2}b></{u:2}b><{u:1}b></{u:1}b></a>`},
		{"prefix xml", `<a xml:lang="de"/>`, `<a {` + NsXML + `}lang="de"></a>`},
		{"prefix xml declared", `<a xmlns:xml="` + NsXML + `" xml:lang="de"/>`, `<a {` + NsXML + `}lang="de"></a>`},
		{"same local name, other namespace", `<a xmlns:p="u:1" xmlns:q="u:2" b="" p:b="" q:b=""/>`, `<a b="" {u:1}b="" {u:2}b=""></a>`},
		{"namespace name with references", `<p:a xmlns:p="u:&amp;1"/>`, `<{u:&1}a></{u:&1}a>`},
		{"element called xmlns", `<xmlns/>`, `<xmlns></xmlns>`},
		{"element called xmlns in default namespace", `<xmlns xmlns="u:1"/>`, `<{u:1}xmlns></{u:1}xmlns>`},
		{"attribute called xmlnsx", `<a xmlnsx="1"/>`, `<a xmlnsx="1"></a>`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := dump(c.doc)
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}

func TestIllFormed(t *testing.T) {
	for _, c := range []struct {
		name, doc string
		cause     error
		msg       string
	}{
		{"nothing", ``, ErrSyntax, "no root element"},
		{"only space", " \n", ErrSyntax, "no root element"},
		{"only a declaration", `<?xml version="1.0"?>`, ErrSyntax, "no root element"},
		{"only text", `hello`, ErrSyntax, "text outside of the root"},
		{"text before", `x<a/>`, ErrSyntax, "text outside"},
		{"text after", `<a/>x`, ErrSyntax, "text outside"},
		{"reference after", `<a/>&#32;`, ErrSyntax, "text outside"},
		{"CDATA after", `<a/><![CDATA[ ]]>`, ErrSyntax, "CDATA section outside"},
		{"two roots", `<a/><b/>`, ErrSyntax, "more than one root"},
		{"end tag first", `</a>`, ErrSyntax, "end tag outside"},
		{"end tag too many", `<a></a></a>`, ErrSyntax, "end tag outside"},
		{"not closed", `<a>`, ErrSyntax, "unexpected end"},
		{"inner not closed", `<a><b></a>`, ErrSyntax, `end tag "a" does not match start tag "b"`},
		{"crossed", `<a><b></a></b>`, ErrSyntax, "does not match"},
		{"longer end tag", `<a></ab>`, ErrSyntax, "does not match"},
		{"shorter end tag", `<ab></a>`, ErrSyntax, "does not match"},
		{"other prefix, same namespace", `<p:a xmlns:p="u" xmlns:q="u"></q:a>`, ErrSyntax, "does not match"},
		{"case differs", `<a></A>`, ErrSyntax, "does not match"},
		{"attribute in end tag", `<a></a b="">`, ErrSyntax, "'>' expected in an end tag"},
		{"space before end name", `<a></ a>`, ErrSyntax, "does not match"},
		{"empty end tag", `<a></>`, ErrSyntax, "does not match"},
		{"lone <", `<`, ErrSyntax, "unexpected end"},
		{"lone < inside", `<a><`, ErrSyntax, "unexpected end"},
		{"space before name", `< a/>`, ErrSyntax, "name expected"},
		{"digit first", `<1a/>`, ErrSyntax, "not a name"},
		{"dash first", `<-a/>`, ErrSyntax, "not a name"},
		{"dot first", `<.a/>`, ErrSyntax, "not a name"},
		{"combining character first", "<\u0300a/>", ErrSyntax, "not a name"},
		{"bad name character", `<a$/>`, ErrSyntax, "not a name"},
		{"multiplication sign in name", `<a×/>`, ErrSyntax, "not a name"},
		{"Greek question mark in name", "<a\u037E/>", ErrSyntax, "not a name"},
		{"quote in name", `<a"b"/>`, ErrSyntax, "not a name"},
		{"ampersand in name", `<a&amp;/>`, ErrSyntax, "not a name"},
		{"start tag cut", `<a`, ErrSyntax, "unexpected end"},
		{"start tag cut after space", `<a `, ErrSyntax, "unexpected end"},
		{"start tag cut in attribute name", `<a b`, ErrSyntax, "unexpected end"},
		{"start tag cut after =", `<a b=`, ErrSyntax, "unexpected end"},
		{"start tag cut in value", `<a b="c`, ErrSyntax, "unexpected end"},
		{"start tag cut after value", `<a b="c"`, ErrSyntax, "unexpected end"},
		{"start tag cut after slash", `<a/`, ErrSyntax, "unexpected end"},
		{"slash not last", `<a/ >`, ErrSyntax, "'>' expected"},
		{"tag in tag", `<a<b/>`, ErrSyntax, "white space expected"},
		{"no space between attributes", `<a b="1"c="2"/>`, ErrSyntax, "white space expected"},
		{"attribute without value", `<a b/>`, ErrSyntax, "'=' expected"},
		{"attribute without quotes", `<a b=1/>`, ErrSyntax, "quoted"},
		{"attribute without anything", `<a b=>`, ErrSyntax, "quoted"},
		{"= without name", `<a ="1"/>`, ErrSyntax, "name expected"},
		{"value without name", `<a "1"/>`, ErrSyntax, "not a name"},
		{"wrong closing quote", `<a b="1'/>`, ErrSyntax, "unexpected end"},
		{"< in value", `<a b="<"/>`, ErrSyntax, "'<' in an attribute value"},
		{"< late in value", `<a b="0123456789 ' 0123456789<"/>`, ErrSyntax, "'<' in an attribute value"},
		{"attribute twice", `<a b="1" b="1"/>`, ErrSyntax, "attribute b appears twice"},
		{"attribute twice, other prefix", `<a xmlns:p="u" xmlns:q="u" p:b="1" q:b="1"/>`, ErrSyntax, "attribute {u}b appears twice"},
		{"attribute twice among many", `<a a1="" a2="" a3="" a4="" a5="" a6="" a7="" a8="" a9="" b1="" b2="" b3="" b4="" b5="" a3=""/>`, ErrSyntax, "attribute a3 appears twice"},
		{"]]> in text", `<a>]]></a>`, ErrSyntax, "']]>' in text"},
		{"]]]> in text", `<a>x]]]></a>`, ErrSyntax, "']]>' in text"},
		{"]]> after a reference", `<a>&amp;]]></a>`, ErrSyntax, "']]>' in text"},
		{"bare &", `<a>&</a>`, ErrSyntax, "does not begin a reference"},
		{"bare & in value", `<a b="&"/>`, ErrSyntax, "does not begin a reference"},
		{"& space", `<a>& amp;</a>`, ErrSyntax, "does not begin a reference"},
		{"no semicolon", `<a>&amp </a>`, ErrSyntax, "does not begin a reference"},
		{"unknown entity", `<a>&nbsp;</a>`, ErrSyntax, "entity &nbsp; is not defined"},
		{"entity names have case", `<a>&LT;</a>`, ErrSyntax, "entity &LT; is not defined"},
		{"reference cut", `<a>&am`, ErrSyntax, "unexpected end"},
		{"character reference cut", `<a>&#1`, ErrSyntax, "unexpected end"},
		{"empty character reference", `<a>&#;</a>`, ErrSyntax, "malformed character reference"},
		{"empty hex reference", `<a>&#x;</a>`, ErrSyntax, "malformed character reference"},
		{"capital X", `<a>&#X41;</a>`, ErrSyntax, "malformed character reference"},
		{"hex digits in decimal", `<a>&#4A;</a>`, ErrSyntax, "malformed character reference"},
		{"signed reference", `<a>&#-65;</a>`, ErrSyntax, "malformed character reference"},
		{"NUL reference", `<a>&#0;</a>`, ErrEncoding, "illegal character U+0000"},
		{"control reference", `<a>&#x1f;</a>`, ErrEncoding, "illegal character U+001F"},
		{"surrogate reference", `<a>&#xD800;</a>`, ErrEncoding, "illegal character U+D800"},
		{"U+FFFE reference", `<a>&#xFFFE;</a>`, ErrEncoding, "illegal character U+FFFE"},
		{"reference out of range", `<a>&#x110000;</a>`, ErrEncoding, "out of range"},
		{"reference overflow", `<a>&#99999999999999999999999;</a>`, ErrEncoding, "out of range"},
		{"comment with --", `<a><!-- -- --></a>`, ErrSyntax, "'--' in a comment"},
		{"comment with --->", `<a><!-- ---></a>`, ErrSyntax, "'--' in a comment"},
		{"comment <!-->", `<a><!--></a>`, ErrSyntax, "unexpected end"},
		{"comment cut", `<a><!-- `, ErrSyntax, "unexpected end"},
		{"comment cut at --", `<a/><!-- --`, ErrSyntax, "unexpected end"},
		{"comment beginning cut", `<a/><!-`, ErrSyntax, "unexpected end"},
		{"unknown <!", `<a><!x></a>`, ErrSyntax, "unknown markup"},
		{"CDATA cut", `<a><![CDATA[ ]]`, ErrSyntax, "unexpected end"},
		{"CDATA lower case", `<a><![cdata[ ]]></a>`, ErrSyntax, "unknown markup"},
		{"PI without name", `<a><? x?></a>`, ErrSyntax, "without a proper name"},
		{"PI empty", `<a><??></a>`, ErrSyntax, "without a proper name"},
		{"PI with colon", `<a><?p:q x?></a>`, ErrSyntax, "without a proper name"},
		{"PI cut", `<a><?p x`, ErrSyntax, "unexpected end"},
		{"declaration not first", ` <?xml version="1.0"?><a/>`, ErrSyntax, "not at the beginning"},
		{"declaration inside", `<a><?xml version="1.0"?></a>`, ErrSyntax, "not at the beginning"},
		{"declaration twice", `<?xml version="1.0"?><?xml version="1.0"?><a/>`, ErrSyntax, "not at the beginning"},
		{"declaration in capitals", `<?XML version="1.0"?><a/>`, ErrSyntax, "not at the beginning"},
		{"no version", `<?xml encoding="UTF-8"?><a/>`, ErrSyntax, "without version"},
		{"empty declaration", `<?xml?><a/>`, ErrSyntax, "without version"},
		{"version 1.1", `<?xml version="1.1"?><a/>`, ErrSyntax, `version "1.1" is not supported`},
		{"wrong order", `<?xml version="1.0" standalone="yes" encoding="UTF-8"?><a/>`, ErrSyntax, "malformed XML declaration"},
		{"no space in declaration", `<?xml version="1.0"encoding="UTF-8"?><a/>`, ErrSyntax, "malformed XML declaration"},
		{"junk in declaration", `<?xml version="1.0" x="y"?><a/>`, ErrSyntax, "malformed XML declaration"},
		{"standalone maybe", `<?xml version="1.0" standalone="maybe"?><a/>`, ErrSyntax, "standalone"},
		{"declaration cut", `<?xml version="1.0"`, ErrSyntax, "unexpected end"},
		{"Latin-1", `<?xml version="1.0" encoding="ISO-8859-1"?><a/>`, ErrEncoding, `encoding "ISO-8859-1" is not supported`},
		{"UTF-16 named", `<?xml version="1.0" encoding="UTF-16"?><a/>`, ErrEncoding, "not supported"},
		{"UTF-16 big endian", "\xFE\xFF\x00<\x00a\x00/\x00>", ErrEncoding, "UTF-16 is not supported"},
		{"UTF-16 little endian", "\xFF\xFE<\x00a\x00/\x00>\x00", ErrEncoding, "UTF-16 is not supported"},
		{"UTF-16 without mark", "<\x00a\x00/\x00>\x00", ErrEncoding, "illegal character U+0000"},
		{"ASCII declared, UTF-8 found", `<?xml version="1.0" encoding="US-ASCII"?><a>ä</a>`, ErrEncoding, "declared US-ASCII"},
		{"mark not first", "<a>x</a>\uFEFF", ErrSyntax, "text outside"},
		{"DTD", `<!DOCTYPE a><a/>`, ErrDTD, "document type declaration"},
		{"DTD with entities", `<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>`, ErrDTD, "document type declaration"},
		{"DTD inside", `<a><!DOCTYPE a></a>`, ErrDTD, "document type declaration"},
		{"DTD after", `<a/><!DOCTYPE a>`, ErrDTD, "document type declaration"},
		{"NUL", "<a>\x00</a>", ErrEncoding, "U+0000"},
		{"control character in text", "<a>01234567\x0B</a>", ErrEncoding, "U+000B"},
		{"control character after line feed", "<a>\n\x0B\x0B      </a>", ErrEncoding, "U+000B"},
		{"control character in value", "<a b=\"\x1F\"/>", ErrEncoding, "U+001F"},
		{"control character in name", "<a\x01/>", ErrEncoding, "U+0001"},
		{"control character in comment", "<a><!-- \x01 --></a>", ErrEncoding, "U+0001"},
		{"control character in PI", "<a><?p \x01?></a>", ErrEncoding, "U+0001"},
		{"control character in CDATA", "<a><![CDATA[\x01]]></a>", ErrEncoding, "U+0001"},
		{"control character after the root", "<a/>\n\x01", ErrEncoding, "U+0001"},
		{"U+FFFE", "<a>\uFFFE</a>", ErrEncoding, "U+FFFE"},
		{"U+FFFF", "<a>\uFFFF</a>", ErrEncoding, "U+FFFF"},
		{"bad UTF-8", "<a>\xFF</a>", ErrEncoding, "invalid UTF-8 (byte 0xFF)"},
		{"lone continuation", "<a>\x80</a>", ErrEncoding, "invalid UTF-8"},
		{"overlong", "<a>\xC0\xBC</a>", ErrEncoding, "invalid UTF-8"},
		{"encoded surrogate", "<a>\xED\xA0\x80</a>", ErrEncoding, "invalid UTF-8"},
		{"sequence cut", "<a>\xE2\x82", ErrEncoding, "invalid UTF-8"},
		{"beyond Unicode", "<a>\xF4\x90\x80\x80</a>", ErrEncoding, "invalid UTF-8"},
		{"bad UTF-8 in name", "<a\xFF/>", ErrEncoding, "invalid UTF-8"},
		{"bad UTF-8 after the root", "<a/>\xFF", ErrEncoding, "invalid UTF-8"},

		{"prefix not declared", `<p:a/>`, ErrNamespace, `prefix "p" is not declared`},
		{"attribute prefix not declared", `<a p:b=""/>`, ErrNamespace, `prefix "p" of attribute b is not declared`},
		{"prefix out of scope", `<a><b xmlns:p="u"/><p:c/></a>`, ErrNamespace, `prefix "p" is not declared`},
		{"known name, prefix out of scope", `<a><p:c xmlns:p="u"/><p:c/></a>`, ErrNamespace, `prefix "p" is not declared`},
		{"known attribute, prefix out of scope", `<a><c p:d="" xmlns:p="u"/><c p:d=""/></a>`, ErrNamespace, `prefix "p" of attribute d is not declared`},
		{"prefix undeclared", `<a xmlns:p=""/>`, ErrNamespace, "must not be undeclared"},
		{"xmlns declared", `<a xmlns:xmlns="u"/>`, ErrNamespace, "prefix xmlns must not be declared"},
		{"xml bound elsewhere", `<a xmlns:xml="u"/>`, ErrNamespace, "prefix xml must not"},
		{"other prefix for xml", `<a xmlns:p="` + NsXML + `"/>`, ErrNamespace, "must not be bound to another prefix"},
		{"xml as default", `<a xmlns="` + NsXML + `"/>`, ErrNamespace, "must not be bound to another prefix"},
		{"xmlns as default", `<a xmlns="` + NsXMLNS + `"/>`, ErrNamespace, "must not be declared"},
		{"prefix for xmlns", `<a xmlns:p="` + NsXMLNS + `"/>`, ErrNamespace, "must not be declared"},
		{"element with prefix xmlns", `<xmlns:a/>`, ErrNamespace, "not declared"},
		{"declared twice", `<a xmlns:p="u" xmlns:p="u"/>`, ErrSyntax, "declared twice"},
		{"default declared twice", `<a xmlns="u" xmlns="v"/>`, ErrSyntax, "declared twice"},
		{"two colons", `<a:b:c xmlns:a="u"/>`, ErrNamespace, "not a qualified name"},
		{"colon first", `<:a/>`, ErrNamespace, "not a qualified name"},
		{"colon last", `<a: xmlns:a="u"/>`, ErrNamespace, "not a qualified name"},
		{"colon alone", `<:/>`, ErrNamespace, "not a qualified name"},
		{"local part begins with a digit", `<p:1 xmlns:p="u"/>`, ErrSyntax, "not a name"},
		{"xmlns with empty prefix", `<a xmlns:="u"/>`, ErrNamespace, "not a qualified name"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := dump(c.doc)
			require.ErrorIs(t, err, c.cause)
			var e *Error
			require.ErrorAs(t, err, &e)
			require.Contains(t, e.Msg, c.msg)
		})
	}
}

// Every proper prefix of a document is refused, and so is every document with one illegal byte put in anywhere.
func TestCutAndSpoiled(t *testing.T) {
	doc := "\uFEFF" + `<?xml version="1.0" encoding="UTF-8"?><!-- c --><p:a xmlns:p="u:1" b="1 &amp; &#x32;" p:c='3'>` +
		"t\r\n&lt;]<![CDATA[x]]><?pi y?><größe/><b></b ></p:a><!-- d -->"
	want, err := dump(doc)
	require.NoError(t, err)
	require.NotEmpty(t, want)
	root := strings.Index(doc, "</p:a>") + len("</p:a>")
	for i := range doc {
		_, err := dump(doc[:i])
		if i == root {
			require.NoError(t, err)
		} else {
			require.Error(t, err, "cut at %d", i)
		}
		for _, c := range []string{"\x00", "\x0B", "\xFF", "\uFFFE"} {
			_, err = dump(doc[:i] + c + doc[i:])
			require.Error(t, err, "%q at %d", c, i)
		}
	}
}
