package hm

import (
	"slices"
	"strings"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/mdib/pm"
)

// declarations are the prefixes that the elements of this package use; messages inside declare theirs.
const declarations = ` xmlns:hm="` + Namespace + `" xmlns:pm="` + xmlscan.NsPM + `" xmlns:ext="` + xmlscan.NsExt + `" xmlns:xsi="` + xmlscan.NsXSI + `"`

// AppendXML appends the query with the prefixes it uses declared.
func (q *Query) AppendXML(b []byte) []byte {
	b = append(b, "<hm:HistoryQuery"+declarations+">"...)
	b = appendBool(b, "hm:ProvideInitialMdib", q.ProvideInitialMdib)
	if v, ok := q.FollowMdsLang.Get(); ok {
		b = appendBool(b, "hm:FollowMdsLang", v)
	}
	if q.Texts {
		b = xmlscan.AppendElement(b, "hm:LanguageFilter", strings.Join(q.Languages, " "))
	}
	if q.Reports != nil {
		b = xmlscan.AppendElement(b, "hm:ReportFilter", joinTypes(q.Reports))
	}
	if q.Handles != nil {
		b = xmlscan.AppendElement(b, "hm:HandleFilter", strings.Join(q.Handles, " "))
	}
	b = append(b, "<hm:Range>"...)
	if q.Time != nil {
		b = q.Time.append(b, "hm:Time")
	}
	if q.Version != nil {
		b = q.Version.append(b, "hm:Version")
	}
	return append(b, "</hm:Range></hm:HistoryQuery>"...)
}

func joinTypes(list []ReportType) string {
	text := make([]string, len(list))
	for i, t := range list {
		text[i] = string(t)
	}
	return strings.Join(text, " ")
}

func appendBool(b []byte, name string, v bool) []byte {
	b = xmlscan.AppendStart(b, name)
	b = append(b, '>')
	b = xmlscan.AppendBool(b, v)
	return xmlscan.AppendEnd(b, name)
}

func (r *TimeRange) append(b []byte, name string) []byte {
	b = xmlscan.AppendStart(b, name)
	b = xmlscan.AppendAttrUint(b, "StartTime", uint64(r.Start))
	b = xmlscan.AppendAttrUint(b, "EndTime", uint64(r.End))
	return append(b, "/>"...)
}

func (r *VersionRange) append(b []byte, name string) []byte {
	b = xmlscan.AppendStart(b, name)
	b = appendSequence(b, r.SequenceID, r.InstanceID)
	b = xmlscan.AppendAttrUint(b, "StartVersion", r.Start)
	b = xmlscan.AppendAttrUint(b, "EndVersion", r.End)
	return append(b, "/>"...)
}

func appendSequence(b []byte, sequence string, instance pm.Opt[uint64]) []byte {
	b = xmlscan.AppendAttr(b, "SequenceId", sequence)
	if id, ok := instance.Get(); ok {
		b = xmlscan.AppendAttrUint(b, "InstanceId", id)
	}
	return b
}

// AppendXML appends the report with the prefixes it uses declared.
func (r *Report) AppendXML(b []byte) []byte {
	b = append(b, "<hm:ChangeSequenceReport"+declarations...)
	if r.Last {
		b = append(b, ` LastReport="true"`...)
	}
	b = append(b, '>')
	b = r.Extension.AppendElement(b)
	for i := range r.Status {
		b = r.Status[i].append(b)
	}
	for i := range r.Sequences {
		b = r.Sequences[i].append(b)
	}
	return xmlscan.AppendEnd(b, "hm:ChangeSequenceReport")
}

func (s *Status) append(b []byte) []byte {
	name := "hm:" + string(s.Kind)
	b = append(b, "<hm:ResponseStatus>"...)
	switch s.Kind {
	case StatusLanguagesNotAvailable:
		b = xmlscan.AppendElement(b, name, strings.Join(s.Languages, " "))
	case StatusVersionsNotFullyServed:
		b = s.Version.append(b, name)
	case StatusTimeNotFullyServed:
		b = s.Time.append(b, name)
	case StatusIncompleteRecords:
		b = append(b, "<hm:IncompleteRecords>"...)
		for _, t := range s.Reports {
			b = xmlscan.AppendElement(b, "hm:ReportType", string(t))
		}
		b = append(b, "</hm:IncompleteRecords>"...)
	case StatusOther:
		b = append(b, "<hm:Other><hm:Status"...)
		if s.Code != "" {
			b = xmlscan.AppendAttr(b, "StatusCode", s.Code)
		}
		if s.Language != "" {
			b = xmlscan.AppendAttr(b, "Language", s.Language)
		}
		b = append(b, '>')
		b = xmlscan.AppendText(b, s.Text)
		b = append(b, "</hm:Status></hm:Other>"...)
	default:
		b = xmlscan.AppendStart(b, name)
		b = append(b, "/>"...)
	}
	return append(b, "</hm:ResponseStatus>"...)
}

func (c *ChangeSequence) append(b []byte) []byte {
	b = xmlscan.AppendStart(b, "hm:ChangeSequence")
	b = appendSequence(b, c.SequenceID, c.InstanceID)
	b = append(b, '>')
	b = c.Extension.AppendElement(b)
	for i := range c.Texts {
		b = c.Texts[i].append(b)
	}
	if m := c.MDIB; m != nil {
		b = xmlscan.AppendStart(b, "hm:HistoricMdib")
		b = xmlscan.AppendAttrUint(b, "Time", uint64(m.Time))
		b = append(b, '>')
		b = m.Extension.AppendElement(b)
		b = m.Response.AppendXML(b)
		b = xmlscan.AppendEnd(b, "hm:HistoricMdib")
	}
	for i := range c.Reports {
		r := &c.Reports[i]
		b = xmlscan.AppendStart(b, "hm:HistoricReport")
		b = xmlscan.AppendAttrUint(b, "Time", uint64(r.Time))
		b = append(b, '>')
		b = r.Extension.AppendElement(b)
		b = append(b, "<hm:Report>"...)
		b = r.Report.AppendXML(b)
		b = append(b, "</hm:Report></hm:HistoricReport>"...)
	}
	return xmlscan.AppendEnd(b, "hm:ChangeSequence")
}

func (t *HistoricTexts) append(b []byte) []byte {
	b = xmlscan.AppendStart(b, "hm:HistoricLocalizedTexts")
	if t.SequenceID != "" {
		b = xmlscan.AppendAttr(b, "SequenceId", t.SequenceID)
	}
	if id, ok := t.InstanceID.Get(); ok {
		b = xmlscan.AppendAttrUint(b, "InstanceId", id)
	}
	b = append(b, '>')
	b = t.Extension.AppendElement(b)
	for i := range t.Text {
		b = t.Text[i].AppendElement(b, "hm:HistoricLocalizedText", "")
	}
	return xmlscan.AppendEnd(b, "hm:HistoricLocalizedTexts")
}

// Wants tells whether a kind of report is asked for.
func (q *Query) Wants(t ReportType) bool { return q.Reports == nil || slices.Contains(q.Reports, t) }
