package bedside

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/alerts"
	"github.com/semeco/go-sdc/sdc/audit"
	"github.com/semeco/go-sdc/sdc/das"
	"github.com/semeco/go-sdc/sdc/das/alertprovider"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/simulators/internal/build"
)

// Alarms is the alarm system of a device: the facts that its simulation states, and a [alerts.Manager], which keeps the alert states right. Nothing is
// raised before Attach.
type Alarms struct {
	system  string
	limits  []build.Limit
	manager *alerts.Manager
	// monitoring lets a consumer monitor the alarms; nil if the MDIB does not offer it.
	monitoring *alertprovider.Monitoring
	sink       audit.Sink
	log        *slog.Logger

	mu     sync.Mutex
	facts  map[string]bool // as stated to the manager
	news   map[string]bool // not yet stated to it
	judged []pm.State      // what the limit alarms were judged by
}

// NewAlarms makes the alarm system with the given limit alarms.
func NewAlarms(system string, limits []build.Limit) *Alarms {
	return &Alarms{system: system, limits: limits, facts: map[string]bool{}, news: map[string]bool{}}
}

// Tell says who is told of the monitoring of the alarms by others; both may be nil. It is called before Attach.
func (a *Alarms) Tell(sink audit.Sink, log *slog.Logger) { a.sink, a.log = sink, log }

// attach puts the alarm system before its device.
func (a *Alarms) attach(d alerts.Updater) (err error) {
	a.manager, err = alerts.New(alerts.Config{Device: d})
	return err
}

// monitored has the alarms of a device whose MDIB offers that monitored by a distributed alarm system (SDPi-A DEV-48, DEV-49). It stands in the place of attach.
func (a *Alarms) monitored(d alertprovider.Device) error {
	_, err := das.Find(d.MDIB(), "", das.Codes{})
	if errors.Is(err, das.ErrNotOffered) {
		return a.attach(d)
	}
	if err != nil {
		return err
	}
	if a.monitoring, err = alertprovider.New(alertprovider.Config{Device: d, Audit: a.sink, Logger: a.log}); err != nil {
		return err
	}
	return a.attach(a.monitoring)
}

// Flag says whether the fact behind a condition without limits is there; Step makes it known.
func (a *Alarms) Flag(condition string, there bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.facts[condition] == there {
		delete(a.news, condition)
		return
	}
	a.news[condition] = there
}

// Step brings the conditions up to date with what was flagged, and has limit alarms judged whose metric has changed.
func (a *Alarms) Step() error {
	a.mu.Lock()
	news := a.news
	a.news = map[string]bool{}
	maps.Copy(a.facts, news)
	a.mu.Unlock()
	if len(news) > 0 {
		return a.manager.SetPresences(news)
	}
	if a.sourcesChanged() {
		return a.manager.Evaluate()
	}
	return nil
}

func (a *Alarms) sourcesChanged() (changed bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.judged == nil {
		a.judged = make([]pm.State, len(a.limits))
	}
	snap := a.manager.MDIB()
	for i, l := range a.limits {
		if s, _ := snap.State(l.Source); s != a.judged[i] {
			a.judged[i], changed = s, true
		}
	}
	return changed
}

// Pace is the function of that name, with the self checks and timers of the alarm system running beside it.
func (a *Alarms) Pace(ctx context.Context, step func(at time.Time) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// The manager goes on until monitoring has given the signals back.
	managed, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	managing, monitoring := make(chan error, 1), make(chan error, 1)
	go func() { managing <- a.manager.Run(managed) }()
	go func() {
		if a.monitoring == nil {
			monitoring <- nil
			return
		}
		monitoring <- a.monitoring.Run(ctx, a.manager)
	}()
	err := Pace(ctx, Step, step)
	cancel()
	err = errors.Join(err, <-monitoring)
	stop()
	return errors.Join(err, <-managing)
}

// resumeAudio ends a pause of the audible signals. Who wants to hear the device does not want it to be quiet because it is monitored elsewhere either.
func (a *Alarms) resumeAudio() error {
	if a.monitoring != nil {
		a.monitoring.End("the audible signals were switched on")
	}
	return a.manager.ResumeAudio(a.system)
}

// acknowledge acknowledges every signal that sounds; that none does is no error.
func (a *Alarms) acknowledge() error {
	err := a.manager.Acknowledge(a.system)
	var nothing *mdib.RuleError
	if errors.As(err, &nothing) {
		return nil
	}
	return err
}

// setAlertState handles a SetAlertState operation about its target.
func (a *Alarms) setAlertState(_ context.Context, call *provider.SetAlertState) error {
	if h := call.Proposed.BaseState().DescriptorHandle; h != call.Target {
		return provider.Refuse("the operation sets the state of %s, not of %s", call.Target, h)
	}
	if err := a.manager.SetAlertState(call.Proposed); err != nil {
		return provider.Refuse("%v", err)
	}
	return nil
}
