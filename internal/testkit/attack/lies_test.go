package attack

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/soap"
	"github.com/semeco/go-sdc/soap/eventing"
)

// lie is one way in which a device can be hostile or broken.
type lie struct {
	name, area, about string
	// test shows it, if it is not run here: the package below the module, and the test.
	test string
	run  func(s *scene)
}

func lies() []lie {
	var all []lie
	for _, group := range [][]lie{identities(), answersThatAreNone(), answersOfTheWrongKind(), addresses(), models(), notifications(), subscriptionsOfLiars(), operations(), announcements()} {
		all = append(all, group...)
	}
	return all
}

// identities are lies about who somebody is. They are told over TLS, and shown where that is tested.
func identities() []lie {
	const area = "TLS"
	shown := func(name, about, test string) lie { return lie{name: name, area: area, about: about, test: test} }
	const rules, binding = "sdc `TestMutualTLS", "sdc/pairtest `TestBinding"
	return []lie{
		shown("foreign-authority", "a certificate of an authority that nobody knows; refused", rules+"/device_of_other_authority`"),
		shown("expired", "a certificate that has expired; refused", rules+"/expired_device`"),
		shown("not-yet-valid", "a certificate that is not valid yet; refused", "sdc `TestClock`"),
		shown("no-purpose", "a certificate without an SDC key purpose; refused", rules+"/device_without_purpose`"),
		shown("consumer-as-device", "a consumer's certificate used as a device's; refused", rules+"/consumer_as_device`"),
		shown("revoked", "a certificate that the lists revoke; refused", "sdc `TestRevokedPeersAreRefused`"),
		shown("no-longer-trusted", "a certificate that lands on a list while the connection is open; nothing more is sent or believed", "sdc/pairtest `TestEstablishedPeersThatAreNoLongerTrusted`"),
		shown("wrong-binding", "a trusted device that answers for the EPR of another; refused where certificates are bound", binding+"/epr_of_another`"),
		shown("place-taken", "a trusted device that takes the EPR of one that is away; the consumer does not follow it", "sdc/pairtest `TestNobodyElseTakesThePlaceOfADevice`"),
		shown("forged-report", "a trusted device that knows where another's notifications go, and sends some; 403, nothing is believed", "sdc/pairtest `TestNobodyElseReportsForADevice`"),
		shown("forged-end", "the same with the end of a subscription; 403, the subscription goes on", "sdc/pairtest `TestNobodyElseReportsForADevice`"),
		shown("silent-handshake", "a handshake that is never finished; given up in time", "soap `TestHandshakeThatIsNeverFinished`"),
		shown("refused-late", "a peer that refuses the consumer after the handshake; told as a refusal, not as a broken connection", "soap `TestRefusalIsToldWhateverBreaksFirst`"),
	}
}

// told is an answer that is no answer: with it the consumer cannot connect, and a link that exists heals once it is over.
func told(name, area, about string, deed func(x *exchange) bool, check func(t *testing.T, err error)) lie {
	return lie{name: name, area: area, about: about, run: func(s *scene) {
		s.liar.lie(func(l *liar) { l.request = deed })
		_, err := s.connect()
		require.Error(s.t, err)
		if check != nil {
			check(s.t, err)
		}
		s.liar.honest()
		d, err := s.connect()
		require.NoError(s.t, err)
		var times atomic.Int32
		s.liar.lie(func(l *liar) {
			l.request = func(x *exchange) bool {
				if times.Add(1) <= 2 { // some cost seconds of real time
					return deed(x)
				}
				x.w.WriteHeader(http.StatusServiceUnavailable)
				return true
			}
		})
		commit(s.t, s.liar.dev, 1)
		pass(40 * time.Second)
		require.NotEqual(s.t, consumer.Lost, d.Link().State)
		s.liar.honest()
		s.settled(d)
		require.NoError(s.t, d.Close(s.t.Context()))
	}}
}

func isErr(target error) func(*testing.T, error) {
	return func(t *testing.T, err error) { require.ErrorIs(t, err, target) }
}

func isType[T error]() func(*testing.T, error) {
	return func(t *testing.T, err error) {
		var target T
		require.ErrorAs(t, err, &target)
	}
}

const httpOK = "HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml; charset=utf-8\r\n"

