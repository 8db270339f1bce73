package eventing

import (
	"strings"
	"time"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/soap"
)

// Bounds of what a Subscribe may hold; beyond them it is refused.
const (
	maxURI            = 2048     // bytes of an address or action (META-2)
	maxActions        = 256      // actions of one filter
	maxReferenceBytes = 16 << 10 // bytes of the reference parameters of one endpoint
)

func wse(local string) xmlscan.Name { return xmlscan.Name{Space: xmlscan.NsEventing, Local: local} }

// subscribe is a decoded wse:Subscribe. What is absent has the zero value.
type subscribe struct {
	endTo    *soap.EndpointReference
	notifyTo *soap.EndpointReference
	mode     string // ModePush when absent
	expires  string
	dialect  string
	filtered bool        // there is a filter
	actions  []string    // of the filter, if the dialect is DialectAction; no duplicates
	filter   xmlscan.Raw // the whole element, if the dialect is another
}

// decodeSubscribe reads the wse:Subscribe the scanner stands on. What needs a fault of its own
// is left to the caller: another delivery mode is no error here and its content, which may have
// any form, is skipped; a filter of another dialect is kept as it is. The order of the elements is
// not enforced.
func decodeSubscribe(s *xmlscan.Scanner) (*subscribe, error) {
	m := new(subscribe)
	var seen [4]bool
	once := func(i int) bool {
		was := seen[i]
		seen[i] = true
		if was {
			_ = s.Errorf("second %v", s.Name()) // sticky
		}
		return !was
	}
	for s.Child() {
		switch s.Name() {
		case wse("EndTo"):
			if once(0) {
				m.endTo = decodeEndpoint(s)
			}
		case wse("Delivery"):
			if once(1) {
				m.decodeDelivery(s)
			}
		case wse("Expires"):
			if once(2) {
				m.expires, _ = s.Text()
			}
		case wse("Filter"):
			if once(3) {
				m.decodeFilter(s)
			}
		default:
			_ = s.Skip()
		}
	}
	if err := s.Err(); err != nil {
		return nil, err
	}
	if !seen[1] {
		return nil, s.Errorf("wse:Subscribe without wse:Delivery")
	}
	if m.mode == ModePush && m.notifyTo == nil {
		return nil, s.Errorf("wse:Delivery without wse:NotifyTo")
	}
	return m, nil
}

func (m *subscribe) decodeDelivery(s *xmlscan.Scanner) {
	m.mode = ModePush
	if mode, ok := s.Attr("", "Mode"); ok {
		m.mode = strings.TrimSpace(mode)
	}
	if m.mode != ModePush {
		_ = s.Skip()
		return
	}
	for s.Child() {
		switch {
		case s.Name() != wse("NotifyTo"):
			_ = s.Skip()
		case m.notifyTo != nil:
			_ = s.Errorf("second wse:NotifyTo")
			return
		default:
			m.notifyTo = decodeEndpoint(s)
		}
	}
}

func (m *subscribe) decodeFilter(s *xmlscan.Scanner) {
	m.filtered = true
	dialect, _ := s.Attr("", "Dialect")
	m.dialect = strings.TrimSpace(dialect)
	if m.dialect != DialectAction {
		m.filter, _ = s.Raw()
		return
	}
	m.actions, _ = decodeActions(s) // sticky
}

// actionsOf reads the filter of another dialect as a list of actions.
func (m *subscribe) actionsOf() ([]string, error) {
	s := m.filter.Scanner()
	if err := s.Root(); err != nil {
		return nil, err
	}
	return decodeActions(s)
}

// decodeActions reads a list of actions within the bounds, without duplicates.
func decodeActions(s *xmlscan.Scanner) ([]string, error) {
	text, err := s.Text()
	if err != nil {
		return nil, err
	}
	var actions []string
	known := make(map[string]bool)
	for _, a := range strings.Fields(text) {
		if known[a] {
			continue
		}
		if len(a) > maxURI || len(actions) == maxActions {
			return nil, s.Errorf("filter exceeds %d actions of %d bytes", maxActions, maxURI)
		}
		known[a] = true
		actions = append(actions, a)
	}
	return actions, nil
}

// decodeEndpoint reads an endpoint reference within the bounds; nil when that failed, with the
// error sticky in s.
func decodeEndpoint(s *xmlscan.Scanner) *soap.EndpointReference {
	epr, err := soap.DecodeEndpointReference(s)
	if err != nil {
		return nil
	}
	size := 0
	for _, p := range epr.ReferenceParameters {
		size += len(p.XML)
	}
	if len(epr.Address) > maxURI || size > maxReferenceBytes {
		_ = s.Errorf("endpoint reference too large")
		return nil
	}
	epr.Metadata = nil // not needed to write to it
	return &epr
}

// decodeExpires reads the wse:Expires child of the element the scanner stands on, "" if there is
// none. It serves Renew and the answers to Renew and GetStatus.
func decodeExpires(s *xmlscan.Scanner) (string, error) {
	text, found := "", false
	for s.Child() {
		if s.Name() != wse("Expires") {
			_ = s.Skip()
			continue
		}
		if found {
			return "", s.Errorf("second wse:Expires")
		}
		found = true
		text, _ = s.Text()
	}
	return text, s.Err()
}

