// Package sdc binds the libraries below it to an ISO/IEEE 11073 SDC participant: it knows the BICEPS services
// and their actions (IEEE 11073-20701), who a participant is and whom it trusts (certificates and SDC key purposes),
// which network interface it lives on, and how locations, types and key purposes are written as discovery scopes.
//
// The two roles live in sdc/provider and sdc/consumer; certificates for a bench are made by sdc/pki.
package sdc
