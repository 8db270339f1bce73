package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/soap"
)

// getMdib measures the round trip of a whole MDIB, from the request to the filled mirror. Before each the device
// changes, so that the answer has to be encoded anew.
func (e *env) getMdib(ctx context.Context) (err error) {
	n := 100
	if e.short {
		n = 10
	}
	snap, err := deviceSnapshot()
	if err != nil {
		return err
	}
	p, err := e.startPair(ctx, snap)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	id, err := e.ca.identity("reader", sdc.RoleConsumer)
	if err != nil {
		return err
	}
	client, err := soap.NewClient(soap.ClientConfig{TLS: id.ClientTLS(sdc.RoleProvider)})
	if err != nil {
		return err
	}
	defer client.Close()
	get, err := serviceOf(p.link, sdc.GetService)
	if err != nil {
		return err
	}
	mirror := mdib.NewMirror(mdib.MirrorConfig{})
	own := series{"this stack", "µs", nil}
	settle()
	for i := range n {
		if err := p.dev.Update(func(tx *mdib.Tx) error { return setMetrics(tx, i, 1) }); err != nil {
			return err
		}
		begin := time.Now()
		env, err := client.Call(ctx, get, sdc.ActionGetMdib, &msg.GetMdib{})
		if err != nil {
			return err
		}
		answer, err := soap.Decode(env, env.BodyName(), msg.Decode)
		if err != nil {
			return err
		}
		response, ok := answer.(*msg.GetMdibResponse)
		if !ok {
			return fmt.Errorf("answered by %s", answer.BodyName())
		}
		if _, err := mirror.Reset(response); err != nil {
			return err
		}
		own.Values = append(own.Values, float64(time.Since(begin).Nanoseconds())/1e3)
	}
	r := row{
		What:   fmt.Sprintf("GetMdib, %.0f KB, round trip including the mirror", float64(len(deviceXML()))/1000),
		Target: "at most 1/10 of P", Verdict: unmeasured,
		Figure: fmt.Sprintf("median %s ms", num(own.median()/1e3)), Raw: []series{summary(own)},
	}
	bars := []bar{{"this stack", own.median() / 1e3, ours}}
	if e.hasPeer() && !e.short {
		pp, err := e.startPeerPair(ctx)
		if err != nil {
			return fmt.Errorf("the Python peer: %w", err)
		}
		got, err := pp.consumer.do(ctx, "result", map[string]any{"do": "get_mdib", "count": n / 2})
		if err := errors.Join(err, pp.close()); err != nil {
			return err
		}
		peer := series{"Python peer", "µs", got.Latencies}
		r.Figure += fmt.Sprintf("; P %s ms: 1/%s", num(peer.median()/1e3), num(peer.median()/own.median()))
		r.Verdict = verdictOf(own.median() <= peer.median()/10)
		r.Raw = append(r.Raw, summary(peer))
		bars = append(bars, bar{"Python peer", peer.median() / 1e3, other})
	}
	e.add(r)
	e.addPlot(plot{File: "getmdib.svg", Title: r.What, Unit: "ms", Bars: bars})
	return nil
}
