package msg_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
)

// messages returns an empty message of every kind.
func messages() []msg.Message {
	return []msg.Message{
		&msg.GetMdib{}, &msg.GetMdibResponse{}, &msg.GetMdDescription{}, &msg.GetMdDescriptionResponse{}, &msg.GetMdState{}, &msg.GetMdStateResponse{},
		&msg.GetContextStates{}, &msg.GetContextStatesResponse{}, &msg.GetContextStatesByIdentification{}, &msg.GetContextStatesByIdentificationResponse{},
		&msg.GetContextStatesByFilter{}, &msg.GetContextStatesByFilterResponse{}, &msg.SetContextState{}, &msg.SetContextStateResponse{},
		&msg.PeriodicContextReport{}, &msg.EpisodicContextReport{}, &msg.GetLocalizedText{}, &msg.GetLocalizedTextResponse{}, &msg.GetSupportedLanguages{},
		&msg.GetSupportedLanguagesResponse{}, &msg.GetDescriptorsFromArchive{}, &msg.GetDescriptorsFromArchiveResponse{}, &msg.GetStatesFromArchive{},
		&msg.GetStatesFromArchiveResponse{}, &msg.SetValue{}, &msg.SetValueResponse{}, &msg.SetString{}, &msg.SetStringResponse{}, &msg.Activate{},
		&msg.ActivateResponse{}, &msg.SetAlertState{}, &msg.SetAlertStateResponse{}, &msg.SetComponentState{}, &msg.SetComponentStateResponse{},
		&msg.SetMetricState{}, &msg.SetMetricStateResponse{}, &msg.OperationInvokedReport{}, &msg.GetContainmentTree{}, &msg.GetContainmentTreeResponse{},
		&msg.GetDescriptor{}, &msg.GetDescriptorResponse{}, &msg.EpisodicMetricReport{}, &msg.PeriodicMetricReport{}, &msg.EpisodicComponentReport{},
		&msg.PeriodicComponentReport{}, &msg.EpisodicAlertReport{}, &msg.PeriodicAlertReport{}, &msg.EpisodicOperationalStateReport{},
		&msg.PeriodicOperationalStateReport{}, &msg.SystemErrorReport{}, &msg.DescriptionModificationReport{}, &msg.WaveformStream{}, &msg.ObservedValueStream{},
	}
}

// descriptors returns an empty descriptor of every type.
func descriptors() []pm.Descriptor {
	return []pm.Descriptor{
		&pm.MdsDescriptor{}, &pm.VmdDescriptor{}, &pm.ChannelDescriptor{}, &pm.ScoDescriptor{}, &pm.ClockDescriptor{}, &pm.BatteryDescriptor{},
		&pm.SystemContextDescriptor{}, &pm.AlertSystemDescriptor{}, &pm.AlertConditionDescriptor{}, &pm.LimitAlertConditionDescriptor{}, &pm.AlertSignalDescriptor{},
		&pm.NumericMetricDescriptor{}, &pm.StringMetricDescriptor{}, &pm.EnumStringMetricDescriptor{}, &pm.RealTimeSampleArrayMetricDescriptor{},
		&pm.DistributionSampleArrayMetricDescriptor{}, &pm.SetValueOperationDescriptor{}, &pm.SetStringOperationDescriptor{}, &pm.ActivateOperationDescriptor{},
		&pm.SetContextStateOperationDescriptor{}, &pm.SetMetricStateOperationDescriptor{}, &pm.SetComponentStateOperationDescriptor{},
		&pm.SetAlertStateOperationDescriptor{}, &pm.PatientContextDescriptor{}, &pm.LocationContextDescriptor{}, &pm.EnsembleContextDescriptor{},
		&pm.OperatorContextDescriptor{}, &pm.WorkflowContextDescriptor{}, &pm.MeansContextDescriptor{},
	}
}

