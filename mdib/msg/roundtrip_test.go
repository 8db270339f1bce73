package msg_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/testkit/reftest"
	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
)

// tolerant understands every extension; some of the sample MDIBs mark private ones as to be understood.
func tolerant() msg.Options {
	return msg.Options{Understands: func(pm.QName) bool { return true }}
}

// identity checks decode -> encode -> decode, and that writing again gives the same bytes.
func identity(t testing.TB, m msg.Message) []byte {
	t.Helper()
	out := m.AppendXML(nil)
	again, err := tolerant().Unmarshal(out)
	require.NoError(t, err, "%s", out)
	require.True(t, msg.Equal(m, again), "not equal after a round trip:\n%s\n%s", out, again.AppendXML(nil))
	require.Equal(t, string(out), string(again.AppendXML(nil)))
	return out
}

func TestSampleMdibs(t *testing.T) {
	// covers: EXT-ns
	files := reftest.Samples(t, "mdibs/*.xml")
	require.Len(t, files, 10)
	refused := 0
	for _, file := range files {
		doc := reftest.Read(t, file)
		m, err := tolerant().Unmarshal(doc)
		require.NoError(t, err, file)
		r := m.(*msg.GetMdibResponse)
		require.NotEmpty(t, r.Mdib.MdDescription.Mds)
		identity(t, m)
		require.True(t, msg.Equal(m, msg.Clone(m)))

		if _, err = msg.Unmarshal(doc); err != nil {
			var must *pm.MustUnderstandError
			require.ErrorAs(t, err, &must, file)
			require.Contains(t, err.Error(), must.Name.Local)
			refused++
		}
	}
	require.Equal(t, 3, refused, "samples with private extensions that must be understood")
}

func TestRecordedMessages(t *testing.T) {
	kinds := map[string]int{}
	for _, w := range reftest.Wire(t) {
		s := xmlscan.NewScanner(w.XML, xmlscan.Limits{})
		if s.Root() != nil {
			require.Empty(t, w.XML, w.Name)
			continue
		}
		for s.Child() {
			if s.Name() != (xmlscan.Name{Space: xmlscan.NsSOAP12, Local: "Body"}) {
				_ = s.Skip()
				continue
			}
			for s.Child() {
				if s.Name().Space != msg.Namespace {
					_ = s.Skip()
					continue
				}
				m, err := msg.Decode(s)
				if strings.Contains(w.Name, "schemaInvalid") {
					require.ErrorContains(t, err, "attribute bogus is not allowed here")
					continue
				}
				require.NoError(t, err, w.Name)
				identity(t, m)
				kinds[reflect.TypeOf(m).Elem().Name()]++
			}
		}
		if err := s.Err(); err != nil {
			require.Regexp(t, "notWellFormed|schemaInvalid", w.Name, "%v", err)
		}
	}
	require.GreaterOrEqual(t, len(kinds), 34, "%v", kinds)
}

// What is written is valid by the schemas of the standard: every kind of message, full and at random,
// and every sample MDIB as written by this package.
func TestWrittenMessagesAreValid(t *testing.T) {
	docs := map[string][]byte{}
	for _, m := range messages() {
		for seed := range uint64(6) {
			f := &filler{r: rand.New(rand.NewPCG(seed, 9)), full: seed == 0}
			docs[fmt.Sprintf("%s %d", m.BodyName().Local, seed)] = f.message(m).AppendXML(nil)
		}
	}
	for _, file := range reftest.Samples(t, "mdibs/*.xml") {
		m, err := tolerant().Unmarshal(reftest.Read(t, file))
		require.NoError(t, err)
		docs[filepath.Base(file)] = m.AppendXML(nil)
	}
	reftest.Validate(t, docs)
}

// Every kind of message, first with everything present, then at random.
func TestEveryMessageFilled(t *testing.T) {
	kinds := messages()
	require.Len(t, kinds, 53)
	for _, m := range kinds {
		name := m.BodyName().Local
		t.Run(name, func(t *testing.T) {
			require.Equal(t, msg.Namespace, m.BodyName().Space)
			require.Equal(t, reflect.TypeOf(m).Elem().Name(), name)
			for seed := range uint64(40) {
				f := &filler{r: rand.New(rand.NewPCG(seed, 1)), full: seed == 0}
				v := f.message(m)
				out := identity(t, v)
				c := msg.Clone(v)
				require.True(t, msg.Equal(v, c))
				scramble(reflect.ValueOf(c).Elem())
				require.Equal(t, string(out), string(v.AppendXML(nil)), "the clone shares memory with its source")
			}
		})
	}
}

