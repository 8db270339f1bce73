// Package mdib holds the medical data information base of a device: the containment tree of descriptors and the states that
// belong to them (IEEE 11073-10207, BICEPS). It knows nothing of networks.
//
// A Snapshot is one version of an MDIB. It never changes, so any number of goroutines read it without locks; what it
// hands out is shared and read-only by contract.
//
// A device keeps its MDIB in a Store and changes it in transactions. Store.Update runs a function that edits private copies, checks the
// rules, raises the versions, publishes a new Snapshot with one atomic store, and returns the Change, from which exactly one
// report is made:
//
//	store := mdib.NewStore(snapshot, mdib.Config{})
//	change, err := store.Update(func(tx *mdib.Tx) error {
//		return tx.SetNumeric("hr", pm.MustDecimal("72"), time.Now())
//	})
//	report := change.Report() // a *msg.EpisodicMetricReport
//
// A consumer keeps a Mirror: Reset fills it from a GetMdibResponse, Apply follows the reports.
//
// Costs: reading a handle is O(1), a commit O(log n) for n descriptors.
package mdib