// concrete returns a value of every type that can stand behind an interface.
func concrete() []any {
	out := []any{&pm.PatientDemographicsCoreData{}, &pm.NeonatalPatientDemographicsCoreData{}}
	for _, d := range descriptors() {
		out = append(out, d, pm.NewStateFor(d))
	}
	return out
}

// filler fills values of the model by reflection: at random, or with everything present at least once.
type filler struct {
	r    *rand.Rand
	full bool
	// plain keeps strings to what the schema's patterns allow everywhere.
	plain bool
	depth int
}

func (f *filler) message(m msg.Message) msg.Message {
	v := reflect.New(reflect.TypeOf(m).Elem())
	f.fill(v.Elem(), "", "")
	return v.Interface().(msg.Message)
}

func (f *filler) present() bool {
	if f.full {
		return f.depth < 14
	}
	return f.depth < 12 && f.r.IntN(3) > 0
}

var words = []string{"a", "h1", "mds0.vmd-1", "Blutdruck <&> \"größer\"", " leading and trailing ", "line\nbreak\ttab", "cr\rlf", "]]>", "漢字 \U0001F600", "x' y"}

func (f *filler) text(name string) string {
	switch {
	case name == "Lang":
		return []string{"en", "de-DE", "zh-Hant-TW"}[f.r.IntN(3)]
	case f.plain, name == "CodingSystem", name == "SequenceId", name == "Root":
		return "urn:x:" + fmt.Sprint(f.r.IntN(50))
	}
	return words[f.r.IntN(len(words))]
}

// enumerations is every literal of the model; Valid tells which belong to a type.
var enumerations = strings.Fields(`Vld Vldated Ong Qst Calib Inv Oflw Uflw NA xs s m l xl xxl Inf MedA MedB MedC On NotRdy StndBy Off Shtdn Fail No Req Run Cal Oth
 Offset Gain TP Unspec Nml Dmo Srv Mtn Psd Phy Tec Lo Me Hi None All LoOff HiOff Aud Vis Tan Latch Ack Loc Rem Real Test Demo Msrmt Clc Set Preset Rcmm Auto Man Intr Cont
 Rcm PS SST ECE DCE Usr CSUsr RO SP Dis En Ful ChB DisChB DEB Pre Assoc M F Unkn Ad Ado Ped Neo Wait Start Cnclld CnclldMan Fin FinMod Crt Upt Del Get Per Ep Strm`)

func (f *filler) enum(t reflect.Type, extra string) string {
	var ok []string
	for _, s := range enumerations {
		if extra != "" && !strings.Contains("|"+extra+"|", "|"+s+"|") {
			continue
		}
		v := reflect.New(t).Elem()
		v.SetString(s)
		if v.Interface().(interface{ Valid() bool }).Valid() {
			ok = append(ok, s)
		}
	}
	return ok[f.r.IntN(len(ok))]
}

func (f *filler) decimal() string {
	return []string{"0", "1.10", "-0.050", "123456789012345678901234567890.5", "99", "0.1000000000000000055511151231257827"}[f.r.IntN(6)]
}