// decodeNothing consumes the element the scanner stands on, for requests without content.
func decodeNothing(s *xmlscan.Scanner) (struct{}, error) { return struct{}{}, s.Skip() }

// subscribeRequest is the body a sink sends.
type subscribeRequest struct {
	notifyTo, endTo soap.EndpointReference
	expires         time.Duration
	dialect         string
	filter          soap.Body
}

func (m *subscribeRequest) AppendXML(b []byte) []byte {
	b = append(b, `<wse:Subscribe xmlns:wse="`+xmlscan.NsEventing+`">`...)
	b = m.endTo.Append(b, "wse:EndTo")
	b = append(b, `<wse:Delivery Mode="`+ModePush+`">`...)
	b = m.notifyTo.Append(b, "wse:NotifyTo")
	b = append(b, `</wse:Delivery>`...)
	b = appendExpires(b, m.expires)
	b = append(b, `<wse:Filter`...)
	b = xmlscan.AppendAttr(b, "Dialect", m.dialect)
	b = append(b, '>')
	b = m.filter.AppendXML(b)
	return append(b, `</wse:Filter></wse:Subscribe>`...)
}

// actionFilter is the content of a filter of DialectAction.
type actionFilter []string

func (f actionFilter) AppendXML(b []byte) []byte { return xmlscan.AppendText(b, strings.Join(f, " ")) }

func appendExpires(b []byte, d time.Duration) []byte {
	b = append(b, `<wse:Expires>`...)
	b = appendDuration(b, d)
	return append(b, `</wse:Expires>`...)
}

// subscribeResponse always has Expires (SDPi R7004).
type subscribeResponse struct {
	manager string
	expires time.Duration
}

func (m subscribeResponse) AppendXML(b []byte) []byte {
	b = append(b, `<wse:SubscribeResponse xmlns:wse="`+xmlscan.NsEventing+`">`...)
	epr := soap.NewEndpoint(m.manager)
	b = epr.Append(b, "wse:SubscriptionManager")
	b = appendExpires(b, m.expires)
	return append(b, `</wse:SubscribeResponse>`...)
}

// decodeSubscribeResponse reads what a source granted; Expires is "" when it is missing.
func decodeSubscribeResponse(s *xmlscan.Scanner) (m struct {
	manager *soap.EndpointReference
	expires string
}, err error) {
	for s.Child() {
		switch s.Name() {
		case wse("SubscriptionManager"):
			m.manager = decodeEndpoint(s)
		case wse("Expires"):
			m.expires, _ = s.Text()
		default:
			_ = s.Skip()
		}
	}
	if err := s.Err(); err != nil {
		return m, err
	}
	if m.manager == nil {
		return m, s.Errorf("wse:SubscribeResponse without wse:SubscriptionManager")
	}
	return m, nil
}

// expiresMessage is Renew and the answers to Renew and GetStatus, which always have Expires
// (SDPi R7005).
type expiresMessage struct {
	element string // with the prefix wse
	expires time.Duration
}

func (m expiresMessage) AppendXML(b []byte) []byte {
	b = append(b, '<')
	b = append(b, m.element...)
	b = append(b, ` xmlns:wse="`+xmlscan.NsEventing+`">`...)
	b = appendExpires(b, m.expires)
	return xmlscan.AppendEnd(b, m.element)
}

// emptyMessage is a request without content, given by its element with the prefix wse.
type emptyMessage string

func (m emptyMessage) AppendXML(b []byte) []byte {
	b = append(b, '<')
	b = append(b, m...)
	return append(b, ` xmlns:wse="`+xmlscan.NsEventing+`"/>`...)
}

// subscriptionEnd is the message that ends a subscription from the source's side.
type subscriptionEnd struct {
	manager string
	status  Status
	reason  string
}

func (m subscriptionEnd) AppendXML(b []byte) []byte {
	b = append(b, `<wse:SubscriptionEnd xmlns:wse="`+xmlscan.NsEventing+`">`...)
	epr := soap.NewEndpoint(m.manager)
	b = epr.Append(b, "wse:SubscriptionManager")
	b = xmlscan.AppendElement(b, "wse:Status", string(m.status))
	if m.reason != "" {
		b = append(b, `<wse:Reason xml:lang="en">`...)
		b = xmlscan.AppendText(b, m.reason)
		b = append(b, `</wse:Reason>`...)
	}
	return append(b, `</wse:SubscriptionEnd>`...)
}

// decodeSubscriptionEnd reads status and first reason. The manager's address is not looked at:
// peers write malformed ones, and the path a message arrives at says which subscription it is
// about. A status without the namespace, which peers write too, is completed.
func decodeSubscriptionEnd(s *xmlscan.Scanner) (*EndError, error) {
	m := new(EndError)
	for s.Child() {
		switch s.Name() {
		case wse("Status"):
			text, _ := s.Text()
			m.Status = Status(strings.TrimSpace(text))
			switch full := xmlscan.NsEventing + "/" + m.Status; full {
			case StatusDeliveryFailure, StatusSourceShuttingDown, StatusSourceCancelling:
				m.Status = full
			}
		case wse("Reason"):
			text, _ := s.Text()
			if m.Reason == "" {
				m.Reason = text
			}
		default:
			_ = s.Skip()
		}
	}
	if err := s.Err(); err != nil {
		return nil, err
	}
	return m, nil
}
