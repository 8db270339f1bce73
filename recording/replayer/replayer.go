// Package replayer brings a recorded device back to life: a provider that shows the recorded MDIB and sends every recorded report again, with its versions and at its time.
package replayer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/recording"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/soap/dpws"
)

// Config of a Replayer. Recording is needed, and of Provider one of Identity and Insecure.
type Config struct {
	// Recording is what is replayed. It belongs to the caller, who closes it after Run has returned.
	Recording *recording.Reader
	// Device is the EPR of the device, or a unique part of its beginning; "" is the only one there is.
	Device string
	// Speed is how many recorded seconds pass in one; 0 means 1.
	Speed float64
	// From is where in the recording to begin; the zero time means where the device begins.
	From time.Time
	// Origin is the recorded instant at which the replay starts. Several devices that are to keep time with one another have the same; the zero time means From, or where
	// the device begins.
	Origin time.Time
	// Provider configures the device that is made. MDIB, Store, Model and Device are filled in, EPR if it is empty: with the recorded one.
	Provider provider.Config
}

// Replayer replays one device. Run it once.
type Replayer struct {
	cfg    Config
	device recording.Device
	origin time.Time
	p      *provider.Provider
	played atomic.Uint64
	done   chan struct{}
	once   sync.Once
}

// New reads the MDIB to begin with and makes the provider.
//
// Operations of the device are in the MDIB but have no handlers: their calls end with Fail. Services other than those of every device are offered if Provider says so.
func New(cfg Config) (*Replayer, error) {
	if cfg.Recording == nil {
		return nil, errors.New("replayer: Recording is missing")
	}
	if cfg.Speed < 0 {
		return nil, errors.New("replayer: Speed is negative")
	}
	if cfg.Speed == 0 {
		cfg.Speed = 1
	}
	device, err := cfg.Recording.Device(cfg.Device)
	if err != nil {
		return nil, fmt.Errorf("replayer: %w", err)
	}
	r := &Replayer{cfg: cfg, device: device, origin: cfg.Origin, done: make(chan struct{})}
	first, err := r.first()
	if err != nil {
		return nil, fmt.Errorf("replayer: %w", err)
	}
	if r.origin.IsZero() {
		r.origin = first.At
	}
	pc := cfg.Provider
	pc.MDIB, pc.Store.KeepVersion = first.After, true
	pc.Model, pc.Device = describe(device)
	if pc.EPR == "" {
		pc.EPR = device.EPR
	}
	if r.p, err = provider.New(pc); err != nil {
		return nil, err
	}
	r.p.Replace(first.After) // exactly as it was recorded: a new device corrects references
	return r, nil
}

// first returns the step with the first MDIB.
func (r *Replayer) first() (recording.Step, error) {
	for s, err := range r.cfg.Recording.Play(r.cfg.From, r.device.EPR) {
		if err != nil {
			return s, err
		}
		if s.Kind == recording.KindMDIB {
			return s, nil
		}
	}
	return recording.Step{}, recording.ErrNotThere
}

// Provider is the device that is made.
func (r *Replayer) Provider() *provider.Provider { return r.p }

// Done is closed when everything has been replayed. The device stays as it is then until Run's context ends.
func (r *Replayer) Done() <-chan struct{} { return r.done }

// Played is how many reports have been sent.
func (r *Replayer) Played() uint64 { return r.played.Load() }

// Run puts the device on the network, replays from the moment on at which start is closed, and leaves the network when ctx ends. The error says why the recording cannot be replayed to its end,
// or what the provider's Run says.
func (r *Replayer) Run(ctx context.Context, start <-chan struct{}) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	played := make(chan error, 1)
	go func() {
		err := r.play(ctx, start)
		if err != nil {
			cancel()
		}
		played <- err
	}()
	err := r.p.Run(ctx)
	cancel()
	return errors.Join(<-played, err)
}

func (r *Replayer) play(ctx context.Context, start <-chan struct{}) error {
	for _, ready := range []<-chan struct{}{r.p.Ready(), start} {
		select {
		case <-ready:
		case <-ctx.Done():
			return nil
		}
	}
	begin := time.Now()
	first := true
	for s, err := range r.cfg.Recording.Play(r.cfg.From, r.device.EPR) {
		if err != nil {
			return fmt.Errorf("replayer: %w", err)
		}
		if !r.wait(ctx, begin, s.At) {
			return nil
		}
		switch {
		case s.Kind == recording.KindMDIB && first:
			first = false // New has shown it
		case s.Kind == recording.KindMDIB && s.Reason != recording.ReasonKey:
			r.p.Replace(s.After)
		case s.Report != nil:
			// A report of the version that is shown already was in the MDIB that was read, too.
			if err := r.p.Follow(s.Report); err != nil && !errors.Is(err, mdib.ErrOld) {
				return fmt.Errorf("replayer: %w", err)
			}
			r.played.Add(1)
		}
	}
	r.once.Do(func() { close(r.done) })
	return nil
}

// wait waits for the moment of a recorded instant; it reports whether that came before the end of ctx.
func (r *Replayer) wait(ctx context.Context, begin, at time.Time) bool {
	due := begin.Add(time.Duration(float64(at.Sub(r.origin)) / r.cfg.Speed))
	left := time.Until(due)
	if left <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func describe(d recording.Device) (dpws.ThisModel, dpws.ThisDevice) {
	return dpws.ThisModel{
			Manufacturer: texts(d.Manufacturer), ManufacturerURL: d.ManufacturerURL, ModelName: texts(d.ModelName),
			ModelNumber: d.ModelNumber, ModelURL: d.ModelURL, PresentationURL: d.PresentationURL,
		}, dpws.ThisDevice{
			FriendlyName: texts(d.FriendlyName), FirmwareVersion: d.Firmware, SerialNumber: d.SerialNumber,
		}
}

func texts(in []recording.Text) []dpws.LocalizedString {
	var out []dpws.LocalizedString
	for _, t := range in {
		out = append(out, dpws.LocalizedString{Text: t.Text, Lang: t.Lang})
	}
	return out
}
