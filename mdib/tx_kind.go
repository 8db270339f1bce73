package mdib

// Kind tells what the transaction is about as far as it has been edited: KindDescription once the description has been touched, otherwise the
// kind of the first state that was edited, KindNone before that. Code that completes the transactions of others needs to know, because a
// transaction has one kind.
func (tx *Tx) Kind() Kind {
	if tx.description != nil {
		return KindDescription
	}
	for i := range tx.edits {
		if k := KindOf(tx.edits[i].after); k != KindNone {
			return k
		}
	}
	return KindNone
}
