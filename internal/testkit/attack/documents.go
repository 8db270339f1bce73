package attack

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"

	"github.com/semeco/go-sdc/sdc"
)

// gzipBomb is 256 MB of blanks in about a megabyte. Only the first is compressed: its blocks end at a byte and refer to blanks alone, so they may
// follow one another. To compress all of it takes longer than an attack may last where the race detector is on and the machine is busy.
func gzipBomb() []byte {
	const times = 1 << 8
	blank := bytes.Repeat([]byte(" "), 1<<20)
	var blocks bytes.Buffer
	zw, _ := flate.NewWriter(&blocks, flate.BestSpeed) // the level is valid
	_, _ = zw.Write(blank)
	_ = zw.Flush()
	sum := crc32.NewIEEE()
	for range times {
		_, _ = sum.Write(blank)
	}
	bomb := []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff} // RFC 1952, 2.3
	bomb = append(bomb, bytes.Repeat(blocks.Bytes(), times)...)
	bomb = append(bomb, 1, 0, 0, 0xff, 0xff) // the last block, stored and empty
	bomb = binary.LittleEndian.AppendUint32(bomb, sum.Sum32())
	return binary.LittleEndian.AppendUint32(bomb, times<<20)
}

// documents are XML and SOAP that no honest peer sends.
func documents() []Attack {
	good := func() string { return string(envelope(transferGet, "", "")) }
	body := func(inner string) []byte { return envelope(transferGet, "", inner) }
	header := func(block string) []byte { return envelope(transferGet, block, "") }
	doc := func(area, name, about string, make func() []byte) Attack {
		return Attack{name, area, about + "; refused", false, func(ctx context.Context, t *Target) error {
			if err := t.refused(ctx, t.path(), make()); err != nil {
				return err
			}
			return t.alive(ctx)
		}}
	}
	xml := func(name, about string, make func() []byte) Attack { return doc("XML", name, about, make) }
	soap := func(name, about string, make func() []byte) Attack { return doc("SOAP", name, about, make) }
	return []Attack{
		xml("entity-bomb", "a document type with entities that grow exponentially", func() []byte {
			var dtd strings.Builder
			dtd.WriteString(`<!DOCTYPE l [<!ENTITY l0 "lol">`)
			for i := range 20 {
				fmt.Fprintf(&dtd, `<!ENTITY l%d "%s">`, i+1, strings.Repeat(fmt.Sprintf("&l%d;", i), 10))
			}
			return []byte(dtd.String() + "]>" + strings.Replace(good(), "</s12:Body>", "&l20;</s12:Body>", 1))
		}),
		xml("external-entity", "an entity that names a file", func() []byte {
			return []byte(`<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>` + strings.Replace(good(), "</s12:Body>", "&f;</s12:Body>", 1))
		}),
		xml("undefined-entity", "an entity that nobody defined", func() []byte { return body("<a>&nope;</a>") }),
		xml("deep-nesting", "a million elements in one another", func() []byte { return body(strings.Repeat("<a>", 1_000_000)) }),
		xml("many-attributes", "an element with 100 000 attributes", func() []byte {
			var b strings.Builder
			b.WriteString("<a")
			for i := range 100_000 {
				fmt.Fprintf(&b, ` a%d=""`, i)
			}
			return body(b.String() + "/>")
		}),
		xml("many-namespaces", "10 000 namespace declarations", func() []byte {
			var b strings.Builder
			b.WriteString("<a")
			for i := range 10_000 {
				fmt.Fprintf(&b, ` xmlns:n%d="urn:%d"`, i, i)
			}
			return body(b.String() + "/>")
		}),
		xml("huge-name", "an element name of a megabyte", func() []byte { return body("<" + strings.Repeat("a", 1<<20) + "/>") }),
		xml("huge-attribute", "an attribute of three megabytes where none is expected", func() []byte {
			return []byte(strings.Replace(good(), "<s12:Body", `<s12:Body s12:a="`+strings.Repeat("a", 3<<20)+`"<`, 1))
		}),
		xml("bad-utf-8", "bytes that are no UTF-8", func() []byte { return body("<a>\xff\xfe\xc0\x80</a>") }),
		xml("utf-16", "UTF-16 that the HTTP header calls UTF-8", func() []byte {
			out := []byte{0xff, 0xfe}
			for _, b := range []byte(good()) {
				out = append(out, b, 0)
			}
			return out
		}),
		xml("wrong-declaration", "a declaration of another encoding", func() []byte {
			return []byte(`<?xml version="1.0" encoding="EBCDIC-US"?>` + good())
		}),
		xml("duplicate-attributes", "the same attribute twice, once by another prefix", func() []byte {
			return body(`<a xmlns:p="urn:x" xmlns:q="urn:x" p:a="1" q:a="2"/>`)
		}),
		xml("undeclared-prefix", "a prefix that nobody declared", func() []byte { return body("<zz:a/>") }),
		xml("mismatched-tags", "tags that do not match", func() []byte { return body("<a><b></a></b>") }),
		xml("second-root", "a second root behind the first", func() []byte { return []byte(good() + good()) }),
		xml("control-characters", "characters that XML forbids", func() []byte { return body("<a>\x00\x01&#0;</a>") }),
		xml("truncated-document", "a document without its end", func() []byte { return []byte(good()[:len(good())/2]) }),
		xml("million-elements", "1.3 million empty elements", func() []byte { return body(strings.Repeat("<a/>", 1_000_000)) }),
		xml("not-xml", "a document of another kind", func() []byte { return []byte(`{"xml": false}`) }),

		soap("wrong-version", "SOAP 1.1", func() []byte {
			return []byte(strings.Replace(good(), "http://www.w3.org/2003/05/soap-envelope", "http://schemas.xmlsoap.org/soap/envelope/", 1))
		}),
		soap("not-understood", "a header block that must be understood and cannot be", func() []byte {
			return header(`<x:evil xmlns:x="urn:x" s12:mustUnderstand="true"/>`)
		}),
		soap("header-block-flood", "100 000 header blocks", func() []byte {
			return header(strings.Repeat(`<x:a xmlns:x="urn:x"/>`, 100_000))
		}),
		soap("no-action", "no action", func() []byte {
			return []byte(`<s12:Envelope xmlns:s12="http://www.w3.org/2003/05/soap-envelope"><s12:Body/></s12:Envelope>`)
		}),
		soap("two-actions", "two actions", func() []byte {
			return header(`<wsa:Action>urn:other</wsa:Action>`)
		}),
		soap("unknown-action", "an action of 64 KB that nobody has", func() []byte {
			return envelope("urn:"+strings.Repeat("a", 64<<10), "", "")
		}),
		soap("answer-elsewhere", "an answer to be sent to a third party", func() []byte {
			return header(`<wsa:ReplyTo><wsa:Address>http://192.0.2.99/victim</wsa:Address></wsa:ReplyTo>`)
		}),
		soap("fault-elsewhere", "faults to be sent to a third party", func() []byte {
			return header(`<wsa:FaultTo><wsa:Address>http://192.0.2.99/victim</wsa:Address></wsa:FaultTo>`)
		}),
		soap("huge-identifier", "a message with an identifier of 3 MB, which the answer would repeat", func() []byte {
			return []byte(strings.Replace(good(), "urn:uuid:", "urn:"+strings.Repeat("x", 3_000_000), 1))
		}),
		soap("parameter-flood", "an answer that has to repeat 5 000 reference parameters", func() []byte {
			return header(`<wsa:ReplyTo><wsa:Address>http://www.w3.org/2005/08/addressing/anonymous</wsa:Address><wsa:ReferenceParameters>` + strings.Repeat("<a>&lt;</a>", 5_000) + `</wsa:ReferenceParameters></wsa:ReplyTo>`)
		}),
		{"handle-flood", "BICEPS", "GetMdState with 20 000 handles that do not exist; an answer without states, or refused", false, func(ctx context.Context, t *Target) error {
			return t.tolerated(ctx, t.GetPath, envelope(nsGlue+"/GetService/GetMdState", "",
				"<msg:GetMdState>"+strings.Repeat("<msg:HandleRef>no.such.handle</msg:HandleRef>", 20_000)+"</msg:GetMdState>"))
		}},
		{"archive-flood", "BICEPS", "20 requests at once for all revisions of all states that are kept; answered one after the other, or refused", false, func(ctx context.Context, t *Target) error {
			return t.atOnce(ctx, 20, t.path()+"/Archive", envelope(sdc.ActionGetStatesFromArchive, "", `<msg:GetStatesFromArchive><msg:TimeFrame/></msg:GetStatesFromArchive>`))
		}},
		{"history-flood", "BICEPS", "20 subscriptions at once to all that is kept about 100 000 handles that do not exist; refused", false, func(ctx context.Context, t *Target) error {
			return t.atOnce(ctx, 20, t.path()+"/History", envelope("http://schemas.xmlsoap.org/ws/2004/08/eventing/Subscribe", "", `<wse:Subscribe><wse:Delivery><wse:NotifyTo><wsa:Address>https://127.0.0.1:9/</wsa:Address></wse:NotifyTo></wse:Delivery>`+
				`<wse:Filter Dialect="`+sdc.DialectHistory+`"><hm:HistoryQuery xmlns:hm="urn:oid:1.3.6.1.4.1.19376.1.6.2.10.1.3.2"><hm:ProvideInitialMdib>false</hm:ProvideInitialMdib><hm:HandleFilter>`+
				strings.Repeat("no.such.handle ", 100_000)+`</hm:HandleFilter><hm:Range><hm:TimeRange StartTime="0" EndTime="9223372036854775807"/></hm:Range></hm:HistoryQuery></wse:Filter></wse:Subscribe>`))
		}},
		{"unknown-operation", "BICEPS", "SetValue of an operation that does not exist; Fail, or a fault", false, func(ctx context.Context, t *Target) error {
			return t.tolerated(ctx, t.SetPath, setValue("no.such.operation", "1"))
		}},
		{"endless-number", "BICEPS", "SetValue with a number of a million digits; refused or Fail", false, func(ctx context.Context, t *Target) error {
			return t.tolerated(ctx, t.SetPath, setValue(t.Operation, strings.Repeat("9", 1_000_000)))
		}},
		{"huge-text", "BICEPS", "a patient with a name of 3 MB, which every reader of the MDIB would get; refused", false, func(ctx context.Context, t *Target) error {
			return t.refused(ctx, t.EventPath, setPatient(`<pm:CoreData><pm:Givenname>`+strings.Repeat("x", 3_000_000)+`</pm:Givenname></pm:CoreData>`))
		}},
		{"short-elements", "BICEPS", "a patient with 250 000 validators, each of which takes ten times the memory of its XML; refused", false, func(ctx context.Context, t *Target) error {
			return t.refused(ctx, t.EventPath, setPatient(strings.Repeat(`<pm:Validator/>`, 250_000)))
		}},
		{"not-a-number", "BICEPS", "SetValue with NaN; refused", false, func(ctx context.Context, t *Target) error {
			return t.refused(ctx, t.SetPath, setValue(t.Operation, "NaN"))
		}},
		{"unknown-type", "BICEPS", "a state of a type that nobody has; refused", false, func(ctx context.Context, t *Target) error {
			return t.refused(ctx, t.SetPath, envelope(nsGlue+"/SetService/SetMetricState", "", `<msg:SetMetricState xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:x="urn:x">`+
				`<msg:OperationHandleRef>`+t.Operation+`</msg:OperationHandleRef><msg:ProposedMetricState xsi:type="x:Evil" DescriptorHandle="a"/></msg:SetMetricState>`))
		}},
	}
}

