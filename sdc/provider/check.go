package provider

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
)

// check tells whether a request may run on the MDIB as it is now (SCO-2): the operation exists, takes this kind of request and is enabled,
// neither it nor its target is below a component that is off, the target exists, and the arguments fit. The descriptor is returned with a refusal too if the operation exists.
func (p *Provider) check(r msg.SetRequest) (pm.OperationDescriptor, *Refused) {
	snap := p.store.Load()
	handle := r.BaseSet().OperationHandleRef
	d, ok := snap.Descriptor(handle)
	op, isOp := d.(pm.OperationDescriptor)
	if !ok || !isOp {
		return nil, refuse(msg.InvocationErrorUnkn, "there is no operation %q", clip(handle))
	}
	if want := kindOf(op); want != kindOfRequest(r) {
		return op, refuse(msg.InvocationErrorInv, "operation %s takes %s, not %s", handle, want, kindOfRequest(r))
	}
	s, _ := snap.State(handle)
	state, ok := s.(pm.OperationState)
	if !ok {
		return op, refuse(msg.InvocationErrorUnspec, "operation %s has no state", handle)
	}
	if mode := state.BaseOperation().OperatingMode; mode != pm.OperatingModeEn {
		return op, refuse(msg.InvocationErrorOth, "operation %s is not enabled (operating mode %s)", handle, mode)
	}
	if component, off := mdib.OperationOff(snap, handle); off {
		return op, refuse(msg.InvocationErrorOth, "operation %s is not available: %q is off", handle, component)
	}
	if refusal := p.checkEffect(op); refusal != nil {
		return op, refusal
	}
	if target := op.BaseOperation().OperationTarget; !exists(snap, target) {
		return op, refuse(msg.InvocationErrorUnspec, "the target %q of operation %s does not exist", target, handle)
	}
	return op, p.checkArguments(snap, op, state, r)
}

func exists(snap *mdib.Snapshot, handle string) bool {
	if _, ok := snap.Descriptor(handle); ok {
		return true
	}
	_, ok := snap.State(handle)
	return ok
}

func (p *Provider) checkArguments(snap *mdib.Snapshot, op pm.OperationDescriptor, state pm.OperationState, r msg.SetRequest) *Refused {
	switch r := r.(type) {
	case *msg.SetValue:
		return checkRange(state.(*pm.SetValueOperationState).AllowedRange, r.RequestedNumericValue)
	case *msg.SetString:
		return checkString(op.(*pm.SetStringOperationDescriptor), state.(*pm.SetStringOperationState), r.RequestedStringValue)
	case *msg.Activate:
		_, err := arguments(op, r)
		return err
	case *msg.SetMetricState:
		return checkProposals(snap, op, asStates(r.ProposedMetricState), p.cfg.MetricsBeyondTarget)
	case *msg.SetComponentState:
		return checkProposals(snap, op, asStates(r.ProposedComponentState), false)
	case *msg.SetAlertState:
		return checkProposals(snap, op, []pm.State{r.ProposedAlertState}, false)
	case *msg.SetContextState:
		return checkProposals(snap, op, asStates(r.ProposedContextState), false)
	}
	return refuse(msg.InvocationErrorInv, "unknown kind of operation")
}

// checkRange: the value must lie in one of the ranges, if there are any. The step width is the handler's business: what a device does with a value between two steps (round and answer FinMod, or refuse) differs.
func checkRange(ranges []pm.Range, value pm.Decimal) *Refused {
	if pm.InRanges(ranges, value) {
		return nil
	}
	return refuse(msg.InvocationErrorInv, "%s is outside of the allowed range, %s", value, pm.RangesText(ranges))
}

func checkString(op *pm.SetStringOperationDescriptor, state *pm.SetStringOperationState, value string) *Refused {
	if limit, ok := op.MaxLength.Get(); ok && uint64(utf8.RuneCountInString(value)) > limit {
		return refuse(msg.InvocationErrorInv, "the text is longer than %d characters", limit)
	}
	if allowed := state.AllowedValues; allowed != nil && len(allowed.Value) > 0 && !slices.Contains(allowed.Value, value) {
		return refuse(msg.InvocationErrorInv, "%q is none of the allowed values: %s", clip(value), texts(allowed.Value))
	}
	return nil
}

// maxTexts bounds the allowed values that a refusal lists.
const maxTexts = 8

