package station

import (
	"time"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/sdc/consumer"
)

// Offline is a station without a network: it is told what devices report. Package station/playback shows recordings by it. Run publishes the
// views; there are no connections, so that Device finds none.
type Offline struct{ *Station }

// NewOffline makes a station that is told of its devices by Apply. Consumer, Discovery and Rules of the configuration are not looked at.
func NewOffline(cfg Config) (*Offline, error) {
	cfg.Consumer, cfg.Discovery, cfg.Rules = new(consumer.Consumer), Endpoints{}, nil
	s, err := New(cfg)
	if err != nil {
		return nil, err
	}
	return &Offline{s}, nil
}

// Apply takes an update of a device, of which about says who it is: EPR is needed, and what does not come from the MDIB is shown. The updates of one
// device come in order, from one goroutine at a time; their times are those of this station's clock. False says that there are too many devices.
func (o *Offline) Apply(about Device, u consumer.Update) bool {
	m := o.member(about)
	if m == nil {
		return false
	}
	urgent := m.tracker.apply(u)
	m.shown.Store(m.tracker.device())
	o.changed(urgent)
	return true
}

func (o *Offline) member(about Device) *member {
	o.mu.Lock()
	defer o.mu.Unlock()
	m := o.members[about.EPR]
	if m == nil && len(o.members) < o.cfg.MaxDevices {
		m = newMember(o.Station, waiter{Endpoint: discovery.Endpoint{EPR: about.EPR}}, Rule{})
		m.tracker.about = about
		m.tracker.link.Since = time.Now()
		o.members[about.EPR] = m
	}
	return m
}