// answersThatAreNone are those that come too slowly, are too long, or are no HTTP.
func answersThatAreNone() []lie {
	const area = "answers"
	every := func(text string) func(net.Conn) {
		return func(c net.Conn) {
			for {
				if _, err := io.WriteString(c, text); err != nil {
					return
				}
				pass(time.Second)
			}
		}
	}
	late := isErr(context.DeadlineExceeded)
	return []lie{
		told("silent", area, "connections are accepted and nothing is ever said; given up after `RequestTimeout`",
			func(x *exchange) bool { return x.raw("", nil) }, late),
		told("slow-header", area, "a header of one line a second without an end; given up after `RequestTimeout`",
			func(x *exchange) bool { return x.raw("HTTP/1.1 200 OK\r\n", every("X: y\r\n")) }, late),
		told("slow-body", area, "a body of one byte a second; given up after `RequestTimeout`",
			func(x *exchange) bool { return x.raw(httpOK+"Content-Length: 100000\r\n\r\n", every(" ")) }, late),
		told("endless-body", area, "chunks without an end; refused beyond 16 MiB",
			func(x *exchange) bool {
				return x.raw(httpOK+"Transfer-Encoding: chunked\r\n\r\n", func(c net.Conn) {
					chunk := "10000\r\n" + strings.Repeat(" ", 0x10000) + "\r\n"
					for {
						if _, err := io.WriteString(c, chunk); err != nil {
							return
						}
					}
				})
			}, isErr(soap.ErrTooLarge)),
		told("announced-giant", area, "a body of 1 TB announced; refused before any of it is read",
			func(x *exchange) bool { return x.raw(httpOK+"Content-Length: 1000000000000\r\n\r\n", nil) }, isErr(soap.ErrTooLarge)),
		told("gzip-bomb", area, "256 MB in a quarter of a megabyte of gzip; refused, not inflated",
			func(x *exchange) bool {
				x.w.Header().Set("Content-Encoding", "gzip")
				return x.document(gzipBomb())
			}, isErr(soap.ErrTooLarge)),
		told("gzip-garbage", area, "random bytes that claim to be gzip; refused",
			func(x *exchange) bool {
				x.w.Header().Set("Content-Encoding", "gzip")
				return x.document([]byte("no gzip at all"))
			}, isErr(gzip.ErrHeader)),
		told("unknown-coding", area, "a content coding that was not offered; refused",
			func(x *exchange) bool {
				x.w.Header().Set("Content-Encoding", "br")
				return x.document([]byte("x"))
			}, nil),
		told("huge-header", area, "a header line of a megabyte; refused",
			func(x *exchange) bool {
				return x.raw("HTTP/1.1 200 OK\r\nX: ", func(c net.Conn) { _, _ = io.WriteString(c, strings.Repeat("x", 1<<20)) })
			}, nil),
		told("continues-for-ever", area, "100 Continue again and again; refused",
			func(x *exchange) bool {
				return x.raw("", func(c net.Conn) {
					for {
						if _, err := io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n"); err != nil {
							return
						}
					}
				})
			}, nil),
		told("not-http", area, "bytes that are no HTTP; refused",
			func(x *exchange) bool { return x.raw("220 mail.example ESMTP\r\n", nil) }, nil),
		told("cut-body", area, "a body that ends before its announced length; refused",
			func(x *exchange) bool {
				c, _, err := x.w.(http.Hijacker).Hijack() //nolint:errcheck,forcetypeassert // HTTP/1.1 can
				if err == nil {
					_, _ = io.WriteString(c, httpOK+"Content-Length: 1000\r\n\r\n<a>")
					_ = c.Close()
				}
				return true
			}, isErr(io.ErrUnexpectedEOF)),
		told("busy-for-ever", area, "503 with a Retry-After of years; told as such, and the time is capped",
			func(x *exchange) bool {
				x.w.Header().Set("Retry-After", "4000000000")
				x.w.WriteHeader(http.StatusServiceUnavailable)
				return true
			}, func(t *testing.T, err error) {
				var busy *soap.HTTPError
				require.ErrorAs(t, err, &busy)
				require.LessOrEqual(t, busy.RetryAfter, time.Hour)
			}),
	}
}

// answersOfTheWrongKind are HTTP, but not what was asked for.
func answersOfTheWrongKind() []lie {
	const area = "XML and SOAP"
	text := func(name, about, doc string) lie {
		doc = strings.Replace(doc, "BODY", `<s12:Envelope xmlns:s12="`+xmlscan.NsSOAP12+`"><s12:Body>`, 1)
		return told(name, area, about, func(x *exchange) bool { return x.document([]byte(doc)) }, isType[*xmlscan.Error]())
	}
	// changed answers truthfully, but for a part of the document.
	changed := func(name, about string, change func(doc []byte) []byte, check func(*testing.T, error)) lie {
		return lie{name: name, area: area, about: about, run: func(s *scene) {
			s.liar.lie(func(l *liar) { l.answer = func(_ string, doc []byte) []byte { return change(doc) } })
			_, err := s.connect()
			check(s.t, err)
			s.liar.honest()
			d, err := s.connect()
			require.NoError(s.t, err)
			s.settled(d)
		}}
	}
	relates := regexp.MustCompile(`(<wsa:RelatesTo>)[^<]*`)
	id := regexp.MustCompile(`(<wsa:MessageID>)[^<]*`)
	body := regexp.MustCompile(`(?s)<s12:Body>.*</s12:Body>`)
	return []lie{
		text("entity-bomb", "a document type with entities that grow exponentially; refused", `<!DOCTYPE a [<!ENTITY b "bbbbbbbb"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;</a>`),
		text("external-entity", "an entity that names a file; refused", `<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>`),
		text("deep-nesting", "elements in one another without an end; refused", `BODY<Metadata xmlns="`+xmlscan.NsMEX+`">`+strings.Repeat("<a>", 100_000)),
		text("million-elements", "more than a million elements; refused", `BODY<Metadata xmlns="`+xmlscan.NsMEX+`">`+strings.Repeat("<b/>", 1_100_000)+"</Metadata></s12:Body></s12:Envelope>"),
		text("not-xml", "JSON; refused", `{"ok": true}`),
		changed("truncated-document", "half of the right document; refused", func(doc []byte) []byte { return doc[:len(doc)/2] }, isType[*xmlscan.Error]()),
		changed("bad-utf-8", "bytes that are no UTF-8; refused", func(doc []byte) []byte {
			return bytes.Replace(doc, []byte("</wsa:Action>"), []byte("\xff</wsa:Action>"), 1)
		}, isType[*xmlscan.Error]()),
		changed("wrong-relates-to", "an answer to another message; refused", func(doc []byte) []byte {
			return relates.ReplaceAll(doc, []byte("${1}urn:uuid:00000000-0000-4000-8000-000000000000"))
		}, isErr(soap.ErrRelatesTo)),
		changed("same-message-id", "every answer with the same message id; nobody minds", func(doc []byte) []byte {
			return id.ReplaceAll(doc, []byte("${1}urn:uuid:00000000-0000-4000-8000-000000000000"))
		}, func(t *testing.T, err error) { require.NoError(t, err) }),
		changed("empty-body", "right answers without a body; refused", func(doc []byte) []byte {
			return body.ReplaceAll(doc, []byte(`<s12:Body/>`))
		}, func(t *testing.T, err error) { require.Error(t, err) }),
		changed("foreign-body", "right answers with the body of another message; refused", func(doc []byte) []byte {
			return body.ReplaceAll(doc, []byte(`<s12:Body><x xmlns="urn:x"/></s12:Body>`))
		}, func(t *testing.T, err error) { require.Error(t, err) }),
		told("faults", area, "a fault to everything; told as such", func(x *exchange) bool {
			f := soap.Receiver("no")
			x.w.WriteHeader(http.StatusInternalServerError)
			return x.document(soap.AppendEnvelope(nil, f.Header(""), f))
		}, isType[*soap.Fault]()),
		told("endless-fault", area, "a fault with a reason of 10 MB; refused or told, within bounds", func(x *exchange) bool {
			f := soap.Receiver(strings.Repeat("no ", 3<<20))
			x.w.WriteHeader(http.StatusInternalServerError)
			return x.document(soap.AppendEnvelope(nil, f.Header(""), f))
		}, nil),
	}
}

