package misbehave

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/simulators"
)

// never is longer than anybody waits for an operation.
const never = 365 * 24 * time.Hour

// Run is simulators.Run for a device that follows a plan. create makes the device; it is called once more for each restart. The same seed gives the same
// deeds: it says with which notification the counting begins, and when the first spells are. ready, which may be nil, is called when the device is
// reachable for the first time.
//
// With Freeze, Vanish or Restart, cfg.Network must name addresses, not interfaces, and addresses that come or go are not followed. A discovery
// proxy is told Hello and Bye whatever the plan says of them, unless the device has vanished.
func Run(ctx context.Context, plan Plan, seed uint64, create func() (simulators.Simulator, error), cfg provider.Config, ready func(*provider.Provider)) error {
	if create == nil {
		return errors.New("misbehave: nothing makes the device")
	}
	d := &device{plan: plan, random: rand.New(rand.NewPCG(seed, 0x6d6973)), ports: map[string]string{}}
	if d.log = cfg.Logger; d.log == nil {
		d.log = slog.New(slog.DiscardHandler)
	}
	if d.gated() && len(cfg.Network.Interfaces) > 0 {
		return errors.New("misbehave: a device that freezes, vanishes or restarts listens at addresses, not at interfaces")
	}
	if cfg.EPR == "" {
		cfg.EPR = uuid.New().URN() // the same over restarts
	}
	d.log = d.log.With("device", cfg.EPR) // there may be others
	for {
		sim, err := create()
		if err != nil {
			return err
		}
		restart, err := d.live(ctx, sim, cfg, ready)
		if !restart {
			return err
		}
		if err != nil { // what could not be said or done by one that was killed
			d.log.Debug("the device was killed", "error", err)
		}
		if ctx.Err() != nil {
			return nil //nolint:nilerr // stopped between two lives
		}
		ready = nil
	}
}

// device is what stays over restarts.
type device struct {
	plan   Plan
	random *rand.Rand
	log    *slog.Logger

	mu    sync.Mutex
	ports map[string]string // where it listened, by what was asked for
}

func (d *device) gated() bool {
	return d.plan.Freeze != Spell{} || d.plan.Vanish != Spell{} || d.plan.Restart > 0
}

// live is one life of the device; restart says that it was killed in order to start anew.
func (d *device) live(ctx context.Context, sim simulators.Simulator, cfg provider.Config, ready func(*provider.Provider)) (restart bool, err error) {
	p := d.plan
	life, end := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer end()
	if p.Lose > 0 || p.Repeat > 0 || p.Garble > 0 || p.Swap > 0 || p.Delay > 0 {
		cfg.OverNotifications = newCourier(life, p, d.random, d.log).over
	}
	if p.RefuseOperations || p.HangOperations {
		sim = &unwilling{sim, p.HangOperations, d.log}
		if p.HangOperations {
			cfg.MaxTimeToFinish = never
		}
	}
	var g *gate
	if d.gated() {
		g = newGate(ctx, d.log)
		d.behind(g, &cfg)
	}
	if omit := p.omissions(); g != nil || len(omit) > 0 {
		if cfg.Transport == nil {
			t, err := discovery.OpenUDP(cfg.Network.UDP(), d.log)
			if err != nil {
				return false, fmt.Errorf("misbehave: discovery: %w", err)
			}
			defer func() { err = errors.Join(err, t.Close()) }()
			cfg.Transport = t
		}
		cfg.Transport = &datagrams{Transport: cfg.Transport, gate: g, omit: omit, log: d.log}
	}
	if p.Freeze != (Spell{}) {
		r := rand.New(rand.NewPCG(d.random.Uint64(), 1))
		wg.Go(func() { spells(life, p.Freeze, r, g.freeze, g.thaw) })
	}
	if p.Vanish != (Spell{}) {
		r := rand.New(rand.NewPCG(d.random.Uint64(), 2))
		wg.Go(func() { spells(life, p.Vanish, r, g.vanish, g.back) })
	}
	killed := false // before life has ended
	if p.Restart > 0 {
		if cfg.Logger == nil {
			cfg.Logger = d.log
		}
		log, dead := newMortal(cfg.Logger)
		cfg.Logger = log
		wg.Go(func() {
			if pause(life, p.Restart) {
				dead.Store(true)
				g.kill()
				killed = true
				end()
			}
		})
	}
	err = simulators.Run(life, sim, cfg, ready)
	end()
	wg.Wait()
	return killed, err
}

// behind puts the connections of a device behind a gate.
func (d *device) behind(g *gate, cfg *provider.Config) {
	listen, dial := cfg.Listen, cfg.Dial
	if listen == nil {
		listen = new(net.ListenConfig).Listen
	}
	if dial == nil {
		dial = (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 15 * time.Second}).DialContext
	}
	cfg.Dial = g.dialer(dial)
	cfg.Listen = func(ctx context.Context, network, address string) (net.Listener, error) {
		l, err := listen(ctx, network, d.again(address))
		if err != nil {
			return nil, err
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		d.ports[address] = l.Addr().String()
		return g.listener(l), nil
	}
}

// again is where the device listened when it was asked for address before.
func (d *device) again(address string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if at, ok := d.ports[address]; ok {
		return at
	}
	return address
}
