package hm

import (
	"fmt"
	"strings"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/mdib/internal/codec"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
)

// Name returns an expanded name in the namespace of the history model.
func Name(local string) xmlscan.Name { return xmlscan.Name{Space: Namespace, Local: local} }

// maxList bounds the entries of the lists in a query.
const maxList = 10_000

// reader reads the elements of this package. Errors of the scanner are sticky, so most of what fails is looked at once, at the end.
type reader struct {
	*xmlscan.Scanner
	opts msg.Options
	d    codec.Decoder
}

func newReader(s *xmlscan.Scanner, opts msg.Options) *reader {
	return &reader{Scanner: s, opts: opts, d: codec.Decoder{S: s, Understands: opts.Understands}}
}

// fail refuses what the scanner stands on.
func (r *reader) fail(format string, a ...any) {
	if r.Err() == nil {
		_ = r.Errorf("%w: "+format, append([]any{xmlscan.ErrContent}, a...)...)
	}
}

func (r *reader) uint(attr string) uint64 {
	b, ok := r.AttrBytes("", attr)
	if !ok {
		r.fail("attribute %s is missing", attr)
		return 0
	}
	v, ok := codec.ParseUint(codec.Trim(b))
	if !ok {
		r.fail("attribute %s is no number", attr)
	}
	return v
}

func (r *reader) instance() (id pm.Opt[uint64]) {
	if _, ok := r.AttrBytes("", "InstanceId"); ok {
		id = pm.Some(r.uint("InstanceId"))
	}
	return id
}

func (r *reader) uri(attr string) string {
	v, ok := r.Attr("", attr)
	if !ok {
		r.fail("attribute %s is missing", attr)
	}
	return strings.TrimSpace(v)
}

func (r *reader) bool() bool {
	b, err := r.TextBytes()
	if err != nil {
		return false
	}
	v, err := r.d.Bool(codec.Trim(b))
	if err != nil {
		r.fail("%v", err)
	}
	return v
}

func (r *reader) list() []string {
	text, _ := r.Text()
	list := strings.Fields(text)
	if len(list) > maxList {
		r.fail("a list of more than %d entries", maxList)
	}
	return list
}

func (r *reader) languages() []pm.Language {
	list := r.list()
	for _, l := range list {
		if _, err := r.d.Language([]byte(l)); err != nil {
			r.fail("%v", err)
		}
	}
	return list
}

func (r *reader) reportType(text string) ReportType {
	t := ReportType(strings.TrimSpace(text))
	if !t.Valid() {
		r.fail("%q is no kind of report", t)
	}
	return t
}

func (r *reader) timeRange() *TimeRange {
	t := &TimeRange{Start: pm.Timestamp(r.uint("StartTime")), End: pm.Timestamp(r.uint("EndTime"))}
	_ = r.Skip()
	return t
}

func (r *reader) versionRange() *VersionRange {
	v := &VersionRange{SequenceID: r.uri("SequenceId"), InstanceID: r.instance(), Start: r.uint("StartVersion"), End: r.uint("EndVersion")}
	_ = r.Skip()
	return v
}

// order of the elements of a query, as the schema has it.
var queryElements = [...]string{"ProvideInitialMdib", "FollowMdsLang", "LanguageFilter", "ReportFilter", "HandleFilter", "Range"}

// DecodeQuery reads the hm:HistoryQuery the scanner stands on and consumes it. Errors are *xmlscan.Error.
func DecodeQuery(s *xmlscan.Scanner) (*Query, error) {
	r := newReader(s, msg.Options{})
	if s.Name() != Name("HistoryQuery") {
		return nil, s.Errorf("%w: %v is no history query", xmlscan.ErrContent, s.Name())
	}
	q := &Query{}
	next := 0
	var initial, ranged bool
	for r.Child() {
		n := r.Name()
		if n.Space != Namespace {
			r.fail("element %v is not allowed here", n)
			break
		}
		at := next
		for at < len(queryElements) && queryElements[at] != n.Local {
			at++
		}
		if at == len(queryElements) {
			r.fail("element %s is not allowed here, or out of order or repeated", n.Local)
			break
		}
		next = at + 1
		switch n.Local {
		case "ProvideInitialMdib":
			initial, q.ProvideInitialMdib = true, r.bool()
		case "FollowMdsLang":
			q.FollowMdsLang = pm.Some(r.bool())
		case "LanguageFilter":
			q.Texts, q.Languages = true, r.languages()
		case "ReportFilter":
			q.Reports = []ReportType{}
			for _, t := range r.list() {
				q.Reports = append(q.Reports, r.reportType(t))
			}
		case "HandleFilter":
			q.Handles = r.list()
			if q.Handles == nil {
				q.Handles = []string{}
			}
		case "Range":
			ranged = true
			q.readRange(r)
		}
	}
	switch {
	case r.Err() != nil:
	case !initial:
		r.fail("element ProvideInitialMdib is missing")
	case !ranged:
		r.fail("element Range is missing")
	}
	return q, r.Err()
}

func (q *Query) readRange(r *reader) {
	n := 0
	for r.Child() {
		n++
		switch r.Name() {
		case Name("Time"):
			q.Time = r.timeRange()
		case Name("Version"):
			q.Version = r.versionRange()
		default:
			r.fail("element %v is not allowed here", r.Name())
		}
	}
	if n != 1 {
		r.fail("Range needs one of Time and Version")
	}
}