// addresses are lies about where something is.
func addresses() []lie {
	const area = "addresses"
	elsewhere := "http://" + thirdIP
	redirect := func(status int) lie {
		return told(fmt.Sprintf("redirect-%d", status), area, "a redirection to a third party; told as what it is, not followed", func(x *exchange) bool {
			x.w.Header().Set("Location", elsewhere+"/")
			x.w.WriteHeader(status)
			return true
		}, isType[*soap.HTTPError]())
	}
	named := func(name, about, action string, change func(s *scene, doc []byte) []byte) lie {
		return lie{name: name, area: area, about: about + "; refused with a `*soap.ElsewhereError`, nobody is talked to there", run: func(s *scene) {
			s.liar.lie(func(l *liar) {
				l.answer = func(a string, doc []byte) []byte {
					if a == action {
						return change(s, doc)
					}
					return doc
				}
			})
			_, err := s.connect()
			isType[*soap.ElsewhereError]()(s.t, err)
			s.liar.honest()
			d, err := s.connect()
			require.NoError(s.t, err)
			s.settled(d)
		}}
	}
	services := func(to string) func(*scene, []byte) []byte {
		return func(s *scene, doc []byte) []byte { return bytes.ReplaceAll(doc, []byte(s.liar.outer), []byte(to)) }
	}
	return []lie{
		redirect(http.StatusFound),
		redirect(http.StatusTemporaryRedirect),
		redirect(http.StatusPermanentRedirect),
		named("services-elsewhere", "metadata that name a third party for the services", "Get", services(elsewhere)),
		named("services-by-name", "metadata that name a host name somebody else resolves", "Get", services("http://victim.example")),
		named("services-at-a-file", "metadata that name a file", "Get", services("file:///etc/passwd")),
		{name: "services-without-tls", area: area, about: "a device with TLS that names services without it; refused with a `*soap.ElsewhereError`", test: "soap `TestSameHost`"},
		named("manager-elsewhere", "a subscription manager at a third party", "Subscribe", func(s *scene, doc []byte) []byte {
			return bytes.ReplaceAll(doc, []byte(s.liar.outer), []byte(elsewhere))
		}),
		{name: "other-epr", area: area, about: "metadata with the EPR of another device; refused", run: func(s *scene) {
			s.liar.lie(func(l *liar) {
				l.answer = func(_ string, doc []byte) []byte { return bytes.ReplaceAll(doc, []byte(liarEPR), []byte(neighbourEPR)) }
			})
			_, err := s.connect()
			require.ErrorContains(s.t, err, "another device")
		}},
	}
}

