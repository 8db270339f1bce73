package alerts

// TestSnapshot is the MDIB of the tests.
var TestSnapshot = snapshot
