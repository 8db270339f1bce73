package workflow

import (
	"context"
	"iter"

	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/station"
)

// World is what a workflow sees and acts on.
type World interface {
	// View is the newest view; never nil.
	View() *station.View
	// Views yields the newest view and each newer one until ctx ends; those that came while nobody looked may be left out.
	Views(ctx context.Context) iter.Seq[*station.View]
	// Invoke invokes an operation of the device with the given EPR and waits for its end. An error means that it ended badly, was not
	// invoked, or that its outcome is not known.
	Invoke(ctx context.Context, epr string, request msg.SetRequest) (*consumer.Result, error)
}

// OnStation is the world as a running station sees it.
func OnStation(s *station.Station) World { return onStation{s} }

type onStation struct{ *station.Station }

func (w onStation) Invoke(ctx context.Context, epr string, request msg.SetRequest) (*consumer.Result, error) {
	dev, err := w.Device(epr)
	if err != nil {
		return nil, err
	}
	i, err := dev.Invoke(ctx, request)
	if err != nil {
		return nil, err
	}
	return i.Wait(ctx)
}