// models are lies about the MDIB.
func models() []lie {
	const area = "MDIB"
	// mdibs changes the MDIB that is read; a device with it cannot be connected to.
	mdibs := func(name, about string, change func(doc []byte) []byte, check func(*testing.T, error)) lie {
		return lie{name: name, area: area, about: about, run: func(s *scene) {
			changed := false
			s.liar.lie(func(l *liar) {
				l.answer = func(action string, doc []byte) []byte {
					if action != "GetMdib" {
						return doc
					}
					other := change(doc)
					changed = !bytes.Equal(doc, other)
					return other
				}
			})
			d, err := s.connect()
			require.True(s.t, changed, "there was no lie")
			check(s.t, err)
			if err == nil {
				require.NoError(s.t, d.Close(s.t.Context()))
			}
			s.liar.honest()
			d, err = s.connect()
			require.NoError(s.t, err)
			s.settled(d)
		}}
	}
	replaced := func(old, with string) func([]byte) []byte {
		return func(doc []byte) []byte { return bytes.Replace(doc, []byte(old), []byte(with), 1) }
	}
	many := func(n int, one string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, one, i)
		}
		return b.String()
	}
	unusable := func(t *testing.T, err error) { require.ErrorContains(t, err, "the device's MDIB cannot be used") }
	accepted := func(t *testing.T, err error) { require.NoError(t, err) }
	return []lie{
		mdibs("huge-mdib", "an MDIB of 20 MB; refused", replaced("</pm:MdState>", strings.Repeat(" ", 20<<20)+"</pm:MdState>"), isErr(soap.ErrTooLarge)),
		mdibs("duplicate-handle", "two descriptors of one handle; refused", replaced(`Handle="num.set"`, `Handle="num"`), unusable),
		mdibs("state-of-nobody", "a state of a descriptor that does not exist; refused", replaced(`DescriptorHandle="num"`, `DescriptorHandle="nobody"`), unusable),
		mdibs("state-of-the-wrong-type", "a state that does not fit its descriptor; refused", replaced(`DescriptorHandle="cond"`, `DescriptorHandle="sig"`), unusable),
		mdibs("unknown-type", "a state of a type that nobody has; refused", replaced(`xsi:type="pm:AlertSignalState"`, `xsi:type="pm:OddState"`), isType[*consumer.AnswerError]()),
		mdibs("reference-to-itself", "an alert signal that signals itself, so that references run in a circle; accepted, and followed by nobody",
			replaced(`ConditionSignaled="cond"`, `ConditionSignaled="sig"`), accepted),
		mdibs("version-beyond", "an MDIB version of 2^64; refused", func(doc []byte) []byte {
			return regexp.MustCompile(`MdibVersion="\d+"`).ReplaceAll(doc, []byte(`MdibVersion="18446744073709551616"`))
		}, isType[*consumer.AnswerError]()),
		mdibs("many-contexts", "10 000 states of one context; accepted, within bounds", replaced("</pm:MdState>", many(10_000,
			`<pm:State xsi:type="pm:LocationContextState" DescriptorHandle="loc" Handle="many%d"/>`)+"</pm:MdState>"), accepted),
		mdibs("many-descriptors", "50 000 channels; accepted, within bounds", replaced(`<pm:Channel Handle="ch"`, many(50_000, `<pm:Channel Handle="many%d"><pm:Type Code="1"/></pm:Channel>`)+`<pm:Channel Handle="ch"`),
			accepted),
		mdibs("too-many-descriptors", "250 000 VMDs in an answer of 6 MB; refused, and no more is built than is allowed", func(doc []byte) []byte {
			return replaced("<pm:Vmd ", many(250_000, `<pm:Vmd Handle="v%d"/>`)+"<pm:Vmd ")(doc)
		}, isErr(mdib.ErrTooLarge)),
		mdibs("tiny-mdss", "600 000 MDSs in an answer of 15 MB, each of which takes thirty times the memory of its XML; refused while it is read", func(doc []byte) []byte {
			return replaced("<pm:Mds ", many(600_000, `<pm:Mds Handle="m%d"/>`)+"<pm:Mds ")(doc)
		}, isErr(mdib.ErrTooLarge)),
		mdibs("huge-number", "a value of a million digits; kept as it is", func(doc []byte) []byte {
			return regexp.MustCompile(`(MetricValue [^>]*Value=")[^"]*`).ReplaceAll(doc, []byte("${1}"+strings.Repeat("9", 1<<20)))
		}, accepted),
	}
}

