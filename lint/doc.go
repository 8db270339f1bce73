// Package lint judges MDIBs by the rules of BICEPS, the SDC binding and SDPi that can be seen in one snapshot: what [mdib.Validate] finds,
// what keeps a document from being an MDIB at all, and further rules by profile.
//
//	report := lint.Document("device.xml", doc, mdib.ProfileSDPi)
//	for _, f := range report.Findings { ... }
//
// Rules that show only over time (versions that rise, reports that are sent) are not for this package.
package lint