// Decode reads the hm:ChangeSequenceReport the scanner stands on and consumes it. Errors are *xmlscan.Error.
func Decode(s *xmlscan.Scanner, opts msg.Options) (*Report, error) {
	if s.Name() != Name("ChangeSequenceReport") {
		return nil, s.Errorf("%w: %v is no change sequence report", xmlscan.ErrContent, s.Name())
	}
	r := newReader(s, opts)
	report := &Report{}
	if b, ok := s.AttrBytes("", "LastReport"); ok {
		v, err := r.d.Bool(codec.Trim(b))
		if err != nil {
			return nil, s.Errorf("attribute LastReport: %w", err)
		}
		report.Last = v
	}
	for r.Child() {
		switch r.Name() {
		case extension:
			_ = report.Extension.DecodeElement(&r.d)
		case Name("ResponseStatus"):
			report.Status = append(report.Status, r.status())
		case Name("ChangeSequence"):
			report.Sequences = append(report.Sequences, r.sequence())
		default:
			r.fail("element %v is not allowed here", r.Name())
		}
	}
	return report, r.Err()
}

var extension = xmlscan.Name{Space: xmlscan.NsExt, Local: "Extension"}

func (r *reader) status() (s Status) {
	for r.Child() {
		n := r.Name()
		if n.Space != Namespace || !StatusKind(n.Local).valid() || s.Kind != "" {
			r.fail("element %v is not allowed here", n)
			break
		}
		s.Kind = StatusKind(n.Local)
		switch s.Kind {
		case StatusLanguagesNotAvailable:
			s.Languages = r.languages()
		case StatusVersionsNotFullyServed:
			s.Version = *r.versionRange()
		case StatusTimeNotFullyServed:
			s.Time = *r.timeRange()
		case StatusIncompleteRecords:
			for r.Child() {
				text, _ := r.Text()
				s.Reports = append(s.Reports, r.reportType(text))
			}
		case StatusOther:
			for r.Child() {
				if r.Name() != Name("Status") {
					_ = r.Skip() // details of any form
					continue
				}
				s.Code, _ = r.Attr("", "StatusCode")
				s.Language, _ = r.Attr("", "Language")
				s.Text, _ = r.Text()
			}
		default:
			_ = r.Skip()
		}
	}
	if s.Kind == "" {
		r.fail("an empty response status")
	}
	return s
}

func (r *reader) sequence() ChangeSequence {
	c := ChangeSequence{SequenceID: r.uri("SequenceId"), InstanceID: r.instance()}
	for r.Child() {
		switch r.Name() {
		case extension:
			_ = c.Extension.DecodeElement(&r.d)
		case Name("HistoricLocalizedTexts"):
			c.Texts = append(c.Texts, r.texts())
		case Name("HistoricMdib"):
			if c.MDIB != nil || len(c.Reports) > 0 {
				r.fail("the MDIB has to come before the reports, once")
				break
			}
			c.MDIB = r.mdib()
		case Name("HistoricReport"):
			c.Reports = append(c.Reports, r.report())
		default:
			r.fail("element %v is not allowed here", r.Name())
		}
	}
	return c
}

func (r *reader) texts() (t HistoricTexts) {
	if _, ok := r.AttrBytes("", "SequenceId"); ok {
		t.SequenceID = r.uri("SequenceId")
	}
	t.InstanceID = r.instance()
	for r.Child() {
		switch r.Name() {
		case extension:
			_ = t.Extension.DecodeElement(&r.d)
		case Name("HistoricLocalizedText"):
			var text pm.LocalizedText
			if text.DecodeElement(&r.d) == nil {
				t.Text = append(t.Text, text)
			}
		default:
			r.fail("element %v is not allowed here", r.Name())
		}
	}
	return t
}

func (r *reader) mdib() *HistoricMdib {
	m := &HistoricMdib{Time: pm.Timestamp(r.uint("Time"))}
	for r.Child() {
		if r.Name() == extension {
			_ = m.Extension.DecodeElement(&r.d)
			continue
		}
		message := r.message()
		response, ok := message.(*msg.GetMdibResponse)
		if message != nil && (!ok || m.Response != nil) {
			r.fail("%s is not allowed here", message.BodyName().Local)
		}
		m.Response = response
	}
	if m.Response == nil {
		r.fail("a historic MDIB without MDIB")
	}
	return m
}

// report reads a HistoricReport. By the schema the message is within an element Report; the examples of the profile leave that out, so both are taken.
func (r *reader) report() HistoricReport {
	h := HistoricReport{Time: pm.Timestamp(r.uint("Time"))}
	take := func() {
		message := r.message()
		if message == nil {
			return
		}
		report, ok := message.(msg.Report)
		if !ok || !ReportType(message.BodyName().Local).Valid() || h.Report != nil {
			r.fail("%s is not allowed here", message.BodyName().Local)
			return
		}
		h.Report = report
	}
	for r.Child() {
		switch r.Name() {
		case extension:
			_ = h.Extension.DecodeElement(&r.d)
		case Name("Report"):
			for r.Child() {
				take()
			}
		default:
			take()
		}
	}
	if h.Report == nil {
		r.fail("a historic report without report")
	}
	return h
}

// message reads a message of BICEPS; nil if it cannot be read.
func (r *reader) message() msg.Message {
	m, err := r.opts.Decode(r.Scanner)
	if err != nil {
		r.fail("%v", err) // usually sticky already
		return nil
	}
	return m
}

// Unmarshal reads a document whose root is a change sequence report.
func Unmarshal(doc []byte, opts msg.Options) (*Report, error) {
	s := xmlscan.NewScanner(doc, opts.Limits)
	if err := s.Root(); err != nil {
		return nil, err
	}
	report, err := Decode(s, opts)
	if err == nil {
		err = s.End()
	}
	if err != nil {
		return nil, fmt.Errorf("reading history: %w", err)
	}
	return report, nil
}
