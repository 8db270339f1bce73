package main

import (
	"time"

	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/station"
)

// The lines of sdc station --json.
type (
	stationLine struct {
		Time      time.Time         `json:"time"`
		Version   uint64            `json:"version"`
		Devices   []stationDevice   `json:"devices"`
		Patients  []stationGroup    `json:"patients"`
		Places    []stationGroup    `json:"places"`
		Ensembles []stationGroup    `json:"ensembles"`
		Conflicts []stationConflict `json:"conflicts"`
		Waiting   []string          `json:"waiting"`
		Off       []stationOff      `json:"turned_off,omitempty"`
	}
	stationOff struct {
		Patient string    `json:"patient"`
		Rule    string    `json:"rule,omitempty"` // all of them without
		Since   time.Time `json:"since"`
		Cause   string    `json:"cause"`
		Reason  string    `json:"reason"`
	}
	stationDevice struct {
		EPR     string      `json:"epr"`
		Name    string      `json:"name"`
		Link    string      `json:"link"`
		Since   time.Time   `json:"since"`
		Cause   string      `json:"cause,omitempty"`
		Systems []stationMD `json:"systems"`
	}
	stationMD struct {
		MDS         string         `json:"mds"`
		Type        string         `json:"type"`
		Patient     string         `json:"patient"` // association
		ClockOffset *float64       `json:"clock_offset_s,omitempty"`
		Values      []stationValue `json:"values"`
		Alerts      []stationAlert `json:"alerts"` // those that are active
	}
	stationValue struct {
		Handle   string      `json:"handle"`
		Code     string      `json:"code"`
		Site     string      `json:"site,omitempty"`
		Role     string      `json:"role"`
		Label    string      `json:"label"`
		Number   *pm.Decimal `json:"number,omitempty"`
		Text     string      `json:"text,omitempty"`
		Unit     string      `json:"unit,omitempty"`
		UnitCode string      `json:"unit_code"`
		Validity string      `json:"validity"`
		Status   string      `json:"status"`
		Age      float64     `json:"age_s"`
	}
	stationAlert struct {
		Handle       string `json:"handle"`
		Label        string `json:"label"`
		Priority     string `json:"priority"`
		Present      bool   `json:"present"`
		Signals      string `json:"signals"`
		Acknowledged bool   `json:"acknowledged"`
		Stale        bool   `json:"stale"`
	}
	stationGroup struct {
		Key     string        `json:"key"`
		Name    string        `json:"name,omitempty"`
		Systems []station.Ref `json:"systems"`
	}
	stationConflict struct {
		Kind    string        `json:"kind"`
		Text    string        `json:"text"`
		Place   string        `json:"place,omitempty"`
		Systems []station.Ref `json:"systems"`
	}
)

func viewJSON(v *station.View, now time.Time) stationLine {
	line := stationLine{
		Time: now, Version: v.Version, Waiting: append([]string{}, v.Waiting...),
		Devices: []stationDevice{}, Patients: []stationGroup{}, Places: []stationGroup{}, Ensembles: []stationGroup{}, Conflicts: []stationConflict{},
	}
	for _, d := range v.Devices {
		out := stationDevice{EPR: d.EPR, Name: d.Name, Link: string(d.Link.State), Since: d.Link.Since, Cause: d.Link.Cause, Systems: []stationMD{}}
		for _, s := range d.Systems {
			out.Systems = append(out.Systems, systemJSON(s, now))
		}
		line.Devices = append(line.Devices, out)
	}
	for _, p := range v.Patients {
		line.Patients = append(line.Patients, stationGroup{p.Key, p.Name, refsOf(p.Systems)})
	}
	for _, p := range v.Places {
		line.Places = append(line.Places, stationGroup{p.Key, "", refsOf(p.Systems)})
	}
	for _, g := range v.Ensembles {
		line.Ensembles = append(line.Ensembles, stationGroup{g.Key, "", refsOf(g.Systems)})
	}
	for _, c := range v.Conflicts {
		line.Conflicts = append(line.Conflicts, stationConflict{string(c.Kind), c.Text, c.Place, c.Systems})
	}
	return line
}

func systemJSON(s *station.System, now time.Time) stationMD {
	md := stationMD{MDS: s.Handle, Type: s.Type.String(), Patient: string(s.Patient.Association), Values: []stationValue{}, Alerts: []stationAlert{}}
	if s.Clock.Known {
		offset := s.Clock.Offset.Seconds()
		md.ClockOffset = &offset
	}
	for _, v := range s.Values {
		out := stationValue{
			Handle: v.Handle, Code: v.Meaning.Code.String(), Site: v.Meaning.Site, Role: string(v.Meaning.Role), Label: v.Label, Text: v.Text,
			Unit: v.Unit.Text, UnitCode: v.Unit.Code.String(), Validity: string(v.Validity), Status: string(v.Status(now)), Age: v.Age(now).Seconds(),
		}
		if n, ok := v.Number.Get(); ok {
			out.Number = &n
		}
		md.Values = append(md.Values, out)
	}
	for _, a := range s.Alerts {
		if a.Active() {
			md.Alerts = append(md.Alerts, stationAlert{a.Handle, a.Label, string(a.Priority), a.Present, signalsText(a), a.Acknowledged(), a.Stale})
		}
	}
	return md
}

func refsOf(systems []*station.System) []station.Ref {
	out := make([]station.Ref, len(systems))
	for i, s := range systems {
		out[i] = station.Ref{Device: s.Device, Handle: s.Handle}
	}
	return out
}