const nsGlue = "http://standards.ieee.org/downloads/11073/11073-20701-2018"

func setValue(operation, value string) []byte {
	return envelope(nsGlue+"/SetService/SetValue", "", "<msg:SetValue><msg:OperationHandleRef>"+operation+
		"</msg:OperationHandleRef><msg:RequestedNumericValue>"+value+"</msg:RequestedNumericValue></msg:SetValue>")
}

// setPatient asks for a new patient.
func setPatient(content string) []byte {
	return envelope(nsGlue+"/ContextService/SetContextState", "", `<msg:SetContextState xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:pm="http://standards.ieee.org/downloads/11073/11073-10207-2017/participant">`+
		`<msg:OperationHandleRef>patient.set</msg:OperationHandleRef><msg:ProposedContextState xsi:type="pm:PatientContextState" DescriptorHandle="pat" Handle="pat">`+content+`</msg:ProposedContextState></msg:SetContextState>`)
}

// tolerated sends what may be answered in any orderly way, as long as the device goes on.
func (t *Target) tolerated(ctx context.Context, path string, doc []byte) error {
	for n := 1; ; n++ {
		status, answer, err := t.post(ctx, path, doc)
		switch {
		case err != nil:
			return err
		case status == 0 && n < tries: // the connection may have made room for those of another attack, or the answer may have been lost
		case status == 0, status == 500 && bytes.Contains(answer, []byte("internal error")):
			return fmt.Errorf("answered %d (0: closed), tried %d times: %.200s", status, n, answer)
		default:
			return t.alive(ctx)
		}
	}
}

// atOnce sends a document on many connections at the same time, and accepts any orderly answer to each.
func (t *Target) atOnce(ctx context.Context, n int, path string, doc []byte) error {
	errs := make(chan error, n)
	for range n {
		go func() {
			status, answer, err := t.post(ctx, path, doc)
			if status == 500 && bytes.Contains(answer, []byte("internal error")) {
				err = fmt.Errorf("answered %d: %.200s", status, answer)
			}
			errs <- err
		}()
	}
	var err error
	for range n {
		err = errors.Join(err, <-errs)
	}
	return errors.Join(err, t.alive(ctx))
}
