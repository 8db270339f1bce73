package lint

import "github.com/semeco/go-sdc/mdib/pm"

func contextRules() []Rule {
	return []Rule{
		{ID: "BICEPS binding versions", Profile: base, Title: "Context states tell the MDIB versions at which they were associated and disassociated.", check: bindingVersions},
		{ID: "BICEPS association life cycle", Profile: base, Title: "What is associated has not been disassociated before.", check: lifeCycle},
		{ID: "Valid patient context", Profile: base, Title: "An associated patient or location has a validator.", check: validated},
		{ID: "Workflow/operator contexts", Profile: base, Title: "An associated operator or workflow has a binding start time.", check: bindingTimes},
		{ID: "BICEPS R0135", Profile: base, Title: "An instance identifier has a root or an extension.", check: identifiers},
	}
}

func bindingVersions(p *pass) {
	for h, c := range p.contexts() {
		b := c.BaseContext()
		bound, hasBound := b.BindingMdibVersion.Get()
		unbound, hasUnbound := b.UnbindingMdibVersion.Get()
		switch b.ContextAssociationOrDefault() {
		case pm.ContextAssociationAssoc:
			if !hasBound {
				p.warnf(h, "the state is associated without a BindingMdibVersion")
			}
		case pm.ContextAssociationDis:
			if !hasUnbound {
				p.warnf(h, "the state is disassociated without an UnbindingMdibVersion")
			}
		}
		if hasBound && hasUnbound && unbound < bound {
			p.errorf(h, "the state was unbound at MDIB version %d, before it was bound at %d", unbound, bound)
		}
		if now := p.s.Version().MdibVersion; bound > now || unbound > now {
			p.warnf(h, "the state was bound at MDIB version %d or unbound at %d, but the MDIB is at %d", bound, unbound, now)
		}
	}
}

func lifeCycle(p *pass) {
	for h, c := range p.contexts() {
		b := c.BaseContext()
		if b.ContextAssociation == pm.ContextAssociationAssoc && (b.UnbindingMdibVersion.IsSet() || b.BindingEndTime.IsSet()) {
			p.warnf(h, "the state is associated although it tells of a disassociation")
		}
	}
}

func validated(p *pass) {
	for h, c := range p.contexts() {
		switch c.(type) {
		case *pm.PatientContextState, *pm.LocationContextState:
			if b := c.BaseContext(); b.ContextAssociation == pm.ContextAssociationAssoc && len(b.Validator) == 0 {
				p.infof(h, "the state is associated without a validator, so that readers may take it for not valid")
			}
		}
	}
}

func bindingTimes(p *pass) {
	for h, c := range p.contexts() {
		switch c.(type) {
		case *pm.OperatorContextState, *pm.WorkflowContextState:
			if b := c.BaseContext(); b.ContextAssociation == pm.ContextAssociationAssoc && !b.BindingStartTime.IsSet() {
				p.warnf(h, "the state is associated without a BindingStartTime, so that it cannot be exported")
			}
		}
	}
}

func identifiers(p *pass) {
	for v, id := range all[*pm.InstanceIdentifier](p) {
		if _, resets := v.owner.(*pm.OperatingJurisdiction); resets {
			continue // empty asks for a reset
		}
		if id.Root == "" && id.Extension == "" {
			p.warnf(v.handle, "an identifier in %s has neither root nor extension", v.field)
		}
	}
}
