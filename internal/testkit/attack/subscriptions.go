package attack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

const (
	wse             = "http://schemas.xmlsoap.org/ws/2004/08/eventing"
	actionSubscribe = wse + "/Subscribe"
	actionRenew     = wse + "/Renew"
	actionMetric    = nsGlue + "/StateEventService/EpisodicMetricReport"
)

// subscribe is a subscription to metrics that are to go to an address.
func subscribe(notifyTo, filter, expires string) []byte {
	return envelope(actionSubscribe, "", fmt.Sprintf(`<wse:Subscribe><wse:Delivery Mode="%s/DeliveryModes/Push"><wse:NotifyTo><wsa:Address>%s</wsa:Address></wse:NotifyTo>`+
		`</wse:Delivery><wse:Expires>%s</wse:Expires><wse:Filter Dialect="http://docs.oasis-open.org/ws-dd/ns/dpws/2009/01/Action">%s</wse:Filter></wse:Subscribe>`,
		wse, notifyTo, expires, filter))
}

// subscriptions abuse WS-Eventing, as a trusted consumer.
func subscriptions() []Attack {
	const area = "eventing"
	refused := func(name, about string, doc func(t *Target) []byte) Attack {
		return Attack{name, area, about + "; refused", false, func(ctx context.Context, t *Target) error {
			if err := t.refused(ctx, t.EventPath, doc(t)); err != nil {
				return err
			}
			return t.alive(ctx)
		}}
	}
	return []Attack{
		refused("notify-third-party", "notifications for an address that is not the subscriber's", func(*Target) []byte {
			return subscribe("https://192.0.2.99:443/victim", actionMetric, "PT15S")
		}),
		refused("notify-name", "notifications for a name that somebody else resolves", func(*Target) []byte {
			return subscribe("https://victim.example:443/", actionMetric, "PT15S")
		}),
		refused("notify-device-itself", "notifications for the device's own address, which would make it talk to itself", func(t *Target) []byte {
			return subscribe(t.XAddr, actionMetric, "PT15S")
		}),
		refused("notify-other-scheme", "notifications to a file", func(*Target) []byte { return subscribe("file:///dev/null", actionMetric, "PT15S") }),
		refused("notify-plain-http", "notifications without encryption", func(*Target) []byte {
			return subscribe("http://127.0.0.1:9/", actionMetric, "PT15S")
		}),
		refused("filter-flood", "a filter of 100 000 actions nobody has", func(*Target) []byte {
			return subscribe("https://127.0.0.1:9/", strings.Repeat("urn:a ", 100_000), "PT15S")
		}),
		refused("repeated-parameters", "2 000 reference parameters, which each notification would repeat", func(*Target) []byte {
			to := "https://127.0.0.1:9/</wsa:Address><wsa:ReferenceParameters>" + strings.Repeat("<wsa:a>&lt;</wsa:a>", 2_000) + "</wsa:ReferenceParameters><wsa:Address>"
			doc := string(subscribe(to, actionMetric, "PT15S"))
			return []byte(strings.Replace(doc, "<wsa:Address></wsa:Address>", "", 1))
		}),
		refused("expired-subscription", "a subscription that ends before it begins", func(*Target) []byte {
			return subscribe("https://127.0.0.1:9/", actionMetric, "2001-01-01T00:00:00Z")
		}),
		refused("nonsense-expiration", "a duration that is none", func(*Target) []byte {
			return subscribe("https://127.0.0.1:9/", actionMetric, "P"+strings.Repeat("9", 10_000)+"Y")
		}),
		{"renew-unknown", area, "1 000 renewals of subscriptions that do not exist; each refused", false, func(ctx context.Context, t *Target) error {
			w, err := t.open(ctx)
			if err != nil {
				return err
			}
			defer w.Close()
			for i := range 1000 {
				path := fmt.Sprintf("%s/subscriptions/%032x", t.path(), i)
				if _, err := io.WriteString(w, t.request(path, "", envelope(actionRenew, "", "<wse:Renew/>"))); err != nil {
					return err
				}
				status, answer, err := w.answer()
				if err != nil {
					return err
				}
				if status != 500 && status != 400 {
					return fmt.Errorf("answered %d: %.200s", status, answer)
				}
			}
			return t.alive(ctx)
		}},
		{"stalled-sink", area, "subscribers that accept the connection and never answer; their subscriptions end, nobody else waits", false, func(ctx context.Context, t *Target) error {
			l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			defer l.Close()
			status, answer, err := t.post(ctx, t.EventPath, subscribe("https://"+l.Addr().String()+"/", actionMetric, "PT5S"))
			if err != nil {
				return err
			}
			if status != 200 && status != 500 { // 500: the share of the peer is used up by another attack
				return fmt.Errorf("answered %d: %.200s", status, answer)
			}
			if status == 200 {
				if err := l.(*net.TCPListener).SetDeadline(time.Now().Add(patience)); err != nil { //nolint:errcheck,forcetypeassert // Listen("tcp") gives one
					return err
				}
				if c, err := l.Accept(); err == nil {
					defer c.Close()
				}
			}
			return t.alive(ctx)
		}},
		{"subscription-flood", area, "subscriptions without an end to a port where nobody listens; refused beyond the peer's share, and all end", false, func(ctx context.Context, t *Target) error {
			w, err := t.open(ctx)
			if err != nil {
				return err
			}
			defer w.Close()
			ok := 0
			for range 400 {
				if _, err := io.WriteString(w, t.request(t.EventPath, "", subscribe("https://127.0.0.1:9/", actionMetric, "PT5S"))); err != nil {
					return err
				}
				status, _, err := w.answer()
				if err != nil {
					return err
				}
				if status == 200 {
					ok++
				}
			}
			if ok == 400 {
				return errors.New("all 400 subscriptions of one peer were granted")
			}
			return t.alive(ctx)
		}},
	}
}