// texts lists allowed values for people; of many the first.
func texts(values []string) string {
	var parts []string
	for i, v := range values {
		if i == maxTexts {
			parts = append(parts, fmt.Sprintf("%d more", len(values)-i))
			break
		}
		parts = append(parts, strconv.Quote(clip(v)))
	}
	return strings.Join(parts, ", ")
}

// arguments pairs the values of a call with the arguments declared, in order (SCO-4).
func arguments(op pm.OperationDescriptor, r *msg.Activate) ([]Argument, *Refused) {
	declared := op.(*pm.ActivateOperationDescriptor).Argument
	if len(declared) != len(r.Argument) {
		return nil, refuse(msg.InvocationErrorInv, "operation %s takes %d arguments, not %d", op.Base().Handle, len(declared), len(r.Argument))
	}
	args := make([]Argument, len(declared))
	for i, d := range declared {
		a, err := newArgument(d.ArgName, d.Arg, r.Argument[i].ArgValue)
		if err != nil {
			return nil, refuse(msg.InvocationErrorInv, "argument %d: %v", i+1, err)
		}
		args[i] = a
	}
	return args, nil
}

func asStates[S pm.State](in []S) []pm.State {
	out := make([]pm.State, len(in))
	for i, s := range in {
		out[i] = s
	}
	return out
}

// checkProposals: what is proposed exists, is of the type its descriptor needs (BICEPS R0023), belongs to the operation's target or stands
// below it unless beyond allows others, is named once, and changes nothing beyond ModifiableData (BICEPS R5010, R5011).
//
// The target is what consumers show and policies permit: without its bound, the right to one operation of a kind would be the right to all states of that kind.
func checkProposals(snap *mdib.Snapshot, op pm.OperationDescriptor, proposed []pm.State, beyond bool) *Refused {
	target := op.BaseOperation().OperationTarget
	if s, ok := snap.State(target); ok {
		target = s.BaseState().DescriptorHandle // it may name a context state
	}
	var modifiable []string
	if d, ok := op.(pm.SetStateOperationDescriptor); ok {
		modifiable = d.BaseSetState().ModifiableData
	}
	if len(proposed) > maxProposed {
		return refuse(msg.InvocationErrorInv, "more than %d states are proposed at once", maxProposed)
	}
	seen := make(map[string]bool, len(proposed))
	for _, s := range proposed {
		if pm.IsNil(s) {
			return refuse(msg.InvocationErrorInv, "a proposed state is missing")
		}
		descriptor := s.BaseState().DescriptorHandle
		d, ok := snap.Descriptor(descriptor)
		if !ok {
			return refuse(msg.InvocationErrorInv, "there is no descriptor %q", clip(descriptor))
		}
		if want := pm.NewStateFor(d); want == nil || want.TypeName() != s.TypeName() {
			return refuse(msg.InvocationErrorInv, "%s is no state of %s", s.TypeName().Local, descriptor)
		}
		if !beyond && !within(snap, descriptor, target) {
			return refuse(msg.InvocationErrorInv, "%s is neither the target of operation %s nor below it", descriptor, op.Base().Handle)
		}
		handle := pm.HandleOf(s)
		if asksForNew(s) {
			continue // nothing to compare with; several new states of one descriptor are possible
		}
		if seen[handle] {
			return refuse(msg.InvocationErrorInv, "%q is proposed twice", clip(handle))
		}
		seen[handle] = true
		current, ok := snap.State(handle)
		if !ok || current.BaseState().DescriptorHandle != descriptor {
			return refuse(msg.InvocationErrorInv, "%s has no state %q", descriptor, clip(handle))
		}
		if path := changedBeyond(current, s, modifiable); path != "" {
			return refuse(msg.InvocationErrorInv, "%s of %s cannot be modified by this operation", path, handle)
		}
	}
	return nil
}

// within tells whether a descriptor is the root or stands below it.
func within(snap *mdib.Snapshot, handle, root string) bool {
	for ok := true; ok && handle != ""; handle, ok = snap.Parent(handle) {
		if handle == root {
			return true
		}
	}
	return false
}

// maxProposed bounds the states that one call may propose.
const maxProposed = 1000

// asksForNew tells whether a proposed context state asks for a new one: its handle is its descriptor's.
func asksForNew(s pm.State) bool {
	m, ok := s.(pm.MultiState)
	return ok && m.BaseMulti().Handle == s.BaseState().DescriptorHandle
}
