package web

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/station"
)

// treeJSON is the containment tree of a device, as a list in which each entry comes after its parent.
type treeJSON struct {
	Device   string      `json:"device"`
	Version  uint64      `json:"mdibVersion"`
	Sequence string      `json:"sequence"`
	Link     linkJSON    `json:"link"`
	Entries  []entryJSON `json:"entries"`
}

type entryJSON struct {
	Handle string `json:"handle"`
	Parent string `json:"parent,omitempty"`
	Kind   string `json:"kind"`
	Label  string `json:"label,omitempty"`
	Code   string `json:"code,omitempty"`
	Depth  int    `json:"depth"`
}

// tree answers GET /api/v1/tree?device=EPR.
func (h *Handler) tree(w http.ResponseWriter, r *http.Request) {
	d := h.cfg.Station.View().Device(r.URL.Query().Get("device"))
	if d == nil || d.MDIB == nil {
		h.refuse(w, r, http.StatusNotFound, "no such device, or not connected yet")
		return
	}
	h.document(w, r, func() any { return treeOf(d) })
}

func treeOf(d *station.Device) *treeJSON {
	version := d.MDIB.Version()
	out := &treeJSON{
		Device: d.EPR, Version: version.MdibVersion, Sequence: version.SequenceID,
		Link: linkJSON{d.Link.State, millis(d.Link.Since), d.Link.Cause}, Entries: []entryJSON{},
	}
	for e := range d.MDIB.Entities() {
		out.Entries = append(out.Entries, entryOf(e))
	}
	return out
}

func entryOf(e mdib.Entity) entryJSON {
	base := e.Descriptor.Base()
	out := entryJSON{Handle: e.Handle, Parent: e.Parent, Kind: strings.TrimSuffix(e.Descriptor.TypeName().Local, "Descriptor"), Depth: e.Depth}
	if base.Type != nil {
		out.Code = station.CodeOf(base.Type).String()
		for _, t := range base.Type.ConceptDescription {
			out.Label = t.Text
			break
		}
		if out.Label == "" {
			out.Label = base.Type.SymbolicCodeName
		}
	}
	return out
}

// trendJSON is a number over hours.
type trendJSON struct {
	Device  string       `json:"device"`
	Handle  string       `json:"handle"`
	Buckets []bucketJSON `json:"buckets"`
}

type bucketJSON struct {
	Begin    millis  `json:"begin"`
	End      millis  `json:"end"`
	Least    float64 `json:"least"`
	Greatest float64 `json:"greatest"`
	Mean     float64 `json:"mean"`
	Count    int     `json:"count"`
}

// trend answers GET /api/v1/trend?device=EPR&handle=HANDLE[&patient=KEY][&since=MS]. With a patient it has only what was determined while the device
// told of that patient: pages of a patient must not show another's trend.
func (h *Handler) trend(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	query := station.Query{Ref: station.Ref{Device: q.Get("device"), Handle: q.Get("handle")}}
	if key := q.Get("patient"); key != "" {
		if query.Patient = h.cfg.Station.View().Patient(key); query.Patient == nil {
			h.refuse(w, r, http.StatusNotFound, "no such patient")
			return
		}
	}
	if since := q.Get("since"); since != "" {
		ms, err := strconv.ParseInt(since, 10, 64)
		if err != nil {
			h.refuse(w, r, http.StatusBadRequest, "since is milliseconds since 1970")
			return
		}
		query.Since = time.UnixMilli(ms)
	}
	h.document(w, r, func() any {
		out := trendJSON{Device: query.Device, Handle: query.Handle, Buckets: []bucketJSON{}}
		for _, b := range h.cfg.Station.Trend(query) {
			out.Buckets = append(out.Buckets, bucketJSON{millis(b.Begin), millis(b.End), b.Least, b.Greatest, b.Mean, b.Count})
		}
		return out
	})
}

// view answers GET /api/v1/view: structure and all values in one document.
func (h *Handler) view(w http.ResponseWriter, r *http.Request) {
	h.document(w, r, h.everything)
}

func (h *Handler) everything() any {
	v, now := h.cfg.Station.View(), time.Now()
	s := structureOf(v, h.cfg.Title, h.control != nil)
	s.Version, s.Time = v.Version, millis(now)
	all := []valueJSON{}
	for _, d := range v.Devices {
		for _, sys := range d.Systems {
			for _, m := range sys.Values {
				all = append(all, valueOf(m, m.Status(now)))
			}
		}
	}
	return struct {
		*structure
		Values []valueJSON `json:"values"`
	}{s, all}
}
