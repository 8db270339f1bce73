package provider

import (
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/safety"
	"github.com/semeco/go-sdc/soap"
)

// checkSafety tells whether a request brings along what its operation asks for (MDPWS safe data transmission).
func (p *Provider) checkSafety(op pm.OperationDescriptor, r msg.SetRequest, header *soap.Header) *Refused {
	requirement, err := safety.Of(op)
	if err != nil {
		return refuse(msg.InvocationErrorUnspec, "%v", err) // nobody can call it
	}
	if requirement == nil {
		return nil
	}
	var info *safety.Info
	if block, ok := header.Block(safety.HeaderName()); ok {
		if info, err = safety.Decode(block); err != nil {
			return refuse(msg.InvocationErrorInv, "safety information: %v", err)
		}
	}
	if err := requirement.Check(info, r, p.store.Load()); err != nil {
		return refuse(msg.InvocationErrorInv, "operation %s: %v", op.Base().Handle, err)
	}
	return nil
}

// checkSafetyRequirements finds requirements that no call could meet.
func (c *Config) checkSafetyRequirements() (errs []error) {
	for op := range requirements(c.MDIB) {
		if _, err := safety.Of(op); err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// requirements yields the operations that ask for safety information.
func requirements(snap *mdib.Snapshot) func(yield func(pm.OperationDescriptor) bool) {
	return func(yield func(pm.OperationDescriptor) bool) {
		for e := range snap.Entities() {
			op, ok := e.Descriptor.(pm.OperationDescriptor)
			if !ok {
				continue
			}
			if _, ok := op.Base().Extension.Find(safety.RequirementName()); ok && !yield(op) {
				return
			}
		}
	}
}

// safetyAssertion is what the bindings of the services with such operations say of it in their WSDL. Which operations they are, the MDIB tells.
const safetyAssertion = `<mdpws:SafetyReqAssertion wsp:Optional="true"/>`

// assertsSafety tells whether the service with the operations asks for safety information when the device starts.
func (p *Provider) assertsSafety(service string) bool {
	for op := range requirements(p.store.Load()) {
		if service == serviceOf(op) {
			return true
		}
	}
	return false
}
