package soap_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/testkit/reftest"
	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/soap"
)

// canonical writes what a document says without how: expanded names, attributes
// in order, text. White space between elements is dropped.
func canonical(t *testing.T, doc []byte) string {
	t.Helper()
	s := xmlscan.NewScanner(doc, xmlscan.Limits{})
	var b strings.Builder
	for {
		k, err := s.Next()
		require.NoError(t, err)
		switch k {
		case xmlscan.Start:
			fmt.Fprintf(&b, "\n<%v", s.Name())
			var attrs []string
			for _, a := range s.Attrs() {
				attrs = append(attrs, fmt.Sprintf(" %v=%q", a.Name(), a.Value()))
			}
			slices.Sort(attrs)
			b.WriteString(strings.Join(attrs, "") + ">")
		case xmlscan.End:
			b.WriteString("\n</>")
		case xmlscan.Text:
			if text := string(s.Chars()); strings.TrimSpace(text) != "" {
				b.WriteString(text)
			}
		default: // the end
			return b.String()
		}
	}
}

func TestWireMessagesSurvive(t *testing.T) {
	// covers: DPWS R0034
	files, err := filepath.Glob(filepath.Join(reftest.Dir(t), "wire", "*.xml"))
	require.NoError(t, err)
	messages := 0
	for _, file := range files {
		doc, err := os.ReadFile(file)
		require.NoError(t, err)
		name := filepath.Base(file)
		switch {
		case len(doc) == 0, strings.HasPrefix(name, "17-"): // empty answers; the WSDL
			continue
		case strings.HasPrefix(name, "86-"):
			_, err := soap.Parse(doc, xmlscan.Limits{})
			require.Error(t, err, name)
			continue
		}
		messages++
		t.Run(name, func(t *testing.T) {
			e, err := soap.Parse(doc, xmlscan.Limits{})
			require.NoError(t, err)
			require.NoError(t, e.Check(soap.Name{Space: xmlscan.NsDiscovery, Local: "AppSequence"}))
			var body soap.Body
			if s := e.Body(); s != nil {
				raw, err := s.Raw()
				require.NoError(t, err)
				body = raw
			}
			require.NoError(t, e.Close())
			h := e.Header
			for _, b := range h.Blocks {
				h.Extra = append(h.Extra, b)
			}
			again := soap.AppendEnvelope(nil, &h, body)
			require.Equal(t, canonical(t, normalise(doc)), canonical(t, normalise(again)))
		})
	}
	require.Greater(t, messages, 80)
}

// normalise puts To before Action before MessageID before RelatesTo, the order
// in which they are written here; it means nothing.
func normalise(doc []byte) []byte {
	text := string(doc)
	for _, order := range [][2]string{{"To", "Action"}, {"Action", "MessageID"}, {"To", "Action"}} {
		first := element(text, order[0])
		second := element(text, order[1])
		if first == "" || second == "" || strings.Index(text, first) < strings.Index(text, second) {
			continue
		}
		text = strings.Replace(text, first, "", 1)
		text = strings.Replace(text, second, first+second, 1)
	}
	return []byte(text)
}

func element(text, local string) string {
	from := strings.Index(text, "<wsa:"+local+">")
	to := strings.Index(text, "</wsa:"+local+">")
	if from < 0 || to < 0 {
		return ""
	}
	return text[from : to+len("</wsa:"+local+">")]
}

func TestWireFaults(t *testing.T) {
	dir := filepath.Join(reftest.Dir(t), "wire")
	tests := map[string]string{
		"83-*.xml": "Sender/wse:InvalidMessage: validation error",
		"85-*.xml": "Sender",
		"87-*.xml": "Sender: Opening and ending tag mismatch",
		"89-*.xml": "Sender/wse:InvalidMessage: validation error",
		"91-*.xml": "Sender: invalid path Nope",
		"93-*.xml": "Receiver/wse:InvalidMessage: unknown Subscription identifier",
		"95-*.xml": "Receiver: not implemented",
	}
	for pattern, want := range tests {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		require.NoError(t, err)
		require.Len(t, files, 1, pattern)
		doc, err := os.ReadFile(files[0])
		require.NoError(t, err)
		f, ok, err := parse(t, string(doc)).Fault()
		require.NoError(t, err)
		require.True(t, ok)
		require.Contains(t, f.Error(), "soap fault "+want)
		require.Equal(t, soap.ActionFault, f.Action)
	}
}

func TestSampleMessagesParse(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(reftest.Dir(t), "samples", "sdpi-messages", "*.xml"))
	require.NoError(t, err)
	parsed := 0
	for _, file := range files {
		doc, err := os.ReadFile(file)
		require.NoError(t, err)
		e, err := soap.Parse(doc, xmlscan.Limits{})
		if err != nil {
			continue // excerpts, some without an envelope
		}
		parsed++
		require.NotEmpty(t, e.Header.Action, file)
	}
	require.Greater(t, parsed, 25)
}
