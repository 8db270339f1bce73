package station

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"time"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/sdc/consumer"
)

// Source tells which devices there are, as *discovery.Client does.
type Source interface {
	// Watch yields what becomes of the devices that match, until ctx ends.
	Watch(ctx context.Context, f discovery.Filter) iter.Seq[discovery.Event]
}

// Endpoints is a Source of devices whose addresses are known.
type Endpoints []discovery.Endpoint

// Watch yields each matching endpoint once and waits for the end of ctx.
func (e Endpoints) Watch(ctx context.Context, f discovery.Filter) iter.Seq[discovery.Event] {
	return func(yield func(discovery.Event) bool) {
		for _, ep := range e {
			// Whoever lists a device by hand need not write down its types.
			if len(ep.Types) == 0 {
				ep.Types = discovery.DeviceTypes()
			}
			if f.Match(ep) && !yield(discovery.Event{Kind: discovery.Found, Endpoint: ep}) {
				return
			}
		}
		<-ctx.Done()
	}
}

// Config describes a station. Consumer and Discovery are needed, the zero value of each other field is usable.
type Config struct {
	// Consumer is the participant that the station acts as. It belongs to the caller, who closes it after the station.
	Consumer *consumer.Consumer
	// Discovery tells which devices there are.
	Discovery Source
	// Rules say which devices to connect to; a device is taken by the first that matches. None takes every device.
	Rules []Rule
	// MaxDevices bounds the devices that are followed; 0 is 64. Further ones wait, see View.Waiting: one that has been connected keeps its place until it
	// is forgotten, one that never has gives it to another that waits when its turn is over.
	MaxDevices int
	// Interval is the least time between two views, other than for what is urgent; 0 is 100 ms.
	Interval time.Duration
	// Forget is how long a device that is lost or has left stays in the view, with everything marked; 0 is 10 min.
	Forget time.Duration
	// History bounds what is remembered of each metric.
	History HistoryConfig
	// Immediately leaves out the random wait before connecting to a device that was just discovered (GLUE R0076), for tests,
	// demonstrations, and where a user is waiting.
	Immediately bool
	// Logger receives what happens; nil discards.
	Logger *slog.Logger
}

// maxWaiting bounds the devices that are known but not connected to; for further ones others give way, see [giveway.Pick].
const maxWaiting = 1024

func (c Config) withDefaults() (Config, error) {
	var errs []error
	if c.Consumer == nil {
		errs = append(errs, errors.New("a Consumer is needed"))
	}
	if c.Discovery == nil {
		errs = append(errs, errors.New("a source of Discovery is needed"))
	}
	if c.MaxDevices < 0 || c.Interval < 0 || c.Forget < 0 {
		errs = append(errs, errors.New("MaxDevices, Interval and Forget must not be negative"))
	}
	for i, r := range c.Rules {
		if err := r.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("rule %d: %w", i+1, err))
		}
	}
	history, err := c.History.withDefaults()
	if err != nil {
		errs = append(errs, err)
	}
	c.History = history
	if err := errors.Join(errs...); err != nil {
		return c, fmt.Errorf("station: %w", err)
	}
	if c.MaxDevices == 0 {
		c.MaxDevices = 64
	}
	if c.Interval == 0 {
		c.Interval = 100 * time.Millisecond
	}
	if c.Forget == 0 {
		c.Forget = 10 * time.Minute
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c, nil
}
