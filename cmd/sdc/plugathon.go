package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/plugathon"
	"github.com/semeco/go-sdc/soap"
)

type plugathonCmd struct {
	deviceFlags
	Target    string        `arg:"" help:"Device: EPR, unique prefix of one, friendly name or URL."`
	Steps     []string      `placeholder:"4a" help:"Steps to take. Default: all."`
	AllowSkip []string      `placeholder:"1a" help:"Steps that may be skipped: what cannot be tried or seen counts as failed unless it is named here."`
	Window    time.Duration `default:"30s" help:"How long reports are watched at most."`
	JSON      bool          `name:"json" help:"One JSON object a step."`
}

// stepResult is what sdc plugathon --json tells of one.
type stepResult struct {
	Step     string `json:"step"`
	Title    string `json:"title"`
	Result   string `json:"result"`
	Evidence string `json:"evidence"`
}

func (c *plugathonCmd) Run(e *env) error {
	for _, id := range slices.Concat(c.Steps, c.AllowSkip) {
		if !slices.ContainsFunc(plugathon.Steps(), func(s plugathon.Step) bool { return s.ID == id }) {
			return usagef("there is no step %q", id)
		}
	}
	if c.Window <= 0 {
		return usagef("the window must be longer than %s", c.Window)
	}
	participant, err := c.consumer(e)
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(e.ctx), 5*time.Second)
		defer cancel()
		if err := participant.Close(ctx); err != nil {
			e.log.Warn("disconnecting", "error", err)
		}
	}()
	network := c.network()
	results, err := plugathon.Run(e.ctx, plugathon.Config{
		Consumer: participant,
		Find:     func(ctx context.Context) (discovery.Endpoint, error) { return c.await(ctx, e) },
		Discovery: func() (discovery.Transport, error) {
			return discovery.OpenUDP(network.UDP(), e.log)
		},
		Proxy: c.DiscoveryProxy,
		Steps: c.Steps, Window: c.Window, StepTimeout: c.Timeout, Journal: soap.JournalOf(e.journal, "consumer", ""), Logger: e.log,
	})
	if err != nil {
		return err
	}
	return c.print(e, results)
}

// await finds the target, and waits for it if it is not there yet.
func (c *plugathonCmd) await(ctx context.Context, e *env) (discovery.Endpoint, error) {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	for {
		ep, err := c.find(ctx, e, c.Target)
		var usage usageError
		if err == nil || errors.As(err, &usage) || ctx.Err() != nil || errors.Is(err, discovery.ErrNoLink) { // the last comes at once, again and again
			return ep, err
		}
		e.log.Info("not found yet", "error", err)
	}
}

func (c *plugathonCmd) print(e *env, results []plugathon.Result) error {
	count := map[plugathon.Outcome]int{}
	var skipped []string // that were not to be
	t := newTable("STEP", "RESULT", "WHAT", "EVIDENCE")
	for _, r := range results {
		count[r.Outcome]++
		if r.Outcome == plugathon.Skip && !slices.Contains(c.AllowSkip, r.ID) {
			skipped = append(skipped, r.ID)
		}
		if c.JSON {
			if err := writeJSON(e.out, stepResult{r.ID, r.Title, string(r.Outcome), r.Evidence}); err != nil {
				return err
			}
			continue
		}
		t.add(r.ID, string(r.Outcome), r.Title, r.Evidence)
	}
	if !c.JSON {
		if err := t.print(e.out); err != nil {
			return err
		}
		if _, err := fmt.Fprintf(e.out, "%d passed, %d failed, %d skipped\n", count[plugathon.Pass], count[plugathon.Fail], count[plugathon.Skip]); err != nil {
			return err
		}
	}
	if len(skipped) > 0 {
		return fmt.Errorf("what was skipped has not been shown, and counts as failed unless it is allowed: --allow-skip %s", strings.Join(append(slices.Clone(c.AllowSkip), skipped...), ","))
	}
	if count[plugathon.Fail] > 0 {
		return errSilent
	}
	return nil
}