// notifications are lies in reports.
func notifications() []lie {
	const area = "reports"
	// one tells one report that is changed. The consumer notices, for the reason given unless that is nil, and heals.
	one := func(name, about string, change func(doc []byte) []byte, noticed func(*testing.T, error)) lie {
		return lie{name: name, area: area, about: about, run: func(s *scene) {
			d, err := s.connect()
			require.NoError(s.t, err)
			commit(s.t, s.liar.dev, 1)
			s.settled(d)
			f := follow(d)
			defer f.stop()
			s.liar.lie(func(l *liar) {
				l.report = func(_ string, doc []byte) []byte {
					changed := change(doc)
					if bytes.Equal(changed, doc) {
						s.t.Errorf("nothing was changed: %s", doc)
					}
					return changed
				}
			})
			commit(s.t, s.liar.dev, 2)
			pass(time.Second)
			s.liar.honest()
			s.settled(d)
			if noticed != nil {
				require.NotEmpty(s.t, f.trouble())
				noticed(s.t, errors.Join(f.trouble()...))
			}
			require.LessOrEqual(s.t, s.liar.asked("Subscribe"), 4, "subscribed anew once at most")
		}}
	}
	pattern := func(expr, with string) func([]byte) []byte {
		re := regexp.MustCompile(expr)
		return func(doc []byte) []byte { return re.ReplaceAll(doc, []byte(with)) }
	}
	// posted sends something that the device never said; it is refused or ignored and the link stays live.
	posted := func(name, about string, post func(s *scene, ctx context.Context, to string)) lie {
		return lie{name: name, area: area, about: about, run: func(s *scene) {
			d, err := s.connect()
			require.NoError(s.t, err)
			f := follow(d)
			defer f.stop()
			for _, to := range s.liar.subscribed() {
				post(s, s.t.Context(), to)
			}
			commit(s.t, s.liar.dev, 1)
			s.settled(d)
			require.Empty(s.t, f.trouble())
		}}
	}
	last := func(s *scene) []byte {
		report := fmt.Sprintf(`<msg:EpisodicMetricReport xmlns:msg="http://standards.ieee.org/downloads/11073/11073-10207-2017/message" SequenceId=%q MdibVersion="%d"/>`,
			s.liar.dev.MDIB().Version().SequenceID, s.liar.dev.MDIB().Version().MdibVersion)
		return envelopeOf(actionMetric, soap.RawBody(report))
	}
	status := func(s *scene, want int, to string, doc []byte, header ...string) {
		got, err := s.liar.post(s.t.Context(), to, doc, header...)
		require.NoError(s.t, err)
		require.Equal(s.t, want, got)
	}
	return []lie{
		one("foreign-sequence", "a report of another MDIB sequence; the MDIB is read anew", pattern(`SequenceId="[^"]*"`, `SequenceId="urn:uuid:00000000-0000-4000-8000-000000000000"`),
			isType[*mdib.SequenceError]()),
		one("version-back", "a report of an MDIB version that is over; ignored, and what was lost by it is noticed", pattern(`MdibVersion="\d+"`, `MdibVersion="1"`), isType[*consumer.LagError]()),
		one("version-ahead", "a report of a version far ahead; the MDIB is read anew", pattern(`MdibVersion="\d+"`, `MdibVersion="18446744073709551615"`), isType[*mdib.GapError]()),
		one("state-version-back", "a state version that is over; ignored, and the MDIB is read anew", pattern(`StateVersion="\d+"`, `StateVersion="0"`), isType[*consumer.StateGapError]()),
		one("unknown-handle", "a state of a handle that does not exist; the MDIB is read anew", pattern(`DescriptorHandle="num"`, `DescriptorHandle="nobody"`), isErr(mdib.ErrUnknownHandle)),
		one("wrong-type", "a state that does not fit its descriptor; the MDIB is read anew", pattern(`DescriptorHandle="num"`, `DescriptorHandle="text"`), func(*testing.T, error) {}),
		one("unknown-type", "a state of a type that nobody has; the MDIB is read anew", pattern(`pm:NumericMetricState`, `pm:OddState`), func(*testing.T, error) {}),
		one("foreign-body", "a notification whose body is no report; the MDIB is read anew", pattern(`(?s)<s12:Body>.*</s12:Body>`, `<s12:Body><x xmlns="urn:x"/></s12:Body>`), func(*testing.T, error) {}),
		one("number-ahead", "a report whose number leaves some out; the MDIB is read anew", pattern(`MessageNumber="\d+"`, `MessageNumber="18446744073709551615"`), isType[*consumer.ReportSequenceError]()),
		one("number-zero", "a report with a number that is none; the MDIB is read anew", pattern(`MessageNumber="\d+"`, `MessageNumber="0"`), func(*testing.T, error) {}),
		one("repeated-number", "another report under the number of the one before; ignored, and what was lost by it is noticed", pattern(`MessageNumber="\d+"`, `MessageNumber="1"`), nil),

		posted("unknown-subscription", "reports for a subscription that nobody made; 404", func(s *scene, _ context.Context, to string) { status(s, http.StatusNotFound, to+"0", last(s)) }),
		posted("report-to-the-end", "reports where the end of a subscription is expected; refused", func(s *scene, _ context.Context, to string) {
			status(s, http.StatusBadRequest, to+"/end", last(s))
		}),
		posted("no-xml", "a notification that is no XML; refused", func(s *scene, _ context.Context, to string) { status(s, http.StatusBadRequest, to, []byte("no")) }),
		posted("huge-report", "a notification of 20 MB; 413", func(s *scene, ctx context.Context, to string) {
			got, err := s.liar.post(ctx, to, bytes.Repeat([]byte(" "), 20<<20))
			if err == nil {
				require.Equal(s.t, http.StatusRequestEntityTooLarge, got)
			}
		}),
		posted("gzip-bomb-report", "a notification that inflates to 256 MB; 413 or 503", func(s *scene, _ context.Context, to string) {
			got, err := s.liar.post(s.t.Context(), to, gzipBomb(), "Content-Encoding", "gzip")
			require.NoError(s.t, err)
			require.Contains(s.t, []int{http.StatusRequestEntityTooLarge, http.StatusServiceUnavailable}, got)
		}),
		posted("repeated-report", "an empty report of the present version 1 000 times; nothing changes", func(s *scene, _ context.Context, to string) {
			for range 1000 {
				status(s, http.StatusAccepted, to, last(s))
			}
		}),
		{name: "report-flood", area: area, about: "5 000 true reports as fast as they can be sent; all are applied, a reader that cannot keep up is told", run: func(s *scene) {
			d, err := s.connect()
			require.NoError(s.t, err)
			slow := make(chan error, 1)
			stop := make(chan struct{})
			go func() {
				for _, err := range d.Updates(context.Background()) {
					if err != nil {
						slow <- err
						return
					}
					<-stop
				}
			}()
			for i := range int64(5000) {
				commit(s.t, s.liar.dev, i)
				if i%100 == 99 {
					pass(time.Millisecond) // the device's own queue has a bound
				}
			}
			s.settled(d)
			close(stop)
			require.ErrorIs(s.t, <-slow, consumer.ErrSlowReader)
		}},
		{name: "context-flood", area: area, about: "10 000 new context states in one report; the mirror keeps to its bounds, and what is refused is read anew", run: func(s *scene) {
			d, err := s.connect()
			require.NoError(s.t, err)
			v := s.liar.dev.MDIB().Version()
			var b strings.Builder
			fmt.Fprintf(&b, `<msg:EpisodicContextReport xmlns:msg="http://standards.ieee.org/downloads/11073/11073-10207-2017/message" `+
				`xmlns:pm="http://standards.ieee.org/downloads/11073/11073-10207-2017/participant" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" SequenceId=%q MdibVersion="%d"><msg:ReportPart>`,
				v.SequenceID, v.MdibVersion+1)
			for i := range 10_000 {
				fmt.Fprintf(&b, `<msg:ContextState xsi:type="pm:LocationContextState" DescriptorHandle="loc" Handle="many%d" ContextAssociation="Assoc"/>`, i)
			}
			b.WriteString(`</msg:ReportPart></msg:EpisodicContextReport>`)
			for _, to := range s.liar.subscribed() {
				status(s, http.StatusAccepted, to, envelopeOf(nsGlue+"/ContextService/EpisodicContextReport", soap.RawBody(b.String())))
			}
			s.settled(d)
		}},
		{name: "connection-flood", area: area, about: "600 connections to where notifications arrive, on which nothing is said; the other device still gets through, also with a new connection", run: func(s *scene) {
			s.hold(600, "")
			s.net.Cut(neighbourIP, consumerIP)
			s.neighbourly()
		}},
		{name: "slow-notifications", area: area, about: "200 notifications whose bodies trickle; the other device is served meanwhile", run: func(s *scene) {
			s.hold(200, "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/soap+xml; charset=utf-8\r\nContent-Length: 100000\r\n\r\n<a>")
			s.net.Cut(neighbourIP, consumerIP)
			s.neighbourly()
		}},
		{name: "silence", area: area, about: "a device that answers but reports nothing any more; noticed within twice `ProofInterval`", run: func(s *scene) {
			d, err := s.connect()
			require.NoError(s.t, err)
			f := follow(d)
			defer f.stop()
			s.liar.lie(func(l *liar) { l.report = func(string, []byte) []byte { return nil } })
			commit(s.t, s.liar.dev, 1)
			pass(11 * time.Second)
			isType[*consumer.LagError]()(s.t, errors.Join(f.trouble()...))
			s.liar.honest()
			s.settled(d)
		}},
	}
}

