package lint

import (
	"slices"

	"github.com/semeco/go-sdc/mdib/ext"
	"github.com/semeco/go-sdc/mdib/pm"
)

func extensionRules() []Rule {
	return []Rule{
		{ID: "EXT-ns", Profile: sdpi, Title: "SDPi extensions are known ones, at their places, and follow their schema.", check: sdpiExtensions},
		{ID: "EXT-mpkp", Profile: sdpi, Title: "mpkp:DisplayPrecision follows its schema.", check: mpkpExtensions},
	}
}

// sdpiExtension is one of the SDPi extensions.
type sdpiExtension struct {
	name string
	// fits tells whether it may stand in the extension of an owner.
	fits func(owner any) bool
	// read parses it.
	read func(pm.Extension) error
}

func reads[T any](f func(pm.Extension) (T, bool, error)) func(pm.Extension) error {
	return func(x pm.Extension) error {
		_, _, err := f(x)
		return err
	}
}

func is[T any](v any) bool { _, ok := v.(T); return ok }

func metricValueOwner(owner any) bool {
	switch owner.(type) {
	case *pm.NumericMetricValue, *pm.StringMetricValue, *pm.SampleArrayValue:
		return true
	}
	return false
}

func anywhere(any) bool { return true }

func sdpiTable() []sdpiExtension {
	return []sdpiExtension{
		{"Gender", is[pm.PatientCoreData], reads(ext.Gender)},
		{"EquipmentIdentifier", func(o any) bool { return is[*pm.MdsDescriptor](o) || is[*pm.VmdDescriptor](o) }, reads(ext.EquipmentIdentifier)},
		{"CodedAttributes", anywhere, reads(ext.CodedAttributes)},
		{"Relations", anywhere, reads(ext.Relations)},
		{"EpochSupport", is[*pm.ClockDescriptor], reads(ext.EpochSupport)},
		{"Epochs", is[*pm.ClockState], reads(ext.Epochs)},
		{"MetricEpoch", metricValueOwner, reads(ext.MetricEpoch)},
		{"CalibrationInfoEpoch", is[*pm.CalibrationInfo], reads(ext.CalibrationInfoEpoch)},
		{"AlertSystemStateEpoch", is[*pm.AlertSystemState], reads(ext.AlertSystemStateEpoch)},
		{"AlertConditionStateEpoch", is[pm.ConditionState], reads(ext.AlertConditionStateEpoch)},
		{"AbstractContextStateEpoch", is[pm.ContextState], reads(ext.AbstractContextStateEpoch)},
	}
}

func sdpiExtensions(p *pass) {
	table := sdpiTable()
	for v, x := range all[pm.Extension](p) {
		for _, element := range x {
			name := element.Name()
			if name.Space != ext.Namespace {
				continue
			}
			i := slices.IndexFunc(table, func(e sdpiExtension) bool { return e.name == name.Local })
			switch {
			case i < 0:
				p.warnf(v.handle, "sdpi:%s is none of the SDPi extensions", clip(name.Local))
			case !table[i].fits(v.owner):
				p.warnf(v.handle, "sdpi:%s does not belong here", name.Local)
			default:
				if err := table[i].read(x); err != nil {
					p.errorf(v.handle, "%v", err)
				}
			}
		}
	}
}

func mpkpExtensions(p *pass) {
	for v, x := range all[pm.Extension](p) {
		step, ok, err := ext.DisplayPrecision(x)
		switch {
		case !ok:
		case err != nil:
			p.errorf(v.handle, "%v", err)
		case step.Cmp(pm.Decimal{}) <= 0:
			p.errorf(v.handle, "the step width %s of mpkp:DisplayPrecision is not positive", step)
		}
	}
}
