package pm_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/mdib/internal/codec"
	"github.com/semeco/go-sdc/mdib/pm"
)

func TestStatesPairWithDescriptors(t *testing.T) {
	// covers: BICEPS R0023
	all := []pm.Descriptor{
		&pm.MdsDescriptor{}, &pm.VmdDescriptor{}, &pm.ChannelDescriptor{}, &pm.ScoDescriptor{}, &pm.ClockDescriptor{}, &pm.BatteryDescriptor{},
		&pm.SystemContextDescriptor{}, &pm.AlertSystemDescriptor{}, &pm.AlertConditionDescriptor{}, &pm.LimitAlertConditionDescriptor{}, &pm.AlertSignalDescriptor{},
		&pm.NumericMetricDescriptor{}, &pm.StringMetricDescriptor{}, &pm.EnumStringMetricDescriptor{}, &pm.RealTimeSampleArrayMetricDescriptor{},
		&pm.DistributionSampleArrayMetricDescriptor{}, &pm.SetValueOperationDescriptor{}, &pm.SetStringOperationDescriptor{}, &pm.ActivateOperationDescriptor{},
		&pm.SetContextStateOperationDescriptor{}, &pm.SetMetricStateOperationDescriptor{}, &pm.SetComponentStateOperationDescriptor{},
		&pm.SetAlertStateOperationDescriptor{}, &pm.PatientContextDescriptor{}, &pm.LocationContextDescriptor{}, &pm.EnsembleContextDescriptor{},
		&pm.OperatorContextDescriptor{}, &pm.WorkflowContextDescriptor{}, &pm.MeansContextDescriptor{},
	}
	states := map[string]bool{}
	for i, d := range all {
		d.Base().Handle, d.Base().DescriptorVersion = "h", 5
		s := pm.NewStateFor(d)
		require.Equal(t, "h", s.BaseState().DescriptorHandle)
		require.Equal(t, uint64(5), s.BaseState().DescriptorVersion)
		require.Equal(t, s.TypeName(), pm.StateTypeFor(d))
		require.Equal(t, "pm:"+s.TypeName().Local, s.XSIType())
		dn, sn := d.TypeName().Local, s.TypeName().Local
		require.Equal(t, dn[:len(dn)-len("Descriptor")], sn[:len(sn)-len("State")])
		states[sn] = true
		for k, o := range all {
			require.Equal(t, i == k, pm.Pairs(o, s), "%T %T", o, s)
		}
		require.True(t, pm.EqualDescriptor(d, pm.CloneDescriptor(d)))
		require.True(t, pm.EqualDescriptor(d, pm.ShallowDescriptor(d)))
		require.True(t, pm.EqualState(s, pm.CloneState(s)))
		require.False(t, pm.EqualDescriptor(d, all[(i+1)%len(all)]))
		_, metricD := d.(pm.MetricDescriptor)
		_, metricS := s.(pm.MetricState)
		require.Equal(t, metricD, metricS)
		_, contextD := d.(pm.ContextDescriptor)
		_, contextS := s.(pm.ContextState)
		require.Equal(t, contextD, contextS)
		_, componentD := d.(pm.ComponentDescriptor)
		_, componentS := s.(pm.ComponentState)
		require.Equal(t, componentD, componentS)
		_, alertD := d.(pm.AlertDescriptor)
		_, alertS := s.(pm.AlertState)
		require.Equal(t, alertD, alertS)
		_, operationD := d.(pm.OperationDescriptor)
		_, operationS := s.(pm.OperationState)
		require.Equal(t, operationD, operationS)
	}
	require.Len(t, states, 29)
	require.Nil(t, pm.NewStateFor(nil))
	require.Equal(t, pm.QName{}, pm.StateTypeFor(nil))
	require.False(t, pm.Pairs(nil, nil))
	require.Nil(t, pm.CloneState(nil))
	require.Nil(t, pm.CloneDescriptor(nil))
	require.True(t, pm.EqualState(nil, nil))
	require.False(t, pm.EqualState(nil, &pm.MdsState{}))
	require.False(t, pm.EqualDescriptor(&pm.MdsDescriptor{}, nil))
}

func TestContentEqualState(t *testing.T) {
	a := &pm.NumericMetricState{MetricValue: &pm.NumericMetricValue{Value: pm.Some(pm.MustDecimal("1.0"))}}
	a.DescriptorHandle = "m"
	b := a.Clone()
	require.True(t, pm.ContentEqualState(a, b))
	b.StateVersion, b.DescriptorVersion = 3, 4
	require.True(t, pm.ContentEqualState(a, b))
	require.False(t, pm.EqualState(a, b))
	require.Equal(t, uint64(3), b.StateVersion, "the argument is left as it was")
	b.MetricValue.Value = pm.Some(pm.MustDecimal("1.00"))
	require.False(t, pm.ContentEqualState(a, b), "other digits are another content")
	require.False(t, pm.ContentEqualState(a, &pm.StringMetricState{}))
	require.False(t, pm.ContentEqualState(a, nil))
	require.True(t, pm.ContentEqualState(nil, nil))
	require.True(t, pm.ContentEqualState(a, a))
}

func TestHandleOf(t *testing.T) {
	p := &pm.PatientContextState{}
	p.DescriptorHandle, p.Handle = "descriptor", "own"
	require.Equal(t, "own", pm.HandleOf(p))
	m := &pm.MdsState{}
	m.DescriptorHandle = "descriptor"
	require.Equal(t, "descriptor", pm.HandleOf(m))
}