// subscriptionsOfLiars are lies about subscriptions.
func subscriptionsOfLiars() []lie {
	const area = "eventing"
	granted := regexp.MustCompile(`(<wse:Expires>)[^<]*`)
	grants := func(name, about, text string, check func(t *testing.T, err error, asked int)) lie {
		return lie{name: name, area: area, about: about, run: func(s *scene) {
			s.liar.lie(func(l *liar) {
				l.answer = func(action string, doc []byte) []byte {
					if action == "Subscribe" || action == "Renew" {
						return granted.ReplaceAll(doc, []byte("${1}"+text))
					}
					return doc
				}
			})
			d, err := s.connect()
			if err == nil {
				pass(10 * time.Second)
			}
			check(s.t, err, s.liar.asked("Subscribe")+s.liar.asked("Renew"))
			s.liar.honest()
			if err == nil {
				s.settled(d)
			}
		}}
	}
	refused := func(t *testing.T, err error, _ int) { require.Error(t, err) }
	return []lie{
		grants("grants-nothing", "a subscription of no duration; refused", "PT0S", refused),
		grants("grants-less-than-nothing", "a negative duration; refused", "-PT1S", refused),
		grants("grants-the-past", "an end that is over; taken for a clock that is wrong, and renewed every few seconds", "1999-01-01T00:00:00Z", func(t *testing.T, err error, asked int) {
			require.NoError(t, err)
			require.Less(t, asked, 200)
		}),
		grants("grants-nonsense", "a duration that is none; refused", "soon", refused),
		grants("grants-a-moment", "subscriptions of a millisecond; they are not renewed more often than is decent", "PT0.001S", func(t *testing.T, err error, asked int) {
			require.NoError(t, err)
			require.Less(t, asked, 200, "in ten seconds")
		}),
		grants("grants-for-ever", "subscriptions of a million years; accepted, and asked after as usual", "P1000000Y", func(t *testing.T, err error, asked int) {
			require.NoError(t, err)
			require.Less(t, asked, 200)
		}),
		{name: "ends-at-once", area: area, about: "the end of each subscription as soon as it is made; subscribed anew, but not in a loop", run: func(s *scene) {
			end := func(to string) {
				text := `<wse:SubscriptionEnd xmlns:wse="` + xmlscan.NsEventing + `"><wse:Status>` + string(eventing.StatusSourceCancelling) + `</wse:Status></wse:SubscriptionEnd>`
				_, _ = s.liar.post(context.Background(), to, envelopeOf(eventing.ActionSubscriptionEnd, soap.RawBody(text)))
			}
			d, err := s.connect()
			require.NoError(s.t, err)
			s.liar.lie(func(l *liar) {
				l.answer = func(action string, doc []byte) []byte {
					if to := s.liar.subscribed(); action == "Subscribe" {
						go end(to[len(to)-1])
					}
					return doc
				}
			})
			end(s.liar.subscribed()[0])
			pass(20 * time.Second)
			require.NotEqual(s.t, consumer.Lost, d.Link().State)
			require.Greater(s.t, s.liar.asked("Subscribe"), 4)
			require.Less(s.t, s.liar.asked("Subscribe"), 60)
			s.liar.honest()
			s.settled(d)
		}},
		{name: "refuses-to-renew", area: area, about: "faults to every renewal; subscribed anew", run: func(s *scene) {
			d, err := s.connect()
			require.NoError(s.t, err)
			s.liar.lie(func(l *liar) {
				l.request = func(x *exchange) bool {
					if x.action != "Renew" {
						return false
					}
					f := soap.Receiver("no")
					x.w.WriteHeader(http.StatusInternalServerError)
					return x.document(soap.AppendEnvelope(nil, f.Header(""), f))
				}
			})
			pass(5 * time.Minute)
			require.Greater(s.t, s.liar.asked("Subscribe"), 2)
			require.Less(s.t, s.liar.asked("Subscribe"), 60)
			s.liar.honest()
			s.settled(d)
		}},
	}
}

