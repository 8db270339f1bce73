package provider

import "github.com/semeco/go-sdc/mdib"

// NewSequence starts a new sequence of the MDIB: a new SequenceId and MDIB version 0. It is for changes that consumers cannot follow step by
// step, such as a clock that was set (SDPi R1522): they read the MDIB anew when they see the next report.
func (p *Provider) NewSequence() {
	p.publishing.Lock()
	defer p.publishing.Unlock()
	before := p.store.Load()
	after := p.store.NewSequence()
	if p.changes != nil {
		// A change without content, so that the log knows where the sequences part.
		p.changes.Append(&mdib.Change{Version: after.Version(), Before: before, After: after}, p.now())
	}
}
