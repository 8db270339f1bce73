package provider

import (
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
)

// Follow publishes a report that was made elsewhere, as it is, and applies it to the MDIB: for a provider that shows what another device did, such as a replayed recording. See mdib.Store.Follow
// for its errors; one that fails changes nothing and tells nobody. The report belongs to the provider afterwards. Do not mix it with Update.
func (p *Provider) Follow(report msg.Report) error {
	p.publishing.Lock()
	defer p.publishing.Unlock()
	change, err := p.store.Follow(report)
	if err != nil {
		return err
	}
	if p.changes != nil && !change.Periodic && change.After != change.Before {
		p.changes.Append(change, p.now())
	}
	p.publish(change)
	return nil
}

// Replace puts another MDIB in the place of the present one, versions included; see mdib.Store.Replace. Consumers notice with the next report and read it.
func (p *Provider) Replace(s *mdib.Snapshot) {
	p.publishing.Lock()
	defer p.publishing.Unlock()
	before := p.store.Load()
	p.store.Replace(s)
	if p.changes != nil {
		p.changes.Append(&mdib.Change{Version: s.Version(), Before: before, After: s}, p.now())
	}
	select {
	case p.rescope <- struct{}{}:
	default: // it will look anyway
	}
}

// Save returns the MDIB and what belongs to it beyond the network, for a device that wants to go on with it after a restart; see package persist.
func (p *Provider) Save() (*mdib.Snapshot, mdib.Memory) { return p.store.Save() }
