package provider

import (
	"context"
	"fmt"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/history"
	"github.com/semeco/go-sdc/mdib/hm"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/soap"
	"github.com/semeco/go-sdc/soap/dpws"
	"github.com/semeco/go-sdc/soap/eventing"
)

// maxHistoryMessage is the size in bytes up to which reports of the history share one notification. A single report may be larger.
const maxHistoryMessage = 256 << 10

// Bounds of a query of the history. Each element of its filters is looked for in every change that is kept.
const (
	maxHistoryHandles   = 1000
	maxHistoryLanguages = 64
	maxHistoryReports   = 64 // kinds of report, of which there are seven
)

// historyDescription is the WSDL of the history service (SDPi R0511).
func historyDescription() *dpws.Description {
	return &dpws.Description{TargetNamespace: sdc.NamespaceHistory, PortTypes: []dpws.PortType{{
		Name:          sdc.HistoryService,
		DiscoveryType: xmlscan.Name{Space: sdc.NamespaceServiceProvider, Local: "ServiceProvider"},
		Operations: []dpws.Operation{{
			Name: "HistoricMdibReport", SOAPAction: sdc.ActionHistoricMdibReport,
			Output: &dpws.Message{Name: "HistoricMdibReport", Element: hm.Name("ChangeSequenceReport"), Action: sdc.ActionHistoricMdibReport},
		}},
	}}}
}

// openHistory answers a Subscribe to the history service: one query, asked by the filter, besides which the filter may hold foreign elements (SDPi R0514). What it asks for is
// answered from the log as it is now: nothing that happens later is part of it.
func (p *Provider) openHistory(_ context.Context, r *soap.Request, filter xmlscan.Raw) (eventing.Feed, error) {
	q, err := historyQuery(filter)
	if err != nil {
		f := soap.InvalidMessage(err.Error())
		f.Action = eventing.ActionFault
		return nil, f
	}
	p.publishing.Lock() // so that log and version belong together
	now := p.now()
	view, current := p.changes.View(now), p.store.Load().Version().MdibVersion
	p.publishing.Unlock()
	teller := &historyTeller{query: q, texts: p.cfg.Localization, staticTexts: p.cfg.StaticTexts, waveforms: p.cfg.Log.Waveforms}
	turn := r.Turn()
	return func(yield func(eventing.Notification) bool) {
		if turn.Begin() != nil {
			return // the subscription ends before the last report
		}
		defer turn.End()
		teller.tell(segments(view, current), pm.TimestampOf(now), func(r *hm.Report) bool {
			n := eventing.Notification{Action: sdc.ActionHistoricMdibReport, Body: r.AppendXML(nil)}
			turn.End() // while it is on its way
			return yield(n) && turn.Begin() == nil
		})
	}, nil
}

func historyQuery(filter xmlscan.Raw) (q *hm.Query, err error) {
	s := filter.Scanner()
	if err := s.Root(); err != nil {
		return nil, err
	}
	for s.Child() {
		switch {
		case s.Name().Space != hm.Namespace:
			_ = s.Skip()
		case q != nil:
			return nil, fmt.Errorf("the filter holds more than one HistoryQuery")
		default:
			if q, err = hm.DecodeQuery(s); err != nil {
				return nil, err
			}
		}
	}
	switch {
	case s.Err() != nil:
		return nil, s.Err()
	case q == nil:
		return nil, fmt.Errorf("the filter holds no HistoryQuery")
	case len(q.Handles) > maxHistoryHandles, len(q.Languages) > maxHistoryLanguages, len(q.Reports) > maxHistoryReports:
		return nil, fmt.Errorf("more than %d handles, %d languages or %d kinds of report", maxHistoryHandles, maxHistoryLanguages, maxHistoryReports)
	case q.Time != nil && q.Time.Start > q.Time.End:
		return nil, fmt.Errorf("the range of time ends before it starts")
	case q.Version != nil && q.Version.Start > q.Version.End:
		return nil, fmt.Errorf("the range of versions ends before it starts")
	}
	return q, nil
}

