package provider

import (
	"slices"
	"strings"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/hm"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/localization"
)

// historyTeller writes the answer to one query.
type historyTeller struct {
	query       *hm.Query
	texts       *localization.Catalogue
	staticTexts bool
	waveforms   bool

	handles map[string]bool // those of the query; nil: all
	sent    map[pm.LocalizedText]bool
	scratch []byte
}

// tell gives the answer in pieces until it is complete or send returns false: status and MDIB first (SDPi R0520), then the changes in their order (SDPi R0521, R0522), each
// sequence by itself (SDPi R0523), and at last a report that says so (SDPi R0524).
func (t *historyTeller) tell(all []segment, now pm.Timestamp, send func(*hm.Report) bool) {
	if t.query.Handles != nil {
		t.handles = make(map[string]bool, len(t.query.Handles))
		for _, h := range t.query.Handles {
			t.handles[h] = true
		}
	}
	picked, status := pick(t.query, all, now)
	if len(picked) == 0 {
		status = append(status, hm.Status{Kind: hm.StatusOther, Text: "nothing of what was asked for is kept", Language: "en"})
	}
	status = append(status, t.notes()...)
	for _, s := range picked {
		if !t.tellSegment(s, status, send) {
			return
		}
		status = nil
	}
	send(&hm.Report{Status: status, Last: true})
}

// notes tells what of the query is not supported.
func (t *historyTeller) notes() (status []hm.Status) {
	if !t.waveforms && t.query.Wants(hm.WaveformStream) {
		status = append(status, hm.Status{Kind: hm.StatusIncompleteRecords, Reports: []hm.ReportType{hm.WaveformStream}})
	}
	follow := t.query.FollowMdsLang.Or(false)
	if !t.query.Texts && !follow {
		return status
	}
	if t.texts != nil && t.staticTexts {
		return append(status, hm.Status{Kind: hm.StatusLocalizedTextsAreStatic})
	}
	if t.texts == nil && follow {
		status = append(status, hm.Status{Kind: hm.StatusFollowMdsLangNotSupported})
	}
	var missing []pm.Language
	for _, l := range t.query.Languages {
		if t.texts == nil || !slices.ContainsFunc(t.texts.Languages(), func(have pm.Language) bool { return strings.EqualFold(have, l) }) {
			missing = append(missing, l)
		}
	}
	if len(missing) > 0 {
		status = append(status, hm.Status{Kind: hm.StatusLanguagesNotAvailable, Languages: missing})
	}
	return status
}

func (t *historyTeller) tellSegment(s segment, status []hm.Status, send func(*hm.Report) bool) bool {
	v := s.base.Version()
	t.sent = map[pm.LocalizedText]bool{}
	piece := func() hm.ChangeSequence { return hm.ChangeSequence{SequenceID: v.SequenceID, InstanceID: v.InstanceID} }
	c, size := piece(), 0
	flush := func() bool {
		if len(c.Texts) == 0 && c.MDIB == nil && len(c.Reports) == 0 && status == nil {
			return true
		}
		report := &hm.Report{Status: status, Sequences: []hm.ChangeSequence{c}}
		status = nil
		c, size = piece(), 0
		return send(report)
	}
	if t.query.ProvideInitialMdib {
		m := s.base.Mdib()
		response := &msg.GetMdibResponse{Mdib: *m}
		response.MdibVersionGroup = v.Group()
		t.addTexts(&c, s.base, m)
		c.MDIB = &hm.HistoricMdib{Time: s.since, Response: response}
		if !flush() {
			return false
		}
	}
	for _, e := range s.changes {
		report := e.Change.Report()
		if !t.query.Wants(hm.ReportType(report.BodyName().Local)) || !t.concerns(e.Change) {
			continue
		}
		t.scratch = report.AppendXML(t.scratch[:0])
		// Texts hold for what follows in the same notification, so that new ones begin another.
		if n := t.newTexts(e.Change.After, report); len(n) > 0 {
			if !flush() {
				return false
			}
			c.Texts = append(c.Texts, hm.HistoricTexts{SequenceID: v.SequenceID, InstanceID: v.InstanceID, Text: n})
		} else if size > 0 && size+len(t.scratch) > maxHistoryMessage && !flush() {
			return false
		}
		c.Reports = append(c.Reports, hm.HistoricReport{Time: pm.TimestampOf(e.At), Report: report})
		size += len(t.scratch)
	}
	return flush()
}

// concerns tells whether a change is about one of the handles asked for, or about something below one.
func (t *historyTeller) concerns(c *mdib.Change) bool {
	if t.handles == nil {
		return true
	}
	asked := func(snap *mdib.Snapshot, handle string) bool {
		for ok := true; ok && handle != ""; handle, ok = snap.Parent(handle) {
			if t.handles[handle] {
				return true
			}
		}
		return false
	}
	for i := range c.States {
		s := &c.States[i]
		if t.handles[s.Handle] || asked(c.After, s.After.BaseState().DescriptorHandle) {
			return true
		}
	}
	for i := range c.Descriptors {
		d := &c.Descriptors[i]
		if t.handles[d.Handle] || asked(c.After, d.Parent) {
			return true
		}
	}
	return false
}

func (t *historyTeller) addTexts(c *hm.ChangeSequence, snap *mdib.Snapshot, part any) {
	if n := t.newTexts(snap, part); len(n) > 0 {
		c.Texts = append(c.Texts, hm.HistoricTexts{SequenceID: c.SequenceID, InstanceID: c.InstanceID, Text: n})
	}
}

// newTexts returns the texts that a part of the MDIB refers to, in the languages asked for, that have not been sent yet (SDPi R0517).
func (t *historyTeller) newTexts(snap *mdib.Snapshot, part any) (out []pm.LocalizedText) {
	if t.texts == nil || t.staticTexts || !t.query.Texts && !t.query.FollowMdsLang.Or(false) {
		return nil
	}
	request := &msg.GetLocalizedText{}
	if !t.query.Texts || len(t.query.Languages) > 0 {
		request.Lang = slices.Clone(t.query.Languages)
		if t.query.FollowMdsLang.Or(false) {
			for h := range snap.Roots() {
				if s, ok := mdib.Get[*pm.MdsState](snap, h); ok {
					request.Lang = append(request.Lang, s.LangOrDefault())
				}
			}
		}
	}
	localization.References(part, func(ref pm.LocalizedText) {
		request.Ref, request.Version = []pm.LocalizedTextRef{ref.Ref}, ref.Version
		for _, text := range t.texts.Select(request) {
			if !t.sent[text] {
				t.sent[text] = true
				out = append(out, text)
			}
		}
	})
	return out
}
