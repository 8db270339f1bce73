package provider

// NewSequence starts a new sequence of the MDIB: a new SequenceId and MDIB version 0. It is for changes that consumers cannot follow step by
// step, such as a clock that was set (SDPi R1522): they read the MDIB anew when they see the next report.
func (p *Provider) NewSequence() {
	p.publishing.Lock()
	defer p.publishing.Unlock()
	p.store.NewSequence()
}