// fill sets v. tag is the sdc tag of the field v stands in.
func (f *filler) fill(v reflect.Value, name, tag string) {
	parts := append(strings.SplitN(tag, ",", 3), "", "", "")
	occ, extra := parts[1], parts[2]
	optional := occ == "?"
	switch x := v.Addr().Interface().(type) {
	case *pm.Decimal:
		*x = pm.MustDecimal(f.decimal())
		return
	case *pm.Samples:
		if f.present() {
			*x = pm.Samples{pm.MustDecimal("1.5"), pm.MustDecimal(f.decimal()), pm.MustDecimal("-3")}
		}
		return
	case *pm.Duration:
		*x = pm.MustDuration([]string{"PT1S", "P1DT0.5S", "PT00H00M11S"}[f.r.IntN(3)])
		return
	case *pm.DateTime:
		*x, _ = pm.ParseDateTime("2026-11-23T10:00:00.5+01:00")
		return
	case *pm.DateOfBirth:
		*x, _ = pm.ParseDateOfBirth([]string{"1980", "1980-05", "1980-05-17", "1980-05-17T04:30:00"}[f.r.IntN(4)])
		return
	case *pm.QName:
		*x = []pm.QName{{Space: pm.Namespace, Local: "VmdDescriptor"}, {Space: xmlscan.NsXSD, Local: "string"}, {Space: "urn:other", Local: "x"}}[f.r.IntN(3)]
		return
	case *pm.Extension:
		if f.present() && f.r.IntN(3) == 0 {
			raw, err := xmlscan.ParseRaw([]byte(`<e:Other xmlns:e="urn:e" a="1&amp;2">t<e:x/><!-- kept --></e:Other>`), xmlscan.Limits{})
			if err != nil {
				panic(err)
			}
			*x = pm.Extension{{Raw: raw}}
		}
		return
	}
	t := v.Type()
	if t.Kind() == reflect.Struct && strings.HasPrefix(t.Name(), "Opt[") {
		if f.present() {
			f.opt(v, name, extra)
		}
		return
	}
	switch t.Kind() {
	case reflect.Struct:
		f.depth++
		for i := range t.NumField() {
			f.fill(v.Field(i), t.Field(i).Name, t.Field(i).Tag.Get("sdc"))
		}
		f.depth--
	case reflect.Pointer:
		if optional && !f.present() {
			return
		}
		v.Set(reflect.New(t.Elem()))
		f.fill(v.Elem(), name, "")
	case reflect.Interface:
		if optional && !f.present() {
			return
		}
		var ok []any
		for _, c := range concrete() {
			if reflect.TypeOf(c).Implements(t) {
				ok = append(ok, c)
			}
		}
		n := reflect.New(reflect.TypeOf(ok[f.r.IntN(len(ok))]).Elem())
		f.fill(n.Elem(), name, "")
		v.Set(n)
	case reflect.Slice:
		n := 0
		switch {
		case f.full && f.present():
			n = 1
			if f.depth < 5 {
				n = 2
			}
		case f.present():
			n = f.r.IntN(3)
		}
		if occ == "+" || occ == "1" {
			n = max(n, 1)
		}
		for range n {
			e := reflect.New(t.Elem()).Elem()
			item := ""
			if strings.HasPrefix(tag, "@") {
				e.SetString(fmt.Sprint("h", f.r.IntN(100))) // words of a list
			} else {
				f.fill(e, name, item)
			}
			v.Set(reflect.Append(v, e))
		}
	case reflect.String:
		if optional && !f.present() {
			return
		}
		if _, ok := v.Interface().(interface{ Valid() bool }); ok {
			v.SetString(f.enum(t, extra))
			return
		}
		v.SetString(f.text(name))
	case reflect.Bool:
		v.SetBool(f.r.IntN(2) == 0)
	case reflect.Uint64, reflect.Uint32:
		v.SetUint(uint64(f.r.Uint32()))
		if t.Kind() == reflect.Uint64 && f.r.IntN(4) == 0 {
			v.SetUint(1<<64 - 1)
		}
	case reflect.Int64, reflect.Int32:
		v.SetInt(int64(f.r.Int32()) - 1<<30)
	default:
		panic("cannot fill " + t.String())
	}
}

// opt sets an Opt by way of its JSON form, as its fields are not reachable.
func (f *filler) opt(v reflect.Value, name, extra string) {
	get := v.Addr().MethodByName("Get").Type().Out(0)
	x := reflect.New(get).Elem()
	if extra == "0..1" {
		x.Set(reflect.ValueOf(pm.MustDecimal("0.75")))
	} else {
		f.fill(x, name, ",1")
	}
	j, err := json.Marshal(x.Interface())
	if err == nil {
		err = json.Unmarshal(j, v.Addr().Interface())
	}
	if err != nil {
		panic(err)
	}
}
