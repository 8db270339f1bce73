package mdib

import (
	"slices"

	"github.com/semeco/go-sdc/mdib/pm"
)

// Bounds of the states that a Store keeps of one context descriptor. Consumers may make context states (SetContextState), and with the years a device has many patients; each
// reader of the MDIB gets all of them.
const (
	maxFormer       = 200     // states
	maxContextBytes = 1 << 20 // of their XML
	maxLeaving      = 64      // states whose end one commit tells
)

// boundContexts forgets the oldest states of the contexts that a transaction changes: those that are not associated any more get the association No, with which they may
// leave with a later commit (BICEPS R5027). If there are too many that are associated, or about to be, the transaction is refused. Transactions of the description change no
// states but those of their own, and are left alone.
func (tx *Tx) boundContexts() error {
	if tx.description != nil {
		return nil
	}
	var seen []string
	for i := range len(tx.edits) { // grows
		if _, ok := tx.edits[i].after.(pm.ContextState); !ok {
			continue
		}
		descriptor := tx.edits[i].after.BaseState().DescriptorHandle
		if slices.Contains(seen, descriptor) {
			continue
		}
		seen = append(seen, descriptor)
		if err := tx.boundContext(descriptor); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) boundContext(descriptor string) error {
	n, ok := tx.base.nodes.Get(descriptor)
	if !ok {
		return nil
	}
	var former []pm.ContextState // newest first
	room, bytes := maxFormer, maxContextBytes
	var scratch []byte
	fits := func(s pm.ContextState) bool {
		scratch = s.AppendElement(scratch[:0], "pm:State", s.XSIType())
		room--
		bytes -= len(scratch)
		return room >= 0 && bytes >= 0
	}
	look := func(s pm.ContextState) error {
		switch s.BaseContext().ContextAssociationOrDefault() {
		case pm.ContextAssociationAssoc, pm.ContextAssociationPre:
			if !fits(s) {
				return ruleError(idContextRoom, descriptor, "more than %d states, or %d bytes of them, are associated or about to be", maxFormer, maxContextBytes)
			}
		default:
			former = append(former, s)
		}
		return nil
	}
	for i := len(tx.edits) - 1; i >= 0; i-- {
		e := &tx.edits[i]
		if s, ok := e.after.(pm.ContextState); ok && e.before == nil && !e.dropped && s.BaseState().DescriptorHandle == descriptor {
			if err := look(s); err != nil {
				return err
			}
		}
	}
	for _, h := range slices.Backward(n.contexts) {
		if slices.Contains(tx.removals, h) || slices.Contains(tx.store.leaving, h) {
			continue
		}
		s, _ := tx.base.states.Get(h)
		if i := tx.find(tx.key(h)); i >= 0 {
			s = tx.edits[i].after
		}
		if s, ok := s.(pm.ContextState); ok {
			if err := look(s); err != nil {
				return err
			}
		}
	}
	told := 0
	for _, s := range former {
		if fits(s) {
			continue
		}
		h := s.BaseMulti().Handle
		switch i := tx.find(tx.key(h)); {
		case i >= 0 && tx.edits[i].before == nil:
			return ruleError(idContextRoom, descriptor, "more than %d states, or %d bytes of them", maxFormer, maxContextBytes)
		case i >= 0: // next time
		case s.BaseContext().ContextAssociationOrDefault() == pm.ContextAssociationNo:
			tx.removals = append(tx.removals, h)
		case told < maxLeaving:
			told++
			tx.edits[tx.touch(h)].after.(pm.ContextState).BaseContext().ContextAssociation = pm.ContextAssociationNo
		}
	}
	return nil
}
