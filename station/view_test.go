package station

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/sdc"
)

func mds(epr string, live bool, place string, ids ...string) *System {
	s := &System{Device: epr, Handle: "mds", Link: Link{State: LinkResyncing}, Patient: PatientContext{Association: None}, Location: LocationContext{Association: None}}
	if live {
		s.Link.State = LinkLive
	}
	if place != "" {
		s.Location = LocationContext{Association: Associated, Detail: sdc.LocationDetail{PoC: place}}
	}
	if ids != nil {
		s.Patient = PatientContext{Association: Associated, Context: "p"}
		for _, id := range ids {
			if id != "" {
				s.Patient.IDs = append(s.Patient.IDs, Identifier{id[:1], id[1:]})
			}
		}
		slices.SortFunc(s.Patient.IDs, compareIdentifiers)
	}
	return s
}

func grouped(v *View) [][]string {
	var out [][]string
	for _, p := range v.Patients {
		var g []string
		for _, s := range p.Systems {
			g = append(g, s.Device)
		}
		out = append(out, g)
	}
	slices.SortFunc(out, func(a, b []string) int { return slices.Compare(a, b) })
	return out
}

func kinds(v *View) []ConflictKind {
	var out []ConflictKind
	for _, c := range v.Conflicts {
		out = append(out, c.Kind)
	}
	return out
}

func TestPatientsAreGroupedBySharedIdentifiersOnly(t *testing.T) {
	for name, c := range map[string]struct {
		systems   []*System
		want      [][]string
		conflicts []ConflictKind
	}{
		"the same identifier":       {[]*System{mds("a", true, "", "M1"), mds("b", true, "", "M1")}, [][]string{{"a", "b"}}, nil},
		"another root":              {[]*System{mds("a", true, "", "M1"), mds("b", true, "", "V1")}, [][]string{{"a"}, {"b"}}, nil},
		"another extension":         {[]*System{mds("a", true, "", "M1"), mds("b", true, "", "M2")}, [][]string{{"a"}, {"b"}}, nil},
		"nobody":                    {[]*System{mds("a", true, ""), mds("b", true, "", "M1")}, [][]string{{"b"}}, nil},
		"a third knows both":        {[]*System{mds("a", true, "", "M1"), mds("b", true, "", "V1"), mds("c", true, "", "M1", "V1")}, [][]string{{"a", "b", "c"}}, nil},
		"unidentified stay apart":   {[]*System{mds("a", true, "", ""), mds("b", true, "", "")}, [][]string{{"a"}, {"b"}}, []ConflictKind{Unidentified, Unidentified}},
		"a place makes no patient":  {[]*System{mds("a", true, "OR", "M1"), mds("b", true, "OR")}, [][]string{{"a"}}, nil},
		"two patients at one place": {[]*System{mds("a", true, "OR", "M1"), mds("b", true, "OR", "M2")}, [][]string{{"a"}, {"b"}}, []ConflictKind{PatientsAtOnePlace}},
		"what a dead device said of a place is no conflict": {[]*System{mds("a", true, "OR", "M1"), mds("b", false, "OR", "M2")}, [][]string{{"a"}, {"b"}}, nil},
		"a shared visit, other numbers": {
			[]*System{mds("a", true, "", "M1", "V1"), mds("b", true, "", "M2", "V1"), mds("c", true, "", "M1", "V1"), mds("d", true, "", "V1")},
			[][]string{{"a", "c"}, {"b"}, {"d"}}, []ConflictKind{ContradictingIDs},
		},
		"a contradiction by way of others": {
			[]*System{mds("a", true, "", "M1"), mds("b", true, "", "M1", "V1"), mds("c", true, "", "V1", "X1"), mds("d", true, "", "M2", "X1")},
			[][]string{{"a"}, {"b"}, {"c"}, {"d"}}, []ConflictKind{ContradictingIDs},
		},
		"a dead device does not split live ones": {
			[]*System{mds("a", true, "", "M1", "V1"), mds("b", true, "", "V1"), mds("c", false, "", "M2", "V1")},
			[][]string{{"a", "b"}, {"c"}}, nil,
		},
		"a dead device stays with its patient": {[]*System{mds("a", true, "", "M1"), mds("b", false, "", "M1")}, [][]string{{"a", "b"}}, nil},
		"a dead device joins nobody with another": {
			[]*System{mds("a", true, "", "M1"), mds("b", true, "", "V1"), mds("c", false, "", "M1", "V1")}, [][]string{{"a"}, {"b"}, {"c"}}, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			slices.Reverse(c.systems)
			for range 2 { // the order means nothing
				var devices []*Device
				for _, s := range c.systems {
					devices = append(devices, &Device{EPR: s.Device, Systems: []*System{s}})
				}
				v := newView(1, time.Time{}, devices, nil)
				require.Equal(t, c.want, grouped(v))
				require.Equal(t, c.conflicts, kinds(v))
				keys := map[string]bool{}
				for _, p := range v.Patients {
					require.False(t, keys[p.Key], "key %q twice", p.Key)
					keys[p.Key] = true
				}
				slices.Reverse(c.systems)
			}
		})
	}
}