// segment is the part of the log that belongs to one MDIB sequence.
type segment struct {
	base    *mdib.Snapshot
	since   pm.Timestamp // when base began to hold, or the oldest that is known
	last    uint64       // version the segment reaches to; changes that are not kept may have made it
	changes []history.Entry
}

// segments takes a log apart where a new sequence began. current is the version the MDIB has now.
func segments(v history.View, current uint64) []segment {
	out := []segment{{base: v.Base, since: pm.TimestampOf(v.Start), last: v.Base.Version().MdibVersion}}
	for _, e := range v.Entries {
		if e.Change.Kind == mdib.KindNone {
			out = append(out, segment{base: e.Change.After, since: pm.TimestampOf(e.At), last: e.Change.Version.MdibVersion})
			continue
		}
		s := &out[len(out)-1]
		s.changes, s.last = append(s.changes, e), e.Change.Version.MdibVersion
	}
	out[len(out)-1].last = current
	return out
}

// cut leaves of a segment what lies between two points: of the MDIB the newest at or before the first, and the changes after it that are not beyond the last.
// ok is false if nothing of the segment is asked for.
func (s segment) cut(before, beyond func(at pm.Timestamp, version uint64) bool) (_ segment, ok bool) {
	if beyond(s.since, s.base.Version().MdibVersion) {
		return s, false
	}
	first, end := 0, len(s.changes)
	for i, e := range s.changes {
		at, version := pm.TimestampOf(e.At), e.Change.Version.MdibVersion
		if before(at, version) {
			first = i + 1
		}
		if beyond(at, version) {
			end = i
			break
		}
	}
	if first > 0 {
		s.base, s.since = s.changes[first-1].Change.After, pm.TimestampOf(s.changes[first-1].At)
	}
	s.changes = s.changes[min(first, end):end]
	return s, true
}

// pick returns the segments that a query asks for, cut to what it asks for, and what of it cannot be met.
func pick(q *hm.Query, all []segment, now pm.Timestamp) (picked []segment, status []hm.Status) {
	if r := q.Version; r != nil {
		for _, s := range all {
			v := s.base.Version()
			if id, ok := r.InstanceID.Get(); v.SequenceID != r.SequenceID || ok && v.InstanceID != pm.Some(id) {
				continue
			}
			kept := hm.VersionRange{SequenceID: v.SequenceID, InstanceID: v.InstanceID, Start: max(r.Start, v.MdibVersion), End: min(r.End, s.last)}
			// At the first version asked for the MDIB is that of the version itself; without an MDIB its report is wanted.
			cut, ok := s.cut(
				func(_ pm.Timestamp, version uint64) bool {
					return version < r.Start || version == r.Start && q.ProvideInitialMdib
				},
				func(_ pm.Timestamp, version uint64) bool { return version > r.End })
			if !ok || r.Start > s.last {
				continue
			}
			if kept.Start != r.Start || kept.End != r.End {
				status = append(status, hm.Status{Kind: hm.StatusVersionsNotFullyServed, Version: kept})
			}
			picked = append(picked, cut)
		}
		return picked, status
	}
	r := q.Time
	if kept := (hm.TimeRange{Start: max(r.Start, all[0].since), End: min(r.End, now)}); kept != *r && kept.Start <= kept.End {
		status = append(status, hm.Status{Kind: hm.StatusTimeNotFullyServed, Time: kept})
	}
	if r.Start > now {
		return nil, status
	}
	for i, s := range all {
		if i+1 < len(all) && all[i+1].since < r.Start {
			continue // had ended before
		}
		cut, ok := s.cut(
			func(at pm.Timestamp, _ uint64) bool { return at < r.Start || at == r.Start && q.ProvideInitialMdib },
			func(at pm.Timestamp, _ uint64) bool { return at > r.End })
		if ok {
			picked = append(picked, cut)
		}
	}
	return picked, status
}
