package ext_test

import (
	"encoding/xml"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/mdib/ext"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
)

type filter struct {
	Hours int `xml:"hours,attr"`
}

func vendor(local string) pm.QName { return pm.QName{Space: "urn:example:vendor", Local: local} }

func vendors(t *testing.T) *ext.Registry {
	t.Helper()
	r, err := ext.NewRegistry(ext.Entry{Name: vendor("Filter"), Decode: func(element []byte) (any, error) {
		f := filter{}
		return f, xml.Unmarshal(element, &f)
	}}, ext.Entry{Name: vendor("Mark")})
	require.NoError(t, err)
	return r
}

func TestRegistry(t *testing.T) {
	// covers: EXT-ns
	r := vendors(t)
	require.True(t, r.Understands(vendor("Mark")))
	require.False(t, r.Understands(vendor("Other")))
	require.False(t, (*ext.Registry)(nil).Understands(vendor("Mark")))

	doc := func(element string) []byte {
		return []byte(`<msg:GetMdibResponse xmlns:msg="` + xmlscan.NsMsg + `" xmlns:pm="` + xmlscan.NsPM + `" xmlns:ext="` + xmlscan.NsExt + `" xmlns:v="urn:example:vendor" SequenceId="urn:x">` +
			`<msg:Mdib SequenceId="urn:x"><pm:MdDescription><pm:Mds Handle="mds"><ext:Extension>` + element + `</ext:Extension></pm:Mds></pm:MdDescription></msg:Mdib></msg:GetMdibResponse>`)
	}
	const wanted = `<v:Mark ext:MustUnderstand="true"/><v:Filter ext:MustUnderstand="true" hours="12"/>`
	var refused *pm.MustUnderstandError
	_, err := msg.Unmarshal(doc(wanted))
	require.ErrorAs(t, err, &refused)
	opts := msg.Options{Understands: r.Understands}
	_, err = opts.Unmarshal(doc(wanted + `<v:Other ext:MustUnderstand="true"/>`))
	require.ErrorAs(t, err, &refused)
	require.Equal(t, vendor("Other"), refused.Name)
	m, err := opts.Unmarshal(doc(wanted + `<v:Other/>`))
	require.NoError(t, err)
	x := m.(*msg.GetMdibResponse).Mdib.MdDescription.Mds[0].Extension
	require.Len(t, x, 3)
	all, err := r.Decode(x)
	require.NoError(t, err)
	require.Equal(t, []any{filter{12}}, all)
	f, ok, err := ext.Registered[filter](r, x)
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, 12, f.Hours)
	_, ok, err = ext.Registered[int](r, x)
	require.NoError(t, err)
	require.False(t, ok)

	m, err = opts.Unmarshal(doc(`<v:Filter hours="many"/>`))
	require.NoError(t, err)
	_, _, err = ext.Registered[filter](r, m.(*msg.GetMdibResponse).Mdib.MdDescription.Mds[0].Extension)
	require.ErrorContains(t, err, "Filter")

	for _, entries := range [][]ext.Entry{
		{{Name: pm.QName{Local: "x"}}}, {{}}, {{Name: vendor("a")}, {Name: vendor("a")}}, {{Name: pm.QName{Space: ext.Namespace, Local: "Gender"}}},
	} {
		_, err := ext.NewRegistry(entries...)
		require.Error(t, err)
	}
}
