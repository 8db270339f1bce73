package sdc

import (
	"crypto/x509"
	"encoding/pem"
)

// Roots of the InvocationSource of an OperationInvokedReport.
const (
	// InvocationSourcePEM is the root when the extension is the caller's certificate in PEM form (GLUE R0078_0).
	InvocationSourcePEM = NamespaceGlue + "/X509Certificate/PEM"
	// InvocationSourceAnonymous is the root when the caller is not known, with extension AnonymousSdcParticipant.
	InvocationSourceAnonymous = NamespaceGlue
	// AnonymousParticipant is the extension for a caller that is not known.
	AnonymousParticipant = "AnonymousSdcParticipant"
)

// InvocationSource returns root and extension of the instance identifier that names the caller of an operation: the certificate in
// PEM form (GLUE R0078_0) with the line break that ends it, as tools write it that compare the text; or the anonymous participant when there is none (plain HTTP).
func InvocationSource(cert *x509.Certificate) (root, extension string) {
	if cert == nil {
		return InvocationSourceAnonymous, AnonymousParticipant
	}
	return InvocationSourcePEM, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}))
}