// operations are lies about operations.
func operations() []lie {
	const area = "operations"
	invoked := func(s *scene, transaction int, state string) {
		v := s.liar.dev.MDIB().Version()
		report := fmt.Sprintf(`<msg:OperationInvokedReport xmlns:msg="http://standards.ieee.org/downloads/11073/11073-10207-2017/message" SequenceId=%q MdibVersion="%d">`+
			`<msg:ReportPart OperationHandleRef=%q OperationTarget="num.set"><msg:InvocationInfo><msg:TransactionId>%d</msg:TransactionId><msg:InvocationState>%s</msg:InvocationState></msg:InvocationInfo>`+
			`<msg:InvocationSource Root="urn:x" Extension="y"/></msg:ReportPart></msg:OperationInvokedReport>`, v.SequenceID, v.MdibVersion, settable, transaction, state)
		to := s.liar.subscribed()
		for _, sink := range to[len(to)-2:] {
			got, err := s.liar.post(s.t.Context(), sink, envelopeOf(nsGlue+"/SetService/OperationInvokedReport", soap.RawBody(report)))
			require.NoError(s.t, err)
			require.Equal(s.t, http.StatusAccepted, got)
		}
	}
	return []lie{
		{name: "unknown-transactions", area: area, about: "1 000 reports of operations nobody invoked; the last few are kept", run: func(s *scene) {
			d, err := s.connect()
			require.NoError(s.t, err)
			for i := range 500 {
				invoked(s, 1_000_000+i, "Wait")
			}
			_, err = d.SetValue(s.t.Context(), settable, decimal(7))
			require.NoError(s.t, err)
			s.settled(d)
		}},
		{name: "never-ending-operation", area: area, about: "an operation that is reported as started 1 000 times; the waiting ends with its context, and what is kept has a bound", run: func(s *scene) {
			d, err := s.connect()
			require.NoError(s.t, err)
			s.liar.lie(func(l *liar) {
				l.answer = func(_ string, doc []byte) []byte { return bytes.ReplaceAll(doc, []byte(">Fin<"), []byte(">Wait<")) }
				l.report = func(action string, doc []byte) []byte {
					if action == "OperationInvokedReport" {
						return nil
					}
					return doc
				}
			})
			ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
			defer cancel()
			req := setValueRequest(settable, 9)
			i, err := d.Invoke(ctx, req)
			require.NoError(s.t, err)
			for range 500 {
				invoked(s, int(i.TransactionID()), "Start")
			}
			_, err = i.Wait(ctx)
			require.ErrorIs(s.t, err, context.DeadlineExceeded)
			s.liar.honest()
			invoked(s, int(i.TransactionID()), "Fin")
			r, err := i.Wait(s.t.Context())
			require.NoError(s.t, err)
			require.Less(s.t, len(r.Steps), 100)
			s.settled(d)
		}},
		{name: "two-outcomes", area: area, about: "an operation that has failed and is reported as finished; the first outcome counts", run: func(s *scene) {
			d, err := s.connect()
			require.NoError(s.t, err)
			s.liar.lie(func(l *liar) {
				l.answer = func(_ string, doc []byte) []byte { return bytes.ReplaceAll(doc, []byte(">Fin<"), []byte(">Fail<")) }
			})
			_, err = d.SetValue(s.t.Context(), settable, decimal(5))
			isType[*consumer.OperationError]()(s.t, err)
			s.liar.honest()
			s.settled(d)
		}},
		{name: "answer-of-another-operation", area: area, about: "an answer that belongs to another kind of request; an error", run: func(s *scene) {
			d, err := s.connect()
			require.NoError(s.t, err)
			s.liar.lie(func(l *liar) {
				l.answer = func(_ string, doc []byte) []byte {
					return bytes.ReplaceAll(doc, []byte("SetValueResponse"), []byte("GetMdStateResponse"))
				}
			})
			_, err = d.SetValue(s.t.Context(), settable, decimal(5))
			require.Error(s.t, err)
			s.liar.honest()
			s.settled(d)
		}},
	}
}

