// Package room brings up a whole operating room of simulated devices in one process: ventilator, monitor, infusion pump,
// X-ray and surgical light, at one place, in one ensemble and at one patient, each a device of its own on the network.
package room

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/pki"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/simulators"
	"github.com/semeco/go-sdc/simulators/light"
	"github.com/semeco/go-sdc/simulators/monitor"
	"github.com/semeco/go-sdc/simulators/physio"
	"github.com/semeco/go-sdc/simulators/pump"
	"github.com/semeco/go-sdc/simulators/ventilator"
	"github.com/semeco/go-sdc/simulators/xray"
)

// PatientRoot is the name space of the patients of simulated rooms.
const PatientRoot = "urn:oid:2.25.0"

// Config describes a room. The zero value of each field but Authority is usable; without an Authority the devices must be Insecure.
type Config struct {
	// Authority issues the certificates of the devices.
	Authority *pki.CA
	// Insecure uses plain HTTP, for benches only.
	Insecure bool
	// Network is where the devices live; the zero value is loopback.
	Network sdc.Network
	// Name is the point of care and the ensemble; "" is "OR 1".
	Name string
	// Patient is the identifier of the patient within PatientRoot, who is admitted at every device that has a patient; "" is nobody.
	Patient string
	// Given and Family are the patient's name.
	Given, Family string
	Seed          uint64
	Scenario      physio.Scenario
	// Provider, if set, may change the configuration of each device, whose name it is given.
	Provider func(name string, cfg *provider.Config)
}

// Room is a room with its devices. Make it with [New].
type Room struct {
	// Bed is where the patient lies.
	Bed *simulators.Bed
	// Devices are in the order ventilator, monitor, pump, X-ray, light.
	Devices []*Device

	Ventilator *ventilator.Ventilator
	Monitor    *monitor.Monitor
	Pump       *pump.Pump
	XRay       *xray.Device
	Light      *light.Light
}

// Device is one device of a room.
type Device struct {
	Name      string
	EPR       string
	Simulator simulators.Simulator

	cfg     provider.Config
	patient *pm.PatientContextState
	ready   chan struct{}
	running *provider.Provider
}

// Ready is closed once the device is reachable and knows its patient.
func (d *Device) Ready() <-chan struct{} { return d.ready }

// Provider is the device on the network; nil before it is Ready.
func (d *Device) Provider() *provider.Provider {
	select {
	case <-d.ready:
		return d.running
	default:
		return nil
	}
}

// New makes a room whose devices are not switched on yet.
func New(cfg Config) (*Room, error) {
	if cfg.Name == "" {
		cfg.Name = "OR 1"
	}
	opts := simulators.Options{
		Seed: cfg.Seed, Scenario: cfg.Scenario, Location: sdc.LocationDetail{Facility: "Demo", PoC: cfg.Name}, Ensemble: cfg.Name,
	}
	r := &Room{Bed: opts.OpenBed()}
	opts.Bed = r.Bed
	var errs [5]error
	r.Ventilator, errs[0] = ventilator.New(opts)
	r.Monitor, errs[1] = monitor.New(opts)
	r.Pump, errs[2] = pump.New(opts)
	r.XRay, errs[3] = xray.New(opts)
	r.Light, errs[4] = light.New(opts)
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	for _, sim := range []simulators.Simulator{r.Ventilator, r.Monitor, r.Pump, r.XRay, r.Light} {
		d := &Device{Name: sim.Device().FriendlyName[0].Text, EPR: uuid.New().URN(), Simulator: sim, ready: make(chan struct{})}
		d.cfg = provider.Config{
			EPR: d.EPR, Insecure: cfg.Insecure, Network: cfg.Network,
			// Whoever is trusted in this room may operate its devices.
			Policy: provider.AllowAll(),
			// Five devices in one process need not take turns.
			Timing: discovery.PromptTiming(),
		}
		if cfg.Authority != nil {
			p, err := cfg.Authority.Issue(pki.Request{Name: cfg.Name + " " + d.Name, Role: sdc.RoleProvider, Validity: 24 * time.Hour})
			if err != nil {
				return nil, fmt.Errorf("%s: %w", d.Name, err)
			}
			if d.cfg.Identity, err = p.Identity(); err != nil {
				return nil, fmt.Errorf("%s: %w", d.Name, err)
			}
		}
		if cfg.Patient != "" {
			d.patient = &pm.PatientContextState{CoreData: &pm.PatientDemographicsCoreData{
				BaseDemographics: pm.BaseDemographics{Givenname: cfg.Given, Familyname: cfg.Family},
			}}
			d.patient.Identification = []pm.InstanceIdentifier{{Root: PatientRoot, Extension: cfg.Patient}}
		}
		if cfg.Provider != nil {
			cfg.Provider(d.Name, &d.cfg)
		}
		r.Devices = append(r.Devices, d)
	}
	return r, nil
}

// Run keeps the devices on the network until ctx ends, which is no error. If one fails, all end.
func (r *Room) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	errs := make([]error, len(r.Devices))
	for i, d := range r.Devices {
		wg.Go(func() {
			if err := d.Run(ctx); err != nil {
				errs[i] = err
				cancel()
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// Run keeps one device on the network until ctx ends, which is no error. It runs once.
func (d *Device) Run(ctx context.Context) error {
	var admitted error
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	err := simulators.Run(ctx, d.Simulator, d.cfg, func(p *provider.Provider) {
		if admitted = d.admit(p); admitted != nil {
			cancel()
			return
		}
		d.running = p
		close(d.ready)
	})
	if err = errors.Join(err, admitted); err != nil {
		return fmt.Errorf("%s: %w", d.Name, err)
	}
	return nil
}

// admit associates the patient in every MDS that has a patient context.
func (d *Device) admit(p *provider.Provider) error {
	if d.patient == nil {
		return nil
	}
	return p.Update(func(tx *mdib.Tx) error {
		for e := range tx.Base().Entities() {
			if _, ok := e.Descriptor.(*pm.PatientContextDescriptor); !ok {
				continue
			}
			s, err := mdib.NewContext[*pm.PatientContextState](tx, e.Handle)
			if err != nil {
				return err
			}
			s.ContextAssociation, s.Identification, s.CoreData = pm.ContextAssociationAssoc, d.patient.Identification, d.patient.CoreData
		}
		return nil
	})
}
