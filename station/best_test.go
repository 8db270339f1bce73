package station

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib/pm"
)

func TestBestOfSeveralValues(t *testing.T) {
	now := time.Now()
	hr := Meaning{Code: MDC("147842"), Role: Measured}
	with := func(s *System, age time.Duration, change func(*Value)) *System {
		val := &Value{
			Ref: Ref{s.Device, "hr"}, Meaning: hr, Validity: pm.MeasurementValidityVld, Activation: pm.ComponentActivationOn, Determined: now.Add(-age), Stale: !s.Live(),
		}
		if change != nil {
			change(val)
		}
		s.Type, s.Values = MDC("type "+s.Device), append(s.Values, val)
		return s
	}
	questionable := func(v *Value) { v.Validity = pm.MeasurementValidityQst }
	former := func(v *Value) { v.Former = true }
	setting := func(v *Value) { v.Meaning.Role = Setting }
	patient, or := Scope{Patient: "M|1"}, Scope{Place: mds("", true, "OR").Location.key()}
	preferB := Preferences{Types: []Code{MDC("type b")}}
	for name, c := range map[string]struct {
		systems []*System
		scope   Scope
		prefer  Preferences
		want    string
		status  Status
		err     error
	}{
		"the youngest": {
			[]*System{with(mds("a", true, "", "M1"), 2*time.Second, nil), with(mds("b", true, "", "M1"), time.Second, nil)}, patient, Preferences{}, "b", Current, nil,
		},
		"preference before age": {
			[]*System{with(mds("a", true, "", "M1"), 1, nil), with(mds("b", true, "", "M1"), time.Second, nil)}, patient, preferB, "b", Current, nil,
		},
		"a device before a type": {
			[]*System{with(mds("a", true, "", "M1"), 1, nil), with(mds("b", true, "", "M1"), 0, nil)}, patient,
			Preferences{Devices: []string{"a"}, Types: preferB.Types}, "a", Current, nil,
		},
		"status before preference": {
			[]*System{with(mds("a", true, "", "M1"), 1, nil), with(mds("b", true, "", "M1"), 0, questionable)}, patient, preferB, "a", Current, nil,
		},
		"a dead device comes after a questionable value": {
			[]*System{with(mds("a", true, "", "M1"), 1, questionable), with(mds("b", false, "", "M1"), 0, nil)}, patient, preferB, "a", Questionable, nil,
		},
		"nothing good is told": {
			[]*System{with(mds("a", true, "", "M1"), 1, former), with(mds("b", false, "", "M1"), 0, nil)}, patient, Preferences{}, "b", Stale, nil,
		},
		"another patient's is none": {
			[]*System{mds("a", true, "OR", "M1"), with(mds("b", true, "OR", "M2"), 0, nil)}, patient, preferB, "", "", ErrNoValue,
		},
		"nobody's is not the patient's": {
			[]*System{mds("a", true, "OR", "M1"), with(mds("b", true, "OR"), 0, nil)}, patient, preferB, "", "", ErrNoValue,
		},
		"the same code set and measured": {
			[]*System{with(mds("a", true, "", "M1"), 0, setting)}, patient, Preferences{}, "", "", ErrNoValue,
		},
		"at a place": {
			[]*System{with(mds("a", true, "OR", "M1"), 0, nil), with(mds("b", true, "X", "M1"), 0, nil)}, or, preferB, "a", Current, nil,
		},
		"at a place without patients": {
			[]*System{with(mds("a", true, "OR"), 0, nil), with(mds("b", true, "OR"), 0, nil)}, or, preferB, "b", Current, nil,
		},
		"two patients at a place": {
			[]*System{with(mds("a", true, "OR", "M1"), 0, nil), with(mds("b", true, "OR", "M2"), 0, nil)}, or, preferB, "", "", ErrSeveralPatients,
		},
		"somebody's and nobody's at a place": {
			[]*System{with(mds("a", true, "OR", "M1"), 0, nil), with(mds("b", true, "OR"), 0, nil)}, or, preferB, "", "", ErrSeveralPatients,
		},
		"of two patients at a place, the one that is named": {
			[]*System{with(mds("a", true, "OR", "M1"), 0, nil), with(mds("b", true, "OR", "M2"), 0, nil)}, Scope{"M|1", or.Place}, preferB, "a", Current, nil,
		},
		"no scope": {[]*System{with(mds("a", true, "OR", "M1"), 0, nil)}, Scope{}, preferB, "", "", ErrNoValue},
	} {
		t.Run(name, func(t *testing.T) {
			var devices []*Device
			for _, s := range c.systems {
				devices = append(devices, &Device{EPR: s.Device, Systems: []*System{s}})
			}
			best, status, err := newView(1, now, devices, nil).Best(c.scope, hr, c.prefer, now)
			require.ErrorIs(t, err, c.err)
			require.Equal(t, c.status, status)
			if c.want == "" {
				require.Nil(t, best)
				return
			}
			require.Equal(t, c.want, best.Device)
		})
	}
}