// scramble changes everything reachable from v in place.
func scramble(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				scramble(v.Field(i))
			}
		}
	case reflect.Pointer:
		if !v.IsNil() {
			scramble(v.Elem())
		}
	case reflect.Interface:
		if !v.IsNil() {
			scramble(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			scramble(v.Index(i))
		}
	case reflect.String:
		v.SetString("scrambled")
	case reflect.Uint8, reflect.Uint32, reflect.Uint64:
		v.SetUint(v.Uint() ^ 1)
	case reflect.Int32, reflect.Int64:
		v.SetInt(v.Int() ^ 1)
	case reflect.Bool:
		v.SetBool(!v.Bool())
	}
	if v.CanAddr() {
		switch x := v.Addr().Interface().(type) {
		case *pm.Decimal:
			*x = pm.MustDecimal("424242")
		case *pm.Duration:
			*x = pm.MustDuration("PT42S")
		}
	}
}

// Equal notices every difference: changing any one field of a filled message makes it unequal.
func TestEqualNoticesEveryField(t *testing.T) {
	for _, m := range messages() {
		f := &filler{r: rand.New(rand.NewPCG(7, 1)), full: true}
		v := f.message(m)
		out := string(v.AppendXML(nil))
		for i := range 200 {
			c := msg.Clone(v)
			what := mutate(reflect.ValueOf(c).Elem(), rand.New(rand.NewPCG(uint64(i), 2)))
			if what == "" {
				continue
			}
			changed := string(c.AppendXML(nil)) != out
			require.Equal(t, changed, !msg.Equal(v, c), "%T: %s", m, what)
		}
	}
}

// mutate walks down a random way and changes the string, number or bool it comes to.
func mutate(v reflect.Value, r *rand.Rand) string {
	if v.Type() == reflect.TypeFor[xmlscan.Raw]() {
		return "" // bytes are the truth there, the name follows from them
	}
	switch v.Kind() {
	case reflect.Struct:
		if v.NumField() == 0 {
			return ""
		}
		i := r.IntN(v.NumField())
		if !v.Field(i).CanSet() {
			return ""
		}
		if s := mutate(v.Field(i), r); s != "" {
			return v.Type().Field(i).Name + "." + s
		}
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			return mutate(v.Elem(), r)
		}
	case reflect.Slice:
		if v.Len() > 0 {
			if r.IntN(8) == 0 {
				v.Set(v.Slice(0, v.Len()-1))
				return "shortened"
			}
			return mutate(v.Index(r.IntN(v.Len())), r)
		}
	case reflect.String:
		v.SetString(v.String() + "x")
		return "string"
	case reflect.Uint32, reflect.Uint64:
		v.SetUint(v.Uint() ^ 1)
		return "number"
	case reflect.Bool:
		v.SetBool(!v.Bool())
		return "bool"
	}
	return ""
}

func TestUnmarshalOfFiles(t *testing.T) {
	for _, root := range []string{"msg:Mdib", "pm:Mdib"} {
		doc := `<?xml version="1.0" encoding="UTF-8"?>
<` + root + ` xmlns:msg="` + msg.Namespace + `" xmlns:pm="` + pm.Namespace + `" SequenceId="urn:uuid:1" MdibVersion="7">
 <pm:MdDescription><pm:Mds Handle="m"/></pm:MdDescription></` + root + `>`
		m, err := msg.Unmarshal([]byte(doc))
		require.NoError(t, err)
		r := m.(*msg.GetMdibResponse)
		require.Equal(t, uint64(7), r.MdibVersion)
		require.Equal(t, uint64(7), r.Mdib.MdibVersion)
		require.Equal(t, "m", r.Mdib.MdDescription.Mds[0].Handle)
		identity(t, m)
	}
	_, err := msg.Unmarshal([]byte(`<msg:Get xmlns:msg="` + msg.Namespace + `"/>`))
	var unknown *msg.UnknownMessageError
	require.True(t, errors.As(err, &unknown))
	require.Equal(t, "Get", unknown.Name.Local)
	_, err = msg.Unmarshal([]byte(`<msg:GetMdib xmlns:msg="` + msg.Namespace + `"/><x/>`))
	require.ErrorContains(t, err, "more than one root")
	_, err = msg.Unmarshal(nil)
	require.Error(t, err)
}

// A body may be put anywhere: it declares its prefixes itself, whatever surrounds it.
func TestBodyStandsAlone(t *testing.T) {
	f := &filler{r: rand.New(rand.NewPCG(3, 3)), full: true}
	for _, m := range messages() {
		v := f.message(m)
		doc := append([]byte(`<b:b xmlns:b="urn:b" xmlns:pm="urn:not-pm" xmlns:q="urn:q">`), v.AppendXML(nil)...)
		doc = append(doc, "</b:b>"...)
		s := xmlscan.NewScanner(doc, xmlscan.Limits{})
		require.NoError(t, s.Root())
		require.True(t, s.Child())
		got, err := msg.Decode(s)
		require.NoError(t, err)
		require.True(t, bytes.Equal(v.AppendXML(nil), got.AppendXML(nil)), "%T", m)
		require.False(t, s.Child())
		require.NoError(t, s.Err())
	}
}