func TestOpt(t *testing.T) {
	var o pm.Opt[string]
	_, ok := o.Get()
	require.False(t, ok || o.IsSet())
	require.True(t, o.IsZero())
	require.Equal(t, "x", o.Or("x"))
	o = pm.Some("")
	v, ok := o.Get()
	require.True(t, ok && o.IsSet() && v == "" && !o.IsZero())
	require.Equal(t, "", o.Or("x"))
	type s struct {
		A pm.Opt[pm.Decimal] `json:",omitzero"`
		B pm.Opt[pm.Decimal]
	}
	j, err := json.Marshal(s{})
	require.NoError(t, err)
	require.JSONEq(t, `{"B":null}`, string(j))
	var back s
	require.NoError(t, json.Unmarshal([]byte(`{"A":1.10,"B":null}`), &back))
	require.Equal(t, s{A: pm.Some(pm.MustDecimal("1.10"))}, back)
	require.Error(t, json.Unmarshal([]byte(`{"A":"x"}`), &back))
	require.Equal(t, s{A: pm.Some(pm.MustDecimal("1.10"))}, back, "a refused value changes nothing")
}

// The value of a string metric may be empty, which is not the same as absent.
func TestEmptyStringValueIsAValue(t *testing.T) {
	for _, in := range []string{`><pm:MetricQuality Validity="Vld"/></pm:X>`, ` Value=""><pm:MetricQuality Validity="Vld"/></pm:X>`} {
		v := decode[pm.StringMetricValue](t, in)
		require.Equal(t, "<pm:X"+in, string(v.AppendElement(nil, "pm:X", "")))
	}
}

func TestQNamesAreWrittenResolvable(t *testing.T) {
	// covers: SDPi R1012, SDPi R1013
	for _, c := range []struct {
		name pm.QName
		want string
	}{
		{pm.QName{Space: pm.Namespace, Local: "MdsDescriptor"}, ` EntryType="pm:MdsDescriptor"`},
		{pm.QName{Space: xmlscan.NsXSD, Local: "string"}, ` xmlns:xsd="` + xmlscan.NsXSD + `" EntryType="xsd:string"`},
		{pm.QName{Space: "urn:a&b", Local: "x"}, ` xmlns:q="urn:a&amp;b" EntryType="q:x"`},
		{pm.QName{Local: "x"}, ` EntryType="x"`},
	} {
		e := pm.ContainmentTreeEntry{ContainmentTreeInfo: pm.ContainmentTreeInfo{EntryType: pm.Some(c.name)}}
		out := string(e.AppendElement(nil, "pm:X", ""))
		require.Equal(t, "<pm:X"+c.want+"/>", out)
		require.Equal(t, c.name, decode[pm.ContainmentTreeEntry](t, out[len("<pm:X"):]).EntryType.Or(pm.QName{}))
	}
}

func raw(t testing.TB, doc string) xmlscan.Raw {
	r, err := xmlscan.ParseRaw([]byte(doc), xmlscan.Limits{})
	require.NoError(t, err)
	return r
}

func TestExtensionSetAndRemove(t *testing.T) {
	a, b, a2 := raw(t, `<a xmlns="urn:x"/>`), raw(t, `<b xmlns="urn:x"/>`), raw(t, `<a xmlns="urn:x">2</a>`)
	var x pm.Extension
	x.Set(pm.ExtensionElement{Raw: a})
	x.Set(pm.ExtensionElement{Raw: b})
	before := x
	x.Set(pm.ExtensionElement{Raw: a2})
	require.Len(t, x, 2)
	require.True(t, x[0].Raw.Equal(a2))
	require.True(t, before[0].Raw.Equal(a), "copies of the slice are not changed")
	e, ok := x.Find(b.Name)
	require.True(t, ok && e.Name() == b.Name)
	c := x.Clone()
	require.True(t, x.Equal(c))
	c[0].Raw.XML[1] = 'z'
	require.False(t, x.Equal(c))
	x.Remove(pm.QName{Local: "none"})
	require.Len(t, x, 2)
	x.Remove(a.Name)
	x.Remove(b.Name)
	require.Empty(t, x)
	_, ok = x.Find(a.Name)
	require.False(t, ok)
	require.Nil(t, pm.Extension(nil).Clone())
}

// A nil in a list is a fault of the program; it must not bring the encoder down.
func TestNilInListsIsNotWritten(t *testing.T) {
	c := &pm.ChannelDescriptor{Metric: []pm.MetricDescriptor{nil}}
	c.Handle = "c"
	require.Equal(t, `<pm:X Handle="c"/>`, string(c.AppendElement(nil, "pm:X", "")))
	v := &pm.VmdDescriptor{Channel: []*pm.ChannelDescriptor{nil}}
	v.Handle = "v"
	require.Equal(t, `<pm:X Handle="v"/>`, string(v.AppendElement(nil, "pm:X", "")))
	require.True(t, v.Equal(v.Clone()))
	require.True(t, c.Equal(c.Clone()))
}

func TestDecodeInterfaceFromConcreteDefault(t *testing.T) {
	s := xmlscan.NewScanner([]byte(`<pm:X`+declarations+` Handle="h" Kind="Phy" Priority="Hi"/>`), xmlscan.Limits{})
	require.NoError(t, s.Root())
	d, err := pm.DecodeConditionDescriptor(codec.New(s))
	require.NoError(t, err)
	require.IsType(t, &pm.AlertConditionDescriptor{}, d)
}