// announcements are lies in discovery, which anybody can tell.
func announcements() []lie {
	const area = "discovery"
	hello := func(epr, scopes, xaddrs string, version int) []byte {
		doc := announcement("Hello", fmt.Sprintf("<wsd:Hello><wsa:EndpointReference><wsa:Address>%s</wsa:Address></wsa:EndpointReference>"+
			"<wsd:Types>dpws:Device</wsd:Types><wsd:Scopes>%s</wsd:Scopes><wsd:XAddrs>%s</wsd:XAddrs><wsd:MetadataVersion>%d</wsd:MetadataVersion></wsd:Hello>",
			epr, scopes, xaddrs, version))
		return bytes.Replace(doc, []byte(`MessageNumber="1"`), fmt.Appendf(nil, `MessageNumber="%d"`, version), 1)
	}
	// said multicasts what somebody says, and checks what a client that watches all devices makes of it.
	said := func(name, about string, say [][]byte, check func(t *testing.T, known map[string]discovery.Endpoint)) lie {
		return lie{name: name, area: area, about: about, run: func(s *scene) {
			client := s.discovery()
			defer client.close()
			known := client.watch()
			voice := s.transport("192.0.2.66")
			defer func() { _ = voice.Close() }()
			const truth = "urn:uuid:6a1d7a6e-3a0e-4f0b-8f3e-0b5a63c5a099"
			for i, data := range append(append([][]byte{hello(truth, "urn:s", "http://192.0.2.5/", 1)}, say...), hello(truth, "urn:s", "http://192.0.2.5/", 2)) {
				require.NoError(s.t, voice.Multicast(data))
				if i%100 == 0 {
					pass(time.Millisecond)
				}
			}
			pass(time.Second)
			now := known()
			require.Contains(s.t, now, truth, "an honest device is known all the same")
			require.EqualValues(s.t, 2, now[truth].MetadataVersion)
			delete(now, truth)
			check(s.t, now)
		}}
	}
	// spoofed is what somebody says in the name of a device that stays connected all the same.
	spoofed := func(name, about string, data func(n int) []byte) lie {
		return lie{name: name, area: area, about: about, run: func(s *scene) {
			client := s.discovery()
			defer client.close()
			c := s.join(client)
			defer c.stop()
			d, err := c.Connect(s.t.Context(), s.liar.endpoint())
			require.NoError(s.t, err)
			voice := s.transport("192.0.2.66")
			defer func() { _ = voice.Close() }()
			for n := range 20 {
				require.NoError(s.t, voice.Multicast(data(n)))
				pass(2 * time.Second)
			}
			require.Equal(s.t, consumer.Live, d.Link().State)
			s.settled(d)
		}}
	}
	var invented [][]byte
	for i := range 5000 {
		invented = append(invented, hello(fmt.Sprintf("urn:uuid:00000000-0000-4000-8000-%012d", i), "urn:s", "http://192.0.2.6/", 1))
	}
	const somebody = "urn:uuid:00000000-0000-4000-8000-000000000000"
	none := func(t *testing.T, known map[string]discovery.Endpoint) { require.Empty(t, known) }
	return []lie{
		said("huge-hello", "a Hello of 60 KB; ignored", [][]byte{hello(somebody, strings.Repeat("urn:x ", 10_000), "http://192.0.2.6/", 1)}, none),
		said("bomb-hello", "entities and depth in a Hello; ignored", [][]byte{
			[]byte(`<!DOCTYPE a [<!ENTITY a "aaaa">]>` + strings.Repeat("<a>", 1000) + "&a;"), bytes.Repeat([]byte{0xa5}, 1400),
		}, none),
		said("overlong-epr", "an EPR of 4 KB; ignored", [][]byte{hello("urn:"+strings.Repeat("x", 4096), "urn:s", "http://192.0.2.6/", 1)}, none),
		said("invented-devices", "a Hello for each of 5 000 devices that do not exist; 1024 are kept, those known before stay", invented, func(t *testing.T, known map[string]discovery.Endpoint) {
			require.Len(t, known, 1023)
		}),
		said("uncalled-for-matches", "answers to a Probe that nobody sent, as many as one message holds; taken for announcements, within the same bound", [][]byte{
			announcement("ProbeMatches", "<wsd:ProbeMatches>"+strings.Repeat("<wsd:ProbeMatch><wsa:EndpointReference><wsa:Address>"+somebody+
				"</wsa:Address></wsa:EndpointReference><wsd:MetadataVersion>1</wsd:MetadataVersion></wsd:ProbeMatch>", 50)+"</wsd:ProbeMatches>"),
		}, none),
		spoofed("other-address", "a Hello with the EPR of a connected device and the address of a third party; the consumer asks the device where it is, and nobody else", func(n int) []byte {
			return hello(liarEPR, "urn:s", "http://"+thirdIP+"/", 1000+n)
		}),
		spoofed("forged-bye", "a Bye in the name of a connected device; the device is asked, and stays live", func(int) []byte {
			return announcement("Bye", "<wsd:Bye><wsa:EndpointReference><wsa:Address>"+liarEPR+"</wsa:Address></wsa:EndpointReference></wsd:Bye>")
		}),
		{name: "many-addresses", area: area, about: "5 000 addresses for one device; the first 8 are tried", run: func(s *scene) {
			target := s.liar.endpoint()
			good := target.XAddrs[0]
			crowd, err := s.net.Host("192.0.2.8").Listen(80)
			require.NoError(s.t, err)
			target.XAddrs = nil
			for i := range 5000 {
				target.XAddrs = append(target.XAddrs, fmt.Sprintf("http://192.0.2.8/%d", i))
			}
			_, err = s.consumer.Connect(s.t.Context(), target)
			require.Error(s.t, err)
			require.LessOrEqual(s.t, crowd.Stats().Accepted, 8)
			target.XAddrs[3] = good
			d, err := s.consumer.Connect(s.t.Context(), target)
			require.NoError(s.t, err)
			s.settled(d)
		}},
		{name: "odd-addresses", area: area, about: "files, scripts, other protocols and credentials in the place of addresses; passed over", run: func(s *scene) {
			target := s.liar.endpoint()
			target.XAddrs = append([]string{"file:///etc/passwd", "javascript:alert(1)", "ftp://192.0.2.9/", "https://192.0.2.9/", "http://u:p@192.0.2.9/", "urn:uuid:1", ""}, target.XAddrs...)
			d, err := s.consumer.Connect(s.t.Context(), target)
			require.NoError(s.t, err)
			s.settled(d)
		}},
		{name: "highest-numbers", area: area, about: "a Hello with the EPR of another device and the highest number, the highest version, or another instance; who watches takes the device's own word again when messages cannot overtake one another any more", test: "discovery `TestForgedAnnouncementsPass`"},
	}
}

func decimal(n int64) pm.Decimal { return pm.NewDecimal(n, 0) }

func setValueRequest(operation string, n int64) *msg.SetValue {
	return &msg.SetValue{AbstractSet: msg.AbstractSet{OperationHandleRef: operation}, RequestedNumericValue: decimal(n)}
}

// Every lie once: the error is typed and clear, the link says what is known, nobody else is disturbed or talked to, and it costs bounded memory and time.
//
// covers: SEC-1, 10700 TR1164
func TestEachLie(t *testing.T) {
	var names []string
	for _, l := range lies() {
		require.NotContains(t, names, l.area+l.name)
		names = append(names, l.area+l.name)
		if l.run == nil {
			continue
		}
		t.Run(l.name, func(t *testing.T) { inScene(t, l.run) })
	}
}
